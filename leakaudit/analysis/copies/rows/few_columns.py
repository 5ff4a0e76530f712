"""Tables of few columns: nothing else in a row tells whether it is a copy, but the reference split repeats rows, too.

Numbers of one column, or of two, have a grid to be judged by. Categories of a few columns hang together in ways that no
model tells from copies. For both, rows of a held-out split should meet one of the reference split about as often as
rows of the reference split meet another one of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.rows.equal import group_counts
from leakaudit.fingerprints.rows.columns import read_columns, split_codes
from leakaudit.fingerprints.rows.grid import avoid_each_other, expected_pairs, on_grid
from leakaudit.fingerprints.rows.identity import CHARACTERS, WORDS
from leakaudit.fingerprints.rows.sample import sample_values

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints

FEW, FEW_CATEGORIES = 2, 4
"""Columns of numbers, and of categories, the label not among them, that have no others to be judged by. Beyond four
categories a model of the columns is within 15 % in simulations, however much they hang together."""

BEYOND_FEW = 1.5
"""How many times as many as by `leakaudit.fingerprints.rows.grid` chance may give (within 15 % in simulations), or as
rows of the reference split meet one of it."""

MOST_ROWS = 8_000_000
"""Rows up to which the values of a column of numbers are read: 64 MB. Beyond, chance is not asked for."""

A_HANDFUL = 10
"""Values of a column that hardly tells rows apart."""

LEAST_AGAIN = 3
"""Rows of the reference split that meet another one of it, from which on that says something of chance."""

OFTEN, MET_OFTEN = 4, 0.25
"""Rows of a value, in both splits together, from which on it is frequent by itself: copies come in twos and threes. And
the share of the rows met that have to be of such values for the others to be chance, too."""

MOSTLY_REPEATED = 0.5
"""Share of the rows of the reference split that meet another one of it, from which on equal rows are the rule."""

ALPHA = 0.01

ALPHA_UNSURE = 0.01
"""Chance of as many shared values at the rate inside the reference split, from which on they may be chance."""


@dataclass(frozen=True, slots=True)
class ByReference:
    """Rows of a held-out split that meet one of the reference split, by how often those meet each other.

    Parameters
    ----------
    n_met : int
        Held-out rows that do.
    n_usual : float
        Held-out rows that would, at the rate inside the reference split.
    alike : bool
        There are no more than `BEYOND_FEW` times as many (binomial, `ALPHA`), and the rate is known.
    frequent : bool
        A share `MET_OFTEN` of the rows met are of values that are frequent by themselves.
    mostly : bool
        Rows of the reference split are not alone as a rule.
    few : bool
        They are so few that the rate inside the reference split, known from as few, may give them, see `may_be_usual`.
    """

    n_met: int
    n_usual: float
    alike: bool
    frequent: bool
    mostly: bool
    few: bool


def by_reference(rows: RowFingerprints, layer: Layer, a: str, b: str, often: int = OFTEN) -> ByReference:
    """Compare how often rows of a meet one of b with how often rows of b do; a and b may be the same split."""
    n_a, n_b = rows.n_rows[a], rows.n_rows[b]
    in_a, in_b = group_counts(rows, layer, a, b)
    met, again = int(in_a[in_b > (a == b)].sum()), int(in_b[in_b > 1].sum())
    together = in_a + in_b * (a != b)
    met_often = int(in_a[(in_b > 0) & (together >= often)].sum())
    share = BEYOND_FEW * n_a / (BEYOND_FEW * n_a + n_b)
    return ByReference(
        n_met=met,
        n_usual=again * n_a / n_b if n_b else 0.0,
        alike=again >= LEAST_AGAIN and (a == b or _is_likely_share(met, met + again, share)),
        frequent=met_often >= MET_OFTEN * met,
        mostly=again >= MOSTLY_REPEATED * n_b,
        few=may_be_usual(int(((in_a > 0) & (in_b > (a == b))).sum()), int((in_b > 1).sum()), n_a, n_b),
    )


def may_be_usual(n_met: int, n_again: int, n_a: int, n_b: int) -> bool:
    """Whether as many distinct values shared by two splits may come about at the rate inside the reference split.

    Parameters
    ----------
    n_met : int
        Distinct values that both splits have.
    n_again : int
        Distinct values that the reference split has more than once.
    n_a, n_b : int
        Rows of the held-out and of the reference split.

    Notes
    -----
    Of values that occur twice, random assignment parts ``2 n_a / n_b`` for each that it leaves inside the reference
    split; of more frequent ones fewer. Both are counts, so that the first, given the second and Jeffreys's prior, has a
    negative binomial distribution: chance is not ruled out while as many have a probability of `ALPHA_UNSURE` or more.

    >>> may_be_usual(1, 0, 250, 750), may_be_usual(6, 0, 250, 750), may_be_usual(6, 3, 250, 750)
    (True, False, True)
    """
    from scipy.special import betainc

    ratio = 2 * n_a / max(n_b, 1)
    return n_met == 0 or bool(betainc(n_met, n_again + 0.5, ratio / (1 + ratio)) >= ALPHA_UNSURE)


def agree_in_each(rows: RowFingerprints, compared: Sequence[int], a: str, b: str) -> float:
    """Pairs of rows between two splits that agree by chance in the column where the fewest do.

    As seen inside the reference split, rows that agree in all columns left aside. It bounds what chance gives in all of
    them, whatever they have to do with each other: columns of many digits give none.
    """
    sample = rows.sample
    inside = sample.split == rows.splits.index(b)
    cells = np.stack([sample.of(j)[inside] for j in compared])
    m = cells.shape[1]
    if m < 2:
        return 0.0
    whole = _n_equal(np.unique(cells, axis=1, return_inverse=True)[1].reshape(-1))
    alone = min(_n_equal(column) for column in cells)
    return float((alone - whole) / (m * (m - 1) / 2) * rows.n_rows[a] * rows.n_rows[b])


def _n_equal(values: np.ndarray) -> float:
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)


def few_numbers(rows: RowFingerprints, compared: Sequence[int]) -> list[str]:
    """Names of the compared columns, where they are numbers and no more than `FEW`; none otherwise.

    Beside a column of many values one of `A_HANDFUL` is left out: it makes chance smaller, but hardly.
    """
    sample = rows.sample
    few = len(compared) <= FEW and len(rows) <= MOST_ROWS
    if not few or any(rows.pool.columns[j].kind != "number" for j in compared):
        return []
    fine = [j for j in compared if len(np.unique(sample.of(j))) > A_HANDFUL]
    return [rows.pool.columns[j].name for j in fine or compared]


def few_categories(rows: RowFingerprints, compared: Sequence[int]) -> bool:
    """Whether the compared columns are no more than `FEW_CATEGORIES`, and each holds categories.

    Those are short texts, booleans, and other values that occur in two distinct rows or more, on average.
    """
    if not compared or len(compared) > FEW_CATEGORIES:
        return False
    sample = rows.sample
    distinct = np.unique(np.stack([sample.of(j) for j in compared]), axis=1)
    for at, j in enumerate(compared):
        column = rows.pool.columns[j]
        if column.kind == "boolean":
            continue
        if column.kind != "text":
            if len(np.unique(distinct[at])) * 2 > distinct.shape[1] or len(compared) == 1:
                return False
            continue
        text = "n0::VARCHAR"
        words = f"coalesce(length({text}) - length(replace({text}, ' ', '')) + 1, 0)"
        values = sample_values(rows.duck, rows.pool, [column], [f"coalesce(length({text}), 0)", words])
        if values[0].mean() >= CHARACTERS and values[1].mean() >= WORDS:
            return False  # running text is content
    return True


@dataclass(frozen=True, slots=True)
class OfNumbers:
    """Pairs of equal numbers by chance (None: no grid tells), how often counts as often, and whether they number."""

    expected: float | None
    often: int
    number_rows: bool


def of_numbers(rows: RowFingerprints, names: Sequence[str], a: str, b: str) -> OfNumbers:
    """What the values of a single column say.

    Numbers of one column are equal by chance as often as they are a step apart, where the reference split has the
    repetitions inside itself that this means. Where some values are frequent by themselves (returns of zero, round
    sums, wages of one year's dollars), no density is smooth, and the reference split inside itself is all that there is
    to compare with: for one column of rounded numbers; for two, where such values show by being met many times.
    """
    if len(names) != 1:
        return OfNumbers(None, OFTEN, number_rows=False)
    (column,) = read_columns(rows, names)
    assert column.numbers is not None
    codes = split_codes(rows)
    of_a, of_b = (column.numbers[codes == rows.splits.index(split)] for split in (a, b))
    if not on_grid(of_a, of_b):
        return OfNumbers(None, OFTEN, number_rows=False)
    by_chance = expected_pairs(of_a, None if a == b else of_b)
    return OfNumbers(by_chance, 1, number_rows=a != b and avoid_each_other(of_b))


def _is_likely_share(n: int, total: int, share: float) -> bool:
    """Whether a binomial variable is at least n with probability `ALPHA`."""
    from scipy.special import bdtrc

    return n == 0 or bool(bdtrc(n - 1, total, share) >= ALPHA)
