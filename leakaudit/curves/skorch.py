"""skorch's ``net.history.to_file``: a JSON list with one record an epoch, its batches inside.

``train_loss`` and ``valid_loss`` are means over the epoch's batches, weighted by their sizes.

References
----------
https://skorch.readthedocs.io/en/stable/user/history.html
"""

from __future__ import annotations

from typing import Any

from leakaudit.curves.build import About, build
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = About("skorch-json", "epoch_mean")


def sniff(source: Source) -> bool:
    """A JSON list of records with ``epoch`` and ``train_loss`` or ``valid_loss``."""
    rows = source.json
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, dict) and "epoch" in row for row in rows)
        and any("valid_loss" in row or "train_loss" in row for row in rows)
    )


def read(source: Source, options: Options) -> list[History]:
    """One history a file."""
    rows: list[dict[str, Any]] = source.json or []
    wanted = {
        "train_loss": ("train_loss",),
        "val_loss": ("valid_loss", "val_loss"),
        "train_accuracy": ("train_acc", "train_accuracy"),
        "val_accuracy": ("valid_acc", "val_acc", "val_accuracy"),
        "lr": ("event_lr", "lr"),
    }
    columns = {}
    for key, names in wanted.items():
        name = next((name for name in names if any(name in row for row in rows)), None)
        if name is not None:
            columns[key] = [number(row.get(name)) for row in rows]
    return build(source, ABOUT, options, [number(row["epoch"]) for row in rows], columns)


READER = Reader("skorch-json", "a JSON list of records epoch, train_loss, valid_loss (skorch)", sniff, read)
