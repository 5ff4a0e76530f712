"""Rows that may not be alone: equal in a few telling columns, over all splits together.

Equal rows are equal in any columns, so nothing is missed whichever are taken: few and cheap ones, so that most columns
of most rows are never read.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.cells import Column, canonical_cells
from leakaudit.fingerprints.row_pool import Pool
from leakaudit.fingerprints.row_sample import RowSample
from leakaudit.fingerprints.twins import wanted

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.model import IntArray

    Hashes = npt.NDArray[np.uint64]

FEW_PAIRS = 0.01
"""Pairs of rows that agree by chance, by the number of rows, that are few enough to look at each of them again."""

SEEN = 10
"""Pairs of the sample from which on their number is taken as measured; for fewer, columns count as independent."""

WIDEST = 32

_LOOKED_AT = 200_000
_PART = 1 << 23
_CHUNK = 1 << 18
_FIXED = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: spreads equal steps over all bits


def telling_columns(pool: Pool, sample: RowSample, among: Sequence[int]) -> list[int]:
    """Few columns that tell most rows apart, by greedy choice on the sample.

    Parameters
    ----------
    among : sequence of int
        Columns to choose from, as indices into ``pool.columns``; at least one of ``sample.columns``.

    Returns
    -------
    list of int
        At least one, at most `WIDEST`.
    """
    thinned = sample.hashes[:, :: 1 + len(sample) * len(among) // _LOOKED_AT]
    costs = {at: _cost(pool.columns[j]) for at, j in enumerate(sample.columns) if j in among}
    return [sample.columns[at] for at in telling(thinned, costs, max(pool.starts[-1], 1))[0]]


def telling(cells: Hashes, costs: Mapping[int, float], n_rows: int) -> tuple[list[int], float]:
    """Few columns of a sample that leave few pairs of equal rows, and how many pairs they leave among all rows.

    Parameters
    ----------
    cells : ndarray of uint64, shape (k, m)
        Equal for equal cells of a column.
    costs : mapping of int to float
        Columns to choose from, as rows of `cells`, and what each costs to read.
    n_rows : int
        Rows that the sample stands for.
    """
    m = cells.shape[1]
    enough = FEW_PAIRS * n_rows * (m / n_rows) ** 2
    codes = {j: np.unique(cells[j], return_inverse=True)[1].astype(np.int64) for j in costs}
    every = max(m * (m - 1) / 2, 1.0)
    single = {j: max(_pairs(code), 1.0) for j, code in codes.items()}
    waiting = sorted(costs, key=lambda j: (single[j], costs[j], j))[: 4 * WIDEST]
    chosen: list[int] = []
    so_far, pairs = np.zeros(m, dtype=np.int64), every

    def joined(j: int) -> IntArray:
        return so_far * (int(codes[j].max(initial=0)) + 1) + codes[j]

    def left(j: int) -> float:
        measured = _pairs(joined(j))
        return measured if measured >= SEEN else min(max(measured, pairs * single[j] / every), pairs)

    while waiting and len(chosen) < WIDEST and (pairs > enough or not chosen):
        # The first ones are weighed against each other; with many columns the later ones come by their own merit.
        scored = [
            (np.log(max(left(j), enough) / pairs) / costs[j], single[j], j)
            for j in (waiting if len(chosen) < 4 else waiting[:1])
        ]
        best = min(scored)[-1]
        pairs = left(best)
        so_far = np.unique(joined(best), return_inverse=True)[1].astype(np.int64)
        waiting.remove(best)
        chosen.append(best)
    return sorted(chosen), pairs * (n_rows / max(m, 1)) ** 2


def nominate(duck: Duck, pool: Pool, columns: Sequence[int], within: IntArray | None = None) -> IntArray:
    """Ascending sample indices of the rows that belong to a split and whose cells in these columns occur again.

    Parameters
    ----------
    within : ndarray of int64, optional
        Ascending sample indices of rows that belong to a split; no others are looked at.
    """
    hashes, index = hash_rows(duck, pool, columns, within)
    repeated = repeated_hashes(hashes)
    found = positions_among(hashes, repeated)
    return found if index is None else index[found]


def hash_rows(
    duck: Duck, pool: Pool, columns: Sequence[int], within: IntArray | None = None
) -> tuple[Hashes, IntArray | None]:
    """A 64-bit hash of some columns of every row that belongs to a split, and its index unless those are all rows."""
    if within is not None:
        return _hash_some(duck, pool, columns, within), within
    every = not any(pool.split_varies)
    hashes = np.empty(pool.starts[-1], dtype=np.uint64)
    indices = [np.zeros(0, dtype=np.int64)]
    at = row = 0
    for file in range(len(pool.tables)):
        split = f", ({pool.split[file]}) IS NOT NULL" if pool.split_varies[file] else ""
        # In the order of the file: DuckDB keeps it where nothing asks for another one.
        for batch in _stream(duck, pool, file, columns, split):
            hashed = batch.column(0).to_numpy()
            inside = np.arange(len(hashed))
            if split:
                inside = np.flatnonzero(batch.column(1).to_numpy(zero_copy_only=False))
            hashes[at : at + len(inside)] = hashed if not split else hashed[inside]
            if not every:
                indices.append(row + inside)
            at += len(inside)
            row += len(hashed)
    return hashes[:at], None if every else np.concatenate(indices)


def _hash_some(duck: Duck, pool: Pool, columns: Sequence[int], indices: IntArray) -> Hashes:
    parts = [np.zeros(0, dtype=np.uint64)]
    for file, start in enumerate(pool.starts[:-1]):
        inside = indices[(indices >= start) & (indices < pool.starts[file + 1])] - start
        if len(inside):
            with wanted(duck, inside):
                found = _stream(
                    duck, pool, file, columns, ", row", "WHERE row IN (SELECT row FROM wanted) ORDER BY row"
                )
                parts += [batch.column(0).to_numpy() for batch in found]
    return np.concatenate(parts)


def _stream(
    duck: Duck, pool: Pool, file: int, columns: Sequence[int], more: str = "", which: str = ""
) -> Iterator[pa.RecordBatch]:
    sql = hashed_cells([pool.columns[j] for j in columns], file, pool.tables[file].table, more, which)
    yield from duck.connection.sql(sql).to_arrow_reader(_CHUNK)


def hashed_cells(columns: Sequence[Column], file: int, table: str, more: str = "", which: str = "") -> str:
    """SQL of a 64-bit hash of the canonical cells of these columns, for all rows of a table of a file.

    Parameters
    ----------
    more, which : str
        Further columns, with a comma before each; and which rows.
    """
    names = ", ".join(f"n{i}" for i in range(len(columns)))
    return f"SELECT hash({names}){more} FROM {canonical_cells(columns, file, table)} {which}"


def repeated_hashes(hashes: Hashes) -> Hashes:
    """Hashes that occur more than once, ascending; sorted a part of the range at a time, to hold no second copy."""
    bits = max(0, int(np.ceil(np.log2(max(len(hashes), 1) / _PART))))
    if not bits:
        return _twice(hashes.copy())
    found = []
    for part in range(1 << bits):
        chunks = (hashes[at : at + _CHUNK] for at in range(0, len(hashes), _CHUNK))
        found.append(_twice(np.concatenate([c[(c >> np.uint64(64 - bits)) == part] for c in chunks])))
    return np.concatenate(found)


def _twice(hashes: Hashes) -> Hashes:
    hashes.sort()
    again: Hashes = hashes[1:][hashes[1:] == hashes[:-1]]
    if len(again):
        again = again[np.concatenate(([True], again[1:] != again[:-1]))]
    return again


def positions_among(hashes: Hashes, wanted: Hashes) -> IntArray:
    """Positions of hashes among the wanted ones, which ascend; a bitmap rules out most, a search the others."""
    if not len(wanted):
        return np.zeros(0, dtype=np.int64)
    bits = int(np.clip(np.ceil(np.log2(len(wanted))) + 4, 16, 26))
    shift = np.uint64(64 - bits)
    seen = np.zeros(1 << bits, dtype=bool)
    seen[(wanted * _FIXED) >> shift] = True
    found = []
    for at in range(0, len(hashes), _CHUNK):
        chunk = hashes[at : at + _CHUNK]
        hits = np.flatnonzero(seen[(chunk * _FIXED) >> shift])
        place = np.minimum(np.searchsorted(wanted, chunk[hits]), len(wanted) - 1)
        found.append(at + hits[wanted[place] == chunk[hits]])
    return np.concatenate(found).astype(np.int64)


def _cost(column: Column) -> float:
    """What it takes to make a canonical cell, by what an integer takes."""
    if column.kind == "number":
        return 2.0 if set(column.storage) <= {"integer", "boolean"} else 4.0 if "text" not in column.storage else 8.0
    return {"boolean": 1.0, "time": 1.5, "text": 8.0}[column.kind]


def _pairs(codes: IntArray) -> float:
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
