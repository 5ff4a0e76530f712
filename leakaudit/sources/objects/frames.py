"""Data frames in memory: pandas, PyArrow, Polars (eager and lazy) and whatever else speaks Arrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.base import Item, NotThis, Request
from leakaudit.sources.layouts import folds
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.layouts.split_column import find_split_column, read_split_values, say_values
from leakaudit.sources.names import canonical, split_of
from leakaudit.sources.objects.kinds import call_of, is_frame, is_picture, is_series
from leakaudit.sources.objects.parts import Rows
from leakaudit.sources.objects.pictures import packed
from leakaudit.sources.readers.columnar import nested_shape
from leakaudit.sources.readers.heads import HEAD_ROWS, Head, cell_of
from leakaudit.sources.readers.nested import Shape, needs_columns, shape_of
from leakaudit.sources.rows import tables_dataset

if TYPE_CHECKING:
    import pandas as pd

NAME = "frames"

_SHOWN = "one data frame in memory"
"""What stands for a path where a frame is looked at as a file; no folder is called so."""


def from_frames(frames: Mapping[str, Any], config: Config) -> Dataset:
    """A data set of data frames.

    Parameters
    ----------
    frames : mapping of str to data frame
        Split name to what `arrow_of` takes. One frame alone is one split (``config.within``), or is divided by
        ``config.split_column`` or a column of a usual name.
    config : Config

    Raises
    ------
    InputError
        Something that is no data frame, or a frame without rows or columns.
    LayoutError
        One split only, without ``config.within``.
    ConfigError
        A column that is not there.
    """
    return rows_dataset({name: Rows.of(arrow_of(name, frame)) for name, frame in frames.items()}, config)


def rows_dataset(parts: Mapping[str, Rows], config: Config) -> Dataset:
    """A data set of rows, a part a split; of one part alone a column may say the split or the fold.

    Raises
    ------
    InputError, LayoutError, ConfigError
        As `from_frames`.
    """
    if not parts:
        raise LayoutError("no data frame given: say audit(train, val), or audit(train=frame, val=frame)")
    for name, part in parts.items():
        if not part.columns or not part.n:
            raise InputError(f"the split {name} is empty: {part.n} rows, {len(part.columns)} columns")
    _check_widths(parts)
    if len(parts) == 1:
        return _one_part(*next(iter(parts.items())), config)
    named = [(split_of(name, config.splits) or canonical(name), name, part) for name, part in parts.items()]
    repeated = [split for split, n in Counter(split for split, _, _ in named).items() if n > 1]
    if repeated:
        raise LayoutError(f"two data sets are the split {repeated[0]!r}: give them different names")
    what = next(iter(parts.values())).what
    said = ", ".join(f"{split} ({part.n:,} rows)" for split, _, part in named)
    files = [part.file(name, split) for split, name, part in named]
    return _tables(f"one {what} a split: {said}", files, [part for _, _, part in named], config)


def _check_widths(parts: Mapping[str, Rows]) -> None:
    """Refuse arrays of different widths: their columns have no names by which some could be compared.

    Raises
    ------
    InputError
    """
    widths = {
        name: len(part.columns) - (part.label is not None)
        for name, part in parts.items()
        if part.what in ("array", "sparse matrix", "list of rows")
    }
    if len(widths) == len(parts) and len(set(widths.values())) > 1:
        said = " and ".join(f"{name} {n:,}" for name, n in widths.items())
        raise InputError(f"arrays of different numbers of columns: {said} (labels go beside them: (X, y))")


def _tables(
    said: str,
    files: Sequence[TableFile],
    parts: Sequence[Rows],
    config: Config,
    *,
    split_column: str | None = None,
    split_values: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Dataset:
    """As `tables_dataset`, with the label that was given as y and the texts that were given as such."""
    labels = [part.label for part in parts if part.label is not None]
    root = several(parts[0].what) if len(parts) > 1 else parts[0].what
    found = tables_dataset(
        root,
        NAME,
        said,
        files,
        config,
        known_label=(labels[0], "given as y") if labels else None,
        split_column=split_column,
        split_values=split_values,
        notes=notes,
    )
    texts = tuple(dict.fromkeys(name for part in parts for name in part.texts))
    return replace(found, columns=replace(found.columns, texts=texts)) if texts else found


def several(what: str) -> str:
    """``data frames``, ``lists of texts``."""
    if what.startswith("list of"):
        return f"lists{what.removeprefix('list')}"
    return {"series": "series", "sparse matrix": "sparse matrices"}.get(what, f"{what}s")


def _one_part(name: str, part: Rows, config: Config) -> Dataset:
    if part.table is not None:
        table = part.table
        head = _head(name, table)
        if (folded := _folds(head, config)) is not None:
            return folded
        column = find_split_column(head, config)
        if column is not None:
            counts = Counter((cell_of(value) or "").strip() for value in table.column(column).to_pylist())
            values, notes = read_split_values(counts, column, config)
            said = f"one {part.what} whose column {column!r} says the split: {say_values(values)}"
            files = [part.file(name, None)]
            return _tables(said, files, [part], config, split_column=column, split_values=values, notes=notes)
    if not config.within:
        raise LayoutError(
            f"{name}: one {part.what} only, and no column of it says the split: give another (audit(train, val)), "
            "split_column=…, cv=…, or within=True"
        )
    return one_split(name, part, config)


def _head(name: str, table: pa.Table) -> Head:
    texts = [tuple(map(cell_of, row.values())) for row in table.slice(0, HEAD_ROWS).to_pylist()]
    return Head(name, "arrow", tuple(table.column_names), texts, table=table)


def splitting_column(name: str, table: pa.Table, config: Config) -> str | None:
    """A column that says a split or a fold, which is no part of what a row is."""
    head = _head(name, table)
    return folds.fold_column(head, config) or find_split_column(head, config)


def one_split(name: str, part: Rows, config: Config) -> Dataset:
    """Rows that are one split, whatever their columns say."""
    split = split_of(name, config.splits) or ONLY
    return _tables(f"one {part.what} as one split (within)", [part.file(name, split)], [part], config)


def _folds(head: Head, config: Config) -> Dataset | None:
    """The frame as cross-validation, where a column says the fold, found as in a file."""
    column = folds.fold_column(head, config)
    if column is None or head.table is None:
        return None
    at = head.columns.index(column)
    texts = pa.array([cell_of(each) for each in head.table.column(at).to_pylist()], pa.string())
    shown = replace(head, path=_SHOWN, table=head.table.set_column(at, column, texts))
    item = Item(None, _SHOWN, (_SHOWN,), is_folder=False)
    request = Request((item,), config, "", heads={_SHOWN: shown})
    found = folds.sniff(request)
    if isinstance(found, NotThis):
        return None
    dataset = folds.load(request, found)
    return replace(
        dataset,
        root="data frame",
        layout=replace(dataset.layout, why=dataset.layout.why.replace(f"one table, {_SHOWN}", "one data frame", 1)),
        tables=tuple(replace(table, uri=head.path) for table in dataset.tables),
    )


# --- one frame ------------------------------------------------------------------------------------------------


def arrow_of(name: str, frame: Any) -> pa.Table:  # noqa: ANN401 - whatever speaks Arrow
    """A frame as an Arrow table; objects and lists in its cells become columns of their own.

    Parameters
    ----------
    name : str
        Of the split, for messages.
    frame : data frame
        `pandas.DataFrame`, `pyarrow.Table`, `polars.DataFrame` or ``LazyFrame`` (which is collected), any object with
        ``__arrow_c_stream__``, or a mapping from names of columns to their values.

    Raises
    ------
    InputError
        No data frame, a column without a name of its own, columns of different lengths, or cells of a kind that is not
        read.
    """
    if isinstance(frame, pa.Table):
        return _laid_flat(frame, {})
    if isinstance(frame, pa.RecordBatch):
        return _laid_flat(pa.Table.from_batches([frame]), {})
    if is_frame(frame) and "pandas" in call_of(frame):
        return _from_pandas(name, frame)
    if is_frame(frame):
        return _laid_flat(_from_arrow(name, frame), {})
    if isinstance(frame, Mapping):
        return from_columns(name, {str(column): values for column, values in frame.items()})
    raise InputError(f"{name}: {call_of(frame)} is no data frame (pandas, PyArrow or Polars)")


def _from_arrow(name: str, frame: Any) -> pa.Table:  # noqa: ANN401
    if hasattr(type(frame), "collect"):  # a lazy frame of Polars: its plan is carried out, once
        frame = frame.collect()
    if not hasattr(frame, "__arrow_c_stream__"):
        raise InputError(f"{name}: {call_of(frame)} does not speak Arrow: turn it into a pandas or Polars frame")
    table = pa.table(frame)
    twice = [column for column, n in Counter(table.column_names).items() if n > 1]
    if twice:
        raise InputError(f"{name}: two columns are called {twice[0]!r}")
    return pa.table({field.name: _plain(column) for field, column in zip(table.schema, table.columns, strict=True)})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts in the one type that engines know, categories as what they stand for."""
    kind = column.type
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.string())
    if pa.types.is_dictionary(kind):
        meant = _plain(pa.chunked_array([pa.nulls(0, kind.value_type)])).type
        chunks = [
            pa.DictionaryArray.from_arrays(each.indices, each.dictionary.cast(meant)).dictionary_decode()
            for each in column.chunks
        ]
        return pa.chunked_array(chunks, meant)
    return column


def _from_pandas(name: str, frame: pd.DataFrame) -> pa.Table:
    columns = [str(column) for column in frame.columns]
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise InputError(f"{name}: two columns are called {twice!r}")
    return from_columns(name, {column: frame.iloc[:, at] for at, column in enumerate(columns)})


def from_columns(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """A table of columns that are lists, arrays or series.

    Raises
    ------
    InputError
        As `arrow_of`.
    """
    arrays: dict[str, pa.Array] = {}
    nested: dict[str, Sequence[Any]] = {}
    for column, values in columns.items():
        made = array_of(f"{name}: column {column!r}", values)
        if isinstance(made, pa.Array):
            arrays[column] = made
        else:
            arrays[column], nested[column] = pa.nulls(len(made)), made
    sizes = {column: len(array) for column, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        first, n = next(iter(sizes.items()))
        other, m = next(each for each in sizes.items() if each[1] != n)
        raise InputError(f"{name}: column {first!r} has {n:,} values and {other!r} {m:,}: all must be as long")
    return _laid_flat(pa.table(arrays), nested)


def array_of(name: str, values: Any) -> pa.Array | list[Any]:  # noqa: ANN401 - a series, or a list
    """An Arrow array; values of several types become text, categories what they stand for, pictures their bytes.

    Returns
    -------
    pyarrow.Array, or list
        A list where cells are objects or lists that Arrow has no type for.

    Raises
    ------
    InputError
        No column of values, or cells of a kind that is not read.
    """
    values = values if is_series(values) or hasattr(values, "dtype") else _as_list(name, values)
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError, OverflowError):
        cells = list(values)
        known = [cell for cell in cells if cell is not None and not _is_nan(cell)]
        if known and all(map(is_picture, known)):
            return pa.array([packed(cell) if is_picture(cell) else None for cell in cells], pa.binary())
        if any(map(needs_columns, known)):
            return [cell if not _is_nan(cell) else None for cell in cells]
        odd = next((cell for cell in known if " object at 0x" in repr(cell) or is_picture(cell)), None)
        if odd is not None:
            raise InputError(f"{name}: cells of {call_of(odd)} are not read") from None
        array = pa.array([None if cell is None or _is_nan(cell) else cell_of(cell) for cell in cells], pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def holds_pictures(frame: Any) -> bool:  # noqa: ANN401
    """Whether cells of a pandas frame, or of a mapping of columns, are pictures of Pillow, which `array_of` packs."""
    if isinstance(frame, Mapping):
        columns = list(frame.values())
    elif "pandas" in call_of(frame):
        columns = [frame.iloc[:, at] for at in range(frame.shape[1]) if frame.dtypes.iloc[at].kind == "O"]
    else:
        return False
    return any(is_picture(next((cell for cell in column if cell is not None), None)) for column in columns)


def _as_list(name: str, values: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise InputError(f"{name}: {call_of(values)} is no column of values")
    return list(values)


def _is_nan(value: Any) -> bool:  # noqa: ANN401
    """NaN, NaT and the like; what cannot be compared with itself is something else."""
    try:
        return bool(value != value)  # noqa: PLR0124 - NaN
    except (TypeError, ValueError):
        return value is not None and type(value).__name__ in ("NAType", "NaTType")


def _laid_flat(table: pa.Table, objects: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Cells with fields or texts inside as columns of their own, as of a file.

    Parameters
    ----------
    objects : mapping of str to sequence
        The cells of the columns of `table` that Arrow has no type for.
    """
    head = table.slice(0, HEAD_ROWS).combine_chunks()
    first = head.to_batches()[0] if head.num_rows else None
    nested = {
        field.name: table.column(field.name).to_pylist()
        for field in table.schema
        if field.name not in objects and nested_shape(pa.schema([field]), first) is not None
    } | dict(objects)
    if not nested:
        return table
    records = [dict(zip(nested, cells, strict=True)) for cells in zip(*nested.values(), strict=True)]
    shape = shape_of(records[:HEAD_ROWS]) or shape_of(records) or Shape(tuple(nested))
    flat = [shape.flat(record) for record in records]
    arrays: dict[str, pa.Array] = {}
    for name in table.column_names:
        mine = [name] if name not in nested else [
            each for each in shape.columns if each == name or each.startswith(f"{name}.")
        ]  # fmt: skip
        for each in mine:
            made = table.column(name) if name not in nested else [cell_of(record[each]) for record in flat]
            arrays[each] = made if name not in nested else pa.array(made, pa.string())
    return pa.table(arrays)
