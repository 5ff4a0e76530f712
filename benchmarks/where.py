"""Where the time of a fingerprint goes, step by step, in one process.

``python benchmarks/where.py FOLDER...``
    The first 2,000 pictures of each folder: µs a picture, and shares, of a worker's steps. Every step is timed where
    the worker calls it; the timers take 0.5 µs a call. The run with the least total of `--repeats` is shown.
    *Bare decode* is Pillow's ``open``, ``draft`` and ``load`` of the same files, for comparison.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from leakaudit.fingerprints.cache.record import THUMBNAIL
from leakaudit.fingerprints.pictures import chunk as image_chunk
from leakaudit.fingerprints.pictures import contents as image_contents
from leakaudit.fingerprints.pictures.chunk import fingerprint_chunk
from leakaudit.fingerprints.pictures.contents import Listed

N, CHUNK = 2_000, 128
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"}

STEPS: dict[str, Sequence[tuple[Any, str]]] = {
    "read the file, digest its bytes": [(image_contents, "read_here")],
    "decode": [(image_chunk, "decode")],
    "digest of the pixels": [(image_chunk, "pixel_digest"), (image_chunk, "plain_pixel_digests")],
    "two thumbnails (Lanczos)": [(image_chunk, "shrink"), (image_chunk, "shrink_one")],
    "pHash and dHash": [(image_chunk, "phashes"), (image_chunk, "dhashes")],
    "spread and entropy": [(image_chunk, "histograms"), (image_chunk, "spread_and_entropy")],
    "mean colours": [(image_chunk, "chroma_planes")],
}
"""What the worker calls, in its words, and where it looks the function up."""


class Clock:
    """Seconds of every step, those of the steps that it calls taken off."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._inside = 0.0

    def timed(self, function: Callable[..., object], step: str) -> Callable[..., object]:
        def call(*values: object, **named: object) -> object:
            outer, self._inside, start = self._inside, 0.0, time.perf_counter()
            try:
                return function(*values, **named)
            finally:
                taken = time.perf_counter() - start
                self.spent[step] += taken - self._inside
                self._inside = outer + taken

        return call


def fingerprint(chunks: Sequence[Sequence[Listed]]) -> tuple[float, dict[str, float]]:
    """Seconds of all, and of every step."""
    clock = Clock()
    plain = [(module, name, getattr(module, name)) for places in STEPS.values() for module, name in places]
    for step, places in STEPS.items():
        for module, name in places:
            setattr(module, name, clock.timed(getattr(module, name), step))
    try:
        start = time.perf_counter()
        for chunk in chunks:
            fingerprint_chunk(chunk)
        whole = time.perf_counter() - start
    finally:
        for module, name, function in plain:
            setattr(module, name, function)
    return whole, clock.spent


def bare(paths: Sequence[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        with Image.open(path) as image:
            image.draft("RGB", (THUMBNAIL, THUMBNAIL))
            image.load()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    for folder in given.folders:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)[:N]
        files = [Listed(os.fsencode(path), -1, -1) for path in paths]
        chunks = [files[at : at + CHUNK] for at in range(0, len(files), CHUNK)]
        fingerprint(chunks[:1])  # imports, filters
        whole, spent = min((fingerprint(chunks) for _ in range(given.repeats)), key=lambda run: run[0])
        decoding = min(bare(paths) for _ in range(given.repeats))
        each = 1e6 / len(paths)
        rest = whole - sum(spent.values())
        print(
            f"\n{folder}: {len(paths):,} pictures, {whole * each:,.1f} µs each; bare decode {decoding * each:,.1f} µs"
        )
        print("| step | µs | share |\n|---|---|---|")
        for step, seconds in [
            *sorted(spent.items(), key=lambda step: -step[1]),
            ("everything else: greys, records, Python", rest),
        ]:
            print(f"| {step} | {seconds * each:,.1f} | {seconds / whole:.1%} |")


if __name__ == "__main__":
    main()
