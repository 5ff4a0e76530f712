"""Which rows the value that fills the gaps of a column was computed on: its mean or its median, also by class.

An imputed column has a spike: one value that occurs far more often than its neighbours. It equals the mean (median) of
the other values of the rows that the imputer was fitted on, to the rounding of the file; of other rows only roughly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

Statistic: TypeAlias = Literal["mean", "median"]

LEAST_COUNT = 5
"""Fewest occurrences of a spike."""

COARSE = 4
"""Columns with fewer decimals than this are coarse enough for a value that has more of them to stand out."""

OUTSTANDING = 3.0
"""A spike occurs at least this many times as often as the most frequent value that is none."""

MOST_SPIKES = 5
"""Spikes of one column (or of one class of it): zero, a sentinel or two, and what was filled in."""

LEAST_OTHERS = 20
"""Fewest other values of the reference split whose mean or median means anything."""

SIGMAS, APART = 6.0, 3.0
"""As in `leakaudit.analysis.fitted.scaling`: what rounding is allowed, and how many times that a set must miss."""

PURE = 0.9
"""Least share of a spike's rows that are of one class for it to be that class's."""

DECIMALS_FEWER = 2
"""A spike with this many decimals fewer than the other values is a round number, such as 0 or 99."""


@dataclass(frozen=True, eq=False, slots=True)
class Imputed:
    """What fills the gaps of one column.

    Parameters
    ----------
    statistic : {"mean", "median"}
    verdict : Verdict
    fit : FitSet or None
        Rows that it was computed on, where that is known.
    p_value : float
        Bound on the chance that a spike of another origin agrees as well.
    value : float
        The spike.
    rows : ndarray of bool, shape (n,)
        Where it is.
    reference, pooled : float
        The statistic over the other values of the reference split, and of `fit` (or of all splits).
    precision : Precision
        Of the spike.
    round : bool
        A value that might stand there for a reason of its own.
    level : int or None
        Class or category that it was computed within; None for all rows.
    """

    statistic: Statistic
    verdict: Verdict
    fit: FitSet | None
    p_value: float
    value: float
    rows: Bools
    reference: float
    pooled: float
    precision: Precision
    round: bool
    level: int | None = None


def may_be_imputed(sample: Float64, _codes: IntArray) -> bool:
    """Whether some value of a sample of a column stands out by its number; cheap, and true of all that have spikes."""
    x = sample[measured(sample)]
    if len(x) < LEAST_OTHERS + LEAST_COUNT:
        return False
    distinct, counts = np.unique(x, return_counts=True)
    if len(distinct) < LEAST_OTHERS / 2:
        return False
    background = int(np.sort(counts)[-25]) if len(counts) >= 25 else int(counts.min())
    return int(counts.max()) >= max(LEAST_COUNT, OUTSTANDING * background) or len(_finer(distinct, counts)) > 0


def imputation_of(values: Float64, codes: IntArray, sets: Sequence[FitSet]) -> Imputed | None:
    """Find the spike that is a mean or median, and the rows that it was computed on.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        As in the file; those that are not finite are left out.
    codes : ndarray of int64, shape (n,)
        Split of each row.
    sets : sequence of FitSet
        As `leakaudit.analysis.fitted.rows_seen.fit_sets` gives them.

    Returns
    -------
    Imputed or None
        None where there is no spike, or none that is the mean or median of any set.
    """
    there = measured(values)
    x = values[there]
    if not len(x):
        return None
    precision = precision_of(x)
    found = [_judge(x, codes[there], sets, spike, precision) for spike in _spikes(x)]
    best = _best([each for each in found if each is not None])
    return best and replace(best, rows=values == best.value)


def imputation_within(
    values: Float64, codes: IntArray, sets: Sequence[FitSet], levels: IntArray, n_levels: int
) -> Imputed | None:
    """The same within each class (or category), where each has a spike of its own.

    Parameters
    ----------
    levels : ndarray of int64, shape (n,)
        Class of each row, -1 where it has none.
    """
    found: list[Imputed] = []
    for level in range(n_levels):
        inside = (levels == level) & measured(values)
        x = values[inside]
        if len(x) < LEAST_OTHERS + LEAST_COUNT:
            continue
        precision = precision_of(x)
        for spike in _spikes(x):
            if inside[values == spike].mean() >= PURE:
                each = _judge(x, codes[inside], sets, spike, precision)
                if each is not None:
                    found.append(replace(each, level=level, rows=inside & (values == spike)))
    best = _best(found)
    if best is None or best.verdict != "fitted on both":
        return best
    if any(each.verdict == "fitted on train only" for each in found):
        return replace(best, verdict="cannot tell", fit=None, p_value=1.0)
    rows = np.logical_or.reduce([each.rows for each in found if each.fit is best.fit])
    return replace(best, rows=rows, p_value=min(1.0, best.p_value * n_levels))


def _best(found: Sequence[Imputed]) -> Imputed | None:
    order: tuple[Verdict, ...] = (
        "fitted on train only",
        "fitted on both",
        "fitted on each split by itself",
        "cannot tell",
    )
    return min(found, key=lambda each: (order.index(each.verdict), each.p_value), default=None)


def _spikes(x: Float64) -> list[float]:
    """Values that occur far more often than the others, most frequent first."""
    distinct, counts = np.unique(x, return_counts=True)
    if len(distinct) <= MOST_SPIKES + 1:
        return []
    order = np.argsort(-counts, kind="stable")[: MOST_SPIKES + 1]
    least = max(LEAST_COUNT, OUTSTANDING * int(counts[order[-1]]))
    frequent = [float(distinct[i]) for i in order[:-1] if counts[i] >= least]
    return [*frequent, *(value for value in _finer(distinct, counts) if value not in frequent)]


def _finer(distinct: Float64, counts: IntArray) -> list[float]:
    """Repeated values with more decimals than nearly all others have: 29.699 among ages in years."""
    for k in range(COARSE):
        y = distinct * 10.0**k
        fine = np.abs(y - np.rint(y)) > 1e-6 * np.maximum(np.abs(y), 1)
        if not fine.any():
            return []
        if float(counts[fine].sum()) < 0.5 * float(counts.sum()) and int(fine.sum()) <= 0.1 * len(distinct):
            repeated = np.flatnonzero(fine & (counts >= LEAST_COUNT))
            order = repeated[np.argsort(-counts[repeated], kind="stable")]
            return [float(value) for value in distinct[order[:MOST_SPIKES]]]
    return []


def _judge(x: Float64, codes: IntArray, sets: Sequence[FitSet], value: float, precision: Precision) -> Imputed | None:
    is_other = x != value
    others, codes = x[is_other], codes[is_other]
    own = precision_of(np.array([value]))
    rest = precision_of(others)
    finer = bool(own.errors(np.array([value]))[0] < 0.9 * rest.errors(np.array([value]))[0])
    is_round = value in (0.0, float(x.min()), float(x.max())) or _is_round(own, rest)
    usable = [each for each in sets if each.has_reference and int(each.mask(codes).sum()) >= LEAST_OTHERS]
    if not usable or usable[0].codes != (0,) or len(usable) < 2:
        return None
    error = min(float(p.errors(np.array([value]))[0]) for p in (own, rest))
    found = []
    for statistic in ("mean", "median"):
        at = _mean if statistic == "mean" else _median
        tried = {each.name: at(others[each.mask(codes)], value, error, rest, finer, is_round) for each in usable}
        verdict, fit = decide(usable, [tried[each.name][1] <= APART for each in usable])
        if verdict == "no sign of it":
            continue
        if fit is not None and tried[fit.name][1] > 1:
            verdict, fit = "cannot tell", None
        largest = max(usable, key=lambda each: len(each.codes))
        pooled = tried[fit.name if fit is not None and len(fit.codes) > 1 else largest.name]
        accident = tried[fit.name][2] if fit is not None else max(each[2] for each in tried.values())
        found.append(
            Imputed(
                "mean" if statistic == "mean" else "median",
                verdict,
                fit,
                min(1.0, accident * len(usable)),
                value,
                np.zeros(0, dtype=np.bool_),
                tried[usable[0].name][0],
                pooled[0],
                own if finer else rest,
                is_round,
            )
        )
    return _best(found)


def _mean(
    others: Float64, value: float, error: float, precision: Precision, finer: bool, _is_round: bool
) -> tuple[float, float, float]:
    """Mean, how far it misses the value in units of what rounding allows, and the chance of an accident."""
    mean, spread = float(others.mean()), float(others.std())
    allowed = error + precision.floor * spread if not finer else error + 1e-9 * max(spread, abs(mean))
    if not finer:  # the others were rounded along with the spike, not before
        distinct, counts = np.unique(others, return_counts=True)
        errors = precision.errors(distinct)
        summed = SIGMAS * sqrt(float((counts**2 * errors**2).sum()) / 3) / len(others)
        allowed += min(summed, float((counts * errors).sum()) / len(others))
    chance = min(1.0, 2 * allowed / (sqrt(2 * pi) * spread)) if spread > 0 else 1.0
    return mean, abs(mean - value) / allowed, chance


def _median(
    others: Float64, value: float, error: float, _precision: Precision, _finer: bool, is_round: bool
) -> tuple[float, float, float]:
    """The same for the median.

    With an odd number of values the median is one of them, and all rows that hold it look imputed: then as many of the
    others lie below it as above. With an even number it lies midway between two of the others.
    """
    n, below, above = len(others), int((others < value).sum()), int((others > value).sum())
    middle = np.sort(np.partition(others, [max(n // 2 - 1, 0), n // 2])[max(n // 2 - 1, 0) : n // 2 + 1])
    median = float(np.median(others))
    gap = float(middle[-1] - middle[0])
    slack = error + 1e-9 * gap
    # Of the ranks near the centre, about n / 2, the spike may have any; a round one may be the centre by nature.
    rank = 1.0 if _repeats(others, value) else min(1.0, 0.8 / sqrt(n) if is_round else 2 / n)
    if n % 2 == 0 and abs(median - value) <= slack:
        return median, 0.0, rank * min(1.0, 2 * slack / gap) if gap > 0 else 1.0
    if below == above:
        return value, 0.0, rank
    return median, APART + 1 + abs(median - value) / max(error, 1e-300), 1.0


def _repeats(others: Float64, value: float) -> bool:
    """Whether the values next to the spike occur several times each, as in counts: its median is one of few values."""
    distinct, counts = np.unique(others, return_counts=True)
    at = int(np.searchsorted(distinct, value))
    return bool(counts[max(at - 3, 0) : at + 3].mean() >= 1.5)


def _is_round(own: Precision, rest: Precision) -> bool:
    if own.kind != "decimals":
        return False
    return (rest.kind == "decimals" and own.digits <= rest.digits - DECIMALS_FEWER) or (
        rest.kind != "decimals" and own.digits <= DECIMALS_FEWER + 1
    )
