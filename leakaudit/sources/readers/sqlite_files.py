"""SQLite databases: every table and view in one is a table.

Opened read-only and immutable: no lock is taken, no journal is written, no trigger runs, no extension is loaded, and
an authorizer refuses everything but reading.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import md5
from pathlib import Path

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.listing import display
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import HEAD_ROWS, Head, Reader, unique_names

BATCH_ROWS = 1 << 14

_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)


def recognises(first: bytes, name: str) -> bool:
    """By the mark of the format."""
    return first.startswith(b"SQLite format 3\0")


def tables(source: Source, config: Config) -> tuple[str, ...]:
    """Names of tables and views, in order.

    Raises
    ------
    InputError
        Damaged, or another process is writing to it.
    """
    with closing(_connect(source)) as database:
        try:
            found = database.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' "
                "ORDER BY name"
            ).fetchall()
        except sqlite3.Error as error:
            raise InputError(f"{source.shown}: a damaged SQLite database ({error})") from error
    return tuple(str(name) for (name,) in found)


def head(source: Source, config: Config) -> Head:
    """Columns and first rows of a table.

    Raises
    ------
    InputError
        It is not there, or cannot be read.
    """
    if source.table not in tables(source, config):
        raise InputError(f"{source.shown}: {display(source.file)} holds no table {source.table!r}")
    first = list(itertools.islice(_rows(source), HEAD_ROWS + 1))
    columns = unique_names(first[0])
    rows = [tuple(row) for row in first[1:]]
    return Head(source.path, "stream", columns, rows, is_empty=not rows, stream=lambda: _batches(source, columns))


def _connect(source: Source) -> sqlite3.Connection:
    path = source.local()
    journal = f"{path}-wal"
    if os.path.exists(journal) and os.path.getsize(journal):
        raise InputError(
            f"{source.shown}: rows of it are still in its journal, {display(journal)}: close what writes to it first"
        )
    try:
        address = f"{Path(os.path.abspath(path)).as_uri()}?mode=ro&immutable=1"
        database = sqlite3.connect(address, uri=True, cached_statements=0)
    except sqlite3.Error as error:
        raise InputError(f"{source.shown}: cannot be opened ({error})") from error
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    database.set_authorizer(_only_reading)
    return database


def _only_reading(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    forbidden = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() == "load_extension"
    return sqlite3.SQLITE_OK if action in _ALLOWED and not forbidden else sqlite3.SQLITE_DENY


def _rows(source: Source) -> Iterator[list[str | None]]:
    """The names of the columns, then the rows as text."""
    with closing(_connect(source)) as database:
        quoted = '"' + (source.table or "").replace('"', '""') + '"'
        try:
            cursor = database.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - quoted as SQLite quotes names
            yield [each[0] for each in cursor.description]
            for row in cursor:
                yield [_cell(value) for value in row]
        except sqlite3.Error as error:
            raise InputError(f"{source.shown}: cannot be read to its end ({error})") from error


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"{len(value)} bytes, md5 {md5(value, usedforsecurity=False).hexdigest()}"
    return repr(value)


def _batches(source: Source, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    rows = itertools.islice(_rows(source), 1, None)
    schema = pa.schema([(name, pa.string()) for name in columns])
    yield text_batch([], schema)
    while batch := list(itertools.islice(rows, BATCH_ROWS)):
        yield text_batch(batch, schema)


def text_batch(rows: list[list[str | None]], schema: pa.Schema) -> pa.RecordBatch:
    """Rows of cells as a batch of text columns."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.RecordBatch.from_arrays([pa.array(list(column), pa.string()) for column in cells], schema=schema)


READER = Reader("SQLite", ("sqlite", "sqlite3", "db", "db3", "s3db"), recognises, head, tables)
