"""Lightning: losses of a fixed sample in training and in evaluation mode at the end of every epoch.

::

    from leakaudit.callbacks.lightning import LeakauditCallback

    def loss(module, batch):                       # one loss a sample
        return F.cross_entropy(module(batch[0]), batch[1], reduction="none")

    trainer = Trainer(callbacks=[LeakauditCallback(loss, path="leakaudit.csv")])
    trainer.fit(model, train_loader, val_loader)
    print(leakaudit.attribute(history="leakaudit.csv"))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from lightning.pytorch.callbacks import Callback

from leakaudit.own_model import recorded
from leakaudit.own_model.torch_state import buffers_restored, unchanged

Loss: TypeAlias = Callable[[Any, Any], Any]


class LeakauditCallback(Callback):
    """Record training-mode and evaluation-mode losses on a fixed sample.

    Parameters
    ----------
    loss : callable
        ``loss(module, batch)``: one loss a sample, without the regularisers of the objective.
    train_mode_loss : callable, optional
        The same with label smoothing, penalties and class weights as in training; by default `loss`.
    path : path-like, default "leakaudit.csv"
        Written anew after every epoch; ``leakaudit curves`` reads it, too.
    n_samples : int, default 1024
        Kept from the first batches of each loader.
    train_name, val_name : str
        Names under which the module logs its losses.
    """

    def __init__(
        self,
        loss: Loss,
        *,
        train_mode_loss: Loss | None = None,
        path: str | os.PathLike[str] = "leakaudit.csv",
        n_samples: int = 1024,
        train_name: str = "train_loss",
        val_name: str = "val_loss",
    ) -> None:
        super().__init__()
        self.loss, self.train_mode_loss = loss, train_mode_loss or loss
        self.path, self.n_samples = path, n_samples
        self.names = {"train_loss": train_name, "val_loss": val_name}
        self.rows: list[dict[str, float]] = []
        self._samples: tuple[list[Any], list[Any]] | None = None

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401
        """Measure and write one row."""
        if not trainer.is_global_zero:
            return
        loaders = (trainer.train_dataloader, *_listed(trainer.val_dataloaders)[:1])
        with unchanged(pl_module, loaders):
            if self._samples is None:
                self._samples = self._first(loaders[0]), self._first(loaders[-1] if len(loaders) > 1 else ())
            train, val = self._samples
            levels = [
                self._losses(pl_module, train, self.train_mode_loss, training=True),
                self._losses(pl_module, train, self.loss, training=False),
                self._losses(pl_module, val, self.loss, training=False),
            ]
        logged = {own: float(trainer.callback_metrics.get(name, np.nan)) for own, name in self.names.items()}
        self.rows.append(recorded.row(trainer.current_epoch, logged, levels))
        recorded.write(self.path, self.rows)

    def _first(self, loader: Iterable[Any]) -> list[Any]:
        batches, n = [], 0
        for batch in loader:
            batches.append(batch)
            n += len(batch[-1])
            if n >= self.n_samples:
                break
        return batches

    def _losses(self, module: Any, batches: list[Any], loss: Loss, *, training: bool) -> np.ndarray:  # noqa: ANN401
        module.train(training)
        with buffers_restored(module):
            moved = (module.transfer_batch_to_device(batch, module.device, 0) for batch in batches)
            found = [np.asarray(loss(module, batch).detach().cpu().double()) for batch in moved]
        return np.concatenate(found) if found else np.array([np.nan])


def _listed(loaders: Any) -> list[Any]:  # noqa: ANN401
    return list(loaders) if isinstance(loaders, list | tuple) else [] if loaders is None else [loaders]
