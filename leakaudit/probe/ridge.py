"""The fast way: ridge regression on fixed features. What a fold would have said follows without fitting it anew.

With G = XᵀX + αI over the pool, the model without the rows k solves (G − X_kᵀX_k) w = Xᵀy − X_kᵀy_k, which gives just
the block residuals (I − H_kk)⁻¹ r_k of the model with all rows, H being the hat matrix: one product of X with itself
serves every model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.local import raise_if_stopped
from leakaudit.probe.learner import Fit, Job, quantity_fit

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64, TrainLossKind

PENALTY = 1e-3
"""Of the mean diagonal of XᵀX: enough to solve any set of features, little enough to fit what they can."""

USED = 0.75
"""Share of the features that each model uses, drawn by its seed: without chance, seeds would all give one model."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """The learner.

    Parameters
    ----------
    features : ndarray of float32, shape (n, f)
    truth : ndarray of int64, shape (n,)
    n_classes : int
        0 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity in standard deviations.
    what : str
        What the features are.
    """

    features: npt.NDArray[np.float32]
    truth: IntArray
    n_classes: int
    values: Float64
    what: str

    train_loss_kind: TrainLossKind = "eval_end"
    in_processes = False

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"ridge regression on {self.features.shape[1]:,} {self.what}"

    @property
    def unit(self) -> str:
        """Sum over the classes of squared differences from 0 and 1 (Brier 1950), or squared error."""
        return "Brier score" if self.n_classes else "squared standard deviations"

    ticks = 1

    def fit(self, job: Job, tick: Callable[[], None] = lambda: None) -> Fit:
        """Solve for one model, and judge."""
        raise_if_stopped()
        design, target, gram, cross = self._whole
        left_out = np.ones(len(design), dtype=bool)
        left_out[job.train] = False
        n = design.shape[1] - 1
        rng = np.random.default_rng(job.seed)
        used = np.append(np.sort(rng.choice(n, max(1, round(USED * n)), replace=False)), n) if n else np.arange(1)
        if 2 * len(job.train) > len(design):
            rest, rest_target = design[np.ix_(left_out, used)], target[left_out]
            gram, cross = gram[np.ix_(used, used)] - rest.T @ rest, cross[used] - rest.T @ rest_target
        else:
            rows, rows_target = design[np.ix_(job.train, used)], target[job.train]
            gram, cross = rows.T @ rows, rows.T @ rows_target
        penalty = np.full(len(used), PENALTY * np.trace(gram) / len(used))
        penalty[-1] = 1e-9  # the constant
        gram[np.diag_indices_from(gram)] += penalty
        weights = np.linalg.solve(gram, cross)
        fit = self._judge(design[np.ix_(job.judged, used)] @ weights, job.judged, 0.0)
        bare = float(self._judge(design[np.ix_(job.train, used)] @ weights, job.train, 0.0).loss.mean())
        tick()
        return Fit(fit.loss, fit.score, fit.predicted, bare, bare)

    def _judge(self, output: Float64, judged: IntArray, reported: float) -> Fit:
        if not self.n_classes:
            return quantity_fit(output[:, 0], self.values, judged, reported)
        own = self.truth[judged]
        loss = np.square(output - np.eye(self.n_classes)[own]).sum(axis=1)
        predicted = output.argmax(axis=1).astype(np.int64)
        return Fit(loss, (predicted == own).astype(np.float64), predicted, reported, reported)

    @cached_property
    def _whole(self) -> tuple[Float64, Float64, Float64, Float64]:
        """Centred features and a constant, targets, and the products of the pool."""
        centred = self.features.astype(np.float64)
        centred -= centred.mean(axis=0)
        design = np.concatenate([centred, np.ones((len(centred), 1))], axis=1)
        target = np.eye(self.n_classes)[self.truth] if self.n_classes else self.values[:, None]
        return design, target, design.T @ design, design.T @ target
