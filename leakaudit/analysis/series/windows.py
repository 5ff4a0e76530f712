"""Sliding windows in tables: one column a lag, so that a row holds the next row's values shifted by one.

Rows that were cut from one series with a stride shorter than the window share most of their cells, though no two rows
are equal. A split by rows puts windows that overlap on both sides, also a split in order of time that leaves no gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.fingerprints.rows.columns import available, read_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]
    Bools: TypeAlias = npt.NDArray[np.bool_]

LEAST_LAGS = 6
"""Columns that a window has at least: half of fewer is too little to tell an overlap from a coincidence."""

GRAM = 8
"""Neighbouring cells by which overlaps are nominated (fewer in short windows); all cells in common verify them."""

WIDTH = 64
"""Lags that are looked at first, so that a table of pictures costs little; longer windows overlap by these, too."""

PROBED = 1_000
"""Rows on which it is tried first whether a table holds windows at all."""

WINDOWED = 0.2
"""Least share of these rows that overlap with another row; of windows cut one by one, nearly all do."""

BY_CHANCE = 5.0
"""How many times more they must be than the rows that match when their cells are read backwards."""

LEAST_VALUES = 4
"""Distinct values that the shared cells hold at least: a run of zeros overlaps with any other."""

CHUNK = 1 << 22  # cells read at a time


@dataclass(frozen=True, eq=False, slots=True)
class Lags:
    """Columns of one window.

    Parameters
    ----------
    runs : tuple of tuple of str
        One run a quantity, each in the order of the lags, all of one length.
    shifts : tuple of int
        By how many lags rows of the table overlap, ascending; at most half a window.
    """

    runs: tuple[tuple[str, ...], ...]
    shifts: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """Lags of a window."""
        return len(self.runs[0])


@dataclass(frozen=True, eq=False, slots=True)
class Overlaps:
    """Held-out rows that overlap with a reference row by half a window or more; arrays of equal length.

    Parameters
    ----------
    held_out, reference : ndarray of int64
        Row indices; each held-out row once, with the reference row that shares most of it.
    shift : ndarray of int64
        Lags by which the two are apart.
    """

    held_out: IntArray
    reference: IntArray
    shift: IntArray

    def __len__(self) -> int:
        return len(self.held_out)


def lag_columns(names: Sequence[str]) -> Lags | None:
    """The columns that differ in one running number, such as ``lag_1`` … ``lag_24``; None where there are too few.

    >>> lag_columns(["t", *(f"temp_{i}" for i in range(8)), *(f"rain_{i}" for i in range(8)), "y"]).length
    8
    """
    found: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        if parts := re.fullmatch(r"(.*?)(\d{1,6})(\D*)", name, flags=re.DOTALL):
            found.setdefault((parts[1], parts[3]), {})[int(parts[2])] = name
    by_numbers: dict[tuple[int, ...], list[tuple[str, ...]]] = {}
    for run in found.values():
        numbers = tuple(sorted(run))
        if len(numbers) >= LEAST_LAGS and numbers[-1] - numbers[0] == len(numbers) - 1:
            by_numbers.setdefault(numbers, []).append(tuple(run[number] for number in numbers))
    if not by_numbers:
        return None
    numbers = max(by_numbers, key=lambda each: (len(each) * len(by_numbers[each]), each))
    return Lags(tuple(by_numbers[numbers]))


def find_windows(rows: RowFingerprints, splits: IntArray) -> Lags | None:
    """Whether the table holds overlapping windows, and by how many lags they are apart.

    Parameters
    ----------
    rows : RowFingerprints
    splits : ndarray of int64, shape (n,)
        Split of every row; -1 for rows of none, which are left out.
    """
    numeric = {column.name for column in rows.pool.columns if column.kind == "number"}
    lags = lag_columns([name for name in available(rows) if name in numeric])
    members = np.flatnonzero(splits >= 0)
    if lags is None or len(members) < 2 * LEAST_LAGS:
        return None
    rng = np.random.default_rng(0)
    probed = members if len(members) <= PROBED else np.sort(rng.choice(members, PROBED, replace=False))
    narrow = Lags(tuple(run[:WIDTH] for run in lags.runs))
    heads = _heads(rows, narrow, members)
    windows = _read(rows, narrow, probed)
    shifts = range(1, narrow.length // 2 + 1)
    hits = _match(rows, narrow, probed, windows, heads, shifts)
    backwards = _match(rows, narrow, probed, windows[:, :, ::-1], heads, shifts)
    n_hits, n_chance = (len(np.unique(each[0])) for each in (hits, backwards))
    if n_hits < max(WINDOWED * len(probed), BY_CHANCE * n_chance):
        return None
    stride = int(np.gcd.reduce(hits[2]))
    return Lags(lags.runs, tuple(range(stride, lags.length // 2 + 1, stride)))


def overlapping(rows: RowFingerprints, lags: Lags, held_out: Bools, reference: Bools) -> Overlaps:
    """Find the held-out windows that overlap with reference windows, in either direction of time.

    Parameters
    ----------
    rows : RowFingerprints
    lags : Lags
        As `find_windows` gives it.
    held_out, reference : ndarray of bool, shape (n,)
    """
    sides = [np.flatnonzero(held_out), np.flatnonzero(reference)]
    found: list[tuple[IntArray, IntArray, IntArray]] = []
    size = max(1, CHUNK // (lags.length * len(lags.runs)))
    for mine, theirs, swapped in ((sides[0], sides[1], False), (sides[1], sides[0], True)):
        heads = _heads(rows, lags, theirs)
        for at in range(0, len(mine), size):
            part = mine[at : at + size]
            a, b, shift = _match(rows, lags, part, _read(rows, lags, part), heads, lags.shifts)
            found.append((b, a, shift) if swapped else (a, b, shift))
    a, b, shift = (np.concatenate([each[i] for each in found]) for i in range(3))
    order = np.lexsort((b, shift, a))
    a, b, shift = a[order], b[order], shift[order]
    first = np.flatnonzero(np.diff(a, prepend=-1))
    return Overlaps(a[first], b[first], shift[first])


def _read(rows: RowFingerprints, lags: Lags, indices: IntArray) -> Float64:
    """Windows of these rows, shape (m, runs, length)."""
    columns = read_columns(rows, [name for run in lags.runs for name in run], indices)
    cells = [column.numbers for column in columns if column.numbers is not None]
    made: Float64 = np.stack(cells, axis=1).reshape(len(indices), len(lags.runs), lags.length)
    return made


def _gram(lags: Lags) -> int:
    return min(GRAM, lags.length // 2)


def _heads(rows: RowFingerprints, lags: Lags, indices: IntArray) -> tuple[npt.NDArray[np.uint64], IntArray]:
    """Digests of the first cells of these rows, ascending, and the rows."""
    names = list(lags.runs[0][: _gram(lags)])
    size = max(1, CHUNK // len(names))
    digests = np.empty(len(indices), dtype=np.uint64)
    for at in range(0, len(indices), size):
        columns = read_columns(rows, names, indices[at : at + size])
        cells = [column.numbers for column in columns if column.numbers is not None]
        digests[at : at + size] = _digest(np.stack(cells, axis=1))
    order = np.argsort(digests, kind="stable")
    return digests[order], indices[order]


def _digest(cells: Float64) -> npt.NDArray[np.uint64]:
    """64 bits of each row of cells; it only nominates, so any good mixing will do (multiplier of Knuth's MMIX)."""
    bits = np.ascontiguousarray(cells + 0.0).view(np.uint64)  # -0.0 becomes 0.0
    made = np.full(len(bits), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in bits.T:
        made = (made ^ column) * np.uint64(6364136223846793005)
        made ^= made >> np.uint64(29)
    return made


def _match(
    rows: RowFingerprints,
    lags: Lags,
    indices: IntArray,
    windows: Float64,
    heads: tuple[npt.NDArray[np.uint64], IntArray],
    shifts: Sequence[int],
) -> tuple[IntArray, IntArray, IntArray]:
    """Rows whose cells from `shift` on are the first cells of another row: (row, other row, shift), verified."""
    digests, others = heads
    gram = _gram(lags)
    at, other, shift = [], [], []
    for by in shifts:
        wanted = _digest(windows[:, 0, by : by + gram])
        place = np.minimum(np.searchsorted(digests, wanted), len(digests) - 1)
        hit = np.flatnonzero((digests[place] == wanted) & (others[place] != indices))
        at.append(hit)
        other.append(others[place[hit]])
        shift.append(np.full(len(hit), by, dtype=np.int64))
    a, b, by_each = np.concatenate(at), np.concatenate(other), np.concatenate(shift)
    if not len(a):
        return a.astype(np.int64), b.astype(np.int64), by_each
    partners = np.unique(b)
    theirs = _read(rows, lags, partners)
    true = np.zeros(len(a), dtype=bool)
    for by in np.unique(by_each).tolist():
        here = np.flatnonzero(by_each == by)
        tail = windows[a[here], :, by:]
        head = theirs[np.searchsorted(partners, b[here]), :, : lags.length - by]
        equal = ((tail == head) | (np.isnan(tail) & np.isnan(head))).all(axis=(1, 2))
        values = np.sort(tail[:, 0], axis=1)
        distinct = 1 + (np.diff(values, axis=1) > 0).sum(axis=1)
        true[here] = equal & (distinct >= min(LEAST_VALUES, lags.length - by))
    return indices[a[true]], b[true], by_each[true]
