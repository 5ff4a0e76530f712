"""The values of one column of a table, in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.fingerprints.rows.cells import Kind
    from leakaudit.model import IntArray

    Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class TableColumn:
    """Canonical values of one column.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "time", "text"}
        As `leakaudit.fingerprints.rows.cells` decides it over all files together. Dates and times that only ever occur
        as text are ``text``.
    numbers : ndarray of float64, shape (n,), or None
        For numbers, booleans (0 and 1) and times (seconds since 1970 in UTC); NaN where missing. None for text.
    codes : ndarray of int64, shape (n,), or None
        For text: index into `levels`, -1 where missing. None for the other kinds.
    levels : pyarrow.StringArray or None
        The distinct texts among the rows that were read, sorted.
    """

    name: str
    kind: Kind
    numbers: Float64 | None = None
    codes: IntArray | None = None
    levels: pa.StringArray | None = None

    def __len__(self) -> int:
        values = self.codes if self.numbers is None else self.numbers
        assert values is not None
        return len(values)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Which values are not there, shape (n,)."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        assert self.codes is not None
        return self.codes < 0
