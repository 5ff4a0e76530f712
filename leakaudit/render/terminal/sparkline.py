"""A row of block characters for a curve, or of ASCII characters where the output has no blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-:=+*#"
"""From low to high, eight of each."""

LOG_FROM = 1_000.0
"""Ratio of the largest to the smallest value from which a logarithmic scale is used. Below it a linear one serves, on
which the rise of a validation loss looks as large as it is."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A common scale for several curves."""

    low: float
    high: float
    log: bool


def scale(*curves: Sequence[float]) -> Scale | None:
    """The scale that holds all finite values of the curves; None where there is none."""
    finite = [value for curve in curves for value in curve if math.isfinite(value)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    return Scale(low, high, log=low > 0 and high / low > LOG_FROM)


def sparkline(curve: Sequence[float], on: Scale, width: int, encoding: str) -> str:
    """The curve in at most `width` characters: means of equal stretches, blank where unknown, ``!`` where infinite."""
    try:
        BLOCKS.encode(encoding)
        levels = BLOCKS
    except UnicodeEncodeError:
        levels = ASCII
    n = min(width, len(curve))
    cuts = [round(i * len(curve) / n) for i in range(n + 1)]
    return "".join(_mark(curve[start:stop], on, levels) for start, stop in pairwise(cuts))


def _mark(values: Sequence[float], on: Scale, levels: str) -> str:
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "!" if any(math.isinf(value) for value in values) else " "
    at, low, high = math.fsum(finite) / len(finite), on.low, on.high
    if on.log:
        at, low, high = math.log(at), math.log(low), math.log(high)
    share = (at - low) / (high - low) if high > low and math.isfinite(high - low) else 0.0
    return levels[min(len(levels) - 1, max(0, int(share * len(levels))))]
