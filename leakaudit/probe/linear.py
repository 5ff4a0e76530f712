"""Text, and tables with many classes: a linear model on many sparse features, trained by gradient descent.

Softmax regression (for a quantity, least squares) with AdaGrad (Duchi, Hazan and Singer, JMLR 12, 2011), whose step
for a rare n-gram stays large: with more features than samples it learns its training samples by heart, as large models
do. No regularisation; an epoch is one pass in batches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.local import raise_if_stopped
from leakaudit.probe.learner import Curve, Fit, Job, class_fit, quantity_fit

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64, TrainLossKind

BATCH = 64

RATE_CLASSES, RATE_QUANTITY = 0.5, 0.1
"""AdaGrad's step for rows of length 1; a quantity's gradient has no bound, so its step is smaller."""


@dataclass(frozen=True, eq=False)
class LinearModel:
    """The learner.

    Parameters
    ----------
    features : scipy.sparse.csr_array of float32, shape (n, f)
        Rows of about unit length.
    truth : ndarray of int64, shape (n,)
    n_classes : int
        0 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity in standard deviations.
    epochs : int, default 10
    """

    features: csr_array
    truth: IntArray
    n_classes: int
    values: Float64
    epochs: int = 10

    train_loss_kind: TrainLossKind = "epoch_mean"
    in_processes = True

    @property
    def name(self) -> str:
        """What it is, for people."""
        kind = "softmax regression" if self.n_classes else "linear regression"
        return f"{kind} on {self.features.shape[1]:,} sparse features, {self.epochs} epochs"

    @property
    def unit(self) -> str:
        """Cross-entropy for classes, else squared error."""
        return "nats" if self.n_classes else "squared standard deviations"

    @property
    def ticks(self) -> int:
        """One an epoch."""
        return self.epochs

    def fit(self, job: Job, tick: Callable[[], None] = lambda: None) -> Fit:
        """Train one model in an order of its own, and judge."""
        from threadpoolctl import threadpool_limits

        # Sums over threads hang on how many there are, and a child process has one: the same model everywhere.
        with threadpool_limits(1, user_api="blas"):
            return self._fit(job, tick)

    def _fit(self, job: Job, tick: Callable[[], None]) -> Fit:
        rng = np.random.default_rng(job.seed)
        weights = np.zeros((self.features.shape[1], max(1, self.n_classes)), dtype=np.float32)
        squares = np.full_like(weights, 1e-8)
        history = []
        for number in range(1, self.epochs + 1):
            history.append(self._epoch(weights, squares, job, rng, number))
            tick()
        reported = history[-1][1]
        output = self._outputs(weights, job.judged)
        if self.n_classes:
            fit = class_fit(output, self.truth, job.judged, reported)
        else:
            fit = quantity_fit(output[:, 0], self.values, job.judged, reported)
        if job.watched is None:
            return fit
        at_end = float(self._losses(weights, job.train).mean())
        return replace(fit, train_mode=at_end, curve=Curve(*map(np.array, zip(*history, strict=True))))

    def _epoch(
        self, weights: np.ndarray, squares: np.ndarray, job: Job, rng: np.random.Generator, number: int
    ) -> tuple[float, ...]:
        order = rng.permutation(job.train)
        rate = RATE_CLASSES if self.n_classes else RATE_QUANTITY
        total, right = 0.0, 0.0
        for start in range(0, len(order), BATCH):
            raise_if_stopped()
            at = order[start : start + BATCH]
            rows = self.features[at]
            used, inverse = np.unique(rows.indices, return_inverse=True)
            dense = np.zeros((len(at), len(used)), dtype=np.float32)
            dense[np.repeat(np.arange(len(at)), np.diff(rows.indptr)), inverse] = rows.data
            output = dense @ weights[used]
            error, losses, correct = self._error(output, at)
            total += float(losses.sum())
            right += float(correct.sum())
            gradient = dense.T @ (error / len(at)).astype(np.float32)
            squares[used] += np.square(gradient)
            weights[used] -= rate * gradient / np.sqrt(squares[used])
        n = len(order)
        if job.watched is None or not len(job.watched):
            return float(number), total / n, np.nan, right / n, np.nan
        output = self._outputs(weights, job.watched)
        _, losses, correct = self._error(output.astype(np.float32), job.watched)
        return float(number), total / n, float(losses.mean()), right / n, float(correct.mean())

    def _error(self, output: np.ndarray, at: IntArray) -> tuple[np.ndarray, Float64, Float64]:
        """Derivative of the loss by the output, the losses, and 1 where the class is right."""
        if not self.n_classes:
            error = output[:, 0].astype(np.float64) - self.values[at]
            return 2 * error[:, None], np.square(error), np.full(len(at), np.nan)
        log_probability = _log_softmax(output)
        own = self.truth[at]
        error = np.exp(log_probability)
        error[np.arange(len(at)), own] -= 1
        return error, -log_probability[np.arange(len(at)), own], (output.argmax(axis=1) == own).astype(np.float64)

    def _outputs(self, weights: np.ndarray, at: IntArray) -> Float64:
        output = np.asarray(self.features[at] @ weights, dtype=np.float64)
        return _log_softmax(output) if self.n_classes else output

    def _losses(self, weights: np.ndarray, at: IntArray) -> Float64:
        output = self._outputs(weights, at)
        if self.n_classes:
            values: Float64 = -output[np.arange(len(at)), self.truth[at]]
            return values
        return np.asarray(np.square(output[:, 0] - self.values[at]))


def _log_softmax(output: np.ndarray) -> Float64:
    shifted = output.astype(np.float64) - output.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
