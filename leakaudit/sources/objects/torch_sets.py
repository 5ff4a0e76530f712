"""Map-style data sets of torch, `Subset` and the samples that a `DataLoader` draws from, by what they look like.

Samples are asked for as they are stored: a transform that the data set carries is left out where it can be, because a
random crop of a picture is another picture each time. Nothing of the user's changes: the transform is left out of a
copy, and random numbers go on as if nobody had drawn any.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources.objects.arrays import array_part
from leakaudit.sources.objects.hub import hub_part
from leakaudit.sources.objects.kinds import as_array, call_of, is_array, is_hub_dataset, is_picture, is_torch_loader
from leakaudit.sources.objects.labels import labels_of
from leakaudit.sources.objects.parts import Part
from leakaudit.sources.objects.samples import samples_part

TRANSFORMS = ("transform", "transforms")
"""Attributes of the data sets of torchvision, and of most that people write: what a picture goes through."""

WITHOUT = "Transforms of the data sets were left out: samples are compared as they are stored."

ASKED_TWICE = 3
"""Samples by which a random transform shows itself."""


def torch_part(name: str, given: Any, folder: str) -> Part:  # noqa: ANN401 - torch is not always there
    """The samples of a ``Dataset``, a ``Subset`` or a ``DataLoader``.

    Raises
    ------
    InputError
        No length, no sample, a sampler whose samples are not known, or samples that differ each time.
    """
    with _random_numbers_kept():
        dataset, rows = _rows_of(name, given)
        if (tensors := getattr(dataset, "tensors", None)) is not None and 1 <= len(tensors) <= 2:
            return _tensors(name, tensors, rows, folder)
        if is_hub_dataset(dataset):
            return hub_part(name, dataset.select(rows), folder)
        get, without = _stored(name, dataset, rows)
        part = samples_part(name, len(rows), get, folder)
        return replace(part, notes=(WITHOUT,)) if without else part


def _rows_of(name: str, given: Any) -> tuple[Any, Sequence[int]]:  # noqa: ANN401
    """The data set at the bottom, and which of its samples are meant, in ascending order of a loader's."""
    if is_torch_loader(given):
        dataset, rows = _rows_of(name, given.dataset)
        drawn = _drawn(name, given, len(rows))
        return dataset, [rows[at] for at in drawn]
    if hasattr(given, "indices") and hasattr(given, "dataset"):
        dataset, rows = _rows_of(name, given.dataset)
        return dataset, [rows[int(at)] for at in given.indices]
    if not hasattr(given, "__getitem__") or not hasattr(given, "__len__"):
        raise InputError(
            f"{name}: {call_of(given)} can only be read from its beginning to its end: give a data set with a length "
            "(map-style)"
        )
    return given, range(len(given))


def _drawn(name: str, loader: Any, n: int) -> Sequence[int]:  # noqa: ANN401
    """The samples that a loader may draw, whatever their order in an epoch."""
    sampler = loader.sampler
    if getattr(loader, "batch_sampler", None) is not None and type(loader.batch_sampler).__name__ != "BatchSampler":
        sampler = loader.batch_sampler
    kind = type(sampler).__name__
    if kind in ("SequentialSampler", "RandomSampler", "DistributedSampler"):
        return range(n)
    if kind == "SubsetRandomSampler":
        return sorted({int(at) for at in sampler.indices})
    if kind == "WeightedRandomSampler":
        weights = as_array(name, sampler.weights)
        return [int(at) for at in np.flatnonzero(weights > 0)]
    try:
        found = {int(at) for each in sampler for at in (each if isinstance(each, list | tuple) else (each,))}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: what {call_of(sampler)} draws is not known: give the data set or a Subset"
        ) from error
    return sorted(found)


def _tensors(name: str, tensors: Sequence[Any], rows: Sequence[int], folder: str) -> Part:
    """A ``TensorDataset``: arrays and their labels."""
    arrays = [as_array(name, each) for each in tensors]
    if not isinstance(rows, range):
        arrays = [each[np.asarray(rows, dtype=np.int64)] for each in arrays]
    labels: tuple[str | None, pa.Array | None] = (None, None)
    if len(arrays) == 2:
        labels = labels_of(name, arrays[1], len(arrays[0]))
    return array_part(name, arrays[0], labels, folder)


def _stored(name: str, dataset: Any, rows: Sequence[int]) -> tuple[Callable[[int], Any], bool]:  # noqa: ANN401
    """How to ask for a sample: without the transform where that works, else with it, if it is not random; and which."""
    plain = _without_transform(dataset)
    if plain is not None and len(rows):
        try:
            plain[rows[0]]
        except Exception:  # noqa: BLE001 - a data set that calls its transform without asking whether it is there
            plain = None
        else:
            return (lambda at: plain[rows[at]]), True

    def get(at: int) -> Any:  # noqa: ANN401
        return dataset[rows[at]]

    for at in range(min(ASKED_TWICE, len(rows))):
        try:
            once, twice = get(at), get(at)
        except Exception:  # noqa: BLE001 - said where samples are read
            break
        if not _equal(once, twice):
            raise InputError(
                f"{name}: sample {at:,} is another one each time it is asked for (a random transform): give the data "
                "set without its augmentation"
            )
    return get, False


def _without_transform(dataset: Any) -> Any:  # noqa: ANN401
    """A copy that shares all but its transforms; None where there are none."""
    has = [each for each in TRANSFORMS if getattr(dataset, each, None) is not None]
    if not has:
        return None
    try:
        plain = copy.copy(dataset)
        for each in has:
            setattr(plain, each, None)
    except Exception:  # noqa: BLE001 - it cannot be copied, or its transform is no plain attribute
        return None
    return plain


def _equal(one: Any, other: Any) -> bool:  # noqa: ANN401
    if isinstance(one, tuple | list):
        return isinstance(other, tuple | list) and len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_equal(one[k], other[k]) for k in one)
    if is_picture(one):
        return is_picture(other) and one.size == other.size and bool(one.tobytes() == other.tobytes())
    if is_array(one):
        a, b = as_array("a sample", one), as_array("a sample", other)
        return a.shape == b.shape and a.tobytes() == b.tobytes()
    try:
        return bool(one == other) or one is other or one != one  # noqa: PLR0124 - NaN
    except (TypeError, ValueError):
        return True


@contextmanager
def _random_numbers_kept() -> Iterator[None]:
    """Whoever draws random numbers meanwhile, they go on afterwards where they were."""
    import torch

    of_python, of_numpy, of_torch = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
        torch.set_rng_state(of_torch)
