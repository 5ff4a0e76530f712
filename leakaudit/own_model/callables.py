"""Losses from two functions of the user: ``loss(x, y)`` in training mode and in evaluation mode, one loss a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from leakaudit.errors import InputError
from leakaudit.own_model.levels import Level

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64

Batch: TypeAlias = tuple[Any, Any]
LossFunction: TypeAlias = Callable[[Any, Any], Any]
Batches: TypeAlias = Batch | Iterable[Batch]


def levels_of(
    train_mode: LossFunction, eval_mode: LossFunction, train: Batches, val: Batches
) -> tuple[list[Level], Float64]:
    """Levels of training and the bare loss on validation.

    Parameters
    ----------
    train_mode, eval_mode : callable
        ``(x, y) -> losses``, shape (n,), any array library.
    train, val : pair of arrays, or iterable of such pairs
        Iterated twice (training), so that a generator will not do; in the same order each time.

    Raises
    ------
    InputError
        Not one loss a sample.
    """
    first = over(train_mode, train, "loss_train_mode")
    last = over(eval_mode, train, "loss_eval_mode")
    if len(first) != len(last):
        raise InputError("own model: the training batches are not the same when they are iterated again; pass a list")
    return [Level("", first), Level("all that is on in training only", last)], over(eval_mode, val, "loss_eval_mode")


def over(loss: LossFunction, batches: Batches, name: str) -> Float64:
    """Losses of all samples, shape (n,)."""
    found = [per_sample(loss(x, y), len(y), name) for x, y in _pairs(batches)]
    return np.concatenate(found) if found else np.zeros(0)


def per_sample(values: Any, n: int, name: str) -> Float64:  # noqa: ANN401
    """An array or a tensor of any library as float64 of shape (n,); losses of parts of a sample are averaged.

    Raises
    ------
    InputError
        It has another first dimension.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or len(array) != n:
        raise InputError(
            f"own model: {name} must give one loss per sample (shape ({n},)), but gave shape {array.shape}; "
            "compute the loss without reduction (reduction='none')"
        )
    means: Float64 = array.reshape(n, -1).mean(axis=1)
    return means


def _pairs(batches: Batches) -> Iterator[Batch]:
    if isinstance(batches, tuple) and len(batches) == 2:
        yield batches
        return
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise InputError(
                "own model: every batch must be a pair (x, y); for other batches pass loss_train_mode and "
                "loss_eval_mode, and give (batch, y) as the pair"
            )
        yield batch[0], batch[1]
