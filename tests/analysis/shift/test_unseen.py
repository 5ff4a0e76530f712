from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from leakaudit.analysis.shift.unseen import count_values, held_out_chance, unseen_values
from tables import fingerprint, frame


@given(st.integers(1, 30), st.integers(0, 30), st.integers(1, 12))
def test_chance_is_hypergeometric(n, more, count):
    total = n + more
    if count <= total:
        found = held_out_chance(np.array([float(count)]), n, total)[0]
        assert found == pytest.approx(hypergeom.pmf(count, total, count, n), abs=1e-9)


def look(train, val, group=None):
    columns = {} if group is None else {"g": group[0]}
    other = {} if group is None else {"g": group[1]}
    rows = fingerprint(
        frame("train", v=train, x=list(range(len(train))), **columns),
        frame("val", v=val, x=list(range(len(val))), **other),
    )
    totals = count_values(rows, "v", None if group is None else "g")
    return unseen_values(rows, totals, "val", "train")


@given(
    st.lists(st.sampled_from([*"abcdefgh", None]), min_size=3, max_size=30),
    st.lists(st.sampled_from([*"abcdefgh", None]), min_size=3, max_size=30),
)
def test_counts_are_exact(train, val):
    a, b = (Counter(value for value in each if value is not None) for each in (val, train))
    found = look(train, val)
    if not a or not b:
        assert found is None
        return
    unseen = {value: n for value, n in a.items() if value not in b}
    assert (found.n_held_out, found.n_reference) == (a.total(), b.total())
    assert (found.n_values, found.n_unseen, found.n_rows) == (len(a | b), len(unseen), sum(unseen.values()))
    assert {value.value: value.n for value in found.values} == unseen
    total = a + b
    expected = sum(hypergeom.pmf(n, total.total(), n, a.total()) for n in total.values())
    assert found.expected == pytest.approx(expected, abs=1e-9)
    assert 0 <= found.p_value <= 1


def test_rare_values_are_unseen_by_nature():
    train, val = [f"a{i}" for i in range(400)], [f"b{i}" for i in range(100)]
    found = look(train, val)
    assert (found.n_unseen, round(found.expected)) == (100, 100)
    assert found.p_value > 0.3


def test_a_frequent_value_is_not():
    found = look(["a", "b"] * 200, [*["a", "b"] * 40, *["c"] * 12])
    assert found.n_rows == 12
    assert found.p_value < 1e-6
    assert found.values[0].example == 480  # the first row of val that has it


def test_a_value_counts_once_a_group():
    groups = ([f"p{i // 20}" for i in range(400)], [f"q{i // 20}" for i in range(100)])
    train = [f"home {i // 20}" for i in range(400)]
    val = [f"away {i // 20}" for i in range(100)]
    assert look(train, val).p_value < 1e-6
    assert look(train, val, groups).p_value > 0.3
