"""What a user may say about a history, where the file does not say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leakaudit.curves.source import Source
from leakaudit.errors import ConfigError
from leakaudit.history import History, TrainLossKind, ValWeights

FIELDS = ("epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr")
"""What ``--columns`` can name."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to read.

    Parameters
    ----------
    columns : mapping of str to str, default {}
        One of `FIELDS` to the column, tag or series that holds it; overrides what would be recognised.
    train_set : str or None
        Name of the evaluation set that is the training set, for boosting libraries that do not say.
    val_sets : tuple of str, default ()
        Names of the evaluation sets to report; empty: all but the training set.
    train_loss_kind : TrainLossKind or None
        Overrides what the format implies.
    val_weights : ValWeights or None
        Overrides what the format implies.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    train_set: str | None = None
    val_sets: tuple[str, ...] = ()
    train_loss_kind: TrainLossKind | None = None
    val_weights: ValWeights | None = None


def of_sets(histories: Sequence[History], options: Options, source: Source) -> list[History]:
    """The histories of the validation sets that the user names; all where none is named.

    Raises
    ------
    ConfigError
        There is no such set.
    """
    names = [history.val_set for history in histories]
    for name in options.val_sets:
        if name not in names:
            there = ", ".join(dict.fromkeys(name for name in names if name)) or "only one, without a name"
            raise ConfigError(f"{source.shown}: --val-set {name}: there is no such validation set; there are: {there}")
    return [history for history in histories if not options.val_sets or history.val_set in options.val_sets]
