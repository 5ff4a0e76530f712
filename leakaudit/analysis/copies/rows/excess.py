"""Do two splits share more equal rows than one population would give?

If the rows were assigned to the splits at random, how many of those that are not alone would meet an equal one on the
other side?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.rows.equal import group_counts
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

PERMUTED = 4_000
"""Random assignments of rows to splits; the smallest p-value is 1 in as many."""

_Z_ALPHA, _Z_POWER = 2.326, 0.842  # normal quantiles of a level of 0.01, one-sided, and of a power of 0.8
_EXACT = 500


@dataclass(frozen=True, slots=True)
class Excess:
    """Held-out rows that occur in the reference split beyond what one population gives.

    Parameters
    ----------
    n_rows : float
        Beyond the rate at which the rows of the reference split meet another one of it.
    expected, p_value : float
        As in `Assignment`.
    detectable : float
        Least share of copies among the held-out rows that would be significant at 0.01 in four of five cases; not
        below 1 where none would.
    """

    n_rows: float
    expected: float
    p_value: float
    detectable: float


def excess_of_rows(rows: RowFingerprints, layer: Layer, held_out: str, reference: str, known: float = 0.0) -> Excess:
    """Compare the rows that two splits share with the same rows assigned to the splits at random.

    Parameters
    ----------
    known : float, default 0
        Held-out rows that are accounted for already; they are not part of the excess.
    """
    in_a, in_b = group_counts(rows, layer, held_out, reference)
    n_a, n_b = rows.n_rows[held_out], rows.n_rows[reference]
    share = n_a / (n_a + n_b)
    assigned = random_assignment(in_a, in_b, share)
    shared = int(in_a[in_b > 0].sum())
    again = int(in_b[in_b > 1].sum()) / n_b  # rate at which a row of the reference split meets another one
    # A copy adds a row that meets one, unless its like was met before; and two rows that a random assignment may part.
    gain = (1 - min(again, 1.0)) * (1 - 2 * share * (1 - share))
    needed = (_Z_ALPHA + _Z_POWER) * max(assigned.deviation, 1.0)
    detectable = needed / (gain * n_a) if gain > 0 else float("inf")
    return Excess(max(shared - again * n_a - known, 0.0), assigned.expected, assigned.p_value, detectable)


@dataclass(frozen=True, slots=True)
class Assignment:
    """Held-out rows that occur in the reference split, against random assignment of the same rows to the splits.

    Parameters
    ----------
    expected, deviation : float
        Mean and standard deviation under random assignment.
    p_value : float
        One-sided: as many or more.
    """

    expected: float
    deviation: float
    p_value: float


def random_assignment(
    held_out: IntArray, reference: IntArray, share: float, observed: float | None = None
) -> Assignment:
    """Permutation test of how many held-out rows meet an equal one.

    Parameters
    ----------
    held_out, reference : ndarray of int64, shape (g,)
        Rows of each group of equal rows in either split; groups of one row may be left out.
    share : float
        Held-out rows by rows of both splits.
    observed : float, optional
        Held-out rows that meet one, where some of them do not count; by default, all of them.
    """
    if observed is None:
        observed = float(held_out[reference > 0].sum())
    sizes, n_groups = np.unique(held_out + reference, return_counts=True)
    random = np.random.default_rng(0)
    totals = np.zeros(PERMUTED)
    expected = variance = 0.0
    for size, n in zip(sizes.tolist(), n_groups.tolist(), strict=True):
        if size < 2:
            continue
        meeting, chances = _meeting(size, share)
        mean = float(meeting @ chances)
        expected += n * mean
        variance += n * float(((meeting - mean) ** 2) @ chances)
        totals += random.multinomial(n, chances, size=PERMUTED) @ meeting
    p_value = (1 + int((totals >= observed - 1e-9).sum())) / (PERMUTED + 1)
    return Assignment(expected, float(np.sqrt(variance)), p_value)


def _meeting(size: int, share: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How many of a group's rows are held out and meet an equal one, and how likely that is; large groups coarsely."""
    from scipy.special import gammaln, xlog1py, xlogy

    if size <= _EXACT:
        n_held_out = np.arange(size + 1)
        ways = gammaln(size + 1) - gammaln(n_held_out + 1) - gammaln(size - n_held_out + 1)
        chances = np.exp(ways + xlogy(n_held_out, share) + xlog1py(size - n_held_out, -share))
        return np.where(n_held_out == size, 0.0, n_held_out), chances / chances.sum()
    steps = np.linspace(-4, 4, 33)
    weights = np.exp(-(steps**2) / 2)
    spread = np.sqrt(size * share * (1 - share))
    return np.clip(size * share + steps * spread, 0, size), weights / weights.sum()
