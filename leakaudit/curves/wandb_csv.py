"""What the W&B web page exports from a chart: ``Step``, then ``<run> - <name>`` with ``__MIN`` and ``__MAX`` beside it.

One history a run. ``__MIN`` and ``__MAX`` are the limits of what the page averaged, and equal the value where it did
not.

References
----------
https://docs.wandb.ai/guides/app/features/panels (export of panel data)
"""

from __future__ import annotations

import math

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.names import choose, listed
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Delimited, Source
from leakaudit.errors import InputError
from leakaudit.history import History

ABOUT = About("wandb-csv", "epoch_mean")
BETWEEN = " - "
LIMITS = ("__MIN", "__MAX")


def sniff(source: Source) -> bool:
    """A csv whose columns but the first are all called ``<run> - <name>``."""
    table = source.table
    return (
        table is not None
        and len(table.names) > 1
        and BETWEEN not in table.names[0]
        and all(BETWEEN in name for name in table.names[1:] if name)
        and any(table.names[1:])
    )


def read(source: Source, options: Options) -> list[History]:
    """One history a run and validation set.

    Raises
    ------
    InputError
        No run logged a loss or an accuracy.
    """
    table = source.table
    assert table is not None
    runs: dict[str, dict[str, dict[float, float]]] = {}
    limits = 0
    steps = table.column(table.names[0])
    for name in table.names[1:]:
        run, _, key = name.rpartition(BETWEEN)
        if name.endswith(LIMITS):
            limits += 1
        elif run:
            runs.setdefault(run, {})[key] = _points(table, name, steps)
    notes = table.warnings(())
    if limits:
        notes.append(f"{limits} columns __MIN and __MAX left out: they are the limits of what the page averaged")
    found: list[History] = []
    silent = []
    for run, series in runs.items():
        points = {key: values for key, values in series.items() if values}
        if choose(points, options.columns) is None:
            silent.append(run)
            continue
        label = run if len(runs) > 1 else ""
        found += histories(source, ABOUT, options, Log(points, notes=tuple(notes)), label)
    if not found:
        raise InputError(
            f"{source.shown}: none of its {len(silent):,} runs logged a loss or an accuracy: {listed(silent)}"
        )
    return found


def _points(table: Delimited, name: str, steps: list[float]) -> dict[float, float]:
    values = table.column(name)
    return {s: v for s, v in zip(steps, values, strict=True) if math.isfinite(s) and not math.isnan(v)}


READER = Reader("wandb-csv", "a csv with columns <run> - <name> (export of a W&B chart)", sniff, read, ("columns",))
