"""What the probe measures, and nothing that is concluded from it: losses per sample, as arrays.

T are the training samples, V the held-out ones, N = |T| + |V| samples together; w are the weights of a full model (one
trained on T) at the end of its training. S full models are trained with different seeds; the pool T ∪ V is cut into K
folds R times, duplicate groups kept together, and each fold is judged by a model trained on the other folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]
    BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """Losses of full models and of fold models, in nats (classification) or squared standardised units (regression).

    Parameters
    ----------
    held_out : ndarray of bool, shape (N,)
        Samples of V; the others are T.
    groups : ndarray of int64, shape (N,)
        Duplicate (or declared) group of each sample; a sample that has none is a group of its own.
    leaked : ndarray of bool, shape (N,)
        Samples of V that are known to be in T as well, by the duplicate checks; false throughout T.
    reported_train : ndarray of float64, shape (S,)
        S0: training loss as a training log says it, the mean over the last epoch in training mode.
    train_mode : ndarray of float64, shape (S,)
        S1: the same objective in the same mode at w.
    reported_val : ndarray of float64, shape (S,)
        Validation loss as a training log says it.
    loss : ndarray of float64, shape (S, N)
        Bare loss of every sample at w in evaluation mode: S2 is its mean over T, S5 over V.
    out_of_fold : ndarray of float64, shape (R, N)
        h: loss of every sample by the fold model that saw neither it nor its group.
    fold : ndarray of int64, shape (R, N)
        The fold of each sample.
    regularisers : mapping of str to ndarray of float64, shape (S,)
        Parts of S1 - S2 by what was switched off, in the order in which it was ("dropout", "augmentation", …); they add
        up to S1 - S2. Empty where the models have none.
    score, out_of_fold_score : ndarray of float64, shape (S, N) and (R, N), or None
        1 where the prediction is right, 0 where it is wrong (regression: minus the absolute error in standard
        deviations of the target).
    predicted, out_of_fold_predicted : ndarray of int64, shape (S, N) and (R, N), or None
        Predicted class, as an index into `classes`.
    truth : ndarray of int64, shape (N,), or None
        True class.
    classes : tuple of str
        Class names; empty for regression.
    full_rows, fold_rows : int or None
        Rows that a full model and a fold model were trained on (on average). They should be equal, or else h is higher
        or lower than the loss of unseen samples for want of rows alone: with K = ceil(N / |V|) folds, leave random
        groups out of the training of each fold model; where K is capped, train the full models on a part of T that
        holds all twins of leaked samples. None: |T|, and N less the mean fold.
    """

    held_out: BoolArray
    groups: IntArray
    leaked: BoolArray
    reported_train: Float64
    train_mode: Float64
    reported_val: Float64
    loss: Float64
    out_of_fold: Float64
    fold: IntArray
    regularisers: Mapping[str, Float64] = field(default_factory=dict)
    score: Float64 | None = None
    out_of_fold_score: Float64 | None = None
    predicted: IntArray | None = None
    out_of_fold_predicted: IntArray | None = None
    truth: IntArray | None = None
    classes: tuple[str, ...] = ()
    full_rows: int | None = None
    fold_rows: int | None = None
