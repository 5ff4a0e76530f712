"""fastai's ``CSVLogger``: ``history.csv`` with ``epoch,train_loss,valid_loss,<metrics>,time``.

``train_loss`` is the recorder's exponential moving average over batches (``AvgSmoothLoss``, beta 0.98), not a mean over
the epoch; every metric is measured on the validation set.

References
----------
https://docs.fast.ai/callback.progress.html#csvlogger · https://docs.fast.ai/learner.html#avgsmoothloss
"""

from __future__ import annotations

from leakaudit.curves.any_csv import columns, warnings
from leakaudit.curves.build import About
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.table import histories
from leakaudit.history import History

ABOUT = About("fastai-csv", "ema")


def sniff(source: Source) -> bool:
    """A csv whose first columns are ``epoch,train_loss,valid_loss``."""
    table = source.table
    return table is not None and table.names[:3] == ("epoch", "train_loss", "valid_loss")


def read(source: Source, options: Options) -> list[History]:
    """One history a file."""
    table = source.table
    assert table is not None
    return histories(source, ABOUT, options, columns(table), notes=warnings(table, options))


READER = Reader(
    "fastai-csv", "history.csv with columns epoch, train_loss, valid_loss (fastai)", sniff, read, ("columns",)
)
