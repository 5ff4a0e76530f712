"""Progress bars on standard error, on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from leakaudit.engines.progress import Progress, silent


def for_terminal() -> Progress:
    """Bars with rate and time left where somebody watches; silence in a pipe and under CI."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        return silent
    return _bars


@contextmanager
def _bars(title: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total, rate=unit)

        def advance(done: int) -> None:
            speed = bars.tasks[0].speed
            bars.update(task, advance=done, rate=f"{speed:,.0f} {unit}/s" if speed else unit)

        yield advance
