"""The command line: parse, call the library, print, exit.

Exit codes: 0 clean, 1 findings at or above ``--fail-on``, 2 usage or unusable input, 3 a bug in leakaudit,
4 the audit is incomplete, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NoReturn

import click

from leakaudit import __version__
from leakaudit.engines.pandas_unseen import hide_pandas
from leakaudit.errors import LeakauditError

COMMANDS = (
    "scan",
    "split",
    "curves",
    "explain",
    "checks",
    "accept",
    "review",
    "diff",
    "hook",
    "cache",
    "config",
    "init",
)
USAGE_ERROR, BUG, INTERRUPTED = 2, 3, 130


class _LazyGroup(click.Group):
    """Imports a command only when it is called or listed in full: ``--version`` pays for none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"leakaudit.cli.{cmd_name}"), cmd_name)
        return command


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Example: leakaudit scan data/ --html report.html",
)
@click.version_option(__version__, prog_name="leakaudit")
def cli() -> None:
    """Say what of validation is already in training, before you train."""


def main() -> NoReturn:
    """Run the command line and exit; the only place where an error becomes an exit code."""
    hide_pandas()
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = USAGE_ERROR
    except LeakauditError as error:
        click.echo(f"leakaudit: {_one_line(error)}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("leakaudit: interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get("LEAKAUDIT_DEBUG"):
            raise
        kind = type(error).__name__
        click.echo(f"leakaudit: a bug in leakaudit, please report it: {kind}: {_one_line(error)}", err=True)
        click.echo("leakaudit: LEAKAUDIT_DEBUG=1 shows where", err=True)
        code = BUG
    sys.exit(code)


def _one_line(error: BaseException) -> str:
    from leakaudit.render.words.plain import plain

    return plain(" ".join(str(error).split()))
