"""Geometry of line charts: axes with round ticks, paths, labels that do not collide. Templates draw it as SVG.

Coordinates are rounded to a tenth of a unit, so that the same numbers give the same bytes on every machine.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from leakaudit.history import Interval

WIDTH, HEIGHT = 560.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 84.0, 18.0, 38.0
"""Units of the view box, and its margins; the right one holds the labels of the curves."""

LOG_FROM = 1_000.0
"""Ratio of the largest to the smallest value from which the axis is logarithmic."""

MOST_POINTS = 400
"""Rows drawn at most; a longer curve keeps the least and the largest value of each stretch."""

MOST_TIPS = 300
LABEL_GAP = 15.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve: what it is called, how it is drawn (CSS class), and its values."""

    label: str
    style: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Line:
    """A drawn curve. `label_y` is None where it has no label; `dots` are points without neighbours."""

    style: str
    label: str
    path: str
    label_y: float | None
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A grid line and its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Marker:
    """A vertical line with a label at its top. `right`: the label stands to the right of it."""

    at: float
    label: str
    style: str
    right: bool


@dataclass(frozen=True, slots=True)
class Tip:
    """An invisible strip that shows its text under the pointer."""

    x: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that a template needs to draw one chart."""

    title: str
    x_label: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    markers: tuple[Marker, ...]
    tips: tuple[Tip, ...]
    note: str = ""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def chart(
    title: str,
    x_label: str,
    x: Sequence[float],
    curves: Sequence[Curve],
    marks: Sequence[tuple[float, str, str]] = (),
    tip: Callable[[int], str] | None = None,
    note: str = "",
) -> Chart | None:
    """Lay out a chart of curves over the same x.

    Parameters
    ----------
    marks : sequence of (x, label, style)
        Vertical lines.
    tip : callable, optional
        Text for a row.
    note : str, default ""
        Said beside the title.

    Returns
    -------
    Chart or None
        None where no value is finite.
    """
    shown = [curve for curve in curves if any(math.isfinite(value) for value in curve.values)]
    finite = [value for curve in shown for value in curve.values if math.isfinite(value)]
    if not finite:
        return None
    to_y, y_ticks = _y_axis(min(finite), max(finite))
    to_x, x_ticks = _x_axis(min(x), max(x))
    lines = _labelled([_line(curve, x, to_x, to_y) for curve in shown])
    middle = (LEFT + WIDTH - RIGHT) / 2
    markers = tuple(Marker(_round(to_x(at)), label, style, to_x(at) < middle) for at, label, style in marks)
    tips = _tips([to_x(value) for value in x], tip) if tip is not None and len(x) <= MOST_TIPS else ()
    return Chart(title, x_label, lines, x_ticks, y_ticks, markers, tips, note)


def overlay(title: str, x_label: str, runs: Sequence[tuple[Sequence[float], Curve]]) -> Chart | None:
    """Lay out curves that have an x of their own each, such as the same loss in several runs."""
    shown = [(x, curve) for x, curve in runs if any(math.isfinite(value) for value in curve.values)]
    finite = [value for _, curve in shown for value in curve.values if math.isfinite(value)]
    if not finite:
        return None
    to_y, y_ticks = _y_axis(min(finite), max(finite))
    to_x, x_ticks = _x_axis(min(min(x) for x, _ in shown), max(max(x) for x, _ in shown))
    lines = _labelled([_line(curve, x, to_x, to_y) for x, curve in shown])
    return Chart(title, x_label, lines, x_ticks, y_ticks, (), ())


@dataclass(frozen=True, slots=True)
class Strip:
    """The values of several runs and their interval on one line."""

    width: float
    points: tuple[float, ...]
    low: float | None
    high: float | None
    mean: float


def strip(interval: Interval, others: Sequence[Interval], width: float = 220.0) -> Strip:
    """Positions on a scale that also holds the other intervals, so that strips below each other compare."""
    ends = [end for found in (interval, *others) for end in (*found.values, found.low, found.high) if end is not None]
    least, most = min(ends), max(ends)
    span = most - least or 1.0

    def at(value: float) -> float:
        return _round(6 + (value - least) / span * (width - 12))

    return Strip(
        width,
        tuple(at(value) for value in interval.values),
        None if interval.low is None else at(interval.low),
        None if interval.high is None else at(interval.high),
        at(interval.mean),
    )


# --- axes -----------------------------------------------------------------------------------------------------


def _y_axis(low: float, high: float) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    if low > 0 and high / low > LOG_FROM:
        bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
        step = max(1, math.ceil((top - bottom) / 6))

        def to_log(value: float) -> float:
            share = (math.log10(value) - bottom) / (top - bottom)
            return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

        powers = range(bottom, top + 1, step)
        return to_log, tuple(Tick(_round(to_log(10.0**power)), f"1e{power}") for power in powers)
    ticks = nice_ticks(low, high, 5)
    first, last = min(ticks[0], low), max(ticks[-1], high)
    span = last - first or 1.0

    def to_y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - first) / span * (HEIGHT - TOP - BOTTOM)

    return to_y, tuple(Tick(_round(to_y(tick)), f"{tick:.6g}") for tick in ticks)


def _x_axis(low: float, high: float) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    span = high - low or 1.0

    def to_x(value: float) -> float:
        return LEFT + (value - low) / span * (WIDTH - LEFT - RIGHT)

    ticks = [tick for tick in nice_ticks(low, high, 7, whole=high - low >= 2) if low <= tick <= high] or [low]
    return to_x, tuple(Tick(_round(to_x(tick)), f"{tick:,.6g}") for tick in ticks)


def nice_ticks(low: float, high: float, about: int, *, whole: bool = False) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) from at or below `low` to at or above `high`.

    >>> nice_ticks(0.83, 2.79, 5)
    [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    if not math.isfinite(high - low) or high - low <= max(abs(high) * 1e-12, sys.float_info.min * 1e12):
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= raw * 0.999)
    if whole:
        step = max(1.0, step)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


# --- curves ---------------------------------------------------------------------------------------------------


def _line(curve: Curve, x: Sequence[float], to_x: Callable[[float], float], to_y: Callable[[float], float]) -> Line:
    """The path of a curve, broken where values are unknown or infinite."""
    path: list[str] = []
    alone: list[tuple[float, float]] = []
    stretch: list[tuple[float, float]] = []
    last_y = None
    for row in [*_drawn(curve.values), None]:
        if row is not None and math.isfinite(curve.values[row]):
            stretch.append((_round(to_x(x[row])), _round(to_y(curve.values[row]))))
            continue
        if len(stretch) == 1:
            alone.append(stretch[0])
        elif stretch:
            path.append("M" + "L".join(f"{a:g} {b:g}" for a, b in stretch))
        if stretch:
            last_y = stretch[-1][1]
        stretch = []
    return Line(curve.style, curve.label, "".join(path), last_y if curve.label else None, tuple(alone))


def _drawn(values: Sequence[float]) -> list[int]:
    """Rows to draw: all, or of each stretch the first, the least, the largest and the last."""
    n = len(values)
    if n <= MOST_POINTS:
        return list(range(n))
    stretch = math.ceil(n / (MOST_POINTS // 4))
    kept: set[int] = set()
    for start in range(0, n, stretch):
        rows = range(start, min(start + stretch, n))
        finite = [row for row in rows if math.isfinite(values[row])]
        kept |= {rows[0], rows[-1]}
        if finite:
            kept |= {min(finite, key=lambda row: values[row]), max(finite, key=lambda row: values[row])}
    return sorted(kept)


def _labelled(lines: list[Line]) -> tuple[Line, ...]:
    """Labels pushed apart from top to bottom, then back inside the chart."""
    order = sorted(
        (i for i, line in enumerate(lines) if line.label_y is not None), key=lambda i: (lines[i].label_y or 0, i)
    )
    at = [lines[i].label_y or 0.0 for i in order]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + LABEL_GAP)
    over = max(0.0, at[-1] - (HEIGHT - BOTTOM)) if at else 0.0
    placed = {index: _round(y - over) for index, y in zip(order, at, strict=True)}
    return tuple(Line(line.style, line.label, line.path, placed.get(i), line.dots) for i, line in enumerate(lines))


def _tips(at: list[float], tip: Callable[[int], str]) -> tuple[Tip, ...]:
    edges = [LEFT, *((a + b) / 2 for a, b in pairwise(at)), WIDTH - RIGHT]
    strips = pairwise(edges)
    return tuple(Tip(_round(a), _round(max(b - a, 0.1)), tip(row)) for row, (a, b) in enumerate(strips))


def _round(value: float) -> float:
    return round(value, 1) + 0.0
