"""DuckDB databases: every table and view in one is a table. Opened read-only, without access to other files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.listing import display
from leakaudit.sources.readers.columnar import typed_head
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import Head, Reader

if TYPE_CHECKING:
    import duckdb

BATCH_ROWS = 1 << 14


def recognises(first: bytes, name: str) -> bool:
    """By the mark behind the checksum of the first block."""
    return first[8:12] == b"DUCK"


def tables(source: Source, config: Config) -> tuple[str, ...]:
    """Names of tables and views, in order; those of other schemas than ``main`` with the schema before the name.

    Raises
    ------
    InputError
        Damaged, of another version, or locked by a program that writes to it.
    """
    import duckdb

    try:
        with closing(_connect(source)) as database:
            found = database.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                "WHERE table_schema NOT IN ('information_schema', 'pg_catalog') ORDER BY ALL"
            ).fetchall()
    except duckdb.Error as error:
        raise _unreadable(source, error) from error
    return tuple(name if schema == "main" else f"{schema}.{name}" for schema, name in found)


def head(source: Source, config: Config) -> Head:
    """Columns and first rows of a table.

    Raises
    ------
    InputError
        It is not there, or cannot be read.
    """
    if source.table not in tables(source, config):
        raise InputError(f"{source.shown}: {display(source.file)} holds no table {source.table!r}")
    return typed_head(source, lambda: _batches(source))


def _connect(source: Source) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(
        source.local(),
        read_only=True,
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )


def _unreadable(source: Source, error: Exception) -> InputError:
    return InputError(f"{source.shown}: this DuckDB database cannot be read ({str(error).splitlines()[0]})")


def _batches(source: Source) -> Iterator[pa.RecordBatch]:
    import duckdb

    schema, dot, name = (source.table or "").rpartition(".")
    quoted = [f'"{part.replace(chr(34), chr(34) * 2)}"' for part in ((schema, name) if dot else ("main", name))]
    try:
        with closing(_connect(source)) as database:
            database.execute("SET enable_external_access = false")  # a view must not read other files
            database.execute("SET lock_configuration = true")
            reader = database.sql(f"SELECT * FROM {'.'.join(quoted)}").to_arrow_reader(BATCH_ROWS)  # noqa: S608 - quoted
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            yield from reader
    except duckdb.Error as error:
        raise _unreadable(source, error) from error
    except pa.ArrowException as error:
        raise _unreadable(source, error) from error


READER = Reader("DuckDB", ("duckdb", "ddb"), recognises, head, tables)
