"""``leakaudit scan PATH...``: audit a data set, or those of a configuration file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leakaudit.cli import BUG, INTERRUPTED, USAGE_ERROR
from leakaudit.cli.help import GroupedHelp
from leakaudit.cli.settings import COMMON, DATA, FILE, GATE, MACHINE, PROBE, setting_options, settings_given

if TYPE_CHECKING:
    from leakaudit.engines.progress import Progress
    from leakaudit.model import Report
    from leakaudit.settings.plan import Job

ONE_AFTER_THE_OTHER = ("text", "github", "markdown")
"""Formats that can follow each other in one stream."""

FILES = ("json", "html", "pairs", "sarif", "junit", "gitlab", "markdown")
"""Reports that go into a file each, beside what is printed."""

REPORTS = ("format_", "exit_zero", "all_pairs", *FILES)

WORST_FIRST = (1, BUG, USAGE_ERROR, 4, 0)
"""Exit codes: a leak is certain; a report that could not be written must not look like success."""


@click.command(
    cls=GroupedHelp,
    common=(*COMMON, "datasets", "format_", "json", "html", "pairs"),
    groups={
        "The data": DATA,
        "Checks and verdict": GATE,
        "Probe": PROBE,
        "Reports": REPORTS,
        "Configuration file": FILE,
        "The machine": MACHINE,
    },
    epilog="Example: leakaudit scan data/ --html report.html --pairs pairs.csv",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@setting_options
@click.option(
    "--format",
    "format_",
    default="text",
    metavar="NAME",
    help="Printed: text, json, html, sarif, junit, github, gitlab, markdown.",
)
@click.option("--json", type=click.Path(path_type=Path), help="Also write the report as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Also write one self-contained page.")
@click.option("--pairs", type=click.Path(path_type=Path), help="Also write every verified pair (.csv, .parquet).")
@click.option("--all-pairs", is_flag=True, help="With --pairs: also k(k-1)/2 pairs of k copies inside a split.")
@click.option("--sarif", type=click.Path(path_type=Path), help="Also write SARIF 2.1.0, for code scanning.")
@click.option("--junit", type=click.Path(path_type=Path), help="Also write JUnit XML: a check is a test.")
@click.option("--gitlab", type=click.Path(path_type=Path), help="Also write GitLab's code quality report.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Also write a summary for a comment.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found; errors still exit 2 and 3.")
@click.pass_context
def scan(
    ctx: click.Context,
    /,
    *,
    paths: tuple[str, ...],
    datasets: tuple[str, ...],
    config_file: Path | None,
    use_file: bool,
    format_: str,
    exit_zero: bool,
    all_pairs: bool,
    **options: Any,
) -> int:
    """Audit the splits of a data set.

    PATH is a folder (pictures, tables, text), a manifest, split files
    (train.csv test.csv), or pairs such as train=a.csv val=b.csv. Without PATH:
    the data sets of leakaudit.toml. It is found upward from the data.
    """
    from leakaudit import gate
    from leakaudit.cli import output, progress
    from leakaudit.render import FORMATS
    from leakaudit.render.words.plain import plain
    from leakaudit.settings.effective import unknown_variables
    from leakaudit.settings.plan import plan

    if format_ not in FORMATS:
        raise click.BadParameter(f"there is no format {format_!r}: {', '.join(FORMATS)}")
    for sentence in unknown_variables(os.environ):
        click.echo(f"leakaudit: {sentence}", err=True)
    given = settings_given(ctx)
    jobs = plan(paths, datasets, config_file=config_file, use_file=use_file, environ=os.environ, options=given)
    several = len(jobs) > 1
    if several and format_ not in ONE_AFTER_THE_OTHER:
        raise click.BadParameter(f"{format_} holds one data set: name it with --dataset, or write files: --json FILE")
    targets = [_targets(options, job.name if several else None) for job in jobs]
    reports: dict[str | None, Report] = {}
    codes: list[int] = []
    for job, mine in zip(jobs, targets, strict=True):
        if several and format_ == "text":
            click.echo(f"{chr(10) * bool(reports)}== {job.name}\n")
        report = _audit(ctx, job, previews="html" in mine or FORMATS[format_].previews, show=progress.for_terminal())
        codes += [output.show(report, format_), output.write_all(report, mine, every_pair=all_pairs)]
        if format_ == "github":
            codes.append(output.job_summary(report))
        reports[job.name] = replace(report, previews={})
        if report.probe is not None and report.probe.interrupted:
            click.echo("leakaudit: interrupted; the report says what was done", err=True)
            return INTERRUPTED
    if several and format_ == "text":
        click.echo("\n== all data sets\n")
        for name, report in reports.items():
            click.echo(f"{name}: {report.verdict.status}: {plain(report.verdict.reason)}")
    code = gate.worst(report.verdict.exit_code for report in reports.values())
    codes.append(gate.CLEAN if exit_zero and code != gate.BUG else code)
    return min(codes, key=WORST_FIRST.index)


def _targets(options: Mapping[str, Any], dataset: str | None) -> dict[str, Path]:
    """The files to write, by format, all of which can be written."""
    from leakaudit.cli import output
    from leakaudit.render.data.pairs import check_ending

    targets = {form: output.named(options[form], dataset) for form in FILES if options[form]}
    for form, path in targets.items():
        if form == "pairs":
            check_ending(path)
        output.check_target(path)
    return targets


def _audit(ctx: click.Context, job: Job, *, previews: bool, show: Progress) -> Report:
    """Audit one data set; an error about a setting says where the setting comes from."""
    from leakaudit.errors import ConfigError
    from leakaudit.pipeline import audit_paths

    config = replace(job.effective.config, previews=previews or job.effective.config.previews)
    try:
        report = audit_paths(job.paths, config, show)
    except ConfigError as error:
        raise ConfigError(f"{error}{_sources_named(ctx, job, str(error))}") from error
    if job.effective.file is None:
        return report
    named = f", data set {job.name}" if job.name else ""
    return replace(report, notes=(*report.notes, f"Settings from {job.effective.file.path}{named}."))


def _sources_named(ctx: click.Context, job: Job, message: str) -> str:
    """``(--label is set in leakaudit.toml:4)``, for each option in the message that was not given as one."""
    said: Sequence[str] = [
        f"{param.opts[0]} is set in {source.where}"
        for param in ctx.command.params
        if re.search(rf"{param.opts[0]}(?![\w-])", message)
        and (source := job.effective.sources.get((param.name or "",))) is not None
        if source.origin in ("file", "environment")
    ]
    return f" ({', '.join(said)})" if said else ""
