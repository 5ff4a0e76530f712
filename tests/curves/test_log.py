"""Logs by step."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.errors import InputError


def only(tmp_path, log):
    (found,) = histories(Source(tmp_path, "x"), About("log", "epoch_mean"), Options(), log)
    return found


def series(steps, values):
    return dict(zip(map(float, steps), map(float, values), strict=True))


def test_training_losses_are_averaged_between_evaluations(tmp_path):
    log = Log({"train_loss": series(range(6), [6, 5, 4, 3, 2, 1]), "val_loss": series([2, 5], [1, 2])})
    found = only(tmp_path, log)
    assert found.train_loss.tolist() == [5.0, 2.0]
    assert found.train_loss_kind == "window_mean"
    assert found.unit == "step"


def test_epochs_with_several_evaluations_are_divided(tmp_path):
    log = Log(
        {"train_loss": series(range(4), [4, 3, 2, 1]), "val_loss": series(range(4), [4, 3, 2, 1])},
        epochs=series(range(4), [0, 0, 1, 1]),
    )
    assert only(tmp_path, log).epoch.tolist() == [-0.5, 0.0, 0.5, 1.0]


def test_training_by_step_and_validation_by_epoch(tmp_path):
    log = Log({"train_loss": series(range(100), np.arange(100)), "val_loss": series(range(4), [1, 2, 3, 4])})
    found = only(tmp_path, log)
    assert found.epoch.tolist() == [0, 1, 2, 3]
    assert np.isfinite(found.train_loss).all()
    assert any("end together" in note for note in found.notes)


def test_no_validation(tmp_path):
    found = only(tmp_path, Log({"loss": series(range(3), [3, 2, 1])}))
    assert found.train_loss.tolist() == [3, 2, 1]
    assert np.isnan(found.val_loss).all()


def test_nothing_recognised(tmp_path):
    with pytest.raises(InputError, match="speed"):
        only(tmp_path, Log({"speed": series([0], [1])}))


def test_several_validation_sets(tmp_path):
    names = ("val_loss/dataloader_idx_0", "val_loss/dataloader_idx_1")
    log = Log({"train_loss": series(range(2), [2, 1]), **{name: series(range(2), [2, 1]) for name in names}})
    found = histories(Source(tmp_path, "x"), About("log", "epoch_mean"), Options(), log)
    assert [history.val_set for history in found] == ["dataloader idx 0", "dataloader idx 1"]
