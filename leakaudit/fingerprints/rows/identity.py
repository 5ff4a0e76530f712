"""Columns beside the point: those that number, weigh or mark rows rather than describe them.

Two copies of one sample often differ in such a column alone: a new row number, another sampling weight, a column that
names the file it came from. They are found by what they hold, never by their names, and always said:

- *identifier*: whole numbers or short texts, (almost) no value twice inside a split. Few measurements of many digits
  are all distinct, too: numbers have to stand so close together that chance would have repeated some, or be unrelated
  to every other column;
- *constant*: one value throughout each split;
- *weight*: positive numbers, many distinct ones where every other column is coarse, and unrelated to all of them.
  In a table with several columns of many values each nothing is a weight, because nothing sets one of them apart.

A column that is left aside wrongly does no harm: the layer without it is counted beside the layer with it, and matches
in it have to be more than chance gives (see `leakaudit.analysis.copies.rows.chance`).
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.ranks import mean_ranks
from leakaudit.fingerprints.rows.cells import Column, blocks
from leakaudit.fingerprints.rows.grid import avoid_each_other
from leakaudit.fingerprints.rows.pool import Pool
from leakaudit.fingerprints.rows.sample import RowSample, sample_values

UNIQUE = 0.95
"""Least share of distinct values of an identifier inside each split; rows repeated with their identifier lower it."""

LEAST_ROWS = 20
"""Rows of the largest split below which any column may be without repetition."""

WORDS, CHARACTERS = 3.0, 15.0
"""Mean words and characters of a text from which on it is running text, which is content."""

MOST_SPARSE = 8
"""Columns of whole numbers far apart, beyond which none of them is an identifier: nothing sets one of them apart."""

FINE = 0.3
"""Least share of distinct values of a weight, in the sample."""

FINER = 5
"""How many times as many distinct values a weight has as any other column: census weights have 28,523 (UCI Adult's
``fnlwgt``), the next column 119."""

UNRELATED = 0.05
"""Most of the variance of the ranks of a weight, or of an identifier, that any other column explains: half of what
Cohen (1988) calls a medium effect (0.13), so that the ratios of demographic weighting still pass."""

NOISE = 2.33
"""Standard errors of no relation at all (of the adjusted R², Wherry 1931) that come on top: one in a hundred passes."""

CONSTANT = "one value throughout"
"""How the reason of a constant begins."""

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
            found[j] = CONSTANT if n_distinct[j] == 1 else f"{CONSTANT} each split"
    fine = [j for j in sample.columns if j not in found and names[j] not in keep and shares[j] >= UNIQUE]
    if fine and sizes.max() >= LEAST_ROWS:
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
    sparse = []
    for block in blocks(len(fine)):
        inside = fine[block]
        columns = [pool.columns[j] for j in inside]
        asked = [sql for i, column in enumerate(columns) for sql in _asked(column, f"n{i}")]
        values = sample_values(duck, pool, columns, asked)
        for i, (j, column) in enumerate(zip(inside, columns, strict=True)):
            numbers, characters, words = values[3 * i : 3 * i + 3]
            prose = words.mean() >= WORDS and characters.mean() >= CHARACTERS
            if column.kind == "number" and _are_whole(numbers):
                found[j] = "whole numbers, no value twice in a split"
                exact = np.where(np.abs(numbers) < 2**53, numbers, np.nan)
                if not avoid_each_other(*(exact[sample.split == split] for split in np.unique(sample.split))):
                    sparse.append(j)
            elif column.kind == "text" and not prose:
                found[j] = "short texts, no value twice in a split"
    related = sparse if len(sparse) > MOST_SPARSE else [j for j in sparse if not _is_unrelated(duck, pool, sample, j)]
    found = {j: why for j, why in found.items() if j not in related}
    return found if sample.whole else {j: why for j, why in found.items() if _unique_overall(duck, pool, j)}


def _are_whole(numbers: np.ndarray) -> bool:
    known = numbers[~np.isnan(numbers)]
    return bool((known == np.trunc(known)).all())


def _asked(column: Column, value: str) -> tuple[str, str, str]:
    """SQL of a cell as a number, and of its characters and words."""
    text = f"{value}::VARCHAR"
    if column.kind == "number":
        return f"coalesce({value}, 'nan')", "0", "0"
    if column.kind == "text":
        words = f"length({text}) - length(replace({text}, ' ', '')) + 1"
        return "0", f"coalesce(length({text}), 0)", f"coalesce({words}, 0)"
    return "0", "0", "0"


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
    return finest if _is_unrelated(duck, pool, sample, finest, others, positive=True) else None


def _is_unrelated(
    duck: Duck, pool: Pool, sample: RowSample, j: int, others: Sequence[int] | None = None, *, positive: bool = False
) -> bool:
    """Whether no other column, nor the label, explains `UNRELATED` of the variance of a column's ranks.

    Parameters
    ----------
    others : sequence of int, optional
        All but `j`.
    positive : bool, default False
        And whether its numbers are positive.
    """
    others = [other for other in sample.columns if other != j] if others is None else others
    numeric = [j, *(other for other in others if pool.columns[other].kind == "number")]
    values: list[np.ndarray] = []
    for block in blocks(len(numeric)):
        columns = [pool.columns[k] for k in numeric[block]]
        values += sample_values(duck, pool, columns, [f"coalesce(n{i}, 'nan')" for i in range(len(columns))])
    numbers = dict(zip(numeric, (column.astype(np.float64) for column in values), strict=True))
    known = ~np.isnan(numbers[j])
    if (positive and (numbers[j][known] <= 0).any()) or known.sum() < LEAST_ROWS:
        return False
    ranks = mean_ranks(numbers[j][known])
    groups = [sample.of(other)[known] for other in others]
    groups += [sample.label[known]] if sample.label is not None else []
    if any(_is_explained(ranks, group) for group in groups):
        return False
    for other in numeric[1:]:
        both = ~np.isnan(numbers[other][known])
        of_other = mean_ranks(numbers[other][known][both])
        if both.sum() < LEAST_ROWS or not np.ptp(of_other):
            continue
        if np.corrcoef(ranks[both], of_other)[0, 1] ** 2 > _most(int(both.sum()), 2):
            return False
    return True


def _is_explained(ranks: np.ndarray, group: np.ndarray) -> bool:
    """Whether groups explain the variance of ranks (adjusted R²); groups of one row tell nothing."""
    code, counts = np.unique(group, return_inverse=True, return_counts=True)[1:]
    n, k = len(ranks), len(counts)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if k >= n - 1 or not total:
        return False
    means = np.bincount(code, weights=ranks) / counts
    between = float((counts * (means - ranks.mean()) ** 2).sum())
    return 1 - (1 - between / total) * (n - 1) / (n - k) > _most(n, k)


def _most(n: int, k: int) -> float:
    """Adjusted R² of k groups of n rows that may come about although they explain no more than `UNRELATED`."""
    return UNRELATED + NOISE * float(np.sqrt(2 * (k - 1) / ((n - k) * (n + 1))))
