from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.belonging.likeness import fit_embedding, likeness
from pictures import records


def sides(n, seed=0):
    held_out = np.random.default_rng(seed).random(n) < 0.3
    return held_out, ~held_out


@pytest.mark.parametrize("n_keys", [15, 60])
def test_keys_without_meaning_stay_at_one_half(n_keys):
    rng = np.random.default_rng(n_keys)
    points = rng.normal(size=(400, 6)).astype(np.float32)
    labels = rng.integers(0, 3, 400)
    shares, bounds = [], []
    for seed in range(30):
        # groups of very different sizes: the mean of a large one lies nearer to everything
        keys = np.minimum(rng.geometric(2 / n_keys, 400), n_keys)
        found = likeness(lambda at: points[at], keys, labels, *sides(400, seed))
        shares.append(found.share)
        bounds.append(found.low)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)
    assert np.mean(np.array(bounds) > 0.5) <= 0.1


def test_groups_that_resemble_each_other_are_found():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 40, 400)
    points = (rng.normal(size=(40, 6))[keys] + rng.normal(size=(400, 6))).astype(np.float32)
    found = likeness(lambda at: points[at], keys, np.full(400, -1), *sides(400))
    assert found.low > 0.7
    assert found.n_keys >= 35


def test_a_key_that_is_the_class_is_no_group():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 20, 400)
    points = rng.normal(size=(20, 6))[labels].astype(np.float32)
    assert likeness(lambda at: points[at], labels, labels, *sides(400)).n_keys == 0


def test_likeness_that_is_the_class_does_not_count():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 600)
    keys = labels * 15 + rng.integers(0, 15, 600)  # each key within one class
    points = (3 * rng.normal(size=(4, 6))[labels] + rng.normal(size=(600, 6))).astype(np.float32)
    assert likeness(lambda at: points[at], keys, labels, *sides(600)).low < 0.5


def test_pictures_of_one_scene_are_placed_near_each_other():
    scenes = np.repeat(np.arange(30), 8)
    made = records(240, scenes=scenes)
    labels = np.tile(np.arange(2), 120)
    embedding = fit_embedding(made, labels, np.ones(240, dtype=bool))
    assert likeness(embedding.place, scenes, labels, *sides(240)).low > 0.8
    shuffled = np.random.default_rng(1).permutation(scenes)
    assert likeness(embedding.place, shuffled, labels, *sides(240)).low < 0.6


def test_pictures_that_are_all_alike_have_no_axes():
    made = records(20)
    made[:] = made[0]
    embedding = fit_embedding(made, np.zeros(20, dtype=np.int64), np.ones(20, dtype=bool))
    assert embedding.place(np.arange(20)).shape == (20, 0)
    found = likeness(embedding.place, np.arange(20) // 2, np.zeros(20, dtype=np.int64), *sides(20))
    assert found.share == 0.5
