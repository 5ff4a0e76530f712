"""Report files: never over a file that leakaudit did not write, never half written."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path

import click

from leakaudit.cli import BUG, USAGE_ERROR
from leakaudit.errors import ConfigError, LeakauditError
from leakaudit.model import PAIR_COLUMNS, Report
from leakaudit.render import FORMATS
from leakaudit.render.atomic import replacing
from leakaudit.render.data.pairs import Written, write_pairs
from leakaudit.render.words.plain import plain
from leakaudit.render.words.summary import headline

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


def write_all(report: Report, targets: Mapping[str, Path], *, every_pair: bool = False) -> int:
    """Write the report files, each by itself: one that fails loses none of the others, and is said.

    Parameters
    ----------
    report : Report
    targets : mapping of str to path
        By format, ``pairs`` among them.
    every_pair : bool, default False
        As for `write_pairs`.

    Returns
    -------
    int
        0, or the exit code of what went wrong: 2 where a file could not be written, 3 where a renderer crashed.
    """
    codes = [0]
    for form, path in targets.items():
        try:
            if form == "pairs":
                _say_left_out(path, write_pairs(report, path, every=every_pair))
            else:
                write(report, form, path)
        except LeakauditError as error:
            click.echo(f"leakaudit: {plain(str(error))}", err=True)
            codes.append(error.exit_code)
        except Exception as error:  # noqa: BLE001  a bug in one renderer must not cost the other reports
            codes.append(_crashed(form, error))
    return max(codes)


def write(report: Report, form: str, path: Path) -> None:
    """Write the report in a format of `FORMATS` as UTF-8, or leave the old file as it was."""
    with replacing(path) as file:
        stream = TextIOWrapper(file, encoding="utf-8", newline="\n")
        FORMATS[form](report, stream)
        stream.flush()
        stream.detach()


def show(report: Report, form: str) -> int:
    """Print the report; a reader that has seen enough (``| head``) changes nothing about the verdict.

    Where it cannot be printed the verdict goes to stderr: a scan never ends without one.

    Returns
    -------
    int
        As `write_all`.
    """
    try:
        FORMATS[form](report, sys.stdout)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich turns the one into the other (Console.on_broken_pipe)
        _drop_stdout()
    except OSError as error:  # the disk that stdout goes to is full
        _drop_stdout()
        click.echo(f"leakaudit: cannot print the report: {error.strerror or error}", err=True)
        click.echo(f"leakaudit: {_verdict(report)}", err=True)
        return USAGE_ERROR
    except Exception as error:  # noqa: BLE001  as above: the verdict is said whatever breaks
        code = _crashed(form, error)
        click.echo(f"leakaudit: {_verdict(report)}", err=True)
        return code
    return 0


def _drop_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _verdict(report: Report) -> str:
    """The verdict, in words that need no renderer to be right."""
    try:
        said = headline(report).line
    except Exception:  # noqa: BLE001  whatever broke the report may break its headline, too
        said = report.verdict.reason
    return plain(f"{said} (exit code {report.verdict.exit_code}: {report.verdict.status})")


def _crashed(form: str, error: Exception) -> int:
    if os.environ.get("LEAKAUDIT_DEBUG"):
        raise error
    said = plain(" ".join(f"{type(error).__name__}: {error}".split()))
    click.echo(f"leakaudit: a bug in leakaudit, please report it: the {form} report was not written: {said}", err=True)
    click.echo("leakaudit: LEAKAUDIT_DEBUG=1 shows where", err=True)
    return BUG


def _say_left_out(path: Path, written: Written) -> None:
    for code, n in written.left_out.items():
        click.echo(
            f"leakaudit: {path}: {n:,} pairs of {code} inside one split are left out (--all-pairs writes them, too)",
            err=True,
        )


def job_summary(report: Report) -> int:
    """Append the Markdown summary to GitHub's job summary, where this runs in a job; the exit code as `write_all`."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return 0
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            FORMATS["markdown"](report, file)
    except OSError as error:
        click.echo(f"leakaudit: cannot write GITHUB_STEP_SUMMARY, {path}: {error.strerror or error}", err=True)
        return USAGE_ERROR
    except Exception as error:  # noqa: BLE001  as above
        return _crashed("markdown", error)
    return 0


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
