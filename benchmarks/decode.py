"""Fingerprints of pictures against the physical floor and against peers; ratios measured in one run.

``python benchmarks/decode.py``
    1,000 JPEGs of 500×375, about as large as ImageNet's files of that size (0.1 MB), cropped from the pictures in
    ``../shared/data`` or, without them, made up. The floor is libjpeg-turbo's own scaled decode to grey of the same
    files with as many threads (`simplejpeg`), file reading included: what reads every file can hardly be faster.
``python benchmarks/decode.py --png FOLDER``
    A first scan of many small pictures against nothing but opening and decoding them with Pillow, in as many processes.

simplejpeg and the peers (imagededup, cleanvision) are installed by name into a virtual environment of their own. Every
contender runs as its own process, in turn with the others; imports, the start of workers and a first call on 200 files
are not timed, but for the column *whole process*.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from leakaudit.engines.local import map_chunks, usable_cores

N, SIZE = 1_000, (500, 375)
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PEERS = (("torch==2.13.0",), ("imagededup",), ("cleanvision",), ("simplejpeg",))

TIMED = """
import os, sys, time
from pathlib import Path
folder, n_threads = Path(sys.argv[1]), int(sys.argv[2])
files = sorted(str(path) for path in folder.iterdir())
{setup}
if sys.argv[3:]:
    run(Path(sys.argv[3]))
def processor():
    # Of this process, of its children that have ended, and on Linux of those that have not.
    spent, ticks = os.times(), 0
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            fields = Path(f"/proc/{{child}}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    ended = spent.children_user + spent.children_system
    return spent.user + spent.system + ended + ticks / os.sysconf("SC_CLK_TCK")
start, used = time.perf_counter(), processor()
run(folder)
print("seconds", time.perf_counter() - start, processor() - used)
"""
FLOOR = """
from concurrent.futures import ThreadPoolExecutor
import simplejpeg
def grey(path):
    with open(path, "rb") as file:
        return simplejpeg.decode_jpeg(file.read(), colorspace="GRAY", min_height=32, min_width=32)
def run(folder):
    with ThreadPoolExecutor(n_threads) as pool:
        for _ in pool.map(grey, [str(path) for path in sorted(folder.iterdir())]):
            pass
"""
OURS = """
import atexit
import numpy as np, pyarrow as pa
from leakaudit.config import Config
from leakaudit.engines.progress import silent
from leakaudit.engines.workers import workers_kept
from leakaudit.fingerprints.pictures.scan import fingerprint_images
from leakaudit.model import Samples
kept = workers_kept(n_threads)  # as in an audit
kept.__enter__()
atexit.register(kept.__exit__, None, None, None)
def run(folder):
    paths = sorted(folder.iterdir())
    samples = Samples(pa.array([path.name for path in paths]), pa.array([os.fsencode(path) for path in paths]),
                      np.zeros(len(paths), np.int16))
    found = fingerprint_images(samples, Config(use_cache=False, jobs=n_threads), silent)
    assert found.ok.all()
"""
IMAGEDEDUP = """
from imagededup.methods import PHash
def run(folder):
    assert PHash(verbose=False).encode_images(image_dir=str(folder), num_enc_workers=n_threads)
"""
CLEANVISION = """
import contextlib, io
from cleanvision import Imagelab
def run(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        Imagelab(data_path=str(folder), verbose=False).find_issues(
            {"exact_duplicates": {}, "near_duplicates": {}}, n_jobs=n_threads, verbose=False)
"""


def large_pictures() -> list[Image.Image]:
    """Pictures to crop from: real ones where they are at hand."""
    pictures = []
    archive = SHARED / "imagededup-tests.tar"
    if archive.is_file():
        with tarfile.open(archive) as tar:
            for member in sorted(tar.getmembers(), key=lambda member: member.name):
                if member.name.endswith(".jpg") and "corrupt" not in member.name:
                    try:
                        pictures.append(Image.open(tar.extractfile(member)).convert("RGB"))
                    except OSError:
                        continue
    if pictures:
        return pictures
    made = np.random.default_rng(0)
    coarse = (made.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in range(8, 40))
    return [Image.fromarray(pixels).resize((1200, 900), Image.Resampling.BICUBIC) for pixels in coarse]


def make_jpegs(folder: Path) -> None:
    """Crops at random places and scales, with a little sensor noise, saved at quality 95."""
    folder.mkdir(parents=True)
    sources, choose, noise = large_pictures(), random.Random(0), np.random.default_rng(0)
    for i in range(N):
        source = choose.choice(sources)
        width = int(source.width * choose.uniform(0.6, 1))
        height = min(source.height, width * 3 // 4)
        left, top = choose.randint(0, source.width - width), choose.randint(0, source.height - height)
        crop = source.resize(SIZE, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))
        noisy = np.asarray(crop) + noise.normal(0, 3, (SIZE[1], SIZE[0], 1))
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
        picture.save(folder / f"{i:04d}.jpg", quality=95)


def peers_python(folder: Path) -> tuple[Path, dict[str, str]]:
    """Interpreter of the environment that holds the peers, and what could not be installed into it."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    failed = {}
    for requirement in PEERS:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            failed[requirement[0]] = (done.stderr.strip().splitlines() or ["unknown"])[-1]
    return python, failed


class Taken(NamedTuple):
    """Seconds of one run: the work alone by the clock and on the processors, and a whole process from its start."""

    work: float
    processor: float
    whole: float


def take(python: Path | str, setup: str, folder: Path, warm: Path, threads: int) -> Taken:
    command = [python, "-c", TIMED.format(setup=setup), folder, str(threads)]
    done = subprocess.run([*command, warm], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seconds ")]
    if done.returncode or not lines:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no answer"])[-1])
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    whole = time.perf_counter() - start
    work, processor = lines[-1].split()[1:]
    return Taken(float(work), float(processor), whole)


def jpegs(repeats: int, peer_repeats: int, threads: int) -> None:
    base = Path(tempfile.gettempdir()) / "leakaudit-benchmark"
    folder, warm = base / "jpegs-2", base / "warm-2"
    if not folder.is_dir():
        make_jpegs(folder)
    warm.mkdir(exist_ok=True)
    for path in sorted(folder.iterdir())[:200]:
        (warm / path.name).write_bytes(path.read_bytes())
    peers, failed = peers_python(base / "peers")
    mean = statistics.mean(path.stat().st_size for path in folder.iterdir())
    print(f"{N:,} JPEGs of {SIZE[0]}×{SIZE[1]}, {mean / 1000:.0f} KB on average, {threads} threads")
    for name, why in failed.items():
        print(f"not installed: {name} ({why})")
    contenders = {
        "floor": (peers, FLOOR, repeats),
        "leakaudit": (sys.executable, OURS, repeats),
        "imagededup": (peers, IMAGEDEDUP, peer_repeats),
        "cleanvision": (peers, CLEANVISION, peer_repeats),
    }
    times: dict[str, list[Taken]] = {name: [] for name in contenders}
    for turn in range(repeats):
        for name, (python, setup, wanted) in contenders.items():
            if turn < wanted:
                try:
                    times[name].append(take(python, setup, folder, warm, threads))
                except RuntimeError as error:
                    print(f"{name} failed: {error}")
    print(f"{'medians':18} {'pictures/s':>10} {'processor ms':>13} {'whole process s':>16}   leakaudit faster by")
    for name, taken in times.items():
        if taken:
            work, processor, whole = (statistics.median(column) for column in zip(*taken, strict=True))
            pairs = list(zip(taken, times["leakaudit"], strict=False))
            by = (statistics.median(other[i] / ours[i] for other, ours in pairs) for i in range(3))
            faster = " / ".join(f"{ratio:.2f}" for ratio in by)
            print(f"{name:18} {N / work:10,.0f} {processor * 1000 / N:13.2f} {whole:16.2f}   {faster}")
    print("Where other work shares the machine, only processor time means something.")


def bare(paths: Sequence[str]) -> int:
    """Nothing but opening and decoding."""
    for path in paths:
        with Image.open(path) as image:
            image.load()
    return len(paths)


def pngs(folder: Path, repeats: int, threads: int) -> None:
    import decode as importable  # this file, under a name that worker processes can import
    import pyarrow as pa

    from leakaudit.config import Config
    from leakaudit.engines.progress import silent
    from leakaudit.fingerprints.pictures.scan import CHUNK, fingerprint_images
    from leakaudit.model import Samples

    files = sorted(str(path) for path in folder.rglob("*.png"))
    chunks = [files[at : at + CHUNK] for at in range(0, len(files), CHUNK)]
    samples = Samples(
        pa.array(files), pa.array([os.fsencode(file) for file in files]), np.zeros(len(files), dtype=np.int16)
    )

    def fingerprint() -> None:
        assert len(fingerprint_images(samples, Config(use_cache=False, jobs=threads), silent)) == len(files)

    def decode_barely() -> None:
        assert sum(map_chunks(importable.bare, chunks, jobs=threads, processes=True)) == len(files)

    times: dict[str, list[tuple[float, float]]] = {"bare Pillow decode": [], "leakaudit": []}
    for _ in range(repeats):
        for work, taken in zip((decode_barely, fingerprint), times.values(), strict=True):
            start, used = time.perf_counter(), processor_seconds()
            work()
            taken.append((time.perf_counter() - start, processor_seconds() - used))
    print(f"{len(files):,} PNGs, {threads} processes")
    for name, taken in times.items():
        clock, used = (statistics.median(column) for column in zip(*taken, strict=True))
        print(f"{name:20} {len(files) / clock:8,.0f} pictures/s {used / len(files) * 1e6:8.1f} processor µs each")
    for i, by in enumerate(("clock", "processor")):
        ratio = statistics.median(bare[i] / own[i] for bare, own in zip(*times.values(), strict=True))
        print(f"speed of leakaudit / bare decode, by {by:9} {ratio:6.2f}")


def processor_seconds() -> float:
    """Of this process and its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--png", type=Path, metavar="FOLDER")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--peer-repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=usable_cores())
    given = parser.parse_args()
    if given.png:
        pngs(given.png, given.repeats, given.threads)
    else:
        jpegs(given.repeats, given.peer_repeats, given.threads)
