"""Are equal rows copies, or do they agree by chance?

Three witnesses are heard, and the one that decides is named.

- The *model*: how many pairs of rows agree in every column by chance (`leakaudit.analysis.copies.rows.agreement`). What
  more than two columns have to do with each other is left out of it, so that chance may give a few times as many.
- The *reference* split: whatever chance is, it makes rows of the reference split equal to each other, too.
- *Assignment*: the same rows, assigned to the splits at random, would meet across them so often
  (`leakaudit.analysis.copies.rows.excess`).

The model is asked about both splits together, so that its answer is the same however one table was split. Between what
chance surely gives and what it surely does not, the answer is that it cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.copies.rows.agreement import Agreement, agreement
from leakaudit.analysis.copies.rows.equal import group_counts, n_equal_pairs
from leakaudit.analysis.copies.rows.excess import random_assignment
from leakaudit.analysis.copies.rows.few_columns import (
    BEYOND_FEW,
    agree_in_each,
    by_reference,
    few_categories,
    few_numbers,
    of_numbers,
)
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints
from leakaudit.fingerprints.rows.sample import RowSample

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]

Witness: TypeAlias = Literal["model", "reference", "assignment"]

BEYOND = 4.0
"""How many times what a tree of the columns expects chance may give. Measured: 1.0 to 1.1 where columns are
independent, 1.5 in UCI Adult without its weights, 3.0 among the Titanic's passengers; repeated records of diamonds and
wines 2,700 times and more."""

FAR = 25.0
"""How many times that chance surely does not give. Contracts with services that hang together by threes and fours are
equal 12 times as often as a tree expects; records that were entered twice 60 times and more (UCI Adult). Between the
two it cannot be told."""

COARSE, BEYOND_COARSE = 0.01, 20.0
"""Pairs by chance for each row from which on a table is coarse, and how many times as many chance may give then: where
the columns follow latent classes, a tree falls short of chance by up to 5 in simulations (six classes, seven columns of
five values). Copies beyond that are the business of `leakaudit.analysis.copies.rows.excess`."""

CROWDED = 10
"""Rows for each distinct one in the reference split, from which on the columns that are left after leaving some out
describe nothing: copies come in twos and threes."""

LEAST_ROWS = 20
"""Rows of the reference split from which on it is a witness."""

ALPHA = 0.01
"""Chance that as many pairs as found come about although chance gives that many times what is expected (Poisson)."""

ALPHA_ASSIGNED, TIMES_USUAL = 0.001, 4.0
"""Chance that as many rows as found meet across the splits when assigned at random, below which they are copies
whatever the model says; if they are so many times as many as meet inside the reference split, too, then three in four
of them are."""

MISFIT, MISFIT_ROWS = 1.5, 2.0
"""How many times as many pairs as the model expects chance gives on average (see `BEYOND`), and how many pairs that
knowledge is worth (mean and shape of a gamma distribution): what is seen inside the reference split corrects it."""

ALPHA_UNSURE = 0.05
"""Chance of as many pairs with that misfit, below which it cannot be told whether some are copies."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Pairs of rows that agree in a layer, and how many of them chance gives.

    Parameters
    ----------
    n_pairs : int
        Found.
    expected : float
        By chance, as the witness says that decided.
    explains : bool
        Chance may well give as many.
    coarse : bool
        It gives so many that equal rows are nothing special in this table.
    unsure : bool
        They are more than chance is known to give, and fewer than it surely does not: it cannot be told.
    witness : {"model", "reference", "assignment"}
        Which decided.
    """

    n_pairs: int
    expected: float
    explains: bool
    coarse: bool
    unsure: bool = False
    witness: Witness = "model"


def chance_of_pairs(rows: RowFingerprints, layer: Layer, a: str, b: str, n_pairs: int, known: float = 0.0) -> Chance:
    """Whether as many equal rows as found are what chance gives.

    Parameters
    ----------
    a, b : str
        Two splits; the same twice for pairs inside of one.
    n_pairs : int
        Pairs of rows that were found to agree in the layer.
    known : float, default 0
        Rows of a that agree with one of b and are no part of these pairs, because a stricter layer found them.
    """
    if not n_pairs:
        return Chance(0, 0.0, explains=True, coarse=False)
    chance = _without_assignment(rows, layer, a, b, n_pairs)
    if a == b or rows.n_rows[b] < LEAST_ROWS or not (chance.explains or chance.unsure):
        return chance
    return _by_assignment(rows, layer, a, b, n_pairs, known) or chance


def _without_assignment(rows: RowFingerprints, layer: Layer, a: str, b: str, n_pairs: int) -> Chance:
    chance = _by_model(rows, layer, rows.sample, a, b, n_pairs)
    if not chance.explains and rows.n_rows[b] >= LEAST_ROWS:
        chance = _by_few_columns(rows, layer, chance, a, b)
    if not chance.explains and layer.startswith("reduced") and _n_distinct(rows, layer, b) * CROWDED <= rows.n_rows[b]:
        return replace(chance, explains=True, coarse=True, unsure=False)
    if rows.sample.whole or not chance.explains or chance.witness != "model":
        return chance
    # Rows that stand side by side are rather more alike than any two: what these explain needs a second look.
    return _by_model(rows, layer, rows.random_sample, a, b, n_pairs)


# --- the witnesses --------------------------------------------------------------------------------------------


def _by_model(rows: RowFingerprints, layer: Layer, sample: RowSample, a: str, b: str, n_pairs: int) -> Chance:
    model = agreement(_cells(rows, layer, sample, a, b))
    n_a, n_b = rows.n_rows[a], rows.n_rows[b]
    expected = _expected(rows, layer, sample, model, a, b, n_a * (n_a - 1) / 2 if a == b else n_a * n_b)
    coarse = expected >= COARSE * n_a
    if expected > 0 and _is_likely(n_pairs, (BEYOND_COARSE if coarse else BEYOND) * expected):
        unsure = a != b and not coarse and _is_much(rows, layer, model, n_pairs, expected, a, b)
        return Chance(n_pairs, expected, explains=not unsure, coarse=coarse, unsure=unsure)
    if not expected or model.saturated:
        return Chance(n_pairs, expected, explains=False, coarse=False)
    # All pairs of both splits: the same number, and the same answer, however the rows were split.
    found, both = float(n_pairs), expected
    if a != b:
        n = n_a + n_b
        both = _expected(rows, layer, sample, model, a, b, n * (n - 1) / 2, pooled=True)
        found += n_equal_pairs(rows, layer, a, a) + n_equal_pairs(rows, layer, b, b)
    return Chance(n_pairs, expected, explains=False, coarse=False, unsure=_is_likely(found, FAR * both))


def _expected(
    rows: RowFingerprints,
    layer: Layer,
    sample: RowSample,
    model: Agreement,
    a: str,
    b: str,
    n_possible: float,
    *,
    pooled: bool = False,
) -> float:
    """Pairs by chance: those of the model, or fewer where a column of weights hardly ever repeats.

    Such a column is unrelated to all others (`leakaudit.fingerprints.rows.identity`): rows that agree without it agree
    in it as often as any do.
    """
    expected = n_possible * model.rate
    weights = [name for name in rows.beside if layer in ("canonical", "without_label") or name == rows.identified]
    if not weights or layer.startswith("reduced"):
        return expected
    wider: Layer = "reduced_without_label" if layer == "without_label" else "reduced"
    within = [(a, b), (a, a), (b, b)] if pooled else [(a, b)]
    n_wider = sum(n_equal_pairs(rows, wider, *splits) for splits in within)
    at = [j for j in sample.columns if rows.pool.columns[j].name in weights]
    rates = [_share_of_pairs(sample.of(j)) for j in at]
    return min(expected, n_wider * min(rates)) if rates else expected


def _is_much(
    rows: RowFingerprints, layer: Layer, model: Agreement, n_pairs: int, expected: float, a: str, b: str
) -> bool:
    """Whether few pairs are nevertheless more than chance gives, as far as model and reference split together know.

    By how much the model is wrong in this table is known from `MISFIT` and from the pairs inside the reference split;
    pairs across then follow a negative binomial distribution.
    """
    from scipy.special import betainc

    n_b = rows.n_rows[b]
    inside = n_equal_pairs(rows, layer, b, b)
    shape = MISFIT_ROWS + inside
    rate = MISFIT_ROWS / MISFIT + model.rate * n_b * (n_b - 1) / 2
    return bool(betainc(n_pairs, shape, expected / (rate + expected)) < ALPHA_UNSURE)


def _by_assignment(rows: RowFingerprints, layer: Layer, a: str, b: str, n_pairs: int, known: float) -> Chance | None:
    """Copies that were made across the splits: random assignment would not have parted so many equal rows."""
    in_a, in_b = group_counts(rows, layer, a, b)
    n_a, n_b = rows.n_rows[a], rows.n_rows[b]
    met = float(in_a[in_b > 0].sum()) - known
    usual = float(in_b[in_b > 1].sum()) * n_a / n_b
    if met < max(TIMES_USUAL * usual, 2):
        return None
    assigned = random_assignment(in_a, in_b, n_a / (n_a + n_b), observed=met)
    if assigned.p_value > ALPHA_ASSIGNED:
        return None
    expected = n_pairs * min(usual / met, 1.0)
    return Chance(n_pairs, expected, explains=False, coarse=False, witness="assignment")


def _by_few_columns(rows: RowFingerprints, layer: Layer, chance: Chance, a: str, b: str) -> Chance:
    """What the reference split says of rows that no model can judge, because their columns are few."""
    sample = rows.sample
    compared = [sample.columns[at] for at in _compared(rows, layer, sample)]
    if numbers := few_numbers(rows, compared):
        return _by_few_numbers(rows, layer, chance, a, b, numbers, compared)
    if chance.unsure or not few_categories(rows, compared):
        return chance
    seen = by_reference(rows, layer, a, b)
    if not seen.alike:
        return chance
    explains = seen.mostly or seen.frequent
    expected = chance.n_pairs * min(seen.n_usual / max(seen.n_met, 1), 1.0)
    return Chance(chance.n_pairs, expected, explains, explains, unsure=not explains, witness="reference")


def _by_few_numbers(
    rows: RowFingerprints,
    layer: Layer,
    chance: Chance,
    a: str,
    b: str,
    names: Sequence[str],
    compared: Sequence[int],
) -> Chance:
    values = of_numbers(rows, names, a, b)
    if values.number_rows:
        return replace(chance, explains=False, coarse=False, unsure=False)
    if values.expected is not None and _is_likely(chance.n_pairs, BEYOND_FEW * values.expected):
        coarse = values.expected >= COARSE * rows.n_rows[a]
        return Chance(chance.n_pairs, values.expected, explains=True, coarse=coarse, witness="reference")
    if a == b:
        return replace(chance, unsure=False)
    seen = by_reference(rows, layer, a, b, values.often)
    explains = seen.alike and seen.frequent
    expected = chance.n_pairs * min(seen.n_usual / max(seen.n_met, 1), 1.0)
    # A pair or two of coarse measurements are no proof where the reference split hardly says how often such agree.
    unsure = not explains and seen.few and agree_in_each(rows, compared, a, b) >= chance.n_pairs
    return Chance(chance.n_pairs, expected, explains, explains, unsure=unsure, witness="reference")


# --- counts ---------------------------------------------------------------------------------------------------


def _n_distinct(rows: RowFingerprints, layer: Layer, split: str) -> int:
    in_one, _ = group_counts(rows, layer, split, split)
    return rows.n_rows[split] - int((in_one - 1).sum())


def _share_of_pairs(values: npt.NDArray[np.uint64]) -> float:
    """Of pairs of rows that agree in a column."""
    counts = np.unique(values, return_counts=True)[1].astype(np.float64)
    n = len(values)
    return float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else 0.0


def _is_likely(n: float, mean: float) -> bool:
    """Whether a Poisson variable with this mean is at least n with probability `ALPHA`; most cases need no SciPy."""
    if n <= mean:
        return True  # the median of a whole mean is the mean
    if mean <= 0 or n - mean - n * np.log(n / mean) < np.log(ALPHA):
        return False  # Chernoff's bound of the tail
    from scipy.special import pdtrc

    return bool(pdtrc(n - 1, mean) >= ALPHA)


def _compared(rows: RowFingerprints, layer: Layer, sample: RowSample) -> list[int]:
    whole = layer in ("canonical", "without_label")
    left_out = {*rows.beside} - ({rows.identified} if layer == "identified" else set())
    names = [column.name for column in rows.pool.columns]
    return [at for at, j in enumerate(sample.columns) if whole or names[j] not in left_out]


def _cells(rows: RowFingerprints, layer: Layer, sample: RowSample, a: str, b: str) -> Hashes:
    splits = rows.splits.index(a), rows.splits.index(b)
    inside = np.isin(sample.split, splits)
    kept = _compared(rows, layer, sample)
    cells = sample.hashes[kept]
    if sample.label is not None and layer in ("canonical", "identified", "reduced"):
        cells = np.vstack((cells, sample.label))
    # A single column is judged by the reference split alone: copies across must not make it look coarse.
    return cells[:, inside if len(cells) > 1 else sample.split == splits[1]]
