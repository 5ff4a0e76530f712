"""Tables: gradient-boosted trees (scikit-learn's histogram kind), without early stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.engines.local import raise_if_stopped
from leakaudit.probe.learner import Curve, Fit, Job, class_fit, quantity_fit

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64, TrainLossKind

ROUNDS = 100
"""scikit-learn's default."""

LEAST_IN_LEAF = 5
"""Below scikit-learn's 20, which keep a small table from being learnt by heart; what is not memorised shows no leak."""

MIXED = 1e-3
"""Share of the uniform distribution that is mixed into the probabilities, so that no loss exceeds ln(classes / 0.001):
a tree that saw one class only in a leaf is certain of it, and one wrong certainty would outweigh all other samples."""

WATCHED = 2_000
"""Samples on which the training loss is followed from round to round."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The learner.

    Parameters
    ----------
    features : ndarray of float32, shape (n, f)
        NaN where missing.
    categorical : ndarray of bool, shape (f,)
        Columns of category codes from 0 to 254.
    truth : ndarray of int64, shape (n,)
    n_classes : int
        0 for a quantity.
    values : ndarray of float64, shape (n,)
        The quantity in standard deviations.
    in_processes : bool, default True
    """

    features: npt.NDArray[np.float32]
    categorical: npt.NDArray[np.bool_]
    truth: IntArray
    n_classes: int
    values: Float64
    in_processes: bool = True

    train_loss_kind: TrainLossKind = "eval_end"

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"gradient-boosted trees, {ROUNDS} rounds"

    @property
    def unit(self) -> str:
        """Cross-entropy for classes, else squared error."""
        return "nats" if self.n_classes else "squared standard deviations"

    ticks = 1

    def fit(self, job: Job, tick: Callable[[], None] = lambda: None) -> Fit:
        """Fit one model on one thread, and judge."""
        import sklearn.ensemble  # noqa: F401  before the limits: they hold for libraries that are loaded
        from threadpoolctl import threadpool_limits

        raise_if_stopped()
        target = self.truth if self.n_classes else self.values
        with threadpool_limits(1, user_api="openmp"):  # sums over threads depend on how many there are
            model = self._model(job.seed).fit(self.features[job.train], target[job.train])
            output = self._output(model, job.judged)
            full = job.watched is not None
            bare = float(self._losses(self._output(model, job.train), job.train).mean()) if full else np.nan
            curve = self._curve(model, job) if full else None
        tick()
        if self.n_classes:
            fit = class_fit(output, self.truth, job.judged, bare)
        else:
            fit = quantity_fit(output[:, 0], self.values, job.judged, bare)
        return replace(fit, curve=curve)

    def _model(self, seed: int) -> Any:  # noqa: ANN401  scikit-learn is untyped
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingClassifier if self.n_classes else HistGradientBoostingRegressor
        return kind(
            max_iter=ROUNDS,
            early_stopping=False,
            min_samples_leaf=LEAST_IN_LEAF,
            max_features=0.8,  # seeds would all give one model without some chance in it
            categorical_features=self.categorical if self.categorical.any() else None,
            random_state=seed,
        )

    def _output(self, model: Any, at: IntArray) -> Float64:  # noqa: ANN401
        predict = model.predict_proba if self.n_classes else model.predict
        return self._as_output(model, predict(self.features[at]))

    def _as_output(self, model: Any, predicted: np.ndarray) -> Float64:  # noqa: ANN401
        """Log-probabilities of all classes, those that were not trained on at the floor; or the predicted quantity."""
        if not self.n_classes:
            return np.asarray(predicted, dtype=np.float64)[:, None]
        probability = np.zeros((len(predicted), self.n_classes))
        probability[:, model.classes_] = predicted
        return np.asarray(np.log((1 - MIXED) * probability + MIXED / self.n_classes))

    def _losses(self, output: Float64, at: IntArray) -> Float64:
        if not self.n_classes:
            return np.asarray(np.square(output[:, 0] - self.values[at]))
        return np.asarray(-output[np.arange(len(at)), self.truth[at]])

    def _curve(self, model: Any, job: Job) -> Curve:  # noqa: ANN401
        assert job.watched is not None
        if not len(job.watched):
            return Curve(*np.empty((5, 0)))
        train = job.train
        if len(train) > WATCHED:
            train = np.random.default_rng(job.seed).choice(train, WATCHED, replace=False)
        columns = [self._staged(model, at) for at in (train, job.watched)]
        rounds = np.arange(1.0, len(columns[0]) + 1)
        (train_loss, train_accuracy), (val_loss, val_accuracy) = (column.T for column in columns)
        return Curve(rounds, train_loss, val_loss, train_accuracy, val_accuracy)

    def _staged(self, model: Any, at: IntArray) -> Float64:  # noqa: ANN401
        """Mean loss and accuracy after each round, shape (rounds, 2)."""
        stages = model.staged_predict_proba if self.n_classes else model.staged_predict
        found = []
        for predicted in stages(self.features[at]):
            output = self._as_output(model, predicted)
            right = (output.argmax(axis=1) == self.truth[at]).mean() if self.n_classes else np.nan
            found.append((self._losses(output, at).mean(), right))
        return np.array(found)
