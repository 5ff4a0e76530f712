"""``leakaudit scan PATH...``: audit a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click


def _mapping(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    del ctx, param
    if bad := [value for value in values if "=" not in value]:
        raise click.BadParameter(f"{bad[0]!r} is not NAME=SPLIT")
    return dict(value.rsplit("=", 1) for value in values)


def _codes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    del ctx, param
    from leakaudit.checks import CHECKS

    codes = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in codes:
        if not any(check.code.startswith(code) for check in CHECKS):
            raise click.BadParameter(f"no check begins with {code!r}: `leakaudit checks` lists them")
    return codes


@click.command(epilog="Example: leakaudit scan data/ --html report.html --pairs pairs.csv")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--within", is_flag=True, help="Look inside each split alone; one split is enough.")
@click.option(
    "--split-name",
    "splits",
    multiple=True,
    callback=_mapping,
    metavar="NAME=SPLIT",
    help="What a folder, file or value is: part1=train.",
)
@click.option("--layout", metavar="NAME", help="Read the data as this layout instead of recognising one.")
@click.option("--path-column", metavar="COL", help="Manifest column with the file paths.")
@click.option("--split-column", metavar="COL", help="Column that says the split.")
@click.option("--label", metavar="COL", help="Column with the label: a name or a 1-based position.")
@click.option("--group", metavar="COL", help="Column with the person, patient, camera, recording.")
@click.option("--time", metavar="COL", help="Column with the time.")
@click.option("--id", metavar="COL", help="Column that only names the row.")
@click.option(
    "--ignore-column",
    "ignore_columns",
    multiple=True,
    metavar="COL",
    help="Column that is no part of a row's identity.",
)
@click.option("--header/--no-header", default=None, help="Whether csv files have a header line.")
@click.option("--delimiter", metavar="TEXT", help="Of csv files.")
@click.option("--encoding", metavar="NAME", help="Of csv files.")
@click.option("--select", multiple=True, callback=_codes, metavar="CODES", help="Only these checks: LA1,LA201.")
@click.option("--ignore", multiple=True, callback=_codes, metavar="CODES", help="All but these checks.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info", "never"]),
    default="error",
    show_default=True,
    help="Least severity that exits 1.",
)
@click.option(
    "--blind-tolerance",
    type=click.FloatRange(0, 1),
    default=0.001,
    show_default=True,
    help="Share of unreadable samples that is still no exit 4.",
)
@click.option(
    "--format",
    "format_",
    default="text",
    show_default=True,
    metavar="NAME",
    help="What is printed: text, json or html.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the report as JSON.")
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Also write one self-contained page.")
@click.option(
    "--pairs", "pairs_path", type=click.Path(path_type=Path), help="Also write every verified pair (.csv or .parquet)."
)
@click.option("--jobs", type=click.IntRange(1), help="Workers; default: all cores.")
@click.option(
    "--cache-dir", type=click.Path(path_type=Path), envvar="LEAKAUDIT_CACHE", help="Where fingerprints are kept."
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option("--memory-limit", default="2GB", show_default=True, help="What table work may hold in memory.")
@click.option("--timings", is_flag=True, help="Put the seconds of each check into the report.")
def scan(
    paths: tuple[str, ...],
    *,
    format_: str,
    json_path: Path | None,
    html_path: Path | None,
    pairs_path: Path | None,
    no_cache: bool,
    **settings: Any,
) -> int:
    """Audit the splits of a data set.

    PATH is a folder (pictures, tables, text), a manifest, split files
    (train.csv test.csv), or pairs such as train=a.csv val=b.csv.
    """
    from leakaudit.cli import output, progress
    from leakaudit.config import Config
    from leakaudit.pipeline import audit
    from leakaudit.render import FORMATS
    from leakaudit.render.pairs import write_pairs

    if format_ not in FORMATS:
        raise click.BadParameter(f"there is no format {format_!r}: {', '.join(FORMATS)}")
    for path in filter(None, (json_path, html_path, pairs_path)):
        output.check_target(path)
    config = replace(
        Config(**settings), use_cache=not no_cache, previews=html_path is not None or FORMATS[format_].previews
    )
    report = audit(*paths, config=config, progress=progress.for_terminal())
    if json_path:
        output.write(report, "json", json_path)
    if html_path:
        output.write(report, "html", html_path)
    if pairs_path:
        write_pairs(report, pairs_path)
    output.show(report, format_)
    return report.verdict.exit_code
