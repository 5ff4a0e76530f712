"""Canonical values of single columns, read on demand: all rows, or the rows asked for."""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.fingerprints.rows.cells import Column, blocks, canonical_text, pool_columns
from leakaudit.fingerprints.rows.table_column import TableColumn
from leakaudit.sources.readers.duck_tables import narrowed

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

HELD_VALUES = 4_000_000
"""Cells of a table up to which every column that is read is kept: at most 64 MB of numbers."""


def available(rows: RowFingerprints) -> tuple[str, ...]:
    """Columns that every file has, in the order of the first file; those that say the split may be among them."""
    files = [table.file for table in rows.pool.tables]
    return tuple(name for name in files[0].columns if all(name in file.columns for file in files))


def split_codes(rows: RowFingerprints) -> IntArray:
    """Split of every row as an index into ``rows.splits``, shape (n,); -1 for rows that belong to none."""
    parts = []
    for file, table in enumerate(rows.pool.tables):
        with narrowed(rows.duck, table, rows.pool.split_cells[file]) as source:
            sql = f"SELECT coalesce({rows.pool.split[file]}, -1) AS split FROM {source} ORDER BY rowid"
            parts.append(np.asarray(rows.duck.arrays(sql)[0], dtype=np.int64))
    return np.concatenate(parts)


def read_columns(rows: RowFingerprints, names: Sequence[str], indices: IntArray | None = None) -> list[TableColumn]:
    """Read columns as they are compared: canonical values over all files together.

    Parameters
    ----------
    rows : RowFingerprints
    names : sequence of str
        Among `available`.
    indices : ndarray of int64, shape (m,), optional
        Sample indices, ascending and distinct; None: all n rows, those that belong to no split as well.

    Returns
    -------
    list of TableColumn
        In the order of `names`, each of m (or n) values in the order of the indices.

    Notes
    -----
    A column of all rows takes 8 bytes a value, and its distinct texts: with many rows, ask for one at a time.
    """
    if not _is_small(rows):
        return _canonical(rows, names, indices)
    held = rows.canonical_columns
    fresh = [name for name in dict.fromkeys(names) if name not in held]
    held.update(zip(fresh, _canonical(rows, fresh, None), strict=True))
    return [held[name] if indices is None else _at(held[name], indices) for name in names]


def raw_numbers(rows: RowFingerprints, names: Sequence[str], indices: IntArray | None = None) -> list[Float64]:
    """Read columns of numbers or booleans as the file has them, to the last bit; NaN where missing.

    Parameters
    ----------
    rows, names, indices
        As for `read_columns`, which rounds to `leakaudit.fingerprints.rows.cells.SIGNIFICANT_DIGITS`. A float32 is read
        as its shortest decimal spelling.

    Raises
    ------
    ValueError
        A column does not hold numbers.
    """
    if not _is_small(rows):
        return _raw(rows, names, indices)
    held = rows.raw_columns
    fresh = [name for name in dict.fromkeys(names) if name not in held]
    held.update(zip(fresh, _raw(rows, fresh, None), strict=True))
    return [held[name] if indices is None else held[name][indices] for name in names]


def read_labels(rows: RowFingerprints, indices: IntArray | None = None) -> TableColumn | None:
    """Canonical labels as texts, spelt alike in all splits (UCI Adult's ``>50K.`` is ``>50K``); None without a label.

    Parameters
    ----------
    rows, indices
        As for `read_columns`, which gives a numeric label as numbers. Missing in files that have no such column.
    """
    if rows.label is None:
        return None
    parts = []
    for file in range(len(rows.pool.tables)):
        with rows.pool.label_cells(rows.duck, file) as relation:
            sql = f"SELECT ({rows.pool.label[file]})::VARCHAR AS x0 FROM {relation}"
            parts.append(_some(rows, file, sql, indices)["x0"])
    return _texts(rows.label, pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string()))


def _is_small(rows: RowFingerprints) -> bool:
    """Whether all cells fit into memory, so that no column is read twice."""
    return len(rows) * len(rows.pool.columns) <= HELD_VALUES


def _canonical(rows: RowFingerprints, names: Sequence[str], indices: IntArray | None) -> list[TableColumn]:
    columns = _known(rows, names)
    cells = _read(rows, columns, lambda column, file, i: _value(column, file, f"n{i}"), indices)
    return [_column(column, each) for column, each in zip(columns, cells, strict=True)]


def _raw(rows: RowFingerprints, names: Sequence[str], indices: IntArray | None) -> list[Float64]:
    columns = _known(rows, names)
    if bad := [column.name for column in columns if column.kind not in ("number", "boolean")]:
        raise ValueError(f"not a column of numbers: {bad[0]!r}")
    cells = _read(rows, columns, lambda _column, _file, i: f"v{i}::DOUBLE", indices)
    return [_numbers(each) for each in cells]


def _known(rows: RowFingerprints, names: Sequence[str]) -> list[Column]:
    place = rows.pool.place
    unknown = [name for name in names if name not in place]
    others = {c.name: c for c in pool_columns(rows.duck, rows.pool.tables, unknown)} if unknown else {}
    return [others[name] if name in others else rows.pool.columns[place[name]] for name in names]


def _read(
    rows: RowFingerprints, columns: Sequence[Column], cell: Callable[[Column, int, int], str], indices: IntArray | None
) -> list[pa.ChunkedArray]:
    """Cells of columns over all files; `cell` is the SQL of one, from column, file, and number among ``n0``, …"""
    read = []
    for block in blocks(len(columns)):
        some = columns[block]
        parts = []
        for file in range(len(rows.pool.tables)):
            cells = ", ".join(f"{cell(column, file, i)} AS x{i}" for i, column in enumerate(some))
            with rows.pool.cells(rows.duck, file, some) as relation:
                parts.append(_some(rows, file, f"SELECT {cells} FROM {relation}", indices))
        for i in range(len(some)):
            chunks = [chunk for part in parts for chunk in part.column(i).chunks]
            read.append(pa.chunked_array(chunks, parts[0].column(i).type))
    return read


def _some(rows: RowFingerprints, file: int, sql: str, indices: IntArray | None) -> pa.Table:
    """The rows of a query over one file that are asked for, in order."""
    if indices is None:  # in the order of the file: DuckDB keeps it where nothing asks for another one
        return rows.duck.connection.sql(sql).to_arrow_table()
    start, stop = rows.pool.starts[file], rows.pool.starts[file + 1]
    wanted = indices[(indices >= start) & (indices < stop)] - start
    rows.duck.connection.register("wanted", pa.table({"row": wanted}))
    try:
        return rows.duck.connection.sql(f"{sql} WHERE row IN (SELECT row FROM wanted) ORDER BY row").to_arrow_table()
    finally:
        rows.duck.connection.unregister("wanted")


def _value(column: Column, file: int, value: str) -> str:
    if column.kind == "text":
        return canonical_text(column, file, value)
    if column.kind == "time":
        return f"epoch_us(TRY_CAST({value} AS TIMESTAMP)) / 1e6"
    return f"{value}::DOUBLE"


def _column(column: Column, cells: pa.ChunkedArray) -> TableColumn:
    if column.kind != "text":
        return TableColumn(column.name, column.kind, numbers=_numbers(cells))
    return _texts(column.name, cells)


def _numbers(cells: pa.ChunkedArray) -> Float64:
    numbers = np.array(cells.cast(pa.float64()).to_numpy(), dtype=np.float64)
    numbers.flags.writeable = False  # they may be given again
    return numbers


def _at(column: TableColumn, indices: IntArray) -> TableColumn:
    """Some rows of a column, and the levels that occur in these."""
    if column.numbers is not None:
        return replace(column, numbers=column.numbers[indices])
    assert column.codes is not None
    assert column.levels is not None
    codes = column.codes[indices]
    here = np.unique(codes[codes >= 0])
    rank = np.append(np.full(len(column.levels), -1, dtype=np.int64), -1)
    rank[here] = np.arange(len(here))
    return replace(column, codes=rank[codes], levels=column.levels.take(pa.array(here)))


def _texts(name: str, cells: pa.ChunkedArray) -> TableColumn:
    encoded = cells.cast(pa.string()).combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    levels = encoded.dictionary
    order = pc.array_sort_indices(levels).to_numpy().astype(np.int64)
    rank = np.empty(len(levels) + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(len(levels)), -1
    codes = encoded.indices.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    return TableColumn(name, "text", codes=rank[codes], levels=levels.take(pa.array(order)))
