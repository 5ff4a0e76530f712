"""The half-epoch shift."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.curves.timing import corrected_train_loss, explained_share


def test_a_straight_line_is_shifted_exactly(history):
    true = 2.0 - 0.1 * np.arange(0, 11)
    means = (true[:-1] + true[1:]) / 2
    np.testing.assert_allclose(corrected_train_loss(history(means)), true[1:])


def test_rows_of_unlike_length(history):
    at = np.array([1.0, 2.0, 4.0, 8.0])
    edges = np.r_[0.0, at]
    means = 3.0 - (edges[:-1] + edges[1:]) / 2 * 0.25
    np.testing.assert_allclose(corrected_train_loss(history(means, epoch=at)), 3.0 - at * 0.25)


def test_interior_rows_take_the_central_slope(history):
    reported = [1.0, 0.7, 0.5, 0.45]
    shifted = corrected_train_loss(history(reported))
    assert shifted[1] == pytest.approx(0.7 - (1.0 - 0.5) / 4)


def test_losses_that_need_none(history):
    assert np.isnan(corrected_train_loss(history([1.0, 0.5], train_loss_kind="eval_end"))).all()
    assert np.isnan(corrected_train_loss(history([1.0]))).all()


def test_gaps_stay_gaps_and_losses_stay_positive(history):
    shifted = corrected_train_loss(history([1.0, np.nan, 0.5, np.inf, 0.01]))
    assert np.isnan(shifted[[1, 3]]).all()
    assert (shifted[[0, 2, 4]] >= 0).all()


def test_share(history):
    true = 2.0 - 0.1 * np.arange(0, 11)
    run = history((true[:-1] + true[1:]) / 2, true[1:] - 0.15)
    assert explained_share(run, corrected_train_loss(run)) == pytest.approx(0.25)
    above = history([1.0, 0.9, 0.8], [2.0, 2.0, 2.0])
    assert np.isnan(explained_share(above, corrected_train_loss(above)))
