"""Between healthy and overfitting, and the third set."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leakaudit.curves.diagnose import diagnose
from leakaudit.curves.holdout import expected_best, read_holdout, selection_optimism
from leakaudit.curves.settings import Holdout, Settings
from leakaudit.errors import InputError


def test_three_rises_while_training_falls_are_worth_watching(history):
    train = [1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.35, 0.3]
    found = diagnose(history(train, [1, 0.8, 0.7, 0.65, 0.6, 0.62, 0.64, 0.66]))
    assert found.verdict == "watch"
    assert "risen 3 epochs in a row since epoch 5 (0.6, 0.62, 0.64, 0.66), while training loss falls" in found.summary
    assert [outcome.severity for outcome in found.findings] == ["info"]
    two = diagnose(history(train, [1, 0.8, 0.7, 0.65, 0.62, 0.6, 0.62, 0.64]))
    rising_both = diagnose(history([*train[:5], 0.6, 0.7, 0.8], [1, 0.8, 0.7, 0.65, 0.6, 0.62, 0.64, 0.66]))
    assert two.verdict == "healthy"
    assert rising_both.outcome("validation-loss-turning").status == "passed"


def test_a_small_lasting_drift_is_worth_watching(history):
    for end, verdict in ((0.515, "watch"), (0.505, "healthy")):
        val = np.r_[np.linspace(1, 0.5, 10), [0.5, 0.5], np.full(8, end)]
        assert diagnose(history(np.linspace(1, 0.2, 20), val)).verdict == verdict


def test_what_is_a_finding_already_is_not_watched_too(history):
    train = np.linspace(1, 0.1, 12)
    found = diagnose(history(train, np.r_[np.linspace(1, 0.5, 4), np.linspace(0.55, 0.95, 8)]))
    assert [outcome.rule for outcome in found.findings] == ["rising-validation-loss"]


@pytest.mark.parametrize("noise", [0.01, 0.05, 0.1])
def test_flat_noise_and_falling_curves_are_not_watched(history, noise):
    rng = np.random.default_rng(7)
    alarms = 0
    for at in range(200):
        n = int(rng.integers(8, 80))
        val = (1.0 if at % 2 else 0.4 + np.exp(-np.arange(n) / n * 3)) + noise * rng.normal(size=n)
        found = diagnose(history(np.exp(-np.arange(n) / n * 3) + 0.3, val))
        alarms += found.outcome("validation-loss-turning").status == "failed"
    assert alarms <= 4


def test_near_perfect_training_and_many_times_its_error(history):
    found = diagnose(history(train_accuracy=[0.9998], val_accuracy=[0.9756]))
    assert found.verdict == "watch"
    assert "validation error 2.4 % is 122 times the training error 0.02 %" in found.summary
    digits = diagnose(history(train_accuracy=[0.9998], val_accuracy=[0.992]))
    assert digits.verdict == "healthy"
    assert digits.outcome("near-perfect-training").status == "noted"
    for train, val in ((0.92, 0.90), (0.96, 0.94)):
        assert (
            diagnose(history(train_accuracy=[train], val_accuracy=[val])).outcome("near-perfect-training").status
            == "passed"
        )
    assert "training is perfect" in diagnose(history(train_accuracy=[1.0], val_accuracy=[0.97])).summary


def test_expected_best_is_that_of_normal_values():
    rng = np.random.default_rng(0)
    for k in (2, 5, 30):
        assert expected_best(k) == pytest.approx(rng.normal(size=(40_000, k)).max(axis=1).mean(), abs=0.03)
    assert expected_best(1) == 0


def test_selection_optimism_covers_what_choosing_gains_on_noise(history):
    rng = np.random.default_rng(1)
    gains, bounds = [], []
    for _ in range(200):
        values = 0.8 + 0.01 * rng.normal(size=20)
        run = history(val_accuracy=values)
        gains.append(values.max() - 0.8)
        bounds.append(selection_optimism(run)[0])
    assert np.mean(bounds) == pytest.approx(np.mean(gains), rel=0.25)


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.79, "healthy"), (0.72, "watch"), (0.60, "overfitting")], ids=["near", "drop", "large"]
)
def test_a_drop_to_the_third_set(history, score, verdict):
    run = history([1, 0.8, 0.7], [1, 0.8, 0.75], train_accuracy=[0.6, 0.7, 0.8], val_accuracy=[0.6, 0.7, 0.8])
    found = diagnose(run, Settings(holdouts=(Holdout("test", score, None, 5_000),), n_val=5_000))
    assert found.verdict == verdict
    assert "95 % interval [" in found.outcome("holdout-drop").message
    every_word = " ".join([found.summary, *found.steps])
    assert "leak" not in every_word.replace("leakaudit", "")
    if verdict == "overfitting":
        assert not any("dropout" in step for step in found.steps)  # it is no cure for a set that differs


def test_a_drop_within_its_interval_is_no_finding(history):
    run = history([1, 0.8, 0.7], [1, 0.8, 0.75], train_accuracy=[0.6, 0.7, 0.8], val_accuracy=[0.6, 0.7, 0.8])
    found = diagnose(run, Settings(holdouts=(Holdout("test", 0.72, None, 60),), n_val=60))
    assert found.outcome("holdout-drop").status == "noted"
    assert "holdout test=0.72:SAMPLES" in diagnose(run, Settings(holdouts=(Holdout("test", 0.72),))).summary


def test_a_third_set_in_the_history(history):
    run = history([1, 0.8, 0.7], [1, 0.8, 0.75], val_accuracy=[0.6, 0.7, 0.8], test_accuracy=np.array([0.5, 0.5, 0.5]))
    assert "accuracy 0.800 on validation, 0.500 on the test set" in diagnose(run).outcome("holdout-drop").message
    assert diagnose(run).verdict == "overfitting"


def test_hold_outs_from_the_command_line_and_from_files(tmp_path):
    assert read_holdout("t", "0.71") == Holdout("t", 0.71)
    assert read_holdout("t", "71%:2000") == Holdout("t", 0.71, None, 2000)
    scores = tmp_path / "scores.json"
    scores.write_text(json.dumps({"eval_accuracy": 0.7, "eval_loss": 0.9, "n_samples": 500}))
    assert read_holdout("t", str(scores)) == Holdout("t", 0.7, 0.9, 500)
    predictions = tmp_path / "predictions.csv"
    predictions.write_text("id,label,prediction\n1,a,a\n2,b,a\n3,b,b\n4,a,a\n")
    assert read_holdout("t", str(predictions)) == Holdout("t", 0.75, None, 4)
    predictions.write_text("id,speed\n1,2\n")
    for told, said in (("nowhere", "nor a file"), ("200", "percentage"), (str(predictions), "holds no score")):
        with pytest.raises(InputError, match=said):
            read_holdout("t", told)


def test_the_weights_to_keep_are_those_of_the_lowest_loss(history):
    val = np.r_[np.linspace(1, 0.6, 5), np.full(10, 0.65), np.linspace(0.6, 0.5, 5), np.linspace(0.55, 0.9, 10)]
    found = diagnose(history(np.linspace(1, 0.1, 30), val))
    stopping = found.outcome("early-stopping")
    assert (stopping.metrics["best_at"], stopping.metrics["lowest_at"]) == (5, 20)
    assert "the lowest of all came later, at epoch 20" in stopping.message
    assert any("weights of epoch 20" in step for step in found.steps)
    assert not any("weights of epoch 5" in step for step in found.steps)


@pytest.mark.parametrize(
    ("format_", "said"),
    [
        ("keras-console", "restore_best_weights=True"),
        ("lightning-csv", "ModelCheckpoint"),
        ("hf-trainer", "load_best_model_at_end"),
        ("ultralytics-csv", "patience=8"),
        ("fastai-csv", "SaveModelCallback"),
        ("csv", "save the weights at each new low"),
    ],
)
def test_fixes_are_called_as_the_framework_calls_them(history, format_, said):
    from dataclasses import replace

    val = np.r_[np.linspace(1, 0.5, 4), np.linspace(0.55, 0.95, 8)]
    run = replace(history(np.linspace(1, 0.1, 12), val), format=format_)
    assert said in " ".join(diagnose(run).steps)
    assert ("restore_best_weights" in " ".join(diagnose(run).steps)) == (format_ == "keras-console")


@pytest.mark.parametrize("modality", ["table", "text", "picture", None])
def test_tables_get_no_advice_for_pictures(history, modality):
    val = np.r_[np.linspace(1, 0.5, 4), np.linspace(0.55, 0.95, 8)]
    told = " ".join(diagnose(history(np.linspace(1, 0.1, 12), val), Settings(modality=modality)).steps)
    assert ("rotation" in told) == (modality in ("picture", None))
    assert ("convolution" in told) == (modality in ("picture", None))


def test_boosting_counts_rounds(history):
    val = np.r_[np.linspace(1, 0.5, 4), np.linspace(0.55, 0.95, 8)]
    run = history(np.linspace(1, 0.1, 12), val, unit="iteration", train_loss_kind="eval_end")
    found = diagnose(run)
    words = " ".join([found.summary, *found.steps, *(outcome.message for outcome in found.outcomes)])
    assert "boosting round 4" in found.summary
    assert "epoch" not in words
    assert "iteration" not in words
