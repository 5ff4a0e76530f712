"""Pairs of rows that are nearly equal: the same numbers with noise, rounded, or with one column changed.

Keys nominate, cells verify. A key is the hash of some columns, the numbers among them quantised: rows that share a key
of any of several disjoint groups of columns, on either of two grids shifted by half a step, are read and compared.
Every key takes one pass over the rows and 8 bytes a row, so that cost and memory are linear in rows.

Numbers are compared on the scale ``u = asinh(x / s)``, s the standard deviation of the column: a small change of x by a
share of its size, or by a share of s, is at most that much in u.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.fingerprints.rows.cells import blocks, canonical_cells
from leakaudit.fingerprints.rows.digests import wanted
from leakaudit.fingerprints.rows.nominate import repeated, telling, words_of_rows
from leakaudit.fingerprints.rows.sample import sample_values

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

Way: TypeAlias = Literal["jitter", "fine-jitter", "rounded", "one-column"]
"""In what way two rows are nearly equal."""

WAYS: tuple[Way, ...] = ("fine-jitter", "jitter", "rounded", "one-column")

JITTER: dict[Way, float] = {"jitter": 4e-3, "fine-jitter": 4e-5}
"""Largest change of any number in u: four standard deviations of noise of one in a thousand, and of one in 100,000."""

STEP = 8.0
"""Step of the grid by the largest change: two rows are then in one cell of a column in 7 of 8 cases."""

ROUNDED_STEP = 0.25
"""Step of the grid for rounded numbers, in u: a digit lost of numbers of one decimal, or of three digits."""

GROUPS = 3
"""Disjoint groups of columns that make keys."""

PAIRS_PER_ROW = 4.0
"""Pairs that a key may nominate, by the number of rows; a key that would nominate more tells too little, and is left
out. A table where all do is too dense for its near-duplicates to mean anything."""

LEAST_COLUMNS = 4
"""Columns of a table in which rows that differ in one of them can be called nearly equal."""

WIDEST = 256
"""Columns that are compared; of wider tables as many, evenly spread."""

_PAIR_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False, slots=True)
class NearRows:
    """Verified pairs of nearly equal rows over all splits.

    Parameters
    ----------
    a, b : ndarray of int64, shape (p,)
        Sample indices, a < b; no pair twice in one way.
    way : ndarray of int64, shape (p,)
        Index into `WAYS`.
    column : ndarray of int64, shape (p,)
        The column that differs most, as an index into `columns`.
    columns : tuple of str
        Columns that were compared.
    sought : tuple of Way
        Ways that were looked for; without columns of numbers only one.
    dense : tuple of Way
        Those of them that could not be, because too many rows are alike.
    """

    a: IntArray
    b: IntArray
    way: IntArray
    column: IntArray
    columns: tuple[str, ...]
    sought: tuple[Way, ...]
    dense: tuple[Way, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Columns:
    """The columns to compare, and the scale of those that hold numbers (NaN for the others)."""

    at: tuple[int, ...]
    scale: Float64

    @property
    def numeric(self) -> npt.NDArray[np.bool_]:
        return ~np.isnan(self.scale)


def near_rows(rows: RowFingerprints) -> NearRows:
    """Find every pair of nearly equal rows that shares a key; rows that are equal are no pair."""
    columns = _columns(rows)
    found: list[tuple[IntArray, IntArray, IntArray, IntArray]] = []
    searches: dict[float, tuple[Way, ...]] = {0.0: ("one-column",)}
    if columns.numeric.any():
        searches |= {STEP * JITTER["fine-jitter"]: ("fine-jitter",)}
        searches |= {STEP * JITTER["jitter"]: ("jitter", "rounded"), ROUNDED_STEP: ("rounded",)}
    looked_for: set[Way] = set()
    rounded: list[tuple[IntArray, IntArray]] = []
    for step, ways in searches.items():
        keys = _keys(rows, columns, step)
        pairs = [pair for key in keys if (pair := _nominated(rows, columns, key, step)) is not None]
        if not pairs:
            continue
        looked_for |= {*ways}
        a, b = _distinct(pairs, len(rows))
        rounded += [(a, b)] if "rounded" in ways else []
        found += [_verified(rows, columns, a, b, way) for way in ways if way != "rounded"]
    if rounded:
        found.append(_verified(rows, columns, *_distinct(rounded, len(rows)), "rounded"))
    sought = tuple(way for way in WAYS if any(way in ways for ways in searches.values()))
    dense = tuple(way for way in sought if way not in looked_for)
    names = tuple(rows.pool.columns[j].name for j in columns.at)
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return NearRows(none, none, none, none, names, sought, dense)
    a, b, way, column = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((b, a, way))
    return NearRows(a[order], b[order], way[order], column[order], names, sought, dense)


# --- keys -----------------------------------------------------------------------------------------------------


def _columns(rows: RowFingerprints) -> _Columns:
    described = [j for j, column in enumerate(rows.pool.columns) if column.name not in rows.beside]
    if len(described) > WIDEST:
        described = [described[i] for i in np.linspace(0, len(described) - 1, WIDEST).astype(int).tolist()]
    scale = np.full(len(described), np.nan)
    numeric = [i for i, j in enumerate(described) if rows.pool.columns[j].kind == "number"]
    for block in blocks(len(numeric)):
        inside = numeric[block]
        cells = [f"coalesce(n{i}, 'nan')" for i in range(len(inside))]
        columns = [rows.pool.columns[described[i]] for i in inside]
        for i, values in zip(inside, sample_values(rows.duck, rows.pool, columns, cells), strict=True):
            finite = values[np.isfinite(values)]
            largest = float(np.abs(finite).max(initial=0.0)) or 1.0
            spread = largest * float(np.std(finite / largest)) if len(finite) > 1 else 0.0  # huge squares are infinite
            scale[i] = spread if 0 < spread < np.inf else np.nan
    return _Columns(tuple(described), scale)


def _quantised(columns: _Columns, i: int, name: str, step: float, offset: float) -> str:
    """SQL of a cell of a key."""
    if not step or np.isnan(columns.scale[i]):
        return name
    u = f"asinh({name} / {float(columns.scale[i])!r})"
    return f"CASE WHEN isinf({name}) THEN {name} ELSE floor({u} / {step!r} + {offset!r}) END"


def _keys(rows: RowFingerprints, columns: _Columns, step: float) -> list[list[int]]:
    """Disjoint groups of columns, each of which tells most rows apart at this step; indices into ``columns.at``."""
    parts = []
    for block in blocks(len(columns.at)):
        inside = range(len(columns.at))[block]
        cells = [f"hash({_quantised(columns, i, f'n{at}', step, 0.0)})" for at, i in enumerate(inside)]
        chosen = [rows.pool.columns[columns.at[i]] for i in inside]
        parts += sample_values(rows.duck, rows.pool, chosen, cells)
    cells_of = np.stack(parts).astype(np.uint64)
    thinned = cells_of[:, :: 1 + cells_of.size // 200_000]
    waiting = dict.fromkeys(range(len(columns.at)), 1.0)
    keys: list[list[int]] = []
    while waiting and len(keys) < GROUPS and thinned.shape[1] > 1:
        key, n_pairs = telling(thinned, waiting, len(rows))
        if n_pairs > PAIRS_PER_ROW * len(rows):
            break
        keys.append(key)
        waiting = {i: cost for i, cost in waiting.items() if i not in key}
    return keys


def _nominated(
    rows: RowFingerprints, columns: _Columns, key: Sequence[int], step: float
) -> tuple[IntArray, IntArray] | None:
    """Pairs of rows that share a key on one of the grids; None where they are too many."""
    quantised = step and any(columns.numeric[i] for i in key)
    grids = [
        f"hash({', '.join(_quantised(columns, i, f'n{at}', step, offset) for at, i in enumerate(key))})"
        for offset in ((0.0, 0.5) if quantised else (0.0,))
    ]
    hashes_on, index = words_of_rows(rows.duck, rows.pool, [columns.at[i] for i in key], grids)
    every = []
    for hashes in hashes_on:
        at = repeated(hashes, rows.duck.threads)
        order = at[np.argsort(hashes[at], kind="stable")]
        ends = np.flatnonzero(
            np.concatenate((hashes[order][1:] != hashes[order][:-1], np.ones(min(len(order), 1), bool)))
        )
        counts = np.diff(ends, prepend=-1)
        if float((counts * (counts - 1.0)).sum()) / 2 > PAIRS_PER_ROW * len(rows):
            return None
        every.append(_within(order if index is None else index[order], counts))
    return _distinct(every, len(rows))


def _within(ordered: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Every pair inside of runs of these lengths, the smaller index first."""
    stops = np.repeat(np.cumsum(counts), counts)
    n_after = stops - 1 - np.arange(len(ordered))
    first = np.repeat(np.arange(len(ordered)), n_after)
    before = np.cumsum(n_after) - n_after
    second = first + 1 + np.arange(len(first)) - before[first]
    a, b = ordered[first], ordered[second]
    return np.minimum(a, b), np.maximum(a, b)


def _distinct(pairs: Sequence[tuple[IntArray, IntArray]], n: int) -> tuple[IntArray, IntArray]:
    codes = np.unique(np.concatenate([a * n + b for a, b in pairs]))
    return codes // n, codes % n


# --- verification ---------------------------------------------------------------------------------------------


def _verified(
    rows: RowFingerprints, columns: _Columns, a: IntArray, b: IntArray, way: Way
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    kept: list[tuple[IntArray, IntArray, IntArray]] = [(a[:0], b[:0], a[:0])]
    for at in range(0, len(a), _PAIR_CHUNK):
        chunk_a, chunk_b = a[at : at + _PAIR_CHUNK], b[at : at + _PAIR_CHUNK]
        keep, column = _compare(rows, columns, chunk_a, chunk_b, way)
        kept.append((chunk_a[keep], chunk_b[keep], column[keep]))
    found_a, found_b, column = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return found_a, found_b, np.full(len(found_a), WAYS.index(way)), column


def _compare(
    rows: RowFingerprints, columns: _Columns, a: IntArray, b: IntArray, way: Way
) -> tuple[npt.NDArray[np.bool_], IntArray]:
    """Which pairs are nearly equal in this way, and the column in which each differs most."""
    wanted_rows, back = np.unique(np.concatenate((a, b)), return_inverse=True)
    at_a, at_b = back[: len(a)], back[len(a) :]
    alike = np.ones(len(a), dtype=bool)
    n_different = np.zeros(len(a), dtype=np.int64)
    column = np.full(len(a), -1, dtype=np.int64)
    largest = np.full(len(a), -1.0)
    for i, cells in _cells(rows, columns, wanted_rows):
        x, y = cells[at_a], cells[at_b]
        same = (x == y) | ((x != x) & (y != y))  # noqa: PLR0124  both missing
        change = np.where(same, 0.0, np.inf)
        if columns.numeric[i]:
            with np.errstate(invalid="ignore"):
                u = np.abs(np.arcsinh(x / columns.scale[i]) - np.arcsinh(y / columns.scale[i]))
            change = np.where(same, 0.0, np.where(np.isnan(u), np.inf, u))
            if way in JITTER:
                alike &= change <= JITTER[way]
            elif way == "rounded":
                alike &= same | _is_rounding(x, y)
        elif way != "one-column":
            alike &= same
        n_different += ~same
        column = np.where(change > largest, i, column)
        largest = np.maximum(largest, change)
    if way == "one-column":
        alike &= (n_different == 1) & (len(columns.at) >= LEAST_COLUMNS)
    return alike & (n_different > 0), column


def _is_rounding(x: Float64, y: Float64) -> npt.NDArray[np.bool_]:
    """Whether the one with fewer decimals is the other, rounded to them."""
    decimals_x, decimals_y = _decimals(x), _decimals(y)
    coarse, fine = np.where(decimals_x < decimals_y, x, y), np.where(decimals_x < decimals_y, y, x)
    unit = 10.0 ** -np.minimum(decimals_x, decimals_y)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray((decimals_x != decimals_y) & (np.abs(coarse - fine) <= unit * (0.5 + 1e-6)))


def _decimals(x: Float64) -> Float64:
    """Digits behind the point, 0 to 9; of whole numbers less than none for each zero at the end."""
    found = np.full(len(x), 9.0)
    for digits in range(8, -4, -1):
        with np.errstate(invalid="ignore", over="ignore"):  # what is beyond all numbers is whole
            scaled = x * 10.0**digits
            found = np.where(
                np.abs(scaled - np.round(scaled)) <= 1e-6 * np.maximum(1.0, np.abs(scaled) * 1e-3), digits, found
            )
    return found


def _cells(rows: RowFingerprints, columns: _Columns, indices: IntArray) -> Iterator[tuple[int, np.ndarray]]:
    """Canonical numbers (NaN where missing), or hashes of other cells, of some rows; one column at a time."""
    pool = rows.pool
    for block in blocks(len(columns.at)):
        inside = range(len(columns.at))[block]
        chosen = [pool.columns[columns.at[i]] for i in inside]
        asked = ", ".join(
            f"coalesce(n{at}, 'nan') AS x{at}" if columns.numeric[i] else f"hash(n{at}) AS x{at}"
            for at, i in enumerate(inside)
        )
        parts = []
        for file, start in enumerate(pool.starts[:-1]):
            kept = indices[(indices >= start) & (indices < pool.starts[file + 1])] - start
            with wanted(rows.duck, kept):
                relation = canonical_cells(chosen, file, rows.source(file, kept))
                parts.append(
                    rows.duck.arrays(
                        f"SELECT {asked} FROM {relation} WHERE row IN (SELECT row FROM wanted) ORDER BY row"
                    )
                )
        for i, column in zip(inside, zip(*parts, strict=True), strict=True):
            yield i, np.concatenate(column)
