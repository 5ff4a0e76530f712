"""What an engine reads of a file: the file itself, or a copy in a format that engines know.

A file that this process reads (`Head.stream`) is copied once to Parquet, a batch at a time, so that memory stays
bounded whatever the format; JSON lines whose cells become columns are copied to JSON lines, line by line, so that a
broken line is still counted with its number.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.model import TableFile
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.readers.files import open_bytes
from leakaudit.sources.readers.heads import Head, cell_of
from leakaudit.sources.readers.nested import Shape
from leakaudit.sources.readers.numbers import decimal_marks
from leakaudit.sources.readers.stream import batches_of
from leakaudit.sources.storage.copies import LocalCopy, new_copy

ENGINE_ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16",
    "latin-1": "latin-1",
}
"""Codec names that an engine reads, and what it calls them; files in others are read here."""

COPIED_GROUP_ROWS = 1 << 16
"""Rows of one row group of a copy, at most."""


def table_file(request: Request, head: Head, split: str | None) -> TableFile:
    """How an engine must read a file whose columns are settled.

    Raises
    ------
    InputError
        It cannot be copied to this machine, or not be read to its end.
    """
    uri = request.uri(head.path)
    if head.table is not None:
        table = head.table.rename_columns(list(head.columns))
        return TableFile(uri, split, "arrow", head.columns, table=table)
    if head.stream is not None:
        return TableFile(uri, split, "parquet", head.columns, path=_parquet_copy(head))
    if head.nested is not None:
        return TableFile(uri, split, "jsonl", head.columns, path=_flat_copy(head, head.nested))
    try:
        path = storage.local_copy(head.opened)
    except OSError as error:
        raise InputError(f"{display(head.path)}: {why(error)}") from error
    if head.dialect is None:
        assert head.format != "stream"
        return TableFile(uri, split, head.format, head.columns, path=path, compression=head.compression)
    return TableFile(
        uri,
        split,
        "csv",
        head.columns,
        path=path,
        delimiter=head.dialect.delimiter,
        quote=head.dialect.quote,
        header=head.header,
        encoding=ENGINE_ENCODINGS.get(head.encoding, head.encoding),
        skip_rows=head.dialect.skip_rows,
        compression=head.compression,
        decimal_marks=decimal_marks(head.columns, head.rows, head.dialect.delimiter),
    )


def _parquet_copy(head: Head) -> LocalCopy:
    import pyarrow.parquet as pq

    writer = None
    try:
        copy = new_copy("table.parquet")
        try:
            for batch in batches_of(head):
                if writer is None:
                    # A dictionary of numbers that are all different costs more than it saves.
                    texts = [each.name for each in batch.schema if pa.types.is_string(each.type)]
                    writer = pq.ParquetWriter(
                        copy, batch.schema, compression="lz4", use_dictionary=texts, write_statistics=False
                    )
                writer.write_batch(batch, row_group_size=COPIED_GROUP_ROWS)
        finally:
            if writer is not None:
                writer.close()
    except OSError as error:
        raise InputError(f"{display(head.path)}: no temporary copy of it can be written: {why(error)}") from error
    except pa.ArrowException as error:
        raise InputError(f"{display(head.path)}: cannot be read to its end ({str(error).splitlines()[0]})") from error
    return copy


def _flat_copy(head: Head, shape: Shape) -> LocalCopy:
    try:
        copy = new_copy("table.jsonl")
        with open_bytes(head.opened, head.compression) as source, open(copy, "wb") as target:
            target.writelines(_flat_line(line, shape) for line in source)
    except (OSError, EOFError, zlib.error) as error:
        reason = why(error) if isinstance(error, OSError) else "damaged"
        raise InputError(f"{display(head.path)}: cannot be copied to its end: {reason}") from error
    return copy


def _flat_line(line: bytes, shape: Shape) -> bytes:
    """A line with its cells as columns; one that is no JSON object stays as it is, for the engine to count."""
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict):
        return line
    flat = {name: cell_of(value) for name, value in shape.flat(record).items()}
    return json.dumps(flat, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
