"""``leakaudit accept REPORT --reason TEXT``: record findings that a person has looked at."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from leakaudit.cli.codes import codes


@click.command(epilog='Example: leakaudit accept report.json --code LA101 --reason "same product photo, on purpose"')
@click.argument("report", type=click.Path(path_type=Path), metavar="REPORT")
@click.option("--reason", required=True, metavar="TEXT", help="Why these findings are fine; kept in the file.")
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Last day on which this holds; default: for ever.",
)
@click.option("--code", "only", multiple=True, callback=codes, metavar="CODES", help="Only findings of these checks.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only the finding with this id.")
@click.option(
    "--file",
    "target",
    type=click.Path(path_type=Path),
    default="leakaudit-accepted.toml",
    show_default=True,
    help="The accepted-findings file to add to.",
)
@click.option("--prune", is_flag=True, help="Drop entries that the report no longer finds.")
def accept(
    report: Path,
    *,
    reason: str,
    expires: datetime | None,
    only: tuple[str, ...],
    ids: tuple[str, ...],
    target: Path,
    prune: bool,
) -> int:
    """Accept findings of a report that you have looked at.

    REPORT is a report in JSON (`leakaudit scan data/ --json report.json`). A
    later scan shows accepted findings, and they fail nothing. A cluster of
    duplicates that has grown since is a new finding.
    """
    from collections import Counter

    from leakaudit import accepted
    from leakaudit.errors import ConfigError
    from leakaudit.render.atomic import replacing
    from leakaudit.report_file import read_report

    if not reason.strip():
        raise click.BadParameter("say why in a few words", param_hint="--reason")
    last = expires.date() if expires else None
    if last is not None and last < date.today():
        raise click.BadParameter(f"{last} has passed", param_hint="--expires")
    past = read_report(report)
    known = {finding.id for finding in past.findings}
    if missing := [id_ for id_ in ids if id_ not in known]:
        raise ConfigError(f"{report} has no finding {missing[0]}")
    chosen = [
        finding
        for finding in past.findings
        if (not ids or finding.id in ids) and (not only or finding.code.startswith(only))
    ]
    text = accepted.read(target) if target.exists() else ""
    old = accepted.parse(text, str(target))
    stale = {entry.id for entry in old if entry.id not in known and entry.id.rpartition("-")[0] in past.ran}
    dropped = stale if prune else set()
    if chosen or dropped:
        whole = accepted.updated(text, dropped, accepted.from_findings(chosen, reason.strip(), last), str(target))
        with replacing(target) as file:
            file.write(whole.encode())
    counts = ", ".join(f"{code} {n:,}" for code, n in sorted(Counter(f.code for f in chosen).items()))
    many = f"{len(chosen):,} finding{'' if len(chosen) == 1 else 's'}"
    less = f"; dropped {len(dropped):,} that are gone" if prune else ""
    click.echo(f"accepted {many}{f' ({counts})' if counts else ''} in {target}{less}")
    return 0
