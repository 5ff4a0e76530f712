"""How well single columns tell the target out of fold, and how well the other columns do without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.sample import equal_units, grouped_folds
from leakaudit.analysis.shortcuts.single_feature import FOLDS, bins, tell_classes
from leakaudit.fingerprints.ranks import mean_ranks

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64 = npt.NDArray[np.float64]

FINE_BINS = 1_024
"""Bins of equal counts at most, beside the 16 of `single_feature`; each holds at least `PER_BIN` rows."""

PER_BIN = 20

LEVELS = 512
"""Most frequent values of a category that are told apart; fewer, but at least two a class, with many classes."""

WORTH_A_TREE = 0.5
"""Gain from which cuts are learnt: the bins of equal counts may have put the boundary between classes into a bin."""

MODEL_ROWS = 3_000
MODEL_COLUMNS = 300
"""What the model of the other columns is trained on at most: the columns that score best alone."""

TREES = 50

Z_MODEL = 3.0
"""Standard errors on either side of the score of a model: it is the yardstick of every column, so it must be sure."""


@dataclass(frozen=True, slots=True)
class Score:
    """Out-of-fold score of one column or of a model.

    Parameters
    ----------
    gain : float
        Classes: balanced accuracy over guessing, ``(score − 1/k) / (1 − 1/k)``. Quantities: the share of the variance
        of the ranks that is told, R². 0 for a guess, 1 for certainty.
    low, high : float
        Bounds of its interval.
    one_class : int
        The class that is told best from all others together; -1 for quantities.
    one_gain, one_low : float
        Youden's J of that, and the lower bound of its interval.
    n_classes : int
        Classes judged; 0 for quantities.
    """

    gain: float
    low: float
    high: float
    one_class: int = -1
    one_gain: float = 0.0
    one_low: float = 0.0
    n_classes: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The rows that are judged: their target and their folds.

    Parameters
    ----------
    classes : ndarray of int64, shape (n,), or None
        Class of each row, negative: unknown.
    values : ndarray of float64, shape (n,), or None
        The target where it is a quantity; NaN: unknown.
    groups : ndarray of int64, shape (n,), or None
        Rows of one group are in one fold, and count as one in intervals.
    z : float
        Normal quantile of the intervals.
    least : int
        Classes with fewer rows are left out.
    """

    classes: IntArray | None
    values: Float64 | None
    groups: IntArray | None
    z: float
    least: int = 10

    @property
    def folds(self) -> IntArray | None:
        """Part of each row where there are groups."""
        if self.groups is None:
            return None
        units = np.where(self.groups >= 0, self.groups, self.groups.max(initial=-1) + 1 + np.arange(len(self.groups)))
        sides = self.classes if self.classes is not None else np.zeros(len(units), dtype=np.int64)
        return grouped_folds(units, sides, FOLDS)

    @property
    def wide(self) -> float:
        """`z`, widened as if all rows of a group were equal."""
        if self.groups is None:
            return self.z
        n_units = len(np.unique(self.groups[self.groups >= 0])) + int((self.groups < 0).sum())
        return self.z * float(np.sqrt(len(self.groups) / max(n_units, 1)))


def number_codes(values: Float64) -> tuple[IntArray, IntArray]:
    """A quantity as coarse and as fine bins; missing values are a bin of their own."""
    missing = np.isnan(values)
    values = np.where(missing, np.nan, np.unique(values, return_inverse=True)[1].reshape(-1))  # infinity is a rank
    codes = []
    for fine in (False, True):
        its = np.zeros(len(values), dtype=np.int64)
        if (~missing).any():
            its[~missing] = _fine_bins(values[~missing]) if fine else bins(values[~missing])
        its[missing] = its.max(initial=0) + 1
        codes.append(its)
    return codes[0], codes[1]


def category_codes(codes: IntArray, n_classes: int) -> IntArray:
    """A category with its rare values as one; missing values (negative) are a value."""
    _, at, counts = np.unique(codes, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank[at.reshape(-1)], max(min(LEVELS, 200_000 // max(n_classes, 1)), 2 * n_classes))


def score_codes(codes: IntArray, rows: Rows) -> Score | None:
    """Score "each value stands for a class" or "each value stands for its mean"; None where nothing can be judged."""
    if rows.classes is not None:
        told = tell_classes(codes, rows.classes, least=rows.least, z=rows.wide, folds=rows.folds)
        if told is None:
            return None
        return Score(told.gain, told.low, told.high, told.one_class, told.one_gain, told.one_low, told.n_classes)
    assert rows.values is not None
    known = ~np.isnan(rows.values)
    if known.sum() < 2 * rows.least:
        return None
    ranks = _ranks(rows.values[known])
    fold = _any_folds(rows, known)
    n_codes = int(codes.max(initial=0)) + 1
    at = codes[known]
    sums, counts = np.zeros((FOLDS, n_codes)), np.zeros((FOLDS, n_codes))
    np.add.at(sums, (fold, at), ranks)
    np.add.at(counts, (fold, at), 1.0)
    sums, counts = sums.sum(axis=0) - sums, counts.sum(axis=0) - counts
    means = sums / np.maximum(counts, 1)
    middle = sums.sum(axis=1) / np.maximum(counts.sum(axis=1), 1)
    predicted = np.where(counts[fold, at] > 0, means[fold, at], middle[fold])
    return _explained(ranks, predicted, rows)


def score_numbers(values: Float64, rows: Rows) -> Score | None:
    """Score a quantity: by bins, and by cuts or by interpolation where the bins already tell much."""
    found = [score for codes in number_codes(values) if (score := score_codes(codes, rows)) is not None]
    if not found:
        return None
    best = max(found, key=lambda score: score.gain)
    if max(best.gain, best.one_gain) < WORTH_A_TREE:
        return best
    finer = _score_cuts(values, rows) if rows.classes is not None else _score_neighbours(values, rows)
    if finer is None:
        return best
    return max((best, finer), key=lambda score: (score.gain, score.one_gain))


def score_model(columns: Sequence[Float64], rows: Rows) -> Score:
    """Cross-fit a random forest on these columns; without a column it guesses, gain 0.

    Parameters
    ----------
    columns : sequence of ndarray of float64, shape (n,)
        Numbers and codes; NaN where missing.
    rows : Rows
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    known = np.flatnonzero(_known(rows))
    if len(known) > MODEL_ROWS:
        known = np.sort(np.random.default_rng(0).choice(known, MODEL_ROWS, replace=False))
    if not columns:
        return Score(0.0, 0.0, 0.0, n_classes=0 if rows.classes is None else len(np.unique(rows.classes[known])))
    filled = [np.where(np.isnan(column), np.nanmin(column) - 1, column)[known] for column in columns]
    table = np.clip(np.column_stack(filled), -1e30, 1e30).astype(np.float32)
    groups = None if rows.groups is None else rows.groups[known]
    units = equal_units(filled, groups)
    common = {"n_estimators": TREES, "min_samples_leaf": 3, "random_state": 0, "n_jobs": 1}
    if rows.classes is not None:
        truth: npt.NDArray[np.int64] | Float64 = rows.classes[known]
        fold = grouped_folds(units, rows.classes[known], FOLDS)
        model = RandomForestClassifier(class_weight="balanced", **common)
    else:
        assert rows.values is not None
        truth = _ranks(rows.values[known])
        fold = grouped_folds(units, np.zeros(len(known), dtype=np.int64), FOLDS)
        model = RandomForestRegressor(max_features=1 / 3, **common)
    predicted = np.zeros(len(known), dtype=truth.dtype)
    for part in range(FOLDS):
        inside = fold == part
        if inside.any() and not inside.all():
            predicted[inside] = model.fit(table[~inside], truth[~inside]).predict(table[inside])
    some = Rows(None, None, groups, Z_MODEL)
    if rows.classes is not None:
        return _balanced(np.asarray(truth, dtype=np.int64), np.asarray(predicted, dtype=np.int64), some.wide)
    return _explained(np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64), some)


def against_rest(rows: Rows, one_class: int) -> Rows:
    """The same rows, the target being whether a row is of this class."""
    assert rows.classes is not None
    codes = np.where(rows.classes < 0, -1, (rows.classes == one_class).astype(np.int64))
    return Rows(codes, None, rows.groups, rows.z, rows.least)


def _known(rows: Rows) -> npt.NDArray[np.bool_]:
    if rows.classes is None:
        assert rows.values is not None
        return ~np.isnan(rows.values)
    sizes = np.bincount(rows.classes[rows.classes >= 0])
    return np.isin(rows.classes, np.flatnonzero(sizes >= rows.least))


def _any_folds(rows: Rows, known: npt.NDArray[np.bool_]) -> IntArray:
    """Folds of the groups, or drawn at random."""
    folds = rows.folds
    if folds is not None:
        return folds[known]
    n = int(known.sum())
    fold = np.empty(n, dtype=np.int64)
    fold[np.random.default_rng(0).permutation(n)] = np.arange(n) % FOLDS
    return fold


def _fine_bins(values: Float64) -> IntArray:
    n_bins = int(min(FINE_BINS, max(len(values) // PER_BIN, 2)))
    distinct = np.unique(values)
    if len(distinct) <= n_bins:
        return np.searchsorted(distinct, values).astype(np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, n_bins) / n_bins))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _ranks(values: Float64) -> Float64:
    """Mid-ranks between 0 and 1."""
    middle: Float64 = (mean_ranks(values) - 0.5) / len(values)
    return middle


def _explained(truth: Float64, predicted: Float64, rows: Rows) -> Score:
    """R² and its interval, by Fisher's transformation of its root."""
    total = float(((truth - truth.mean()) ** 2).sum())
    share = 1 - float(((truth - predicted) ** 2).sum()) / total if total > 0 else 0.0
    root = min(max(share, 0.0), 1 - 1e-12) ** 0.5
    error = rows.wide / max(len(truth) - 3, 1) ** 0.5
    low, high = (max(float(np.tanh(np.arctanh(root) + sign * error)), 0.0) ** 2 for sign in (-1, 1))
    return Score(share, low, high)


def _balanced(truth: IntArray, predicted: IntArray, z: float) -> Score:
    """Gain of balanced accuracy, with the interval of `leakaudit.analysis.shortcuts.single_feature.tell_classes`."""
    judged, at = np.unique(truth, return_inverse=True)
    n = np.bincount(at.reshape(-1)).astype(np.float64)
    hits = np.bincount(at.reshape(-1), weights=truth == predicted)
    careful = (hits + 1) / (n + 2)
    k = max(len(judged), 2)
    error = float(np.sqrt((careful * (1 - careful) / (n + 2)).sum())) / k
    scale = 1 - 1 / k
    gain = (float((hits / n).mean()) - 1 / k) / scale
    one, one_gain, one_low = -1, 0.0, 0.0
    for each, hit, of, careful_hit in zip(judged.tolist(), hits, n, careful, strict=True):
        rest = len(truth) - of
        false = float(((predicted == each) & (truth != each)).sum())
        careless = (false + 1) / (rest + 2)
        spread = (careful_hit * (1 - careful_hit) / (of + 2) + careless * (1 - careless) / (rest + 2)) ** 0.5
        its = float(hit / of - false / max(rest, 1))
        if one < 0 or its - z * spread > one_low:
            one, one_gain, one_low = each, its, float(its - z * spread)
    return Score(gain, gain - z * error / scale, min(1.0, gain + z * error / scale), one, one_gain, one_low, k)


def _score_cuts(values: Float64, rows: Rows) -> Score | None:
    """Cuts learnt by a decision tree instead of bins of equal counts."""
    from sklearn.tree import DecisionTreeClassifier

    assert rows.classes is not None
    known = np.flatnonzero(_known(rows))
    truth = rows.classes[known]
    if len(np.unique(truth)) < 2:
        return None
    column = values[known]
    lowest = np.nanmin(column) if (~np.isnan(column)).any() else 0.0
    table = np.clip(np.where(np.isnan(column), lowest - 1, column), -3e38, 3e38).astype(np.float32)[:, None]
    folds = rows.folds
    n_classes = len(np.unique(truth))
    fold = grouped_folds(np.arange(len(known)), truth, FOLDS) if folds is None else folds[known]
    model = DecisionTreeClassifier(
        max_leaf_nodes=max(16, 2 * n_classes), min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    predicted = np.full(len(known), -1, dtype=np.int64)
    for part in range(FOLDS):
        inside = fold == part
        if inside.any() and not inside.all():
            predicted[inside] = model.fit(table[~inside], truth[~inside]).predict(table[inside])
    return _balanced(truth, predicted, rows.wide)


def _score_neighbours(values: Float64, rows: Rows) -> Score | None:
    """Straight lines between the means of the training values: exact in the limit for any continuous function."""
    assert rows.values is not None
    known = ~np.isnan(rows.values)
    ranks, column = _ranks(rows.values[known]), values[known]
    finite = np.isfinite(column)
    fold = _any_folds(rows, known)
    predicted = np.empty(len(ranks))
    for part in range(FOLDS):
        inside, other = fold == part, fold != part
        if not (other & finite).any():
            return None
        at, index, counts = np.unique(column[other & finite], return_inverse=True, return_counts=True)
        means = np.bincount(index.reshape(-1), weights=ranks[other & finite]) / counts
        rest = ranks[other & ~finite]
        predicted[inside & finite] = np.interp(column[inside & finite], at, means)
        predicted[inside & ~finite] = rest.mean() if len(rest) else ranks[other].mean()
    return _explained(ranks, predicted, rows)
