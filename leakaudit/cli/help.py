"""Help that fits a screen: ``--help`` shows the options most people need, ``--help-all`` every one, in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

HELP_ALL = "leakaudit.help_all"
"""Key of the context under which stands that all options are asked for."""


class GroupedHelp(click.Command):
    """A command with many options.

    Parameters
    ----------
    common : sequence of str
        Parameters that ``--help`` shows, in this order.
    groups : mapping of str to sequence of str
        Heading to parameters, for ``--help-all``; what no group names stands under *Other options*.
    """

    def __init__(self, *args: Any, common: Sequence[str], groups: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.common, self.groups = common, groups
        self.params.append(
            click.Option(
                ["--help-all"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_all,
                help="Show every option, in groups.",
            )
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the common options, or all of them under their headings."""
        options = [param for param in self.params if isinstance(param, click.Option)]
        lines = {option.name: line for option in options if (line := option.get_help_record(ctx))}
        own_help = self.get_help_option(ctx)
        if own_help and (line := own_help.get_help_record(ctx)):
            lines["help"] = line
        if not ctx.meta.get(HELP_ALL):
            names = [*self.common, "help_all", "help"]
            _section(formatter, "Options", [lines[name] for name in names if name in lines])
            return
        for title, group in self.groups.items():
            _section(formatter, title, [lines.pop(name) for name in group if name in lines])
        _section(formatter, "Other options", list(lines.values()))


def _section(formatter: click.HelpFormatter, title: str, lines: Sequence[tuple[str, str]]) -> None:
    if lines:
        with formatter.section(title):
            formatter.write_dl(lines)


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    del param
    if value and not ctx.resilient_parsing:
        ctx.meta[HELP_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
