from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.analysis.shift.homogeneity import benjamini_hochberg, homogeneity

counts = st.lists(st.integers(0, 300), min_size=2, max_size=12)


def test_agrees_with_scipy_where_counts_are_large():
    from scipy.stats import chi2_contingency

    first, second = [120, 340, 210], [400, 900, 650]
    expected = chi2_contingency([first, second], correction=False)
    result = homogeneity(first, second)
    n = sum(first) * sum(second) / (sum(first) + sum(second))
    assert result.distance**2 * n == pytest.approx(expected.statistic - expected.dof)
    assert result.p_value == pytest.approx(expected.pvalue)


def test_binary_distance_is_twice_the_difference_in_share():
    assert homogeneity([600, 400], [400, 600]).distance == pytest.approx(0.4, rel=0.01)
    assert homogeneity([60_000, 40_000], [40_000, 60_000]).distance == pytest.approx(0.4, rel=1e-4)


@pytest.mark.parametrize("true", [0.0, 0.3])
def test_the_estimate_is_unbiased_with_many_classes(true):
    rng = np.random.default_rng(5)
    base = np.full(40, 1 / 40)
    tilt = np.tile([1, -1], 20) * true / 80
    drawn = [homogeneity(rng.multinomial(400, base + tilt), rng.multinomial(400, base - tilt)) for _ in range(200)]
    squares = np.array([(each.distance**2, each.low**2, each.high**2) for each in drawn]).mean(axis=0)
    assert squares[0] == pytest.approx(true**2, abs=0.03)
    assert all(each.low <= each.distance <= each.high for each in drawn)


def test_the_detectable_distance_follows_the_rule():
    rng = np.random.default_rng(3)
    target = homogeneity([400] * 4, [400] * 4, smallest=0.2).detectable
    tilt = np.array([1, -1, 1, -1]) * target / 8
    drawn = [homogeneity(rng.multinomial(1600, 0.25 + tilt), rng.multinomial(1600, 0.25 - tilt)) for _ in range(300)]
    assert 0.70 <= np.mean([each.low >= 0.2 for each in drawn]) <= 0.90


def test_identical_shares_are_no_shift():
    result = homogeneity([50, 30, 20], [500, 300, 200])
    assert (result.distance, result.low, result.moved) == (0, 0, 0)
    assert result.p_value == 1


def test_one_class_only_is_no_shift():
    assert homogeneity([5], [7]).p_value == 1


def test_empty_side_is_refused():
    with pytest.raises(ValueError, match="both samples"):
        homogeneity([0, 0], [1, 2])


@settings(max_examples=40)
@given(counts, st.data())
def test_interval_holds_the_estimate_and_order(first, data):
    second = data.draw(st.lists(st.integers(0, 300), min_size=len(first), max_size=len(first)))
    if not sum(first) or not sum(second):
        return
    result = homogeneity(first, second)
    assert 0 <= result.low <= result.distance + 1e-6
    assert result.distance <= result.high + 1e-6
    assert 0 <= result.p_value <= 1
    assert 0 <= result.moved <= 1


def test_false_alarms_stay_at_the_nominal_level_with_sparse_counts():
    rng = np.random.default_rng(7)
    shares = np.array([0.9, *[0.1 / 19] * 19])
    p_values = [
        homogeneity(rng.multinomial(40, shares), rng.multinomial(300, shares), seed=i).p_value for i in range(200)
    ]
    assert np.mean(np.array(p_values) < 0.05) <= 0.10  # 3.2 standard errors above 0.05


def test_detectable_distance_is_found_in_four_of_five():
    n, classes = 400, 4
    target = homogeneity([100] * 4, [100] * 4).detectable
    rng = np.random.default_rng(3)
    base = np.full(classes, 1 / classes)
    tilt = np.array([1, -1, 1, -1]) * target / 2 / classes
    found = [
        homogeneity(rng.multinomial(n, base + tilt), rng.multinomial(n, base - tilt)).p_value < 0.05 for _ in range(300)
    ]
    assert 0.70 <= np.mean(found) <= 0.90


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_agrees_with_scipy(p_values):
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values))
