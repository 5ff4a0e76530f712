"""Options that take codes of checks."""

from __future__ import annotations

import click


def codes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Codes or prefixes, given one by one or with commas, in any case; a usage error where no check begins so."""
    del ctx, param
    from leakaudit.checks import CHECKS

    found = tuple(code.strip().upper() for value in values for code in value.split(",") if code.strip())
    for code in found:
        if not any(check.code.startswith(code) for check in CHECKS):
            raise click.BadParameter(f"no check begins with {code!r}: `leakaudit checks` lists them")
    return found
