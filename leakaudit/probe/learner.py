"""What a quick model is to the probe: something that is fitted to some samples and says the loss of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

TrainLossKind = Literal["epoch_mean", "eval_end"]


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """Metrics of one training run, one value an epoch (boosting: a round); shape (epochs,).

    Parameters
    ----------
    epoch : ndarray of float64
        From 1.
    train_loss, val_loss : ndarray of float64
        The training loss as a log says it: the mean over the epoch in training mode, or for boosting the loss of the
        weights at its end.
    train_accuracy, val_accuracy : ndarray of float64
        NaN for regression.
    """

    epoch: Float64
    train_loss: Float64
    val_loss: Float64
    train_accuracy: Float64
    val_accuracy: Float64


@dataclass(frozen=True, eq=False, slots=True)
class Fit:
    """What one fitted model says.

    Parameters
    ----------
    loss : ndarray of float64, shape (m,)
        Bare loss in evaluation mode of each judged sample.
    score : ndarray of float64, shape (m,)
        1 where right, 0 where wrong; for regression minus the absolute error in standard deviations.
    predicted : ndarray of int64, shape (m,), or None
        Predicted class.
    reported_train, train_mode : float
        S0 and S1 of `leakaudit.probe.measured.Measured`; of use where the job has `watched` samples.
    regularisers : mapping of str to float
        Parts of S1 - S2, in the order in which they were switched off.
    curve : Curve or None
        Only where asked for.
    """

    loss: Float64
    score: Float64
    predicted: IntArray | None
    reported_train: float
    train_mode: float
    regularisers: Mapping[str, float] = field(default_factory=dict)
    curve: Curve | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Job:
    """One model to fit.

    Parameters
    ----------
    train : ndarray of int64
        Samples to fit it to, as positions in the pool.
    judged : ndarray of int64
        Samples to judge; for a full model all of them.
    seed : int
    watched : ndarray of int64 or None
        Held-out samples whose loss is followed from epoch to epoch; None: a fold model, of which only the judged
        samples are wanted.
    """

    train: IntArray
    judged: IntArray
    seed: int
    watched: IntArray | None = None


class Learner(Protocol):
    """A kind of quick model with the data that it learns from; safe to use from several threads."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    @property
    def unit(self) -> str:
        """What a loss of 1 is."""

    @property
    def train_loss_kind(self) -> TrainLossKind:
        """What the training loss of its curves is."""

    @property
    def in_processes(self) -> bool:
        """Whether models are fitted in worker processes, because they would wait for each other in threads."""

    @property
    def ticks(self) -> int:
        """How often `tick` is called for one model."""

    def fit(self, job: Job, tick: Callable[[], None] = lambda: None) -> Fit:
        """Fit one model; the same job gives the same numbers, whatever runs beside it."""


def class_fit(
    log_probability: Float64, truth: IntArray, judged: IntArray, reported_train: float, train_mode: float | None = None
) -> Fit:
    """The fit of a classifier from its log-probabilities of the judged samples, shape (m, classes)."""
    own = truth[judged]
    predicted = log_probability.argmax(axis=1).astype(np.int64)
    loss = -log_probability[np.arange(len(own)), own].astype(np.float64)
    score = (predicted == own).astype(np.float64)
    return Fit(loss, score, predicted, reported_train, reported_train if train_mode is None else train_mode)


def quantity_fit(predicted: Float64, standardised: Float64, judged: IntArray, reported_train: float) -> Fit:
    """The fit of a regression from its predictions of the judged samples, in standard deviations of the target."""
    error = predicted - standardised[judged]
    return Fit(np.square(error), -np.abs(error), None, reported_train, reported_train)
