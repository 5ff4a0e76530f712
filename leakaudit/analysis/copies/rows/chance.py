"""Are equal rows copies, or do they agree by chance?

How many pairs of rows agree in every column by chance? For each column and each two columns, count the pairs of rows
that agree in it. The tree over the columns that makes agreeing in all of them likeliest (Chow and Liu 1968, over
agreement instead of values) gives their number; copies, which agree in everything at once, are taken off all counts
until the two fit each other. What more than two columns have to do with each other is left out, so that chance may give
a few times as much; see `BEYOND`. What chance explains may still be copied: see
`leakaudit.analysis.copies.rows.excess`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.rows.equal import group_counts
from leakaudit.fingerprints.rows.columns import read_columns, split_codes
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints
from leakaudit.fingerprints.rows.grid import avoid_each_other, expected_pairs, on_grid
from leakaudit.fingerprints.rows.sample import RowSample

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]

BEYOND = 4.0
"""How many times what a tree of the columns expects chance may give. Measured: 1.0 to 1.1 where columns are
independent, 1.5 in UCI Adult without its weights, 3.0 among the Titanic's passengers; repeated records of diamonds and
wines 2,700 times and more."""

COARSE, BEYOND_COARSE = 0.01, 20.0
"""Pairs by chance for each row from which on a table is coarse, and how many times as many chance may give then: where
the columns follow latent classes, a tree falls short of chance by up to 5 in simulations (six classes, seven columns of
five values). Copies beyond that are the business of `leakaudit.analysis.copies.rows.excess`."""

FEW, BEYOND_FEW = 2, 1.5
"""Columns of numbers that have no others to be judged by, and how many times as many chance may give as by
`leakaudit.fingerprints.rows.grid` (within 15 % in simulations), or as rows of the reference split meet one of it."""

MOST_ROWS = 8_000_000
"""Rows up to which the values of such a column are read: 64 MB. Beyond, chance is not asked for."""

A_HANDFUL = 10
"""Values of a column that hardly tells rows apart."""

LEAST_AGAIN = 3
"""Rows of the reference split that meet another one of it, from which on that says something of chance."""

OFTEN, MET_OFTEN = 4, 0.25
"""Rows of a value, in both splits together, from which on it is frequent by itself: copies come in twos and threes. And
the share of the rows met that have to be of such values for the others to be chance, too."""

CROWDED = 10
"""Rows for each distinct one in the reference split, from which on the columns that are left after leaving some out
describe nothing: copies come in twos and threes."""

ALPHA = 0.01
"""Chance that as many pairs as found come about although chance gives that many times what is expected (Poisson)."""

WIDEST = 24
"""Columns that are looked at, those in which the fewest pairs agree; the others could only lower what is expected."""

LEAST_ROWS, MOSTLY = 20, 0.5
"""Rows of the reference split from which on a single column is called coarse, and the share of them whose value another
row has already."""

ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Chance:
    """Pairs of rows that agree in a layer, and how many of them chance gives.

    Parameters
    ----------
    n_pairs : int
        Found.
    expected : float
        By chance, under dependence of the columns two by two.
    explains : bool
        Chance may well give as many.
    coarse : bool
        It gives so many that equal rows are nothing special in this table.
    """

    n_pairs: int
    expected: float
    explains: bool
    coarse: bool


def chance_of_pairs(rows: RowFingerprints, layer: Layer, a: str, b: str, n_pairs: int) -> Chance:
    """Whether as many equal rows as found are what chance gives.

    Parameters
    ----------
    a, b : str
        Two splits; the same twice for pairs inside of one.
    n_pairs : int
        Pairs of rows that were found to agree in the layer.
    """
    if not n_pairs:
        return Chance(0, 0.0, explains=True, coarse=False)
    codes = rows.splits.index(a), rows.splits.index(b)
    n_a, n_b = rows.n_rows[a], rows.n_rows[b]
    n_possible = n_a * (n_a - 1) / 2 if a == b else n_a * n_b
    # Rows that stand side by side are rather more alike than any two: what they do not explain needs no second look.
    cells = _cells(rows, layer, rows.sample, codes)
    chance = _judge(n_pairs, n_possible * agreement_rate(cells), n_a)
    if not chance.explains and n_b >= LEAST_ROWS and (few := _few_columns(rows, layer)):
        return _judge_few(rows, layer, few, chance, a, b)
    if not chance.explains and layer.startswith("reduced") and _n_distinct(rows, layer, b) * CROWDED <= n_b:
        return replace(chance, explains=True, coarse=True)
    if rows.sample.whole or not chance.explains:
        return chance
    return _judge(n_pairs, n_possible * agreement_rate(_cells(rows, layer, rows.random_sample, codes)), n_a)


def _judge(n_pairs: int, expected: float, n_rows: int, beyond: float | None = None) -> Chance:
    coarse = expected >= COARSE * n_rows
    most = (beyond or (BEYOND_COARSE if coarse else BEYOND)) * expected
    explains = most > 0 and _is_likely(n_pairs, most)
    return Chance(n_pairs, expected, explains, coarse and explains)


def _judge_few(rows: RowFingerprints, layer: Layer, names: Sequence[str], chance: Chance, a: str, b: str) -> Chance:
    """One column of numbers, or two, have no others to be judged by.

    Numbers of one column are equal by chance as often as they are a step apart, where the reference split has the
    repetitions inside itself that this means. Where some values are frequent by themselves (returns of zero, round
    sums, wages of one year's dollars), no density is smooth, and the reference split inside itself is all that there is
    to compare with: for one column of rounded numbers; for two, where such values show by being met many times.
    """
    rounded = False
    if len(names) == 1:
        (column,) = read_columns(rows, names)
        assert column.numbers is not None
        codes = split_codes(rows)
        of_a, of_b = (column.numbers[codes == rows.splits.index(split)] for split in (a, b))
        rounded = on_grid(of_a, of_b)
        if rounded:
            by_chance = expected_pairs(of_a, None if a == b else of_b)
            chance = _judge(chance.n_pairs, by_chance, rows.n_rows[a], BEYOND_FEW)
            if a != b and avoid_each_other(of_b):  # they number something
                return replace(chance, explains=False, coarse=False)
    if chance.explains or a == b:
        return chance
    return _judge_by_reference(rows, layer, chance.n_pairs, a, b, often=1 if rounded else OFTEN)


def _judge_by_reference(rows: RowFingerprints, layer: Layer, n_pairs: int, a: str, b: str, *, often: int) -> Chance:
    """Whether rows of a meet one of b no more than `BEYOND_FEW` times as often as rows of b do.

    Parameters
    ----------
    often : int
        A share `MET_OFTEN` of the rows met have to be in groups of so many.
    """
    n_a, n_b = rows.n_rows[a], rows.n_rows[b]
    in_a, in_b = group_counts(rows, layer, a, b)
    met, again = int(in_a[in_b > 0].sum()), int(in_b[in_b > 1].sum())
    met_often = int(in_a[(in_b > 0) & (in_a + in_b >= often)].sum())
    share = BEYOND_FEW * n_a / (BEYOND_FEW * n_a + n_b)
    explains = met_often >= MET_OFTEN * met and again >= LEAST_AGAIN and _is_likely_share(met, met + again, share)
    return Chance(n_pairs, n_pairs * min(again * n_a / (n_b * met), 1.0), explains, explains)


def _few_columns(rows: RowFingerprints, layer: Layer) -> list[str]:
    """The columns of a layer, but for the label, where they are numbers and no more than `FEW`.

    Beside a column of many values one of `A_HANDFUL` is left out: it makes chance smaller, but hardly.
    """
    sample = rows.sample
    compared = [sample.columns[at] for at in _compared(rows, layer, sample)]
    few = len(compared) <= FEW and len(rows) <= MOST_ROWS
    if not few or any(rows.pool.columns[j].kind != "number" for j in compared):
        return []
    fine = [j for j in compared if len(np.unique(sample.of(j))) > A_HANDFUL]
    return [rows.pool.columns[j].name for j in fine or compared]


def _n_distinct(rows: RowFingerprints, layer: Layer, split: str) -> int:
    in_one, _ = group_counts(rows, layer, split, split)
    return rows.n_rows[split] - int((in_one - 1).sum())


def _is_likely(n: int, mean: float) -> bool:
    """Whether a Poisson variable with this mean is at least n with probability `ALPHA`; most cases need no SciPy."""
    if n <= mean:
        return True  # the median of a whole mean is the mean
    if n - mean - n * np.log(n / mean) < np.log(ALPHA):
        return False  # Chernoff's bound of the tail
    from scipy.special import pdtrc

    return bool(pdtrc(n - 1, mean) >= ALPHA)


def _is_likely_share(n: int, total: int, share: float) -> bool:
    """Whether a binomial variable is at least n with probability `ALPHA`."""
    from scipy.special import bdtrc

    return n == 0 or bool(bdtrc(n - 1, total, share) >= ALPHA)


def _compared(rows: RowFingerprints, layer: Layer, sample: RowSample) -> list[int]:
    whole = layer in ("canonical", "without_label")
    left_out = {*rows.beside} - ({rows.identified} if layer == "identified" else set())
    names = [column.name for column in rows.pool.columns]
    return [at for at, j in enumerate(sample.columns) if whole or names[j] not in left_out]


def _cells(rows: RowFingerprints, layer: Layer, sample: RowSample, splits: tuple[int, int]) -> Hashes:
    inside = np.isin(sample.split, splits)
    kept = _compared(rows, layer, sample)
    cells = sample.hashes[kept]
    if sample.label is not None and layer in ("canonical", "identified", "reduced"):
        cells = np.vstack((cells, sample.label))
    # A single column is judged by the reference split alone: copies across must not make it look coarse.
    return cells[:, inside if len(cells) > 1 else sample.split == splits[1]]


def agreement_rate(cells: Hashes) -> float:
    """Share of pairs of rows that agree in every column by chance.

    Parameters
    ----------
    cells : ndarray of uint64, shape (k, m)
        Equal for equal cells of a column.

    Notes
    -----
    With ``p(i)`` and ``p(i, j)`` the shares of pairs that agree in a column and in two, the tree expects the product of
    all ``p(i)`` and of ``p(i, j) / (p(i) p(j))`` over its edges; the spanning tree with the largest product is taken.
    Pairs that agree in everything beyond what is expected are copies, and are taken off; the fixed point is reached
    from below, so that copies alone never pass for chance.
    """
    m = cells.shape[1]
    n_pairs = m * (m - 1) / 2
    if m < 2:
        return 0.0
    alone = np.array([_n_pairs(column) for column in cells], dtype=np.float64)
    if len(cells) == 1:
        # One column has no other to be judged by: it is coarse where most of its values occur again.
        is_coarse = m >= LEAST_ROWS and len(np.unique(cells[0])) <= m * (1 - MOSTLY)
        return float(alone[0] / n_pairs) if is_coarse else 0.0
    cells, alone = cells[np.argsort(alone, kind="stable")[:WIDEST]], np.sort(alone)[:WIDEST]
    mixed = cells * _factors(len(cells))[:, None]
    together = np.zeros((len(cells), len(cells)))
    for i, j in combinations(range(len(cells)), 2):
        together[i, j] = together[j, i] = _n_pairs(mixed[i] + mixed[j]) if min(alone[i], alone[j]) else 0.0
    agreeing = _n_pairs(mixed.sum(axis=0, dtype=np.uint64))
    expected = 0.0
    for _ in range(ROUNDS):
        copies = max(agreeing - expected, 0.0)
        left = max(n_pairs - copies, 1.0)
        before, expected = (
            expected,
            left * _tree(np.maximum(alone - copies, 0.0) / left, np.maximum(together - copies, 0.0) / left),
        )
        if expected - before <= 1e-3 * expected:
            break
    return float(expected / n_pairs)


def _tree(alone: npt.NDArray[np.float64], together: npt.NDArray[np.float64]) -> float:
    """Chance that a pair agrees in all columns under the spanning tree that makes it likeliest (Prim's algorithm)."""
    if not alone.all():
        return 0.0
    lift = np.log(np.maximum(together, 1e-300)) - np.log(np.outer(alone, alone))
    lift = np.where(together > 0, lift, 0.0)
    total = float(np.log(alone).sum())
    best = lift[0].copy()
    waiting = list(range(1, len(alone)))
    while waiting:
        joined = max(waiting, key=lambda j: best[j])
        total += float(best[joined])
        waiting.remove(joined)
        best = np.maximum(best, lift[joined])
    return float(np.exp(min(total, 0.0)))


def _factors(n: int) -> Hashes:
    """Odd multipliers, so that a sum of hashes tells which column each belongs to."""
    return np.random.default_rng(7).integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _n_pairs(keys: Hashes) -> float:
    """Pairs of equal values."""
    ordered = np.sort(keys)
    ends = np.flatnonzero(np.concatenate((ordered[1:] != ordered[:-1], [True])))
    counts = np.diff(ends, prepend=-1).astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
