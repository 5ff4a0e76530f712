"""``leakaudit cache info|prune|clear``: what is kept between scans."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    envvar="LEAKAUDIT_CACHE_DIR",
    help="Default: the user's cache folder.",
)


@click.group(epilog="Example: leakaudit cache prune --days 30")
def cache() -> None:
    """Look at the kept fingerprints, or make room.

    Every file is read and decoded once; what was computed is kept outside the
    data. Clearing loses nothing but the time to compute it again.
    """


@cache.command(epilog="Example: leakaudit cache info")
@_FOLDER
def info(cache_dir: Path | None) -> int:
    """Say what the cache holds and where it is."""
    from leakaudit.fingerprints.cache import care as cache_care

    found = cache_care.info(_folder(cache_dir))
    each = f", {found.bytes_of_pictures / found.pictures:,.0f} bytes each" if found.pictures else ""
    click.echo(f"folder    {found.folder}")
    click.echo(f"pictures  {found.pictures:,} fingerprinted, {_size(found.bytes_of_pictures)}{each}")
    click.echo(f"results   {found.results:,} remembered, {_size(found.bytes_of_results)}")
    if found.others:
        click.echo(f"others    {found.others:,} of other versions, {_size(found.bytes_of_others)}: prune drops them")
    return 0


@cache.command(epilog="Example: leakaudit cache prune --days 7")
@_FOLDER
@click.option("--days", type=click.FloatRange(0), default=30, show_default=True, help="Unused for so long.")
def prune(cache_dir: Path | None, days: float) -> int:
    """Drop results that were not used for some time, and what other versions left."""
    from leakaudit.fingerprints.cache import care as cache_care

    click.echo(f"freed {_size(cache_care.prune(_folder(cache_dir), days))}")
    return 0


@cache.command(epilog="Example: leakaudit cache clear")
@_FOLDER
def clear(cache_dir: Path | None) -> int:
    """Drop everything; files that are not leakaudit's stay."""
    from leakaudit.fingerprints.cache import care as cache_care

    click.echo(f"freed {_size(cache_care.clear(_folder(cache_dir)))}")
    return 0


def _folder(given: Path | None) -> Path:
    from leakaudit.config import Config
    from leakaudit.fingerprints.cache.store import cache_folder

    return cache_folder(Config(cache_dir=given))


def _size(n_bytes: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if n_bytes < 1000:
            return f"{n_bytes:,.0f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:,.1f} GB"
