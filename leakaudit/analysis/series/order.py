"""How two splits lie in time: one after the other, in blocks, or shuffled into each other like cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]
    Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Interleaving:
    """Where held-out rows lie among the reference rows in time, group by group.

    Parameters
    ----------
    n_held_out, n_reference : int
        Rows with a time.
    n_apart : int
        Held-out rows whose group has no reference row: nothing to compare them with.
    n_inside : int
        Held-out rows earlier than the last, and not earlier than the first, reference row of their group.
    n_before : int
        Held-out rows earlier than every reference row of their group.
    n_between : int
        Held-out rows whose neighbours in time are both reference rows of their group, the next one later than they.
    held_out, reference : tuple of float
        First and last time of either side.
    n_changes : int
        Changes of side between neighbours in time (runs less one); rows of equal time stand in random order.
    expected_changes, deviation : float
        Mean and standard deviation of it if every row had been assigned at random (Wald and Wolfowitz 1940), summed
        over groups.
    step : float
        The sampling step: median gap between neighbouring distinct times within groups; NaN where there is none.
    regular : float
        Share of all gaps between neighbours within groups that are within a tenth of it; 1: evenly sampled.
    nearest : ndarray of float64
        Of each held-out row that is not apart: the gap to the nearest reference row of its group.
    n_same : int
        Held-out rows at the very time of a reference row of their group.
    n_same_by_chance : float
        What it would be if times were shared across the two sides as they are inside them.
    repeated : float
        Share of the rows that have their time in common with another row of their own side and group, on the side
        where it is larger; 0: each time once, as in a series.
    """

    n_held_out: int
    n_reference: int
    n_apart: int
    n_inside: int
    n_before: int
    n_between: int
    held_out: tuple[float, float]
    reference: tuple[float, float]
    n_changes: int
    expected_changes: float
    deviation: float
    step: float
    regular: float
    nearest: Float64
    n_same: int = 0
    n_same_by_chance: float = 0.0
    repeated: float = 0.0

    @property
    def n_compared(self) -> int:
        """Held-out rows that have reference rows to be compared with."""
        return self.n_held_out - self.n_apart

    @property
    def n_not_after(self) -> int:
        """Held-out rows earlier than the last reference row of their group."""
        return self.n_inside + self.n_before

    @property
    def share_of_random(self) -> float:
        """Changes of side as a share of those that random assignment makes: 1 shuffled, near 0 in order or blocks."""
        return self.n_changes / self.expected_changes if self.expected_changes else 0.0

    @property
    def z(self) -> float:
        """Standardised number of changes: about 0 if assigned at random, far below for an order in time."""
        return (self.n_changes - self.expected_changes) / self.deviation if self.deviation else 0.0

    @property
    def median_gap(self) -> float:
        """Median gap of held-out rows to the nearest reference row; NaN where nothing is compared."""
        return float(np.median(self.nearest)) if len(self.nearest) else float("nan")

    @property
    def within_step(self) -> float:
        """Share of the compared held-out rows with a reference row no farther than the sampling step."""
        if not len(self.nearest) or np.isnan(self.step):
            return 0.0
        return float((self.nearest <= self.step * (1 + 1e-9)).mean())


def interleaving(times: Float64, held_out: Bools, groups: IntArray | None = None) -> Interleaving:
    """Measure how two splits lie in time.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Of the rows of both splits; NaN where missing: those rows are left out.
    held_out : ndarray of bool, shape (n,)
        Which rows are held out; the others are the reference.
    groups : ndarray of int64, shape (n,), optional
        Compare within groups only, because each has a time of its own; negative: no group, left out.

    Notes
    -----
    With nᵢ rows of a group, aᵢ of them held out and bᵢ reference, random assignment gives 2aᵢbᵢ/nᵢ changes in the mean
    with variance (μ−1)(μ−2)/(nᵢ−1), μ = 2aᵢbᵢ/nᵢ + 1.

    References
    ----------
    A. Wald, J. Wolfowitz, On a test whether two samples are from the same population, Annals of Mathematical
    Statistics 11 (1940).
    """
    known = np.isfinite(times)
    if groups is not None:
        known &= groups >= 0
    times, held_out = times[known], held_out[known]
    group = np.zeros(len(times), dtype=np.int64) if groups is None else groups[known]
    order = in_time(times, group)
    times, held_out, group = times[order], held_out[order], group[order]
    n_held_out = int(held_out.sum())
    ends = [(float("nan"), float("nan"))] * 2
    for side, inside in enumerate((held_out, ~held_out)):
        if inside.any():
            ends[side] = float(times[inside].min()), float(times[inside].max())
    starts = np.flatnonzero(np.diff(group, prepend=group[0] - 1)) if len(group) else np.empty(0, dtype=np.int64)
    sizes = np.diff(starts, append=len(group))
    of = np.repeat(np.arange(len(starts)), sizes)
    first, last = _reference_ends(times, held_out, of, len(starts))
    compared = held_out & np.isfinite(first[of])
    same = np.diff(group) == 0
    gaps = np.diff(times)[same]
    positive = gaps[gaps > 0]
    step = float(np.median(positive)) if len(positive) else float("nan")
    expected, variance = _runs(held_out, of, sizes)
    n_same, by_chance, repeated = _same_times(times, held_out, same)
    return Interleaving(
        n_held_out=n_held_out,
        n_reference=len(times) - n_held_out,
        n_apart=n_held_out - int(compared.sum()),
        n_inside=int((compared & (times >= first[of]) & (times < last[of])).sum()),
        n_before=int((compared & (times < first[of])).sum()),
        n_between=_n_between(times, held_out, same),
        held_out=ends[0],
        reference=ends[1],
        n_changes=int((same & (held_out[1:] != held_out[:-1])).sum()),
        expected_changes=expected,
        deviation=variance**0.5,
        step=step,
        regular=float((np.abs(gaps - step) <= 0.1 * step).mean()) if len(positive) else 0.0,
        nearest=_nearest(times, held_out, of)[compared],
        n_same=n_same,
        n_same_by_chance=by_chance,
        repeated=repeated,
    )


def in_time(times: Float64, groups: IntArray) -> IntArray:
    """Order by group, then time; equal times in random order (fixed seed), so that the order in a file says nothing."""
    order = np.argsort(np.random.default_rng(0).random(len(times)))
    for key in (times, groups):  # as np.lexsort, in half the time
        if len(key) and key.min() != key.max():
            order = order[np.argsort(key[order], kind="stable")]
    return order


def _same_times(times: Float64, held_out: Bools, same: Bools) -> tuple[int, float, float]:
    """See `Interleaving`: ``n_same``, ``n_same_by_chance`` and ``repeated``."""
    if not len(times):
        return 0, 0.0, 0.0
    moment = np.concatenate([[0], np.cumsum(~(same & (np.diff(times) == 0)))])
    a, b = (np.bincount(moment[side], minlength=int(moment[-1]) + 1) for side in (held_out, ~held_out))
    n_a, n_b = int(a.sum()), int(b.sum())
    inside = float((a * (a - 1) + b * (b - 1)).sum())  # ordered pairs of equal time on one side
    able = n_a * (n_a - 1) + n_b * (n_b - 1)
    shares = [float(each[each > 1].sum()) / max(int(each.sum()), 1) for each in (a, b)]
    return int(a[b > 0].sum()), inside * n_a * n_b / max(able, 1), max(shares)


def _n_between(times: Float64, held_out: Bools, same: Bools) -> int:
    """See `Interleaving`; `same`: whether each row and the next are of one group."""
    alone = held_out[1:-1] & ~held_out[:-2] & ~held_out[2:] & same[:-1] & same[1:]
    return int((alone & (times[2:] > times[1:-1])).sum())


def _reference_ends(times: Float64, held_out: Bools, of: IntArray, n_groups: int) -> tuple[Float64, Float64]:
    """First and last time of the reference rows of each group; NaN in groups without one."""
    first, last = np.full(n_groups, np.inf), np.full(n_groups, -np.inf)
    np.minimum.at(first, of[~held_out], times[~held_out])
    np.maximum.at(last, of[~held_out], times[~held_out])
    return np.where(np.isfinite(first), first, np.nan), np.where(np.isfinite(last), last, np.nan)


def _runs(held_out: Bools, of: IntArray, sizes: IntArray) -> tuple[float, float]:
    """Mean and variance of the changes of side under random assignment."""
    a = np.bincount(of, weights=held_out, minlength=len(sizes)) if len(of) else np.zeros(0)
    b = sizes - a
    mixed = (a > 0) & (b > 0)
    n, mean = sizes[mixed].astype(np.float64), 2 * a[mixed] * b[mixed] / np.maximum(sizes[mixed], 1)
    variance = mean * (mean - 1) / np.maximum(n - 1, 1)
    return float(mean.sum()), float(np.maximum(variance, 0).sum())


def _nearest(times: Float64, held_out: Bools, of: IntArray) -> Float64:
    """Gap of every row to the nearest reference row of its group; infinite where there is none."""
    n = len(times)
    gap = np.full(n, np.inf)
    places = np.arange(n)
    for step in (1, -1):
        at = np.where(~held_out, places, -1 if step == 1 else n)[::step]
        seen = np.maximum.accumulate(at)[::1] if step == 1 else np.minimum.accumulate(at)[::-1]
        there = (seen >= 0) & (seen < n)
        there[there] = of[seen[there]] == of[there]
        gap[there] = np.minimum(gap[there], np.abs(times[there] - times[seen[there]]))
    return gap
