"""Keras' ``CSVLogger``: ``epoch`` and the sorted names of the logs, ``NA`` where a value is missing.

The training loss is the mean over the epoch while the weights moved, penalties included; Keras adds them to the
validation loss, too (``Model.evaluate`` sums ``self.losses`` in both modes). The learning rate is called ``lr`` up to
Keras 2 and ``learning_rate`` since Keras 3.

References
----------
https://keras.io/api/callbacks/csv_logger/
"""

from __future__ import annotations

from leakaudit.curves.any_csv import columns, split_column, warnings
from leakaudit.curves.build import About
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.table import histories
from leakaudit.history import History

ABOUT = About("keras-csv", "epoch_mean")


def sniff(source: Source) -> bool:
    """A csv with ``epoch`` and a bare ``loss``."""
    table = source.table
    return table is not None and {"epoch", "loss"} <= set(table.names) and split_column(table) is None


def read(source: Source, options: Options) -> list[History]:
    """One history a file, or one a part where epochs start again."""
    table = source.table
    assert table is not None
    return histories(source, ABOUT, options, columns(table), notes=warnings(table, options))


READER = Reader("keras-csv", "a csv with columns epoch, loss (Keras CSVLogger)", sniff, read, ("columns",))
