"""Plain gradient descent on a table: what any network with these inputs would meet first.

Boosted trees do not mind values that are far out of scale, and a network does. So a linear model is trained on the
numbers, standardised, by gradient descent with momentum at a moderate rate, and its training curve is looked at. On
columns within a few standard deviations it converges smoothly; a value beyond about 25 standard deviations makes a
step too long (``rate / (1 − momentum) · 2 x² / batch > 2``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.learner import Curve

if TYPE_CHECKING:
    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64

RATE, MOMENTUM, BATCH, EPOCHS = 0.01, 0.9, 64, 20
"""The usual defaults of frameworks and courses."""

MOST_ROWS = 10_000


def canary(
    features: np.ndarray, truth: IntArray, n_classes: int, values: Float64, train: IntArray, val: IntArray, seed: int
) -> Curve:
    """Train once.

    Parameters
    ----------
    features : ndarray of float32, shape (n, f)
        Numbers as they are; NaN where missing, which counts as the mean.
    truth : ndarray of int64, shape (n,)
    n_classes : int
        0 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity in standard deviations.
    train, val : ndarray of int64
    seed : int
        Of the weights and of the order.
    """
    rng = np.random.default_rng(seed)
    if len(train) > MOST_ROWS:
        train = rng.choice(train, MOST_ROWS, replace=False)
    inputs = _standardised(features, train)
    target = np.eye(n_classes)[truth] if n_classes else values[:, None]
    weights = 0.01 * rng.normal(size=(inputs.shape[1], target.shape[1]))
    velocity = np.zeros_like(weights)
    rows = []
    with np.errstate(all="ignore"):  # divergence is what is looked for
        for epoch in range(1, EPOCHS + 1):
            order = rng.permutation(train)
            total = right = 0.0
            for start in range(0, len(order), BATCH):
                at = order[start : start + BATCH]
                output = inputs[at] @ weights
                error, losses = _error(output, target[at], n_classes)
                total += float(losses.sum())
                right += float((output.argmax(axis=1) == truth[at]).sum())
                velocity = MOMENTUM * velocity - RATE * inputs[at].T @ error / len(at)
                weights = weights + velocity
            output = inputs[val] @ weights
            _, losses = _error(output, target[val], n_classes)
            accuracies = (right / len(order), float((output.argmax(axis=1) == truth[val]).mean()))
            rows.append((epoch, total / len(order), float(losses.mean()), *accuracies))
    table = np.array(rows, dtype=np.float64)
    table[:, 1:3] = np.where(np.isfinite(table[:, 1:3]), table[:, 1:3], np.inf)  # a history's word for "not a number"
    if not n_classes:
        table[:, 3:] = np.nan
    return Curve(*table.T)


def _standardised(features: np.ndarray, train: IntArray) -> Float64:
    """By mean and standard deviation of the training rows, as a scaler does it, and a constant."""
    known = features.astype(np.float64)
    with np.errstate(all="ignore"):
        mean, spread = np.nanmean(known[train], axis=0), np.nanstd(known[train], axis=0)
        inputs = (known - mean) / np.where(spread > 0, spread, 1.0)
    return np.concatenate([np.nan_to_num(inputs, posinf=0.0, neginf=0.0), np.ones((len(inputs), 1))], axis=1)


def _error(output: Float64, target: Float64, n_classes: int) -> tuple[Float64, Float64]:
    """Derivative of the loss by the output, and the losses."""
    if not n_classes:
        error = output - target
        return 2 * error, np.square(error[:, 0])
    shifted = output - output.max(axis=1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.exp(log_probability) - target, -(log_probability * target).sum(axis=1)
