"""A history as it lies on disk, looked at as far as a reader needs: folder, JSON, delimited text, bytes.

Files are hostile until read: sizes are capped, nothing is unpickled, and whatever cannot be parsed is an `InputError`
that names the file.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from leakaudit.curves.numbers import is_word, number
from leakaudit.errors import InputError

MAX_BYTES = 256 * 2**20
"""A longer text file is no history: ten million epochs of two numbers fit in it."""

DELIMITERS = ",;\t"

STDIN = "-"
"""The path that stands for what is piped in."""

_PRINTED = re.compile(r"[A-Za-z\])'\"]\s*[:=]\s*[-+\[]?\d|[A-Za-z]\s+[-+]?\d+\.\d+\s*$")
"""A cell such as ``loss: 0.5``: a line of a console, not the header of a table."""

_OPENING, _BETWEEN, _CLOSING = (re.compile(rf"{sign}{{7}}(?: .*)?") for sign in "<=>")

Json: TypeAlias = Any
"""What `json.loads` gives."""


@dataclass(frozen=True, slots=True)
class Delimited:
    """A delimited text file.

    Parameters
    ----------
    names : tuple of str
        Header cells without the white space around them.
    rows : list of list of str
        Cells; a row that is too short or too long has been brought to the width of the header.
    n_ragged : int
        Rows that had to be.
    decimal_comma : bool
        Fields are separated by ``;`` and numbers written as ``0,25``.
    n_headers : int, default 0
        Times that the header stands again further down: a log that another run appended to.
    n_conflicts : int, default 0
        Places that git could not merge.
    """

    names: tuple[str, ...]
    rows: list[list[str]]
    n_ragged: int
    decimal_comma: bool
    n_headers: int = 0
    n_conflicts: int = 0

    def column(self, name: str) -> list[float]:
        """The cells of a column as numbers; NaN where they are none."""
        at = self.names.index(name)
        return [number(row[at], decimal_comma=self.decimal_comma) for row in self.rows]

    def warnings(self, names: Sequence[str]) -> list[str]:
        """Sentences on rows of another width than the header and on cells of these columns that are no numbers."""
        said = conflict_note(self.n_conflicts)
        if self.n_headers:
            said.append(
                f"the header stands again {self.n_headers} time{'s' if self.n_headers > 1 else ''} further down"
            )
        if self.n_ragged:
            said.append(f"{self.n_ragged:,} row{'s' if self.n_ragged > 1 else ''} of another width than the header")
        for name in names:
            at = self.names.index(name)
            if n := sum(is_word(row[at], decimal_comma=self.decimal_comma) for row in self.rows):
                said.append(f"{n:,} cell{'s' if n > 1 else ''} of {name} not a number, counted as missing")
        return said


@dataclass(frozen=True)
class Source:
    """One argument of ``leakaudit curves``; everything is read at most once, when it is asked for.

    Parameters
    ----------
    path : Path
    shown : str
        The path as the user gave it.
    piped : bytes or None
        What was read from standard input instead of a file.
    """

    path: Path
    shown: str
    piped: bytes | None = None

    @cached_property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self.piped is None and self.path.is_dir()

    @cached_property
    def head(self) -> bytes:
        """The first 64 bytes of a file; empty for a folder."""
        if self.is_dir:
            return b""
        if self.piped is not None:
            return self.piped[:64]
        try:
            with self.path.open("rb") as file:
                return file.read(64)
        except OSError as error:
            raise InputError(f"{self.shown}: cannot be read: {error.strerror or error}") from error

    @cached_property
    def text(self) -> str | None:
        """The file as text; None for a folder and for binary data."""
        if self.is_dir or self.head.startswith(b"PAR1"):
            return None
        try:
            size = self.path.stat().st_size if self.piped is None else len(self.piped)
            if size > MAX_BYTES:
                raise InputError(f"{self.shown}: has {size:,} bytes, a history has at most {MAX_BYTES:,}")
            data = self.path.read_bytes() if self.piped is None else self.piped
        except OSError as error:
            raise InputError(f"{self.shown}: cannot be read: {error.strerror or error}") from error
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16", "replace")
        if b"\0" in data[:4096]:
            return None
        return data.decode("utf-8-sig", "replace")

    @cached_property
    def _parsed(self) -> tuple[Json | None, str]:
        """The file as JSON, or what is wrong with it."""
        text = self.text
        if text is None or text.lstrip()[:1] not in ("{", "["):
            return None, ""
        try:
            return json.loads(text), ""
        except (ValueError, RecursionError) as error:
            kind = "is nested too deeply" if isinstance(error, RecursionError) else f"is no valid JSON: {error}"
            return None, f"{self.shown}: begins like JSON and {kind}"

    @property
    def json(self) -> Json | None:
        """The file as JSON (NaN and Infinity as Python writes them included); None where it is none."""
        return self._parsed[0]

    @property
    def json_error(self) -> str:
        """Why a file that begins like JSON is none; "" where it is, or does not begin so."""
        return self._parsed[1]

    @cached_property
    def lines(self) -> tuple[list[str], int]:
        """The lines of the text without git's conflict markers, and how many conflicts there were."""
        return without_conflicts((self.text or "").splitlines())

    @cached_property
    def table(self) -> Delimited | None:
        """The file as delimited text with a header line; None where it is none."""
        text = self.text
        if text is None or not text.strip() or text.lstrip()[:1] in ("{", "["):
            return None
        kept, n_conflicts = self.lines
        text = "\n".join(kept) if n_conflicts else text
        first = next((line for line in kept if line.strip()), "")
        delimiter = max(DELIMITERS, key=first.count)
        try:
            lines = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
        except csv.Error:
            return None
        names = tuple(cell.strip() for cell in lines[0]) if lines else ()
        if len(names) < 2 or len(set(filter(None, names))) < 2 or any(map(_PRINTED.search, names)):
            return None
        width = len(names)
        body = [row for row in lines[1:] if tuple(cell.strip() for cell in row) != names]
        n_ragged = sum(len(row) != width for row in body)
        rows = [(row + [""] * width)[:width] for row in body]
        comma = delimiter == ";"
        return Delimited(names, rows, n_ragged, comma, len(lines) - 1 - len(body), n_conflicts)


def without_conflicts(lines: Sequence[str]) -> tuple[list[str], int]:
    """Lines without the marks that git leaves where it could not merge; both sides are kept.

    A line of seven equal signs counts as one only between an opening and a closing mark: logs draw rules with them.
    """
    kept: list[str] = []
    n, inside = 0, False
    for line in lines:
        if _OPENING.fullmatch(line):
            n, inside = n + 1, True
        elif inside and _CLOSING.fullmatch(line):
            inside = False
        elif not (inside and _BETWEEN.fullmatch(line)):
            kept.append(line)
    return kept, n


def conflict_note(n: int) -> list[str]:
    """The sentence on conflicts."""
    if not n:
        return []
    times = f"{n} places" if n > 1 else "one place"
    return [f"git could not merge the file in {times} (lines <<<<<<< and >>>>>>>): the rows of both sides are read"]


def open_source(path: str | os.PathLike[str]) -> Source:
    """Look at a path.

    Raises
    ------
    InputError
        There is nothing at it.
    """
    shown = os.fspath(path)
    if shown == STDIN:
        return Source(Path(STDIN), "standard input", sys.stdin.buffer.read(MAX_BYTES + 1))
    try:
        exists = Path(shown).exists()
    except (OSError, ValueError) as error:
        raise InputError(f"{shown!r} cannot be looked at: {error}") from error
    if not exists:
        raise InputError(f"{shown}: there is no such file or folder")
    if not Path(shown).is_file() and not Path(shown).is_dir():
        raise InputError(f"{shown}: is neither a file nor a folder")
    return Source(Path(shown), shown)
