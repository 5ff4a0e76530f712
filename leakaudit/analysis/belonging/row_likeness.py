"""Rows of a table as points whose distance tells likeness apart from the class, as `likeness` asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.analysis.belonging.likeness import FITTED, PICTURE_AXES, Whitening, whitening
from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.context import Context
from leakaudit.fingerprints.rows.columns import read_columns
from leakaudit.fingerprints.rows.table_column import TableColumn

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import FloatArray, IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]

COLUMNS = 60
"""Features that rows are compared by, the first ones."""

LEVELS = 8
"""Most frequent values of a category that are told apart."""

WIDEST = 5.0
"""Robust standard deviations at which numbers are cut: one outlier must not make an axis of its own."""


@dataclass(frozen=True, eq=False, slots=True)
class _Scale:
    """How one column becomes numbers: centre and width, or its most frequent values."""

    centre: float = 0.0
    width: float = 1.0
    levels: tuple[str, ...] = ()

    def __call__(self, column: TableColumn) -> Float64:
        if column.numbers is not None:
            cut = np.clip((column.numbers - self.centre) / self.width, -WIDEST, WIDEST)
            return np.asarray(np.nan_to_num(cut)[:, None], dtype=np.float64)
        assert column.levels is not None
        assert column.codes is not None
        place = pc.index_in(column.levels, pa.array(self.levels, pa.string())).fill_null(-1)
        which = np.append(np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64), -1)[column.codes]
        return np.asarray(which[:, None] == np.arange(len(self.levels))[None], dtype=np.float64)


def row_places(context: Context, labels: IntArray, without: Sequence[str]) -> Callable[[IntArray], FloatArray] | None:
    """Points of the rows of a table; None where no feature is left.

    Parameters
    ----------
    context : Context
        Of a table.
    labels : ndarray of int64, shape (n,)
        Class codes; negative where unknown: means of classes are taken off.
    without : sequence of str
        Columns that are no features here: those that hold the keys.
    """
    rows = context.rows
    names = [c.name for c in columns_of(context) if c.role in ("number", "category") and c.name not in without][
        :COLUMNS
    ]
    if not names:
        return None
    fitted = np.arange(len(rows), dtype=np.int64)
    if len(fitted) > FITTED:
        fitted = np.sort(np.random.default_rng(0).choice(fitted, FITTED, replace=False))
    columns = read_columns(rows, names, fitted)
    scales = [_fit(column) for column in columns]
    axes = whitening(_numbers(columns, scales), labels[fitted], PICTURE_AXES)
    if not axes.axes.shape[1]:
        return None
    return _Places(rows, tuple(names), tuple(scales), axes, labels)


@dataclass(frozen=True, eq=False, slots=True)
class _Places:
    rows: RowFingerprints
    names: tuple[str, ...]
    scales: tuple[_Scale, ...]
    axes: Whitening
    labels: IntArray

    def __call__(self, indices: IntArray) -> FloatArray:
        """The points of these rows (ascending indices), shape (len(indices), d)."""
        return self.axes(_numbers(read_columns(self.rows, self.names, indices), self.scales), self.labels[indices])


def _fit(column: TableColumn) -> _Scale:
    if column.numbers is not None:
        known = column.numbers[np.isfinite(column.numbers)]
        if not len(known):
            return _Scale()
        low, centre, high = np.quantile(known, [0.25, 0.5, 0.75])
        width = float(high - low) / 1.349 or float(known.std()) or 1.0  # 1.349: interquartile range of a normal
        return _Scale(float(centre), width)
    assert column.levels is not None
    assert column.codes is not None
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    most = np.argsort(-counts, kind="stable")[:LEVELS]
    return _Scale(levels=tuple(column.levels.take(pa.array(most)).to_pylist()))


def _numbers(columns: Sequence[TableColumn], scales: Sequence[_Scale]) -> Float64:
    return np.concatenate([scale(column) for column, scale in zip(columns, scales, strict=True)], axis=1)
