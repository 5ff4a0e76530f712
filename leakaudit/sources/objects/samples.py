"""Samples one by one: lists of pictures, arrays, texts or records, and data sets that are asked for sample i.

The first sample says what all of them are: a picture (of Pillow, or a tensor of two or three axes), a row of numbers,
a text or a record of named values; alone, or as a pair with its label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.errors import InputError, UserError
from leakaudit.sources.objects.arrays import array_part, labelled, with_label
from leakaudit.sources.objects.frames import from_columns
from leakaudit.sources.objects.kinds import as_array, call_of, is_array, is_picture
from leakaudit.sources.objects.labels import labels_of, texts_of
from leakaudit.sources.objects.parts import Part, Rows, Stack
from leakaudit.sources.objects.pictures import (
    UnevenError,
    as_picture,
    packed,
    place,
    write_cells,
    write_samples,
)

Kind: TypeAlias = Literal["picture", "array", "text", "record"]

LABEL_KEYS = ("label", "labels", "target", "targets", "y", "class", "fine_label")
INPUT_KEYS = ("image", "img", "picture", "pixel_values", "x", "input", "inputs", "data", "text", "sentence", "features")
"""Names by which a sample that is a mapping says what is what, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a sample is taken apart: the keys of its input and its label, where it is a mapping or a pair."""

    kind: Kind
    input: str | int | None = None
    label: str | int | None = None


def samples_part(
    name: str,
    n: int,
    get: Callable[[int], Any],
    folder: str,
    *,
    label: tuple[str | None, pa.Array | None] = (None, None),
) -> Part:
    """What n samples are that are asked for one by one.

    Parameters
    ----------
    name : str
        Of the split.
    n : int
    get : callable
        ``get(i)`` gives sample i; it is asked in this order, and for a few of them twice.
    folder : str
        Temporary folder.
    label : (name or None, labels or None)
        Labels that were given apart from the samples.

    Raises
    ------
    InputError
        No sample, samples of a kind that is not read or of several kinds, or one that cannot be had.
    """
    if not n:
        raise InputError(f"the split {name} is empty")
    first = _asked(name, get, 0)
    form = _form_of(name, first, alone=label[1] is not None)
    if form.kind == "record":
        return with_label(_records(name, n, get), label, what="list of records")
    told: list[Any] = []

    def inputs() -> Iterator[Any]:
        told.clear()
        for at in range(n):
            sample = first if at == 0 else _asked(name, get, at)
            x, y = _apart(name, at, sample, form)
            told.append(y)
            yield x

    def labels() -> tuple[str | None, pa.Array | None]:
        return label if label[1] is not None or form.label is None else (None, _labels(name, told))

    if form.kind == "text":
        texts = pa.array([_text(name, at, x) for at, x in enumerate(inputs())], pa.string())
        found = labels()[1]
        columns = {"text": texts} if found is None else {"text": texts, "label": found}
        part = Rows.of(pa.table(columns), label=None if found is None else "label", texts=("text",))
        return replace(part, what="list of texts")
    if form.kind == "array":
        try:
            stack = write_samples(place(folder, name, ".npy"), (_numbers(name, x) for x in inputs()))
        except UnevenError as uneven:
            if _numbers(name, _apart(name, 0, first, form)[0]).ndim < 2:
                raise InputError(f"{name}: samples of different shapes ({uneven}): a ragged list is no table") from None
        else:
            if len(stack.shape) > 2:
                return labelled(stack, labels()[1], place(folder, name, "-y.npy"))
            return array_part(name, np.load(stack.file, mmap_mode="r"), labels(), folder)
    beside: dict[str, list[str | None]] = {}
    pictures = _packed(name, inputs())
    if label[1] is not None or form.label is not None:
        beside["label"] = _Later(label[1], told)
    return write_cells(place(folder, name, ".arrow"), pictures, beside)


class _Later(list[str | None]):
    """Labels as texts, of samples that are still being read."""

    def __init__(self, given: pa.Array | None, told: list[Any]) -> None:
        super().__init__()
        texts = texts_of(given)
        self._given, self._told = None if texts is None else texts.to_pylist(), told

    def __getitem__(self, rows: Any) -> Any:  # noqa: ANN401
        if self._given is not None:
            return self._given[rows]
        return [None if each is None else str(_plain(each)) for each in self._told[rows]]


def _asked(name: str, get: Callable[[int], Any], at: int) -> Any:  # noqa: ANN401
    """Sample i; whatever a data set of the user's raises becomes one line."""
    try:
        return get(at)
    except (KeyboardInterrupt, MemoryError, UserError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(f"{name}: sample {at:,} cannot be had: {type(error).__name__}: {reason}") from error


def _form_of(name: str, sample: Any, *, alone: bool) -> Form:  # noqa: ANN401
    if isinstance(sample, Mapping):
        keys = {str(key).lower(): key for key in sample}
        of_input = next((keys[key] for key in INPUT_KEYS if key in keys and _kind_of(sample[keys[key]])), None)
        kind = None if of_input is None else _kind_of(sample[of_input])
        if kind in ("picture", "array"):
            label = next((keys[key] for key in LABEL_KEYS if key in keys and _is_label(sample[keys[key]])), None)
            return Form(kind, of_input, label)
        return Form("record")
    if isinstance(sample, tuple | list) and not alone and len(sample) in (1, 2) and (kind := _kind_of(sample[0])):
        return Form(kind, 0, 1 if len(sample) == 2 and _is_label(sample[1]) else None)
    kind = _kind_of(sample)
    if kind is None:
        raise InputError(
            f"{name}: samples of {call_of(sample)} are not read: pictures, arrays, texts, records (dict), or pairs of "
            "one of these and a label are"
        )
    return Form(kind)


def _kind_of(value: Any) -> Kind | None:  # noqa: ANN401
    if is_picture(value):
        return "picture"
    if isinstance(value, str):
        return "text"
    if is_array(value) and len(value.shape) >= 1:
        return "array"
    return None


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float | np.number)


def _is_label(value: Any) -> bool:  # noqa: ANN401 - boxes and masks are none
    return value is None or isinstance(value, str) or _is_number(value) or getattr(value, "shape", None) in ((), (1,))


def _apart(name: str, at: int, sample: Any, form: Form) -> tuple[Any, Any]:  # noqa: ANN401
    if form.input is None:
        return sample, None
    try:
        return sample[form.input], None if form.label is None else sample[form.label]
    except (LookupError, TypeError) as error:
        raise InputError(f"{name}: sample {at:,} is {call_of(sample)}, not as the first one") from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - a tensor of one number as that number
    if value is None or isinstance(value, str | int | float):
        return value
    return value.item() if hasattr(value, "item") else value


def _labels(name: str, told: list[Any]) -> pa.Array | None:
    return labels_of(name, [_plain(each) for each in told], len(told))[1]


def _text(name: str, at: int, value: Any) -> str | None:  # noqa: ANN401
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name}: sample {at:,} is {call_of(value)}, and the first one is a text")
    return value


def _numbers(name: str, value: Any) -> np.ndarray:  # noqa: ANN401
    if is_picture(value) or isinstance(value, str) or value is None:
        raise InputError(f"{name}: samples of several kinds: arrays and {call_of(value)}")
    try:
        return as_array(name, value if is_array(value) else np.asarray(value))
    except ValueError as error:
        raise InputError(f"{name}: a ragged list: {str(error).splitlines()[0]}") from error


def _packed(name: str, inputs: Iterator[Any]) -> Iterator[bytes | None]:
    """Files of pictures; of tensors of several sizes, those of 8 bits."""
    for at, value in enumerate(inputs):
        picture = value if value is None or is_picture(value) else None
        if value is not None and picture is None and is_array(value):
            picture = as_picture(as_array(name, value))
            if picture is None:
                raise InputError(
                    f"{name}: sample {at:,}: pictures of several sizes must be numbers of 8 bits (0 to 255, or 0 to 1 "
                    "as ToTensor makes them): leave normalising out, or bring them to one size"
                )
        elif value is not None and picture is None:
            raise InputError(f"{name}: sample {at:,} is {call_of(value)}, and the first one is a picture")
        yield None if picture is None else packed(picture)


def _records(name: str, n: int, get: Callable[[int], Any]) -> pa.Table:
    """Mappings with the same keys as rows of a table."""
    columns: dict[str, list[Any]] = {}
    for at in range(n):
        record = _asked(name, get, at)
        if not isinstance(record, Mapping):
            raise InputError(f"{name}: sample {at:,} is {call_of(record)}, and the first one is a record")
        for key in record:
            columns.setdefault(str(key), [None] * at)
        for key, values in columns.items():
            values.append(_cell(record.get(key)))
    return from_columns(name, columns)


def _cell(value: Any) -> Any:  # noqa: ANN401 - tensors as numbers or lists of them
    if is_array(value):
        numbers = as_array("a record", value)
        return numbers.item() if numbers.ndim == 0 else numbers.tolist()
    return value


def lists_part(name: str, rows: Sequence[Any], label: tuple[str | None, pa.Array | None], folder: str) -> Rows | Stack:
    """A list of lists of values as rows of a table; of lists of lists, as an array.

    Raises
    ------
    InputError
        Its lists are not of one length.
    """
    sizes = {len(each) if isinstance(each, list | tuple) else 0 for each in rows}
    if len(sizes) > 1:
        raise InputError(
            f"{name}: a ragged list: its rows have {min(sizes):,} to {max(sizes):,} values, all must have as many"
        )
    if sizes == {0}:
        raise InputError(f"the split {name} is empty: {len(rows):,} rows without values")
    if isinstance(rows[0][0], list | tuple):
        try:
            return array_part(name, np.asarray(rows), label, folder)
        except ValueError as error:
            raise InputError(f"{name}: a ragged list: its lists are of several lengths") from error
    columns = {f"x{at}": list(values) for at, values in enumerate(zip(*rows, strict=True))}
    return with_label(from_columns(name, columns), label, what="list of rows")
