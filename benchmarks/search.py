"""The search kernels against their floors and a peer, at three sizes each, and the memory of the whole search.

``python benchmarks/search.py [--faiss PYTHON] [--only PART ...]``; results go to ``results/search.json``.

descriptors
    8,192 queries against 62,500, 250,000 and 1,000,000 references in eight orientations, against the two bare matrix
    products that they take (queries, and transposed queries; float32, in blocks, on one core, in turn with the search),
    and against one such product. Growth is the time of each size by that of the size before, four times as many.
hamming
    All pairs within 6 bits, fair and with 2 % nearly blank hashes, against ``IndexBinaryFlat.range_search`` of FAISS in
    the environment of ``--faiss PYTHON`` (`pip install faiss-cpu`).
memory
    `match_splits` of LA103 on synthetic fingerprints that lie in a file, in a process of its own: 5k validation and
    100k or 1M training pictures, with ``--full`` also 50k and 1M (some 20 minutes of one core). The peak is that of
    anonymous memory; pages of the file come and go as the system has room.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from leakaudit.analysis.copies.pictures.descriptors import transposed
from leakaudit.analysis.copies.pictures.hamming import near_hashes
from leakaudit.analysis.copies.pictures.neighbours import nearest
from leakaudit.engines.local import usable_cores
from leakaudit.fingerprints.cache.record import RECORD

RESULTS = Path(__file__).parent / "results" / "search.json"
QUERIES, REFERENCES, K = 8_192, (62_500, 250_000, 1_000_000), 16
HASHES = ((10_000, 100_000), (30_000, 300_000), (100_000, 1_000_000))
PICTURES, IN_FULL = ((5_000, 100_000), (5_000, 1_000_000)), (50_000, 1_000_000)

FAISS = """
import sys, time, faiss, numpy as np
faiss.omp_set_num_threads(1)
a, b = (np.load(path).view(np.uint8).reshape(-1, 8) for path in sys.argv[1:3])
index = faiss.IndexBinaryFlat(64)
index.add(b)
start = time.process_time()
found = index.range_search(a, 7)  # below 7
print(time.process_time() - start, len(found[1]))
"""


def processor(work: Callable[..., object], *given: object) -> float:
    start = time.process_time()
    work(*given)
    return time.process_time() - start


def bare(queries: np.ndarray, references: np.ndarray, rows: int = 256, width: int = 4_096) -> None:
    """One matrix product, block by block into one buffer, because 50,000 × 1,000,000 floats are 200 GB."""
    for start in range(0, len(queries), rows):
        part = queries[start : start + rows]
        out = np.empty((len(part), width), dtype=np.float32)
        for first in range(0, len(references), width):
            block = references[first : first + width]
            np.matmul(part, block.T, out=out[:, : len(block)] if len(block) < width else out)


def descriptors(repeats: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(0)

    def unit(n: int) -> np.ndarray:
        made = rng.standard_normal((n, 93), dtype=np.float32) / np.sqrt(np.arange(1, 94, dtype=np.float32))
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))

    queries, every = unit(QUERIES), unit(REFERENCES[-1])
    turned = transposed(queries)
    rows: list[dict[str, float]] = []
    with threadpool_limits(limits=1, user_api="blas"):
        for n in REFERENCES:
            references = every[:n]
            times = [
                (
                    processor(bare, queries, references),
                    processor(bare, turned, references),
                    processor(nearest, queries, references, K),
                )
                for _ in range(repeats)
            ]
            found = {
                "queries": QUERIES,
                "references": n,
                "search_seconds": statistics.median(row[2] for row in times),
                "search / two products": statistics.median(row[2] / (row[0] + row[1]) for row in times),
                "search / one product": statistics.median(row[2] / row[0] for row in times),
            }
            if rows:
                found["growth for 4x"] = found["search_seconds"] / rows[-1]["search_seconds"]
            print(found, flush=True)
            rows.append(found)
    return rows


def some_hashes(rng: np.random.Generator, n: int, *, blank: bool) -> np.ndarray:
    hashes = rng.integers(0, 2**64, n, dtype=np.uint64)
    if blank:  # what imagehash gives for a page with a speck or two: few distinct hashes, often repeated
        few = np.zeros(n // 50, dtype=np.uint64)
        for _ in range(2):
            few ^= np.uint64(1) << rng.integers(0, 64, len(few), dtype=np.uint64)
        hashes[: len(few)] = few
    return hashes


def hamming(repeats: int, faiss: str | None) -> list[dict[str, object]]:
    rows = []
    for blank in (False, True):
        for m, n in HASHES:
            rng = np.random.default_rng(1)
            a, b = some_hashes(rng, m, blank=blank), some_hashes(rng, n, blank=blank)
            seconds = [processor(near_hashes, a, b, 6) for _ in range(repeats)]
            pairs = near_hashes(a, b, 6)
            row: dict[str, object] = {
                "a": m,
                "b": n,
                "hashes": "2 % nearly blank" if blank else "fair",
                "pairs": pairs.n_pairs,
                "distinct_pairs": len(pairs),
                "processor_seconds": statistics.median(seconds),
            }
            if faiss and not blank:
                with tempfile.TemporaryDirectory() as folder:
                    paths = [f"{folder}/{name}.npy" for name in "ab"]
                    np.save(paths[0], a)
                    np.save(paths[1], b)
                    command = [faiss, "-c", FAISS, *paths]
                    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
                assert int(answer[1]) == pairs.n_pairs
                row["faiss_processor_seconds"] = float(answer[0])
                row["faster_by"] = float(answer[0]) / statistics.median(seconds)
            print(row, flush=True)
            rows.append(row)
    return rows


def synthetic_records(path: Path, n: int, n_copies: int) -> None:
    """Pictures of 8×8 soft patches; the last `n_copies` are noisy copies of the first."""
    records = np.memmap(path, dtype=RECORD, mode="w+", shape=(n,))
    for start in range(0, n, 1 << 13):
        rng = np.random.default_rng(start)
        part = records[start : start + (1 << 13)]
        coarse = rng.integers(0, 232, (len(part), 8, 8), dtype=np.uint8)
        part["luma"] = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.integers(0, 24, (32, 32), dtype=np.uint8)
        part["chroma"] = rng.integers(64, 192, (len(part), 2, 4, 4), dtype=np.uint8).repeat(2, axis=2).repeat(2, axis=3)
        part["spread"], part["width"], part["height"] = 60.0, 320, 240
    rng = np.random.default_rng(1)
    noisy = records["luma"][:n_copies] + rng.integers(-3, 4, (n_copies, 32, 32))
    records["luma"][n - n_copies :] = np.clip(noisy, 0, 255)
    records["chroma"][n - n_copies :] = records["chroma"][:n_copies]
    records.flush()


def anonymous() -> int:
    """Bytes of this process that are not pages of a file (Linux)."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))


def search_in_file(path: Path, n_held_out: int) -> dict[str, float]:
    """The search of LA103 in this process, and what it took."""
    from leakaudit.analysis.copies.pictures.near import match_splits

    records = np.memmap(path, dtype=RECORD, mode="r")
    held_out = np.arange(len(records)) >= len(records) - n_held_out
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, anonymous())

    watching = threading.Thread(target=watch)
    watching.start()
    start, used = time.perf_counter(), time.process_time()
    near = match_splits(records, held_out, ~held_out, jobs=usable_cores())
    seconds, used = time.perf_counter() - start, time.process_time() - used
    done.set()
    watching.join()
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "held_out": n_held_out,
        "training": len(records) - n_held_out,
        "pairs": len(near.pairs),
        "seconds": seconds,
        "processor_seconds": used,
        "peak_anonymous_GiB": peak / 2**30,
        "peak_with_pages_of_the_file_GiB": whole / 2**30,
    }


def memory(*, full: bool) -> list[dict[str, float]]:
    rows = []
    for n_held_out, n in (*PICTURES, IN_FULL) if full else PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "records"
            synthetic_records(path, n + n_held_out, n_held_out // 100)
            command = [sys.executable, __file__, "--child", str(path), str(n_held_out)]
            answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows.append(json.loads(answer))
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faiss", metavar="PYTHON", help="interpreter that has faiss-cpu")
    parser.add_argument("--only", nargs="+", choices=["descriptors", "hamming", "memory"])
    parser.add_argument("--full", action="store_true", help="the memory of 50k against 1M pictures too")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", nargs=2, metavar=("FILE", "N"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(search_in_file(Path(given.child[0]), int(given.child[1]))))
        return
    parts: dict[str, Callable[[], object]] = {
        "descriptors": lambda: descriptors(given.repeats),
        "hamming": lambda: hamming(given.repeats, given.faiss),
        "memory": lambda: memory(full=given.full),
    }
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, measure in parts.items():
        if not given.only or name in given.only:
            results[name] = measure()
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
