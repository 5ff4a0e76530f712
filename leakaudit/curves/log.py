"""Histories from logs by step: series of (step, value), as Lightning, TensorBoard, MLflow and W&B keep them.

One row of the history is one evaluation. Its training loss is the mean of what was logged since the evaluation before,
which is what the mean over an epoch is where a run is evaluated once an epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from leakaudit.curves.build import About, build
from leakaudit.curves.names import Choice, Split, ValSet, choose, listed
from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.curves.table import as_accuracies, unused_note
from leakaudit.errors import InputError
from leakaudit.history import History, Unit

if TYPE_CHECKING:
    from leakaudit.history import Floats


@dataclass(frozen=True, slots=True)
class Log:
    """What was logged.

    Parameters
    ----------
    series : mapping of str to mapping of float to float
        Name to step to value; a step that was logged twice keeps its last value.
    epochs : mapping of float to float
        Step to epoch, where it was logged.
    splits : mapping of str to str
        What the place of a name says about its split.
    notes : tuple of str
        What was left out while reading.
    """

    series: Mapping[str, Mapping[float, float]]
    epochs: Mapping[float, float] = field(default_factory=dict)
    splits: Mapping[str, Split] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def histories(
    source: Source, about: About, options: Options, log: Log, run: str = "", choice: Choice | None = None
) -> list[History]:
    """One history a validation set.

    Parameters
    ----------
    choice : Choice, optional
        Which series hold what; by default it is recognised from the names.

    Raises
    ------
    InputError
        No series is a loss or an accuracy.
    """
    import numpy as np

    choice = choice or choose(log.series, options.columns, log.splits)
    if choice is None:
        there = listed(log.series) or "none at all"
        raise InputError(
            f"{source.shown}: no series is recognised as a loss or an accuracy; there are: {there}. "
            "Name them with --columns train_loss=…,val_loss=…"
        )
    epochs = dict(log.epochs)
    if not epochs and choice.epoch is not None:
        epochs = {step: value for step, value in log.series[choice.epoch].items() if np.isfinite(value)}
    found: list[History] = []
    for val_set in choice.sets:
        found += _of_set(source, about, options, log, choice, val_set, epochs, run)
    return found


def _of_set(
    source: Source,
    about: About,
    options: Options,
    log: Log,
    choice: Choice,
    val_set: ValSet,
    epochs: Mapping[float, float],
    run: str,
) -> list[History]:
    import numpy as np

    train_loss = _summed(log, choice.train_loss)
    val_loss = _summed(log, val_set.loss)
    third = choice.test or ValSet("", (), None)
    test_loss = _summed(log, third.loss)
    single = {
        "train_accuracy": log.series.get(choice.train_accuracy or "", {}),
        "val_accuracy": log.series.get(val_set.accuracy or "", {}),
        "test_accuracy": log.series.get(third.accuracy or "", {}),
        "lr": log.series.get(choice.lr or "", {}),
    }
    rows = sorted({*val_loss, *single["val_accuracy"]})
    if not rows:
        rows = _train_rows(sorted({*train_loss, *single["train_accuracy"]}), epochs)
    notes = [*choice.notes, *log.notes, *unused_note(choice.unused)]
    rows, dropped = _without_later_validation(rows, [*train_loss, *single["train_accuracy"]], epochs)
    if dropped:
        notes.append("a validation after the end of training is left out")
    at = np.array(rows, dtype=np.float64)
    train_steps = np.array(sorted({*train_loss, *single["train_accuracy"]}), dtype=np.float64)
    edges = at
    if not epochs and len(at) >= 2 and len(train_steps) > 2 * len(at) and at[-1] * 2 < train_steps[-1]:
        edges = _stretched(at, train_steps[-1])
        notes.append(
            "training is logged by step, validation by epoch: both are taken to end together, epochs to be equally long"
        )
    columns = {
        "train_loss": _means(train_loss, edges),
        "val_loss": np.array([val_loss.get(step, np.nan) for step in rows]),
        "train_accuracy": _means(single["train_accuracy"], edges),
        "val_accuracy": np.array([single["val_accuracy"].get(step, np.nan) for step in rows]),
        "lr": _last(single["lr"], edges),
    }
    if third.loss:
        columns["test_loss"] = _last(test_loss, at)
    if third.accuracy:
        columns["test_accuracy"] = _last(single["test_accuracy"], at)
    columns |= as_accuracies(columns, choice, val_set)
    epoch, unit = _row_epochs(at, epochs, about)
    per_row = len(train_loss) / max(1, len(rows))
    kind = about.train_loss_kind
    if kind == "epoch_mean" and (per_row > 1.5 or unit == "step"):
        kind = "window_mean"
    about = replace(about, unit=unit, train_loss_kind=kind)
    return build(source, about, options, epoch, columns, run, val_set.name, notes, choice.metric)


def _summed(log: Log, names: tuple[str, ...]) -> dict[float, float]:
    """The sum of several series at the steps that all of them have."""
    if not names:
        return {}
    steps = set(log.series[names[0]]).intersection(*(log.series[name] for name in names[1:]))
    return {step: sum(log.series[name][step] for name in names) for step in steps}


def _train_rows(steps: list[float], epochs: Mapping[float, float]) -> list[float]:
    """Where nothing was validated: the last logged step of each epoch, or all steps."""
    if not epochs:
        return steps
    last: dict[float, float] = {}
    known = _epoch_at(steps, epochs)
    for step, epoch in zip(steps, known, strict=True):
        last[float(epoch)] = step
    return sorted(last.values())


def _without_later_validation(
    rows: list[float], train: list[float], epochs: Mapping[float, float]
) -> tuple[list[float], bool]:
    """Leave out a validation that was run once more after training: a new epoch number hardly any steps later."""
    if len(rows) < 2 or not train or not epochs:
        return rows, False
    known = _epoch_at([*rows, max(train)], epochs)
    last_train, spacing = known[-1], (rows[-2] - rows[0]) / max(1, len(rows) - 2) or rows[-1] - rows[0]
    late = known[-2] > last_train and rows[-1] > max(train) and rows[-1] - rows[-2] < spacing / 2
    return (rows[:-1], True) if late else (rows, False)


def _epoch_at(steps: list[float], epochs: Mapping[float, float]) -> Floats:
    """The epoch at each step: as logged, else the one logged last before it."""
    import numpy as np

    known = np.array(sorted(epochs), dtype=np.float64)
    values = np.array([epochs[step] for step in known.tolist()])
    at = np.searchsorted(known, np.array(steps, dtype=np.float64), side="right") - 1
    found: Floats = values[np.maximum(at, 0)]
    return found


def _row_epochs(at: Floats, epochs: Mapping[float, float], about: About) -> tuple[Floats, Unit]:
    """Epochs of the rows; where an epoch has several rows, its number belongs to the last and the others are parts."""
    import numpy as np

    if not epochs:
        consecutive = len(at) > 0 and bool((np.diff(at) == 1).all()) and at[0] in (0, 1)
        return at, about.unit if consecutive else "step"
    known = _epoch_at(at.tolist(), epochs)
    if (np.diff(known) > 0).all():
        return known, about.unit
    if (np.diff(known) < 0).any():
        return at, "step"
    values, start, count = np.unique(known, return_index=True, return_counts=True)
    parts = known.copy()
    for value, first, n in zip(values, start, count, strict=True):
        parts[first : first + n] = value - 1 + np.arange(1, n + 1) / n
    return (parts, about.unit) if (np.diff(parts) > 0).all() else (at, "step")


def _stretched(at: Floats, last: float) -> Floats:
    """Validation indices laid over the training steps so that both end together."""
    spacing = (at[-1] - at[0]) / (len(at) - 1)
    stretched: Floats = (at - at[0] + spacing) / (at[-1] - at[0] + spacing) * last
    return stretched


def _means(series: Mapping[float, float], edges: Floats) -> Floats:
    """Mean of a series over each window that ends with an edge; infinite where all that was logged is not finite."""
    import numpy as np

    means = np.full(len(edges), np.nan)
    steps = np.array(sorted(series), dtype=np.float64)
    values = np.array([series[step] for step in steps.tolist()])
    stops = np.searchsorted(steps, edges, side="right")
    starts = np.r_[0, stops[:-1]][: len(stops)]
    for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        window = values[start:stop]
        finite = window[np.isfinite(window)]
        if len(finite):
            means[row] = finite.mean()
        elif np.isinf(window).any():
            means[row] = np.inf
    return means


def _last(series: Mapping[float, float], edges: Floats) -> Floats:
    """Last value of a series up to each edge, within its window."""
    import numpy as np

    found = np.full(len(edges), np.nan)
    steps = np.array(sorted(series), dtype=np.float64)
    values = np.array([series[step] for step in steps.tolist()])
    stops = np.searchsorted(steps, edges, side="right")
    starts = np.r_[0, stops[:-1]][: len(stops)]
    for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        if stop > start:
            found[row] = values[stop - 1]
    return found
