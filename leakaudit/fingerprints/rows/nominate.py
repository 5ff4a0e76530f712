"""Rows that may not be alone: equal in a few telling columns, over all splits together.

Equal rows are equal in any columns, so nothing is missed whichever are taken: few and cheap ones, so that most columns
of most rows are never read.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from leakaudit.engines.arrow import integers
from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.rows.cells import Column
from leakaudit.fingerprints.rows.digests import wanted
from leakaudit.fingerprints.rows.pool import Pool
from leakaudit.fingerprints.rows.sample import RowSample

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Hashes = npt.NDArray[np.uint64]

_Word = TypeVar("_Word", np.uint32, np.uint64)

FEW_PAIRS = 0.01
"""Pairs of rows that agree by chance, by the number of rows, that are few enough to look at each of them again."""

FEWER_PAIRS = 1e-6
"""Likewise where each row of a pair may cost a row group, read with all its columns: another column costs less."""

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
    return [sample.columns[at] for at in telling(thinned, costs, max(pool.starts[-1], 1), FEWER_PAIRS)[0]]


def telling(cells: Hashes, costs: Mapping[int, float], n_rows: int, few: float = FEW_PAIRS) -> tuple[list[int], float]:
    """Few columns of a sample that leave few pairs of equal rows, and how many pairs they leave among all rows.

    Parameters
    ----------
    cells : ndarray of uint64, shape (k, m)
        Equal for equal cells of a column.
    costs : mapping of int to float
        Columns to choose from, as rows of `cells`, and what each costs to read.
    n_rows : int
        Rows that the sample stands for.
    few : float, default `FEW_PAIRS`
        Pairs that may be left, by the number of rows.
    """
    m = cells.shape[1]
    # Copies in the sample agree in whatever is chosen: no further column can tell them apart.
    whole = (cells[list(costs)] * (_FIXED ** np.arange(1, len(costs) + 1, dtype=np.uint64))[:, None]).sum(axis=0)
    copies = _pairs(whole)
    enough = few * n_rows * (m / n_rows) ** 2
    codes = {j: np.unique(cells[j], return_inverse=True)[1].astype(np.int64) for j in costs}
    every = max(m * (m - 1) / 2 - copies, 1.0)
    single = {j: max(_pairs(code) - copies, 1.0) for j, code in codes.items()}
    waiting = sorted(costs, key=lambda j: (single[j], costs[j], j))[: 4 * WIDEST]
    chosen: list[int] = []
    so_far, pairs = np.zeros(m, dtype=np.int64), every

    def joined(j: int) -> IntArray:
        return so_far * (int(codes[j].max(initial=0)) + 1) + codes[j]

    def left(j: int) -> float:
        measured = _pairs(joined(j)) - copies
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
    return sorted(chosen), (pairs + copies) * (n_rows / max(m, 1)) ** 2


def nominate(duck: Duck, pool: Pool, columns: Sequence[int], within: IntArray | None = None) -> IntArray:
    """Ascending sample indices of the rows that belong to a split and whose cells in these columns occur again.

    Parameters
    ----------
    within : ndarray of int64, optional
        Ascending sample indices of rows that belong to a split; no others are looked at.
    """
    hashes, index = hash_rows(duck, pool, columns, within)
    found = repeated(hashes, duck.threads)
    return found if index is None else index[found]


def hash_rows(
    duck: Duck, pool: Pool, columns: Sequence[int], within: IntArray | None = None
) -> tuple[Hashes, IntArray | None]:
    """A 64-bit hash of some columns of every row that belongs to a split, and its index unless those are all rows."""
    if within is not None:
        return _hash_some(duck, pool, columns, within), within
    names = ", ".join(f"n{i}" for i in range(len(columns)))
    (hashes,), index = words_of_rows(duck, pool, columns, [f"hash({names})"])
    return hashes, index


def words_of_rows(
    duck: Duck, pool: Pool, columns: Sequence[int], words: Sequence[str]
) -> tuple[list[Hashes], IntArray | None]:
    """Some 64-bit words of every row that belongs to a split, and its index unless those are all rows; one pass.

    Parameters
    ----------
    words : sequence of str
        SQL of unsigned integers made of ``n0``, ``n1``, …, the canonical cells of these columns.
    """
    every = not any(pool.split_varies)
    found: list[Hashes] = [np.empty(pool.starts[-1], dtype=np.uint64) for _ in words]
    indices = [np.zeros(0, dtype=np.int64)]
    at = row = 0
    for file in range(len(pool.tables)):
        varies = pool.split_varies[file]
        split = [f"(({pool.split[file]}) IS NOT NULL)::UTINYINT"] if varies else []
        with pool.cells(duck, file, [pool.columns[j] for j in columns]) as relation:
            # In the order of the file: DuckDB keeps it where nothing asks for another one.
            asked = f"SELECT {', '.join([*words, *split])} FROM {relation}"
            for batch in duck.connection.sql(asked).to_arrow_reader(_CHUNK):
                inside = np.flatnonzero(integers(batch.columns[-1])) if varies else np.arange(batch.num_rows)
                for held, column in zip(found, batch.columns, strict=False):
                    cells = integers(column)
                    held[at : at + len(inside)] = cells[inside] if varies else cells
                if not every:
                    indices.append(row + inside)
                at += len(inside)
                row += batch.num_rows
    return [held[:at] for held in found], None if every else np.concatenate(indices)


def _hash_some(duck: Duck, pool: Pool, columns: Sequence[int], indices: IntArray) -> Hashes:
    parts = [np.zeros(0, dtype=np.uint64)]
    for file, start in enumerate(pool.starts[:-1]):
        inside = indices[(indices >= start) & (indices < pool.starts[file + 1])] - start
        if len(inside):
            with wanted(duck, inside):
                chosen = [pool.columns[j] for j in columns]
                with pool.cells(duck, file, chosen) as relation:
                    which = "WHERE row IN (SELECT row FROM wanted) ORDER BY row"
                    found = duck.connection.sql(hashed_cells(len(chosen), relation, ", row", which))
                    parts += [integers(batch.column(0)) for batch in found.to_arrow_reader(_CHUNK)]
    return np.concatenate(parts)


def hashed_cells(n_columns: int, relation: str, more: str = "", which: str = "") -> str:
    """SQL of a 64-bit hash of so many canonical cells of the rows of `cells.canonical_cells`.

    Parameters
    ----------
    more, which : str
        Further columns, with a comma before each; and which rows.
    """
    names = ", ".join(f"n{i}" for i in range(n_columns))
    return f"SELECT hash({names}){more} FROM {relation} {which}"


def repeated(hashes: Hashes, threads: int) -> IntArray:
    """Ascending positions of the hashes that occur more than once.

    Some 32 bits of them are sorted first, which takes half the time and memory of 64, a part of the range in each
    thread; those that agree are few, and are compared as a whole.
    """
    bits = max(int(np.ceil(np.log2(max(len(hashes), 1) / _PART))), int(len(hashes) > _PART // 8), 0)
    shift = np.uint64(32 - bits)
    starts = range(0, len(hashes), _CHUNK)

    def agreeing(part: int) -> Hashes:
        inside = []
        for at in starts:
            prefixes = (hashes[at : at + _CHUNK] * _FIXED) >> shift
            low = prefixes.astype(np.uint32)
            inside.append(low[(prefixes >> np.uint64(32)) == part] if bits else low)
        ordered = np.concatenate(inside) if inside else np.zeros(0, np.uint32)
        del inside
        ordered.sort()
        return _repeats(ordered).astype(np.uint64) + np.uint64(part << 32)

    def among(at: int) -> IntArray:
        prefixes = (hashes[at : at + _CHUNK] * _FIXED) >> shift
        hits = np.flatnonzero(seen[prefixes >> up])
        place = np.minimum(np.searchsorted(wanted, prefixes[hits]), len(wanted) - 1)
        there: IntArray = hits[wanted[place] == prefixes[hits]] + at
        return there

    with ThreadPoolExecutor(threads) as pool:
        wanted = np.concatenate(list(pool.map(agreeing, range(1 << bits))))
        if not len(wanted):
            return np.zeros(0, dtype=np.int64)
        # A bitmap rules most hashes out, a search the others.
        spread = int(np.clip(np.ceil(np.log2(len(wanted))) + 4, 16, 26))
        up = np.uint64(32 + bits - spread)
        seen = np.zeros(1 << spread, dtype=bool)
        seen[wanted >> up] = True
        found = np.concatenate(list(pool.map(among, starts)))
    whole = hashes[found]
    same = _repeats(np.sort(whole))
    if not len(same):
        return found[:0]
    place = np.minimum(np.searchsorted(same, whole), len(same) - 1)
    again: IntArray = found[same[place] == whole]
    return again


def _repeats(ordered: npt.NDArray[_Word]) -> npt.NDArray[_Word]:
    """Values that occur more than once, each once."""
    again: npt.NDArray[_Word] = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(again):
        again = again[np.concatenate(([True], again[1:] != again[:-1]))]
    return again


def _cost(column: Column) -> float:
    """What it takes to make a canonical cell, by what an integer takes."""
    if column.kind == "number":
        return 2.0 if set(column.storage) <= {"integer", "boolean"} else 4.0 if "text" not in column.storage else 8.0
    return {"boolean": 1.0, "time": 1.5, "text": 8.0}[column.kind]


def _pairs(codes: IntArray | Hashes) -> float:
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
