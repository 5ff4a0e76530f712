"""Losses of a Keras model (any backend) in training mode, with its regularisers switched off one after another."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.errors import InputError
from leakaudit.own_model.callables import Batches, over, per_sample
from leakaudit.own_model.chance import generators_restored, seed_all
from leakaudit.own_model.keras_layers import flat, kind_of, rate_of
from leakaudit.own_model.levels import Level

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64


def levels_of(
    model: Any,  # noqa: ANN401
    train: Batches,
    val: Batches,
    loss: Any = None,  # noqa: ANN401
    *,
    batch_size: int = 256,
    seed: int = 0,
) -> tuple[list[Level], Float64]:
    """Levels of training and the bare loss on validation; the model is left as it was.

    Parameters
    ----------
    model : keras.Model
    train, val : pair of arrays, or iterable of such pairs
    loss : keras loss, or its name, optional
        By default the one that the model was compiled with.
    batch_size : int, default 256
        For pairs of arrays: batch normalisation in training mode depends on it.
    seed : int, default 0

    Raises
    ------
    InputError
        No loss, or not one loss a sample.
    """
    function = _loss_of(model, loss)
    train, val = _in_batches(train, batch_size), _in_batches(val, batch_size)

    def losses(of: Any, *, training: bool, penalties: bool) -> Callable[[Any, Any], Float64]:  # noqa: ANN401
        def of_batch(x: Any, y: Any) -> Float64:  # noqa: ANN401
            found = per_sample(_call(of, y, model(x, training=training)), len(y), "the loss")
            return found + (sum(float(part) for part in model.losses) if penalties else 0.0)

        return of_batch

    with unchanged(model):
        own, bare = function, _without_smoothing(function)
        levels = [Level("", _over(model, losses(own, training=True, penalties=True), train, seed))]
        off: list[Any] = []
        for name, parts in _switches(model):
            off += parts
            with _in_evaluation_mode(off):
                levels.append(Level(name, _over(model, losses(own, training=True, penalties=True), train, seed)))
        found = _over(model, losses(own, training=False, penalties=True), train, seed)
        if not np.allclose(found, levels[-1].losses, rtol=1e-5, atol=1e-7):
            levels.append(Level("other training-mode layers", found))
        if bare is not own:
            levels.append(
                Level("label smoothing", _over(model, losses(bare, training=False, penalties=True), train, seed))
            )
        if any(float(part) for part in model.losses):
            levels.append(Level("penalties", _over(model, losses(bare, training=False, penalties=False), train, seed)))
        return levels, _over(model, losses(bare, training=False, penalties=False), val, seed)


def in_training_mode(
    model: Any,  # noqa: ANN401
    val: Batches,
    loss: Any = None,  # noqa: ANN401
    *,
    batch_size: int = 256,
    seed: int = 0,
) -> Float64:
    """Bare losses of validation in training mode, as `levels_of` gives them in evaluation mode."""
    function = _without_smoothing(_loss_of(model, loss))

    def of_batch(x: Any, y: Any) -> Float64:  # noqa: ANN401
        return per_sample(_call(function, y, model(x, training=True)), len(y), "the loss")

    return _over(model, of_batch, _in_batches(val, batch_size), seed)


def _switches(model: Any) -> Iterator[tuple[str, list[Any]]]:  # noqa: ANN401
    """What can be switched off, in the order of `ORDER` of the levels: noise and augmentation one by one."""
    parts = [(kind_of(layer), layer) for layer in flat(model)]
    dropout = [layer for kind, layer in parts if rate_of(layer, kind)]
    if dropout:
        yield "dropout", dropout
    if normal := [layer for kind, layer in parts if kind == "batch norm"]:
        yield "batch-norm mode", normal
    for which in ("noise", "augmentation"):
        for kind, layer in parts:
            if kind == which:
                yield f"{kind} ({layer.name})", [layer]


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:  # noqa: ANN401
    """Restore all variables of a Keras model (weights, moving statistics, seeds) and the generators at the end."""
    import keras

    variables = list(model.variables)
    values = [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]
    try:
        with generators_restored(), _no_gradients():
            yield
    finally:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _over(model: Any, of_batch: Callable[[Any, Any], Float64], batches: Batches, seed: int) -> Float64:  # noqa: ANN401
    """Losses of all batches, from the same moving statistics and random numbers in every pass."""
    with unchanged(model):
        seed_all(seed)
        return over(of_batch, batches, "the loss")


def _no_gradients() -> contextlib.AbstractContextManager[Any]:
    import keras

    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    without: contextlib.AbstractContextManager[Any] = torch.no_grad()
    return without


def _loss_of(model: Any, loss: Any) -> Any:  # noqa: ANN401
    import keras

    loss = getattr(model, "loss", None) if loss is None else loss
    if loss is None or isinstance(loss, dict | list | tuple):
        raise InputError("own model: pass loss=…: the Keras model is not compiled with a single loss")
    return keras.losses.get(loss) if isinstance(loss, str) else loss


def _call(loss: Any, y: Any, outputs: Any) -> Any:  # noqa: ANN401
    """One loss a sample: Keras loss objects reduce in ``__call__``, not in ``call``."""
    import keras

    if isinstance(loss, keras.losses.Loss):
        return keras.ops.convert_to_numpy(loss.call(keras.ops.convert_to_tensor(y, dtype=loss.dtype), outputs))
    return keras.ops.convert_to_numpy(loss(keras.ops.convert_to_tensor(y), outputs))


def _without_smoothing(loss: Any) -> Any:  # noqa: ANN401
    arguments = getattr(loss, "_fn_kwargs", {})
    if not arguments.get("label_smoothing"):
        return loss
    other = copy.copy(loss)
    other._fn_kwargs = arguments | {"label_smoothing": 0.0}
    return other


@contextlib.contextmanager
def _in_evaluation_mode(layers: list[Any]) -> Iterator[None]:
    """Some layers as in evaluation mode, whatever the mode of the model."""

    def quiet(own: Callable[..., Any]) -> Callable[..., Any]:
        takes = "training" in inspect.signature(own).parameters

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            return own(*args, **(kwargs | {"training": False} if takes else kwargs))

        return call

    changed: list[Any] = []
    try:
        for layer in layers:
            if "call" not in vars(layer):
                layer.call = quiet(layer.call)
                changed.append(layer)
        yield
    finally:
        for layer in changed:
            del layer.call


def _in_batches(batches: Batches, size: int) -> Batches:
    if not (isinstance(batches, tuple) and len(batches) == 2):
        return batches
    x, y = batches
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(y), size)]
