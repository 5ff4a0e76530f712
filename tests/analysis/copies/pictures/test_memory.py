"""The search of LA103 holds 1M training and 50k validation pictures within 1.5 GiB: by growth, at a size for a test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from leakaudit.fingerprints.cache.record import RECORD

SEARCH = """
import sys, threading
from pathlib import Path
import numpy as np
from leakaudit.fingerprints.cache.record import RECORD
from leakaudit.analysis.copies.pictures.near import match_splits

def anonymous():
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

peak, done = 0, threading.Event()
def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, anonymous())

n_held_out = int(sys.argv[2])
records = np.memmap(sys.argv[1], dtype=RECORD, mode="r")
held_out = np.arange(len(records)) >= len(records) - n_held_out
watching = threading.Thread(target=watch)
watching.start()
near = match_splits(records, held_out, ~held_out, jobs=2)
done.set()
watching.join()
print(peak, len(near.pairs))
"""


def peak_and_pairs(path: Path, n_training: int, n_held_out: int) -> tuple[int, int]:
    """Bytes of anonymous memory at most (the records are in a file), and near-duplicates found."""
    rng = np.random.default_rng(0)
    n = n_training + n_held_out
    records = np.memmap(path, dtype=RECORD, mode="w+", shape=(n,))
    coarse = rng.integers(0, 256, (n, 8, 8), dtype=np.uint8)
    records["luma"] = coarse.repeat(4, axis=1).repeat(4, axis=2)
    records["luma"][-20:] = records["luma"][:20]
    records["chroma"], records["spread"], records["width"], records["height"] = 128, 60, 320, 240
    records.flush()
    command = [sys.executable, "-c", SEARCH, path, str(n_held_out)]
    peak, pairs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(peak), int(pairs)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak where Linux tells it")
def test_a_million_pictures_fit(tmp_path):
    # From 60,000 on, blocks of the search have their full size, and what grows are descriptors and lists.
    few, pairs = peak_and_pairs(tmp_path / "few", 60_000, 200)
    more_training, more_pairs = peak_and_pairs(tmp_path / "training", 140_000, 200)
    more_held_out, _ = peak_and_pairs(tmp_path / "held out", 60_000, 4_200)
    assert pairs == more_pairs == 20
    per_training = (more_training - few) / 80_000
    per_held_out = (more_held_out - few) / 4_000
    assert few + 1_000_000 * max(per_training, 0) + 50_000 * max(per_held_out, 0) < 1.5 * 2**30
