"""What listing a folder costs beside one ``os.scandir`` + ``stat`` walk, and what recognising the layout adds.

python inventory.py [--files 200000]    processor seconds, ratios of one run; nothing is read but folders.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from leakaudit.config import Config
from leakaudit.sources.base import read_request
from leakaudit.sources.claims import recognise
from leakaudit.sources.inventory import Inventory
from leakaudit.sources.layouts import LAYOUTS

REPEATS = 3


def make(root: Path, n_files: int) -> None:
    """Empty pictures in class folders of two splits."""
    for split, share in (("train", 0.8), ("val", 0.2)):
        for label in range(20):
            folder = root / split / f"class{label:02d}"
            folder.mkdir(parents=True)
            for at in range(int(n_files * share / 20)):
                (folder / f"{at:06d}.jpg").touch()


def bare(folder: bytes) -> int:
    """The floor: every entry once, with its status."""
    n = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                n += bare(entry.path)
            else:
                entry.stat(follow_symlinks=False)
                n += 1
    return n


def seconds(work: object, *args: object) -> float:
    """Least processor time of a few runs."""
    found = []
    for _ in range(REPEATS):
        start = time.process_time()
        work(*args)  # type: ignore[operator]
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    """Measure and print."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--files", type=int, default=200_000)
    n_files = told.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), n_files)
        top = os.fsencode(folder)
        floor = seconds(bare, top)
        listing = seconds(lambda: sum(1 for _ in Inventory().walk(top)))
        request = read_request([folder], Config())
        list(request.inventory.walk(top))
        layouts = seconds(lambda: recognise(request, LAYOUTS))
        print(f"{n_files:,} files: bare walk {floor:.2f} s; inventory {listing:.2f} s = {listing / floor:.2f} x")
        print(f"all {len(LAYOUTS)} layouts look at it: {layouts:.2f} s")


if __name__ == "__main__":
    main()
