"""Ranks, without the half second that SciPy's statistics take to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def mean_ranks(values: np.ndarray) -> npt.NDArray[np.float64]:
    """Ranks from 1 on, the mean one for equal values, as ``scipy.stats.rankdata`` gives them.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Without missing ones.

    >>> mean_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    code, counts = np.unique(values, return_inverse=True, return_counts=True)[1:]
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[code.reshape(-1)], dtype=np.float64)
