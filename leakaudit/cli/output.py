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

_MARKS = (
    b"leakaudit-report",
    b"leakaudit-curves",
    ",".join(PAIR_COLUMNS).encode(),
    b'"driver": {"name": "leakaudit"',
    b'<testsuites name="leakaudit"',
    b'"check_name": "LA',
)
"""One of these is near the beginning of every report."""

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


def named(path: Path, dataset: str | None) -> Path:
    """The file for one of several data sets: ``report.html`` is ``report-NAME.html``."""
    return path if dataset is None else path.with_name(f"{path.stem}-{dataset}{path.suffix}")


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


def job_summary(report: Report) -> None:
    """Append the Markdown summary to GitHub's job summary, where this runs in a job."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path:
        try:
            with Path(path).open("a", encoding="utf-8") as file:
                FORMATS["markdown"](report, file)
        except OSError as error:
            raise ConfigError(f"cannot write GITHUB_STEP_SUMMARY, {path}: {error.strerror or error}") from error


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    is_markdown = head.startswith(b"## ") and b" leakaudit: " in head.partition(b"\n")[0]
    if is_markdown or head.strip() in (b"", b"[]") or any(mark in head for mark in _MARKS):
        return True
    if not head.startswith(b"PAR1"):
        return False
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return tuple(pq.read_schema(path).names) == PAIR_COLUMNS
    except pa.ArrowInvalid:
        return False
