"""Which classes and groups are among the easiest and the hardest of a split, and which only seem to be."""

from __future__ import annotations

import numpy as np

from leakaudit.probe.difficulty import bounds_of, difficulty

N = 400
HALF = np.arange(N) < 200
NAMES = [f"c{i}" for i in range(5)]


def losses(seed=0, hard=1.0, easy=1.0):
    """Losses of 400 samples of five classes; those of class 3 are `hard`, those of class 1 `easy` times as large."""
    rng = np.random.default_rng(seed)
    codes = np.arange(N) % 5
    return codes, rng.exponential(1, N) * np.where(codes == 3, hard, np.where(codes == 1, easy, 1))


def test_classes_and_groups_that_are_over_represented():
    codes, h = losses(hard=5, easy=0.05)
    for inside in (HALF, ~HALF):
        found = difficulty("val", h, inside, bounds_of(h[HALF]), (codes, NAMES), (codes, NAMES))
        assert found.classes == found.groups
        over = {part.name: part.over for part in found.classes}
        assert over == {"c0": "", "c1": "easiest", "c2": "", "c3": "hardest", "c4": ""}
        assert found.classes[0].name == "c3"
        assert found.classes[-1].name == "c1"
        assert sum(part.hardest for part in found.classes) == found.hardest
        assert found.n == sum(part.n for part in found.classes) == 200


def test_classes_that_are_alike_are_not():
    alarms = []
    for seed in range(100):
        codes, h = losses(seed)
        found = difficulty("val", h, ~HALF, bounds_of(h[HALF]), (codes, NAMES), None)
        alarms.append(any(part.over for part in found.classes))
    assert sum(alarms) <= 10  # two families of tests at 0.05, one of each tail


def test_a_tenth_is_beyond_each_bound_and_ties_are_not():
    _, h = losses()
    own = difficulty("train", h, HALF, bounds_of(h[HALF]), None, None)
    assert (own.easiest, own.hardest) == (19, 20)
    assert own.classes == own.groups == ()
    same = difficulty("train", np.ones(N), HALF, bounds_of(np.ones(200)), None, None)
    assert (same.easiest, same.hardest) == (0, 0)


def test_small_groups_are_not_listed_and_unknown_ones_are_none():
    _, h = losses()
    codes = np.where(np.arange(N) < 4, 0, np.where(np.arange(N) < 50, 1, -1))
    found = difficulty("train", h, HALF, bounds_of(h[HALF]), None, (codes, ["few", "many"]))
    assert [(part.name, part.n, part.over) for part in found.groups] == [("many", 46, "")]
