"""How alike strangers are: the line through few and many of them, and what makes a scene of them."""

import numpy as np
import pytest

from leakaudit.analysis.copies.pictures.null import (
    LEAST_SPREAD,
    MARGIN,
    NO_CHANGE,
    Null,
    measure,
    most_change,
    null_of,
    numbers_of,
)
from leakaudit.analysis.copies.pictures.parameters import NearParams


def test_the_median_of_the_best_of_those_that_were_drawn():
    null = measure(np.array([[1.0, 2.0], [3.0, 0.0], [0.5, 2.5]]), 2)
    assert null == Null(3, 2.5, pytest.approx(1.4826 * 0.5))


def test_the_best_of_more_strangers_is_read_off_a_line():
    """The largest of n exponential values has the median ln n + 0.37 for large n."""
    drawn = np.random.default_rng(0).exponential(size=(3_000, 16))
    assert measure(drawn, 10_000).centre == pytest.approx(np.log(10_000) + 0.37, abs=0.4)
    centres = [measure(drawn, n).centre for n in (16, 100, 1_000)]
    assert centres == sorted(centres)
    assert measure(drawn, 4).centre == centres[0]


def test_pairs_that_are_left_out_are_no_strangers():
    drawn = np.random.default_rng(1).exponential(size=(200, 16))
    copied = drawn.copy()
    copied[:, 0] = 12.0
    assert measure(copied, 100).limit(5) > 12
    assert measure(np.where(copied > 10, np.nan, copied), 100).limit(5) == pytest.approx(
        measure(drawn, 100).limit(5), abs=0.8
    )
    assert measure(np.full((5, 3), np.nan), 100) == Null(0, 0.0, 0.0)


def test_the_fewer_the_further_out():
    limits = [Null(n, 1.0, 0.5).limit(5) for n in (3, 10, 100, 1000)]
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == pytest.approx(1 + MARGIN + 5 * 0.5, rel=0.05)
    assert Null(2, 1.0, 0.5).limit(5) == np.inf
    assert Null(1000, 1.0, 0.0).limit(5) == pytest.approx(1 + MARGIN + 5 * LEAST_SPREAD, rel=0.05)


def test_a_small_sample_bounds_the_limit_of_a_large_one():
    random = np.random.default_rng(0)
    within = []
    for _ in range(300):
        values = random.normal(2.0, 0.4, (1_000, 1))
        few, many = (measure(values[:n], 1) for n in (64, 1_000))
        assert few.at_most(5) > few.limit(5)
        within.append(many.limit(5) <= few.at_most(5))
    assert np.mean(within) > 0.99
    assert Null(2, 1.0, 0.5).at_most(5) == np.inf


def test_no_matches_at_all():
    assert measure(np.zeros((0, 0)), 0) == Null(0, 0.0, 0.0)


@pytest.mark.parametrize("null", [Null(3, 1.0, 0.5), Null(300, 4.0, 0.2, 0.4, 12.5)])
def test_a_null_is_stored_and_comes_back(null):
    assert null_of(numbers_of(null)) == null


PARAMS = NearParams()
OTHERS = np.exp(np.random.default_rng(2).normal(np.log(60), 0.2, 240)).astype(np.float32)


def test_in_a_scene_of_other_contents_a_copy_may_change_as_much_as_copies_do():
    assert most_change(OTHERS, 200, PARAMS) == PARAMS.same_content


def test_pictures_that_cannot_be_compared_are_other_contents():
    none = np.full(20, np.inf, dtype=np.float32)
    assert most_change(none, 200, PARAMS) == PARAMS.same_content
    assert most_change(np.concatenate([OTHERS, none]), 200, PARAMS) == PARAMS.same_content


def test_copies_inside_the_reference_do_not_hide_copies():
    copies = np.full(40, 4.0, dtype=np.float32)
    assert most_change(np.concatenate([OTHERS, copies]), 200, PARAMS) == PARAMS.same_content


def test_where_contents_differ_by_as_little_as_copies_do_less_is_asked_for():
    random = np.random.default_rng(3)
    little = np.exp(random.normal(np.log(40), 0.3, 250)).astype(np.float32)
    assert NO_CHANGE < most_change(little, 10_000, PARAMS) < most_change(little, 200, PARAMS) <= PARAMS.same_content
    alike = np.exp(random.normal(np.log(5), 0.3, 12)).astype(np.float32)  # all of them: a few variants of one picture
    assert NO_CHANGE <= most_change(alike, 5, PARAMS) <= PARAMS.same_content
    hardly_any = np.exp(random.normal(np.log(8), 0.6, 250)).astype(np.float32)
    assert most_change(hardly_any, 200, PARAMS) == NO_CHANGE
