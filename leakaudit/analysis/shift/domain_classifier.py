"""How well a model tells which of two splits a sample is in, judged on samples that it has not seen.

The model is one of boosted trees, cross-fitted: the score of each sample comes from a model trained without it, without
the samples that equal it, and without those of its group. Scores of different models do not compare, so the area under
the ROC curve is taken within each fold (and, where classes are known, within each class, so that a shift of classes
tells nothing) and averaged with the weights of van Elteren; its interval is that of the probability of superiority,
which the area is (Hanley and McNeil, Radiology 143 (1982) 29). Equal samples, and those of one group, count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.analysis.columns.sample import equal_units, grouped_folds
from leakaudit.analysis.shift.quantities import Shift, compare

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64 = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

FOLDS = 5

LEVELS = 62
"""Most frequent values of a category that are told apart: one bin less than the trees have, for all others."""

LARGEST_RATIO = 10
"""Samples of the larger side for each of the smaller one, at most: more add nearly nothing to the area's interval."""

CULPRITS = 40
"""Columns whose part is measured when there are more: those that differ most alone."""

SHUFFLED = 4_000
"""Samples on which the parts of the columns are measured; the area of so many is known to ± 0.02."""

LEAST_UNITS = 20
"""Distinct samples, or groups, of each side without which nothing is said: cross-validated scores of fewer vary more
than their interval says (Varoquaux, NeuroImage 180 (2018) 68)."""

_TREES: dict[str, Any] = {
    "max_bins": 63,
    "max_iter": 60,
    "learning_rate": 0.1,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 10,
    "l2_regularization": 1.0,
    "early_stopping": False,
    "random_state": 0,
}


@dataclass(frozen=True, eq=False, slots=True)
class Input:
    """One column as the model reads it: numbers (NaN where missing), or codes of a category as numbers."""

    name: str
    values: Float64
    is_category: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Result of `tell_splits`.

    Parameters
    ----------
    area : float
        Under the ROC curve: the probability that a held-out sample gets the higher score. 0.5 for splits drawn alike.
    low : float
        Lower bound of its 95 % interval, at least 0.5.
    p_value : float
        One-sided, of an area of 0.5.
    detectable : float
        The smallest area of which the interval would lie above `smallest` in four of five cases, were the model the
        best there is.
    n_first, n_second, n_columns : int
        What was used.
    parts : tuple of (str, float)
        Columns and how far the area falls when the column is shuffled, largest first; empty unless asked for.
    """

    area: float
    low: float
    p_value: float
    detectable: float
    n_first: int
    n_second: int
    n_columns: int
    parts: tuple[tuple[str, float], ...] = ()


def tell_splits(
    inputs: Sequence[Input],
    first: Bools,
    strata: IntArray | None = None,
    groups: IntArray | None = None,
    *,
    smallest: float = 0.5,
    alpha: float = 0.01,
) -> Told | None:
    """Cross-fit the domain classifier.

    Parameters
    ----------
    inputs : sequence of Input
        Of n samples each.
    first : ndarray of bool, shape (n,)
        Which samples are held out.
    strata, groups : ndarray of int64, shape (n,), optional
        Class and group of each sample; negative: unknown.
    smallest : float, default 0.5
        For `Told.detectable`, and for when to measure the parts of the columns.
    alpha : float, default 0.01
        Likewise.

    Returns
    -------
    Told or None
        None where there is no column that varies, or a side has fewer than `LEAST_UNITS` units.
    """
    import sklearn.ensemble  # noqa: F401  before the limits: they hold for libraries that are loaded
    from threadpoolctl import threadpool_limits

    inputs = [each for each in inputs if _varies(each.values)]
    if not inputs:
        return None
    units = equal_units([each.values for each in inputs], groups)
    if min(len(np.unique(units[first])), len(np.unique(units[~first]))) < LEAST_UNITS:
        return None
    fold = grouped_folds(units, first.astype(np.int64), FOLDS)
    table = np.clip(np.column_stack([each.values for each in inputs]), -1e300, 1e300)  # bins have finite edges
    categories = np.array([each.is_category for each in inputs])
    with threadpool_limits(1):  # sums in one order, whatever the number of cores
        models = [_fit(table, first, categories, fold != part) for part in range(FOLDS)]
        scores = _scores(models, table, fold)
        shift = _area(scores, first, strata, units, fold, smallest)
        area = _as_area(shift.effect)
        low = _as_area(shift.low) if shift.effect > 0 else 0.5
        p_value = shift.p_value / 2 if shift.effect > 0 else 1.0
        parts: tuple[tuple[str, float], ...] = ()
        if p_value < alpha and low >= smallest:
            parts = _parts(models, table, inputs, fold, (first, strata, units), area)
    return Told(
        area=area,
        low=low,
        p_value=p_value,
        detectable=_as_area(shift.detectable),
        n_first=int(first.sum()),
        n_second=int((~first).sum()),
        n_columns=len(inputs),
        parts=parts,
    )


def thinned(first: Bools, at_most: int) -> IntArray:
    """Samples to use: at most `at_most` of each side, and at most `LARGEST_RATIO` for one of the smaller side."""
    random = np.random.default_rng(0)
    sides = [np.flatnonzero(first), np.flatnonzero(~first)]
    limit = min(at_most, max(2_000, LARGEST_RATIO * min(map(len, sides))))
    chosen = [side if len(side) <= limit else random.choice(side, limit, replace=False) for side in sides]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def frequent_codes(codes: IntArray) -> Float64:
    """Codes of a category with rare values as one and missing ones as NaN, as numbers below `LEVELS` + 1."""
    values, at, counts = np.unique(codes, return_inverse=True, return_counts=True)
    rank = np.empty(len(values), dtype=np.float64)
    order = np.argsort(np.where(values < 0, 1, -counts), kind="stable")
    rank[order] = np.minimum(np.arange(len(values)), LEVELS)
    rank[values < 0] = np.nan
    return rank[at.reshape(-1)]


def _varies(values: Float64) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and (len(known) < len(values) or float(known.min()) != float(known.max()))


def _fit(table: Float64, first: Bools, categories: Bools, inside: Bools) -> Any:  # noqa: ANN401  a scikit-learn model
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(categorical_features=categories, **_TREES)
    return model.fit(table[inside], first[inside])


def _scores(models: Sequence[Any], table: Float64, fold: IntArray) -> Float64:
    scores = np.empty(len(table))
    for part, model in enumerate(models):
        inside = fold == part
        scores[inside] = model.decision_function(table[inside])
    return scores


def _area(
    scores: Float64, first: Bools, strata: IntArray | None, units: IntArray, fold: IntArray, smallest: float
) -> Shift:
    """The area within folds and classes; the rows of a unit on one side count once, with their mean score."""
    within = fold if strata is None else (strata + 1) * FOLDS + fold
    both = np.unique(np.stack([units, first, within]), axis=1, return_inverse=True, return_counts=True)
    cells, at, counts = both[0], both[1].reshape(-1), both[2]
    means = np.bincount(at, weights=scores) / counts
    return compare(means, cells[1] > 0, cells[2], smallest=_as_effect(smallest))


def _parts(
    models: Sequence[Any],
    table: Float64,
    inputs: Sequence[Input],
    fold: IntArray,
    sides: tuple[Bools, IntArray | None, IntArray],
    area: float,
) -> tuple[tuple[str, float], ...]:
    """How far the area falls when a column is shuffled within each fold."""
    first, strata, units = sides
    random = np.random.default_rng(0)
    columns = list(range(len(inputs)))
    if len(columns) > CULPRITS:
        alone = [abs(compare(each.values, first, strata).effect) for each in inputs]
        columns = sorted(np.argsort(-np.array(alone), kind="stable")[:CULPRITS].tolist())
    if len(table) > SHUFFLED:
        some = np.sort(random.choice(len(table), SHUFFLED, replace=False))
        table, fold, first, units = table[some], fold[some], first[some], units[some]
        strata = None if strata is None else strata[some]
        area = _as_area(_area(_scores(models, table, fold), first, strata, units, fold, 0.5).effect)
    parts = []
    for column in columns:
        shuffled = table.copy()
        for part in range(FOLDS):
            inside = np.flatnonzero(fold == part)
            shuffled[inside, column] = table[random.permutation(inside), column]
        without = _area(_scores(models, shuffled, fold), first, strata, units, fold, 0.5)
        parts.append((inputs[column].name, area - _as_area(without.effect)))
    return tuple(sorted(parts, key=lambda each: (-each[1], each[0])))


def _as_area(effect: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(effect / 2**0.5))


def _as_effect(area: float) -> float:
    from scipy.special import ndtri

    return float(2**0.5 * ndtri(area))
