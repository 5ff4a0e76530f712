import numpy as np
import pytest

from leakaudit.search.near_match import Matches
from leakaudit.search.near_null import LEAST_SPREAD, Null, measure


def matches(rows):
    a = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    evidence = np.array([value for row in rows for value in row], dtype=np.float32)
    same = np.ones(len(a), dtype=np.float32)
    return Matches(a, np.arange(len(a)), np.zeros(len(a), dtype=np.int16), same, evidence, same)


def test_the_median_of_the_best_candidates():
    null = measure(matches([[1.0, 2.0], [3.0], [0.5, 2.5, 1.0]]), strong=4, drop=2.5)
    assert null == Null(3, 2.5, pytest.approx(1.4826 * 0.5))


def test_copies_above_a_cliff_do_not_count():
    clean = [[2.0, 1.5, 1.0], [2.2, 2.0, 0.1], [1.8, 1.0, 0.9]]
    copied = [[9.0, 8.5, *row] for row in clean]
    assert measure(matches(copied), strong=4, drop=2.5) == measure(matches(clean), strong=4, drop=2.5)


def test_look_alikes_that_fade_out_do_count():
    faded = [[6.0, 5.0, 4.2, 3.0, 2.0]] * 5
    assert measure(matches(faded), strong=4, drop=2.5).centre == 6.0


def test_the_fewer_the_further_out():
    limits = [Null(n, 1.0, 0.5).limit(5) for n in (3, 10, 100, 1000)]
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == pytest.approx(1 + 5 * 0.5, rel=0.05)
    assert Null(2, 1.0, 0.5).limit(5) == np.inf
    assert Null(1000, 1.0, 0.0).limit(5) == pytest.approx(1 + 5 * LEAST_SPREAD, rel=0.05)


def test_a_small_sample_bounds_the_limit_of_a_large_one():
    random = np.random.default_rng(0)
    within = []
    for _ in range(300):
        values = random.normal(2.0, 0.4, 1_000)
        few, many = (measure(matches(values[:n, None].tolist()), strong=4, drop=2.5) for n in (64, 1_000))
        assert few.at_most(5) > few.limit(5)
        within.append(many.limit(5) <= few.at_most(5))
    assert np.mean(within) > 0.99
    assert Null(2, 1.0, 0.5).at_most(5) == np.inf


def test_no_matches_at_all():
    assert measure(matches([]), strong=4, drop=2.5) == Null(0, 0.0, 0.0)
