"""The options that are settings: those of ``scan``, which ``config`` takes, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from leakaudit.cli.codes import codes
from leakaudit.config import EngineName, FailOn, ProbeMode, TimeOrder

Command = TypeVar("Command", bound=Callable[..., Any])

DATA = (
    *("within", "splits", "layout", "path_column", "split_column", "label", "group", "group_pattern", "time"),
    *("time_order", "id", "ignore_columns", "keep_columns", "header", "delimiter", "encoding"),
)
GATE = (
    *("select", "ignore", "require", "checks", "fail_on", "accepted", "new_since"),
    *("blind_tolerance", "unsupported_tolerance"),
)
PROBE = ("probe", "probe_budget")
MACHINE = ("engine", "engine_address", "jobs", "cache_dir", "use_cache", "memory_limit", "timings")
FILE = ("datasets", "config_file", "use_file")

COMMON = ("within", "splits", "label", "group", "time", "select", "ignore", "fail_on", "probe")
"""Settings that ``--help`` shows."""


def _mapping(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    del ctx, param
    if bad := [value for value in values if "=" not in value]:
        raise click.BadParameter(f"{bad[0]!r} is not NAME=SPLIT")
    return dict(value.rsplit("=", 1) for value in values)


def _parameters(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> object:
    del ctx, param
    if not values:
        return {}
    from leakaudit.settings.effective import from_option

    return from_option("checks", "--set", ",".join(values))


def _required(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> object:
    del ctx, param
    if not values:
        return ()
    from leakaudit.settings.effective import from_option

    return from_option("require", "--require", ",".join(values))


_DATA_OPTIONS = (
    click.option("--within/--no-within", default=None, help="Look inside each split alone; one split is enough."),
    click.option(
        "--split-name",
        "splits",
        multiple=True,
        callback=_mapping,
        metavar="NAME=SPLIT",
        help="What a folder, file or value is: part1=train.",
    ),
    click.option("--layout", metavar="NAME", help="Read the data as this layout instead of recognising one."),
    click.option("--path-column", metavar="COL", help="Manifest column with the file paths."),
    click.option("--split-column", metavar="COL", help="Column that says the split."),
    click.option("--label", metavar="COL", help="Column with the label: a name or a 1-based position."),
    click.option("--group", metavar="COL", help="Column with the person, patient, camera, recording."),
    click.option("--group-pattern", metavar="REGEX", help="The same in file names of pictures: '^(?P<key>[^_]+)_'."),
    click.option("--time", metavar="COL", help="Column with the time."),
    click.option(
        "--time-order",
        type=click.Choice(get_args(TimeOrder)),
        metavar="HOW",
        help="Order of time: within each group (default), or global.",
    ),
    click.option("--id", metavar="COL", help="Column that only names the row."),
    click.option(
        "--ignore-column",
        "ignore_columns",
        multiple=True,
        metavar="COL",
        help="Column that is no part of a row's identity.",
    ),
    click.option(
        "--keep-column",
        "keep_columns",
        multiple=True,
        metavar="COL",
        help="Column that is part of it, though it seems only to number rows.",
    ),
    click.option("--header/--no-header", default=None, help="Whether csv files have a header line."),
    click.option("--delimiter", metavar="TEXT", help="Of csv files."),
    click.option("--encoding", metavar="NAME", help="Of csv files."),
)

_OTHER_OPTIONS = (
    click.option("--select", multiple=True, callback=codes, metavar="CODES", help="Only these checks: LA1,LA201."),
    click.option("--ignore", multiple=True, callback=codes, metavar="CODES", help="All but these checks."),
    click.option(
        "--require",
        multiple=True,
        callback=_required,
        metavar="CODES",
        help="Checks that must come to a decision, else exit 4.",
    ),
    click.option(
        "--set",
        "checks",
        multiple=True,
        callback=_parameters,
        metavar="CODE.NAME=VALUE",
        help="A parameter of a check: LA103.candidates=8.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(get_args(FailOn)),
        metavar="SEVERITY",
        help="Least severity that exits 1: error (default), warning, info, never.",
    ),
    click.option("--accepted", type=click.Path(path_type=Path), metavar="FILE", help="Accepted findings."),
    click.option(
        "--new-since",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="An earlier report (JSON): only what is new counts.",
    ),
    click.option(
        "--blind-tolerance",
        type=click.FloatRange(0, 1),
        metavar="0..1",
        help="Unreadable samples that are still no exit 4. Default: 0.001.",
    ),
    click.option(
        "--unsupported-tolerance",
        type=click.FloatRange(0, 1),
        metavar="0..1",
        help="The same for files of types that are not read. Default: 1.",
    ),
    click.option(
        "--probe",
        type=click.Choice(get_args(ProbeMode)),
        metavar="MODE",
        help="Train a quick model, cross-check the loss: auto, cpu, gpu, fast, off (default).",
    ),
    click.option("--probe-budget", type=click.FloatRange(1), metavar="SECONDS", help="What it may take. Default: 180."),
    click.option(
        "--engine",
        type=click.Choice(get_args(EngineName)),
        metavar="NAME",
        help="Where the heavy work runs: local (default), spark, ray.",
    ),
    click.option("--engine-address", metavar="ADDRESS", help="Of it: local[4], spark://host:7077, yarn, host:6379."),
    click.option("--jobs", type=click.IntRange(1), help="Workers; default: all cores."),
    click.option("--cache-dir", type=click.Path(path_type=Path), help="Where fingerprints are kept."),
    click.option("--cache/--no-cache", "use_cache", default=None, help="Whether to read and write the cache."),
    click.option(
        "--memory-limit", metavar="SIZE", help="What table work may hold; default: half of the memory, at most 2GB."
    ),
    click.option("--timings", is_flag=True, default=None, help="Put the seconds of each check into the report."),
)

_FILE_OPTIONS = (
    click.option(
        "--dataset", "datasets", multiple=True, metavar="NAME", help="A data set of leakaudit.toml, instead of PATH."
    ),
    click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        envvar="LEAKAUDIT_CONFIG",
        metavar="FILE",
        help="Read this file; default: found upward from PATH.",
    ),
    click.option("--no-config", "use_file", flag_value=False, default=True, help="Read no file."),
)


def data_options(command: Command) -> Command:
    """Give a command the options that say how the data lie."""
    return _with(command, _DATA_OPTIONS)


def setting_options(command: Command) -> Command:
    """Give a command the options of all settings, and those that choose the file."""
    return _with(command, (*_DATA_OPTIONS, *_OTHER_OPTIONS, *_FILE_OPTIONS))


def _with(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def settings_given(ctx: click.Context) -> dict[str, tuple[str, Any]]:
    """Settings that stand on the command line: field to the option's name and its value."""
    from leakaudit.settings.declared import settings

    known = {setting.name for setting in settings()}
    given = {}
    for param in ctx.command.params:
        name = param.name or ""
        if name in known and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            value = ctx.params[name]
            names = param.secondary_opts if value is False and param.secondary_opts else param.opts
            given[name] = (names[0], value)
    return given
