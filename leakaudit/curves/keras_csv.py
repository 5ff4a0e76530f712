"""Keras' ``CSVLogger``: ``epoch`` and the sorted names of the logs, ``NA`` where a value is missing.

The training loss is the mean over the epoch while the weights moved, penalties included; Keras adds them to the
validation loss, too (``Model.evaluate`` sums ``self.losses`` in both modes). The learning rate is called ``lr`` up to
Keras 2 and ``learning_rate`` since Keras 3.

References
----------
https://keras.io/api/callbacks/csv_logger/
"""

from __future__ import annotations

from collections.abc import Sequence

from leakaudit.curves.build import About, build
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = About("keras-csv", "epoch_mean")


def train_and_val_accuracy(names: Sequence[str]) -> tuple[str | None, str | None]:
    """The first accuracy among the names of Keras logs, and its validation twin."""
    train = [n for n in names if not n.startswith("val_") and (n in ("acc", "accuracy") or n.endswith("_accuracy"))]
    whole = sorted(train, key=lambda n: n not in ("accuracy", "acc"))
    first = next(iter(whole), None)
    val = f"val_{first}" if first else None
    return first, val if val in names else None


def sniff(source: Source) -> bool:
    """A csv with ``epoch`` and a bare ``loss``."""
    table = source.table
    return table is not None and {"epoch", "loss"} <= set(table.names)


def read(source: Source, options: Options) -> list[History]:
    """One history a file, or one a part where epochs start again."""
    table = source.table
    assert table is not None
    train_accuracy, val_accuracy = train_and_val_accuracy(table.names)
    wanted = {
        "train_loss": "loss",
        "val_loss": "val_loss",
        "train_accuracy": train_accuracy,
        "val_accuracy": val_accuracy,
        "lr": "learning_rate" if "learning_rate" in table.names else "lr",
    }
    columns = {key: table.column(name) for key, name in wanted.items() if name in table.names and name is not None}
    notes = table.warnings([name for name in wanted.values() if name in table.names and name is not None])
    return build(source, ABOUT, options, table.column("epoch"), columns, notes=notes)


READER = Reader("keras-csv", "a csv with columns epoch, loss (Keras CSVLogger)", sniff, read)
