"""Any delimited file with one row an epoch: columns as ``--columns`` says, else as their names say.

What kind of mean the training loss is cannot be seen; a mean over the epoch is assumed, as most training loops write,
and said. ``--train-loss-kind`` tells otherwise.
"""

from __future__ import annotations

from leakaudit.curves.build import About, build
from leakaudit.curves.names import choose
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Delimited, Source
from leakaudit.history import History

ABOUT = About("csv", "epoch_mean")


def sniff(source: Source) -> bool:
    """A delimited file in which a loss or an accuracy is recognised."""
    return source.table is not None and choose(source.table.names, {}) is not None


def read(source: Source, options: Options) -> list[History]:
    """One history a validation set.

    Raises
    ------
    ConfigError
        ``--columns`` names a column that is not there.
    """
    table = source.table
    assert table is not None
    choice = choose(table.names, options.columns)
    assert choice is not None
    notes = list(choice.notes)
    if options.train_loss_kind is None and choice.train_loss:
        notes.append("the training loss is taken for a mean over the epoch (--train-loss-kind says otherwise)")
    found: list[History] = []
    for val_set in choice.sets:
        wanted = {
            "train_loss": choice.train_loss,
            "val_loss": val_set.loss,
            "train_accuracy": tuple(filter(None, [choice.train_accuracy])),
            "val_accuracy": tuple(filter(None, [val_set.accuracy])),
            "lr": tuple(filter(None, [choice.lr])),
        }
        columns = {key: _sum(table, names) for key, names in wanted.items() if names}
        used = [name for names in wanted.values() for name in names]
        epoch = table.column(choice.epoch) if choice.epoch else None
        said = [*notes, *table.warnings(used)]
        found += build(source, ABOUT, options, epoch, columns, "", val_set.name, said)
    return found


def _sum(table: Delimited, names: tuple[str, ...]) -> list[float]:
    return [sum(cells) for cells in zip(*(table.column(name) for name in names), strict=True)]


READER = Reader("csv", "any csv with --columns train_loss=…,val_loss=…", sniff, read, ("columns",))
