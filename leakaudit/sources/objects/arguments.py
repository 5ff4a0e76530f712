"""What the arguments of `leakaudit.audit` mean: which object is which split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.sources.names import split_of
from leakaudit.sources.objects.kinds import (
    call_of,
    is_array,
    is_frame,
    is_hub_dict,
    is_path,
    is_series,
    is_sparse,
    is_stream,
    length_of,
)

ORDER = ("train", "val", "test")
"""What the first, second and third argument are."""

ONE = "data"
"""What one data set alone is called."""


def positional(data: Sequence[Any]) -> dict[str, Any]:
    """Splits of one to three objects, or of the four that ``train_test_split`` and its like give.

    Parameters
    ----------
    data : sequence of object
        One: a data set with a column that says the split, a ``DatasetDict``, or a mapping from names of splits to
        data. Two and three: train, val, test. Four: ``X_train, X_test, y_train, y_test`` as scikit-learn gives them,
        or ``x_train, y_train, x_test, y_test``.

    Raises
    ------
    InputError
        Labels in place of a split, or four that go together in no order.
    LayoutError
        More than four; an empty mapping.
    """
    if len(data) == 1:
        return _of_one(data[0])
    if len(data) == 4:
        return _of_four(data)
    if len(data) > len(ORDER):
        raise LayoutError(
            f"{len(data)} data sets without names: name them, audit({{'train': …, 'other': …}}), at most three are "
            "train, val, test"
        )
    if _are_labels(data[1]) and not _are_labels(data[0]) and not (is_path(data[1]) or is_frame(data[1])):
        raise InputError(
            "the second argument is one value a sample, as labels are: say audit((X_train, y_train), (X_test, y_test)),"
            " or audit(X, y, cv=…)"
        )
    return dict(zip(ORDER, data, strict=False))


def _of_one(value: Any) -> dict[str, Any]:  # noqa: ANN401
    if is_stream(value):
        return {ONE: value}
    if is_hub_dict(value) or (isinstance(value, Mapping) and are_splits(value)):
        if not value:
            raise LayoutError("an empty mapping: no split in it")
        return {str(name): each for name, each in value.items()}
    return {ONE: value}


def are_splits(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping names splits, rather than columns: of each a data set, or lists under usual names of splits."""
    if not value or not all(isinstance(name, str) for name in value):
        return not value
    if all(isinstance(each, str | bytes) for each in value.values()):
        return any(split_of(name, {}) for name in value)
    wide = [
        each for each in value.values()
        if is_frame(each) or is_sparse(each) or isinstance(each, tuple | Mapping) or hasattr(each, "column_names")
        or (is_array(each) and len(each.shape) > 1) or (hasattr(each, "__getitem__") and not _is_column(each))
    ]  # fmt: skip
    return len(wide) == len(value) or all(split_of(name, {}) is not None for name in value)


def _is_column(value: object) -> bool:
    return isinstance(value, list | str | bytes) or is_series(value) or is_array(value)


def _of_four(data: Sequence[Any]) -> dict[str, Any]:
    """Two pairs, in the order that their shapes and lengths say."""
    if any(map(is_path, data)):
        raise LayoutError("four paths without names: say train=PATH, val=PATH, …")
    n = [length_of(f"argument {at + 1}", each) for at, each in enumerate(data)]
    flat = [_are_labels(each) for each in data]
    by_split = n[0] == n[2] and n[1] == n[3] and flat[2] and flat[3]
    by_pair = n[0] == n[1] and n[2] == n[3] and flat[1] and flat[3]
    if by_split and by_pair:  # of equal lengths, or all of them lists: what is wide is X
        by_split, by_pair = (not flat[1], not flat[2]) if flat[1] != flat[2] else (False, False)
    if by_split == by_pair:
        raise InputError(
            "four data sets of which it is not clear what belongs together: say "
            "audit((X_train, y_train), (X_test, y_test))"
        )
    a, b = ((data[0], data[2]), (data[1], data[3])) if by_split else ((data[0], data[1]), (data[2], data[3]))
    return {"train": a, "test": b}


def _are_labels(value: Any) -> bool:  # noqa: ANN401
    """Whether this is one plain value a sample."""
    if is_series(value):
        return True
    if is_frame(value):
        return tuple(getattr(value, "shape", ()))[1:] == (1,)
    if is_array(value):
        shape = value.shape
        return len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    if isinstance(value, list) and value:
        return isinstance(value[0], str | int | float | bool | type(None))
    return False


def named(splits: Mapping[str, Any]) -> dict[str, Any]:
    """Splits that were given by keyword; None stands for one that is not there.

    Raises
    ------
    ConfigError
        All of them are None.
    """
    given = {name: each for name, each in splits.items() if each is not None}
    if splits and not given:
        raise ConfigError(f"{', '.join(splits)}: None, and so no data")
    return given


def check_alike(splits: Mapping[str, Any]) -> None:
    """Refuse paths beside objects.

    Raises
    ------
    InputError
    """
    paths = [name for name, each in splits.items() if is_path(each)]
    others = [name for name, each in splits.items() if not is_path(each)]
    if paths and others:
        raise InputError(
            f"{paths[0]} is a path and {others[0]} {call_of(splits[others[0]])}: give all splits as paths, or all as "
            "objects"
        )
