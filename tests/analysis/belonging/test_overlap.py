from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.belonging.keys import Key
from leakaudit.analysis.belonging.overlap import GroupCounts, count_groups


@given(st.lists(st.tuples(st.integers(-1, 5), st.sampled_from("abc")), min_size=1, max_size=50))
def test_counts_are_what_counting_gives(rows):
    codes = np.array([code for code, _ in rows])
    sides = np.array([side for _, side in rows])
    key = Key("k", codes, pa.array([str(i) for i in range(6)]))
    counts = count_groups(key, sides == "a", sides == "b")
    there = [i for i in range(6) if ((codes == i) & (sides != "c")).any()]
    assert counts.values.to_pylist() == [str(i) for i in there]
    for at, code in enumerate(there):
        for side, number, example in (
            ("a", counts.held_out, counts.example_held_out),
            ("b", counts.reference, counts.example_reference),
        ):
            members = np.flatnonzero((codes == code) & (sides == side))
            assert number[at] == len(members)
            assert example[at] == (members[0] if len(members) else -1)
    cut = [code for code in there if {"a", "b"} <= {*sides[codes == code]}]
    assert counts.n_cut == len(cut)
    assert counts.n_samples == sum(((codes == code) & (sides == "a")).sum() for code in cut)


def test_the_expected_cut_is_what_random_assignment_gives():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 60, 200)
    key = Key("k", codes, pa.array([str(i) for i in range(60)]))
    found = []
    for _ in range(300):
        held_out = rng.random(200) < 0.25
        counts = count_groups(key, held_out, ~held_out)
        found.append((counts.n_cut, counts.n_samples, *counts.expected()))
    cut, samples, expected_cut, expected_samples = np.mean(found, axis=0)
    assert cut == pytest.approx(expected_cut, rel=0.02)
    assert samples == pytest.approx(expected_samples, rel=0.02)


def counts_of(values, held_out, reference):
    arrays = [np.array(column, dtype=np.int64) for column in (held_out, reference, held_out, reference)]
    return GroupCounts(pa.array(values), *arrays)


def test_groups_kept_together_on_purpose():
    names = [f"p{i}" for i in range(40)]
    sides = [5] * 10 + [0] * 30, [0] * 10 + [5] * 30
    assert counts_of(names, *sides).kept_whole(10)
    assert not counts_of(names, [5] * 11 + [0] * 29, sides[1]).kept_whole(10)
    spelt = [f"val{i}" for i in range(10)] + [f"train{i}" for i in range(30)]
    assert not counts_of(spelt, *sides).kept_whole(10)
    assert not counts_of(names, [1] * 10 + [0] * 30, [0] * 10 + [1] * 30).kept_whole(10)


def test_no_groups_at_all():
    nothing = counts_of([], [], [])
    assert (nothing.n_cut, nothing.n_samples, nothing.largest_share, nothing.expected()) == (0, 0, 0.0, (0.0, 0.0))


def both_sides(held_out, reference):
    values = sorted({*held_out, *reference})
    sides = [np.array([side.count(value) for value in values]) for side in (held_out, reference)]
    none = np.full(len(values), -1)
    return GroupCounts(pa.array(values, pa.string()), *sides, none, none)


def test_numbers_that_count_the_rows_of_each_split_anew():
    def numbers(*values, stem=""):
        return [f"{stem}{value}" for value in values]

    train = numbers(*range(1, 101))
    assert both_sides(numbers(*range(1, 31)), train).counted_anew
    assert both_sides(numbers(*range(30)), train).counted_anew
    assert both_sides(numbers(*range(1, 31), stem="row_"), numbers(*range(1, 101), stem="row_")).counted_anew
    assert not both_sides(numbers(*range(101, 131)), train).counted_anew  # numbered on
    assert not both_sides(numbers(*range(1, 100, 3)), train).counted_anew  # some of those of train
    assert not both_sides(numbers(*range(1, 31), 7), train).counted_anew  # one of them twice
    assert not both_sides(numbers(*range(1, 31), stem="a"), numbers(*range(1, 101), stem="b")).counted_anew
    assert not both_sides(numbers(1, 2), train).counted_anew
    assert not both_sides(["x", "y", "z", "u", "v"], ["x", "y", "z", "u", "v"]).counted_anew
