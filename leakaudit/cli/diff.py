"""``leakaudit diff OLD NEW``: what changed between two reports."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FORMATS = ("text", "json", "markdown")


@click.command(epilog="Example: leakaudit diff yesterday.json today.json --fail-on warning")
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What is printed."
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="Least severity of a new finding that exits 1.",
)
@click.option("--all", "show_all", is_flag=True, help="List every change; default: the first of each kind.")
def diff(old: Path, new: Path, *, form: str, fail_on: str, show_all: bool) -> int:
    """Compare two reports: what appeared, grew, shrank, vanished.

    OLD and NEW are reports in JSON of one data set. Exits 1 when a finding at
    or above --fail-on appeared, grew or changed; accepted ones do not count.
    """
    from leakaudit.comparison import compare_reports
    from leakaudit.config import Config
    from leakaudit.render.comparison import write
    from leakaudit.report_file import read_report

    found = compare_reports(read_report(old), read_report(new))
    write(found, sys.stdout, form=form, limit=None if show_all else 20)
    config = Config(fail_on=fail_on)  # type: ignore[arg-type]
    return int(any(change.is_news and config.fails(change.finding.severity) for change in found.changes))
