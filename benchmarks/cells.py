"""What pictures in cells of parquet cost beside the same pictures in files: processor time, wall time and memory.

    python benchmarks/cells.py FOLDER [--pictures 3000] [--rows-a-group 100]

FOLDER is made and filled once; with ``--gigabytes 2`` the pictures are as many as that takes. Each way is scanned in a
process of its own without cache, so that its processor time and its largest memory are its own; workers count.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SCAN = "import sys; from leakaudit.cli import main; sys.argv[0] = 'leakaudit'; main()"


def picture(rng: np.random.Generator, side: int) -> bytes:
    """A JPEG of smooth random scenes with some noise, as many bytes as a photograph of its size."""
    coarse = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize((side, side * 3 // 4))
    noisy = np.asarray(coarse, dtype=np.int16) + rng.integers(-12, 12, (side * 3 // 4, side, 3))
    file = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=88)
    return file.getvalue()


def write(folder: Path, n: int, side: int, rows_a_group: int) -> int:
    """The same pictures in files and in cells; bytes of them."""
    schema = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())])
    rng = np.random.default_rng(3)
    n_bytes = 0
    for split, share in (("train", 0.8), ("test", 0.2)):
        (folder / "files" / split).mkdir(parents=True)
        (folder / "cells").mkdir(exist_ok=True)
        with pq.ParquetWriter(folder / "cells" / f"{split}-00000-of-00001.parquet", schema) as writer:
            left = round(n * share)
            while left:
                rows = [picture(rng, side) for _ in range(min(left, rows_a_group))]
                for at, data in enumerate(rows):
                    (folder / "files" / split / f"{left - at:07d}.jpg").write_bytes(data)
                n_bytes += sum(map(len, rows))
                cells = [{"bytes": data, "path": f"{left - at:07d}.jpg"} for at, data in enumerate(rows)]
                writer.write_table(pa.table({"image": cells, "label": [0] * len(rows)}, schema))
                left -= len(rows)
    return n_bytes


def measure(data: Path, jobs: int) -> tuple[float, float, float]:
    """Processor seconds, wall seconds, and the largest memory of one process in MB, of one scan."""
    told = ["scan", str(data), "--no-cache", "--jobs", str(jobs), "--select", "LA101", "--fail-on", "never"]
    start = time.perf_counter()
    pid = subprocess.Popen([sys.executable, "-c", SCAN, *told], stdout=subprocess.DEVNULL).pid
    _, _, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    """Write, scan both twice in turns, and print the better of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--gigabytes", type=float)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--rows-a-group", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    told = parser.parse_args()
    n = told.pictures
    if told.gigabytes:
        n = int(told.gigabytes * 1e9 / len(picture(np.random.default_rng(3), told.side)))
    if not told.folder.exists():
        n_bytes = write(told.folder, n, told.side, told.rows_a_group)
        print(f"{n:,} pictures, {n_bytes / 1e6:,.0f} MB, {told.rows_a_group} rows a group")
    found: dict[str, list[tuple[float, float, float]]] = {"files": [], "cells": []}
    for _ in range(2):
        for way, runs in found.items():
            runs.append(measure(told.folder / way, told.jobs))
    best = {way: min(runs) for way, runs in found.items()}
    for way, (cpu, wall, memory) in best.items():
        print(f"{way}: {cpu:.2f} s of processor time, {wall:.2f} s, at most {memory:,.0f} MB in one process")
    print(f"speed of cells / files by processor time: {best['files'][0] / best['cells'][0]:.2f}")


if __name__ == "__main__":
    main()
