"""`leakaudit.attribute`: why is the validation loss of my own network below its training loss?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from leakaudit.errors import ConfigError
from leakaudit.own_model.callables import Batches, LossFunction
from leakaudit.own_model.levels import OwnAttribution, from_levels
from leakaudit.own_model.lint import is_a, lint_model
from leakaudit.own_model.rules import Remark

SOME = 64
"""Samples of validation on which the network is run twice."""


def attribute(
    model: Any = None,  # noqa: ANN401
    train: Batches | Iterable[Any] | None = None,
    val: Batches | Iterable[Any] | None = None,
    *,
    loss: Any = None,  # noqa: ANN401
    bare_train: Iterable[Any] | None = None,
    penalty: float = 0.0,
    loss_train_mode: LossFunction | None = None,
    loss_eval_mode: LossFunction | None = None,
    reported_train: float | None = None,
    reported_val: float | None = None,
    history: str | os.PathLike[str] | None = None,
    epoch: int | None = None,
    seed: int = 0,
) -> OwnAttribution:
    """Measure how much of the gap between training and validation loss is timing, regularisation and objective.

    Forward passes only: weights, moving statistics, modes, `requires_grad` and random generators are left exactly as
    they were. What needs other models (difficulty, leakage, memorisation) is given as one remainder; ``leakaudit scan
    --probe auto`` on the data measures it.

    Parameters
    ----------
    model : torch.nn.Module or keras.Model, optional
        The network at the end of the epoch that the reported losses belong to.
    train, val : iterable of batches, or pair of arrays
        Torch: loaders of batches ``(x, y)``. Keras and functions: a pair of arrays, or an iterable of pairs.
    loss : callable, optional
        Torch: ``loss(outputs, targets)``, a loss module or a function that takes ``reduction="none"`` or gives one loss
        a sample. Keras: by default the one of ``compile``.
    bare_train : iterable of batches, optional
        Torch: the training samples without augmentation; without it, augmentation counts as part of the samples.
    penalty : float, default 0
        Torch: what the training objective adds to the loss at these weights.
    loss_train_mode, loss_eval_mode : callable, optional
        Instead of a model: ``(x, y) -> losses``, one a sample; the first with everything that is on in training, the
        second bare.
    reported_train, reported_val : float, optional
        Losses of that epoch as the training log says them; without them a, or o, is not measured.
    history : path-like, optional
        Instead of all the above: the file that a callback of `leakaudit.callbacks` wrote.
    epoch : int, optional
        Of `history`; the last by default.
    seed : int, default 0
        Of dropout and of the order of samples.

    Returns
    -------
    OwnAttribution
        ``print`` it, or read ``terms``, ``regularisers``, ``remainder`` and ``advice``.

    Raises
    ------
    ConfigError
        The arguments do not say what to measure.
    InputError
        Losses that are not finite or not one a sample, batches of another shape, a history of another kind.

    Examples
    --------
    >>> leakaudit.attribute(model, train_loader, val_loader, loss=torch.nn.CrossEntropyLoss(label_smoothing=0.1),
    ...                     reported_train=0.71, reported_val=0.52)  # doctest: +SKIP
    """
    if history is not None:
        if model is not None or train is not None or loss_train_mode is not None:
            raise ConfigError("attribute: history=… is taken instead of a model and data, not beside them")
        from leakaudit.own_model.recorded import read

        return read(history, epoch)
    if train is None or val is None:
        raise ConfigError("attribute: needs train=… and val=…, or history=…")
    limits: list[str] = []
    beside, remarks = None, tuple[Remark, ...]()
    if loss_train_mode is not None and loss_eval_mode is not None and model is None:
        from leakaudit.own_model import callables

        levels, of_val = callables.levels_of(loss_train_mode, loss_eval_mode, train, val)
    elif is_a(model, "torch.nn.modules.module") and not is_a(model, "keras"):
        if loss is None:
            raise ConfigError("attribute: a torch module needs loss=…, such as torch.nn.CrossEntropyLoss()")
        from leakaudit.own_model import torch_module
        from leakaudit.own_model.torch_state import unchanged

        if bare_train is None:
            limits.append("Augmentation, if there is any, is not told apart: pass bare_train=….")
        levels, of_val = torch_module.levels_of(
            model, train, val, loss, bare_train=bare_train, penalty=penalty, seed=seed
        )
        beside = torch_module.in_training_mode(model, val, loss, seed=seed)
        with unchanged(model, (val,)):  # the first batch is drawn once more
            remarks = lint_model(model, _first(val)).remarks
    elif is_a(model, "keras"):
        from leakaudit.own_model import keras_model

        levels, of_val = keras_model.levels_of(model, train, val, loss, seed=seed)
        beside = keras_model.in_training_mode(model, val, loss, seed=seed)
        remarks = lint_model(model, _first(val)).remarks
    else:
        raise ConfigError(
            "attribute: needs a torch module or a Keras model, or both loss_train_mode=… and loss_eval_mode=…"
        )
    return from_levels(
        levels,
        of_val,
        reported_train=reported_train,
        reported_val=reported_val,
        limits=limits,
        val_in_training=beside,
        remarks=remarks,
    )


def _first(batches: Any) -> Any:  # noqa: ANN401
    """Inputs of the first batch, or of the first samples of a pair of arrays."""
    if isinstance(batches, tuple) and len(batches) == 2:
        return batches[0][:SOME]
    return next(iter(batches))[0]
