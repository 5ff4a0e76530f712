"""From rows as they were logged to histories: merged by epoch, in order, runs that share a file taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.errors import InputError
from leakaudit.history import History, TrainLossKind, Unit, ValWeights

if TYPE_CHECKING:
    import numpy as np

    from leakaudit.history import Floats

LARGEST = 1e100
"""A loss beyond it counts as infinite: nothing can be computed with its square."""

LARGEST_EPOCH = 1e15
"""Beyond it, epochs and steps can no longer be told apart as floats."""

MOST_PARTS = 20
"""A file whose epochs start again more often is taken as one badly ordered run."""


@dataclass(frozen=True, slots=True)
class About:
    """What a format says about all its histories; `Options` may override it."""

    format: str
    train_loss_kind: TrainLossKind
    val_weights: ValWeights = "raw"
    unit: Unit = "epoch"
    notes: tuple[str, ...] = ()


def build(
    source: Source,
    about: About,
    options: Options,
    epoch: Sequence[float] | Floats | None,
    columns: Mapping[str, Sequence[float] | Floats],
    run: str = "",
    val_set: str = "",
    notes: Sequence[str] = (),
    metric: str = "accuracy",
) -> list[History]:
    """Histories from rows in file order.

    Rows of one epoch that follow each other are merged, the last value of each column counts. Where the epochs start
    again at their beginning, another run (or another call of ``fit``) begins. Where they go back only part of the way,
    a run was resumed, and later rows replace earlier ones.

    Parameters
    ----------
    epoch : sequence of float or None
        None: rows are counted from 1.
    columns : mapping of str to sequence of float
        Keys as the arrays of `History`.

    Raises
    ------
    InputError
        There is not one row with a loss or an accuracy.
    """
    import numpy as np

    length = max((len(values) for values in columns.values()), default=0)
    data = {key: _bounded(_padded(values, length)) for key, values in columns.items()}
    at = np.arange(1.0, length + 1) if epoch is None else _padded(epoch, length)
    told = np.zeros(length, bool)
    for key, values in data.items():
        if key != "lr":
            told |= ~np.isnan(values)
    numbered = np.abs(at) < LARGEST_EPOCH
    extra = list(notes)
    if n_lost := int((told & ~numbered).sum()):
        extra.append(f"{n_lost:,} row{'s' if n_lost > 1 else ''} without an epoch number left out")
    keep = told & numbered
    if not keep.any():
        raise InputError(f"{source.shown}: there is not one row with a loss or an accuracy")
    at, data = _merged(at[keep], {key: values[keep] for key, values in data.items()})
    parts = _parts(at)
    found = []
    for number, (start, stop) in enumerate(parts, 1):
        part_notes = list(extra)
        label = run
        if len(parts) > 1:
            label = f"{run} part {number}".strip()
            part_notes.append(f"the epochs start again: part {number} of {len(parts)} of the file")
        order, note = _order(at[start:stop])
        if note:
            part_notes.append(note)
        arrays = {key: values[start:stop][order] for key, values in data.items()}
        part_notes += _missing_epochs(at[start:stop][order], about)
        names = (label, val_set, metric)
        found.append(_history(source, about, options, names, at[start:stop][order], arrays, part_notes))
    return found


def _padded(values: Sequence[float] | Floats, length: int) -> Floats:
    import numpy as np

    array = np.full(length, np.nan)
    array[: len(values)] = np.asarray(values, dtype=np.float64)[:length]
    return array


def _bounded(values: Floats) -> Floats:
    import numpy as np

    return np.where(np.abs(values) > LARGEST, np.inf, values)


def _merged(at: Floats, data: dict[str, Floats]) -> tuple[Floats, dict[str, Floats]]:
    """Rows of one epoch that follow each other as one row."""
    import numpy as np

    starts = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
    if len(starts) == len(at):
        return at, data
    stops = np.r_[starts[1:], len(at)]
    merged = {key: np.full(len(starts), np.nan) for key in data}
    for key, values in data.items():
        for row, (start, stop) in enumerate(zip(starts, stops, strict=True)):
            known = values[start:stop][~np.isnan(values[start:stop])]
            if len(known):
                merged[key][row] = known[-1]
    return at[starts], merged


def _parts(at: Floats) -> list[tuple[int, int]]:
    """Where the epochs start again at their beginning."""
    import numpy as np

    back = np.flatnonzero(np.diff(at) <= 0) + 1
    if not len(back) or len(np.unique(at)) == len(at):
        return [(0, len(at))]
    restarts = [int(i) for i in back if at[i] == at[0]]
    if len(restarts) > MOST_PARTS:
        return [(0, len(at))]
    edges = [0, *restarts, len(at)]
    return list(pairwise(edges))


def _order(at: Floats) -> tuple[np.ndarray, str | None]:
    """Indices that sort the epochs and keep the last of equal ones, and what to say about it."""
    import numpy as np

    if (np.diff(at) > 0).all():
        return np.arange(len(at)), None
    _, last = np.unique(at[::-1], return_index=True)
    order = len(at) - 1 - last
    if len(order) == len(at):
        return order, "the rows were not in the order of the epochs; they have been sorted"
    n = len(at) - len(order)
    return order, f"{n:,} epoch{'s' if n > 1 else ''} logged again further down (a resumed run): the later rows count"


def _history(
    source: Source,
    about: About,
    options: Options,
    names: tuple[str, str, str],
    epoch: Floats,
    arrays: Mapping[str, Floats],
    notes: Sequence[str],
) -> History:
    import numpy as np

    missing = np.full(len(epoch), np.nan)
    said = list(notes)
    shares = {}
    for key in ("train_accuracy", "val_accuracy", "test_accuracy"):
        shares[key], note = _as_share(arrays.get(key, missing))
        if note and note not in said:
            said.append(note)
    return History(
        source=source.shown,
        run=names[0],
        val_set=names[1],
        format=about.format,
        epoch=epoch,
        train_loss=arrays.get("train_loss", missing),
        val_loss=arrays.get("val_loss", missing),
        train_accuracy=shares["train_accuracy"],
        val_accuracy=shares["val_accuracy"],
        lr=arrays.get("lr", missing),
        train_loss_kind=options.train_loss_kind or about.train_loss_kind,
        val_weights=options.val_weights or about.val_weights,
        unit=about.unit,
        notes=(*about.notes, *said),
        test_loss=arrays.get("test_loss"),
        test_accuracy=shares["test_accuracy"] if "test_accuracy" in arrays else None,
        metric=names[2],
    )


def _missing_epochs(at: Floats, about: About) -> list[str]:
    """A sentence on epochs that are not there between others, as where lines were cut out of a log."""
    import numpy as np

    if about.unit != "epoch" or len(at) < 3 or (at != np.floor(at)).any():
        return []
    gaps = np.diff(at)
    usual = float(np.median(gaps))
    if usual != 1 or not (gaps > 1).any():
        return []
    absent = [str(int(before + k)) for before, gap in zip(at, gaps, strict=False) for k in range(1, min(int(gap), 14))]
    n = int((gaps - 1).sum())
    more = " …" if n > 12 else ""
    return [f"epoch{'s' if n > 1 else ''} {', '.join(absent[:12])}{more} not in the file"]


def _as_share(values: Floats) -> tuple[Floats, str | None]:
    """Accuracies as shares: percentages are divided by 100; what is neither is left out."""
    import numpy as np

    known = values[np.isfinite(values)]
    if not len(known) or (known.min() >= 0 and known.max() <= 1.0 + 1e-9):
        return np.where(np.isfinite(values), values, np.nan), None
    if known.min() >= 0 and known.max() <= 100:
        return np.where(np.isfinite(values), values / 100, np.nan), "accuracies were given in per cent"
    return np.full(len(values), np.nan), "accuracies outside [0, 100] are left out"
