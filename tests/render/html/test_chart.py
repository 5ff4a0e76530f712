"""Geometry of charts, and sparklines."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from leakaudit.render.html.chart import HEIGHT, LABEL_GAP, WIDTH, Curve, chart, nice_ticks, overlay
from leakaudit.render.terminal.sparkline import scale, sparkline

values = st.lists(st.floats(-1e100, 1e100) | st.sampled_from([math.nan, math.inf]), min_size=1, max_size=40)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_cover_the_range(low, span):
    high = low + span
    ticks = nice_ticks(low, high, 5)
    assert ticks[0] <= low + span * 1e-6
    assert ticks[-1] >= high - span * 1e-6
    assert len(ticks) <= 8


@example([0.0], [5e-324])
@example([0.0], [1e-290])
@given(values, values)
def test_charts_stay_inside_their_frame(a, b):
    drawn = chart(
        "t", "epoch", list(range(max(len(a), len(b)))), [Curve("a", "a", a + [math.nan] * 40), Curve("b", "b", b)]
    )
    if drawn is None:
        assert not any(map(math.isfinite, a + b))
        return
    for line in drawn.lines:
        for x, y in re.findall(r"([\d.e+-]+) ([\d.e+-]+)", line.path):
            assert 0 <= float(x) <= WIDTH
            assert -1 <= float(y) <= HEIGHT
    labels = sorted(line.label_y for line in drawn.lines if line.label_y is not None)
    assert all(second - first >= LABEL_GAP - 0.2 for first, second in pairwise(labels))


def test_curves_break_where_a_value_is_missing():
    drawn = chart("t", "epoch", [1, 2, 3, 4, 5], [Curve("a", "a", [1, 2, math.nan, 3, math.nan])])
    assert drawn.lines[0].path.count("M") == 1
    assert len(drawn.lines[0].dots) == 1


def test_long_curves_keep_their_extremes():
    curve = [0.0] * 10_000
    curve[5_003] = 9.0
    drawn = chart("t", "step", list(range(10_000)), [Curve("a", "a", curve)])
    assert drawn.lines[0].path.count("L") < 500
    assert drawn.y_ticks[-1].label == "10"
    assert f" {drawn.top + (10 - 9) / 10 * (drawn.bottom - drawn.top):g}" in drawn.lines[0].path


def test_wide_ranges_are_logarithmic():
    drawn = chart("t", "epoch", [1, 2, 3], [Curve("a", "a", [1e-6, 1.0, 1e3])])
    assert drawn.y_ticks[0].label == "1e-6"


def test_overlay_of_runs_of_unlike_length():
    runs = [
        ([1, 2, 3], Curve("1", "r0", [3, 2, 1])),
        ([1, 2], Curve("2", "r1", [3, 2])),
        ([1], Curve("3", "r2", [math.nan])),
    ]
    assert len(overlay("t", "epoch", runs).lines) == 2


@given(values)
def test_sparklines_have_one_mark_a_value_up_to_the_width(curve):
    on = scale(curve)
    if on is None:
        return
    for encoding in ("utf-8", "ascii"):
        line = sparkline(curve, on, 12, encoding)
        assert len(line) == min(12, len(curve))
        line.encode(encoding)


def test_sparkline():
    on = scale([0.0, 7.0])
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], on, 8, "utf-8") == "▁▂▃▄▅▆▇█"
    assert sparkline([0, math.nan, math.inf, 7], on, 8, "ascii") == "_ !#"
    assert sparkline([5.0], scale([5.0]), 8, "ascii") == "_"
    assert scale([math.nan]) is None


@pytest.mark.parametrize("low", [0.5, 0.0])
def test_a_constant_curve(low):
    drawn = chart("t", "epoch", [1, 2], [Curve("a", "a", [low, low])])
    assert drawn.lines[0].path
