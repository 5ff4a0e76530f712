"""The small tables of numbers of a finding, with bars in their rows where that helps the eye.

A bar stands in a cell of its own beside the numbers: it scales with the page, needs no script, reads as a table where
nothing can be seen, and is the same bytes for the same numbers. What is drawn is recognised by the names of the
columns, as checks write them:

- ``share A``, ``share B``: two bars from 0 to 1; ``n A``, ``n B``: bars of counts, where there are no shares;
- ``low``, ``high`` with one more number: that number with its interval;
- one number and ``at least``: a bar, and where its confidence bound lies;
- ``first`` and ``last``: the span of time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from leakaudit.model import Breakdown, Scalar
from leakaudit.render.words import summary

WIDTH, HEIGHT = 200.0, 20.0
"""Units of the drawing in a cell."""

Cells = Sequence[Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, its colour as a CSS class."""

    style: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """A breakdown as a page shows it.

    Parameters
    ----------
    columns : tuple of str
    rows : tuple of tuple of str
        As people read them.
    legend : tuple of (style, name)
        Of the bars; empty where there are none.
    bars : tuple of tuple of Box
        One entry a row, or none at all.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[tuple[str, str], ...]
    bars: tuple[tuple[Box, ...], ...]


def numbers(breakdown: Breakdown) -> Numbers:
    """The breakdown with its bars."""
    columns, rows = breakdown.columns, breakdown.rows
    said = tuple(tuple(_said(value, name) for value, name in zip(row, columns, strict=False)) for row in rows)
    for draw in (_shares, _intervals, _bounds, _spans, _counts):
        drawn = draw(columns, rows)
        if drawn is not None:
            legend, bars = drawn
            return Numbers(columns, said, tuple(legend), tuple(bars))
    return Numbers(columns, said, (), ())


def _said(value: Scalar, column: str) -> str:
    """A cell of a breakdown: shares as percentages, counts with thousands separators."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return summary.cell(value)
    if column.startswith("share"):
        return summary.share(round(value * 1_000_000), 1_000_000)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


# --- what can be drawn ----------------------------------------------------------------------------------------

_Drawn = tuple[list[tuple[str, str]], list[tuple[Box, ...]]]


def _shares(columns: Sequence[str], rows: Cells) -> _Drawn | None:
    at = [i for i, name in enumerate(columns) if name.startswith("share ")]
    return _beside(at, [columns[i].removeprefix("share ") for i in at], rows) if at else None


def _counts(columns: Sequence[str], rows: Cells) -> _Drawn | None:
    at = [i for i, name in enumerate(columns) if name.startswith("n ")]
    return _beside(at, [columns[i].removeprefix("n ") for i in at], rows) if len(at) > 1 else None


def _beside(at: Sequence[int], names: Sequence[str], rows: Cells) -> _Drawn | None:
    """Bars below each other from 0, one a series."""
    values = [[_number(row[i]) for i in at] for row in rows]
    known = [value for line in values for value in line if value is not None]
    if not known or min(known) < 0 or max(known) == 0 or len(at) > 3:
        return None
    each = HEIGHT / len(at)
    bars = [
        tuple(
            Box(f"c{series}", 0, _r(series * each + 0.75), _r(value / max(known) * WIDTH), _r(each - 1.5))
            for series, value in enumerate(line)
            if value
        )
        for line in values
    ]
    return [(f"c{series}", name) for series, name in enumerate(names)] if len(names) > 1 else [], bars


def _intervals(columns: Sequence[str], rows: Cells) -> _Drawn | None:
    if not {"low", "high"} <= set(columns) or columns.index("low") < 1:
        return None
    value, low, high = columns.index("low") - 1, columns.index("low"), columns.index("high")
    return [], interval_bars([(_number(row[value]), _number(row[low]), _number(row[high])) for row in rows])


def _bounds(columns: Sequence[str], rows: Cells) -> _Drawn | None:
    """A number, and the bound of its confidence interval towards 0."""
    if "at least" in columns:
        value, bound = columns.index("at least") - 1, columns.index("at least")
    elif len(columns) == 2:
        value, bound = 1, None
    else:
        return None
    ends = [(_number(row[value]), None if bound is None else _number(row[bound])) for row in rows]
    reach = [0.0, *(end for pair in ends for end in pair if end is not None)]
    if max(reach) == min(reach):
        return None
    scale = _scale(min(reach), max(reach))
    bars = []
    for number, least in ends:
        boxes = []
        if number:
            left, right = sorted((scale(0), scale(number)))
            boxes.append(Box("c0", left, 3, _r(right - left), HEIGHT - 6))
        if least is not None:
            boxes.append(Box("bound", min(scale(least), WIDTH - 2), 0, 2, HEIGHT))
        if min(reach) < 0:
            boxes.append(Box("zero", min(scale(0), WIDTH - 1), 0, 1, HEIGHT))
        bars.append(tuple(boxes))
    legend = [("c0", columns[value]), ("bound", "at least")] if bound is not None else []
    return legend, bars


def _spans(columns: Sequence[str], rows: Cells) -> _Drawn | None:
    if not {"first", "last"} <= set(columns):
        return None
    ends = [(_moment(row[columns.index("first")]), _moment(row[columns.index("last")])) for row in rows]
    known = [end for pair in ends for end in pair if end is not None]
    if len(known) < 2 or min(known) == max(known):
        return None
    scale = _scale(min(known), max(known))
    bars: list[tuple[Box, ...]] = []
    for at, (first, last) in enumerate(ends):
        if first is None or last is None:
            bars.append(())
        else:
            bars.append((Box(f"c{at % 10}", scale(first), 4, _r(max(scale(last) - scale(first), 2)), HEIGHT - 8),))
    return [], bars


def interval_bars(
    ends: Sequence[tuple[float | None, float | None, float | None]], starts: Sequence[float] | None = None
) -> list[tuple[Box, ...]]:
    """A bar from `starts` (0) by its value, with the interval of the value as a thin line at its end.

    Parameters
    ----------
    ends : sequence of (value, low, high)
    starts : sequence of float, optional
        Where each bar begins: those of a waterfall.
    """
    begins = list(starts) if starts is not None else [0.0] * len(ends)
    reach = [0.0]
    for begin, (value, low, high) in zip(begins, ends, strict=True):
        reach += [begin, *(begin + end for end in (value, low, high) if end is not None)]
    if max(reach) == min(reach):
        return [() for _ in ends]
    scale = _scale(min(reach), max(reach))
    bars = []
    for begin, (value, low, high) in zip(begins, ends, strict=True):
        boxes = [Box("zero", min(scale(0), WIDTH - 1), 0, 1, HEIGHT)]
        if value is not None:
            left, right = sorted((scale(begin), scale(begin + value)))
            boxes.append(Box("up" if value >= 0 else "down", left, 4, _r(max(right - left, 1)), HEIGHT - 8))
        if low is not None and high is not None:
            left, right = scale(begin + low), scale(begin + high)
            boxes.append(Box("bound", left, HEIGHT / 2 - 1, _r(max(right - left, 1)), 2))
        bars.append(tuple(boxes))
    return bars


def _scale(low: float, high: float) -> Callable[[float], float]:
    return lambda value: _r((value - low) / (high - low) * WIDTH)


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _moment(value: Scalar) -> float | None:
    """A number as it is; a date as a number of days."""
    if not isinstance(value, str):
        return _number(value)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.toordinal() + (found.hour * 3600 + found.minute * 60 + found.second) / 86_400


def _r(value: float) -> float:
    return round(value, 1) + 0.0
