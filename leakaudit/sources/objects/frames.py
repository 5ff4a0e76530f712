"""Data frames in memory: pandas, PyArrow, Polars and whatever else speaks Arrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.layouts.split_column import find_split_column, read_split_values, say_values
from leakaudit.sources.names import canonical, split_of
from leakaudit.sources.readers.heads import Head, cell_of
from leakaudit.sources.rows import tables_dataset

if TYPE_CHECKING:
    import pandas as pd

NAME = "frames"


def from_frames(frames: Mapping[str, Any], config: Config) -> Dataset:
    """A data set of data frames.

    Parameters
    ----------
    frames : mapping of str to data frame
        Split name to `pandas.DataFrame`, `pyarrow.Table` or any object with ``__arrow_c_stream__`` (Polars). One
        frame alone is one split (``config.within``), or is divided by ``config.split_column`` or a column of a usual
        name.
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
    tables = {name: _arrow(name, frame) for name, frame in frames.items()}
    if not tables:
        raise LayoutError("no data frame given: say train=frame, val=frame")
    for name, table in tables.items():
        if not table.num_columns or not table.num_rows:
            raise InputError(f"the split {name} is empty: {table.num_rows} rows, {table.num_columns} columns")
    if len(tables) == 1:
        return _one_frame(*next(iter(tables.items())), config)
    files = [_file(split_of(name, config.splits) or canonical(name), name, table) for name, table in tables.items()]
    repeated = [split for split, n in Counter(file.split for file in files).items() if n > 1]
    if repeated:
        raise LayoutError(f"two data frames are the split {repeated[0]!r}: give them different names")
    said = ", ".join(
        f"{file.split} ({table.num_rows:,} rows)" for file, table in zip(files, tables.values(), strict=True)
    )
    return tables_dataset("data frames", NAME, f"one data frame a split: {said}", files, config)


def _one_frame(name: str, table: pa.Table, config: Config) -> Dataset:
    texts = [tuple(map(cell_of, row.values())) for row in table.slice(0, 1000).to_pylist()]
    head = Head(name, "arrow", tuple(table.column_names), texts, table=table)
    column = find_split_column(head, config)
    if column is not None:
        counts = Counter((cell_of(value) or "").strip() for value in table.column(column).to_pylist())
        values, notes = read_split_values(counts, column, config)
        said = f"one data frame whose column {column!r} says the split: {say_values(values)}"
        files = [_file(None, name, table)]
        return tables_dataset(
            "data frame", NAME, said, files, config, split_column=column, split_values=values, notes=notes
        )
    if not config.within:
        raise LayoutError(
            "one data frame only, and no column of it says the split: give another (val=frame), split_column, or "
            "within=True"
        )
    split = split_of(name, config.splits) or ONLY
    return tables_dataset(
        "data frame", NAME, "one data frame as one split (within)", [_file(split, name, table)], config
    )


def _file(split: str | None, name: str, table: pa.Table) -> TableFile:
    return TableFile(name, split, "arrow", tuple(table.column_names), table=table)


def _arrow(name: str, frame: Any) -> pa.Table:  # noqa: ANN401 - whatever speaks Arrow
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns"):
        return _from_pandas(name, frame)
    if hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame)
    if isinstance(frame, Mapping):
        return pa.table({str(column): _array(list(values)) for column, values in frame.items()})
    raise InputError(f"{name}: {type(frame).__name__} is no data frame (pandas, PyArrow or Polars)")


def _from_pandas(name: str, frame: pd.DataFrame) -> pa.Table:
    columns = [str(column) for column in frame.columns]
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise InputError(f"{name}: two columns are called {twice!r}")
    return pa.table({column: _array(frame.iloc[:, at]) for at, column in enumerate(columns)})


def _array(values: Any) -> pa.Array:  # noqa: ANN401 - a pandas series, or a list
    """An Arrow array; values of several types become text, categories what they stand for."""
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        cells = [None if value is None or value != value else cell_of(value) for value in values]  # noqa: PLR0124 - NaN
        array = pa.array(cells, pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
