"""``leakaudit hook FILE...``: what the changed files of a commit bring into the data sets they belong to."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command(epilog="Example: leakaudit hook --data data/ data/val/new1.png data/val/new2.png")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--data", multiple=True, metavar="PATH", help="The data set; default: those of leakaudit.toml.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Read settings from here."
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    help="Least severity that exits 1; default: error.",
)
@click.option("--format", "format_", default="text", metavar="NAME", help="What is printed: text, github, json, ….")
def hook(
    files: tuple[str, ...], *, data: tuple[str, ...], config_file: Path | None, fail_on: str | None, format_: str
) -> int:
    """Check changed files against everything else in their data set.

    FILE is what a commit changes, as pre-commit gives it. Pictures that were
    seen before are not read again, so this takes seconds where a scan takes
    minutes; the first run reads all of them. Says nothing where all is well.
    """
    from leakaudit import gate
    from leakaudit.cli import output, progress
    from leakaudit.pipeline import audit_changed
    from leakaudit.render import FORMATS
    from leakaudit.settings.finding import belongs
    from leakaudit.settings.plan import plan

    if format_ not in FORMATS:
        raise click.BadParameter(f"there is no format {format_!r}: {', '.join(FORMATS)}")
    options = {"fail_on": ("--fail-on", fail_on)} if fail_on else {}
    codes, unwritten = [], []
    for job in plan(data, config_file=config_file, environ=os.environ, options=options):
        mine = [file for file in files if belongs(job.paths, file)]
        if not mine:
            continue
        report = audit_changed(mine, *job.paths, config=job.effective.config, progress=progress.for_terminal())
        codes.append(report.verdict.exit_code)
        if report.verdict.exit_code or format_ != "text":
            unwritten.append(output.show(report, format_))
    return gate.worst(codes) or max(unwritten, default=0)
