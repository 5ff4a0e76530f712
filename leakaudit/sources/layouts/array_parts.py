"""Which arrays are the samples, the labels and the groups of which split, and that they are as many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leakaudit.errors import InputError
from leakaudit.model import ordered_splits
from leakaudit.sources.layouts.array_names import Role
from leakaudit.sources.listing import display
from leakaudit.sources.readers.arrays import ArrayInfo, open_array

if TYPE_CHECKING:
    import numpy as np

MOST_LABEL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Split:
    """The arrays of one split.

    Parameters
    ----------
    name : str
    data : ArrayInfo
    label, group : ArrayInfo or None
    axis : int, default 0
        Of `data`, along which its samples lie: the last one as MATLAB has it.
    """

    name: str
    data: ArrayInfo
    label: ArrayInfo | None = None
    group: ArrayInfo | None = None
    axis: int = 0

    @property
    def n(self) -> int:
        """Samples."""
        return self.data.shape[self.axis]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of one sample."""
        return tuple(n for at, n in enumerate(self.data.shape) if at != self.axis)


def by_split(named: Sequence[tuple[str | None, Role | None, ArrayInfo]]) -> tuple[list[Split], list[ArrayInfo]]:
    """Put arrays together by split; the one with most axes, then numbers, holds the samples.

    Parameters
    ----------
    named : sequence of (split or None, role or None, array)

    Returns
    -------
    splits : list of Split
        In the order of splits; lengths are not looked at yet (`checked`).
    unused : list of ArrayInfo
    """
    splits = ordered_splits([split for split, _, _ in named if split is not None])
    found: list[Split] = []
    used: set[int] = set()
    for name in splits:
        mine = [(role, info) for split, role, info in named if split == name]
        data = [info for role, info in mine if role in ("data", None) and _may_be_data(info)]
        if not data:
            continue
        most = max(data, key=lambda info: (len(info.shape), math.prod(info.shape)))
        labels = [info for role, info in mine if role == "label"]
        if not labels:
            labels = [info for role, info in mine if role is None and len(info.shape) == 1 and info is not most]
        label = _fitting(labels, most)
        group = _fitting([info for role, info in mine if role == "group"], most)
        found.append(Split(name, most, label, group))
        used |= {id(each) for each in (most, label, group) if each is not None}
    return found, [info for _, _, info in named if id(info) not in used]


def _may_be_data(info: ArrayInfo) -> bool:
    return len(info.shape) >= 2 and (info.is_number or info.dtype == "O")


def _fitting(candidates: Sequence[ArrayInfo], data: ArrayInfo) -> ArrayInfo | None:
    """The array of as many entries as there are samples; else the first, whose length is then said to be wrong."""
    ends = (data.shape[0], data.shape[-1])
    plain = sorted(candidates, key=lambda info: (len(info.name), info.name))
    fitting = [info for info in plain if set(info.shape) & set(ends)]
    # A short list beside the labels holds the names of classes.
    wrong = [info for info in plain if "class" not in info.name.lower()]
    return next(iter(fitting or wrong), None)


def checked(split: Split) -> Split:
    """The split with the axis of its samples.

    Raises
    ------
    InputError
        Python objects; no sample; labels or groups that are not as many as the samples.
    """
    for info in (split.data, split.label, split.group):
        if info is not None and info.dtype == "O":
            raise InputError(
                f"{say_array(info)}: an array of Python objects, which are never loaded (a pickle is inside): save it "
                "as numbers or text, without dtype=object"
            )
    axis = 0
    if split.label is not None:
        n = max(split.label.shape, default=0) if 1 in split.label.shape else split.label.shape[0]
        last = len(split.data.shape) - 1
        # MATLAB puts samples last, others first; where both ends are as long as the labels, that decides.
        puts_last = split.data.file.lower().endswith(".mat") and last >= 2
        axis = last if split.data.shape[last] == n and (puts_last or split.data.shape[0] != n) else 0
    found = Split(split.name, split.data, split.label, split.group, axis)
    if not math.prod(split.data.shape):
        raise InputError(f"the split {split.name} ({say_array(split.data)}) is empty")
    for info in (split.label, split.group):
        if info is not None and found.n not in info.shape:
            raise InputError(
                f"{say_array(split.data)} has {found.n:,} samples and {say_array(info)} has "
                f"{info.shape[0] if info.shape else 0:,}: a split's arrays must be as long as each other"
            )
    return found


def label_texts(split: Split) -> tuple[list[str | None] | None, str]:
    """The label of every sample, and where it is from in words.

    Raises
    ------
    OSError, ValueError, EOFError
    """
    if split.label is None:
        return None, "labels are unknown"
    values = _flat(split.label, split.n)
    name = split.label.name or display(split.label.file).rpartition("/")[2]
    if values.ndim == 2:
        if not _is_one_hot(values):
            return None, f"labels are unknown: {name} has {values.shape[1]:,} numbers a sample, and is not one-hot"
        return [str(each) for each in values.argmax(axis=1).tolist()], f"labels from {name} (one-hot)"
    return _texts(values), f"labels from {name}"


def group_texts(split: Split) -> list[str | None] | None:
    """The group of every sample, where an array says it.

    Raises
    ------
    OSError, ValueError, EOFError
    """
    if split.group is None:
        return None
    values = _flat(split.group, split.n)
    return _texts(values) if values.ndim == 1 else None


def _flat(info: ArrayInfo, n: int) -> np.ndarray:
    """One entry a sample; rows and columns of MATLAB as what they are."""
    values = open_array(info.file, info.name).whole()
    if values.nbytes > MOST_LABEL_BYTES:
        raise ValueError(f"{say_array(info)}: {values.nbytes / 1e9:.1f} GB of labels")
    if values.size == n:
        return values.reshape(n)
    return values.reshape(n, -1) if values.shape[0] == n else values.T.reshape(n, -1)


def _is_one_hot(values: np.ndarray) -> bool:
    if values.dtype.kind not in "biuf":
        return False
    ones = values == 1
    return bool((ones | (values == 0)).all() and (ones.sum(axis=1) == 1).all())


def _texts(values: np.ndarray) -> list[str | None]:
    """Numbers and words as text; whole numbers without a point, nothing for NaN."""
    if values.dtype.kind == "f" and bool((values == values.round()).all()):
        values = values.astype("i8")
    if values.dtype.kind == "S":
        return [each.decode("utf-8", "backslashreplace") for each in values.tolist()]
    return [None if each != each else str(each) for each in values.tolist()]  # noqa: PLR0124  NaN


def say_array(info: ArrayInfo) -> str:
    """``data.npz/x_train``."""
    file = display(info.file).rpartition("/")[2]
    return f"{file}/{info.name}" if info.name else file
