"""The first samples in time for the first split, the next for the second: no split sees a later one's past."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.errors import ConfigError
from leakaudit.repair.units import Units
from leakaudit.repair.whole import LEFT_OUT

if TYPE_CHECKING:
    from leakaudit.model import IntArray

    Floats = np.ndarray


def by_time(units: Units, when: Floats, shares: Sequence[float], gap: float) -> IntArray:
    """A split of every sample.

    Limits are the quantiles of the times that the shares ask for. A unit that has samples on both sides of a limit
    belongs to neither, and what lies within the gap after a limit is left out.

    Parameters
    ----------
    units : Units
    when : ndarray of float64, shape (n,)
        NaN where the time is unknown; such samples are left out.
    shares : sequence of float
        In the order of time.
    gap : float
        In units of `when`.

    Raises
    ------
    ConfigError
        The gap leaves nothing of a split.
    """
    known = np.isfinite(when)
    if not known.any():
        raise ConfigError("--time: no sample has a time that can be read")
    # A limit is the time of a sample: whatever has the same time is on the same side.
    limits = np.quantile(when[known], np.cumsum(shares)[:-1], method="lower")
    split = np.searchsorted(limits, when, side="left")
    for at, limit in enumerate(limits):
        split[(split == at + 1) & (when <= limit + gap) & (gap > 0)] = LEFT_OUT
    split[~known] = LEFT_OUT
    low, high = np.full(units.n, len(shares)), np.full(units.n, -2)
    np.minimum.at(low, units.of, split)
    np.maximum.at(high, units.of, split)
    split[(low != high)[units.of]] = LEFT_OUT
    for at in range(len(shares)):
        if not (split == at).any():
            raise ConfigError("the split by time leaves nothing of one split: a smaller gap, or fewer splits")
    return split.astype(np.int64)
