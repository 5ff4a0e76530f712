"""Which rows a column was scaled over: standard, centred, min-max, max-abs and robust scaling.

A scaler leaves its statistics behind: over the rows that it was fitted on the mean is 0 and the standard deviation 1,
or the extremes are 0 and 1, or the median is 0 and the interquartile range 1. Over other rows of the same population
they miss by about ``sd / sqrt(n)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, pi, sqrt
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.fitted.precision import Precision, measured, precision_of, small_fractions, step_of
from leakaudit.analysis.fitted.rows_seen import FitSet, Verdict, decide

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

Scaler: TypeAlias = Literal[
    "standard", "centred", "min-max to [0, 1]", "min-max to [-1, 1]", "max-abs", "robust", "none"
]

LEAST_ROWS = 20
"""Fewer values than this in the reference split say nothing."""

SIGMAS = 6.0
"""Rounding errors add up as independent ones; this many standard deviations of their sum are allowed for."""

APART = 3.0
"""A set misses a statistic only beyond this many times the allowance."""

NEAR = 0.2
"""Columns whose mean and standard deviation (median, interquartile range) over all sampled rows are farther than this
from 0 and 1 were not scaled by that scaler, on whatever rows; also for as few as 100 rows of a random split."""

FEW_ALIKE = 4
"""More equal values than this at the median are no accident of rounding."""

CROWDED = 0.05
"""Least gap beside an extreme, in mean gaps, of a column that was stretched to its bounds. Where values crowd at the
bound, as those of a sine do, the bound is natural."""

MIRRORED = 0.5
"""Share of the negative values whose positive counterpart occurs, too, beyond which a column is symmetric by design."""

POSSIBLE = 0.1
"""Chance of an accident from which on meeting the statistics is no sign of scaling at all."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Statistics of a column over one set of rows, each with the error that rounding allows it.

    `spread` is the population standard deviation, `spread_1` the sample one (ddof 1).
    """

    n: int
    mean: float
    mean_error: float
    spread: float
    spread_1: float
    spread_error: float
    least: float
    largest: float
    median: float
    iqr: float
    rank_error: float


@dataclass(frozen=True, slots=True)
class Scaled:
    """What was done to one column.

    Parameters
    ----------
    scaler : Scaler
    verdict : Verdict
    fit : FitSet or None
        Rows that it was fitted on, where that is known.
    p_value : float
        Bound on the chance that a column that was not scaled meets the statistics as well.
    strong : bool
        This column alone is enough; otherwise another one must agree.
    precision : Precision
    reference, pooled : Moments or None
        Over the reference split, and over `fit` (or all splits).
    """

    scaler: Scaler
    verdict: Verdict
    fit: FitSet | None
    p_value: float
    strong: bool
    precision: Precision
    reference: Moments | None = None
    pooled: Moments | None = None


@dataclass(frozen=True, eq=False, slots=True)
class _Column:
    """One column, and what is asked of it more than once."""

    values: Float64
    codes: IntArray
    precision: Precision
    scale: float
    moments: dict[str, Moments] = field(default_factory=dict)

    def over(self, fit: FitSet) -> Moments:
        if fit.name not in self.moments:
            self.moments[fit.name] = _moments(self.values[fit.mask(self.codes)], self.precision, self.scale)
        return self.moments[fit.name]


def may_be_scaled(sample: Float64, _codes: IntArray) -> bool:
    """Whether a sample of a column looks as if some scaler had made it; cheap, and true of all that were scaled."""
    x = sample[measured(sample)]
    if len(x) < LEAST_ROWS:
        return False
    least, largest, mean, spread = float(x.min()), float(x.max()), float(x.mean()), float(x.std())
    if least == largest:
        return False
    if abs(mean) <= NEAR * spread or (least >= -1.5 and largest <= 1.5 and max(-least, largest) >= 0.05):
        return True
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    return bool(abs(middle) <= NEAR and abs(high - low - 1) <= NEAR)


def scaling_of(values: Float64, codes: IntArray, sets: Sequence[FitSet]) -> Scaled:
    """Find the scaler, and the rows that it was fitted on.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        As in the file; those that are not finite are left out, as scalers do.
    codes : ndarray of int64, shape (n,)
        Split of each row.
    sets : sequence of FitSet
        As `leakaudit.analysis.fitted.rows_seen.fit_sets` gives them.
    """
    there = measured(values)
    values, codes = values[there], codes[there]
    precision = precision_of(values)
    none = Scaled("none", "no sign of it", None, 1.0, False, precision)
    usable = [each for each in sets if each.mask(codes).any()]
    if not usable or usable[0].codes != (0,) or int((codes == 0).sum()) < LEAST_ROWS or len(usable) < 2:
        return none
    scale = float(values.std())
    if not 0 < scale < inf:
        return none
    column = _Column(values, codes, precision, scale)
    found = [
        _standard(column, usable),
        _centred(column, usable),
        _robust(column, usable),
        _bounded(column, usable, "min-max to [0, 1]"),
        _bounded(column, usable, "min-max to [-1, 1]"),
        _bounded(column, usable, "max-abs"),
    ]
    order: Mapping[Verdict, int] = {
        "fitted on both": 0,
        "fitted on train only": 1,
        "fitted on each split by itself": 2,
        "cannot tell": 3,
    }
    return min((each for each in found if each is not None), key=lambda each: order[each.verdict], default=none)


# --- one scaler each ------------------------------------------------------------------------------------------


def _standard(column: _Column, sets: Sequence[FitSet]) -> Scaled | None:
    if all(abs(m.mean) > NEAR or abs(m.spread - 1) > NEAR for m in _ends(column, sets)):
        return None
    kurtosis = float(((column.values - column.values.mean()) ** 4).mean()) / column.scale**4
    freedom = sqrt(max(kurtosis - 1, 0.0) / 4)  # times sd / sqrt(n): standard error of a standard deviation

    def misses(m: Moments) -> float:
        spread = min(abs(m.spread - 1), abs(m.spread_1 - 1))
        return max(abs(m.mean) / m.mean_error, spread / m.spread_error)

    def chance(m: Moments) -> float:
        error = column.scale / sqrt(m.n)
        return _within(m.mean_error, error) * min(1.0, 2 * _within(m.spread_error, freedom * error))

    found = _judge(column, sets, "standard", misses, chance)
    if found is None and all(abs(m.mean) <= NEAR / 2 and abs(m.spread - 1) <= NEAR / 2 for m in _ends(column, sets)):
        return Scaled("standard", "cannot tell", None, 1.0, False, column.precision, *_ends(column, sets))
    return found


def _centred(column: _Column, sets: Sequence[FitSet]) -> Scaled | None:
    """Mean 0 with any spread: centred values in other units, principal components."""
    if column.precision.kind not in ("double", "float32") or _mirrored(column.values):
        return None
    if int(np.gcd.reduce(np.unique(column.values, return_counts=True)[1])) > 1:
        return None  # whole periods: the cosine of the weekday has mean 0 over whole weeks, too

    def misses(m: Moments) -> float:
        return abs(m.mean) / m.mean_error

    def chance(m: Moments) -> float:
        return _within(m.mean_error, column.scale / sqrt(m.n))

    return _judge(column, sets, "centred", misses, chance)


def _robust(column: _Column, sets: Sequence[FitSet]) -> Scaled | None:
    if all(abs(m.median) > NEAR or abs(m.iqr - 1) > NEAR for m in _ends(column, sets)):
        return None
    middle = column.over(sets[0]).median
    if int((np.abs(column.values - middle) <= 2 * column.over(sets[0]).rank_error).sum()) > FEW_ALIKE:
        return None  # many values at the median, as in counts: it is 0 because they are
    if _mirrored(column.values):
        return None
    step = step_of(np.unique(column.values))

    def misses(m: Moments) -> float:
        return max(abs(m.median), abs(m.iqr - 1)) / m.rank_error

    def chance(m: Moments) -> float:
        # Standard errors of the median and of the interquartile range of a normal sample: 1.25 and 1.57 sd / sqrt(n).
        error, sd = max(m.rank_error, step / 2), m.iqr / 1.35 / sqrt(m.n)
        return _within(error, 1.25 * sd) * _within(error, 1.57 * sd)

    return _judge(column, sets, "robust", misses, chance)


def _mirrored(values: Float64) -> bool:
    """Whether most values have their negative among them: the sine of the hour, a grid from -1 to 1.

    Where each is there equally often, their mean and median are 0, and nobody made them so.
    """
    size = np.sort(values[values > 0])
    negative = -values[values < 0]
    if not len(size) or not len(negative):
        return False
    at = np.clip(np.searchsorted(size, negative), 1, len(size) - 1) if len(size) > 1 else np.zeros(len(negative), int)
    off = np.minimum(np.abs(size[at] - negative), np.abs(size[at - 1] - negative))
    return bool((off <= 1e-9 * negative).mean() > MIRRORED)


def _bounded(column: _Column, sets: Sequence[FitSet], scaler: Scaler) -> Scaled | None:
    low = 0.0 if scaler == "min-max to [0, 1]" else -1.0
    error = max(float(column.precision.errors(np.ones(1))[0]), column.precision.floor)

    def misses(m: Moments) -> float:
        if scaler == "max-abs":
            return abs(max(-m.least, m.largest) - 1) / error
        return max(abs(m.least - low), abs(m.largest - 1)) / error

    if not any(misses(column.over(each)) <= 1 for each in sets):
        return None
    distinct, counts = np.unique(column.values, return_counts=True)
    step = max(2 * error, step_of(distinct))
    ends = [1.0 if small_fractions(distinct) else _end_chance(distinct, counts, step, at) for at in (0, -1)]

    if min(ends) > POSSIBLE or len(distinct) <= 2:
        return None  # a share, a rating or a dummy variable: its bounds are its own

    def chance(m: Moments) -> float:
        if scaler != "max-abs":
            return ends[0] * ends[1]
        return ends[0] if -m.least > m.largest else ends[1]

    found = _judge(column, sets, scaler, misses, chance)
    if found is not None and found.verdict == "fitted on each split by itself":
        found = replace(found, verdict="cannot tell")  # the same extremes in every split
    return found and replace(found, strong=scaler != "max-abs" and max(ends) <= POSSIBLE)


def _end_chance(distinct: Float64, counts: npt.NDArray[np.int64], step: float, at: int) -> float:
    """Chance that an extreme of a column that was not stretched to a bound lies on it to within a step."""
    gap = abs(float(distinct[at] - distinct[1 if at == 0 else -2]))
    crowded = gap < CROWDED * float(distinct[-1] - distinct[0]) / len(distinct)
    return 1.0 if crowded or counts[at] > 1 else min(1.0, step / gap)


# --- what they share ------------------------------------------------------------------------------------------


def _judge(
    column: _Column,
    sets: Sequence[FitSet],
    scaler: Scaler,
    misses: Callable[[Moments], float],
    chance: Callable[[Moments], float],
) -> Scaled | None:
    """Verdict from how far each set misses, in allowances; None where no set meets the statistics."""
    ratios = {each.name: misses(column.over(each)) for each in sets}
    verdict, fit = decide(sets, [ratios[each.name] <= APART for each in sets])
    if verdict == "no sign of it":
        return None
    if fit is not None and ratios[fit.name] > 1:
        verdict, fit = "cannot tell", None
    reference, pooled = _ends(column, sets)
    if verdict == "fitted on both" and fit is not None:
        pooled = column.over(fit)
    accident = chance(pooled)
    if accident > POSSIBLE:
        return None
    p_value = min(1.0, accident * sum(each.has_reference for each in sets))
    return Scaled(scaler, verdict, fit, p_value, True, column.precision, reference, pooled)


def _ends(column: _Column, sets: Sequence[FitSet]) -> tuple[Moments, Moments]:
    """Statistics over the reference split, and over the largest set that holds it."""
    largest = max((each for each in sets if each.has_reference), key=lambda each: len(each.codes))
    return column.over(sets[0]), column.over(largest)


def _moments(x: Float64, precision: Precision, scale: float) -> Moments:
    distinct, counts = np.unique(x, return_counts=True)
    errors, n = precision.errors(distinct), len(x)
    mean, spread = float(x.mean()), float(x.std())
    # Rounding is uniform over ± error: variance error² / 3. Equal values are rounded alike.
    summed = SIGMAS * sqrt(float((counts**2 * errors**2).sum()) / 3) / n
    mean_error = min(summed, float((counts * errors).sum()) / n) + precision.floor * scale
    squares = SIGMAS * 2 * sqrt(float((counts**2 * (distinct - mean) ** 2 * errors**2).sum()) / 3) / n
    squares += float((counts * errors**2).sum()) / n
    rank_error = 2 * float(precision.errors(np.ones(1))[0]) + precision.floor
    low, median, high = (float(q) for q in np.quantile(x, [0.25, 0.5, 0.75]))
    return Moments(
        n=n,
        mean=mean,
        mean_error=mean_error,
        spread=spread,
        spread_1=spread * sqrt(n / (n - 1)) if n > 1 else 0.0,
        spread_error=squares / (2 * max(spread, 1e-3 * scale)) + precision.floor * scale,
        least=float(distinct[0]),
        largest=float(distinct[-1]),
        median=median,
        iqr=high - low,
        rank_error=rank_error,
    )


def _within(error: float, sd: float) -> float:
    """Chance that a normal quantity of this standard deviation comes within `error` of a number; at most 1."""
    return min(1.0, 2 * error / (sqrt(2 * pi) * sd)) if sd > 0 else 1.0
