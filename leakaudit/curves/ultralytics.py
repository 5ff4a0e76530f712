"""Ultralytics' ``results.csv``: headers padded with spaces, one column a part of the loss, one row an epoch.

The parts (box, cls, dfl, …) are summed, those that both splits have. Validation runs on the moving average of the
weights, training losses are means over the epoch with augmentation on. The score is mAP50-95 (of classifiers: top-1
accuracy). Learning rates are called ``lr/pg0`` … and, in YOLOv5, ``x/lr0`` …; the last group is followed, because the
first holds the biases, which warm up from above.

References
----------
https://docs.ultralytics.com/modes/train/
"""

from __future__ import annotations

from dataclasses import replace

from leakaudit.curves.any_csv import columns, warnings
from leakaudit.curves.build import About
from leakaudit.curves.names import choose, role
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.table import histories, unrecognised
from leakaudit.history import History

ABOUT = About("ultralytics-csv", "epoch_mean", val_weights="ema")


def sniff(source: Source) -> bool:
    """A csv with ``epoch``, ``train/…loss`` and ``metrics/…`` or ``val/…loss``."""
    table = source.table
    if table is None or "epoch" not in table.names:
        return False
    train = any(name.startswith("train/") and name.endswith("loss") for name in table.names)
    return train and any(name.startswith(("metrics/", "val/")) for name in table.names)


def read(source: Source, options: Options) -> list[History]:
    """One history a file."""
    table = source.table
    assert table is not None
    values = columns(table)
    choice = choose(values, options.columns)
    if choice is None:
        raise unrecognised(source, table.names)
    rates = [name for name in values if (found := role(name)) is not None and found.quantity == "lr"]
    if rates and "lr" not in options.columns:
        choice = replace(choice, lr=rates[-1])
    choice = replace(choice, unused=tuple(name for name in choice.unused if name not in rates))
    return histories(source, ABOUT, options, values, notes=warnings(table, options), choice=choice)


READER = Reader(
    "ultralytics-csv",
    "results.csv with columns epoch, train/…loss, val/…loss (Ultralytics)",
    sniff,
    read,
    ("columns",),
)
