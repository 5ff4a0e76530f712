"""Which rows a column of target means was computed on: plain, smoothed, leave-one-out.

A target encoding replaces a category by the mean of the target over its rows. Over the rows that it was fitted on, each
group of rows with one value has exactly that value as its mean target; over other rows only roughly. The category
itself is not needed: rows are grouped by the encoded value, unless categories share one or each row has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import pi, sqrt
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.fitted.precision import Precision, measured, precision_of
from leakaudit.analysis.fitted.rows_seen import FitSet, Verdict, decide

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Float64: TypeAlias = npt.NDArray[np.float64]

Method: TypeAlias = Literal["plain", "m-estimate", "empirical Bayes", "sigmoid", "scaled", "leave-one-out"]

LEAST_GROUP = 2
"""Fewest rows of a group that says something; a single row's mean is its own target."""

LEAST_ROWS = 20

SIGMOID_FLOOR = 1e-6
"""Allowance of the sigmoid, in standard deviations: its parameters are solved from two groups, which costs digits."""

MATCHING = {
    "plain": 0.98,
    "empirical Bayes": 0.8,
    "m-estimate": 0.8,
    "sigmoid": 0.8,
    "scaled": 0.98,
    "leave-one-out": 0.95,
}
"""Least share of the groups (rows, for leave-one-out) that agree. Where the smoothing depends on the size of a
category, categories that share a value agree with neither of their sizes."""

PARAMETERS: dict[Method, int] = {
    "plain": 0,
    "empirical Bayes": 0,
    "m-estimate": 1,
    "sigmoid": 2,
    "scaled": 2,
    "leave-one-out": 0,
}
"""Groups that are used up by what is not known: the strength of smoothing, the scale."""

GROUPED: tuple[Method, ...] = ("plain", "empirical Bayes", "m-estimate", "sigmoid", "scaled")

APART = 3.0
"""A group disagrees only beyond this many times what rounding allows."""

LEAST_PAIRS = 3
"""Fewest categories from whose two values leave-one-out is told."""

PAIR_CHANCE = -2.0
"""log10 of a bound on the chance that the second value of a category is there by accident, as often as it must be."""

SCREENED = 30_000
"""Rows from which more than these are screened: leave-one-out of a category is ruled out without looking at all."""

ROUND_DIGITS = 3
"""Encoded values with at most this many decimals may be met by counts: then a mean can agree to within 1/n only."""


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """Rows of equal value, over one set of rows.

    Parameters
    ----------
    value : ndarray of float64, shape (g,)
        The encoded value.
    n : ndarray of float64, shape (g,)
    mean, variance : ndarray of float64, shape (g,)
        Of the target, population variance.
    overall, spread : float
        Mean and standard deviation of the target over the set.
    """

    value: Float64
    n: Float64
    mean: Float64
    variance: Float64
    overall: float
    spread: float


@dataclass(frozen=True, eq=False, slots=True)
class Encoded:
    """What one column encodes.

    Parameters
    ----------
    method : Method
    verdict : Verdict
    fit : FitSet or None
    log_chance : float
        log10 of a bound on the chance that the values agree by accident.
    precision : Precision
    reference, pooled : Groups
        The same groups over the reference split, and over `fit` (or all splits).
    n_apart : int
        Groups whose mean over the reference split differs from the value.
    """

    method: Method
    verdict: Verdict
    fit: FitSet | None
    log_chance: float
    precision: Precision
    reference: Groups
    pooled: Groups
    n_apart: int


def may_be_encoded(sample: Float64, _codes: IntArray) -> bool:
    """Whether a sample of a column has few enough values, with fractions among them; cheap."""
    x = sample[measured(sample)]
    if len(x) < LEAST_ROWS or np.all(x == np.rint(x)):
        return False
    return 2 <= len(np.unique(x)) <= max(len(x) / 3, 2)


def encoding_of(
    values: Float64,
    codes: IntArray,
    target: Float64,
    sets: Sequence[FitSet],
    key: IntArray | None = None,
    equal: IntArray | None = None,
) -> Encoded | None:
    """Find the way of encoding, and the rows that it was fitted on.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        The column, as in the file.
    codes : ndarray of int64, shape (n,)
        Split of each row.
    target : ndarray of float64, shape (n,)
        A number or 0 and 1; NaN where it is not known.
    sets : sequence of FitSet
        As `leakaudit.analysis.fitted.rows_seen.fit_sets` gives them.
    key : ndarray of int64, shape (n,), optional
        Category of each row, a number from 0 on, -1 where missing. None: rows of equal value are one group.
    equal : ndarray of int64, shape (n,), optional
        Without `key`: what `equal_values` gives, for callers that ask for several targets.

    Returns
    -------
    Encoded or None
        None where the column encodes this target in no known way, on no set.
    """
    there = measured(values) & measured(target)
    there &= key >= 0 if key is not None else True
    x, y, codes = values[there], target[there], codes[there]
    usable = [each for each in sets if each.has_reference and int(each.mask(codes).sum()) >= LEAST_ROWS]
    if not usable or usable[0].codes != (0,) or len(usable) < 2 or np.all(y == y[0]):
        return None
    precision = precision_of(x)
    group = (equal_values(values) if equal is None else equal)[there] if key is None else key[there]
    n_groups = int(group.max()) + 1
    found: list[Encoded] = []
    masks = [each.mask(codes) for each in usable]
    is_constant = key is None or _constant(x, group)
    if is_constant:
        groups = [_groups(x[mask], y[mask], group[mask], n_groups) for mask in masks]
        for method in GROUPED:
            fits = [_fit(each, method, precision) for each in groups]
            judged = _judge(usable, method, fits, precision, groups)
            if judged is not None:
                found.append(judged)
    may_be_left_out = key is None or any(_may_leave_out(x, y, group, n_groups, mask, precision) for mask in masks)
    if key is None or (not is_constant and may_be_left_out):
        find = _leave_one_out if key is not None else _two_values_each
        loo = [find(x[mask], y[mask], group[mask], n_groups, precision) for mask in masks]
        judged = _judge(usable, "leave-one-out", [fit for fit, _ in loo], precision, [each for _, each in loo])
        if judged is not None:
            found.append(judged)
    return min(found, key=lambda each: (each.fit is None, each.log_chance), default=None)


def equal_values(values: Float64) -> IntArray:
    """The same number, from 0 on, for equal values, in their order; missing ones are equal, too."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Fit:
    """How one way of encoding fits one set: to what rounding allows, and to `APART` times that."""

    agrees: bool
    nearly: bool
    log_chance: float
    n_apart: int


def _judge(
    sets: Sequence[FitSet], method: Method, fits: Sequence[_Fit], precision: Precision, groups: Sequence[Groups]
) -> Encoded | None:
    verdict, fit = decide(sets, [fits[0].nearly, *(each.agrees for each in fits[1:])])
    if verdict == "no sign of it":
        return None
    if fit is sets[0] and not fits[0].agrees:
        verdict, fit = "cannot tell", None
    at = sets.index(fit) if fit is not None else len(sets) - 1
    shown = at if at > 0 else max(range(len(sets)), key=lambda i: len(sets[i].codes))
    n_apart = fits[0].n_apart
    return Encoded(method, verdict, fit, fits[at].log_chance, precision, groups[0], groups[shown], n_apart)


# --- groups ---------------------------------------------------------------------------------------------------


def _constant(x: Float64, group: IntArray) -> bool:
    """Whether all rows of a group have the same value; a sample of the rows rules most columns out."""
    for step in (max(1, len(x) // SCREENED), 1):
        some, of = x[::step], group[::step]
        first = np.empty(int(group.max()) + 1)
        first[of] = some
        if not np.all(np.abs(first[of] - some) <= 1e-9 * np.maximum(np.abs(some), 1e-9)):
            return False
    return True


def _groups(x: Float64, y: Float64, group: IntArray, n_groups: int) -> Groups:
    n = np.bincount(group, minlength=n_groups).astype(np.float64)
    value = np.zeros(n_groups)
    value[group] = x
    some = np.maximum(n, 1)
    mean = np.bincount(group, weights=y, minlength=n_groups) / some
    variance = np.bincount(group, weights=(y - mean[group]) ** 2, minlength=n_groups) / some
    return Groups(value, n, mean, variance, float(y.mean()), float(y.std()))


def _informative(groups: Groups) -> Bools:
    """Groups whose mean is not a matter of course: a mixture of at least two rows."""
    return np.asarray((groups.n >= LEAST_GROUP) & (groups.variance > 1e-12 * max(groups.spread, 1e-300) ** 2))


def _fit(groups: Groups, method: Method, precision: Precision) -> _Fit:
    use = _informative(groups)
    n, mean, value = groups.n[use], groups.mean[use], groups.value[use]
    if int(use.sum()) <= PARAMETERS[method] or groups.spread == 0:
        return _Fit(False, False, 0.0, 0)
    floor = max(precision.floor, SIGMOID_FLOOR) if method == "sigmoid" else precision.floor
    # The parameters are solved from values that were rounded, too.
    allowed = (3 if PARAMETERS[method] else 1.5) * precision.errors(value) + floor * groups.spread
    ways: dict[Method, Callable[[], Float64]] = {
        "plain": lambda: mean,
        "empirical Bayes": lambda: _empirical_bayes(groups, use),
        "m-estimate": lambda: _m_estimate(n, mean, value, groups.overall),
        "sigmoid": lambda: _sigmoid(n, mean, value, groups.overall, allowed),
        "scaled": lambda: _scaled(mean, value, n),
    }
    off = np.abs(ways[method]() - value) / allowed
    agree, near = off <= 1, off <= APART
    enough = int(agree.sum()) > PARAMETERS[method]
    return _Fit(
        enough and float(agree.mean()) >= MATCHING[method],
        enough and float(near.mean()) >= MATCHING[method],
        _log_chance(groups, use, allowed, agree, PARAMETERS[method], precision),
        int((~near).sum()),
    )


def _log_chance(
    groups: Groups, use: Bools, allowed: Float64, agree: Bools, n_parameters: int, precision: Precision
) -> float:
    """log10 of the chance that values of another origin, near the means as they are, agree with so many of them."""
    n, value = groups.n[use], groups.value[use]
    error = groups.spread / np.sqrt(n)
    coarse = precision.kind == "decimals" and precision.digits <= ROUND_DIGITS
    is_round = np.abs(value * 10**ROUND_DIGITS - np.rint(value * 10**ROUND_DIGITS)) < 1e-9
    window = np.where(coarse | is_round, np.maximum(allowed, 0.5 / n), allowed)
    each = np.sort(np.log10(np.minimum(1.0, 2 * window / (sqrt(2 * pi) * error)))[agree])
    return float(each[n_parameters:].sum())


# --- ways of smoothing ----------------------------------------------------------------------------------------


def _empirical_bayes(groups: Groups, use: Bools) -> Float64:
    """Weights from the variances, as scikit-learn's ``TargetEncoder(smooth="auto")`` has them."""
    n, mean, within = groups.n[use], groups.mean[use], groups.variance[use]
    weight = groups.spread**2 * n / (groups.spread**2 * n + within)
    return np.asarray(weight * mean + (1 - weight) * groups.overall)


def _m_estimate(n: Float64, mean: Float64, value: Float64, overall: float) -> Float64:
    """``(n mean + m overall) / (n + m)`` with the m that most groups agree on."""
    toward = value - overall
    with np.errstate(divide="ignore", invalid="ignore"):
        each = n * (mean - value) / toward
    usable = np.isfinite(each) & (each > 0) & (np.abs(toward) > 1e-9)
    m = float(np.median(each[usable])) if usable.any() else 0.0
    return np.asarray((n * mean + m * overall) / (n + m))


def _sigmoid(n: Float64, mean: Float64, value: Float64, overall: float, allowed: Float64) -> Float64:
    """Weights ``1 / (1 + exp(-(n - k) / f))``, as category_encoders has them; k and f from the pair that fits best."""
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (value - overall) / (mean - overall)
    usable = np.flatnonzero((weight > 1e-3) & (weight < 1 - 1e-4) & (np.abs(mean - overall) > 100 * allowed))
    best, least = mean, np.inf
    spread = usable[np.argsort(n[usable], kind="stable")][:: max(1, len(usable) // 6)]
    for i, j in combinations(spread.tolist(), 2):
        if n[i] == n[j]:
            continue
        li, lj = (float(np.log(weight[at] / (1 - weight[at]))) for at in (i, j))
        slope = (lj - li) / (n[j] - n[i])
        predicted = overall + (mean - overall) / (1 + np.exp(np.clip(-(li + slope * (n - n[i])), -500, 500)))
        off = float(np.median(np.abs(predicted - value) / allowed))
        if off < least:
            best, least = predicted, off
    return best


def _scaled(mean: Float64, value: Float64, n: Float64) -> Float64:
    """Scaled to other units afterwards, or the mean of the other of two classes."""
    if float(np.ptp(mean)) == 0:
        return np.full(len(mean), np.inf)
    slope, start = np.polyfit(mean, value, 1, w=np.sqrt(n)) if len(mean) > 2 else (1.0, 0.0)
    return np.asarray(start + slope * mean)


def _leave_one_out(x: Float64, y: Float64, group: IntArray, n_groups: int, precision: Precision) -> tuple[_Fit, Groups]:
    """Each row has the mean of the other rows of its category."""
    groups = _groups(x, y, group, n_groups)
    several = groups.n[group] >= LEAST_GROUP
    if not several.any():
        return _Fit(False, False, 0.0, 0), groups
    n = groups.n[group][several]
    others = (groups.mean[group][several] * n - y[several]) / (n - 1)
    allowed = 1.5 * precision.errors(x[several]) + precision.floor * groups.spread
    off = np.abs(others - x[several]) / allowed
    agree = off <= 1
    whole = np.bincount(group[several], weights=agree, minlength=len(groups.n)) == groups.n
    use = _informative(groups)
    least = MATCHING["leave-one-out"]
    typical = np.full(int(use.sum()), float(np.median(allowed)))
    log_chance = _log_chance(groups, use, typical, whole[use], 0, precision)
    near = float((off <= APART).mean()) >= least
    return _Fit(float(agree.mean()) >= least, near, log_chance, int((~whole & use).sum())), groups


def _may_leave_out(x: Float64, y: Float64, group: IntArray, n_groups: int, mask: Bools, precision: Precision) -> bool:
    """Whether a sample of many rows leaves room for what `_leave_one_out` asks of all.

    Two rows of a category of n have values that differ by the difference of their targets / (n - 1), the other way
    round. Sorted by category, a row that does not agree spoils at most the two pairs with its neighbours.
    """
    inside = np.flatnonzero(mask)
    if len(inside) <= SCREENED:
        return True
    n = np.bincount(group[inside], minlength=n_groups)
    at = inside[np.sort(np.random.default_rng(0).choice(len(inside), SCREENED, replace=False))]
    at = at[n[group[at]] >= LEAST_GROUP]
    at = at[np.argsort(group[at], kind="stable")]
    allowed = 1.5 * precision.errors(x[at]) + precision.floor * float(np.ptp(y)) / 2  # at least as much as there
    same = np.flatnonzero(group[at[1:]] == group[at[:-1]])
    a, b = at[same], at[same + 1]
    off = np.abs((x[a] - x[b]) + (y[a] - y[b]) / (n[group[a]] - 1))
    n_bad = int((off > APART * (allowed[same] + allowed[same + 1])).sum())
    wrong = (1 - MATCHING["leave-one-out"]) * len(at)
    return n_bad <= 2 * (wrong + 6 * sqrt(wrong))


def _two_values_each(
    x: Float64, y: Float64, group: IntArray, n_groups: int, precision: Precision
) -> tuple[_Fit, Groups]:
    """Leave-one-out of a target of 0 and 1 where the category is not known.

    A category of n rows, s of them with target 1, has two values: ``(s - 1) / (n - 1)`` in s rows with target 1, and
    ``s / (n - 1)`` in the n - s rows with target 0. So the first value and its number of rows give the second and its.
    """
    groups = _groups(x, y, group, n_groups)
    nothing = _Fit(False, False, 0.0, 0), groups
    if not np.isin(y, (0.0, 1.0)).all():
        return nothing
    there = groups.n > 0
    mixed = there & (groups.mean > 0) & (groups.mean < 1)
    if float(groups.n[mixed].sum()) > 0.2 * len(x):  # a value that two categories share may be one of either target
        return nothing
    ones, zeros = (there & (groups.mean == target) & (groups.value > 0) for target in (1.0, 0.0))
    s, value = groups.n[ones], groups.value[ones]
    if int(ones.sum()) < LEAST_PAIRS or int(zeros.sum()) < LEAST_PAIRS:
        return nothing
    slack = 1.5 * precision.errors(value) + precision.floor
    n = np.rint(1 + (s - 1) / value)
    use = (s > 1) & (n > s)
    near = np.abs(value - (s - 1) / np.maximum(n - 1, 1)) <= slack
    second = s / np.maximum(n - 1, 1)
    order = np.argsort(groups.value[zeros], kind="stable")
    values, counts = groups.value[zeros][order], groups.n[zeros][order]
    at = np.clip(np.searchsorted(values, second), 1, len(values) - 1)
    at -= np.abs(values[at - 1] - second) < np.abs(values[at] - second)
    agree = use & near & (np.abs(values[at] - second) <= slack) & (counts[at] == n - s)
    share = float(s[agree].sum()) / max(float(s[use].sum()), 1.0)
    enough = int(agree.sum()) >= LEAST_PAIRS and share >= MATCHING["m-estimate"]
    return _Fit(enough, enough, float(agree.sum()) * PAIR_CHANCE, int((use & ~agree).sum())), groups
