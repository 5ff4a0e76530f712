"""Histories from a table of one row an epoch, whatever file it was: names are recognised, losses of parts summed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from leakaudit.curves.build import About, build
from leakaudit.curves.names import Choice, ValSet, choose, listed
from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.errors import InputError
from leakaudit.history import History, Unit

if TYPE_CHECKING:
    from leakaudit.history import Floats

MOST_NAMED = 40
"""Unused names in a note at most; a log of detections has a hundred."""

Columns = Mapping[str, Sequence[float]]


def histories(
    source: Source,
    about: About,
    options: Options,
    columns: Columns,
    run: str = "",
    notes: Sequence[str] = (),
    choice: Choice | None = None,
) -> list[History]:
    """One history a validation set.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        Every column of the file, under its own name; rows in file order.
    choice : Choice, optional
        Which columns hold what; by default it is recognised from the names.

    Raises
    ------
    InputError
        No column is a loss or an accuracy.
    """
    choice = choice or choose(columns, options.columns)
    if choice is None:
        raise unrecognised(source, list(columns))
    said = [*choice.notes, *notes, *unused_note(choice.unused)]
    epoch, unit = _clock(choice, columns, about)
    about = replace(about, unit=unit)
    found: list[History] = []
    for val_set in choice.sets:
        of_set = {
            key: _sum([columns[name] for name in names])
            for key, names in wanted(choice, val_set).items()
            if names and all(name in columns for name in names)
        }
        of_set |= as_accuracies(of_set, choice, val_set)
        found += build(source, about, options, epoch, of_set, run, val_set.name, said, choice.metric)
    return found


def unrecognised(source: Source, names: Sequence[str]) -> InputError:
    """The error for names among which there is nothing."""
    told = f"there are: {listed(names)}" if names else "there are no columns at all"
    return InputError(
        f"{source.shown}: no column is recognised as a loss or an accuracy; {told}. "
        "Name them with --columns epoch=…,train_loss=…,val_loss=…"
    )


def unused_note(unused: Sequence[str]) -> list[str]:
    """The sentence that names every column of which nothing was made."""
    return [f"not used: {listed(unused, MOST_NAMED)}"] if unused else []


def wanted(choice: Choice, val_set: ValSet) -> dict[str, tuple[str, ...]]:
    """The names that make each array of a history."""
    test = choice.test or ValSet("", (), None)
    return {
        "train_loss": choice.train_loss,
        "val_loss": val_set.loss,
        "test_loss": test.loss,
        "train_accuracy": tuple(filter(None, [choice.train_accuracy])),
        "val_accuracy": tuple(filter(None, [val_set.accuracy])),
        "test_accuracy": tuple(filter(None, [test.accuracy])),
        "lr": tuple(filter(None, [choice.lr])),
    }


def as_accuracies(found: Mapping[str, Floats], choice: Choice, val_set: ValSet) -> dict[str, Floats]:
    """Rates of errors turned into accuracies; those above 1 are per cent."""
    import numpy as np

    turned = {}
    for key, names in wanted(choice, val_set).items():
        if key in found and set(names) & choice.errors:
            values = found[key]
            known = values[np.isfinite(values)]
            turned[key] = 1 - values / (100 if len(known) and known.max() > 1 else 1)
    return turned


def _sum(columns: Sequence[Sequence[float]]) -> Floats:
    """The sum, unknown where a part is."""
    import numpy as np

    length = max(map(len, columns))
    total = np.zeros(length)
    for column in columns:
        padded = np.full(length, np.nan)
        padded[: len(column)] = column
        total += padded
    return total


def _clock(choice: Choice, columns: Columns, about: About) -> tuple[Sequence[float] | None, Unit]:
    """What numbers the rows: epochs, else steps, else nothing."""
    if choice.epoch is not None and choice.epoch in columns:
        return columns[choice.epoch], about.unit
    if choice.step is None or choice.step not in columns:
        return None, about.unit
    at = columns[choice.step]
    consecutive = list(at) in (list(range(len(at))), list(range(1, len(at) + 1)))
    return at, about.unit if consecutive else "step"
