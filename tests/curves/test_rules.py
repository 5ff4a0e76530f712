"""The rules: worked cases, simulated runs, and what must not be said."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.curves.diagnose import diagnose
from leakaudit.curves.rules import RULES
from leakaudit.curves.settings import Settings
from leakaudit.curves.thresholds import Thresholds


@pytest.mark.parametrize(
    ("train", "val", "verdict"),
    [
        (0.85, 0.83, "healthy"),
        (0.99, 0.75, "overfitting"),
        (0.70, 0.68, "perhaps underfit"),
        (0.92, 0.90, "healthy"),
        (0.95, 0.85, "overfitting"),
        (0.80, 0.65, "overfitting"),
        (0.80, 0.72, "healthy"),
    ],
)
def test_worked_cases(history, train, val, verdict):
    found = diagnose(history(train_accuracy=[train], val_accuracy=[val]))
    assert found.verdict == verdict
    assert all(outcome.severity == "info" for outcome in found.findings if verdict == "perhaps underfit")
    for rows in (3, 10):
        assert diagnose(history(train_accuracy=[train] * rows, val_accuracy=[val] * rows)).verdict in (
            verdict,
            "overfitting" if train - val > 0.05 else verdict,
        )


def test_a_gap_that_lasts_three_rows_is_overfitting_and_one_that_does_not_is_not(history):
    train = [0.5, 0.6, 0.7, 0.8, 0.85]
    lasting = diagnose(history(train_accuracy=train, val_accuracy=[0.5, 0.6, 0.64, 0.74, 0.79]))
    passing = diagnose(history(train_accuracy=train, val_accuracy=[0.5, 0.6, 0.64, 0.74, 0.82]))
    assert lasting.verdict == "overfitting"
    assert lasting.outcome("overfitting").metrics["gap_sustained_from"] == 3
    assert passing.verdict == "healthy"


def test_rising_validation_loss(history):
    train = np.linspace(1, 0.1, 12)
    val = np.r_[np.linspace(1, 0.5, 4), np.linspace(0.55, 0.95, 8)]
    found = diagnose(history(train, val))
    assert found.verdict == "overfitting"
    assert "rose from 0.5 at epoch 4" in found.summary
    assert found.outcome("rising-validation-loss").metrics["third_rise_at"] == 7
    falling_both = diagnose(history(np.linspace(1, 2, 12), val))
    assert falling_both.outcome("rising-validation-loss").status == "passed"


def test_three_small_rises_of_a_flat_curve_are_no_overfitting(history):
    val = np.array([1.0, 0.6, 0.51, 0.5, 0.501, 0.502, 0.503])
    assert diagnose(history(np.linspace(1, 0.4, 7), val)).verdict == "healthy"


def test_a_run_that_ends_within_its_first_rises(history):
    val = [1.0361, 0.8294, 0.8325, 0.8379, 0.9449]
    train = [1.6275, 0.8688, 0.649, 0.4387, 0.2264]
    assert diagnose(history(train, val)).verdict == "overfitting"
    assert diagnose(history(train[:4], val[:4])).verdict == "healthy"


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_false_alarms_on_flat_noise(history, noise):
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(150):
        n = int(rng.integers(20, 101))
        train = np.exp(-np.arange(n) / n * 3) + 0.3
        val = 1 + noise * rng.normal(size=n)
        found = diagnose(history(train, val)).outcome("rising-validation-loss")
        alarms += found.status == "failed"
    assert alarms <= 7


def test_power_on_a_noisy_rise(history):
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(50):
        val = np.r_[np.linspace(1.5, 0.5, 20), np.linspace(0.5, 1.0, 30)] * (1 + 0.05 * rng.normal(size=50))
        hits += diagnose(history(np.linspace(1, 0, 50), val)).verdict == "overfitting"
    assert hits == 50


def test_unstable(history):
    val = [1.0, 0.5, 1.5, 0.5, 1.4, 0.6, 1.6, 0.5, 1.0, 0.5]
    assert diagnose(history(np.linspace(1, 0.5, 10), val)).verdict == "unstable"
    climbing = diagnose(history([1.0, 0.5, 0.2, 0.2, 0.2, 0.5, 0.8, 0.9], [1.0] * 8))
    assert "climbed back from 0.2 to 0.8" in climbing.outcome("unstable-loss").message


def test_losses_that_are_not_finite(history):
    end = diagnose(history([1.0, 0.5, np.inf, np.inf], [1.0, 0.9, 0.9, np.inf]))
    assert end.verdict == "diverged"
    assert end.findings[0].severity == "error"
    assert end.outcome("non-finite-loss").metrics["train_loss_from"] == 3
    recovered = diagnose(history([1.0, 0.5, 0.4, 0.3, 0.2], [1.0, np.inf, 0.9, 0.85, 0.8]))
    assert recovered.verdict == "healthy"
    assert recovered.outcome("non-finite-loss").status == "noted"


def test_validation_below_training_is_explained_and_never_called_leakage(history):
    true = 2.0 - 0.1 * np.arange(0, 11)
    means = (true[:-1] + true[1:]) / 2
    timing = diagnose(history(means, true[1:] - 0.001)).outcome("low-validation-loss")
    assert timing.status == "noted"
    assert "explains 98 %" in timing.message
    assert "scan" not in timing.message
    below = diagnose(history(means, true[1:] * 0.5))
    assert below.verdict == "healthy"
    assert "measure the rest with `leakaudit.attribute`" in below.outcome("low-validation-loss").message
    assert below.summary.startswith("validation loss is below training loss in 10 of 10 epochs; the half-epoch shift")
    averaged = diagnose(history(means, true[1:] * 0.5, val_weights="ema", train_loss_kind="ema"))
    assert "moving average" in averaged.outcome("low-validation-loss").message
    assert "at most" in averaged.outcome("low-validation-loss").message
    boosted = diagnose(history(means, true[1:] * 0.5, train_loss_kind="eval_end", unit="iteration"))
    assert "both are losses of the same model" in boosted.outcome("low-validation-loss").message
    assert "boosting rounds" in boosted.outcome("low-validation-loss").message
    for diagnosis in (below, averaged, boosted):
        assert not [outcome for outcome in diagnosis.findings if outcome.rule == "low-validation-loss"]


def test_test_set_as_validation_set(history):
    run = history([1.0, 0.9, 0.8], [1.0, 0.9, 0.8])
    assert diagnose(run).outcome("selection-on-test").status == "skipped"
    told = diagnose(run, Settings(val_is_test=True)).outcome("selection-on-test")
    assert (told.status, told.severity) == ("failed", "info")


def test_thresholds_are_the_users(history):
    run = history(train_accuracy=[0.9], val_accuracy=[0.8])
    assert diagnose(run).verdict == "healthy"
    strict = Settings(thresholds=Thresholds(large_gap=0.08))
    assert diagnose(run, strict).verdict == "overfitting"


def test_advice_carries_the_numbers_and_fits_the_model(history):
    steps = " ".join(diagnose(history(train_accuracy=[0.99], val_accuracy=[0.75], val_loss=[1.0])).steps)
    for number in ("input 0.1–0.2", "dense 0.3–0.5", "convolution 0.2–0.3", "recurrent 0.2–0.5", "output never"):
        assert number in steps
    trees = diagnose(history(train_accuracy=[0.99], val_accuracy=[0.75], unit="iteration", train_loss_kind="eval_end"))
    assert "dropout" not in " ".join(trees.steps)
    assert "early_stopping_rounds" in " ".join(trees.steps)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 1e100, np.nan, np.inf])
def test_every_rule_speaks_about_any_history(history, n, value):
    values = [value] * n
    for run in (
        history(values, values, lr=values),
        history(values, train_accuracy=[0.5] * n),
        history((), values, val_accuracy=[0.5] * n),
        history([1.0] * n, values, lr=[0.1] * n),
    ):
        found = diagnose(run, Settings(val_is_test=True))
        assert len(found.outcomes) == len(RULES)
        assert all(outcome.message for outcome in found.outcomes)
        assert found.summary
