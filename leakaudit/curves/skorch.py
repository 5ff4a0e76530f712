"""skorch's ``net.history.to_file``: a JSON list with one record an epoch, its batches inside.

``train_loss`` and ``valid_loss`` are means over the epoch's batches, weighted by their sizes.

References
----------
https://skorch.readthedocs.io/en/stable/user/history.html
"""

from __future__ import annotations

from leakaudit.curves import records
from leakaudit.curves.build import About
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.history import History

ABOUT = About("skorch-json", "epoch_mean")


def sniff(source: Source) -> bool:
    """A JSON list of records with ``epoch`` and ``batches``."""
    rows = source.json
    return (
        isinstance(rows, list)
        and bool(rows)
        and all(isinstance(row, dict) and "epoch" in row for row in rows)
        and any("batches" in row for row in rows)
        and any("valid_loss" in row or "train_loss" in row for row in rows)
    )


def read(source: Source, options: Options) -> list[History]:
    """One history a file."""
    rows = [{key: value for key, value in row.items() if key != "batches"} for row in source.json or []]
    return records.histories(source, ABOUT, options, [records.of_object(row) for row in rows])


READER = Reader(
    "skorch-json", "a JSON list of records epoch, train_loss, valid_loss, batches (skorch)", sniff, read, ("columns",)
)
