"""The marks of a review on disk: one line a mark, appended and forced to the disk before it is confirmed.

A mark is a line of JSON; a later line about the same pair replaces an earlier one, and ``null`` takes it back. A line
that was cut off by a crash is passed over, and the next mark begins on a line of its own.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

from leakaudit.errors import ConfigError, InputError

SCHEMA = "leakaudit-review/1"

Mark = Literal["leak", "fine", "unsure"]
MARKS: tuple[Mark, ...] = get_args(Mark)

Key = tuple[str, str, str]
"""Id of the finding, name of the held-out sample, name of the reference sample."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a journal says: the last mark of each pair in the order of the marks, and lines that say nothing."""

    of: dict[Key, Mark]
    n_damaged: int = 0

    def counts(self) -> dict[Mark, int]:
        """How many pairs have each mark."""
        found = Counter(self.of.values())
        return {mark: found[mark] for mark in MARKS}


def journal_path(report: Path) -> Path:
    """``report.json.review.jsonl`` beside the report."""
    return report.with_name(report.name + ".review.jsonl")


def read_journal(path: Path) -> Marks:
    """The marks made so far; none where there is no journal.

    Raises
    ------
    InputError
        The file cannot be read, or is no journal of a review.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return Marks({})
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if lines and _object(lines[0]).get("schema") != SCHEMA:
        raise InputError(f"{path} is no journal of a review (its first line has no schema {SCHEMA!r}): move it away")
    marks: dict[Key, Mark] = {}
    n_damaged = 0
    for line in lines[1:]:
        entry = _object(line)
        finding, a, b, mark = (entry.get(name, 0) for name in ("finding", "a", "b", "mark"))
        named = isinstance(finding, str) and isinstance(a, str) and isinstance(b, str)
        if not named or (mark is not None and mark not in MARKS):
            n_damaged += 1
            continue
        marks.pop((finding, a, b), None)
        if mark is not None:
            marks[finding, a, b] = mark
    return Marks(marks, n_damaged)


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class Journal:
    """An open journal: marks in memory, each on disk before `add` returns. Use it as a context manager.

    Parameters
    ----------
    path : Path
        Made where it does not exist.

    Raises
    ------
    InputError
        As `read_journal`.
    ConfigError
        The file cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.marks = read_journal(path)
        self._lock = threading.Lock()
        self._file = _open(path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, key: Key, mark: Mark | None) -> None:
        """Mark a pair, or take its mark back.

        Raises
        ------
        OSError
            The disk is full, or the file is gone; the mark is then not made.
        """
        finding, a, b = key
        with self._lock:
            _append(self._file, {"finding": finding, "a": a, "b": b, "mark": mark})
            self.marks.of.pop(key, None)
            if mark is not None:
                self.marks.of[key] = mark


def _open(path: Path) -> BinaryIO:
    """The file, ready for a line: with its first line, and behind a line that was cut off."""
    try:
        file = path.open("ab+", buffering=0)
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            _append(file, {"schema": SCHEMA})
        else:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error
    return file


def _append(file: BinaryIO, entry: dict[str, str | None]) -> None:
    """One line in one write: two processes that append do not mix."""
    line = json.dumps(entry).encode() + b"\n"
    if file.write(line) != len(line):
        raise OSError("the disk took only a part of the line")
    os.fsync(file.fileno())
