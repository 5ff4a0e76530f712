"""Were two samples of a quantity drawn from the same population? Effect, interval and significance from ranks.

The effect is the probability of superiority ``P(first > second) + P(equal) / 2``, told on the scale of a standardised
mean difference: ``d = √2 · Φ⁻¹(P)``, which is Cohen's d for two normal distributions of one variance (0.2 is small, 0.5
medium; Cohen 1988; Ruscio 2008). Ranks ask for no distribution, and one absurd value moves them as little as any other.

Where both samples fall into strata (classes), each stratum is compared with itself and the results are averaged with
the weights of van Elteren (1960), so that a shift of class shares is not told again as a shift of every feature.

Where samples belong to groups (rows of one patient), a split by groups has drawn groups, not samples: the weight is
divided by Kish's design effect ``1 + (m − 1) ρ`` (Survey Sampling, 1965), with ρ the intraclass correlation of the
ranks and m the size-weighted mean group size. Values that are constant within a group then count once a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

Z_INTERVAL = 1.959964
"""Normal quantile of a two-sided 95 % interval."""

Z_POWER = 0.841621
"""Normal quantile of a power of 0.8."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Result of `compare`.

    Parameters
    ----------
    effect : float
        ``d``; positive where the first sample is larger (or, for ``spread``, lies further from the middle).
    low, high : float
        Bounds of the 95 % interval of ``|d|``; `low` is 0 where the interval of ``d`` holds 0.
    p_value : float
        Two-sided, of the (stratified) Wilcoxon rank-sum test with ties.
    detectable : float
        The smallest ``|d|`` of which the interval would lie above `smallest` in four of five cases.
    weight : float
        ``Σ n₁n₂/(n₁+n₂+1)`` over the strata, divided by the design effect: what the comparison can see grows with it.
        Zero where no stratum has both sides.
    """

    effect: float
    low: float
    high: float
    p_value: float
    detectable: float
    weight: float


def compare(
    values: npt.NDArray[np.float64],
    first: npt.NDArray[np.bool_],
    strata: IntArray | None = None,
    groups: IntArray | None = None,
    *,
    smallest: float = 0.0,
) -> Shift:
    """Compare where a quantity lies in two samples.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Both samples together; not-a-number values are left out, infinite ones are the largest.
    first : ndarray of bool, shape (n,)
        Which of them are the first sample.
    strata : ndarray of int64, shape (n,), optional
        Class of each; negative: unknown, a stratum of its own.
    groups : ndarray of int64, shape (n,), optional
        Group of each; negative: none, alone.
    smallest : float, default 0
        The ``|d|`` that the interval has to lie above, for `Shift.detectable`.

    Notes
    -----
    The interval inverts the score equation ``|θ̂ − θ| = z √V(θ)``, with the variance of Newcombe's method 5 (Statistics
    in Medicine 25 (2006) 559), written for the summed weight of the strata: at θ = ½ it is the exact null variance of
    the rank sum without ties, which ties can only make smaller.
    """
    known = ~np.isnan(values)
    values, first = values[known], first[known]
    strata = np.zeros(len(values), dtype=np.int64) if strata is None else strata[known]
    ranks = _stratum_ranks(values, strata)
    superiority, weight, null_variance = _van_elteren(ranks, first)
    if groups is not None and weight > 0:
        design = design_effect(ranks.place, first, groups[known])
        weight, null_variance = weight / design, null_variance * design
    if weight <= 0:
        return Shift(0.0, 0.0, 0.0, 1.0, float("inf"), 0.0)
    bounds = _score_interval(superiority, weight)
    below, above = _standardised(bounds[0]), _standardised(bounds[1])
    effect = _standardised(superiority)
    inside = below <= 0 <= above
    target = min(_superiority(smallest) + (Z_INTERVAL + Z_POWER) * (12 * weight) ** -0.5, 1.0)
    return Shift(
        effect=effect,
        low=0.0 if inside else min(abs(below), abs(above)),
        high=max(abs(below), abs(above)),
        p_value=_two_sided(superiority - 0.5, null_variance),
        detectable=_standardised(target),
        weight=weight,
    )


def compare_spread(
    values: npt.NDArray[np.float64],
    first: npt.NDArray[np.bool_],
    strata: IntArray | None = None,
    groups: IntArray | None = None,
    *,
    smallest: float = 0.0,
) -> Shift:
    """Compare how far a quantity lies from its middle in two samples; parameters as in `compare`.

    The middle is the median of both samples together, of each stratum. It sees what `compare` cannot: half of one
    sample blurred and half sharpened.
    """
    strata = np.zeros(len(values), dtype=np.int64) if strata is None else strata
    order = np.lexsort((values, strata))  # not-a-number values come last in their stratum
    counts = np.bincount(strata[order] - strata.min(initial=0), weights=~np.isnan(values[order])).astype(np.int64)
    starts = np.searchsorted(strata[order], np.arange(len(counts)) + strata.min(initial=0))
    middle = np.full(len(counts), np.nan)
    some = counts > 0
    lower, upper = starts[some] + (counts[some] - 1) // 2, starts[some] + counts[some] // 2
    ordered = values[order]
    middle[some] = ordered[lower] / 2 + ordered[upper] / 2  # halves first: the sum of huge numbers is infinite
    with np.errstate(invalid="ignore", over="ignore"):  # infinity minus infinity is unknown, and left out
        distance = np.abs(values - middle[strata - strata.min(initial=0)])
    return compare(distance, first, strata, groups, smallest=smallest)


def telling_stratum(
    values: npt.NDArray[np.float64], first: npt.NDArray[np.bool_], strata: IntArray | None
) -> int | None:
    """The stratum in which the two samples differ most, weighed as `compare` weighs it; None where there is but one.

    Its figures are those of the comparison. Figures over all strata are not: they may be alike where those of each
    stratum are not (the label was turned round), and the other way round (classes in other shares).
    """
    if strata is None:
        return None
    ranks = _stratum_ranks(values, strata)
    n_first = np.bincount(ranks.stratum, weights=first, minlength=len(ranks.sizes))
    n_second = ranks.sizes - n_first
    both = n_first * n_second > 0
    if both.sum() < 2:
        return None
    rank_sum = np.bincount(ranks.stratum, weights=ranks.rank * first, minlength=len(ranks.sizes))
    excess = np.abs(rank_sum - n_first * (ranks.sizes + 1) / 2) / (ranks.sizes + 1)
    return int(np.unique(strata)[np.where(both, excess, -1).argmax()])


@dataclass(frozen=True, eq=False, slots=True)
class _Ranks:
    """Mid-ranks inside strata: `rank` from 1, `place` = rank / (stratum's size + 1), and the tie correction."""

    stratum: IntArray
    rank: npt.NDArray[np.float64]
    place: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.float64]
    untied: npt.NDArray[np.float64]


def _stratum_ranks(values: npt.NDArray[np.float64], strata: IntArray) -> _Ranks:
    order = np.lexsort((values, strata))
    ordered, ordered_strata = values[order], strata[order]
    edges = _starts(ordered_strata)
    sizes = np.diff(np.append(edges, len(values)))
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    new_value = np.ones(len(values), dtype=bool)
    new_value[1:] = (ordered[1:] != ordered[:-1]) | (stratum[1:] != stratum[:-1])
    ties = np.diff(np.append(np.flatnonzero(new_value), len(values)))
    tie_at = np.cumsum(new_value) - 1
    rank = np.empty(len(values))
    rank[order] = np.append(0, np.cumsum(ties))[tie_at] + (ties[tie_at] + 1) / 2 - np.repeat(edges, sizes)
    at = np.empty(len(values), dtype=np.int64)
    at[order] = stratum
    tied = np.bincount(stratum[new_value], weights=ties.astype(np.float64) ** 3 - ties, minlength=len(sizes))
    n = sizes.astype(np.float64)
    untied = 1 - tied / np.maximum(n**3 - n, 1)
    return _Ranks(at, rank, rank / (n[at] + 1), n, untied)


def _van_elteren(ranks: _Ranks, first: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Weighted probability of superiority, summed weight, and null variance with ties."""
    n_strata = len(ranks.sizes)
    n_first = np.bincount(ranks.stratum, weights=first, minlength=n_strata)
    n_second = ranks.sizes - n_first
    both = (n_first > 0) & (n_second > 0)
    if not both.any():
        return 0.5, 0.0, 0.0
    rank_sum = np.bincount(ranks.stratum, weights=ranks.rank * first, minlength=n_strata)[both]
    a, b, n = n_first[both], n_second[both], ranks.sizes[both]
    share = (rank_sum - a * (a + 1) / 2) / (a * b)
    weights = a * b / (n + 1)
    total = float(weights.sum())
    null_variance = float((weights**2 * ranks.untied[both] * (n + 1) / (12 * a * b)).sum()) / total**2
    return float((weights * share).sum()) / total, total, null_variance


def design_effect(places: npt.NDArray[np.float64], first: npt.NDArray[np.bool_], groups: IntArray) -> float:
    """``1 + (m − 1) ρ``, ρ from the one-way analysis of variance of the places less the means of the two sides.

    Parameters
    ----------
    places : ndarray of float64, shape (n,)
        What was measured: ranks over their number, or 0 and 1.
    first : ndarray of bool, shape (n,)
        Which of the samples are on the first side.
    groups : ndarray of int64, shape (n,)
        Negative: none, alone.
    """
    groups = np.where(groups < 0, groups.max(initial=0) + 1 + np.arange(len(groups)), groups)
    _, at, sizes = np.unique(groups * 2 + first, return_inverse=True, return_counts=True)
    n, n_groups = len(places), len(sizes)
    if n_groups in (n, 1):
        return 1.0
    rest = places - np.where(first, places[first].mean(), places[~first].mean())
    means = np.bincount(at, weights=rest) / sizes
    between = float((sizes * means**2).sum()) / max(n_groups - 2, 1)
    within = float(((rest - means[at]) ** 2).sum()) / (n - n_groups)
    typical = (n - float((sizes**2).sum()) / n) / (n_groups - 1)
    variance = between + (typical - 1) * within
    correlation = max(0.0, (between - within) / variance) if variance > 0 else 0.0
    return 1 + (float((sizes**2).sum()) / n - 1) * correlation


def _starts(ordered: np.ndarray) -> IntArray:
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _score_interval(observed: float, weight: float) -> tuple[float, float]:
    from scipy.optimize import brentq

    def excess(theta: float) -> float:
        shape = 6 * theta * (1 - theta) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (observed - theta) ** 2 - Z_INTERVAL**2 * shape / (12 * weight)

    edge = 1e-9
    inner = min(max(observed, edge), 1 - edge)  # at 0 and 1 the variance vanishes and every bound would solve it
    low = float(brentq(excess, edge, inner)) if excess(edge) > 0 > excess(inner) else min(observed, inner)
    high = float(brentq(excess, inner, 1 - edge)) if excess(1 - edge) > 0 > excess(inner) else max(observed, inner)
    return low, high


def _standardised(superiority: float) -> float:
    from scipy.special import ndtri

    return float(2**0.5 * ndtri(min(max(superiority, 1e-12), 1 - 1e-12)))


def _superiority(standardised: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(standardised / 2**0.5))


def _two_sided(difference: float, variance: float) -> float:
    from scipy.special import ndtr

    if variance <= 0:
        return 1.0
    return min(1.0, float(2 * ndtr(-abs(difference) / variance**0.5)))
