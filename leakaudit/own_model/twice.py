"""Whether a network answers the same twice, and to a sample alone as among others: both must hold in validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64

TOLERANCE = 1e-3
"""Of the spread of the answers: rounding differs between batch sizes and on GPUs by some 1e-6 of it, half precision by
some 1e-3 of single answers; dropout of 0.1 by tenths."""


@dataclass(frozen=True, slots=True)
class Twice:
    """What two runs say.

    Parameters
    ----------
    again : float
        Root mean square difference between two runs over the same samples, in standard deviations of the answers.
    alone : float or None
        The same between a sample among all and one half of them; None where there are fewer than four samples, or the
        answers are random anyway.
    """

    again: float
    alone: float | None

    @property
    def random(self) -> bool:
        """Whether something random is on."""
        return self.again > TOLERANCE

    @property
    def by_batch(self) -> bool:
        """Whether the answer to a sample depends on the others of its batch."""
        return self.alone is not None and self.alone > TOLERANCE


def run_twice(answers: Callable[[Any], Any], x: Any) -> Twice:  # noqa: ANN401
    """Ask twice, and once with the first half of the samples alone.

    Parameters
    ----------
    answers : callable
        Inputs to outputs: arrays, tensors, or tuples, lists and mappings of such, samples first.
    x : array, tensor, or tuple, list or mapping of such
        At least one sample.
    """
    first, second = flat(answers(x)), flat(answers(x))
    scale = float(first.std()) or 1.0
    again = _apart(first, second) / scale
    n = _length(x)
    if again > TOLERANCE or n is None or n < 4:
        return Twice(again, None)
    try:
        half = flat(answers(_part(x, n // 2)))
    except (RuntimeError, ValueError):  # a network of one batch size
        return Twice(again, None)
    if len(first) != n or len(half) != n // 2 or half.shape[1:] != first.shape[1:]:
        return Twice(again, None)
    return Twice(again, _apart(first[: n // 2], half) / scale)


def flat(values: Any) -> Float64:  # noqa: ANN401
    """All numbers of some outputs, shape (n, k) where the first dimension of all is n, else (1, k)."""
    parts = [_array(value) for value in _leaves(values)]
    lengths = {len(part) if part.ndim else 0 for part in parts}
    n = lengths.pop() if len(lengths) == 1 else 1
    found: Float64 = np.concatenate([part.reshape(max(n, 1), -1) for part in parts], axis=1)
    return found


def _leaves(values: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(values, Mapping):
        return [leaf for value in values.values() for leaf in _leaves(value)]
    if isinstance(values, tuple | list):
        return [leaf for value in values for leaf in _leaves(value)]
    return [] if values is None else [values]


def _array(value: Any) -> Float64:  # noqa: ANN401
    if hasattr(value, "detach"):
        value = value.detach().cpu().double()
    return np.asarray(value, dtype=np.float64)


def _length(x: Any) -> int | None:  # noqa: ANN401
    lengths = {len(leaf) for leaf in _leaves(x) if hasattr(leaf, "__len__")}
    return lengths.pop() if len(lengths) == 1 else None


def _part(x: Any, n: int) -> Any:  # noqa: ANN401
    if isinstance(x, Mapping):
        return type(x)({key: _part(value, n) for key, value in x.items()})  # type: ignore[call-arg]
    if isinstance(x, tuple | list):
        return type(x)(_part(value, n) for value in x)
    return x[:n] if hasattr(x, "__len__") else x


def _apart(a: Float64, b: Float64) -> float:
    return float(np.sqrt(np.square(a - b).mean())) if a.shape == b.shape and a.size else 0.0
