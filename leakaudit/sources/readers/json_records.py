"""JSON: one object a line, or one array of records. Objects and lists in cells become columns (`nested`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.listing import display
from leakaudit.sources.readers.files import TEXT_SUFFIXES, Compression, Source, decode, read_bytes, suffix_of
from leakaudit.sources.readers.heads import Head, Reader, cell_of
from leakaudit.sources.readers.nested import shape_of
from leakaudit.sources.readers.texts import TextHead, read_text_head

SUFFIXES = ("jsonl", "ndjson", "json")


def recognises(first: bytes, name: str) -> bool:
    """By its extension, or by a brace at the beginning of a file that is not called csv or text."""
    suffix = suffix_of(name)
    start = first.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\v\f")[:1]
    return suffix in SUFFIXES or (start == b"{" and suffix not in ("csv", "tsv", *TEXT_SUFFIXES))


def head(source: Source, config: Config) -> Head:
    """Fields of the first records; an array is read whole.

    Raises
    ------
    InputError
        No text, no JSON, or JSON of another form.
    """
    found = read_text_head(source, config)
    lines = [line for line in found.text.split("\n") if line.strip()]
    if not found.complete and len(lines) > 1:
        lines.pop()
    try:
        first = json.loads(lines[0])
    except (ValueError, RecursionError):
        first = None
    suffix = suffix_of(source.name)
    if isinstance(first, dict) and (len(lines) > 1 or suffix != "json"):
        return _lines_head(source, lines, found)
    if suffix != "json":
        raise InputError(f"{source.shown}: its first line is no JSON object")
    value = read_json(source.file, source.compression, found.encoding, source.path)
    records, said = _records(value)
    if records is None:
        raise InputError(
            f"{source.shown}: JSON, but neither an array of records nor one object a line: write it as jsonl"
        )
    table = table_of_records(source.path, records)
    rows = [tuple(row.values()) for row in table.slice(0, 1000).to_pylist()]
    return Head(source.path, "arrow", tuple(table.column_names), rows, said, not len(table), table=table)


def _records(value: Any) -> tuple[list[Any] | None, str]:  # noqa: ANN401
    """The records of a JSON value, and what form they have: an array, the one array of objects beside a few words
    (``{"version": 1, "data": […]}``), or columns as pandas writes them (``{"x": {"0": 1, …}, …}``, ``{"x": [1, …]}``).
    """
    if isinstance(value, list):
        return value, "an array of records"
    if not isinstance(value, dict) or not value:
        return None, ""
    arrays = {key: each for key, each in value.items() if isinstance(each, list) and each}
    objects = [key for key, each in arrays.items() if all(isinstance(one, dict) for one in each)]
    if len(objects) == 1 and len(arrays) == 1:
        return arrays[objects[0]], f"an array of records under {objects[0]!r}"
    columns = list(value.values())
    if all(isinstance(each, dict) for each in columns) and len({tuple(each) for each in columns}) == 1 and columns[0]:
        rows = [dict(zip(value, row, strict=True)) for row in zip(*(each.values() for each in columns), strict=True)]
        return (
            (rows, "columns of records") if not any(isinstance(one, dict) for one in rows[0].values()) else (None, "")
        )
    if len(arrays) == len(value) > 1 and not objects and len({len(each) for each in columns}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)], "columns of records"
    return None, ""


def _lines_head(source: Source, lines: Sequence[str], found: TextHead) -> Head:
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            records.append(record)
    columns = _field_names(source.path, records)
    shape = shape_of(records)
    if shape is not None:
        columns = shape.columns
        records = [shape.flat(record) for record in records]
    rows = [tuple(cell_of(record.get(column)) for column in columns) for record in records]
    said = f"one JSON object a line, fields as in the first {len(lines):,} lines"
    if shape is not None:
        said += ", objects and lists in cells as columns of their own"
    if not found.encoding.startswith("utf-16"):  # JSON is UTF-8; a line that is not is counted by its engine
        return Head(
            source.path,
            "jsonl",
            columns,
            rows,
            said,
            compression=source.compression,
            file=source.file,
            nested=shape,
        )
    data, _ = read_bytes(source.file, source.compression)
    everything = []
    for number, line in enumerate(decode(data, found.encoding).split("\n"), 1):
        if line.strip():
            try:
                everything.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{source.shown}: line {number} is not JSON") from error
    table = table_of_records(source.path, everything)
    columns = tuple(table.column_names)
    return Head(source.path, "arrow", columns, rows, f"one JSON object a line, encoding {found.encoding}", table=table)


def read_json(path: str, compression: Compression = "none", encoding: str = "utf-8", called: str | None = None) -> Any:  # noqa: ANN401
    """The whole of a JSON file; messages name it as it is `called`.

    Raises
    ------
    InputError
        It is not JSON.
    """
    shown = display(called or path)
    data, _ = read_bytes(path, compression)
    try:
        return json.loads(decode(data, encoding))
    except RecursionError as error:
        raise InputError(f"{shown}: JSON nested too deeply") from error
    except ValueError as error:
        reason = f"{error.msg}, line {error.lineno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InputError(f"{shown}: not JSON ({reason})") from error


def table_of_records(path: str, records: Sequence[Any]) -> pa.Table:
    """An Arrow table of strings from JSON records: objects by key, arrays by position, or plain values as one column.

    Raises
    ------
    InputError
        Records of several kinds, or without fields.
    """
    if all(isinstance(record, dict) for record in records):
        shape = shape_of(records)
        if shape is not None:
            records = [shape.flat(record) for record in records]
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


READER = Reader("JSON", SUFFIXES, recognises, head, unpacks=True)
