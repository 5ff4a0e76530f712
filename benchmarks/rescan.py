"""A second scan of unchanged pictures against a bare ``os.scandir`` + ``stat`` walk of the same folder.

``python benchmarks/rescan.py FOLDER``: both as whole processes, in turn, after one scan that fills a cache of its own.
Start-up is measured on a folder of four pictures and taken off, as the walk has none.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WALK = """
import os, sys
def walk(folder):
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                walk(entry.path)
            else:
                entry.stat()
walk(sys.argv[1])
"""
REPEATS = 7


def seconds(command: list[str], codes: tuple[int, ...] = (0,)) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in codes, done.stderr.decode()
    return time.perf_counter() - start


def few(folder: Path, target: Path) -> Path:
    """A data set of four pictures of `folder`, for start-up alone."""
    pictures = [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in {".png", ".jpg"}][:4]
    for i, picture in enumerate(pictures):
        split = target / ("train", "val")[i % 2] / "a"
        split.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, split)
    return target


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        cache = ["--cache-dir", f"{temporary}/cache"]
        scan = [sys.executable, "-m", "leakaudit", "scan", *cache]
        small = [*scan, str(few(folder, Path(temporary) / "few"))]
        full = [*scan, str(folder)]
        first = seconds(full, (0, 1))
        seconds(small, (0, 1))
        rows = [
            (
                seconds([sys.executable, "-c", WALK, str(folder)]) - seconds([sys.executable, "-c", "pass"]),
                seconds(full, (0, 1)) - seconds(small, (0, 1)),
            )
            for _ in range(REPEATS)
        ]
    walk, rescan = (statistics.median(column) for column in zip(*rows, strict=True))
    ratio = statistics.median(b / a for a, b in rows)
    print(f"first scan            {first:8.2f} s")
    print(f"walk, without start   {walk:8.3f} s")
    print(f"rescan, without start {rescan:8.3f} s")
    print(f"rescan / walk         {ratio:8.2f}   (median of {REPEATS} pairs)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
