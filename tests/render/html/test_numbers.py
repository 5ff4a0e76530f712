"""What is drawn beside numbers is what the numbers say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.model import Breakdown
from leakaudit.render.html.numbers import HEIGHT, WIDTH, interval_bars, numbers

NUMBER = st.one_of(st.none(), st.integers(-(10**6), 10**6), st.floats(-1e9, 1e9), st.text(max_size=3), st.booleans())
COLUMNS = (
    ("class", "n a", "n b", "share a", "share b"),
    ("group", "n a", "n b"),
    ("column", "d", "at least"),
    ("column", "fall"),
    ("term", "value", "low", "high"),
    ("split", "n", "first", "last"),
    ("seed", "loss"),
)


def drawn(columns, *rows):
    return numbers(Breakdown(columns, rows))


def test_shares_are_drawn_by_split_on_one_scale():
    found = drawn(
        ("class", "n val", "n train", "share val", "share train"), ("a", 6, 2, 0.6, 0.2), ("b", 4, 8, 0.4, 0.8)
    )
    assert found.legend == (("c0", "val"), ("c1", "train"))
    assert [[box.width for box in row] for row in found.bars] == [[150.0, 50.0], [100.0, 200.0]]
    assert found.rows[0] == ("a", "6", "2", "60.0\u00a0%", "20.0\u00a0%")


def test_counts_where_there_are_no_shares():
    found = drawn(("group", "n val", "n train"), ("s1", 2, 8), ("s2", 0, 4))
    assert [[box.width for box in row] for row in found.bars] == [[50.0, 200.0], [100.0]]


def test_a_bound_on_the_other_side_of_nothing_is_drawn_there():
    found = drawn(("column", "alone", "at least"), ("x", 0.9, 0.8), ("y", 0.1, -0.1))
    value, bound = found.bars[1][0], found.bars[1][1]
    assert value.x == 20.0
    assert bound.x == 0.0
    assert found.legend == (("c0", "alone"), ("bound", "at least"))


def test_intervals_have_their_ends():
    (row,) = drawn(("term", "value", "low", "high"), ("a", 1.0, 0.5, 2.0)).bars
    assert [(box.style, box.x, box.width) for box in row] == [
        ("zero", 0.0, 1),
        ("up", 0.0, 100.0),
        ("bound", 50.0, 150.0),
    ]


def test_a_waterfall_goes_on_where_it_stopped():
    steps = interval_bars([(2.0, None, None), (-1.0, None, None), (3.0, None, None)], [0.0, 2.0, 1.0])
    assert [[(box.style, box.x, box.width) for box in row][1] for row in steps] == [
        ("up", 0.0, 100.0),
        ("down", 50.0, 50.0),
        ("up", 50.0, 150.0),
    ]


def test_times_are_drawn_on_one_axis():
    rows = (
        ("train", 9, "2024-01-01", "2024-01-11"),
        ("val", 3, "2024-01-06 00:00", "2024-01-11"),
        ("none", 0, None, None),
    )
    found = drawn(("split", "n", "first", "last"), *rows)
    assert [[(box.x, box.width) for box in row] for row in found.bars] == [[(0.0, 200.0)], [(100.0, 100.0)], []]


@pytest.mark.parametrize("columns", [("a", "b", "c"), ("value",), ("x", "first", "last"), ("x", "d", "at least")])
def test_what_cannot_be_drawn_is_a_table(columns):
    found = drawn(columns, *[("only text",) * len(columns)] * 2)
    assert found.bars == ()
    assert len(found.rows) == 2


@given(st.sampled_from(COLUMNS), st.data())
def test_whatever_stands_there_stays_inside_the_cell(columns, data):
    rows = data.draw(st.lists(st.tuples(*[NUMBER] * len(columns)), max_size=6))
    found = drawn(columns, *rows)
    assert len(found.rows) == len(rows)
    assert found.bars == () or len(found.bars) == len(rows)
    for box in (box for row in found.bars for box in row):
        assert all(math.isfinite(end) for end in (box.x, box.y, box.width, box.height))
        assert box.x >= 0
        assert box.width >= 0
        assert box.x + box.width <= WIDTH + 2.1
        assert 0 <= box.y <= box.y + box.height <= HEIGHT
