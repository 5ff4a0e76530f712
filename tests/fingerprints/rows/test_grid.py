import numpy as np
import pytest

from leakaudit.fingerprints.rows.grid import avoid_each_other, expected_pairs, on_grid


def n_equal(a, b):
    values, counts = np.unique(b, return_counts=True)
    at = np.minimum(np.searchsorted(values, a), len(values) - 1)
    return counts[at][values[at] == a].sum()


@pytest.mark.parametrize(
    "rounded", [lambda x: np.round(x, 5), lambda x: np.round(1e4 * x) / 4, lambda x: np.rint(1e5 * x)]
)
def test_rounded_numbers_are_equal_as_often_as_they_are_a_step_apart(rounded):
    rng = np.random.default_rng(0)
    a, b = rounded(rng.normal(size=5_000)), rounded(rng.normal(size=20_000))
    assert expected_pairs(a, b) == pytest.approx(n_equal(a, b), rel=0.15)
    inside = np.unique(b, return_counts=True)[1]
    assert expected_pairs(b, None) == pytest.approx((inside * (inside - 1) / 2).sum(), rel=0.15)


def test_copies_are_not_a_step_apart():
    rng = np.random.default_rng(0)
    b = np.round(rng.normal(size=20_000), 5)
    a = np.concatenate([b[:500], np.round(rng.normal(size=4_500), 5)])
    assert expected_pairs(a, b) < 0.7 * n_equal(a, b)


@pytest.mark.parametrize(
    "values", [[], [1.0], [np.nan, np.nan], [np.inf, 1.0], [0.1234567890123, 1 / 3], [1e300, -1e300]]
)
def test_numbers_on_no_grid(values):
    assert expected_pairs(np.array(values), np.array(values)) == 0
    assert expected_pairs(np.array(values), None) == 0
    assert not on_grid(np.array(values), np.array([]))


def test_numbers_of_rows_avoid_each_other_and_measurements_do_not():
    rng = np.random.default_rng(0)
    numbers = rng.permutation(4_000).astype(float)
    assert avoid_each_other(numbers[:300], numbers[300:500])
    assert avoid_each_other(100 * numbers[:500] + 7)
    assert not avoid_each_other(rng.integers(0, 4_000, 500).astype(float))
    assert not avoid_each_other(rng.integers(0, 10**9, 500).astype(float))  # too far apart to tell
    assert not avoid_each_other(np.array([]), np.array([np.nan]))
