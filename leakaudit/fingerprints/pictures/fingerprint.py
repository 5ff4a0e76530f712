"""The fingerprints of all pictures of a data set: their records, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.model import Problem

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa


@dataclass(frozen=True, eq=False, slots=True)
class ImageFingerprints:
    """Fingerprints of all pictures of a data set.

    Parameters
    ----------
    records : ndarray of `RECORD`, shape (n,)
        Aligned with the data set's samples; possibly memory-mapped, never written.
    problems : tuple of Problem
        Pictures that could not be read.
    paths : pyarrow.BinaryArray, shape (n,), or None
        Where they are, for the few that have to be looked at again in full.
    notes : tuple of str
        What is worth saying about how the fingerprints were come by.
    """

    records: np.ndarray
    problems: tuple[Problem, ...] = ()
    paths: pa.Array | None = None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> npt.NDArray[np.bool_]:
        """Which samples were read, shape (n,)."""
        return np.asarray(self.records["problem"] == 0)

    def __len__(self) -> int:
        return len(self.records)
