"""How often do two rows agree in every column by chance? A model from how often they agree in each one and each two.

For each column and each two columns, count the pairs of rows that agree in it. The tree over the columns that makes
agreeing in all of them likeliest (Chow and Liu 1968, over agreement instead of values) gives their number; copies,
which agree in everything at once, are taken off all counts until the two fit each other. What more than two columns
have to do with each other is left out. Where most pairs that agree in two columns agree in all, nothing is left to
learn from: the model is saturated, and says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]

WIDEST = 24
"""Columns that are looked at, those in which the fewest pairs agree; the others could only lower what is expected."""

LEAST_ROWS, MOSTLY = 20, 0.5
"""Rows of the reference split from which on a single column is called coarse, and the share of them whose value another
row has already."""

SATURATED = 0.1
"""Share of the pairs agreeing in two columns that agree in all, from which on the model cannot tell copies from columns
that hang together: taking the former off takes the latter off, too. Of two columns it is 1; of three that hang together
0.3 to 0.7 in simulations, of five 0.05."""

ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the model says.

    Parameters
    ----------
    rate : float
        Share of pairs of rows that agree in every column by chance.
    saturated : bool
        The pairs that agree in everything are a large part of those that agree in two columns: the rate may be far too
        low.
    """

    rate: float
    saturated: bool


def agreement(cells: Hashes) -> Agreement:
    """Fit the model to the cells of some rows.

    Parameters
    ----------
    cells : ndarray of uint64, shape (k, m)
        Equal for equal cells of a column.

    Notes
    -----
    With ``p(i)`` and ``p(i, j)`` the shares of pairs that agree in a column and in two, the tree expects the product of
    all ``p(i)`` and of ``p(i, j) / (p(i) p(j))`` over its edges; the spanning tree with the largest product is taken.
    Pairs that agree in everything beyond what is expected are copies, and are taken off; the fixed point is reached
    from below, so that copies alone never pass for chance.
    """
    m = cells.shape[1]
    n_pairs = m * (m - 1) / 2
    if m < 2:
        return Agreement(0.0, saturated=True)
    alone = np.array([_n_pairs(column) for column in cells], dtype=np.float64)
    if len(cells) == 1:
        # One column has no other to be judged by: it is coarse where most of its values occur again.
        is_coarse = m >= LEAST_ROWS and len(np.unique(cells[0])) <= m * (1 - MOSTLY)
        return Agreement(float(alone[0] / n_pairs) if is_coarse else 0.0, saturated=True)
    cells, alone = cells[np.argsort(alone, kind="stable")[:WIDEST]], np.sort(alone)[:WIDEST]
    mixed = cells * _factors(len(cells))[:, None]
    together = np.zeros((len(cells), len(cells)))
    for i, j in combinations(range(len(cells)), 2):
        together[i, j] = together[j, i] = _n_pairs(mixed[i] + mixed[j]) if min(alone[i], alone[j]) else 0.0
    agreeing = _n_pairs(mixed.sum(axis=0, dtype=np.uint64))
    expected = 0.0
    for _ in range(ROUNDS):
        copies = max(agreeing - expected, 0.0)
        left = max(n_pairs - copies, 1.0)
        before, expected = (
            expected,
            left * _tree(np.maximum(alone - copies, 0.0) / left, np.maximum(together - copies, 0.0) / left),
        )
        if expected - before <= 1e-3 * expected:
            break
    least = float(together[np.triu_indices(len(cells), 1)].min())
    return Agreement(float(expected / n_pairs), saturated=agreeing > SATURATED * least)


def _tree(alone: npt.NDArray[np.float64], together: npt.NDArray[np.float64]) -> float:
    """Chance that a pair agrees in all columns under the spanning tree that makes it likeliest (Prim's algorithm)."""
    if not alone.all():
        return 0.0
    lift = np.log(np.maximum(together, 1e-300)) - np.log(np.outer(alone, alone))
    lift = np.where(together > 0, lift, 0.0)
    total = float(np.log(alone).sum())
    best = lift[0].copy()
    waiting = list(range(1, len(alone)))
    while waiting:
        joined = max(waiting, key=lambda j: best[j])
        total += float(best[joined])
        waiting.remove(joined)
        best = np.maximum(best, lift[joined])
    return float(np.exp(min(total, 0.0)))


def _factors(n: int) -> Hashes:
    """Odd multipliers, so that a sum of hashes tells which column each belongs to."""
    return np.random.default_rng(7).integers(0, 2**63, n, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _n_pairs(keys: Hashes) -> float:
    """Pairs of equal values."""
    ordered = np.sort(keys)
    ends = np.flatnonzero(np.concatenate((ordered[1:] != ordered[:-1], [True])))
    counts = np.diff(ends, prepend=-1).astype(np.float64)
    return float((counts * (counts - 1)).sum() / 2)
