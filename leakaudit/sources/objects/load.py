"""Python objects to a data set: each split's object becomes a part, and parts of one kind a `Dataset`.

What lies in files is laid out as files of the same data are, by the same layouts, so that the report is the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError, UserError
from leakaudit.model import Dataset, Layout, ordered_splits
from leakaudit.sources import layouts
from leakaudit.sources.base import Request
from leakaudit.sources.kinds import begins_as_picture, begins_as_sound, data_kind
from leakaudit.sources.label_guess import is_running_text
from leakaudit.sources.layouts import arrays as array_layout
from leakaudit.sources.layouts.array_parts import Split
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.listing import uri_of
from leakaudit.sources.names import canonical, split_of
from leakaudit.sources.objects.arrays import array_part, sparse_part, with_label
from leakaudit.sources.objects.frames import array_of, arrow_of, holds_pictures, rows_dataset
from leakaudit.sources.objects.hub import hub_part
from leakaudit.sources.objects.kinds import (
    as_array,
    call_of,
    is_array,
    is_frame,
    is_hub_dataset,
    is_path,
    is_series,
    is_sparse,
    is_stream,
    is_torch_dataset,
    is_torch_loader,
    length_of,
)
from leakaudit.sources.objects.labels import labels_of, texts_of
from leakaudit.sources.objects.parts import Cells, Part, Rows, Stack
from leakaudit.sources.objects.pictures import place, write_names
from leakaudit.sources.objects.samples import lists_part, samples_part
from leakaudit.sources.objects.torch_sets import torch_part
from leakaudit.sources.readers.arrays import ArrayInfo
from leakaudit.sources.readers.heads import HEAD_ROWS

TAKEN = (
    "a data frame, an array or tensor, (X, y), a list of texts or pictures, a Hugging Face Dataset or a torch data set"
)

Label = tuple[str | None, "pa.Array | None"]


def objects_dataset(splits: Mapping[str, Any], config: Config, folder: str) -> Dataset:
    """A data set of objects.

    Parameters
    ----------
    splits : mapping of str to object
        Split name to what `part_of` takes; one alone is one split (``config.within``), or is divided by a column.
    config : Config
    folder : str
        An empty temporary folder; what is written there is read until the audit ends.

    Raises
    ------
    InputError
        An object that is not read, or an empty one; splits of different kinds.
    LayoutError
        One split only, without ``config.within``.
    ConfigError
        A column that is not there.
    """
    return dataset_of({name: part_of(name, value, folder) for name, value in splits.items()}, config, folder)


def dataset_of(parts: Mapping[str, Part], config: Config, folder: str) -> Dataset:
    """A data set of parts of one kind; raises as `objects_dataset`."""
    kinds = {type(part) for part in parts.values()}
    if len(kinds) > 1:
        said = ", ".join(f"{name} is {_say(part)}" for name, part in parts.items())
        raise InputError(f"splits of different kinds: {said}")
    rows = {name: part for name, part in parts.items() if isinstance(part, Rows)}
    stacks = {name: part for name, part in parts.items() if isinstance(part, Stack)}
    cells = {name: part for name, part in parts.items() if isinstance(part, Cells)}
    if stacks:
        found = _of_stacks(stacks, config, folder)
    elif cells:
        found = _of_cells(cells, config, folder)
    else:
        found = rows_dataset(rows, config)
    notes = dict.fromkeys(note for part in parts.values() for note in part.notes)
    return replace(found, notes=(*found.notes, *notes)) if notes else found


def _say(part: Part) -> str:
    if isinstance(part, Rows):
        return "rows of a table"
    return f"an array of shape {part.shape}" if isinstance(part, Stack) else "a data set of pictures or of rows"


# --- what an object is ----------------------------------------------------------------------------------------


def part_of(name: str, value: Any, folder: str) -> Part:  # noqa: ANN401 - that is the question
    """What the object of one split is.

    Parameters
    ----------
    name : str
        Of the split, for messages.
    value : object
        A data frame; an array or tensor; a sparse matrix; ``(X, y)``; a series or list of texts; a list of pictures,
        arrays, rows, records or (sample, label) pairs; a ``datasets.Dataset``; a torch data set, subset or loader.
    folder : str
        Temporary folder.

    Raises
    ------
    InputError
        None of these, an empty one, or one whose parts do not go together.
    """
    if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], int | float | str):
        x, y = value
        if is_path(x) or x is None:
            raise InputError(f"{name}: (X, y) of {call_of(x)}: give arrays, frames or lists of the samples and labels")
        return features_part(name, x, y, folder)
    return features_part(name, value, None, folder)


def features_part(name: str, x: Any, y: Any, folder: str) -> Part:  # noqa: ANN401
    """What samples are whose labels may be given apart; raises as `part_of`."""
    _check_is_data(name, x)
    if is_frame(x) or isinstance(x, Mapping):
        return _of_table(name, arrow_of(name, x), y, folder, are_files=not holds_pictures(x))
    if is_hub_dataset(x) or is_torch_loader(x) or is_torch_dataset(x):
        if y is not None:
            raise InputError(f"{name}: (X, y) with X a {call_of(x)}, which has its labels in it: give it alone")
        return hub_part(name, x, folder) if is_hub_dataset(x) else torch_part(name, x, folder)
    n = length_of(name, x)
    if not n:
        raise InputError(f"the split {name} is empty: {call_of(x)} of length 0")
    return _of_values(name, x, labels_of(name, y, n), folder)


def _check_is_data(name: str, x: Any) -> None:  # noqa: ANN401
    if is_stream(x):
        raise InputError(
            f"{name}: {call_of(x)} can only be read from its beginning to its end: load it without streaming, or give "
            "a data set with a length (map-style)"
        )
    if is_path(x):
        raise InputError(f"{name}: a path beside objects: give all splits as paths, or all as objects")
    if isinstance(x, Iterator):
        raise InputError(f"{name}: {call_of(x)} can be read only once: give a list of its samples")
    is_sized = hasattr(x, "__len__") or hasattr(x, "shape") or is_frame(x) or is_torch_loader(x) or is_torch_dataset(x)
    if isinstance(x, bytes | bool) or not is_sized:
        raise InputError(f"{name}: {call_of(x)} is no data set: give {TAKEN}")


def _of_values(name: str, x: Any, label: Label, folder: str) -> Part:  # noqa: ANN401
    """One value a sample: what has a length and is no frame."""
    if is_sparse(x):
        return sparse_part(name, x, label, folder)
    if is_series(x):
        return _of_series(name, x, label, folder)
    if is_array(x):
        values = as_array(name, x)
        if values.dtype.kind != "O" or values.ndim != 1 or isinstance(values[0], str):
            return array_part(name, values, label, folder)
        x = values.tolist()
    if isinstance(x, list | tuple):
        return _of_list(name, x, label, folder)
    if not hasattr(x, "__getitem__"):
        raise InputError(f"{name}: {call_of(x)} is no data set that is read: give {TAKEN}")
    return samples_part(name, len(x), x.__getitem__, folder, label=label)


def _of_table(name: str, table: pa.Table, y: Any, folder: str, *, are_files: bool) -> Part:  # noqa: ANN401
    part = with_label(table, labels_of(name, y, table.num_rows))
    assert part.table is not None
    if not any(_are_media(part.table, column) for column in part.columns):
        return part
    path = place(folder, name, ".arrow")
    with pa.ipc.new_file(path, part.table.schema) as writer:
        writer.write_table(part.table)
    return Cells((path,), part.n, are_files)


def _are_media(table: pa.Table, name: str) -> bool:
    """Whether the first cells of a column are the bytes of pictures or sounds."""
    import pyarrow.compute as pc

    column = table.column(name).slice(0, 100)
    if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = pc.struct_field(column, "bytes")
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        return False
    return any(begins_as_picture(cell) or begins_as_sound(cell) for cell in column.to_pylist() if cell)


def _of_series(name: str, series: Any, label: Label, folder: str) -> Part:  # noqa: ANN401
    made = array_of(name, series.to_arrow() if hasattr(series, "to_arrow") else series)
    if not isinstance(made, pa.Array) or pa.types.is_nested(made.type):
        return _of_list(name, list(series), label, folder)
    if pa.types.is_string_view(made.type) or pa.types.is_large_string(made.type):
        made = made.cast(pa.string())
    if pa.types.is_binary(made.type):  # pictures
        return _of_table(name, pa.table({"image": made}), None, folder, are_files=not holds_pictures({"": series}))
    title = getattr(series, "name", None)
    is_text = pa.types.is_string(made.type)
    called = str(title) if title else "text" if is_text else "x0"
    part = with_label(pa.table({called: made}), label, what="series")
    return replace(part, texts=(called,)) if is_text else part


def _of_list(name: str, values: Sequence[Any], label: Label, folder: str) -> Part:
    first = values[0]
    if isinstance(first, str | os.PathLike) and _are_files(values):
        return _of_files(name, [os.fspath(each) for each in values], label, folder)
    if first is None or isinstance(first, int | float | np.number | bool):
        made = array_of(name, list(values))
        if isinstance(made, pa.Array) and (pa.types.is_string(made.type) or pa.types.is_primitive(made.type)):
            called = "text" if pa.types.is_string(made.type) else "x0"
            part = with_label(pa.table({called: made}), label, what="list of values")
            return replace(part, texts=("text",)) if called == "text" else part
    if isinstance(first, list | tuple) and not _are_pairs(values, has_label=label[1] is not None):
        return lists_part(name, values, label, folder)
    return samples_part(name, len(values), values.__getitem__, folder, label=label)


def _are_pairs(values: Sequence[Any], *, has_label: bool) -> bool:
    """Whether these are samples with their labels, rather than rows of values or texts beside texts."""
    first = values[0]
    if has_label or len(first) not in (1, 2):
        return False
    if isinstance(first[0], str) and len(first) == 2:
        beside = [each[1] for each in values[:HEAD_ROWS] if isinstance(each, list | tuple) and len(each) == 2]
        return not is_running_text([each for each in beside if isinstance(each, str)])
    return isinstance(first[0], str) or not (np.isscalar(first[0]) or isinstance(first[0], list | tuple))


def _are_files(values: Sequence[Any]) -> bool:
    """Whether these are names of files: paths, or texts all of whose first ones are files that exist."""
    some = values[:20]
    if all(isinstance(each, os.PathLike) for each in some):
        return True
    return all(
        isinstance(each, str) and len(each) < 4096 and "\n" not in each and os.path.isfile(each) for each in some
    )


def _of_files(name: str, files: Sequence[str], label: Label, folder: str) -> Cells:
    """Pictures or sounds that are named."""
    kinds = {data_kind(os.fsencode(each)) for each in files}
    if kinds not in ({"picture"}, {"sound"}):
        said = ", ".join(sorted(kinds))
        raise InputError(
            f"{name}: a list of names of files ({said}): of files, lists of pictures or of sounds are read; give "
            "others as train=FILE, val=FILE"
        )
    feature = "Image" if kinds == {"picture"} else "Audio"
    return write_names(place(folder, name, ".arrow"), files, feature, texts_of(label[1]))


# --- parts of one kind to a data set --------------------------------------------------------------------------


def _split_names(parts: Mapping[str, Part], config: Config) -> dict[str, str]:
    """The split of each name.

    Raises
    ------
    LayoutError
        Two names mean one split, or there is only one.
    """
    named = {name: split_of(name, config.splits) or canonical(name) for name in parts}
    if len(set(named.values())) < len(named):
        twice = next(split for split in named.values() if list(named.values()).count(split) > 1)
        raise LayoutError(f"two data sets are the split {twice!r}: give them different names")
    if len(named) == 1 and not config.within:
        raise LayoutError("one split only: give another (audit(train, val)), cv=…, or within=True")
    return named


def _of_stacks(parts: Mapping[str, Stack], config: Config, folder: str) -> Dataset:
    """Slices of arrays, as the layout of arrays reads them."""
    named = _split_names(parts, config)
    order = ordered_splits(tuple(named.values()))
    names = sorted(parts, key=lambda name: order.index(named[name]))
    splits = tuple(_split_of_stack(named[name] if len(parts) > 1 else ONLY, parts[name]) for name in names)
    found = array_layout.load(Request((), config, folder), array_layout.Sniffed(splits, ()))
    chosen = [(name, named[name], parts[name]) for name in names]
    sizes = [f"{split} ({part.n:,} of {' × '.join(map(str, part.shape[1:]))})" for _, split, part in chosen]
    what = "pictures" if found.kind == "image" else "rows of numbers"
    has_labels = any(part.labels is not None for part in parts.values())
    labels = "labels from y" if has_labels else "labels are unknown"
    why = f"arrays with {what}: {', '.join(sizes)}; {labels}"
    found = replace(found, root="arrays", layout=Layout(array_layout.LAYOUT.name, why))
    if found.samples is None:
        tables = tuple(replace(each, uri=name) for each, name in zip(found.tables, names, strict=True))
        return replace(found, tables=tables)
    uris = pa.array([f"{name}#{row}" for name, _, part in chosen for row in range(part.n)], pa.string())
    label = None
    if has_labels:
        nothing = (pa.nulls(part.n, pa.string()) for _, _, part in chosen)
        label = pa.concat_arrays(
            [none if part.labels is None else part.labels for (_, _, part), none in zip(chosen, nothing, strict=True)]
        )
    return replace(found, samples=replace(found.samples, uri=uris, label=label))


def _split_of_stack(split: str, part: Stack) -> Split:
    label = None if part.label_file is None else ArrayInfo(part.label_file, "", (part.n,), "<U")
    return Split(split, ArrayInfo(part.file, "", part.shape, part.dtype), label)


def _of_cells(parts: Mapping[str, Cells], config: Config, folder: str) -> Dataset:
    """Arrow files, as the layouts of files read them."""
    named: dict[str, str] = {}
    if len(parts) == 1:
        ((name, part),) = parts.items()
        parts = {name: part if len(part.paths) == 1 else _in_one_file(name, part, folder)}
        paths = list(parts[name].paths)
    else:
        named = _split_names(parts, config)
        odd = next((name for name in named.values() if not name.replace("-", "").replace("_", "").isalnum()), None)
        if odd is not None:
            raise LayoutError(f"{odd!r} is no name for a split: letters, digits, - and _ are")
        paths = [f"{named[name]}={path}" for name, part in parts.items() for path in part.paths]
    try:
        found = layouts.load(paths, config)
    except UserError as error:
        raise type(error)(_without(str(error), folder)) from error
    samples = found.samples
    if samples is not None:
        are_files = all(part.are_files for part in parts.values())
        samples = replace(samples, uri=_uris(parts, named, found), are_files=are_files)
    return replace(
        found,
        root="data sets" if len(parts) > 1 else "data set",
        layout=replace(found.layout, why=_without(found.layout.why, folder)),
        samples=samples,
        tables=tuple(replace(table, uri=_without(table.uri, folder)) for table in found.tables),
        notes=tuple(_without(note, folder) for note in found.notes),
    )


def _in_one_file(name: str, part: Cells, folder: str) -> Cells:
    """Files one after the other: of one data set alone, one table is looked at for a column that says the split."""
    path = place(folder, name, ".arrow")
    writer = None
    try:
        for file in part.paths:
            with pa.memory_map(file) as source, pa.ipc.open_stream(source) as batches:
                writer = writer or pa.ipc.new_file(path, batches.schema)
                for batch in batches:
                    writer.write_batch(batch)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{name}: the rows of the data set cannot be had: {str(error).splitlines()[0]}") from error
    finally:
        if writer is not None:
            writer.close()
    return replace(part, paths=(path,))


def _uris(parts: Mapping[str, Cells], named: Mapping[str, str], found: Dataset) -> pa.Array:
    """``train#7`` for row 7 of the object that is train, or the name of the file that it names.

    Samples keep the order of their rows; one object alone may be in several splits, and then its file counts them.
    """
    assert found.samples is not None
    if len(parts) == 1:
        ((name, part),) = parts.items()
        rows = [int(uri.rpartition("#")[2]) for uri in found.samples.uri.to_pylist()]
        return pa.array([_called(name, part, row) for row in rows], pa.string())
    by_split = {named[name]: (name, part) for name, part in parts.items()}
    chosen = [by_split[split] for split in found.splits]
    return pa.array([_called(name, part, row) for name, part in chosen for row in range(part.n)], pa.string())


def _called(name: str, part: Cells, row: int) -> str:
    return f"{name}#{row}" if part.names is None else uri_of(os.fsencode(part.names[row]))


def _without(text: str, folder: str) -> str:
    """A sentence or a name without the temporary folder and the ending of its files."""
    return text.replace(f"{folder}{os.sep}", "").replace(folder, "the data set").replace(".arrow", "")
