"""Every time axis of a data set against every pair of splits: where they lie, and whether neighbours are alike.

Rows of tables and pictures alike; a check decides what of it is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.belonging.keys import codes_of, key_of
from leakaudit.analysis.belonging.likeness import fit_embedding
from leakaudit.analysis.columns.date_texts import read_dates
from leakaudit.analysis.columns.group_columns import group_columns
from leakaudit.analysis.columns.group_names import live_in_time
from leakaudit.analysis.columns.labels import label_codes
from leakaudit.analysis.context import Context, once
from leakaudit.analysis.series.axes import TimeAxis, declared_axis, inferred_axes
from leakaudit.analysis.series.likeness import Alike, Trials, alike, draw_trials, goes_with, is_of_the_calendar
from leakaudit.analysis.series.order import Interleaving, interleaving
from leakaudit.errors import ConfigError
from leakaudit.fingerprints.ranks import mean_ranks
from leakaudit.fingerprints.rows.columns import available, read_columns
from leakaudit.fingerprints.rows.table_column import TableColumn

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]
    Bools: TypeAlias = npt.NDArray[np.bool_]

SAMPLED = 5_000_000
"""Rows whose times are read, drawn at random; thinning leaves the order of the splits, or its randomness, as it was."""

COMPARED = 100
"""Columns of which neighbours are compared, the first ones."""

LEAST_PER_GROUP = 2.0
"""Mean rows of a group below which an inferred group is none: it names rows."""


@dataclass(frozen=True, eq=False)
class InTime:
    """A data set in time.

    Parameters
    ----------
    axes : tuple of TimeAxis
        The declared one alone, or the inferred ones, the likeliest first.
    indices : ndarray of int64, shape (n,)
        The samples that were looked at.
    splits : ndarray of int64, shape (n,)
        Their splits; -1 for none.
    groups : ndarray of int64, shape (n,), or None
        Their groups, each with a time of its own; negative for none.
    grouped_by : str or None
        What says the group: "column 'subject'".
    sampled : str or None
        A sentence where not all rows were looked at.
    """

    axes: tuple[TimeAxis, ...]
    indices: IntArray
    splits: IntArray
    groups: IntArray | None = None
    grouped_by: str | None = None
    sampled: str | None = None

    def sides(self, held_out: int, reference: int) -> tuple[IntArray, Bools]:
        """Places (into `indices`) of the samples of two splits, and which of them are held out."""
        at = np.flatnonzero((self.splits == held_out) | (self.splits == reference))
        return at, self.splits[at] == held_out

    def measure(self, axis: TimeAxis, held_out: int, reference: int) -> Interleaving:
        """How two splits lie on an axis."""
        at, held = self.sides(held_out, reference)
        return interleaving(axis.values[at], held, None if self.groups is None else self.groups[at])

    def measure_over_groups(self, axis: TimeAxis, held_out: int, reference: int) -> Interleaving:
        """The same over all rows, as if the groups had one time in common."""
        at, held = self.sides(held_out, reference)
        return interleaving(axis.values[at], held)

    def trials(self, axis: TimeAxis, held_out: int, reference: int) -> Trials:
        """Comparisons of neighbours; indices are places into `indices`."""
        at, held = self.sides(held_out, reference)
        drawn = draw_trials(axis.values[at], held, None if self.groups is None else self.groups[at])
        return Trials(at[drawn.anchor], at[drawn.near], at[drawn.far])


@once
def rows_in_time(context: Context) -> InTime:
    """Time axes of a table; without an axis where nothing says when a row was observed.

    Raises
    ------
    ConfigError
        The declared column holds no times.
    """
    rows, roles = context.rows, context.dataset.columns
    splits = context.row_splits
    indices: IntArray | None = None
    sampled = None
    if len(splits) > SAMPLED:
        drawn = np.random.default_rng(0).choice(len(splits), SAMPLED, replace=False)
        indices, splits = np.sort(drawn).astype(np.int64), splits[np.sort(drawn)]
        sampled = f"times of {SAMPLED:,} of {len(rows):,} rows"
    told = roles.time
    axes = [declared_axis(rows, told, indices)] if told else inferred_axes(rows, roles, indices)
    groups, grouped_by = _row_groups(context, indices) if axes else (None, None)
    at = np.arange(len(rows), dtype=np.int64) if indices is None else indices
    return InTime(tuple(axes), at, splits, groups, grouped_by, sampled)


def pictures_in_time(context: Context) -> InTime:
    """The times that a manifest says of pictures; without an axis where it says none."""
    samples, images = context.samples, context.images
    indices = np.arange(len(samples), dtype=np.int64)
    splits = np.where(images.ok, samples.split, -1).astype(np.int64)
    if samples.time is None:
        return InTime((), indices, splits)
    declared = context.config.time is not None
    encoded = samples.time.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    read = read_dates(encoded.dictionary)
    calendar = read.are_times
    values = read.seconds if calendar else _numbers(encoded.dictionary)
    if not np.isfinite(values).any():
        if declared:
            raise ConfigError(f"--time: column {context.config.time!r} holds neither times nor numbers")
        return InTime((), indices, splits)
    how = f" (dates as {read.how})" if calendar else ""
    told = f"column {context.config.time!r}" if declared else "the time column"
    axis = TimeAxis(f"{told}{how}", (), np.append(values, np.nan)[codes], calendar, declared, read.unclear and calendar)
    groups, grouped_by = None, None
    if samples.group is not None and context.config.time_order == "group":
        groups, grouped_by = key_of("group", samples.group).codes, "the group column"
    return InTime((axis,), indices, splits, groups, grouped_by)


def neighbours_alike(context: Context, times: InTime, axis: TimeAxis, trials: Trials) -> dict[str, Alike]:
    """By column, how often neighbours in time are the nearer ones; pictures are compared by their looks."""
    if not len(trials):
        return {}
    if context.has_pictures:
        return {"the pictures": _pictures_alike(context, trials)}
    asked = np.unique(np.concatenate([trials.anchor, trials.near, trials.far]))
    at = [np.searchsorted(asked, part) for part in (trials.anchor, trials.near, trials.far)]
    roles = context.dataset.columns
    taken: set[str | None] = {column for each in (axis, *times.axes) for column in each.columns}
    taken |= {roles.group, roles.id, roles.split, *roles.ignore}
    known = {column.name for column in context.rows.pool.columns} | {roles.label}
    names = [name for name in available(context.rows) if name in known and name not in taken][:COMPARED]
    found: dict[str, Alike] = {}
    for column in read_columns(context.rows, names, times.indices[asked]):
        values = _coded(column)
        if column.kind == "time" or _repeats(axis, axis.values[asked], values):
            continue
        anchor, near, far = (values[each] for each in at)
        apart = [np.abs(anchor - other) for other in (near, far)]
        if column.kind in ("text", "boolean"):
            apart = [np.where(np.isnan(each), np.nan, np.minimum(each, 1)) for each in apart]
        found[column.name] = alike(*apart)
    return found


def _coded(column: TableColumn) -> Float64:
    if column.numbers is not None:
        return column.numbers
    assert column.codes is not None
    return np.where(column.codes < 0, np.nan, column.codes.astype(np.float64))


def _repeats(axis: TimeAxis, times: Float64, values: Float64) -> bool:
    if axis.calendar:
        return is_of_the_calendar(times, values)
    known = np.isfinite(times) & np.isfinite(values)
    return int(known.sum()) < 3 or goes_with(mean_ranks(times[known]), mean_ranks(values[known]))


def _pictures_alike(context: Context, trials: Trials) -> Alike:
    images = context.images
    labels = label_codes(context)[0]
    place = fit_embedding(images.records, labels, images.ok).place
    anchor, near, far = (place(each) for each in (trials.anchor, trials.near, trials.far))
    return alike(*(np.square(anchor - other).sum(axis=1).astype(np.float64) for other in (near, far)))


def _row_groups(context: Context, indices: IntArray | None) -> tuple[IntArray | None, str | None]:
    if context.config.time_order == "global":
        return None, None
    rows, roles = context.rows, context.dataset.columns
    named = [name for name in group_columns(context) if live_in_time(name)]
    for name in [roles.group] if roles.group is not None else named:
        (column,) = read_columns(rows, [name], indices)
        codes = codes_of(column)
        n_groups = len(np.unique(codes[codes >= 0]))
        if roles.group is not None or (n_groups > 1 and (codes >= 0).sum() >= LEAST_PER_GROUP * n_groups):
            return codes, f"column {name!r}"
    return None, None


def _numbers(texts: pa.Array) -> Float64:
    return np.array([_number(text) for text in texts.to_pylist()], dtype=np.float64)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) else float("nan")
