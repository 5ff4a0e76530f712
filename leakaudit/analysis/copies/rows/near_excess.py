"""Do two splits share more nearly equal rows than one population would give?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import IntArray

PERMUTED = 2_000
"""Random assignments of rows to splits; the smallest p-value is 1 in as many."""

MOST_WORK = 200_000_000
"""Pairs by assignments; with more pairs fewer assignments are drawn, down to `LEAST_PERMUTED`."""

LEAST_PERMUTED = 200


@dataclass(frozen=True, eq=False, slots=True)
class NearExcess:
    """Held-out rows with a nearly equal one in the reference split.

    Parameters
    ----------
    held_out, reference : ndarray of int64, shape (p,)
        The pairs across the splits, by sample index, sorted.
    n_found : int
        Held-out rows among them.
    n_usual : float
        As many as there would be at the rate at which rows of the reference split have one in their own split.
    expected : float
        As many as there would be if the same rows were assigned to the splits at random.
    p_value : float
        Of as many or more at random (permutation test, one-sided).
    """

    held_out: IntArray
    reference: IntArray
    n_found: int
    n_usual: float
    expected: float
    p_value: float

    @property
    def n_excess(self) -> float:
        """Held-out rows beyond the usual."""
        return max(self.n_found - self.n_usual, 0.0)


def near_excess(
    a: IntArray, b: IntArray, split: IntArray, held_out: int, reference: int, known: IntArray
) -> NearExcess:
    """Compare pairs across two splits with pairs inside of them.

    Parameters
    ----------
    a, b : ndarray of int64, shape (p,)
        Pairs of nearly equal rows over all splits, by sample index.
    split : ndarray of int64, shape (n,)
        Split of every row.
    held_out, reference : int
        The two splits.
    known : ndarray of int64
        Held-out rows that are accounted for already; they do not count.
    """
    belongs = (split == held_out) | (split == reference)
    belongs[known] = False
    inside = belongs[a] & belongs[b]
    nodes, back = np.unique(np.concatenate((a[inside], b[inside])), return_inverse=True)
    first, second = back[: len(back) // 2], back[len(back) // 2 :]
    is_held_out = split[nodes] == held_out
    across = is_held_out[first] != is_held_out[second]
    swap = is_held_out[first[across]]
    x = np.where(swap, first[across], second[across])
    y = np.where(swap, second[across], first[across])
    order = np.lexsort((nodes[y], nodes[x]))
    n_found = len(np.unique(x))
    n_a = int((belongs & (split == held_out)).sum())
    n_b = int((belongs & (split == reference)).sum())
    own = ~is_held_out[first] & ~is_held_out[second]
    n_own = len(np.unique(np.concatenate((first[own], second[own]))))
    expected, p_value = _permuted(first, second, len(nodes), n_a / max(n_a + n_b, 1), n_found)
    usual = n_own / max(n_b, 1) * n_a
    return NearExcess(nodes[x[order]], nodes[y[order]], n_found, usual, expected, p_value)


def _permuted(first: IntArray, second: IntArray, n_nodes: int, share: float, found: int) -> tuple[float, float]:
    if not len(first):
        return 0.0, 1.0
    times = int(np.clip(MOST_WORK // len(first), LEAST_PERMUTED, PERMUTED))
    random = np.random.default_rng(0)
    totals = np.zeros(times)
    for at in range(times):
        held_out = random.random(n_nodes) < share
        meets = np.zeros(n_nodes, dtype=bool)
        meets[first[held_out[first] & ~held_out[second]]] = True
        meets[second[held_out[second] & ~held_out[first]]] = True
        totals[at] = meets.sum()
    return float(totals.mean()), (1 + int((totals >= found).sum())) / (times + 1)
