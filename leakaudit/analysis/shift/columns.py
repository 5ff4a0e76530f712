"""One column in two splits: where its values lie, how wide they lie, how many are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from leakaudit.analysis.shift.categories import OTHERS, compare_categories
from leakaudit.analysis.shift.quantities import Shift, compare, compare_spread, telling_stratum

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.analysis.columns.sample import Feature
    from leakaudit.model import IntArray

    Float64 = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

Statistic = Literal["value", "spread", "missing", "shares", "characters", "words"]


@dataclass(frozen=True, slots=True)
class Moved:
    """One statistic of one column between two samples.

    Parameters
    ----------
    column : str
    statistic : {"value", "spread", "missing", "shares", "characters", "words"}
    first, second : float
        Medians; median distances from the median of both (``spread``); shares of rows (``missing``, ``shares``).
    level : str or None
        Of ``shares``: the category whose share differs most.
    stratum : int or None
        The stratum (class) that the three above are of, where several were compared: that which differs most.
    effect : float
        Standardised; signed except for ``shares``.
    low, high, p_value, detectable : float
        As in `leakaudit.analysis.shift.quantities.Shift`.
    """

    column: str
    statistic: Statistic
    first: float
    second: float
    level: str | None
    stratum: int | None
    effect: float
    low: float
    high: float
    p_value: float
    detectable: float


def column_shifts(
    feature: Feature,
    at: IntArray,
    first: Bools,
    strata: IntArray | None,
    groups: IntArray | None,
    *,
    smallest: float,
) -> Iterator[Moved]:
    """Compare all statistics of a column that vary.

    Parameters
    ----------
    feature : Feature
    at : ndarray of int64, shape (m,)
        Rows of the sample to compare.
    first : ndarray of bool, shape (m,)
        Which of them are the first (held-out) side.
    strata, groups, smallest
        As for `leakaudit.analysis.shift.quantities.compare`; of the m rows.
    """
    column, missing = feature.column, feature.missing[at]
    if 0 < missing.sum() < len(missing):
        yield from _share(feature.name, missing, first, strata, groups, smallest)
    if column.kind == "boolean" and column.numbers is not None:
        codes = np.where(missing, -1, column.numbers[at] > 0).astype(np.int64)
        yield from _categories(feature.name, codes, ("false", "true"), first, strata, groups, smallest)
    elif column.numbers is not None:
        yield from _numbers(feature.name, "value", column.numbers[at], first, strata, groups, smallest)
    elif feature.role == "prose":
        assert column.codes is not None
        assert column.levels is not None
        for statistic, lengths in _lengths(column.levels).items():
            yield from _numbers(
                feature.name, statistic, np.append(lengths, np.nan)[column.codes[at]], first, strata, groups, smallest
            )
    else:
        assert column.codes is not None
        yield from _categories(feature.name, column.codes[at], column.levels, first, strata, groups, smallest)


def _numbers(
    name: str,
    statistic: Statistic,
    values: Float64,
    first: Bools,
    strata: IntArray | None,
    groups: IntArray | None,
    smallest: float,
) -> Iterator[Moved]:
    known = ~np.isnan(values)
    values, first = values[known], first[known]
    strata, groups = (None if each is None else each[known] for each in (strata, groups))
    if len(values) == 0 or first.all() or not first.any() or values.min() == values.max():
        return
    stratum = telling_stratum(values, first, strata)
    at = _within(strata, stratum, len(values))
    with np.errstate(invalid="ignore"):  # the middle between both infinities is unknown
        middle = [float(np.median(values[side & at])) for side in (first, ~first)]
    yield from _moved(name, statistic, middle, stratum, compare(values, first, strata, groups, smallest=smallest))
    finite = np.isfinite(values)
    if statistic == "value" and finite.any() and len(np.unique(values[finite][:1000])) > 2:
        shift = compare_spread(values, first, strata, groups, smallest=smallest)
        stratum = telling_stratum(_width(values, finite, strata), first, strata)
        at = _within(strata, stratum, len(values))
        width = _width(values, finite & at, None)
        wide = [float(np.median(width[side & at])) for side in (first, ~first)]
        yield from _moved(name, "spread", wide, stratum, shift)


def _width(values: Float64, finite: Bools, strata: IntArray | None) -> Float64:
    """Distance of each value from the median of the finite ones, of its stratum."""
    strata = np.zeros(len(values), dtype=np.int64) if strata is None else strata
    width = np.full(len(values), np.inf)
    for stratum in np.unique(strata):
        inside = strata == stratum
        if (finite & inside).any():
            with np.errstate(over="ignore"):  # as far as can be
                width[inside] = np.abs(values[inside] - float(np.median(values[finite & inside])))
    return width


def _within(strata: IntArray | None, stratum: int | None, n: int) -> Bools:
    return np.ones(n, dtype=np.bool_) if strata is None or stratum is None else strata == stratum


def _share(
    name: str, there: Bools, first: Bools, strata: IntArray | None, groups: IntArray | None, smallest: float
) -> Iterator[Moved]:
    missing = there.astype(np.float64)
    stratum = telling_stratum(missing, first, strata)
    at = _within(strata, stratum, len(there))
    shares = [float(there[side & at].mean()) if (side & at).any() else 0.0 for side in (first, ~first)]
    yield from _moved(name, "missing", shares, stratum, compare(missing, first, strata, groups, smallest=smallest))


def _moved(name: str, statistic: Statistic, sides: list[float], stratum: int | None, shift: Shift) -> Iterator[Moved]:
    if shift.weight > 0:
        figures = (shift.effect, shift.low, shift.high, shift.p_value, shift.detectable)
        yield Moved(name, statistic, sides[0], sides[1], None, stratum, *figures)


def _categories(
    name: str,
    codes: IntArray,
    levels: pa.StringArray | tuple[str, ...] | None,
    first: Bools,
    strata: IntArray | None,
    groups: IntArray | None,
    smallest: float,
) -> Iterator[Moved]:
    found = compare_categories(codes, first, strata, groups, smallest=smallest)
    if found is not None:
        assert levels is not None
        level = "others" if found.level == OTHERS else str(levels[found.level])
        figures = (found.distance, found.low, found.high, found.p_value, found.detectable)
        yield Moved(name, "shares", found.first, found.second, level, found.stratum, *figures)


def _lengths(texts: pa.StringArray) -> dict[Statistic, Float64]:
    """Characters and words of each text."""
    import pyarrow.compute as pc

    characters = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.float64)
    words = pc.count_substring(texts, " ").to_numpy(zero_copy_only=False).astype(np.float64) + 1
    return {"characters": characters, "words": words}
