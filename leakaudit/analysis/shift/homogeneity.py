"""Were two samples of categories drawn from the same population? Effect, interval and significance together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import IntArray

SIMULATIONS = 9_999
"""Random tables behind a Monte-Carlo p-value: its standard error at p = 0.05 is 0.002."""

SMALLEST_EXPECTED = 5.0
"""Below this expected count in any cell the chi-square approximation is replaced by simulation (Cochran 1954)."""


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """Result of `homogeneity`.

    Parameters
    ----------
    distance : float
        Standardised distance between the two populations, ``sqrt((chi² − df) / n_effective)`` with ``n_effective`` =
        n₁n₂/(n₁+n₂), 0 where chi² is below its df degrees of freedom, as chance gives them (without subtracting them
        two samples of one population of 30 classes seem apart). For two equally frequent classes it is twice the
        difference in share. On the scale of a standardised mean difference: 0.2 is small, 0.5 medium (Cohen 1988).
    low, high : float
        Bounds of its 95 % interval, from the non-central chi-square distribution; `distance` lies between them.
    p_value : float
        Of the chi-square test that both were drawn from one population.
    detectable : float
        The smallest distance of which the interval would lie above `smallest` in four of five cases.
    moved : float
        Total variation distance: the share of one side that would have to change class.
    """

    distance: float
    low: float
    high: float
    p_value: float
    detectable: float
    moved: float


def homogeneity(first: Sequence[int], second: Sequence[int], seed: int = 0, *, smallest: float = 0.0) -> Homogeneity:
    """Compare two rows of counts over the same categories; both are random samples.

    Parameters
    ----------
    first, second : sequence of int, shape (k,)
        Counts by category; categories empty on both sides are left out.
    seed : int, default 0
        Of the simulation that replaces the chi-square approximation where counts are small.
    smallest : float, default 0
        The distance that the interval has to lie above, for `Homogeneity.detectable`.

    Raises
    ------
    ValueError
        When one side is empty.
    """
    table: IntArray = np.array([first, second], dtype=np.int64)
    table = table[:, table.sum(axis=0) > 0]
    n = table.sum(axis=1)
    if not n.all():
        raise ValueError("both samples must hold something")
    shares = table / n[:, None]
    moved = min(1.0, float(np.abs(shares[0] - shares[1]).sum() / 2))
    n_effective = float(n[0] * n[1] / n.sum())
    degrees = table.shape[1] - 1
    if not degrees:
        return Homogeneity(0.0, 0.0, 0.0, 1.0, 0.0, moved)
    pooled = table.sum(axis=0) / n.sum()
    statistic = n_effective * float((np.square(shares[0] - shares[1]) / pooled).sum())
    low, high = noncentrality_interval(statistic, degrees)
    return Homogeneity(
        distance=unbiased(statistic, degrees, n_effective),
        low=float(np.sqrt(low / n_effective)),
        high=float(np.sqrt(high / n_effective)),
        p_value=_p_value(statistic, table, pooled, degrees, seed),
        detectable=float(np.sqrt(detectable_noncentrality(degrees, n_effective * smallest**2) / n_effective)),
        moved=moved,
    )


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that control the false discovery rate (Benjamini and Hochberg 1995), in the order given."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)[::-1]
    rank = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate(np.minimum(1.0, p[order] * len(p) / rank))
    return [float(value) for value in adjusted]


def _p_value(statistic: float, table: IntArray, pooled: np.ndarray, degrees: int, seed: int) -> float:
    from scipy.special import chdtrc

    n = table.sum(axis=1)
    if n.min() * pooled.min() >= SMALLEST_EXPECTED:
        return float(chdtrc(degrees, statistic))
    rng = np.random.default_rng(seed)
    smaller = int(n.argmin())
    beyond = done = 0
    while done < SIMULATIONS:  # in blocks, so that a thousand classes need no gigabyte
        block = min(SIMULATIONS - done, max(1, 4_000_000 // len(pooled)))
        drawn = rng.multivariate_hypergeometric(table.sum(axis=0), int(n[smaller]), size=block, method="marginals")
        difference = drawn / n[smaller] - (table.sum(axis=0) - drawn) / n[1 - smaller]
        simulated = n[0] * n[1] / n.sum() * (np.square(difference) / pooled).sum(axis=1)
        beyond += int((simulated >= statistic * (1 - 1e-12)).sum())
        done += block
    return (1 + beyond) / (1 + SIMULATIONS)


def noncentrality_interval(statistic: float, degrees: int, alpha: float = 0.05) -> tuple[float, float]:
    """Bounds of the non-centrality at which `statistic` is the upper and the lower alpha/2 quantile (Steiger 2004)."""
    return (
        _noncentrality(statistic, degrees, 1 - alpha / 2),
        _noncentrality(statistic, degrees, alpha / 2),
    )


def unbiased(statistic: float, degrees: int, weight: float) -> float:
    """The distance whose chi-square statistic is expected to be this one: its degrees of freedom are what chance adds.

    The mean of the non-central distribution is its non-centrality plus the degrees of freedom, so their difference is
    an unbiased estimate of the non-centrality, but for the cut at 0.
    """
    return float(np.sqrt(max(statistic - degrees, 0.0) / weight))


def detectable_noncentrality(degrees: int, smallest: float = 0.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """The non-centrality of which the lower bound of the interval exceeds `smallest` with this power.

    With `smallest` 0: at which a chi-square test at level `alpha` has this power.
    """
    from scipy.special import chdtri, chndtrix

    if smallest <= 0:
        return _noncentrality(float(chdtri(degrees, alpha)), degrees, 1 - power)
    critical = float(chndtrix(1 - alpha / 2, degrees, smallest))
    return _noncentrality(critical, degrees, 1 - power) if np.isfinite(critical) else smallest


def _noncentrality(statistic: float, degrees: int, probability: float) -> float:
    """The non-centrality at which the distribution function at `statistic` is `probability`, 0 where it is below there.

    By bisection: the function falls monotonously, and `scipy.special` loads in a fraction of the time of `scipy.stats`.
    """
    from scipy.special import chndtr

    if chndtr(statistic, degrees, 0.0) <= probability:
        return 0.0
    low, high = 0.0, max(statistic, 1.0)
    while chndtr(statistic, degrees, high) > probability:
        low, high = high, 2 * high
    while high - low > 1e-9 * max(1.0, high):
        middle = (low + high) / 2
        if chndtr(statistic, degrees, middle) > probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2
