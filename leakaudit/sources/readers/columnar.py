"""Parquet, Arrow files and streams (Feather), and ORC, read by pyarrow a batch at a time.

Parquet files stay where they are, unless cells hold objects or lists of texts: these become columns (`nested`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import HEAD_ROWS, Head, Reader, cell_of, cell_of_arrow
from leakaudit.sources.readers.nested import Shape, shape_of

_CONTINUED = b"\xff\xff\xff\xff"
_FEATHER_1 = b"FEA1"


# --- Parquet --------------------------------------------------------------------------------------------------


def parquet_head(source: Source, config: Config) -> Head:
    """Columns and first rows.

    Raises
    ------
    InputError
        Damaged, or without columns.
    """
    import pyarrow.parquet as pq

    try:
        with storage.open_file(source.file) as opened, pq.ParquetFile(opened) as file:
            schema = file.schema_arrow
            n_rows = file.metadata.num_rows
            # Cells of bytes are pictures: a thousand of them, written out, would take gigabytes and say nothing.
            plain = pa.schema([field for field in schema if not _holds_bytes(field.type)])
            first = next(file.iter_batches(batch_size=HEAD_ROWS, columns=plain.names), None)
            cells = first.to_pylist() if first is not None else []
            rows = [tuple(cell_of_arrow(row.get(name)) for name in schema.names) for row in cells]
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.shown}: a damaged parquet file") from error
    if not schema.names:
        raise InputError(f"{source.shown}: a parquet file without columns")
    if nested_shape(plain, first) is not None:
        first = next(_parquet_batches(source, PICTURES_AND_NESTED), None)
        shape = nested_shape(schema, first)
        if shape is not None and first is not None:
            return _flat_head(source, shape, first, lambda: _parquet_batches(source))
    return Head(source.path, "parquet", tuple(schema.names), rows, is_empty=n_rows == 0, file=source.file)


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


PICTURES_AND_NESTED = 64
"""First rows of a file that are read whole, pictures and all, where other cells are to be laid flat."""


def _parquet_batches(source: Source, rows: int = HEAD_ROWS) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    try:
        with storage.open_file(source.file) as opened, pq.ParquetFile(opened) as file:
            yield from file.iter_batches(batch_size=rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.shown}: a damaged parquet file") from error


# --- Arrow and Feather ----------------------------------------------------------------------------------------


def is_arrow(first: bytes, name: str) -> bool:
    """The file format has a mark of its own; a stream begins with the length of its schema."""
    return first.startswith((b"ARROW1", _FEATHER_1)) or (first.startswith(_CONTINUED) and len(first) > 8)


def arrow_head(source: Source, config: Config) -> Head:
    """Columns and first rows of a file or a stream; it is mapped into memory, not read whole.

    Raises
    ------
    InputError
        Damaged, or of the first version of Feather.
    """
    return typed_head(source, lambda: _arrow_batches(source))


def _arrow_batches(source: Source) -> Iterator[pa.RecordBatch]:
    try:
        with pa.memory_map(source.local(), "r") as mapped:
            mark = mapped.read(6)
            mapped.seek(0)
            if mark.startswith(_FEATHER_1):
                raise InputError(f"{source.shown}: the first version of Feather, which is not read: write it again")
            if mark != b"ARROW1":
                with pa.ipc.open_stream(mapped) as stream:
                    yield pa.RecordBatch.from_pylist([], schema=stream.schema)
                    yield from stream
                return
            with pa.ipc.open_file(mapped) as file:
                yield pa.RecordBatch.from_pylist([], schema=file.schema)
                for at in range(file.num_record_batches):
                    yield file.get_batch(at)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.shown}: a damaged Arrow file ({_first_line(error)})") from error


# --- ORC ------------------------------------------------------------------------------------------------------


def orc_head(source: Source, config: Config) -> Head:
    """Columns and first rows.

    Raises
    ------
    InputError
        Damaged.
    """
    return typed_head(source, lambda: _orc_batches(source))


def _orc_batches(source: Source) -> Iterator[pa.RecordBatch]:
    try:
        from pyarrow import orc

        file = orc.ORCFile(source.local())
        yield pa.RecordBatch.from_pylist([], schema=file.schema)
        for at in range(file.nstripes):
            yield file.read_stripe(at)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{source.shown}: a damaged ORC file ({_first_line(error)})") from error


# --- what they share ------------------------------------------------------------------------------------------


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def typed_head(source: Source, batches: Callable[[], Iterator[pa.RecordBatch]], why: str = "") -> Head:
    """The head of what gives Arrow batches; the first may be empty and must have the columns.

    Raises
    ------
    InputError
        No columns; whatever `batches` raises.
    """
    with closing(batches()) as found:
        first = next(found, None)
        while first is not None and not first.num_rows:
            more = next(found, None)
            if more is None:
                break
            first = more
    if first is None or not first.num_columns:
        raise InputError(f"{source.shown}: a table without columns")
    head = first.slice(0, HEAD_ROWS)
    shape = nested_shape(first.schema, head)
    if shape is not None:
        return _flat_head(source, shape, head, batches)
    rows = [tuple(map(cell_of_arrow, row)) for row in zip(*(c.to_pylist() for c in head.columns), strict=True)]
    return Head(
        source.path, "stream", tuple(first.schema.names), rows, why, is_empty=not first.num_rows, stream=batches
    )


@contextmanager
def closing(batches: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """An iterator that is left before its end closes its file at once."""
    try:
        yield batches
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def nested_shape(schema: pa.Schema, head: pa.RecordBatch | None) -> Shape | None:
    """How the cells of a file become columns; None where none has fields or texts inside of it."""
    nested = [field.name for field in schema if _has_texts(field.type)]
    if not nested or head is None or not head.num_rows or len(set(schema.names)) < len(schema.names):
        return None
    shape = shape_of(head.select(nested).to_pylist())
    if shape is None:
        return None
    columns: list[str] = []
    for name in schema.names:
        if name not in nested:
            columns.append(name)
        else:
            columns += [each for each in shape.columns if each == name or each.startswith(f"{name}.")]
    return Shape(tuple(dict.fromkeys(columns)), shape.whole)


def _has_texts(kind: pa.DataType) -> bool:
    """Whether cells are objects, or lists of objects or texts; the bytes of pictures are left as they are."""
    if _has_bytes(kind):
        return False
    if pa.types.is_struct(kind):
        return True
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = kind.value_type
        return pa.types.is_string(inner) or pa.types.is_large_string(inner) or _has_texts(inner)
    return False


def _has_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return any(_has_bytes(kind.field(at).type) for at in range(kind.num_fields))


def _flat_head(
    source: Source, shape: Shape, head: pa.RecordBatch, batches: Callable[[], Iterator[pa.RecordBatch]]
) -> Head:
    flat = _flat(head, shape)
    rows = [tuple(map(cell_of_arrow, row)) for row in zip(*(c.to_pylist() for c in flat.columns), strict=True)]
    return Head(
        source.path,
        "stream",
        shape.columns,
        rows,
        "objects and lists in cells as columns of their own",
        stream=lambda: (_flat(batch, shape) for batch in batches()),
    )


def _flat(batch: pa.RecordBatch, shape: Shape) -> pa.RecordBatch:
    """A batch whose nested cells are columns; plain columns keep their type."""
    plain = {name: batch.column(name) for name in batch.schema.names if not _has_texts(batch.schema.field(name).type)}
    nested = [name for name in batch.schema.names if name not in plain]
    inner = Shape(tuple(name for name in shape.columns if name not in plain), shape.whole)
    records = [inner.flat(record) for record in batch.select(nested).to_pylist()]
    arrays = [
        plain[name] if name in plain else pa.array([cell_of(record[name]) for record in records], pa.string())
        for name in shape.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=list(shape.columns))


PARQUET = Reader("Parquet", ("parquet", "pq"), lambda first, _: first.startswith(b"PAR1"), parquet_head)
ARROW = Reader("Arrow", ("feather", "arrow", "ipc", "arrows"), is_arrow, arrow_head)
ORC = Reader("ORC", ("orc",), lambda first, _: first.startswith(b"ORC"), orc_head)
