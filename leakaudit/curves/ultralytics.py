"""Ultralytics' ``results.csv``: headers padded with spaces, one column a part of the loss, one row an epoch.

The parts (box, cls, dfl, …) are summed, those that both splits have. Validation runs on the moving average of the
weights, training losses are means over the epoch with augmentation on.

References
----------
https://docs.ultralytics.com/modes/train/
"""

from __future__ import annotations

from leakaudit.curves.build import About, build
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
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
    of = {
        split: {name[len(split) + 1 :]: name for name in table.names if name.startswith(f"{split}/") and "loss" in name}
        for split in ("train", "val")
    }
    parts = [part for part in of["train"] if part in of["val"]] or list(of["train"])
    columns = {
        "train_loss": _sum([table.column(of["train"][part]) for part in parts]),
        "val_loss": _sum([table.column(of["val"][part]) for part in parts if part in of["val"]]),
    }
    if "metrics/accuracy_top1" in table.names:
        columns["val_accuracy"] = table.column("metrics/accuracy_top1")
    if "lr/pg0" in table.names:
        columns["lr"] = table.column("lr/pg0")
    notes = [f"the losses are the sums of {', '.join(parts)}"] if len(parts) > 1 else []
    return build(source, ABOUT, options, table.column("epoch"), columns, notes=notes)


def _sum(columns: list[list[float]]) -> list[float]:
    return [sum(cells) for cells in zip(*columns, strict=True)]


READER = Reader("ultralytics-csv", "results.csv with columns epoch, train/…loss, val/…loss (Ultralytics)", sniff, read)
