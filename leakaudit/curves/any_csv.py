"""Any delimited file with one row an epoch: columns as ``--columns`` says, else as their names say.

What kind of mean the training loss is cannot be seen; a mean over the epoch is assumed, as most training loops write,
and said. ``--train-loss-kind`` tells otherwise.
"""

from __future__ import annotations

import math

from leakaudit.curves import records
from leakaudit.curves.build import About
from leakaudit.curves.names import SPLIT_WORDS, choose, role, used
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Delimited, Source
from leakaudit.curves.table import histories, unrecognised
from leakaudit.history import History

ABOUT = About("csv", "epoch_mean")
ASSUMED = "the training loss is taken for a mean over the epoch (--train-loss-kind says otherwise)"


def sniff(source: Source) -> bool:
    """A delimited file in which a loss or an accuracy is recognised."""
    table = source.table
    if table is None or (choice := choose(_numbered(table), {})) is None:
        return False
    said = [name for name in used(choice) if (found := role(name)) is not None and found.quantity != "lr"]
    return any(not math.isnan(value) for name in said for value in table.column(name)) or not table.rows


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set.

    Raises
    ------
    ConfigError
        ``--columns`` names a column that is not there.
    """
    table = source.table
    assert table is not None
    if (split := split_column(table)) is not None:
        return _of_long_rows(source, options, table, split)
    choice = choose(_numbered(table), options.columns)
    if choice is None:
        raise unrecognised(source, table.names)
    notes = [ASSUMED] if options.train_loss_kind is None and choice.train_loss else []
    return histories(source, ABOUT, options, columns(table), notes=[*notes, *warnings(table, options)], choice=choice)


def columns(table: Delimited) -> dict[str, list[float]]:
    """All columns as numbers."""
    return {name: table.column(name) for name in _numbered(table)}


def warnings(table: Delimited, options: Options) -> list[str]:
    """What the table says about itself, and cells that should be numbers and are none."""
    choice = choose(_numbered(table), options.columns)
    return table.warnings([name for name in used(choice) if name in table.names] if choice else [])


def _numbered(table: Delimited) -> list[str]:
    """The names of the columns; one without a name, as a data frame's index has, is none."""
    return [name for name in dict.fromkeys(table.names) if name]


def split_column(table: Delimited) -> str | None:
    """A column whose every cell says a split: rows of training and of validation take turns."""
    for at, name in enumerate(table.names):
        cells = {row[at].strip().lower() for row in table.rows}
        if len(cells) > 1 and name and all(cell in SPLIT_WORDS for cell in cells):
            return name
    return None


def _of_long_rows(source: Source, options: Options, table: Delimited, split: str) -> list[History]:
    at = table.names.index(split)
    numbers = {name: values for name, values in columns(table).items() if name != split}
    rows = [
        records.Record(
            {name: values[row] for name, values in numbers.items()}, SPLIT_WORDS[table.rows[row][at].strip().lower()]
        )
        for row in range(len(table.rows))
    ]
    return records.histories(source, ABOUT, options, rows, notes=table.warnings(()))


READER = Reader("csv", "any csv with --columns train_loss=…,val_loss=…", sniff, read, ("columns",))
