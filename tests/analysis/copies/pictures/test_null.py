import numpy as np
import pytest

from leakaudit.analysis.copies.pictures.match import Matches
from leakaudit.analysis.copies.pictures.null import LEAST_SPREAD, Null, measure


def matches(rows):
    a = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    evidence = np.array([value for row in rows for value in row], dtype=np.float32)
    same = np.ones(len(a), dtype=np.float32)
    return Matches(a, np.arange(len(a)), np.zeros(len(a), dtype=np.int16), same, evidence, same)


def measure_all(nearest, random=None):
    return measure(nearest, random or matches([]), strong=4, drop=2.5, overlap=8)


def test_the_median_of_the_best_candidates():
    null = measure_all(matches([[1.0, 2.0], [3.0], [0.5, 2.5, 1.0]]))
    assert null == Null(3, 2.5, pytest.approx(1.4826 * 0.5))


def test_copies_above_a_cliff_do_not_count():
    clean = [[2.0, 1.5, 1.0], [2.2, 2.0, 0.1], [1.8, 1.0, 0.9]]
    copied = [[9.0, 8.5, *row] for row in clean]
    assert measure_all(matches(copied)) == measure_all(matches(clean))


def test_look_alikes_that_fade_out_do_count():
    faded = [[6.0, 5.0, 4.2, 3.0, 2.0]] * 5
    assert measure_all(matches(faded)).centre == 6.0


FRAMES = [[13.0, 11.5, 10.0, 8.5, 7.0, 5.5, 4.5, 3.0, 2.0], [13.0, 10.0, 9.5, 7.5, 5.5, 4.5, 3.0, 2.0]]
STILLS = [[13.0, 12.5, 12.0, 11.5], [12.0, 11.0, 10.5, 10.5]]


@pytest.mark.parametrize("nearest", FRAMES)
def test_frames_that_overlap_less_and_less_do_not_count(nearest):
    few, many = [5.0, *[0.5] * 20], [*[9.0] * 6, *[0.5] * 14]
    assert measure_all(matches([nearest] * 5), matches([few] * 5)).centre == 0.5
    assert measure_all(matches([nearest] * 5), matches([many] * 5)).centre > 9
    assert measure_all(matches([nearest] * 5)).centre > 9


@pytest.mark.parametrize("nearest", STILLS)
def test_more_frames_of_a_scene_than_are_looked_at_are_no_forms_of_one_template(nearest):
    of_other_scenes, of_the_template = [0.7, *[0.5] * 20], [12.0] * 20
    assert measure_all(matches([nearest] * 5), matches([of_other_scenes] * 5)).centre == pytest.approx(0.7)
    assert measure_all(matches([nearest] * 5), matches([of_the_template] * 5)).centre > 9


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
        few, many = (measure_all(matches(values[:n, None].tolist())) for n in (64, 1_000))
        assert few.at_most(5) > few.limit(5)
        within.append(many.limit(5) <= few.at_most(5))
    assert np.mean(within) > 0.99
    assert Null(2, 1.0, 0.5).at_most(5) == np.inf


def test_no_matches_at_all():
    assert measure_all(matches([])) == Null(0, 0.0, 0.0)
