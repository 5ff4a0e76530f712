"""Pairs of 64-bit perceptual hashes that differ in few bits: exact, without comparing all pairs.

Cut both hashes into blocks. When at most d bits differ, at most d blocks do, so that of d + k blocks some k are equal.
For every choice of k blocks, hashes that agree in them are looked up in a table, and the bits of those that are found
are counted. Equal hashes are collapsed first: ten thousand blank pictures with one hash are one entry, not 10^8 pairs.

LA103 does not nominate by hashes (on CIFAR-10 a 64-bit pHash within 10 bits holds 58 % of the known near-duplicates,
the descriptors of `leakaudit.analysis.copies.pictures.descriptors` 97.6 %). This is for hashes that users have already:
those of `leakaudit.fingerprints.pictures.hashes` are bit for bit `imagehash.phash` and `imagehash.dhash`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from leakaudit.analysis.copies.pictures.neighbours import in_threads

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Hashes = npt.NDArray[np.uint64]

BITS = 64

MOST_KEY_BITS = 20
"""Bits of a key: its table of 2^20 offsets (4 MiB) still fits a processor's cache."""

LOOKED_AT = 1 << 16
"""Pairs whose bits are counted together, for each thread; bounds the memory (2 MiB a thread)."""

_LOOK_UP, _COMPARE = 8.0, 12.0
"""What it costs to look up one hash and to compare one pair, in nanoseconds; only their ratio matters."""


@dataclass(frozen=True, eq=False, slots=True)
class HashPairs:
    """Pairs of distinct hashes that differ in few bits, and the rows that have them.

    Parameters
    ----------
    a, b : ndarray of uint64, shape (p,)
        Sorted by a, then b.
    distance : ndarray of uint8, shape (p,)
        Bits that differ.
    n_a, n_b : ndarray of int64, shape (p,)
        Rows of either side that have this hash.
    """

    a: Hashes
    b: Hashes
    distance: npt.NDArray[np.uint8]
    n_a: IntArray
    n_b: IntArray

    def __len__(self) -> int:
        return len(self.a)

    @property
    def n_pairs(self) -> int:
        """Pairs of rows, exact, however many they are."""
        return sum(a * b for a, b in zip(self.n_a.tolist(), self.n_b.tolist(), strict=True))

    def rows(self, of_a: Hashes, of_b: Hashes) -> tuple[IntArray, IntArray, npt.NDArray[np.uint8]]:
        """Rows of the hashes that were compared, and their distances: `n_pairs` long, so ask that first."""
        sides = []
        for hashes, wanted in ((of_a, self.a), (of_b, self.b)):
            order = np.argsort(hashes, kind="stable")
            sides.append((order, np.searchsorted(hashes, wanted, sorter=order)))
        (order_a, first_a), (order_b, first_b) = sides
        pair, within = _spread(self.n_a * self.n_b)
        row_a, row_b = np.divmod(within, self.n_b[pair])
        return order_a[first_a[pair] + row_a], order_b[first_b[pair] + row_b], self.distance[pair]


def near_hashes(a: Hashes, b: Hashes, distance: int = 6, *, jobs: int = 1) -> HashPairs:
    """All pairs of a hash of a and a hash of b that differ in at most `distance` bits.

    Parameters
    ----------
    a, b : ndarray of uint64, shapes (m,) and (n,)
    distance : int, default 6
        From 0 to 16.
    jobs : int, default 1
        Threads; the result does not depend on it.

    Returns
    -------
    HashPairs
        Complete.

    Raises
    ------
    ValueError
        A distance outside 0 to 16: with more, nearly everything is near everything, and the blocks no longer help.
    """
    if not 0 <= distance <= 16:
        raise ValueError(f"distance must be from 0 to 16, not {distance}")
    of_a, n_a = np.unique(np.asarray(a, dtype=np.uint64), return_counts=True)
    of_b, n_b = np.unique(np.asarray(b, dtype=np.uint64), return_counts=True)
    swapped = len(of_a) > len(of_b)
    table, streamed = (of_b, of_a) if swapped else (of_a, of_b)
    plan = _plan(len(table), len(streamed), distance)
    choices = list(combinations(range(plan.blocks), plan.equal))

    def search(number: int) -> tuple[IntArray, IntArray]:
        found = list(_agreeing(table, streamed, plan, choices[number], distance))
        return _joined([at for at, _ in found]), _joined([at for _, at in found])

    parts = list(in_threads(search, range(len(choices)), jobs))
    in_table, in_streamed = _joined([at for at, _ in parts]), _joined([at for _, at in parts])
    at_a, at_b = (in_streamed, in_table) if swapped else (in_table, in_streamed)
    order = np.lexsort((at_b, at_a))
    at_a, at_b = at_a[order], at_b[order]
    bits = np.bitwise_count(of_a[at_a] ^ of_b[at_b])
    return HashPairs(of_a[at_a], of_b[at_b], bits, n_a[at_a], n_b[at_b])


class _Plan(NamedTuple):
    """Into how many blocks, how many of them must be equal, where they begin (and the last ends), bits of a key."""

    blocks: int
    equal: int
    edges: tuple[int, ...]
    key_bits: int


def _plan(m: int, n: int, distance: int) -> _Plan:
    """The cheapest cut, if the bits were fair coins."""
    best: tuple[float, _Plan] | None = None
    for blocks in range(distance + 1, distance + 5):
        equal = blocks - distance
        edges = tuple(BITS * i // blocks for i in range(blocks + 1))
        widest = sum(sorted(np.diff(edges).tolist())[-equal:])
        if widest > MOST_KEY_BITS and best is not None:
            continue
        key_bits = min(widest, MOST_KEY_BITS)
        cost = comb(blocks, equal) * (_LOOK_UP * (m + n) + _COMPARE * m * n / 2**key_bits)
        if best is None or cost < best[0]:
            best = cost, _Plan(blocks, equal, edges, key_bits)
    assert best is not None
    return best[1]


def _agreeing(
    table: Hashes, streamed: Hashes, plan: _Plan, chosen: tuple[int, ...], distance: int
) -> Iterator[tuple[IntArray, IntArray]]:
    """Near pairs that agree in these blocks and in no earlier choice, as indices of both sides."""
    keys = _keys(table, plan, chosen)
    order = np.argsort(keys, kind="stable")
    ordered = table[order]
    starts = np.zeros(2**plan.key_bits + 1, dtype=np.int64)
    np.cumsum(np.bincount(keys, minlength=2**plan.key_bits), out=starts[1:])
    for first in range(0, len(streamed), LOOKED_AT):
        part = streamed[first : first + LOOKED_AT]
        wanted = _keys(part, plan, chosen)
        begin = starts[wanted]
        counts = starts[wanted + 1] - begin
        for rows in _lots(counts):
            which, within = _spread(counts[rows])
            at = begin[rows][which] + within
            differing = ordered[at] ^ part[rows][which]
            near = np.flatnonzero(np.bitwise_count(differing) <= distance)
            near = near[_first_choice(differing[near], plan) == _number(chosen)]
            if len(near):
                yield order[at[near]], first + rows.start + which[near]


def _keys(hashes: Hashes, plan: _Plan, chosen: tuple[int, ...]) -> IntArray:
    """The chosen blocks, one beside the other; what is beyond `MOST_KEY_BITS` is left out, which costs only time."""
    keys = np.zeros(len(hashes), dtype=np.uint64)
    for block in chosen:
        low, high = plan.edges[block], plan.edges[block + 1]
        keys <<= np.uint64(high - low)
        keys |= (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
    return (keys & np.uint64(2**plan.key_bits - 1)).astype(np.int64)


def _lots(counts: np.ndarray) -> Iterator[slice]:
    """Rows whose pairs are looked at together: `LOOKED_AT` of them, or those of one row."""
    ends = np.cumsum(counts, dtype=np.int64)
    start = 0
    while start < len(counts):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + LOOKED_AT, side="right")), start + 1)
        yield slice(start, stop)
        start = stop


def _spread(counts: np.ndarray) -> tuple[IntArray, IntArray]:
    """For every unit of every count: which count, and the how manieth of it."""
    which = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts, dtype=np.int64)
    return which, np.arange(len(which)) - np.repeat(ends - counts, counts)


def _number(chosen: tuple[int, ...]) -> int:
    return sum(1 << block for block in chosen)


def _first_choice(differing: Hashes, plan: _Plan) -> IntArray:
    """The first choice of equal blocks that finds each pair, as `_number`, so that it is told only once."""
    first = np.zeros(len(differing), dtype=np.int64)
    still = np.full(len(differing), plan.equal)
    for block in range(plan.blocks):
        low, high = plan.edges[block], plan.edges[block + 1]
        equal = ((differing >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1) == 0) & (still > 0)
        first[equal] += 1 << block
        still -= equal
    return first


def _joined(parts: list[IntArray]) -> IntArray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
