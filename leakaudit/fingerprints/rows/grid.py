"""Equal values of a single column of numbers: by chance, as many as differ by a step of the grid that they are on.

Numbers that were measured and rounded are on a grid. Where their density is smooth, two of them are equal by chance as
often as they differ by exactly one step, or two; copies are equal only. That alone would call equal row numbers chance:
neighbours abound there, and no two rows of one split are equal. They `avoid_each_other`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

STEPS = 5
"""Steps of the grid, to either side, over which the density counts as smooth: a mean of ten counts."""

MOST_DECIMALS = 9
"""Numbers are compared to nine significant digits."""

ALPHA = 0.01
"""Chance that as few repetitions as found come about, below which numbers avoid each other (Poisson)."""

_EXACT = 2**53


def expected_pairs(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64] | None) -> float:
    """Pairs of equal values that chance gives between a and b; None: inside a.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n,)
        NaN is no value.

    Examples
    --------
    >>> values = np.repeat([0.1, 0.2, 0.3, 0.4], 2)
    >>> round(expected_pairs(values, values), 2)  # to either side 12 pairs are a step apart, 8 two, 4 three
    4.8

    0 where there are no numbers, or where they are on no grid.
    """
    both = [part[np.isfinite(part)] for part in ((a,) if b is None else (a, b))]
    grid = _on_grid(np.concatenate(both))
    if grid is None:
        return 0.0
    of_a, of_b = grid[: len(both[0])], grid[len(both[0]) :]
    values, counts = np.unique(of_a if b is None else of_b, return_counts=True)
    beside = [_pairs_at(of_a, values, counts, step) for step in range(-STEPS, STEPS + 1) if step]
    return float(np.mean(beside)) / (2 if b is None else 1)


def on_grid(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> bool:
    """Whether all values are decimals of at most `MOST_DECIMALS` digits: numbers of all digits are not equal by chance.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n,)
        What is not finite is no value.
    """
    return _on_grid(np.concatenate([part[np.isfinite(part)] for part in (a, b)])) is not None


def avoid_each_other(*sides: npt.NDArray[np.float64]) -> bool:
    """Whether numbers so close to each other would be equal more often than these are, were their density smooth.

    Parameters
    ----------
    *sides : ndarray of float64, shape (n,)
        Each is looked at by itself. What is not finite is no value.
    """
    from scipy.special import pdtr

    n_equal = expected = 0.0
    for side in sides:
        counts = np.unique(side[np.isfinite(side)], return_counts=True)[1]
        n_equal += float((counts * (counts - 1.0)).sum() / 2)
        expected += expected_pairs(side, None)
    return bool(pdtr(n_equal, expected) < ALPHA)


def _pairs_at(of_a: IntArray, values: IntArray, counts: IntArray, step: int) -> float:
    at = np.minimum(np.searchsorted(values, of_a + step), len(values) - 1)
    return float(counts[at][values[at] == of_a + step].sum())


def _on_grid(values: npt.NDArray[np.float64]) -> IntArray | None:
    """Whole steps from the smallest value, where all values are decimals of so many digits."""
    if len(values) < 2:
        return None
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        whole = np.rint(scaled)
        if np.abs(whole).max() >= _EXACT:
            return None
        if np.abs(scaled - whole).max() <= 1e-4:
            steps = (whole - whole.min()).astype(np.int64)
            return np.asarray(steps // max(int(np.gcd.reduce(steps)), 1))
    return None
