"""Histories from records in the order in which they were written: JSON lines, lines of a console, long tables.

A record holds some numbers, perhaps an epoch or a step, and perhaps belongs to one split as a whole. What is logged
many times an epoch in training is averaged, as the mean over the epoch would be; a running mean counts as it stood
last; of what was measured on held-out data the last value counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from leakaudit.curves import log, table
from leakaudit.curves.build import About
from leakaudit.curves.names import SPLIT_WORDS, Split, is_epoch, is_step, role, words
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.source import Source
from leakaudit.history import History

MODE_KEYS = ("mode", "phase", "split", "stage", "set", "subset", "dataset", "partition", "type", "kind")
"""Keys whose value may say the split of a whole record (mmengine's ``mode``)."""

DEEPEST = 4
FEW_STEPS = 3
"""A log of a single epoch is read by its steps where there are at least so many."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Parameters
    ----------
    values : mapping of str to float
        NaN where there is a value that is no number.
    split : Split or None
        Of all its values, where their names do not say it.
    running : bool, default False
        The values are means over the epoch so far.
    """

    values: Mapping[str, float]
    split: Split | None = None
    running: bool = False


def of_object(value: Mapping[str, object]) -> Record:
    """A JSON object as a record: nested names joined by ``/``, the split told from keys such as ``mode``."""
    split = None
    for key in MODE_KEYS:
        told = value.get(key)
        if isinstance(told, str) and told.strip().lower() in SPLIT_WORDS:
            split = SPLIT_WORDS[told.strip().lower()]
    if split is not None:
        value = {key: inner for key, inner in value.items() if key not in MODE_KEYS}
    found = dict(_flat(value))
    if any(words(name)[-1:] == ["runtime"] and "train" in words(name) for name in found):
        found.pop("train_loss", None)  # of Hugging Face: the mean over the whole run, which says nothing of its end
    return Record(found, split)


def _flat(value: Mapping[str, object], above: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, float]]:
    for key, inner in value.items():
        name = f"{above}/{key}" if above else str(key)
        if isinstance(inner, Mapping) and depth:
            yield from _flat(inner, name, depth - 1)
        elif isinstance(inner, list) and len(inner) == 1:
            yield name, number(inner[0])
        else:
            yield name, number(inner)


def histories(
    source: Source, about: About, options: Options, rows: Sequence[Record], run: str = "", notes: Sequence[str] = ()
) -> list[History]:
    """One history a validation set, or one a part where the epochs or steps start again.

    Raises
    ------
    InputError
        No name is a loss or an accuracy.
    """
    rows = [_named(row) for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    told = set(options.columns.values())
    useful = [row for row in rows if any(name in told or role(name) is not None for name in row.values)]
    if not useful:
        raise table.unrecognised(source, names)
    epoch = options.columns.get("epoch") or next((name for name in names if is_epoch(name)), None)
    step = next((name for name in names if is_step(name)), None)
    at = _carried(rows, epoch)
    at = [at[place] for place, row in enumerate(rows) if any(n in told or role(n) is not None for n in row.values)]
    if epoch is not None and any(map(math.isfinite, at)):
        steps = {row.values[step] for row in useful if step in row.values} if step is not None else set()
        whole = all(value == math.floor(value) for value in at if math.isfinite(value))
        if whole and (len(set(at)) > 1 or len(steps) < FEW_STEPS):
            return _by_epoch(source, about, options, useful, at, (epoch, run), names, notes)
        clock = _carried(useful, step) if step is not None else at
        within = at if len(set(at)) > 1 else None  # one epoch says nothing of where its steps stand
        return _by_step(source, about, options, useful, clock, within, (epoch, step, run), notes)
    if step is not None:
        return _by_step(source, about, options, useful, _carried(useful, step), None, (epoch, step, run), notes)
    return table.histories(source, about, options, _rows_of_repeats(useful, names), run, notes)


def _named(row: Record) -> Record:
    """The record with its split in those names that do not say one."""
    if row.split is None:
        return row
    values = {}
    for name, value in row.values.items():
        found = role(name)
        apart = found is not None and found.quantity != "lr" and found.split is None
        values[f"{row.split}/{name}" if apart else name] = value
    return replace(row, values=values)


def _carried(rows: Sequence[Record], name: str | None) -> list[float]:
    """The value of a name in each record, or the one last said before; the first one said, before it."""
    found, last = [], math.nan
    for row in rows:
        value = row.values.get(name, math.nan) if name is not None else math.nan
        last = value if math.isfinite(value) else last
        found.append(last)
    first = next((value for value in found if math.isfinite(value)), math.nan)
    return [first if math.isnan(value) else value for value in found]


def _by_epoch(
    source: Source,
    about: About,
    options: Options,
    rows: Sequence[Record],
    at: Sequence[float],
    named: tuple[str, str],
    names: Sequence[str],
    notes: Sequence[str],
) -> list[History]:
    """Whole epochs: records of one epoch that follow each other make one row."""
    epoch, run = named
    groups: list[tuple[float, list[Record]]] = []
    for row, value in zip(rows, at, strict=True):
        if not groups or groups[-1][0] != value:
            groups.append((value, []))
        groups[-1][1].append(row)
    columns = {name: [math.nan] * len(groups) for name in names}
    columns[epoch] = [value for value, _ in groups]
    averaged = 0
    for place, (_, of_epoch) in enumerate(groups):
        most = 0
        for name in names:
            if name == epoch:
                continue
            columns[name][place], n = _one_value(name, of_epoch)
            found = role(name)
            if found is not None and found.quantity == "loss" and found.split in ("train", None):
                most = max(most, n)
        averaged += most > 1
    if averaged > len(groups) / 2 and about.train_loss_kind == "epoch_mean":
        about = replace(about, train_loss_kind="window_mean")
    return table.histories(source, about, options, columns, run, notes)


def _one_value(name: str, rows: Sequence[Record]) -> tuple[float, int]:
    """The value of a name over records of one epoch, and how many were averaged for it."""
    told = [(row.values[name], row.running) for row in rows if not math.isnan(row.values.get(name, math.nan))]
    if not told:
        return math.nan, 0
    found = role(name)
    held_out = found is not None and found.split in ("val", "test")
    if held_out or found is None or found.quantity == "lr" or any(running for _, running in told):
        return told[-1][0], 1
    finite = [value for value, _ in told if math.isfinite(value)]
    return (math.fsum(finite) / len(finite) if finite else math.inf), len(told)


def _by_step(
    source: Source,
    about: About,
    options: Options,
    rows: Sequence[Record],
    clock: Sequence[float],
    epochs: Sequence[float] | None,
    named: tuple[str | None, str | None, str],
    notes: Sequence[str],
) -> list[History]:
    """Steps, or epochs in fractions: one series a name."""
    parts = _restarts(clock)
    found: list[History] = []
    for place, (start, stop) in enumerate(parts, 1):
        series: dict[str, dict[float, float]] = {}
        of_step: dict[float, float] = {}
        again = 0
        for row, at, epoch in zip(rows[start:stop], clock[start:stop], (epochs or clock)[start:stop], strict=True):
            if not math.isfinite(at):
                continue
            if epochs is not None and math.isfinite(epoch):
                of_step[at] = epoch
            for name, value in row.values.items():
                if name not in named[:2]:
                    points = series.setdefault(name, {})
                    again += at in points and not row.running
                    if not math.isnan(value):
                        points[at] = value
        said = list(notes)
        label = named[2]
        if len(parts) > 1:
            label = f"{label} part {place}".strip()
            said.append(f"the steps start again: part {place} of {len(parts)}")
        elif again and any(after < before for before, after in pairwise(clock)):
            said.append("steps are logged again further down (a resumed run): the later values count")
        of_part = log.Log(series, of_step, notes=tuple(said))
        found += log.histories(source, about, options, of_part, label)
    return found


def _restarts(clock: Sequence[float]) -> list[tuple[int, int]]:
    """Where the clock goes back to its beginning; one part where it does so too often to be runs."""
    from leakaudit.curves.build import MOST_PARTS

    first = next((value for value in clock if math.isfinite(value)), math.nan)
    edges = [0]
    for place in range(1, len(clock)):
        if clock[place] < clock[place - 1] and clock[place] <= first:
            edges.append(place)
    if len(edges) > MOST_PARTS:
        return [(0, len(clock))]
    return list(zip(edges, [*edges[1:], len(clock)], strict=True))


def _rows_of_repeats(rows: Sequence[Record], names: Sequence[str]) -> dict[str, list[float]]:
    """Nothing is counted: a new row begins where a name comes again."""
    made: list[dict[str, float]] = []
    for row in rows:
        if not made or any(name in made[-1] for name in row.values):
            made.append({})
        made[-1].update(row.values)
    return {name: [row.get(name, math.nan) for row in made] for name in names}
