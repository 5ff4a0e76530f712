"""Early stopping and learning-rate plateaus, against straight transcriptions of the callbacks' text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.curves.replay import EarlyStopping, Plateau, find_plateau, replay_plateau, stop_early

losses = st.lists(st.integers(0, 12).map(lambda v: v / 4), min_size=1, max_size=30)


@given(losses, st.integers(1, 5), st.sampled_from([0.0, 0.3]))
def test_early_stopping_is_the_first_row_with_too_long_a_wait(values, patience, delta):
    kept = [0]
    for row in range(1, len(values)):
        if values[row] < values[kept[-1]] - delta:
            kept.append(row)
        elif row - kept[-1] >= patience:
            break
    else:
        row = None
    found = stop_early(np.array(values), EarlyStopping(patience, delta))
    assert (found.best, found.stop) == (kept[-1], row)


@given(losses, st.integers(1, 4))
def test_a_plateau_lowers_the_rate_and_never_raises_it(values, patience):
    rates = replay_plateau(np.array(values), 1.0, Plateau(0.5, patience, 1e-3))
    assert rates[0] == 1.0
    assert (np.diff(rates) <= 0).all()
    assert (rates >= 1e-3).all()
    assert set(np.round(np.log2(rates[rates > 1e-3]), 9) % 1) <= {0.0}


def test_rows_without_a_loss_are_no_steps_and_infinite_ones_no_improvement():
    nan, inf = np.nan, np.inf
    assert stop_early(np.array([1.0, nan, nan, 1.1]), EarlyStopping(2)).stop is None
    assert stop_early(np.array([1.0, inf, inf]), EarlyStopping(2)).stop == 2
    assert stop_early(np.array([nan, nan]), EarlyStopping(2)) is None
    assert stop_early(np.array([inf, inf, inf]), EarlyStopping(1)) is None


def test_cooldown():
    rates = replay_plateau(np.ones(8), 1.0, Plateau(0.5, 1, 0.0, cooldown=2))
    assert rates.tolist() == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


@pytest.mark.parametrize("rule", [Plateau(), Plateau(0.1, 5, 1e-8), Plateau(0.2, 2, 1e-5, 0.0)])
def test_a_plateau_rule_is_found_again(rule):
    rng = np.random.default_rng(4)
    loss = np.exp(-np.arange(60) / 8) + 0.5 + rng.normal(size=60) * 0.02
    rates = replay_plateau(loss, 0.01, rule).astype(np.float32).astype(float)
    found = find_plateau(loss, rates)
    assert (found.factor, found.patience) == (rule.factor, rule.patience)


def test_other_schedules_are_no_plateau():
    rng = np.random.default_rng(0)
    loss = 1 / np.arange(1.0, 61) + rng.normal(size=60) * 0.01
    rows = np.arange(60)
    assert find_plateau(loss, 0.1 * 0.1 ** (rows // 20)) is None
    assert find_plateau(loss, 0.1 * np.cos(rows / 40)) is None
    assert find_plateau(loss, np.full(60, 0.1)) is None
    assert find_plateau(loss, np.full(60, np.nan)) is None
