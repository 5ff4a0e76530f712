"""Which columns say *when* a row was observed: dates, texts, epoch numbers, year and month apart, counters of steps.

A column that is told is taken as it is. One that is inferred must be written as a time, or have a name that says time
and values that bear it out; whether the rows *are* a series is for `leakaudit.analysis.series.likeness` to test.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.columns.date_texts import date_seconds, month_number, read_clock, read_dates, times_among
from leakaudit.analysis.series.words import DAY, show_duration, show_instant
from leakaudit.errors import ConfigError
from leakaudit.fingerprints.rows.cells import blocks
from leakaudit.fingerprints.rows.columns import available, read_columns
from leakaudit.fingerprints.rows.table_column import TableColumn
from leakaudit.sources.names import plain, words

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import Columns, IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

HEAD = 200
"""First values that are looked at before a whole column is read."""

LEAST_DATES = 20
"""Distinct eight-digit numbers that must all be days of the calendar: one in 30 of such numbers is."""

_BIRTH = frozenset(["birth", "birthday", "birthdate", "dob", "born", "bday"])
_TIME_WORDS = frozenset(
    ["time", "timestamp", "datetime", "date", "ts", "epoch", "utc", "unix", "created", "updated", "at", "when"]
)
_AXIS_WORDS = frozenset(["time", "timestamp", "timepoint", "timestep", "timeindex", "datetime", "date"])
_AXIS_NAMES = frozenset(["t", "ts", "elapsed", "elapsedtime", "timepoint", "timestep", "timeindex"])
_PARTS: Mapping[str, tuple[str, ...]] = {
    "year": ("year", "yyyy", "yr"),
    "month": ("month", "mon", "mnth", "mm"),
    "day": ("day", "dayofmonth", "dom", "dd", "mday"),
    "hour": ("hour", "hr", "hh", "hourofday"),
    "minute": ("minute", "min", "minutes"),
    "second": ("second", "sec", "seconds"),
}
_RANGES = {
    "year": (1800, 2200),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 24),
    "minute": (0, 59),
    "second": (0, 60),
}
_EPOCHS = (("seconds", 1.0), ("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9))
_EPOCH_RANGE = (315_532_800.0, 4_102_444_800.0)  # 1980 to 2100


@dataclass(frozen=True, eq=False, slots=True)
class TimeAxis:
    """When each row was observed.

    Parameters
    ----------
    said : str
        What it is, in words: "column 'pickup' (dates as year, month, day)".
    columns : tuple of str
        The columns it was made from.
    values : ndarray of float64, shape (n,)
        Seconds since 1970 in UTC where `calendar`, else the numbers as they stand; NaN where missing.
    calendar : bool
    declared : bool
        Told by the user.
    unclear : bool
        Day and month could be either way round.
    """

    said: str
    columns: tuple[str, ...]
    values: Float64
    calendar: bool
    declared: bool = False
    unclear: bool = False

    @property
    def to_the_minute(self) -> bool:
        """Whether it holds clock times, and not only days: at least one in ten is off midnight by other than hours."""
        known = self.values[np.isfinite(self.values)]
        return self.calendar and len(known) > 0 and float((np.mod(known, 3600) != 0).mean()) >= 0.1

    def show(self, value: float) -> str:
        """A point of it for people: ``2019-03-01 08:15``, or the number."""
        return show_instant(value) if self.calendar else f"{value:.6g}"

    def show_span(self, span: float) -> str:
        """A length of it for people: ``3 hours``, or the number."""
        return show_duration(span) if self.calendar else f"{span:.6g}"


def declared_axis(rows: RowFingerprints, name: str, indices: IntArray | None = None) -> TimeAxis:
    """The time column that the user named.

    Raises
    ------
    ConfigError
        Its values are neither times nor numbers.
    """
    (column,) = read_columns(rows, [name], indices)
    axis = _dates(column) or _epoch(column, named=True) or _eight_digits(column, least=1)
    if axis is None and column.kind == "number":
        assert column.numbers is not None
        axis = TimeAxis(f"column {name!r}", (name,), column.numbers, calendar=False)
    if axis is None:
        example = next((value for value in column.levels.to_pylist()[:HEAD] if value), "") if column.levels else ""
        raise ConfigError(f"--time: column {name!r} holds neither times nor numbers, such as {example[:60]!r}")
    return TimeAxis(axis.said, axis.columns, axis.values, axis.calendar, declared=True, unclear=axis.unclear)


def inferred_axes(
    rows: RowFingerprints, roles: Columns, indices: IntArray | None = None, *, most: int = 4
) -> list[TimeAxis]:
    """Columns that may say when a row was observed, the likeliest first, at most `most`.

    Parameters
    ----------
    rows : RowFingerprints
    roles : Columns
        The label, the group and the id are no times; nor are columns to ignore.
    indices : ndarray of int64, optional
        As for `read_columns`.
    most : int, default 4
    """
    taken = {roles.label, roles.group, roles.id, roles.split, *roles.ignore}
    names = [name for name in available(rows) if name not in taken and not _BIRTH & {*words(name), plain(name)}]
    kinds = {column.name: column.kind for column in rows.pool.columns}
    names = [name for name in names if name in kinds]
    found: list[TimeAxis] = []
    for axis in _candidates(rows, names, kinds, indices):
        if axis.unclear or len(np.unique(axis.values[np.isfinite(axis.values)])) >= 3:
            found.append(axis)
        if len(found) == most:
            break
    return found


def _candidates(
    rows: RowFingerprints, names: Sequence[str], kinds: Mapping[str, str], indices: IntArray | None
) -> Iterator[TimeAxis]:
    heads = _heads(rows, names)
    for name in names:
        if kinds[name] == "time" or (kinds[name] == "text" and times_among(heads[name])):
            (column,) = read_columns(rows, [name], indices)
            if (axis := _dates(column)) is not None:
                yield _with_clock(rows, axis, names, kinds, heads, indices)
    if (axis := _from_parts(rows, names, kinds, indices)) is not None:
        yield axis
    numbers = [name for name in names if kinds[name] == "number"]
    for name in numbers:
        named = bool(_TIME_WORDS & {*words(name), plain(name)})
        dates = _may_be_dates(heads[name])
        if named or dates:
            (column,) = read_columns(rows, [name], indices)
            axis = _epoch(column, named=named) or (_eight_digits(column, least=LEAST_DATES) if dates else None)
            if axis is not None:
                yield axis
    for name in numbers:
        if plain(name) in _AXIS_NAMES or (words(name) and words(name)[-1] in _AXIS_WORDS):
            (column,) = read_columns(rows, [name], indices)
            assert column.numbers is not None
            if _epoch(column, named=True) is None:
                yield TimeAxis(f"column {name!r}", (name,), column.numbers, calendar=False)


def _heads(rows: RowFingerprints, names: Sequence[str]) -> dict[str, list[str]]:
    """Some first values of each column as texts, without the missing ones."""
    heads: dict[str, list[str]] = {name: [] for name in names}
    columns = [column for column in rows.pool.columns if column.name in heads]
    for file in range(len(rows.pool.tables)):
        for block in blocks(len(columns)):
            some = columns[block]
            cells = ", ".join(f"n{i}" for i in range(len(some)))
            with rows.pool.cells(rows.duck, file, some) as relation:
                head = rows.duck.rows(f"SELECT {cells} FROM {relation} LIMIT {HEAD}")
            for row in head:
                for column, value in zip(some, row, strict=True):
                    if value is not None:
                        whole = isinstance(value, float) and value.is_integer()
                        heads[column.name].append(f"{value:.0f}" if whole else str(value))
    return heads


# --- one way of writing each -----------------------------------------------------------------------------------


def _dates(column: TableColumn) -> TimeAxis | None:
    if column.kind == "time":
        assert column.numbers is not None
        return TimeAxis(f"column {column.name!r}", (column.name,), column.numbers, calendar=True)
    if column.levels is None or column.codes is None:
        return None
    read = read_dates(column.levels)
    if not read.are_times:
        return None
    values = np.append(read.seconds, np.nan)[column.codes]
    others = f", {read.n_other:,} values left out" if read.n_other else ""
    return TimeAxis(
        f"column {column.name!r} (dates as {read.how}{others})", (column.name,), values, True, unclear=read.unclear
    )


def _with_clock(
    rows: RowFingerprints,
    axis: TimeAxis,
    names: Sequence[str],
    kinds: Mapping[str, str],
    heads: Mapping[str, Sequence[str]],
    indices: IntArray | None,
) -> TimeAxis:
    """Days with the clock that another column holds: ``date`` beside ``time`` or ``hour``."""
    known = axis.values[np.isfinite(axis.values)]
    if (np.mod(known, DAY) != 0).any() or len(np.unique(known)) > 0.9 * len(known):
        return axis
    for name in names:
        clock = np.empty(0)
        if kinds[name] == "number" and plain(name) in _PARTS["hour"]:
            (column,) = read_columns(rows, [name], indices)
            assert column.numbers is not None
            clock = column.numbers * 3600 if _within(column.numbers, "hour") else clock
        elif kinds[name] == "text" and "time" in words(name) and np.isfinite(read_clock(pa.array(heads[name]))).any():
            (column,) = read_columns(rows, [name], indices)
            assert column.levels is not None
            assert column.codes is not None
            clock = np.append(read_clock(column.levels), np.nan)[column.codes]
            clock = clock if np.isfinite(clock).mean() >= 0.9 else np.empty(0)
        if len(clock):
            said = f"{axis.said} and column {name!r}"
            return TimeAxis(said, (*axis.columns, name), axis.values + clock, True, unclear=axis.unclear)
    return axis


def _from_parts(
    rows: RowFingerprints, names: Sequence[str], kinds: Mapping[str, str], indices: IntArray | None
) -> TimeAxis | None:
    """Year and month, and what follows on them without a gap, in columns of their own."""
    used: list[str] = []
    parts: dict[str, Float64] = {}
    for part, usual in _PARTS.items():
        name = next((name for name in names if plain(name) in usual), None)
        values = None if name is None else _part(rows, name, kinds[name], part, indices)
        if name is None or values is None:
            break
        used.append(name)
        parts[part] = values
    if "month" not in parts:
        return None
    day = parts.get("day", np.ones_like(parts["month"]))
    seconds = date_seconds(parts["year"], parts["month"], day)
    for part, size in (("hour", 3600.0), ("minute", 60.0), ("second", 1.0)):
        seconds = seconds + size * parts.get(part, np.zeros_like(seconds))
    listed = ", ".join(map(repr, used[:-1])) + f" and {used[-1]!r}"
    return TimeAxis(f"columns {listed}", tuple(used), seconds, calendar=True)


def _part(rows: RowFingerprints, name: str, kind: str, part: str, indices: IntArray | None) -> Float64 | None:
    if kind not in ("number", "text") or (kind == "text" and part != "month"):
        return None
    (column,) = read_columns(rows, [name], indices)
    values = column.numbers
    if values is None:
        assert column.levels is not None
        assert column.codes is not None
        values = np.append(month_number(column.levels), np.nan)[column.codes]
    return values if _within(values, part) else None


def _within(values: Float64, part: str) -> bool:
    known = values[np.isfinite(values)]
    low, high = _RANGES[part]
    return len(known) >= 0.9 * len(values) and bool(((known >= low) & (known <= high) & (known % 1 == 0)).all())


def _epoch(column: TableColumn, *, named: bool) -> TimeAxis | None:
    """Whole numbers since 1970 in seconds to nanoseconds, where the name says time and all fall in 1980 to 2100."""
    if not named or column.kind != "number" or column.numbers is None:
        return None
    known = column.numbers[np.isfinite(column.numbers)]
    for unit, size in _EPOCHS:
        if len(known) and known.min() >= _EPOCH_RANGE[0] * size and known.max() <= _EPOCH_RANGE[1] * size:
            said = f"column {column.name!r} ({unit} since 1970)"
            return TimeAxis(said, (column.name,), column.numbers / size, calendar=True)
    return None


def _may_be_dates(head: Sequence[str]) -> bool:
    return len(head) > 0 and all(len(text) in (8, 14) and text.isdecimal() for text in head) and times_among(head)


def _eight_digits(column: TableColumn, least: int) -> TimeAxis | None:
    """``20240131``, and ``20240131235959``, as numbers: every one has to be a day of the calendar."""
    if column.kind != "number" or column.numbers is None:
        return None
    known = np.isfinite(column.numbers)
    values, at = np.unique(column.numbers[known], return_inverse=True)
    if len(values) < least or (values % 1 != 0).any() or values[0] < 18_000_101 or values[-1] >= 10**15:
        return None
    read = read_dates(pa.array([f"{value:.0f}" for value in values.tolist()]))
    if np.isnan(read.seconds).any():
        return None
    seconds = np.full(len(column.numbers), np.nan)
    seconds[known] = read.seconds[at.reshape(-1)]
    return TimeAxis(f"column {column.name!r} (dates as {read.how})", (column.name,), seconds, calendar=True)
