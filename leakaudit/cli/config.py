"""``leakaudit config [PATH]``: the settings in force, and where each comes from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leakaudit.cli.help import GroupedHelp
from leakaudit.cli.settings import DATA, FILE, GATE, MACHINE, setting_options, settings_given

if TYPE_CHECKING:
    from leakaudit.settings.effective import Effective


@click.command(
    cls=GroupedHelp,
    common=("datasets", "config_file", "use_file", "format_", "schema"),
    groups={"The data": DATA, "Checks and verdict": GATE, "Configuration file": FILE, "The machine": MACHINE},
    epilog="Example: leakaudit config data/ --fail-on warning",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@setting_options
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the file, for editors.")
@click.pass_context
def config(
    ctx: click.Context,
    /,
    *,
    paths: tuple[str, ...],
    datasets: tuple[str, ...],
    config_file: Path | None,
    use_file: bool,
    format_: str,
    schema: bool,
    **_settings: Any,
) -> None:
    """Show the settings that a scan would use, and where each comes from.

    Options go over the environment, that goes over the file, and the file over
    the defaults. PATH is as for scan; without it, the file found upward from
    the current folder is shown. All options of scan that are settings may be
    given (--help-all).
    """
    from leakaudit.settings.effective import unknown_variables
    from leakaudit.settings.plan import settings_in_force

    if schema:
        from leakaudit.settings.schema import schema_text

        click.echo(schema_text(), nl=False)
        return
    given = settings_given(ctx)
    found = settings_in_force(
        paths, datasets, config_file=config_file, use_file=use_file, environ=os.environ, options=given
    )
    for sentence in unknown_variables(os.environ):
        click.echo(f"leakaudit: {sentence}", err=True)
    if format_ == "json":
        shown = [_as_json(each) for each in found]
        click.echo(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2))
        return
    for place, each in enumerate(found):
        click.echo("\n" * bool(place) + "\n".join(_as_toml(each)))


def _as_toml(found: Effective) -> list[str]:
    """Lines of valid TOML, each with its source as a comment; settings that are not set are comments."""
    from leakaudit.settings.toml_text import comment, toml, toml_key
    from leakaudit.typed import key_of

    file = f"{found.file.path}" if found.file else "no configuration file"
    lines = [f"# {comment(file)}{f', data set {found.dataset}' if found.dataset else ''}"]
    if found.file and found.file.datasets and not found.dataset:
        lines.append(f"# data sets, shown by --dataset NAME: {', '.join(found.file.datasets)}")
    rows = []
    for at, source in found.sources.items():
        value = found.value(at)
        key = ".".join((key_of(str(at[0])), *(toml_key(str(part)) for part in at[1:])))
        empty = value is None or (value in ((), {}) and source.origin == "default")
        rows.append((f"# {key} is not set", "") if empty else (f"{key} = {toml(value)}", source.where or source.origin))
    width = max((len(text) for text, where in rows if where and len(text) <= 44), default=0)
    return [*lines, *(f"{text:<{width}}  # {comment(where)}" if where else text for text, where in rows)]


def _as_json(found: Effective) -> dict[str, Any]:
    from leakaudit.typed import dotted, key_of

    return {
        "file": str(found.file.path) if found.file else None,
        "dataset": found.dataset,
        "datasets": list(found.file.datasets) if found.file else [],
        "settings": {
            dotted((key_of(str(at[0])), *at[1:])): {
                "value": _plain(found.value(at)),
                "origin": source.origin,
                "where": source.where or None,
            }
            for at, source in found.sources.items()
        },
    }


def _plain(value: object) -> object:
    from dataclasses import asdict, is_dataclass

    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {key.replace("_", "-"): each for key, each in asdict(value).items()}
    return str(value) if isinstance(value, Path) else value
