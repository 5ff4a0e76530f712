"""Cells of bytes in parquet and Arrow files (feather, ``datasets.save_to_disk``), a row group at a time.

Only the column that is asked for is read, in batches of some megabytes, so that a file larger than memory streams
through. Row groups of parquet and record batches of Arrow are the same thing here: a *group*.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_BYTES = 1 << 23
"""Bytes of cells that are read together (8 MiB), about: the mean over the group says how many rows that is."""

_BUFFER = 1 << 20
"""Bytes of a column that are read ahead: without a buffer the whole column of a group would be read at once."""

_PARQUET, _ARROW_FILE = b"PAR1", b"ARROW1\0\0"


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a file of columns says about itself, without its cells.

    Parameters
    ----------
    schema : pyarrow.Schema
    groups : tuple of int
        Rows of each group.
    """

    schema: pa.Schema
    groups: tuple[int, ...]


def is_columnar(path: str) -> bool:
    """Whether the first bytes are those of a parquet or an Arrow file (or stream)."""
    try:
        head = storage.first_bytes(os.fsencode(path), 8)
    except OSError:
        return False
    return head.startswith(_PARQUET) or head == _ARROW_FILE or head[:4] == b"\xff\xff\xff\xff"


def table_shape(path: str) -> TableShape:
    """Columns and groups of a file.

    Raises
    ------
    InputError
        It cannot be read, or is damaged.
    """
    import pyarrow as pa

    try:
        if _begins(path, _PARQUET):
            with _parquet(path) as file:
                metadata = file.metadata
                sizes = tuple(metadata.row_group(at).num_rows for at in range(metadata.num_row_groups))
                return TableShape(file.schema_arrow, sizes)
        with _arrow(path, ()) as (schema, batches):
            return TableShape(schema, tuple(batch.num_rows for batch in batches))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{display(path)}: {_reason(error)}") from error


def read_plain(path: str, columns: Sequence[str]) -> pa.Table:
    """Whole columns of a file, for those that are small: labels, names, numbers.

    Raises
    ------
    InputError
        As `table_shape`.
    """
    import pyarrow as pa

    try:
        if _begins(path, _PARQUET):
            with _parquet(path) as file:
                return file.read(columns=list(columns))
        with _arrow(path, columns) as (schema, batches):
            kept = pa.schema([schema.field(name) for name in columns])
            return pa.Table.from_batches([batch.select(list(columns)) for batch in batches], kept)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{display(path)}: {_reason(error)}") from error


def read_cells(path: str, column: str, group: int, rows: Sequence[int]) -> Iterator[memoryview | None]:
    """The bytes of some cells of one group, in ascending order of `rows`; None for an empty cell.

    Parameters
    ----------
    column : str
        Dotted where it is a field of a struct.
    rows : sequence of int
        Ascending, from 0 within the group.

    Raises
    ------
    OSError, pyarrow.ArrowException
        The file is gone or damaged.
    """
    if not rows:
        return
    at, start, asked = 0, 0, rows
    for cells in _batches(path, column, group):
        stop = start + len(cells)
        while at < len(asked) and asked[at] < stop:
            cell = cells[asked[at] - start].as_buffer()
            yield None if cell is None else memoryview(cell)
            at += 1
        if at == len(asked):
            return
        start = stop
    raise OSError(f"the file has fewer rows than when it was listed: {stop if rows else 0}")


def first_cells(path: str, column: str, n: int) -> list[bytes | None]:
    """The first cells of a column, at most `n`, of the first group.

    Raises
    ------
    OSError, pyarrow.ArrowException
    """
    found: list[bytes | None] = []
    for cells in _batches(path, column, 0, n):
        found += [None if (cell := each.as_buffer()) is None else bytes(cell) for each in cells[: n - len(found)]]
        if len(found) >= n:
            break
    return found


def _batches(path: str, column: str, group: int, most_rows: int | None = None) -> Iterator[pa.Array]:
    """The cells of a group in arrays of about `BATCH_BYTES`."""
    if _begins(path, _PARQUET):
        with _parquet(path) as file:
            n_rows = _rows_together(file.metadata.row_group(group), column)
            n_rows = n_rows if most_rows is None else min(n_rows, most_rows)
            with closing(file.iter_batches(n_rows, row_groups=[group], columns=[column], use_threads=False)) as read:
                for batch in read:
                    yield _bytes_of(batch, column)
    else:
        with _arrow(path, [column.partition(".")[0]]) as (_, batches):
            for number, batch in enumerate(batches):
                if number == group:
                    yield _bytes_of(batch, column)
                    return


def _rows_together(group: pq.RowGroupMetaData, column: str) -> int:
    """Rows whose cells have about `BATCH_BYTES`."""
    for at in range(group.num_columns):
        each = group.column(at)
        if each.path_in_schema == column:
            mean = each.total_uncompressed_size / max(group.num_rows, 1)
            return max(1, min(int(BATCH_BYTES / max(mean, 1.0)), 4096))
    return 64


def _bytes_of(batch: pa.RecordBatch, column: str) -> pa.Array:
    """The column as an array of bytes: an empty struct is an empty cell."""
    import pyarrow.compute as pc

    name, _, field = column.partition(".")
    if name not in batch.schema.names:  # a column whose own name has a dot
        return batch.column(column)
    cells = batch.column(name)
    return pc.struct_field(cells, field) if field else cells


def _begins(path: str, magic: bytes) -> bool:
    return storage.first_bytes(os.fsencode(path), len(magic)) == magic


@contextmanager
def _parquet(path: str) -> Iterator[pq.ParquetFile]:
    """A parquet file, whose footer is parsed once for each version of it."""
    import pyarrow.parquet as pq

    status = storage.stat(path)
    metadata = _footer(path, status.st_size, status.st_mtime_ns)
    with (
        _source(path) as source,
        pq.ParquetFile(source, metadata=metadata, buffer_size=_BUFFER, pre_buffer=False) as file,
    ):
        yield file


def _source(path: str) -> Any:  # noqa: ANN401 - pyarrow has no types
    """A file to read from: one of Arrow's own needs a page less of memory than one of Python's."""
    import pyarrow as pa

    return storage.open_file(path) if storage.is_remote(path) else pa.OSFile(os.fsencode(path))


@lru_cache(maxsize=64)
def _footer(path: str, _size: int, _mtime_ns: int) -> pq.FileMetaData:
    import pyarrow.parquet as pq

    with storage.open_file(path) as source:
        return pq.read_metadata(source)


@contextmanager
def _arrow(path: str, columns: Sequence[str]) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Schema and record batches of an Arrow file or stream: of the batches, only these columns (none: the first)."""
    import pyarrow as pa

    mapped = pa.PythonFile(storage.open_file(path), mode="r") if storage.is_remote(path) else None
    with mapped or pa.memory_map(os.fsencode(path)) as source:
        is_file = _begins(path, _ARROW_FILE)
        opened = pa.ipc.open_file if is_file else pa.ipc.open_stream
        with opened(source) as reader:
            schema = reader.schema
        source.seek(0)
        wanted = [schema.get_field_index(name) for name in columns] or _cheapest(schema)
        options = pa.ipc.IpcReadOptions(included_fields=wanted, use_threads=False)
        with cast("AbstractContextManager[Any]", opened(source, options=options)) as reader:
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches)) if is_file else iter(reader)
            yield schema, batches


def _cheapest(schema: pa.Schema) -> list[int]:
    """A column that is read fast, where only the number of rows is asked for."""
    import pyarrow as pa

    for at, field in enumerate(schema):
        if pa.types.is_primitive(field.type):
            return [at]
    return [0] if len(schema) else []


def _reason(error: Exception) -> str:
    return (
        why(error)
        if isinstance(error, OSError) and error.errno
        else "damaged: it is no parquet or Arrow file to its end"
    )
