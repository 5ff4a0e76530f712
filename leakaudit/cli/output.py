"""Report files: never over a file that leakaudit did not write, never half written."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path

from leakaudit.errors import ConfigError
from leakaudit.model import PAIR_COLUMNS, Report
from leakaudit.render import FORMATS
from leakaudit.render.atomic import replacing

_MARKS = (b"leakaudit-report", b"leakaudit-curves", ",".join(PAIR_COLUMNS).encode())
_HEAD = 4096


def check_target(path: Path) -> None:
    """Make sure, before the work starts, that a report can be written to `path` and that nothing of the user's is lost.

    Raises
    ------
    ConfigError
        When its folder does not exist, or something is there that is not a report of an earlier scan.
    """
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: the folder {path.absolute().parent} does not exist; make it first")
    if not os.path.lexists(path):
        return
    if path.is_dir() or (path.is_file() and not _is_report(path)):
        raise ConfigError(f"{path} exists and is no leakaudit report: choose another name, nothing is overwritten")


def write(report: Report, form: str, path: Path) -> None:
    """Write the report in a format of `FORMATS` as UTF-8, or leave the old file as it was."""
    with replacing(path) as file:
        stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
        FORMATS[form](report, stream)
        stream.flush()
        stream.detach()


def show(report: Report, form: str) -> None:
    """Print the report; a reader that has seen enough (``| head``) changes nothing about the verdict."""
    try:
        FORMATS[form](report, sys.stdout)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich turns the one into the other (Console.on_broken_pipe)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head or any(mark in head for mark in _MARKS):
        return True
    if not head.startswith(b"PAR1"):
        return False
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names) == PAIR_COLUMNS
    except pa.ArrowInvalid:
        return False
