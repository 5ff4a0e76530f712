"""``leakaudit split PATH... --to DIR``: a new split in which copies and groups stay on one side."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from leakaudit.cli.help import GroupedHelp
from leakaudit.cli.settings import DATA, FILE, MACHINE, setting_options, settings_given

WISH = ("shares", "folds", "seed", "gap", "keep")
OUTPUT = ("to", "how", "force")


def _shares(ctx: click.Context, param: click.Parameter, value: str | None) -> dict[str, float] | None:
    del ctx, param
    if value is None:
        return None
    found: dict[str, float] = {}
    for part in value.split(","):
        name, equals, share = part.partition("=")
        try:
            found[name.strip()] = float(share)
        except ValueError:
            raise click.BadParameter(f"{part!r} is not NAME=SHARE, such as train=0.8") from None
        if not equals or not name.strip():
            raise click.BadParameter(f"{part!r} is not NAME=SHARE, such as train=0.8")
    return found


@click.command(
    cls=GroupedHelp,
    common=("to", "shares", "folds", "seed", "keep", "label", "group", "time", "gap"),
    groups={
        "The wish": WISH,
        "What is written": OUTPUT,
        "The data": DATA,
        "Configuration file": FILE,
        "The machine": MACHINE,
    },
    epilog="Example: leakaudit split data/ --to new-split --shares train=0.7,val=0.15,test=0.15 --group patient",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Folder to write, or FILE.csv for a list.")
@click.option(
    "--shares",
    callback=_shares,
    metavar="NAME=SHARE,...",
    help="Default: train=0.8,val=0.1,test=0.1; they add up to 1.",
)
@click.option("--folds", type=int, metavar="K", help="K folds of equal size in place of shares.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed, another split.")
@click.option(
    "--gap", type=float, default=0.0, metavar="SPAN", help="With --time: left out after each limit (seconds)."
)
@click.option("--keep", type=click.Path(path_type=Path), help="split.json of an earlier split: its samples stay.")
@click.option(
    "--pictures",
    "how",
    type=click.Choice(["manifest", "link", "copy"]),
    default="manifest",
    show_default=True,
    help="Name pictures in a manifest, or make folders of links or copies.",
)
@click.option("--force", is_flag=True, help="Replace what an earlier split wrote.")
@setting_options
@click.pass_context
def split(
    ctx: click.Context,
    /,
    *,
    paths: tuple[str, ...],
    to: Path,
    shares: dict[str, float] | None,
    folds: int | None,
    seed: int,
    gap: float,
    keep: Path | None,
    how: str,
    force: bool,
    config_file: Path | None,
    use_file: bool,
    **_options: Any,
) -> int:
    """Split a data set anew: copies, groups and classes heeded.

    Copies that the checks find, and samples of one --group, stay in one split;
    every split gets its share of each class. At the end the checks are asked
    about the result. The data stay as they are. Exits 1 where a leak remains.
    """
    from leakaudit.cli import progress
    from leakaudit.cli.output import check_target as check_file
    from leakaudit.errors import ConfigError
    from leakaudit.repair.kept import read_kept
    from leakaudit.repair.split import split as split_anew
    from leakaudit.repair.terminal import show_split
    from leakaudit.repair.write import check_target, write_list, write_split
    from leakaudit.settings.plan import plan

    is_list = to.suffix == ".csv"
    if is_list:
        check_file(to)
    check_target(to, paths, force=force)
    earlier = read_kept(keep) if keep is not None else None
    jobs = plan(paths, (), config_file=config_file, use_file=use_file, environ=os.environ, options=settings_given(ctx))
    if len(jobs) != 1:
        raise ConfigError("split takes one data set")
    new = split_anew(
        *jobs[0].paths,
        shares=shares,
        folds=folds,
        seed=seed,
        gap=gap,
        keep=earlier,
        config=jobs[0].effective.config,
        progress=progress.for_terminal(),
    )
    if is_list:
        write_list(new, to)
        written = [to]
    else:
        written = write_split(new, to, how=how, force=force)  # type: ignore[arg-type]
    show_split(new, written, sys.stdout)
    return 0 if new.is_proven else 1
