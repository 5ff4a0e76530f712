"""``leakaudit checks``: the catalogue."""

from __future__ import annotations

import json

import click


@click.command(epilog="Example: leakaudit checks --format json")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def checks(format_: str) -> None:
    """List every check: code, name, default severity, what it does."""
    from leakaudit.checks import CHECKS

    catalogue = [check.load().info for check in CHECKS]
    if format_ == "json":
        rows = [
            {"code": info.code, "slug": info.slug, "severity": info.severity, "title": info.title} for info in catalogue
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    widths = [max(len(getattr(info, name)) for info in catalogue) for name in ("code", "slug", "severity")]
    for info in catalogue:
        code, slug, severity = (
            text.ljust(width) for text, width in zip((info.code, info.slug, info.severity), widths, strict=True)
        )
        click.echo(f"{code}  {slug}  {severity}")
        click.echo(f"{' ' * len(code)}  {info.title}")
