"""Names that training code gives to its numbers."""

from __future__ import annotations

import pytest

from leakaudit.curves.names import choose, role


@pytest.mark.parametrize(
    ("name", "quantity", "split"),
    [
        ("loss", "loss", None),
        ("val_loss", "loss", "val"),
        ("Loss/validation", "loss", "val"),
        ("trainLoss", "loss", "train"),
        ("eval/loss", "loss", "val"),
        ("test_acc", "accuracy", "test"),
        ("val_sparse_categorical_accuracy", "accuracy", "val"),
        ("metrics/accuracy_top1", "accuracy", None),
        ("Learning Rate", "lr", None),
        ("lr-Adam/pg1", "lr", None),
    ],
)
def test_roles(name, quantity, split):
    found = role(name)
    assert (found.quantity, found.split) == (quantity, split)


@pytest.mark.parametrize("name", ["epoch", "time", "val_top5_acc", "grad_norm", "eval_runtime", "lossless"])
def test_no_roles(name):
    assert role(name) is None


def test_the_mean_over_the_epoch_is_preferred_to_single_steps():
    names = ["train_loss_step", "train_loss_epoch", "val_loss_step", "val_loss_epoch"]
    found = choose(names, {})
    assert found.train_loss == ("train_loss_epoch",)
    assert found.sets[0].loss == ("val_loss_epoch",)


def test_parts_of_a_loss_are_summed_when_there_is_no_whole():
    found = choose(["train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss"], {})
    assert found.train_loss == ("train/box_loss", "train/cls_loss")
    assert found.sets[0].loss == ("val/box_loss", "val/cls_loss")
    whole = choose(["train/loss", "train/box_loss", "val/loss", "val/box_loss"], {})
    assert whole.train_loss == ("train/loss",)
    assert whole.sets[0].loss == ("val/loss",)


def test_a_test_set_serves_where_nothing_else_is_held_out():
    found = choose(["train_loss", "test_loss"], {})
    assert found.sets[0].loss == ("test_loss",)
    assert "test" in found.notes[0]
    assert choose(["train_loss", "val_loss", "test_loss"], {}).sets[0].loss == ("val_loss",)


def test_nothing():
    assert choose(["a", "b"], {}) is None
