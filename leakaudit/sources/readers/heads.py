"""What the head of a file of rows tells, whether it begins with names, and how an engine must read the file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.listing import display
from leakaudit.sources.readers.csv_dialect import Dialect, header_evidence
from leakaudit.sources.readers.files import Compression, Source
from leakaudit.sources.readers.nested import Shape

HEAD_BYTES = 1 << 20
MOST_HEAD_BYTES = 1 << 24
"""A head without two complete rows is read again four times as long, up to this."""

HEAD_ROWS = 1000
"""Rows of a head that is not read by bytes."""


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What the head of a file of rows tells.

    Parameters
    ----------
    path : str
        As the user named it; a table in a file is ``file::table``.
    format : {"csv", "jsonl", "parquet", "arrow", "stream"}
        ``arrow``: all rows are in `table`. ``stream``: this process reads it (`stream`), an engine gets a copy.
    columns : tuple of str
        For csv and grids: named by position until `settle` has decided on the header.
    rows : sequence of tuple of str or None
        Cells of the first rows; for csv and grids before `settle`: with the header, where there is one.
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
    file : str or None
        What to open in place of `path`: a copy that was unpacked here.
    stream : callable or None
        Gives all rows, a batch at a time, with as many columns as `columns`; of a grid with its first row.
    grid : bool
        Cells whose first row may be names, as in csv: the sheet of a workbook.
    fill : str or None
        What stands in columns that only other files of its kind have: "0" in sparse files.
    nested : Shape or None
        How objects and lists in its cells become columns of their own, for jsonl and parquet.
    """

    path: str
    format: Literal["csv", "jsonl", "parquet", "arrow", "stream"]
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
    file: str | None = None
    stream: Callable[[], Iterator[pa.RecordBatch]] | None = None
    grid: bool = False
    fill: str | None = None
    nested: Shape | None = None

    def column(self, name: str) -> list[str | None]:
        """Cells of a column in the head; rows of another width are left out."""
        at = self.columns.index(name)
        return [row[at] for row in self.rows if len(row) == len(self.columns)]

    @property
    def opened(self) -> str:
        """The file to open."""
        return self.path if self.file is None else self.file

    @property
    def may_have_header(self) -> bool:
        """Whether its first row may name the columns."""
        return self.grid or (self.dialect is not None and self.columns != ("text",))


@dataclass(frozen=True, slots=True)
class Reader:
    """One file format.

    Parameters
    ----------
    name : str
        As people call it.
    suffixes : tuple of str
        Extensions that promise it, in lower case.
    recognises : callable
        ``recognises(first, name)``: whether a file is of this format, by its first bytes (after decompression, at most
        `FIRST_BYTES`) and its name.
    head : callable or None
        ``head(source, config)`` gives what its first rows tell; None for an archive of files.
    tables : callable or None
        ``tables(source, config)``: names of the tables in a file that holds several; None for a file that is one table.
    member : callable or None
        ``member(source)`` unpacks the file of an archive that ``source.table`` names; its own reader reads it then.
    unpacks : bool, default False
        It reads gzip and zstd itself; of other formats a compressed file is unpacked first.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes, str], bool]
    head: Callable[[Source, Config], Head] | None = None
    tables: Callable[[Source, Config], tuple[str, ...]] | None = None
    member: Callable[[Source], Source] | None = None
    unpacks: bool = False


# --- cells ----------------------------------------------------------------------------------------------------


def cell_of(value: object) -> str | None:
    """A JSON or Arrow value as a cell: text as it is, None as None, everything else as JSON writes it."""
    if value is None or isinstance(value, str):
        return value if value is None else value.encode("utf-8", "replace").decode()
    try:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return repr(type(value))


def cell_of_arrow(value: object) -> str | None:
    """A value of a parquet column as the text that an engine makes of it."""
    return None if value is None else value if isinstance(value, str) else str(value)


# --- header ---------------------------------------------------------------------------------------------------


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
    heads = _same_features(heads)
    csv = [head for head in heads if head.may_have_header]
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


def _same_features(heads: Sequence[Head]) -> list[Head]:
    """Sparse files that belong together get the features of all of them: one that a file lacks is 0 in it."""
    every = {name for head in heads if head.fill is not None for name in head.columns}
    columns = tuple(sorted(every, key=lambda name: (name != "label", name != "qid", len(name), name)))
    return [
        head
        if head.fill is None
        else replace(head, columns=columns, rows=[_filled(head, row, columns) for row in head.rows])
        for head in heads
    ]


def _filled(head: Head, row: tuple[str | None, ...], columns: Sequence[str]) -> tuple[str | None, ...]:
    known = dict(zip(head.columns, row, strict=True))
    return tuple(known.get(name, head.fill) for name in columns)
