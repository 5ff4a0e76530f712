"""PyTorch Lightning's ``CSVLogger``: ``metrics.csv`` with ``epoch``, ``step`` and sparse rows.

Each call of ``log`` writes a row of its own, so the values of one epoch lie in several rows. Where the training loss
was logged within epochs (``name_step``, or every ``log_every_n_steps``), a logged value is one batch's, and the mean
over the epoch is estimated by their mean; ``name_epoch`` is the mean itself. A validation that is run once more after
``fit`` counts as a new epoch and is left out; so is what ``test`` wrote.

References
----------
https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.loggers.csv_logs.html
"""

from __future__ import annotations

import math

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = About("lightning-csv", "epoch_mean")


def sniff(source: Source) -> bool:
    """A csv with ``epoch`` and ``step``."""
    table = source.table
    return table is not None and {"epoch", "step"} <= set(table.names)


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set (data loader)."""
    table = source.table
    assert table is not None
    steps = table.column("step")
    epochs = {
        step: epoch
        for step, epoch in zip(steps, table.column("epoch"), strict=True)
        if math.isfinite(step) and math.isfinite(epoch)
    }
    series: dict[str, dict[float, float]] = {}
    for name in table.names:
        if name in ("epoch", "step", ""):
            continue
        values = zip(steps, table.column(name), strict=True)
        points = {step: value for step, value in values if math.isfinite(step) and not math.isnan(value)}
        if points:
            series[name] = points
    return histories(source, ABOUT, options, Log(series, epochs))


READER = Reader(
    "lightning-csv", "metrics.csv with columns epoch, step (Lightning CSVLogger)", sniff, read, ("columns",)
)
