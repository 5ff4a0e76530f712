"""Histories that others wrote."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.curves import read
from leakaudit.curves.diagnose import diagnose
from leakaudit.curves.replay import Plateau, replay_plateau
from leakaudit.curves.settings import Settings

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def histories(shared_data):
    return shared_data / "histories"


def told(diagnosis, rule):
    return diagnosis.outcome(rule)


def test_published_run_a_is_overfit(histories):
    a = next(h for h in read(histories / "histories-published.json") if h.run == "A_unregularised")
    found = diagnose(a)
    assert found.verdict == "overfitting"
    assert {outcome.rule for outcome in found.findings} == {"overfitting", "rising-validation-loss"}
    metrics = told(found, "overfitting").metrics
    assert (metrics["gap_sustained_from"], metrics["gap_large_from"]) == (3, 4)
    assert metrics["train_accuracy_high_from"] == 6
    assert told(found, "rising-validation-loss").metrics["third_rise_at"] == 5
    stop = told(found, "early-stopping")
    assert (stop.metrics["stop_at"], stop.metrics["best_at"]) == (10, 2)
    assert "would have stopped at epoch 10, best 2" in stop.message


def test_published_run_b_is_healthy(histories):
    b = next(h for h in read(histories / "histories-published.json") if h.run == "B_augmented_dropout")
    found = diagnose(b)
    assert found.verdict == "healthy"
    assert not found.findings
    low = told(found, "low-validation-loss")
    assert (low.metrics["rows_below"], low.metrics["rows"]) == (40, 40)
    assert low.metrics["explained_by_shift"] == pytest.approx(0.08, abs=0.01)
    assert low.message.startswith("validation loss is below training loss in 40 of 40 epochs; the half-epoch shift")
    assert "measure the rest with `leakaudit.attribute`" in low.message
    assert found.summary.startswith(low.message.split(". ")[0])
    stop = told(found, "early-stopping").metrics
    assert (stop["stop_at"], stop["best_at"]) == (40, 32)
    np.testing.assert_allclose(replay_plateau(b.val_loss, 0.001, Plateau(0.5, 3, 1e-6)), b.lr)
    rate = told(found, "learning-rate").metrics
    assert (rate["plateau_factor"], rate["plateau_patience"]) == (0.5, 3)
    every_word = " ".join([found.summary, *found.steps, *(outcome.message for outcome in found.outcomes)])
    assert "leak" not in every_word.replace("leakaudit", "").replace("leakage apart", "")


def test_published_run_b_chose_by_the_test_set(histories):
    b = next(h for h in read(histories / "histories-published.json") if h.run == "B_augmented_dropout")
    found = diagnose(b, Settings(val_is_test=True))
    note = told(found, "selection-on-test")
    assert note.severity == "info"
    assert note.metrics["choices"] == 2
    assert found.verdict == "healthy"


def test_keras(histories):
    (history,) = read(histories / "keras" / "training.log")
    assert (history.format, len(history)) == ("keras-csv", 24)
    found = diagnose(history)
    assert found.verdict == "healthy"
    rate = told(found, "learning-rate").metrics
    assert (rate["plateau_factor"], rate["plateau_patience"]) == (0.2, 2)


def test_lightning(histories):
    (history,) = read(histories / "lightning")
    assert history.epoch.tolist() == [0, 1, 2, 3, 4]
    assert history.train_loss_kind == "window_mean"
    assert history.val_loss[0] < history.train_loss[0]
    assert history.val_accuracy[-1] == pytest.approx(0.9868)
    assert diagnose(history).verdict == "healthy"


def test_hf_multi_eval(histories):
    found = read(histories / "hf-multi-eval" / "trainer_state.json")
    assert [history.val_set for history in found] == [f"g{i}" for i in range(6)]
    assert found[0].train_loss[-1] == pytest.approx(0.0549)
    assert found[0].val_loss[-1] == pytest.approx(2.7487, abs=1e-4)
    assert {diagnose(history).verdict for history in found} == {"overfitting"}


def test_hf_vit(histories):
    (history,) = read(histories / "hf-vit")
    assert len(history) == 6
    assert history.train_loss_kind == "window_mean"
    assert history.train_loss[0] == pytest.approx(
        np.mean([0.2579, 0.1457, 0.0975, 0.0565, 0.0579, 0.0302, 0.0039, 0.0441, 0.0414, 0.0443])
    )
    assert diagnose(history).verdict == "healthy"


def test_tensorboard(histories):
    (run,) = read(histories / "tensorboard")
    assert run.epoch.tolist() == [0, 1, 2, 3, 4]
    assert any("after the end of training" in note for note in run.notes)
    assert diagnose(run).verdict == "healthy"
    for path in sorted((histories / "tensorboard").iterdir()):
        (alone,) = read(path)
        assert len(alone) in (1, 5)
