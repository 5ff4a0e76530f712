from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leakaudit.fingerprints.rows.nominate import repeated, telling


def brute_force(hashes):
    counts = Counter(hashes.tolist())
    return [at for at, each in enumerate(hashes.tolist()) if counts[each] > 1]


@pytest.mark.parametrize("part", [1, 50, 1 << 23], ids=["many parts", "some parts", "one part"])
@pytest.mark.parametrize("seed", range(20))
def test_repeated_hashes_are_found_as_by_comparing_all_of_them(monkeypatch, seed, part):
    monkeypatch.setattr("leakaudit.fingerprints.rows.nominate._PART", part)
    monkeypatch.setattr("leakaudit.fingerprints.rows.nominate._CHUNK", 37)
    random = np.random.default_rng(seed)
    n = int(random.integers(0, 300))
    hashes = random.integers(0, 2**64, n, dtype=np.uint64, endpoint=False)
    copied = random.integers(0, max(n, 1), n // 4)
    hashes[: len(copied)] = hashes[copied]
    assert repeated(hashes, 2).tolist() == brute_force(hashes)


def test_hashes_that_agree_in_the_bits_that_are_sorted_are_not_called_equal():
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    # Multiplied, these agree in their upper halves; the last two are equal.
    mixed = [(7 << 32) + 1, (7 << 32) + 2, (9 << 32) + 3, (9 << 32) + 3]
    hashes = np.array([each * inverse % 2**64 for each in mixed], dtype=np.uint64)
    assert repeated(hashes, 1).tolist() == [2, 3]
    assert repeated(hashes[:3], 1).tolist() == []


def test_copies_in_the_sample_do_not_make_every_column_telling():
    random = np.random.default_rng(0)
    cells = random.integers(0, [[10_000], [50], [1_000], [7]], (4, 4_000)).astype(np.uint64)
    copied = np.concatenate([cells, cells[:, :200]], axis=1)
    costs = dict.fromkeys(range(4), 1.0)
    alone, _ = telling(cells, costs, 1_000_000)
    chosen, pairs = telling(copied, costs, 1_000_000)
    assert chosen == alone
    assert len(chosen) < 4
    assert pairs > 200 * (1_000_000 / 4_200) ** 2
