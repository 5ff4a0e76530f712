"""The csv that the callbacks of `leakaudit.callbacks` write: reported losses, and those of fixed samples in both modes.

Beside the reported losses, the loss of the training sample in evaluation mode is known here at the end of each epoch;
``leakaudit curves`` shows what ``attribute(history=…)`` gives of it.
"""

from __future__ import annotations

from leakaudit.curves.any_csv import columns, warnings
from leakaudit.curves.build import About, build
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

FORMAT = "leakaudit-csv"
ABOUT = About(FORMAT, "epoch_mean")
SAMPLES = ("sample_train_mode", "sample_eval_mode", "val_sample_eval_mode")


def sniff(source: Source) -> bool:
    """A csv with ``epoch`` and the losses of the fixed samples."""
    return source.table is not None and {"epoch", "train_loss", "val_loss", *SAMPLES} <= set(source.table.names)


def read(source: Source, options: Options) -> list[History]:
    """One history a file; where no loss was reported, that of the samples stands in."""
    import numpy as np

    table = source.table
    assert table is not None
    values = {name: np.asarray(cells) for name, cells in columns(table).items()}
    notes = warnings(table, options)
    chosen = {}
    for key, sample, words in (
        ("train_loss", "sample_train_mode", "training mode"),
        ("val_loss", "val_sample_eval_mode", "evaluation mode"),
    ):
        reported = np.isfinite(values[key]).any()
        chosen[key] = values[key] if reported else values[sample]
        if not reported:
            notes.append(f"no {key} was reported: that of the fixed sample in {words} stands in")
    return build(source, ABOUT, options, values["epoch"], chosen, notes=notes)


READER = Reader(FORMAT, "the csv that a callback of leakaudit.callbacks wrote", sniff, read)
