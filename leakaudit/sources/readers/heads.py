"""Files of rows: what format they are in, which columns they have, and how an engine must read them.

Only the head of a file is read (`HEAD_BYTES` after decompression); a JSON array alone is loaded whole.
`table_rows` reads on.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Literal, cast

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.model import TableFile
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.parts import COMPRESSED
from leakaudit.sources.readers.csv_dialect import NO_DELIMITER, Dialect, header_evidence, sniff_dialect, sniff_encoding

if TYPE_CHECKING:
    pass

HEAD_BYTES = 1 << 20
MOST_HEAD_BYTES = 1 << 24
"""A head without two complete rows is read again four times as long, up to this."""

TABLE_SUFFIXES = ("csv", "tsv", "tab", "psv", "jsonl", "ndjson", "json", "parquet", "pq")
TEXT_SUFFIXES = ("txt", "text", "data", "dat")
ENGINE_ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16",
    "latin-1": "latin-1",
}
"""Codec names that an engine reads, and what it calls them; files in others are read here."""

Compression = Literal["none", "gzip", "zstd"]
_DELIMITER_OF = {"tsv": "\t", "tab": "\t", "psv": "|"}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer: run git lfs pull"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook: save it as csv or parquet"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as csv or parquet"),
    (b"BZh", "compressed with bzip2, which is not read: unpack it, or use gzip or zstd"),
    (b"\xfd7zXZ", "compressed with xz, which is not read: unpack it, or use gzip or zstd"),
    (b"%PDF", "a PDF"),
    (b"\x89HDF", "an HDF5 file, which is not read: save it as csv or parquet"),
    (b"\x93NUMPY", "a NumPy file, which is not read: save it as csv or parquet"),
    (b"SQLite format 3", "an SQLite database, which is not read: save its table as csv or parquet"),
    (b"ARROW1", "an Arrow file, which is not read: save it as parquet"),
    (b"\x80\x02", "a pickle, which is never loaded: save it as csv or parquet"),
    (b"\x80\x03", "a pickle, which is never loaded: save it as csv or parquet"),
    (b"\x80\x04", "a pickle, which is never loaded: save it as csv or parquet"),
    (b"\x80\x05", "a pickle, which is never loaded: save it as csv or parquet"),
)


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What the head of a file of rows tells.

    Parameters
    ----------
    path : str
    format : {"csv", "jsonl", "parquet", "arrow"}
    columns : tuple of str
        For csv: named by position until `settle` has decided on the header.
    rows : sequence of tuple of str or None
        Cells of the first rows; for csv before `settle`: with the header, where there is one.
    why : str
        What was guessed about the format, in words; may be empty.
    is_empty : bool
        No row at all.
    header : bool
    encoding : str
        Python codec name.
    compression : {"none", "gzip", "zstd"}
    dialect : Dialect or None
        For csv.
    lone_returns : bool
        Lines end in a carriage return alone.
    table : pyarrow.Table or None
        All rows, for ``arrow``.
    """

    path: str
    format: Literal["csv", "jsonl", "parquet", "arrow"]
    columns: tuple[str, ...]
    rows: Sequence[tuple[str | None, ...]]
    why: str = ""
    is_empty: bool = False
    header: bool = True
    encoding: str = "utf-8"
    compression: Compression = "none"
    dialect: Dialect | None = None
    lone_returns: bool = False
    table: pa.Table | None = None

    def column(self, name: str) -> list[str | None]:
        """Cells of a column in the head; rows of another width are left out."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows if len(row) == len(self.columns)]


# --- what kind of file ----------------------------------------------------------------------------------------


def suffix_of(name: str) -> str:
    """Extension in lower case, without dot and compression.

    >>> suffix_of("Train.CSV.gz"), suffix_of("LICENSE")
    ('csv', '')
    """
    lower = name.lower()
    for ending in COMPRESSED:
        lower = lower.removesuffix(ending)
    _, dot, suffix = lower.rpartition(".")
    return suffix if dot else ""


def is_table_name(name: str) -> bool:
    """Whether the extension is one of a table."""
    return suffix_of(name) in TABLE_SUFFIXES


def is_text_name(name: str) -> bool:
    """Whether the extension is one of a table, or of plain text that may be one."""
    return suffix_of(name) in (*TABLE_SUFFIXES, *TEXT_SUFFIXES)


def head_of(request: Request, path: str) -> Head:
    """`read_head`, once for all layouts that look at a file."""
    found = request.heads.get(path)
    if not isinstance(found, Head):
        found = request.heads[path] = read_head(path, request.config)
    return found


def read_head(path: str, config: Config) -> Head:
    """Recognise the format of a file of rows from its first bytes.

    Raises
    ------
    InputError
        It cannot be read, is empty or binary, or is of a format that is not read.
    """
    try:
        with storage.open_file(path) as source:
            magic = source.read(64)
    except OSError as error:
        raise InputError(f"{display(path)}: {why(error)}") from error
    if not magic:
        raise InputError(f"{display(path)}: an empty file")
    for prefix, is_what in _MAGIC:
        if magic.startswith(prefix):
            raise InputError(f"{display(path)}: {is_what}")
    if magic.startswith(b"PAR1"):
        return _parquet_head(path)
    compression: Compression = (
        "gzip" if magic[:2] == b"\x1f\x8b" else "zstd" if magic[:4] == b"\x28\xb5\x2f\xfd" else "none"
    )
    wanted = HEAD_BYTES
    data, complete = read_bytes(path, compression, wanted)
    while not complete and b"\n" not in data and wanted < MOST_HEAD_BYTES:
        wanted *= 4
        data, complete = read_bytes(path, compression, wanted)
    if not data.strip():
        raise InputError(f"{display(path)}: an empty file")
    try:
        encoding, said = sniff_encoding(data, config.encoding)
        text = _decode(data, encoding)
    except LookupError as error:
        raise ConfigError(f"--encoding: there is no encoding {config.encoding!r}") from error
    except UnicodeDecodeError as error:
        told = "as told" if config.encoding else "as it seemed"
        raise InputError(f"{display(path)}: not in {error.encoding} {told}; say --encoding") from error
    except ValueError as error:
        raise InputError(f"{display(path)}: {error}") from error
    if not text.strip() or "\0" in text:
        raise InputError(f"{display(path)}: {'binary, not text: it holds NUL' if chr(0) in text else 'an empty file'}")
    said = f"encoding {encoding} {said}" if said and config.encoding is None and encoding != "utf-8-sig" else ""
    suffix = suffix_of(path)
    start = text.lstrip()[:1]
    if suffix in ("jsonl", "ndjson", "json") or (start == "{" and suffix not in ("csv", "tsv", *TEXT_SUFFIXES)):
        return _json_head(path, text, complete=complete, encoding=encoding, compression=compression)
    return _csv_head(
        path, text, complete=complete, encoding=encoding, compression=compression, config=config, said=said
    )


def read_bytes(path: str, compression: Compression, most: int | None = None) -> tuple[bytes, bool]:
    """Decompressed bytes of a file, at most `most`, and whether that is all of it.

    Raises
    ------
    InputError
        It cannot be read, or is not compressed as it says.
    """
    try:
        with open_bytes(path, compression) as file:
            data = file.read() if most is None else file.read(most)
            return data, most is None or len(data) < most or not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        reason = why(error) if isinstance(error, OSError) else str(error).lower()
        raise InputError(f"{display(path)}: {'damaged ' + compression if compression != 'none' else reason}") from error


def open_bytes(path: str, compression: Compression) -> IO[bytes]:
    """Open a file for reading, decompressed."""
    if compression == "gzip":
        return cast("IO[bytes]", gzip.open(storage.open_file(path) if storage.is_remote(path) else path, "rb"))
    if compression == "zstd":
        return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(storage.open_file(path), mode="r"), "zstd"))
    return storage.open_file(path)


def _decode(data: bytes, encoding: str) -> str:
    """Decode a head that may end inside a character."""
    import codecs

    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except LookupError:
        text = data.decode(encoding)
    return text.removeprefix("\ufeff")


# --- csv ------------------------------------------------------------------------------------------------------


def _csv_head(
    path: str, text: str, *, complete: bool, encoding: str, compression: Compression, config: Config, said: str
) -> Head:
    suffix = suffix_of(path)
    wanted = HEAD_BYTES
    while True:
        dialect = sniff_dialect(
            text, complete=complete, delimiter=config.delimiter, prefer=_DELIMITER_OF.get(suffix, ",")
        )
        if complete or len(dialect.rows) > 1 or wanted >= MOST_HEAD_BYTES:
            break
        wanted *= 4
        data, complete = read_bytes(path, compression, wanted)
        text = _decode(data, encoding)
    if not dialect.rows:
        if complete:
            raise InputError(f"{display(path)}: no row in it")
        raise InputError(f"{display(path)}: its first row is longer than {MOST_HEAD_BYTES >> 20} MiB")
    is_prose = suffix in TEXT_SUFFIXES and dialect.delimiter == NO_DELIMITER
    if is_prose:
        dialect = replace(dialect, quote="", rows=[(line,) for line in text.splitlines()[:1000]], why="one text a line")
    width = max(map(len, dialect.rows[:1]), default=1)
    names = ("text",) if is_prose else tuple(f"column_{i + 1}" for i in range(width))
    return Head(
        path,
        "csv",
        names,
        cast("list[tuple[str | None, ...]]", dialect.rows),
        why=", ".join(filter(None, (dialect.why, said))),
        header=not is_prose,
        encoding=encoding,
        compression=compression,
        dialect=dialect,
        lone_returns="\n" not in text and "\r" in text,
    )


def settle(heads: Sequence[Head], config: Config) -> tuple[list[Head], list[str]]:
    """Decide for csv files that belong together whether they have a header line, and name their columns.

    Files that begin with the same line have a header, unless a cell of it is a number. A file without one beside a file
    with one takes its names, by position, if it has as many columns.

    Returns
    -------
    heads : list of Head
        With `columns` named and `rows` without the header.
    notes : list of str
        What was guessed, one phrase each.

    Raises
    ------
    LayoutError
        Some have a header and some have none, and their widths differ.
    """
    csv = [head for head in heads if head.dialect is not None and head.columns != ("text",)]
    if not csv:
        return list(heads), []
    if config.header is not None:
        has = {id(head): config.header for head in csv}
        said = [f"header line: {'yes' if config.header else 'no'}, as told"]
    else:
        firsts = [tuple(cell.strip() for cell in _first(head)) for head in csv]
        has = {}
        for head, first in zip(csv, firsts, strict=True):
            same = sum(set(first) == set(other) for other in firsts) > 1
            rows = cast("Sequence[Sequence[str]]", head.rows)
            has[id(head)] = header_evidence(rows) + (3.0 if same and not any(map(_is_number, first)) else 0.0) > 0
        for head, first in zip(csv, firsts, strict=True):
            has[id(head)] |= any(has[id(other)] and first == cells for other, cells in zip(csv, firsts, strict=True))
        said = _say_headers(csv, has)
    named = [_named(head, has[id(head)]) if id(head) in has else head for head in heads]
    model = next((after for before, after in zip(heads, named, strict=True) if has.get(id(before))), None)
    if model is None or config.header is not None:
        return named, said
    for at, head in enumerate(heads):
        if not has.get(id(head), True):
            if len(head.columns) != len(model.columns):
                raise LayoutError(
                    f"{display(head.path)} seems to have no header line and {len(head.columns)} columns, "
                    f"{display(model.path)} has one and {len(model.columns)}: say --header or --no-header"
                )
            named[at] = replace(named[at], columns=model.columns)
    return named, said


def _say_headers(csv: Sequence[Head], has: dict[int, bool]) -> list[str]:
    if all(has.values()):
        return ["the first line names the columns"]
    if not any(has.values()):
        return ["no header line (the first row is like the others), columns named column_1 …"]
    without = ", ".join(display(os.path.basename(head.path)) for head in csv if not has[id(head)])
    return [f"no header line in {without}, which took the names of the other file by position"]


def _first(head: Head) -> tuple[str, ...]:
    return cast("tuple[str, ...]", head.rows[0])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _named(head: Head, has_header: bool) -> Head:
    if not has_header:
        return replace(head, header=False, is_empty=not head.rows)
    columns = unique_names(_first(head))
    return replace(head, header=True, columns=columns, rows=head.rows[1:], is_empty=len(head.rows) < 2)


def unique_names(cells: Sequence[str | None]) -> tuple[str, ...]:
    """Column names from a header: stripped, empty ones by position, repeated ones numbered.

    >>> unique_names(["a", " ", "a"])
    ('a', 'column_2', 'a_2')
    """
    names: list[str] = []
    for at, cell in enumerate(cells):
        name = (cell or "").strip() or f"column_{at + 1}"
        number, unique = 1, name
        while unique in names:
            number += 1
            unique = f"{name}_{number}"
        names.append(unique)
    return tuple(names)


# --- json and parquet -----------------------------------------------------------------------------------------


def _json_head(path: str, text: str, *, complete: bool, encoding: str, compression: Compression) -> Head:
    lines = [line for line in text.split("\n") if line.strip()]
    if not complete and len(lines) > 1:
        lines.pop()
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        first = None
    if isinstance(first, dict) and (len(lines) > 1 or suffix_of(path) != "json"):
        return _jsonl_head(path, lines, encoding, compression)
    if suffix_of(path) != "json":
        raise InputError(f"{display(path)}: its first line is no JSON object")
    value = read_json(path, compression, encoding)
    if not isinstance(value, list):
        raise InputError(f"{display(path)}: JSON, but neither an array of records nor one object a line")
    table = table_of_records(path, value)
    rows = [tuple(row.values()) for row in table.slice(0, 1000).to_pylist()]
    return Head(path, "arrow", tuple(table.column_names), rows, "an array of records", not len(table), table=table)


def _jsonl_head(path: str, lines: Sequence[str], encoding: str, compression: Compression) -> Head:
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    columns = _field_names(path, records)
    rows = [tuple(cell_of(record.get(column)) for column in columns) for record in records]
    if not encoding.startswith("utf-16"):  # JSON is UTF-8; a line that is not is counted by the engine that reads it
        said = f"one JSON object a line, fields as in the first {len(lines):,} lines"
        return Head(path, "jsonl", columns, rows, said, compression=compression)
    data, _ = read_bytes(path, compression)
    everything = []
    for number, line in enumerate(_decode(data, encoding).split("\n"), 1):
        if line.strip():
            try:
                everything.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{display(path)}: line {number} is not JSON") from error
    table = table_of_records(path, everything)
    columns = tuple(table.column_names)
    return Head(path, "arrow", columns, rows, f"one JSON object a line, encoding {encoding}", table=table)


def read_json(path: str, compression: Compression = "none", encoding: str = "utf-8") -> Any:  # noqa: ANN401
    """The whole of a JSON file.

    Raises
    ------
    InputError
        It is not JSON.
    """
    data, _ = read_bytes(path, compression)
    try:
        return json.loads(_decode(data, encoding))
    except RecursionError as error:
        raise InputError(f"{display(path)}: JSON nested too deeply") from error
    except ValueError as error:
        reason = f"{error.msg}, line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InputError(f"{display(path)}: not JSON ({reason})") from error


def table_of_records(path: str, records: Sequence[Any]) -> pa.Table:
    """An Arrow table of strings from JSON records: objects by key, arrays by position, or plain values as one column.

    Raises
    ------
    InputError
        Records of several kinds, or without fields.
    """
    if all(isinstance(record, dict) for record in records):
        columns = _field_names(path, records) if records else ()
        cells = {column: [cell_of(record.get(column)) for record in records] for column in columns}
    elif all(isinstance(record, list) for record in records):
        width = max(map(len, records), default=0)
        cells = {
            f"column_{at + 1}": [cell_of(record[at]) if at < len(record) else None for record in records]
            for at in range(width)
        }
    elif not any(isinstance(record, (dict, list)) for record in records):
        cells = {"text": [cell_of(record) for record in records]}
    else:
        raise InputError(f"{display(path)}: records of different kinds in one array")
    return pa.table({name: pa.array(values, pa.string()) for name, values in cells.items()})


def _field_names(path: str, records: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(key for record in records for key in record))
    if not names:
        raise InputError(f"{display(path)}: its records have no fields")
    broken = [name for name in names if any("\ud800" <= character <= "\udfff" for character in name)]
    if broken:
        raise InputError(f"{display(path)}: a field name is no Unicode text: {broken[0]!a}")
    return names


def cell_of(value: object) -> str | None:
    """A JSON or Arrow value as a cell: text as it is, None as None, everything else as JSON writes it."""
    if value is None or isinstance(value, str):
        return value if value is None else value.encode("utf-8", "replace").decode()
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return repr(type(value))


def _parquet_head(path: str) -> Head:
    import pyarrow.parquet as pq

    try:
        with storage.open_file(path) as source, pq.ParquetFile(source) as file:
            columns = tuple(file.schema_arrow.names)
            n_rows = file.metadata.num_rows
            # Cells of bytes are pictures: a thousand of them, written out, would take gigabytes and say nothing.
            plain = [field.name for field in file.schema_arrow if not _holds_bytes(field.type)]
            first = next(file.iter_batches(batch_size=1000, columns=plain), None)
            cells = first.to_pylist() if first is not None else []
            rows = [tuple(cell_of_arrow(row.get(name)) for name in columns) for row in cells]
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{display(path)}: a damaged parquet file") from error
    if not columns:
        raise InputError(f"{display(path)}: a parquet file without columns")
    return Head(path, "parquet", columns, rows, is_empty=n_rows == 0)


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_nested(kind):
        return any(_holds_bytes(kind.field(at).type) for at in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def cell_of_arrow(value: object) -> str | None:
    """A value of a parquet column as the text that an engine makes of it."""
    return None if value is None else value if isinstance(value, str) else str(value)


# --- for the engines ------------------------------------------------------------------------------------------


def table_file(request: Request, head: Head, split: str | None) -> TableFile:
    """How an engine must read a file whose columns are settled."""
    uri = request.uri(head.path)
    if head.table is not None:
        table = head.table.rename_columns(list(head.columns))
        return TableFile(uri, split, "arrow", head.columns, table=table)
    try:
        path = storage.local_copy(head.path)
    except OSError as error:
        raise InputError(f"{display(head.path)}: {why(error)}") from error
    if head.dialect is None:
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
    )
