"""``leakaudit explain CODE``: what a check does, why, how it decides, how to fix what it finds."""

from __future__ import annotations

from difflib import get_close_matches

import click


@click.command(epilog="Example: leakaudit explain LA103")
@click.argument("code")
def explain(code: str) -> None:
    """Say what a check does, why it matters, how it decides and how to fix it.

    CODE is a code (LA101) or a name (identical-files).
    """
    from leakaudit.checks import CHECKS

    by_name = {name: check for check in CHECKS for name in (check.code.lower(), check.slug)}
    check = by_name.get(code.lower())
    if check is None:
        near = get_close_matches(code.lower(), by_name, n=1)
        hint = f" Did you mean {near[0].upper() if near[0].startswith('la') else near[0]}?" if near else ""
        raise click.BadParameter(f"there is no check {code!r}.{hint} `leakaudit checks` lists them.")
    info = check.load().info
    click.echo(f"{info.code} {info.slug} ({info.severity})\n{info.title}.")
    for title, text in info.sections.items():
        click.echo(f"\n{title}\n{'-' * len(title)}\n{text}")
