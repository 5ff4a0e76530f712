"""Workbooks of Excel and LibreOffice (.xlsx, .xlsm, .xlsb, .xls, .ods): every sheet is a table.

Read with python-calamine (extra ``excel``): one library for all five formats, which reads values alone. Formulas are
not computed (their last result counts), macros never run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.listing import display
from leakaudit.sources.readers.files import Source, suffix_of
from leakaudit.sources.readers.heads import HEAD_ROWS, Head, Reader
from leakaudit.sources.readers.packed import MOST_RATIO, UNPACKED_FREELY, too_much
from leakaudit.sources.readers.sqlite_files import text_batch
from leakaudit.sources.readers.zip_files import opened_zip

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

SUFFIXES = ("xlsx", "xlsm", "xlsb", "xls", "ods")
BATCH_ROWS = 1 << 14
_FIRST_ENTRIES = (b"[Content_Types].xml", b"docProps/", b"_rels/", b"xl/", b"opendocument.spreadsheet")
_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def recognises(first: bytes, name: str) -> bool:
    """The old format by its mark; the others are zip archives that say what they are in their first entry."""
    if first.startswith(_OLD):
        return True
    named = suffix_of(name) in SUFFIXES or any(mark in first[:128] for mark in _FIRST_ENTRIES)
    return first.startswith(b"PK\x03\x04") and named


def tables(source: Source, config: Config) -> tuple[str, ...]:
    """Names of the sheets that hold a cell, in the order of the workbook.

    Raises
    ------
    InputError
        Damaged, encrypted, a bomb, or the extra ``excel`` is not installed.
    """
    book = _open(source)
    names = [str(name) for name in book.sheet_names]
    if len(names) == 1:
        return tuple(names)
    return tuple(name for name in names if book.get_sheet_by_name(name).total_height)


def head(source: Source, config: Config) -> Head:
    """First rows of a sheet; `settle` decides whether the first of them names the columns.

    Raises
    ------
    InputError
        No such sheet, or no cell in it.
    """
    rows = _rows(source)
    if not rows:
        raise InputError(f"{source.shown}: an empty sheet")
    width = max(map(len, rows))
    columns = tuple(f"column_{at + 1}" for at in range(width))
    return Head(
        source.path,
        "stream",
        columns,
        [tuple(cell or "" for cell in row) for row in rows[: HEAD_ROWS + 1]],
        stream=lambda: _batches(source, columns),
        grid=True,
    )


def _open(source: Source) -> CalamineWorkbook:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise InputError(
            f"{source.shown}: a workbook, which needs an optional dependency: pip install 'leakaudit[excel]'"
        ) from error
    path = source.local()
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"
    if zipped:
        with opened_zip(source) as archive:
            entries = archive.infolist()
        packed, size = sum(entry.compress_size for entry in entries), sum(entry.file_size for entry in entries)
        if size > max(UNPACKED_FREELY, MOST_RATIO * packed):
            raise InputError(too_much(source, packed))
    try:
        return CalamineWorkbook.from_path(path)
    except (CalamineError, OSError, ValueError) as error:
        raise InputError(
            f"{source.shown}: a damaged or encrypted workbook ({(str(error).splitlines() or [''])[0]})"
        ) from error


def _rows(source: Source) -> list[list[str | None]]:
    """All rows of a sheet as text, without empty ones; Excel's own limit is about a million."""
    book = _open(source)
    from python_calamine import CalamineError

    try:
        found = book.get_sheet_by_name(source.table or "").to_python(skip_empty_area=True)
    except (CalamineError, ValueError) as error:
        raise InputError(f"{source.shown}: {display(source.file)} holds no sheet {source.table!r}") from error
    rows = [[_cell(value) for value in row] for row in found]
    return [row for row in rows if any(cell is not None for cell in row)]


def _cell(value: Any) -> str | None:  # noqa: ANN401 - whatever a sheet holds
    """A cell as csv writes it: whole numbers without a point, dates and times as ISO 8601."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1 << 53 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _batches(source: Source, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    rows = _rows(source)
    schema = pa.schema([(name, pa.string()) for name in columns])
    padded = [row + [None] * (len(columns) - len(row)) for row in rows]
    for at in range(0, len(padded), BATCH_ROWS):
        yield text_batch(padded[at : at + BATCH_ROWS], schema)


READER = Reader("workbook", SUFFIXES, recognises, head, tables)
