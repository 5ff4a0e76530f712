"""Columns beside the point: those that number, weigh or mark rows rather than describe them.

Two copies of one sample often differ in such a column alone: a new row number, another sampling weight, a column that
names the file it came from. They are found by what they hold, never by their names, and always said:

- *identifier*: whole numbers or short texts, (almost) no value twice inside a split;
- *constant*: one value throughout each split;
- *weight*: positive numbers, many distinct ones where every other column is coarse, and unrelated to all of them.
  In a table with several columns of many values each nothing is a weight, because nothing sets one of them apart.

A column that is left aside wrongly does no harm: the layer without it is counted beside the layer with it, and matches
in it have to be more than chance gives (see `leakaudit.search.coincidence`).
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.cells import Column, blocks
from leakaudit.fingerprints.row_pool import Pool
from leakaudit.fingerprints.row_sample import RowSample, sample_values

UNIQUE = 0.95
"""Least share of distinct values of an identifier inside each split; rows repeated with their identifier lower it."""

LEAST_ROWS = 20
"""Rows of a split below which any column may be without repetition."""

WORDS, CHARACTERS = 3.0, 15.0
"""Mean words and characters of a text from which on it is running text, which is content."""

FINE = 0.3
"""Least share of distinct values of a weight, in the sample."""

FINER = 5
"""How many times as many distinct values a weight has as any other column: census weights have 28,523 (UCI Adult's
``fnlwgt``), the next column 119."""

UNRELATED = 0.05
"""Most of the variance of a weight's ranks that any other column explains: half of what Cohen (1988) calls a medium
effect (0.13), so that the ratios of demographic weighting still pass."""

COARSE_COLUMNS = 3
"""Other columns that a table needs before one of them can be called a weight."""


def beside_the_point(duck: Duck, pool: Pool, sample: RowSample, keep: Sequence[str]) -> dict[str, str]:
    """Columns that do not describe a row, and why; never all of them.

    Parameters
    ----------
    keep : sequence of str
        Columns that the user wants to be part of a row whatever they hold.
    """
    names = [column.name for column in pool.columns]
    sizes = np.bincount(sample.split) if len(sample) else np.zeros(0, dtype=np.int64)
    found: dict[int, str] = {}
    shares: dict[int, float] = {}
    n_distinct: dict[int, int] = {}
    inside = [np.flatnonzero(sample.split == split) for split in np.flatnonzero(sizes)]
    for j, cells, gone in zip(sample.columns, sample.hashes, sample.missing, strict=True):
        distinct = [_n_distinct(cells[rows]) for rows in inside]
        present = [len(rows) - int(gone[rows].sum()) for rows in inside]
        n_distinct[j] = _n_distinct(cells)
        shares[j] = min((d / max(p, 1) for d, p in zip(distinct, present, strict=True)), default=0.0)
        if names[j] in keep:
            continue
        if distinct and max(distinct) == 1 and min(sizes[sizes > 0]) > 1:
            found[j] = "one value throughout" if n_distinct[j] == 1 else "one value throughout each split"
    fine = [j for j in sample.columns if j not in found and names[j] not in keep and shares[j] >= UNIQUE]
    if fine and sizes[sizes > 0].min() >= LEAST_ROWS:
        found |= _identifiers(duck, pool, sample, fine)
    rest = [j for j in sample.columns if j not in found]
    weight = _weight(duck, pool, sample, rest, shares, n_distinct)
    if weight is not None and names[weight] not in keep:
        found[weight] = (
            f"{n_distinct[weight]:,} values in {len(sample):,} rows, unrelated to every other column: like a weight"
        )
    if len(found) == len(sample.columns):
        return {}
    return {names[j]: found[j] for j in sorted(found)}


def _identifiers(duck: Duck, pool: Pool, sample: RowSample, fine: Sequence[int]) -> dict[int, str]:
    if not sample.whole:
        fine = [j for j in fine if _seldom_repeated(pool, sample, j)]
    found = {}
    for block in blocks(len(fine)):
        inside = fine[block]
        columns = [pool.columns[j] for j in inside]
        asked = [sql for i, column in enumerate(columns) for sql in _asked(column, f"n{i}")]
        values = sample_values(duck, pool, columns, asked)
        for i, (j, column) in enumerate(zip(inside, columns, strict=True)):
            whole, characters, words = values[3 * i : 3 * i + 3]
            prose = words.mean() >= WORDS and characters.mean() >= CHARACTERS
            if column.kind == "number" and whole.all():
                found[j] = "whole numbers, no value twice in a split"
            elif column.kind == "text" and not prose:
                found[j] = "short texts, no value twice in a split"
    return found if sample.whole else {j: why for j, why in found.items() if _unique_overall(duck, pool, j)}


def _asked(column: Column, value: str) -> tuple[str, str, str]:
    """SQL of whether a cell is a whole number, and of its characters and words."""
    text = f"{value}::VARCHAR"
    if column.kind == "number":
        return f"coalesce({value} = trunc({value}), true)", "0", "0"
    if column.kind == "text":
        words = f"length({text}) - length(replace({text}, ' ', '')) + 1"
        return "false", f"coalesce(length({text}), 0)", f"coalesce({words}, 0)"
    return "false", "0", "0"


def _n_distinct(values: np.ndarray) -> int:
    ordered = np.sort(values)
    return int((ordered[1:] != ordered[:-1]).sum()) + min(len(ordered), 1)


def _seldom_repeated(pool: Pool, sample: RowSample, j: int) -> bool:
    """Whether as many pairs of equal values as in the sample leave most rows of the files without one."""
    n_pairs = 0.0
    for split in np.unique(sample.split):
        counts = np.unique(sample.of(j)[sample.split == split], return_counts=True)[1]
        n_pairs += float((counts * (counts - 1.0)).sum())
    return n_pairs * pool.starts[-1] / len(sample) ** 2 < 1 - UNIQUE


def _unique_overall(duck: Duck, pool: Pool, j: int) -> bool:
    """Whether a column without repetition in the sample has none in the files; by HyperLogLog, whose error is 2 %."""
    for file in range(len(pool.tables)):
        with pool.cells(duck, file, [pool.columns[j]]) as relation:
            ((distinct, present),) = duck.rows(
                f"SELECT approx_count_distinct(n0), count(n0) FROM {relation} WHERE ({pool.split[file]}) IS NOT NULL"
            )
        if int(str(distinct)) < 0.9 * int(str(present)):
            return False
    return True


def _weight(
    duck: Duck,
    pool: Pool,
    sample: RowSample,
    rest: Sequence[int],
    shares: Mapping[int, float],
    n_distinct: Mapping[int, int],
) -> int | None:
    """The one column of many values among coarse ones, if nothing else in the table is related to it."""
    if len(rest) <= COARSE_COLUMNS or len(sample) < LEAST_ROWS:
        return None
    finest, *others = sorted(rest, key=lambda j: -n_distinct[j])
    coarse = n_distinct[finest] >= FINER * max(n_distinct[j] for j in others)
    if not coarse or shares[finest] < FINE or pool.columns[finest].kind != "number":
        return None
    numeric = [finest, *(j for j in others if pool.columns[j].kind == "number")]
    values = sample_values(
        duck, pool, [pool.columns[j] for j in numeric], [f"coalesce(n{i}, 'nan')" for i in range(len(numeric))]
    )
    numbers = dict(zip(numeric, (column.astype(np.float64) for column in values), strict=True))
    known = ~np.isnan(numbers[finest])
    if (numbers[finest][known] <= 0).any() or known.sum() < LEAST_ROWS:
        return None
    ranks = _ranks(numbers[finest][known])
    groups = [sample.of(j)[known] for j in others]
    groups += [sample.label[known]] if sample.label is not None else []
    if any(_explained(ranks, group) > UNRELATED for group in groups):
        return None
    for j in numeric[1:]:
        both = ~np.isnan(numbers[j][known])
        other = _ranks(numbers[j][known][both])
        if both.sum() >= LEAST_ROWS and np.ptp(other) and np.corrcoef(ranks[both], other)[0, 1] ** 2 > UNRELATED:
            return None
    return finest


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks, the mean one for equal values."""
    code, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[code], dtype=np.float64)


def _explained(ranks: np.ndarray, group: np.ndarray) -> float:
    """Share of the variance of ranks between groups (adjusted R², Wherry 1931); groups of one row tell nothing."""
    code, counts = np.unique(group, return_inverse=True, return_counts=True)[1:]
    n, k = len(ranks), len(counts)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if k >= n - 1 or not total:
        return 0.0
    means = np.bincount(code, weights=ranks) / counts
    between = float((counts * (means - ranks.mean()) ** 2).sum())
    return 1 - (1 - between / total) * (n - 1) / (n - k)
