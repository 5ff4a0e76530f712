"""What an object is, told from the module of its type, so that nothing is imported that the caller has not."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from leakaudit.errors import InputError


def modules_of(value: object) -> set[str]:
    """The top-level modules of a type and of those that it is made from.

    >>> modules_of(np.zeros(3)) >= {"numpy"}
    True
    """
    return {each.__module__.partition(".")[0] for each in type(value).__mro__}


def is_path(value: object) -> bool:
    """A path or an address, but not a text that is meant as data."""
    return isinstance(value, str | os.PathLike)


def is_hub_dataset(value: object) -> bool:
    """A ``datasets.Dataset``."""
    return "datasets" in modules_of(value) and _is_named(value, "Dataset")


def is_hub_dict(value: object) -> bool:
    """A ``datasets.DatasetDict``."""
    return "datasets" in modules_of(value) and _is_named(value, "DatasetDict")


def is_stream(value: object) -> bool:
    """What can only be read from its beginning to its end, in an order of its own."""
    return bool(modules_of(value) & {"datasets", "torch"}) and any(
        _is_named(value, name) for name in ("IterableDataset", "IterableDatasetDict")
    )


def is_torch_loader(value: object) -> bool:
    """A ``torch.utils.data.DataLoader``."""
    return "torch" in modules_of(value) and _is_named(value, "DataLoader")


def is_torch_dataset(value: object) -> bool:
    """A ``torch.utils.data.Dataset``, whoever wrote it."""
    return any(
        each.__module__.startswith("torch.utils.data") and each.__name__ == "Dataset" for each in type(value).__mro__
    )


def is_picture(value: object) -> bool:
    """A picture of Pillow."""
    return "PIL" in modules_of(value) and hasattr(value, "getbbox")


def is_sparse(value: object) -> bool:
    """A sparse matrix or array of SciPy."""
    return "scipy" in modules_of(value) and hasattr(value, "tocsr")


def is_frame(value: object) -> bool:
    """A data frame: rows with named columns."""
    modules = modules_of(value)
    if modules & {"pandas", "polars", "narwhals"}:  # asking a lazy frame for an attribute may plan its query
        return _is_named(value, "DataFrame") or _is_named(value, "LazyFrame")
    if "pyarrow" in modules:
        return hasattr(value, "schema")
    return hasattr(value, "__arrow_c_stream__")


def is_series(value: object) -> bool:
    """One column of a data frame."""
    modules = modules_of(value)
    if "pyarrow" in modules:
        return not hasattr(value, "schema") and hasattr(value, "to_pylist")
    return bool(modules & {"pandas", "polars", "narwhals"}) and (
        _is_named(value, "Series") or _is_named(value, "Index")
    )


def is_array(value: object) -> bool:
    """An array of NumPy, or what becomes one: a tensor of torch, TensorFlow or JAX."""
    return (
        not isinstance(value, type | str | bytes | list | tuple)
        and hasattr(value, "__array__")
        and hasattr(value, "shape")
        and hasattr(value, "dtype")
        and not is_picture(value)
    )


def as_array(name: str, value: Any) -> np.ndarray:  # noqa: ANN401 - tensors of several libraries
    """The numbers of an array or a tensor, without copying them where they are in this machine's memory.

    Raises
    ------
    InputError
        They cannot be had.
    """
    try:
        if "torch" in modules_of(value):
            value = value.detach().cpu()
            if str(value.dtype) == "torch.bfloat16":
                value = value.float()
            return np.asarray(value.numpy())
        return value if isinstance(value, np.memmap) else np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name}: its numbers cannot be read ({_first_line(error)})") from error


def may_be_data(value: object) -> bool:
    """Whether this could be the data of a split: a path, or something with samples in it."""
    if isinstance(value, str):
        return os.path.exists(value) or any(each in value for each in "/\\*.")
    return not isinstance(value, bytes | bool | int | float) and (value is None or not callable(value))


def call_of(value: object) -> str:
    """A type as people know it: ``torch.Tensor``, ``list``."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    return kind.__name__ if module in ("builtins", "__main__") else f"{module}.{kind.__name__}"


def length_of(name: str, value: Any) -> int:  # noqa: ANN401 - whatever has a length
    """How many samples there are.

    Raises
    ------
    InputError
        It has no length.
    """
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return int(shape[0])
    try:
        return len(value)
    except TypeError as error:
        raise InputError(f"{name}: {call_of(value)} has no length") from error


def _is_named(value: object, name: str) -> bool:
    return any(each.__name__ == name for each in type(value).__mro__)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
