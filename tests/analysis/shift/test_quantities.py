"""Rank comparisons against SciPy and brute force, and what their intervals and design effects are worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from leakaudit.analysis.shift.quantities import compare, compare_spread


def superiority(effect: float) -> float:
    return float(norm.cdf(effect / 2**0.5))


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=30), st.lists(st.integers(-3, 3), min_size=2, max_size=30))
def test_one_stratum_is_the_rank_sum_test(a, b):
    values = np.array(a + b, dtype=float)
    first = np.arange(len(values)) < len(a)
    found = compare(values, first)
    pairs = [(x > y) + (x == y) / 2 for x in a for y in b]
    assert superiority(found.effect) == pytest.approx(min(max(np.mean(pairs), 1e-12), 1 - 1e-12), abs=1e-6)
    if len({*a, *b}) > 1:
        expected = mannwhitneyu(a, b, use_continuity=False, method="asymptotic").pvalue
        assert found.p_value == pytest.approx(expected, rel=1e-6)
    else:
        assert found.p_value == 1


@given(
    st.lists(
        st.tuples(st.integers(-3, 3), st.booleans(), st.integers(-1, 2)),
        min_size=1,
        max_size=60,
    )
)
def test_strata_are_compared_with_themselves(rows):
    values, first, strata = (np.array(column) for column in zip(*rows, strict=True))
    total = weighted = 0.0
    for stratum in {*strata.tolist()}:
        a = values[(strata == stratum) & first]
        b = values[(strata == stratum) & ~first]
        if len(a) and len(b):
            weight = len(a) * len(b) / (len(a) + len(b) + 1)
            weighted += weight * float(np.mean([(x > y) + (x == y) / 2 for x in a for y in b]))
            total += weight
    found = compare(values.astype(float), first, strata)
    assert found.weight == pytest.approx(total)
    if total:
        assert superiority(found.effect) == pytest.approx(weighted / total, abs=1e-6)
        assert found.low <= abs(found.effect) + 1e-9
        assert abs(found.effect) <= found.high + 1e-9


def test_a_shift_of_classes_is_no_shift_of_features():
    rng = np.random.default_rng(0)
    strata = np.repeat([0, 1, 0, 1], [800, 200, 100, 300])
    values = rng.normal(2.0 * strata, 1)
    first = np.arange(1400) >= 1000
    assert compare(values, first).low > 0.5
    assert compare(values, first, strata).low < 0.2


@pytest.mark.parametrize("n", [10, 50, 400])
@pytest.mark.parametrize("d", [0.0, 0.5, 1.5])
def test_the_interval_holds_the_truth(n, d):
    rng = np.random.default_rng(n)
    first = np.arange(n + 500) < n
    held = 0
    for _ in range(300):
        found = compare(np.concatenate([rng.normal(d, 1, n), rng.normal(0, 1, 500)]), first)
        held += found.low <= d <= found.high
    assert held >= 0.92 * 300


@pytest.mark.parametrize("n", [40, 200])
def test_the_detectable_effect_is_found_four_times_in_five(n):
    rng = np.random.default_rng(1)
    first = np.arange(n + 1000) < n
    d = compare(np.zeros(n + 1000), first, smallest=0.2).detectable
    found = 0
    for _ in range(300):
        values = np.concatenate([rng.normal(d, 1, n), rng.normal(0, 1, 1000)])
        found += compare(values, first, smallest=0.2).low >= 0.2
    assert 0.7 <= found / 300 <= 0.9


def test_spread_sees_what_the_place_does_not():
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(0, 3, 200), rng.normal(0, 1, 800)])
    first = np.arange(1000) < 200
    assert compare(values, first).low == 0
    assert compare_spread(values, first).low > 0.5


def test_full_separation_keeps_a_finite_bound():
    found = compare(np.concatenate([np.ones(5), np.zeros(100)]), np.arange(105) < 5)
    assert 0.5 < found.low < found.effect


@pytest.mark.parametrize("values", [[], [np.nan] * 4, [1.0] * 4, [np.inf, 1.0, -np.inf, np.nan]])
def test_odd_values_do_no_harm(values):
    first = np.arange(len(values)) % 2 == 0
    for run in (compare, compare_spread):
        found = run(np.array(values, dtype=float), first, np.arange(len(values)) * 0 - 1)
        assert found.p_value > 0.1
        assert found.low == 0


def test_groups_widen_the_interval():
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(50), 20)
    first = groups < 10
    alarms = {False: 0, True: 0}
    for _ in range(100):
        values = rng.normal(size=50)[groups] + rng.normal(0, 0.3, 1000)
        alarms[False] += compare(values, first).p_value < 0.05
        alarms[True] += compare(values, first, groups=groups).p_value < 0.05
    assert alarms[False] > 50
    assert alarms[True] <= 10


def test_values_of_a_group_that_are_constant_count_once():
    values = np.repeat(np.arange(40.0), 25)
    groups = np.repeat(np.arange(40), 25)
    first = groups % 4 == 0
    assert compare(values, first, groups=groups).weight == pytest.approx(10 * 30 / 41, rel=0.05)


def test_groups_without_likeness_change_nothing_much():
    rng = np.random.default_rng(4)
    values, groups = rng.normal(size=1000), rng.integers(-1, 100, 1000)
    first = groups < 20
    assert compare(values, first, groups=groups).weight > 0.7 * compare(values, first).weight
