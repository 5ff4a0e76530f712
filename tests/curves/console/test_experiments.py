"""Three experiments from the text that such runs print: a perceptron with and without dropout, and two networks of
convolutions, without and with augmentation and dropout. The values are drawn here, in the shape such runs have."""

from __future__ import annotations

import numpy as np
import pytest

from consoles import keras2_without_bar, keras3, several_lines, torch_tutorial
from leakaudit.curves import read
from leakaudit.curves.diagnose import diagnose

FORMS = (keras3, keras2_without_bar, torch_tutorial, several_lines)


def falling(start, end, n, rate):
    """From `start` towards `end`, by `rate` a row."""
    return end + (start - end) * np.exp(-rate * np.arange(n))


def rows(train, val, train_accuracy, val_accuracy, seed=0):
    noise = np.random.default_rng(seed).normal(0, 1, (4, len(train)))
    held_out = val + 0.004 * noise[1]
    right = np.minimum(np.column_stack([train_accuracy, val_accuracy]) + 0.0008 * noise[2:].T, 0.9999)
    return [(t, v, *ab) for t, v, ab in zip(train.tolist(), held_out.tolist(), right.tolist(), strict=True)]


def perceptron():
    """Digits, two dense layers, 20 epochs: training is perfect, validation loss doubles after epoch 6."""
    n = 20
    val = falling(0.14, 0.075, n, 0.8) + 0.006 * np.maximum(np.arange(n) - 5, 0)
    return rows(falling(0.26, 0.001, n, 0.45), val, falling(0.925, 0.9998, n, 0.5), falling(0.957, 0.98, n, 0.6))


def perceptron_with_dropout():
    """The same with dropout: validation is above training in accuracy for most of the run, and both settle."""
    n = 20
    val, right = falling(0.15, 0.068, n, 0.45), falling(0.955, 0.981, n, 0.4)
    return rows(falling(0.42, 0.055, n, 0.4), val, falling(0.87, 0.983, n, 0.4), right)


def network():
    """Small pictures, convolutions without regularisation, 30 epochs: validation stands at 0.70, its loss triples."""
    n = 30
    val = falling(1.3, 0.9, n, 0.9) + 0.09 * np.maximum(np.arange(n) - 3, 0)
    return rows(falling(1.6, 0.02, n, 0.25), val, falling(0.42, 0.995, n, 0.2), falling(0.53, 0.7, n, 0.5))


def network_with_regularisation():
    """The same with augmentation and dropout, 40 epochs: validation loss is below training loss throughout."""
    n = 40
    train, right = falling(1.7, 0.62, n, 0.09), falling(0.37, 0.785, n, 0.09)
    return rows(train, falling(1.35, 0.5, n, 0.1), right, falling(0.52, 0.835, n, 0.1))


def printed(experiment, form):
    """The text of a run; what it prints of a test set at the end is as good as its last validation."""
    run = experiment()
    _, loss, _, right = run[-1]
    text = form(run).replace("accuracy: 0.5000 - loss: 7.0000", f"accuracy: {right:.4f} - loss: {loss:.4f}")
    return text.replace("Test loss: 0.51", f"Test loss: {loss}").replace(
        "Test accuracy: 0.81", f"Test accuracy: {right}"
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("experiment", "verdict"),
    [
        (perceptron, "overfitting"),
        (perceptron_with_dropout, "healthy"),
        (network, "overfitting"),
        (network_with_regularisation, "healthy"),
    ],
)
def test_the_verdict_is_the_same_in_every_form(experiment, verdict, form, tmp_path):
    path = tmp_path / "console.txt"
    path.write_text(printed(experiment, form), encoding="utf-8")
    (history,) = read(path)
    found = diagnose(history)
    assert found.verdict == verdict
    every_word = " ".join([found.summary, *found.steps, *(outcome.message for outcome in found.outcomes)])
    assert "leak" not in every_word.replace("leakaudit", "").replace("leakage apart", "")


def said(experiment, tmp_path):
    path = tmp_path / "console.txt"
    path.write_text(printed(experiment, keras3), encoding="utf-8")
    return diagnose(read(path)[0])


def test_a_perceptron_without_dropout_is_told_by_its_loss_and_its_perfect_training(tmp_path):
    found = said(perceptron, tmp_path)
    rules = {outcome.rule for outcome in found.outcomes if outcome.status == "failed"}
    assert {"rising-validation-loss", "near-perfect-training"} & rules
    assert any("EarlyStopping(monitor" in step for step in found.steps)


def test_a_network_without_regularisation_should_have_stopped_early(tmp_path):
    found = said(network, tmp_path)
    assert {"overfitting", "rising-validation-loss"} <= {outcome.rule for outcome in found.findings}
    assert found.outcome("early-stopping").metrics["best_at"] <= 5


def test_a_regularised_network_begins_with_the_answer(tmp_path):
    found = said(network_with_regularisation, tmp_path)
    assert found.summary.startswith("validation loss is below training loss in 40 of 40 epochs; the half-epoch shift")
    assert not found.findings


def test_dropout_is_the_difference_between_the_perceptrons(tmp_path):
    assert said(perceptron_with_dropout, tmp_path).findings == ()
