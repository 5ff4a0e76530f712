"""Every pair of hashes that differ in few bits is found, once, however the bits are spread and repeated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leakaudit.analysis.copies.pictures import hamming
from leakaudit.analysis.copies.pictures.hamming import near_hashes
from leakaudit.fingerprints.pictures.hashes import phashes


def brute_force(a, b, distance):
    apart = np.bitwise_count(a[:, None] ^ b[None, :])
    return {(int(i), int(j), int(apart[i, j])) for i, j in zip(*np.nonzero(apart <= distance), strict=True)}


def some_hashes(rng, n, kind):
    """Fair bits; or families around few centres; or nearly blank, with few bits set."""
    fair = rng.integers(0, 2**64, n, dtype=np.uint64)
    if kind == "fair":
        return fair
    centres = rng.integers(0, 2**64, 3, dtype=np.uint64) if kind == "families" else np.zeros(1, dtype=np.uint64)
    hashes = centres[rng.integers(0, len(centres), n)]
    for _ in range(int(rng.integers(0, 8))):
        hashes ^= np.uint64(1) << rng.integers(0, 64, n, dtype=np.uint64)
    return hashes


@given(
    seed=st.integers(0, 2**32),
    sizes=st.tuples(st.integers(0, 60), st.integers(0, 60)),
    kinds=st.tuples(*[st.sampled_from(["fair", "families", "blank"])] * 2),
    distance=st.integers(0, 16),
    looked_at=st.sampled_from([1, 7, 1 << 16]),
    jobs=st.integers(1, 2),
)
def test_the_pairs_are_those_of_comparing_everything(seed, sizes, kinds, distance, looked_at, jobs):
    rng = np.random.default_rng(seed)
    a, b = (some_hashes(rng, n, kind) for n, kind in zip(sizes, kinds, strict=True))
    if sizes[0] and sizes[1]:
        b = np.concatenate([b, a[: sizes[1]] ^ np.uint64(5)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming, "LOOKED_AT", looked_at)
        found = near_hashes(a, b, distance, jobs=jobs)
    expected = brute_force(a, b, distance)
    assert found.n_pairs == len(expected)
    rows = list(zip(*(column.tolist() for column in found.rows(a, b)), strict=True))
    assert len(rows) == len(expected)
    assert set(rows) == expected
    distinct = list(zip(found.a.tolist(), found.b.tolist(), strict=True))
    assert distinct == sorted(set(distinct))


@pytest.mark.parametrize("sizes", [(40, 5_000_000), (5_000_000, 40), (10**6, 10**9)])
@pytest.mark.parametrize("distance", [0, 1, 6, 10, 16])
def test_blocks_hold_all_bits_and_enough_of_them_agree(sizes, distance):
    plan = hamming._plan(*sizes, distance)
    assert plan.edges[0] == 0
    assert plan.edges[-1] == hamming.BITS
    assert plan.equal == plan.blocks - distance >= 1


def test_equal_hashes_are_one_entry_however_many_rows_have_them():
    a, b = np.full(30_000, 7, dtype=np.uint64), np.full(40_000, 5, dtype=np.uint64)
    found = near_hashes(a, b, 6)
    assert len(found) == 1
    assert found.n_pairs == 30_000 * 40_000
    assert found.distance.tolist() == [1]


@pytest.mark.parametrize("distance", [-1, 17])
def test_distances_that_tell_nothing_are_refused(distance):
    with pytest.raises(ValueError, match="from 0 to 16"):
        near_hashes(np.zeros(1, np.uint64), np.zeros(1, np.uint64), distance)


def test_hashes_that_users_have_already():
    imagehash = pytest.importorskip("imagehash")
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (9, 9), dtype=np.uint8)).resize((200, 150))
    stored = int(str(imagehash.phash(picture)), 16)
    luma = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS))[None]
    found = near_hashes(phashes(luma), np.array([stored], dtype=np.uint64), 0)
    assert found.n_pairs == 1
