"""Keras (any backend): losses of a fixed sample in training and in evaluation mode at the end of every epoch.

::

    from leakaudit.callbacks.keras import LeakauditCallback

    record = LeakauditCallback((x_train[:1024], y_train[:1024]), (x_val[:1024], y_val[:1024]), path="leakaudit.csv")
    model.fit(x_train, y_train, validation_data=(x_val, y_val), callbacks=[record])
    print(leakaudit.attribute(history="leakaudit.csv"))

Take the sample at random where the training rows have an order.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from leakaudit.own_model import recorded
from leakaudit.own_model.keras_model import levels_of

if TYPE_CHECKING:
    from leakaudit.own_model.callables import Batches


class LeakauditCallback(keras.callbacks.Callback):
    """Record training-mode and evaluation-mode losses on a fixed sample.

    Parameters
    ----------
    train, val : pair of arrays, or list of such pairs
        Samples of training and of validation.
    loss : keras loss or its name, optional
        By default the one of ``compile``.
    path : path-like, default "leakaudit.csv"
        Written anew after every epoch; ``leakaudit curves`` reads it, too.
    """

    def __init__(
        self,
        train: Batches,
        val: Batches,
        *,
        loss: Any = None,  # noqa: ANN401
        path: str | os.PathLike[str] = "leakaudit.csv",
    ) -> None:
        super().__init__()
        self.train, self.val, self.loss_function, self.path = train, val, loss, path
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Measure and write one row."""
        logs = logs or {}
        reported = {
            own: float(logs[name]) for own, name in (("train_loss", "loss"), ("val_loss", "val_loss")) if name in logs
        }
        levels, val = levels_of(self.model, self.train, self.val, self.loss_function)
        self.rows.append(recorded.row(epoch, reported, (levels[0].losses, levels[-1].losses, val)))
        recorded.write(self.path, self.rows)
