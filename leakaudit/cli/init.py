"""``leakaudit init [PATH]``: write a configuration by looking at the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from leakaudit.cli.help import GroupedHelp
from leakaudit.cli.settings import DATA, data_options, settings_given


@click.command(
    cls=GroupedHelp,
    common=("force", "to_stdout", "name", "splits", "label", "group", "time", "within"),
    groups={"The data": DATA},
    epilog="Example: leakaudit init data/ --label species",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print it instead of writing it.")
@click.option("--name", metavar="NAME", help="Of the data set; default: the folder's.")
@data_options
@click.pass_context
def init(
    ctx: click.Context, /, *, paths: tuple[str, ...], force: bool, to_stdout: bool, name: str | None, **_settings: Any
) -> None:
    """Write a commented leakaudit.toml by looking at the data.

    PATH is as for scan; without it, the current folder. The file is written
    beside the data, not into them. What is only guessed stands in comments.
    """
    from leakaudit.errors import ConfigError
    from leakaudit.render.atomic import replacing
    from leakaudit.settings.effective import effective
    from leakaudit.settings.finding import find
    from leakaudit.settings.starter import folder_for, starter
    from leakaudit.sources.layouts import load

    paths = paths or (".",)
    found = effective(environ=os.environ, options=settings_given(ctx))
    target = folder_for(paths) / "leakaudit.toml"
    if not to_stdout and not force and os.path.lexists(target):
        raise ConfigError(f"{target} exists already: --force replaces it, --stdout prints what to add to it")
    text = starter(load(paths, found.config), paths, target.parent, found, name)
    if to_stdout:
        click.echo(text, nl=False)
        return
    before = None if os.path.lexists(target) else find(paths)
    with replacing(target) as file:
        file.write(text.encode())
    where = "" if target.parent == Path() else f" {' '.join(paths)}"
    click.echo(f"wrote {target}: look at it, then run leakaudit scan{where}")
    if before is not None:
        click.echo(f"leakaudit: {before.path} no longer applies to these data: the nearer file counts", err=True)
