"""Are neighbours in time more alike than rows a little farther apart? What makes rows with a time stamp a series.

Independent rows have time stamps, too, and a random split of them leaks nothing. In a series, what a row holds is known
in large part from its neighbours. So a held-out row is compared with the reference row nearest in time, and with one a
little farther off, value by value. A slow trend, or a value that goes smoothly with an age or a price, does the same to
both; only dependence at short range makes the neighbour the nearer one in more than half of the comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.analysis.series.order import in_time
from leakaudit.fingerprints.ranks import mean_ranks

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]
    Bools: TypeAlias = npt.NDArray[np.bool_]

ANCHORS = 2_000
"""Held-out rows compared: the standard error of a share is then below 0.012."""

FARTHER = (0.01, 0.05)
"""How much farther off the other row is, as shares of the reference rows (of the group, where there are groups)."""

FEWEST = (4, 12)
"""The same in rows, where the shares would be fewer."""


@dataclass(frozen=True, eq=False, slots=True)
class Trials:
    """Indices of held-out rows, of the reference row nearest in time to each, and of one a little farther off."""

    anchor: IntArray
    near: IntArray
    far: IntArray

    def __len__(self) -> int:
        return len(self.anchor)


@dataclass(frozen=True, slots=True)
class Alike:
    """Result of `alike`.

    Parameters
    ----------
    share : float
        How often the neighbour in time is the nearer one in value; ties count half; 0.5: no dependence.
    p_value : float
        One-sided, that it is a half (sign test, normal approximation).
    n : int
        Comparisons without a missing value.
    """

    share: float
    p_value: float
    n: int


def draw_trials(times: Float64, held_out: Bools, groups: IntArray | None = None) -> Trials:
    """Draw rows to compare, with a fixed seed; parameters as of `leakaudit.analysis.series.order.interleaving`.

    Groups with too few reference rows to tell near from far give none.
    """
    group = np.zeros(len(times), dtype=np.int64) if groups is None else groups
    known = np.flatnonzero(np.isfinite(times) & (group >= 0))
    order = known[in_time(times[known], group[known])]
    is_reference = ~held_out[order]
    reference = order[is_reference]
    before = np.cumsum(is_reference)  # reference rows up to each place
    rng = np.random.default_rng(0)
    at = np.flatnonzero(~is_reference)
    if len(at) > ANCHORS:
        at = np.sort(rng.choice(at, ANCHORS, replace=False))
    anchors, places = order[at], before[at]
    starts = np.searchsorted(group[reference], group[anchors], side="left")
    stops = np.searchsorted(group[reference], group[anchors], side="right")
    n = stops - starts
    enough = n > 2 * FEWEST[0]
    anchors, places = anchors[enough], places[enough]
    starts, stops, n = starts[enough], stops[enough], n[enough]
    if not len(anchors):
        return Trials(*(np.empty(0, dtype=np.int64),) * 3)
    earlier, later = np.clip(places - 1, starts, stops - 1), np.clip(places, starts, stops - 1)
    gaps = [np.abs(times[reference[place]] - times[anchors]) for place in (earlier, later)]
    toss = rng.random(len(anchors)) < 0.5
    near = np.where((gaps[0] < gaps[1]) | ((gaps[0] == gaps[1]) & toss), earlier, later)
    low = np.maximum(FEWEST[0], (FARTHER[0] * n).astype(np.int64))
    high = np.maximum(np.minimum(FEWEST[1], n // 2), (FARTHER[1] * n).astype(np.int64))
    offset = low + (rng.random(len(anchors)) * (high - low + 1)).astype(np.int64)
    forward = rng.random(len(anchors)) < 0.5
    forward = np.where(near + offset >= stops, False, np.where(near - offset < starts, True, forward))
    far = np.clip(np.where(forward, near + offset, near - offset), starts, stops - 1)
    apart = far != near
    return Trials(anchors[apart], reference[near[apart]], reference[far[apart]])


def alike(near: Float64, far: Float64) -> Alike:
    """Compare distances of value to the neighbour and to the farther row, shape (m,); NaN where one is missing."""
    from scipy.special import ndtr

    known = ~(np.isnan(near) | np.isnan(far))
    n = int(known.sum())
    if not n:
        return Alike(0.5, 1.0, 0)
    wins, losses = int((near[known] < far[known]).sum()), int((near[known] > far[known]).sum())
    share = 0.5 + (wins - losses) / (2 * n)
    z = (wins - losses - 1) / max(wins + losses, 1) ** 0.5  # continuity of one
    return Alike(share, float(ndtr(-z)), n)


def is_of_the_calendar(seconds: Float64, values: Float64) -> bool:
    """Whether a column only repeats what the time stamp says: the hour, the weekday, the month, the time itself.

    Parameters
    ----------
    seconds, values : ndarray of float64, shape (m,)
        Times, and the values or codes of the column; NaN where missing.
    """
    known = np.isfinite(seconds) & np.isfinite(values)
    seconds, values = seconds[known], values[known]
    if len(values) < 3 or (values == values[0]).all():
        return True
    days = np.floor(seconds / 86_400)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    cycles: Sequence[npt.NDArray[np.int64]] = (
        np.mod(seconds // 3600, 24).astype(np.int64),
        np.mod(days, 7).astype(np.int64),
        np.mod(months, 12),
        np.mod(seconds // 3600, 168).astype(np.int64),
        months // 12,
    )
    for cycle in cycles:
        buckets, at, counts = np.unique(cycle, return_inverse=True, return_counts=True)
        if len(buckets) < 2 or counts.sum() < 4 * len(buckets):
            continue
        low, high = np.full(len(buckets), np.inf), np.full(len(buckets), -np.inf)
        np.minimum.at(low, at.reshape(-1), values)
        np.maximum.at(high, at.reshape(-1), values)
        if (low == high).all():
            return True
    return goes_with(mean_ranks(seconds), mean_ranks(values))


def goes_with(first: Float64, second: Float64) -> bool:
    """Whether two columns of ranks correlate at 0.95 or more: a counter, another time stamp, an age."""
    if first.std() == 0 or second.std() == 0:
        return True
    return abs(float(np.corrcoef(first, second)[0, 1])) >= 0.95
