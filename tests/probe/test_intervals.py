"""The bootstrap against formulas, and its coverage where groups and leaked samples are few."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.probe import intervals
from leakaudit.probe.intervals import Noise, draw_means, interval, over_seeds, seed_noise


def drawn(h, loss, held_out, leaked, groups, n_boot=4000):
    return draw_means(h, loss, held_out, leaked, groups, n_boot, seed=0)


def test_means_spread_as_the_formula_of_a_mean_says():
    rng = np.random.default_rng(0)
    h, loss = rng.exponential(size=(2, 900))
    held_out = np.arange(900) < 300
    leaked = np.arange(900) < 40
    draws = drawn(h, loss, held_out, leaked, np.arange(900))
    for values, mean, of in (
        (draws.h_train, h, ~held_out),
        (draws.h_val, h, held_out),
        (draws.loss_train, loss, ~held_out),
        (draws.gain_clean, h - loss, held_out & ~leaked),
        (draws.gain_leaked, h - loss, leaked),
    ):
        expected = mean[of].std(ddof=1) / np.sqrt(of.sum())
        assert values.std() == pytest.approx(expected, rel=0.12)
        assert values.mean() == pytest.approx(mean[of].mean(), abs=expected / 4)


def test_groups_are_drawn_as_a_whole():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 20)
    h = rng.standard_normal(60)[groups]
    held_out = groups < 30
    draws = drawn(h, np.zeros(1200), held_out, np.zeros(1200, bool), groups)
    assert draws.h_val.std() == pytest.approx(h[held_out].std() / np.sqrt(30), rel=0.15)


def test_sets_without_two_groups_have_no_interval():
    h, held_out = np.random.default_rng(0).exponential(size=50), np.arange(50) < 10
    draws = drawn(h, np.zeros(50), held_out, np.arange(50) == 0, np.arange(50))
    assert np.isnan(draws.gain_leaked).all()
    assert interval(draws.gain_leaked, 0.3, None, 0) is None
    assert np.isnan(drawn(h, np.zeros(50), held_out, np.zeros(50, bool), np.arange(50)).gain_leaked).all()


@pytest.mark.parametrize("n", [4, 8, 30])
def test_intervals_of_few_groups_are_long_enough(n):
    rng = np.random.default_rng(5)
    held = 0
    for i in range(300):
        h = np.r_[rng.standard_normal(n), np.zeros(20)]
        held_out = np.arange(n + 20) < n
        draws = draw_means(h, np.zeros(n + 20), held_out, np.zeros(n + 20, bool), np.arange(n + 20), 300, i)
        low, high = interval(draws.h_val, h[:n].mean(), None, 0)
        held += low <= 0 <= high
    assert held / 300 >= 0.91


def test_training_adds_to_the_interval():
    draws = np.random.default_rng(0).normal(0, 0.3, 20_000)
    low, high = interval(draws, 0.0, Noise(0.4, 1e6), 1)
    assert high - low == pytest.approx(2 * 1.96 * 0.5, rel=0.03)
    assert interval(draws, 5.0, None, 1)[1] == 5.0


def test_over_seeds():
    low, high = over_seeds(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == pytest.approx((2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)))
    assert over_seeds(np.array([1.0])) is None
    assert seed_noise(np.array([1.0])) is None
    assert seed_noise(np.array([1.0, 1.0])).error == 0


def test_the_same_seed_gives_the_same_draws_whatever_the_chunks(monkeypatch):
    h, held_out = np.random.default_rng(0).exponential(size=100), np.arange(100) < 30
    arguments = (h, h / 2, held_out, np.arange(100) < 5, np.arange(100), 200)
    whole = draw_means(*arguments, seed=4)
    monkeypatch.setattr(intervals, "_CELLS", 700)
    np.testing.assert_allclose(draw_means(*arguments, seed=4).gain_clean, whole.gain_clean)
    assert not np.array_equal(draw_means(*arguments, seed=5).gain_clean, whole.gain_clean)
