from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from leakaudit.analysis.shift.categories import OTHERS, compare_categories


def sample(*tables):
    """Codes, sides and strata of tables of counts, one a stratum, each of two rows."""
    codes, first, strata = [], [], []
    for stratum, table in enumerate(tables):
        for side, row in enumerate(table):
            for code, n in enumerate(row):
                codes += [code] * n
                first += [side == 0] * n
                strata += [stratum] * n
    return np.array(codes, dtype=np.int64), np.array(first), np.array(strata, dtype=np.int64)


@given(st.lists(st.integers(6, 60), min_size=2, max_size=6), st.lists(st.integers(6, 60), min_size=6, max_size=6))
def test_one_stratum_is_the_chi_square_test(one, other):
    table = [one, other[: len(one)]]
    codes, first, _ = sample(table)
    expected = chi2_contingency(table, correction=False)
    if expected.expected_freq.min() < 5:
        return
    found = compare_categories(codes, first)
    n = len(codes)
    n_effective = first.sum() * (~first).sum() / n
    by_chance = len(one) - 1
    statistic = max(expected.statistic * (n - 1) / n - by_chance, 0)
    assert found.distance**2 * n_effective == pytest.approx(statistic, rel=1e-9, abs=1e-9)
    assert found.low <= found.distance <= found.high or found.high == 0
    if found.distance > 0.3:
        assert found.p_value == pytest.approx(expected.pvalue, rel=0.3, abs=1e-3)


def test_a_shift_of_classes_alone_is_no_shift_of_their_features():
    codes, first, strata = sample([[90, 10], [9, 1]], [[1, 9], [10, 90]])
    assert compare_categories(codes, first).distance > 1
    assert compare_categories(codes, first, strata).distance == pytest.approx(0, abs=1e-9)


def test_the_figures_are_those_of_the_class_in_which_the_shares_moved():
    codes, first, strata = sample([[80, 20], [10, 40]], [[20, 80], [10, 40]])
    found = compare_categories(codes, first, strata)
    assert (found.stratum, {found.first, found.second}) == (0, {0.2, 0.8})
    assert compare_categories(codes, first).stratum is None


def test_the_category_that_moved_is_named_with_its_shares():
    codes, first, _ = sample([[20, 70, 10], [60, 30, 10]])
    found = compare_categories(codes, first)
    assert (found.level, found.first, found.second) in {(0, 0.2, 0.6), (1, 0.7, 0.3)}
    assert found.low > 0.3
    assert found.detectable < 0.6


def test_rare_categories_count_as_one_and_missing_ones_not_at_all():
    first = np.arange(200) < 50
    codes = np.arange(200) % 100
    assert compare_categories(codes, first) is None  # none has five expected rows
    codes = np.where(np.arange(200) % 2 == 0, 0, codes)
    codes[:10] = -1
    found = compare_categories(codes, first)
    assert found.level in {0, OTHERS}
    assert found.p_value > 0.2


def test_groups_lower_what_can_be_told():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 20)
    codes = random.integers(0, 2, 40)[group]
    first = group < 10
    alone, grouped = compare_categories(codes, first), compare_categories(codes, first, groups=group)
    assert grouped.distance < alone.distance  # more of what is seen is what chance gives
    assert grouped.weight < alone.weight / 10
    assert grouped.detectable > alone.detectable


def test_false_alarms_are_as_rare_as_the_level_says():
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        codes = random.choice(5, 300, p=[0.4, 0.3, 0.15, 0.1, 0.05])
        strata = random.integers(0, 4, 300)
        found = compare_categories(codes, np.arange(300) < 60, strata)
        alarms += found.p_value < 0.05
    assert 6 <= alarms <= 36


def test_one_side_only():
    assert compare_categories(np.array([0, 1, 0, 1]), np.ones(4, dtype=bool)) is None
