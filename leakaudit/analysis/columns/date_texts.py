"""Dates and times that are written as text, read alike on every platform: no locale, no guess cell by cell.

The order of day and month in ``03/04/2021`` is decided over the whole column, or said to be unclear. The calendar is
the proleptic Gregorian one of ISO 8601; years of two digits follow POSIX (69 to 99 are 1969 to 1999).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

    Float64: TypeAlias = npt.NDArray[np.float64]

ENOUGH = 0.95
"""Least share of the distinct texts of a column that must be times for the column to hold times."""

MISSING = ("", "na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "none", "?", "-")
"""Texts that stand for no time, in lower case."""

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = f"(?P<n>{'|'.join(_NAMES)})[a-z]*"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
_CLOCK = r"(?P<H>[0-9]{1,2})[:.](?P<M>[0-9]{2})(?:[:.](?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
_ZONE = r" ?(?P<p>am|pm|a\.m\.|p\.m\.)? ?(?P<z>z|utc|gmt|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_REST = rf"(?:(?:t|[ _]+|:|, ?| at ){_CLOCK}{_ZONE})?$"

_FORMATS: tuple[tuple[str, str], ...] = (
    ("year, month, day", rf"^(?P<y>[0-9]{{4}})[-/._ ](?P<m>[0-9]{{1,2}})[-/._ ](?P<d>[0-9]{{1,2}}){_REST}"),
    (
        "year, month, day without separators",
        r"^(?P<y>(?:1[89]|20|21)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
        r"(?:[t_ -]?(?P<H>[0-9]{2}):?(?P<M>[0-9]{2})(?::?(?P<S>[0-9]{2}))?(?P<z>z)?)?$",
    ),
    ("", rf"^(?P<a>[0-9]{{1,2}})(?:/|-)(?P<b>[0-9]{{1,2}})(?:/|-)(?P<y>[0-9]{{4}}|[0-9]{{2}}){_REST}"),
    ("day, month, year", rf"^(?P<d>[0-9]{{1,2}})\.(?P<m>[0-9]{{1,2}})\.(?P<y>[0-9]{{4}}){_REST}"),
    ("day, month, year", rf"^(?P<d>[0-9]{{2}})\.(?P<m>[0-9]{{2}})\.(?P<y>[0-9]{{2}}){_REST}"),
    (
        "day, name of the month, year",
        rf"^{_WEEKDAY}(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?[-/ .]+{_NAME}[-/ .,]+(?P<y>[0-9]{{4}}|[0-9]{{2}}){_REST}",
    ),
    (
        "name of the month, day, year",
        rf"^{_WEEKDAY}{_NAME}[. ]+(?P<d>[0-9]{{1,2}})(?:st|nd|rd|th)?,? +(?P<y>[0-9]{{4}}){_REST}",
    ),
    ("name of the month, day, clock, year", rf"^{_WEEKDAY}{_NAME} +(?P<d>[0-9]{{1,2}}) +{_CLOCK} (?P<y>[0-9]{{4}})$"),
    ("year, month", r"^(?P<y>[0-9]{4})[-/](?P<m>[0-9]{1,2})$"),
    ("name of the month, year", rf"^{_NAME}[-/ .]*(?P<y>[0-9]{{4}})$"),
    ("year, quarter", r"^(?P<y>[0-9]{4})[- ]?q(?P<q>[1-4])$"),
    ("ISO week", r"^(?P<y>[0-9]{4})-?w(?P<w>[0-9]{2})(?:-?(?P<wd>[1-7]))?$"),
)
"""What a format is called, and a pattern (RE2) for it in lower case; the one without a name has to be decided."""


@dataclass(frozen=True, eq=False, slots=True)
class DateTexts:
    """Texts read as times.

    Parameters
    ----------
    seconds : ndarray of float64, shape (n,)
        Since 1970 in UTC (texts without a time zone are taken as UTC); NaN where a text is no time.
    how : str
        The formats met, most frequent first: ``year, month, day``.
    unclear : bool
        Day and month could be either way round in the whole column; `seconds` then has the month first.
    n_other : int
        Texts that are neither a time nor one of `MISSING`.
    """

    seconds: Float64
    how: str
    unclear: bool
    n_other: int

    @property
    def are_times(self) -> bool:
        """Whether enough of the texts are times."""
        n_times = int(np.isfinite(self.seconds).sum())
        return n_times > 0 and n_times >= ENOUGH * (n_times + self.n_other)


def read_dates(texts: pa.Array) -> DateTexts:
    """Read texts as dates or times.

    Parameters
    ----------
    texts : pyarrow.StringArray, shape (n,)
        Best the distinct texts of a whole column; null where there is none.

    Examples
    --------
    >>> read_dates(pa.array(["2021-03-04T05:06:07+01:00", "1970-01-02", "cat"])).seconds.tolist()
    [1614830767.0, 86400.0, nan]
    >>> read_dates(pa.array(["3/4/2021", "25/4/2021"])).how, read_dates(pa.array(["3/4/2021"])).unclear
    ('day, month, year', True)
    """
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    seconds = np.full(len(plain), np.nan)
    counts: dict[str, int] = {}
    unclear = False
    for how, pattern in _FORMATS:
        left = np.flatnonzero(np.isnan(seconds))
        if not len(left):
            break
        found = pc.extract_regex(plain.take(pa.array(left)), pattern)
        matched = left[found.is_valid().to_numpy(zero_copy_only=False)]
        if not len(matched):
            continue
        fields = _fields(found.drop_null())
        said = how
        if "a" in fields:
            said, unclear = _decide(fields)
        times = _seconds(fields)
        seconds[matched] = times
        if n := int(np.isfinite(times).sum()):
            counts[said] = counts.get(said, 0) + n
    missing = pc.or_kleene(plain.is_null(), pc.is_in(plain, pa.array(MISSING))).fill_null(True)
    n_other = int((np.isnan(seconds) & ~missing.to_numpy(zero_copy_only=False)).sum())
    formats = sorted(counts, key=lambda name: (-counts[name], name))
    return DateTexts(seconds, " or ".join(formats), unclear, n_other)


def read_clock(texts: pa.Array) -> Float64:
    """Seconds since midnight of texts such as ``18:05``, ``6:05 pm`` and ``18.05.00``, shape (n,); NaN for others."""
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    found = pc.extract_regex(plain, rf"^{_CLOCK}{_ZONE}$")
    seconds = np.full(len(plain), np.nan)
    matched = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    if len(matched):
        seconds[matched] = _clock(_fields(found.drop_null()))
    return seconds


def month_number(texts: pa.Array) -> Float64:
    """1 to 12 for names of months in English, whole or of three letters, shape (n,); NaN for other texts."""
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(texts.cast(pa.string())))
    first = pc.utf8_slice_codeunits(pc.if_else(pc.match_substring_regex(plain, rf"^{_NAME}\.?$"), plain, None), 0, 3)
    return np.asarray(pc.index_in(first, pa.array(_NAMES)).cast(pa.float64()).to_numpy(zero_copy_only=False)) + 1


def date_seconds(year: Float64, month: Float64, day: Float64) -> Float64:
    """Seconds since 1970 at the beginning of a day; NaN where there is no such day, or a part is not whole."""
    with np.errstate(invalid="ignore"):
        fine = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
        for part in (year, month, day):
            fine &= part == np.trunc(part)
    y, m, d = (np.where(fine, part, 1).astype(np.int64) for part in (year, month, day))
    months = ((y - 1970) * 12 + m - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (d - 1)
    fine &= days.astype("datetime64[M]") == months
    return np.where(fine, days.astype(np.int64) * 86_400.0, np.nan)


def _fields(found: pa.Array) -> dict[str, pa.Array]:
    return {found.type.field(i).name: pc.struct_field(found, i) for i in range(found.type.num_fields)}


def _number(fields: Mapping[str, pa.Array], name: str, default: float = np.nan) -> Float64:
    if name not in fields:
        return np.full(len(next(iter(fields.values()))), default)
    texts = fields[name]
    numbers = pc.if_else(pc.equal(texts, ""), None, texts).cast(pa.float64()).fill_null(default)
    return np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def _decide(fields: dict[str, pa.Array]) -> tuple[str, bool]:
    """Name the two small numbers day and month; the second result is whether it was a guess.

    A number above 12 is a day. Where neither ever is, a number that is 1 throughout beside one that varies is the day
    of a monthly table.
    """
    first, second = _number(fields, "a"), _number(fields, "b")
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    unclear = not day_first and not month_first
    if unclear and (first == 1).all() != (second == 1).all():
        day_first, unclear = bool((first == 1).all()), False
    fields["d"], fields["m"] = (fields["a"], fields["b"]) if day_first else (fields["b"], fields["a"])
    return ("day, month, year" if day_first else "month, day, year"), unclear


def _seconds(fields: Mapping[str, pa.Array]) -> Float64:
    year = _number(fields, "y")
    short = pc.less(pc.utf8_length(fields["y"]), 3).to_numpy(zero_copy_only=False)
    year = np.where(short, year + np.where(year < 69, 2000, 1900), year)
    if "w" in fields:
        return _week_seconds(year, _number(fields, "w"), _number(fields, "wd", 1))
    month = _number(fields, "m", 1)
    if "q" in fields:
        month = 3 * _number(fields, "q") - 2
    if "n" in fields:
        names = pc.index_in(fields["n"], pa.array(_NAMES))
        month = np.asarray(names.to_numpy(zero_copy_only=False), dtype=np.float64) + 1
    return date_seconds(year, month, _number(fields, "d", 1)) + _clock(fields)


def _week_seconds(year: Float64, week: Float64, weekday: Float64) -> Float64:
    """ISO 8601: week 1 is the week of 4 January; weeks begin on Monday."""
    fourth = date_seconds(year, np.ones_like(year), np.full_like(year, 4)) / 86_400
    monday = fourth - np.mod(fourth + 3, 7)  # day 0, 1 January 1970, was a Thursday
    days = monday + 7 * (week - 1) + weekday - 1
    return np.where((week >= 1) & (week <= 53), days * 86_400, np.nan)


def _clock(fields: Mapping[str, pa.Array]) -> Float64:
    """Seconds since midnight in UTC; 0 where no clock is written, NaN where it shows no time."""
    hour, minute, second = (_number(fields, name, 0) for name in ("H", "M", "S"))
    fine = (hour <= 24) & (minute < 60) & (second <= 60)
    if "f" in fields:
        digits = fields["f"]
        second = second + _number(fields, "f", 0) / 10.0 ** pc.utf8_length(digits).fill_null(0).to_numpy(
            zero_copy_only=False
        )
    if "p" in fields:
        half = pc.utf8_slice_codeunits(fields["p"], 0, 1)
        noon = hour == 12
        hour = np.where(_is(half, "a") & noon, 0, np.where(_is(half, "p") & ~noon, hour + 12, hour))
        fine &= hour <= 24
    seconds = 3600 * hour + 60 * minute + second
    if "z" in fields:
        seconds = seconds - _offset(fields["z"])
    return np.where(fine, seconds, np.nan)


def _offset(zones: pa.Array) -> Float64:
    parts = _fields(pc.extract_regex(zones, r"^(?P<sign>[+-])(?P<h>[0-9]{2}):?(?P<m>[0-9]{2})?$"))
    sign = np.where(_is(parts["sign"], "-"), -1.0, 1.0)
    return sign * (3600 * _number(parts, "h", 0) + 60 * _number(parts, "m", 0))


def _is(texts: pa.Array, text: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.equal(texts, text).fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def times_among(texts: Sequence[str]) -> bool:
    """Whether a few texts look like times: a cheap question before a whole column is read."""
    return len(texts) > 0 and read_dates(pa.array(texts, pa.string())).are_times
