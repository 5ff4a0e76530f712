"""Which unit goes into which split: shares of samples and of strata as wished, as nearly as whole units allow.

Units with the same samples of each stratum are interchangeable, so that what is decided is *how many* of each kind of
unit a split gets; which ones they are is decided by `leakaudit.repair.units.ranks`. The sum of squared deviations,
each over what is expected (Pearson's statistic), is made small by a greedy start from the largest units on, and by
moving and swapping units for as long as that helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Floats = npt.NDArray[np.float64]

SWAPPED = 400
"""Kinds of unit among which the best swap is looked for at a time: those that a move would help most."""

KICKS = 24
"""Times that a settled assignment is disturbed and settled again; the best one is kept."""

MOST_KINDS_KICKED = 3_000
"""Kinds of unit up to which it is: with more of them the first one is within a few samples of the wish."""

MOST_STEPS = 20_000
"""Moves and swaps of one settling."""


@dataclass(frozen=True, eq=False, slots=True)
class Distance:
    """How far splits are from the wish.

    Parameters
    ----------
    strata : float
        Mean over the splits of the total variation between their shares of strata and those of all samples, 0 to 1.
    size : float
        Half the sum over the splits of |share of samples - wish|, 0 to 1.
    """

    strata: float
    size: float


def assign(
    unit: IntArray,
    counts: Floats,
    shares: Sequence[float],
    rank: IntArray,
    *,
    fixed: IntArray | None = None,
    starts: Sequence[IntArray] = (),
    seed: int = 0,
) -> IntArray:
    """Give every unit a split.

    Parameters
    ----------
    unit : ndarray of int64, shape (u,)
        Samples of each unit.
    counts : ndarray of float64, shape (u, c)
        Samples of each unit in each stratum.
    shares : sequence of float
        Of the splits; they add up to 1.
    rank : ndarray of int64, shape (u,)
        Of interchangeable units the ones with the smaller rank go to the first split.
    fixed : ndarray of int64, shape (u,), optional
        Split of the units that have one already, -1 for the others.
    starts : sequence of ndarray of int64, shape (u,)
        Whole assignments by others, to settle from, too: the result is at least as near to the wish as each of them.
    seed : int, default 0
        Of the kicks.

    Returns
    -------
    ndarray of int64, shape (u,)
        Split of each unit.
    """
    wished = np.asarray(shares, np.float64)
    fixed = np.full(len(unit), -1, np.int64) if fixed is None else fixed
    free = np.flatnonzero(fixed < 0)
    result = fixed.copy()
    if not len(free):
        return result
    weighed = np.column_stack((counts, unit)).astype(np.float64)
    taken = np.stack([weighed[fixed == split].sum(axis=0) for split in range(len(shares))])
    kinds = _kinds(weighed[free])
    search = _Search(kinds, taken, weighed.sum(axis=0), wished)
    best = search.settle(search.greedy())
    for start in starts:
        best = min(best, search.settle(kinds.numbers(start[free], len(shares))), key=search.cost)
    rng = np.random.default_rng(seed)
    for _ in range(KICKS if len(kinds.counts) <= MOST_KINDS_KICKED else 0):
        best = min(best, search.settle(search.kicked(best, rng)), key=search.cost)
    result[free] = kinds.spread(best, rank[free])
    return result


def distance(split: IntArray, unit: IntArray, counts: Floats, shares: Sequence[float]) -> Distance:
    """How far an assignment of units is from the wish; parameters as for `assign`."""
    n_splits = len(shares)
    total = counts.sum(axis=0)
    apart, sizes = [], []
    for at in range(n_splits):
        here = counts[split == at].sum(axis=0)
        if here.sum() and total.sum():
            apart.append(0.5 * float(np.abs(here / here.sum() - total / total.sum()).sum()))
        elif total.sum():
            apart.append(1.0)
        sizes.append(float(unit[split == at].sum()) / max(float(unit.sum()), 1.0))
    return Distance(
        float(np.mean(apart)) if apart else 0.0,
        0.5 * float(np.abs(np.array(sizes) - np.asarray(shares)).sum()),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Kinds:
    """Units that are alike, together: `counts` of one unit, shape (t, c + 1), and the kind of each unit, shape (u,)."""

    counts: Floats
    of: IntArray

    @property
    def n(self) -> IntArray:
        return np.bincount(self.of, minlength=len(self.counts)).astype(np.int64)

    def numbers(self, split: IntArray, n_splits: int) -> IntArray:
        """How many units of each kind are in each split, shape (t, s)."""
        found = np.zeros((len(self.counts), n_splits), np.int64)
        np.add.at(found, (self.of, split), 1)
        return found

    def spread(self, numbers: IntArray, rank: IntArray) -> IntArray:
        """A split for every unit, so that there are these numbers of each kind; by rank, the first split first."""
        order = np.lexsort((rank, self.of))
        split = np.empty(len(self.of), np.int64)
        split[order] = np.repeat(np.tile(np.arange(numbers.shape[1]), len(numbers)), numbers.reshape(-1))
        return split


def _kinds(weighed: Floats) -> _Kinds:
    counts, of = np.unique(weighed, axis=0, return_inverse=True)
    return _Kinds(counts, of.reshape(-1).astype(np.int64))


class _Search:
    """Numbers of units by kind and split, made better one step at a time.

    Parameters
    ----------
    kinds : _Kinds
    taken : ndarray, shape (s, c + 1)
        What fixed units have given to the splits.
    total : ndarray, shape (c + 1,)
    shares : ndarray, shape (s,)
    """

    def __init__(self, kinds: _Kinds, taken: Floats, total: Floats, shares: Floats) -> None:
        self.x, self.n = kinds.counts, kinds.n
        self.taken, self.shares = taken, shares
        self.wish = shares[:, None] * total
        self.weight = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
        self.norm = (self.x**2) @ self.weight
        size = self.x.size * len(shares) ** 2
        self.most_steps = int(min(MOST_STEPS, max(50, 2e9 / max(size, 1))))

    def off(self, numbers: IntArray) -> Floats:
        """What each split has beyond the wish."""
        return self.taken + numbers.T @ self.x - self.wish

    def cost(self, numbers: IntArray) -> float:
        """Pearson's statistic of the deviations."""
        return float((self.off(numbers) ** 2 @ self.weight / self.shares).sum())

    def greedy(self) -> IntArray:
        """Whole parts of what each split should have of each kind, then what is left, the largest unit first."""
        lacking = np.maximum(self.wish[:, -1] - self.taken[:, -1], 0)
        part = lacking / lacking.sum() if lacking.sum() else self.shares
        numbers: IntArray = np.floor(self.n[:, None] * part).astype(np.int64)
        off = self.off(numbers)
        for kind in np.argsort(-self.x[:, -1], kind="stable"):
            x = self.x[kind]
            for _ in range(int(self.n[kind] - numbers[kind].sum())):
                to = int(np.argmin(((2 * off * x + x**2) @ self.weight) / self.shares))
                numbers[kind, to] += 1
                off[to] += x
        return numbers

    def kicked(self, numbers: IntArray, rng: np.random.Generator) -> IntArray:
        """Some units elsewhere."""
        numbers = numbers.copy()
        for _ in range(int(rng.integers(2, 9))):
            kind = int(rng.integers(len(numbers)))
            here = np.flatnonzero(numbers[kind])
            numbers[kind, rng.choice(here)] -= 1
            numbers[kind, rng.integers(numbers.shape[1])] += 1
        return numbers

    def settle(self, numbers: IntArray) -> IntArray:
        """Move or swap units for as long as that brings the splits nearer to the wish."""
        numbers = numbers.copy()
        off = self.off(numbers)
        for _ in range(self.most_steps):
            if not (self._move(numbers, off) or self._swap(numbers, off)):
                break
        return numbers

    def _towards(self, off: Floats, a: int, b: int) -> tuple[Floats, float]:
        """Half the change of the cost by moving one unit of each kind from a to b, but for the square's part."""
        slope = self.weight * (off[b] / self.shares[b] - off[a] / self.shares[a])
        return self.x @ slope, 1 / self.shares[a] + 1 / self.shares[b]

    def _move(self, numbers: IntArray, off: Floats) -> bool:
        """The best move of one unit or several alike; False where none helps."""
        best, found = -_LEAST, None
        for a in range(len(self.shares)):
            for b in range(len(self.shares)):
                here = np.flatnonzero(numbers[:, a]) if a != b else np.zeros(0, np.int64)
                if not len(here):
                    continue
                linear, scale = self._towards(off, a, b)
                many = np.clip(
                    np.round(-linear[here] / np.maximum(scale * self.norm[here], _LEAST)), 1, numbers[here, a]
                )
                change = 2 * many * linear[here] + many**2 * scale * self.norm[here]
                at = int(np.argmin(change))
                if change[at] < best:
                    best, found = float(change[at]), (int(here[at]), a, b, int(many[at]))
        if found is None:
            return False
        kind, a, b, n = found
        numbers[kind, a] -= n
        numbers[kind, b] += n
        off[a] -= n * self.x[kind]
        off[b] += n * self.x[kind]
        return True

    def _swap(self, numbers: IntArray, off: Floats) -> bool:
        """The best swap of two units between two splits; False where none helps."""
        best, found = -_LEAST, None
        for a in range(len(self.shares)):
            for b in range(a + 1, len(self.shares)):
                linear, scale = self._towards(off, a, b)
                out = self._promising(numbers[:, a], 2 * linear + scale * self.norm)
                back = self._promising(numbers[:, b], -2 * linear + scale * self.norm)
                if not len(out) or not len(back):
                    continue
                both = (self.x[out] * self.weight) @ self.x[back].T
                square = self.norm[out][:, None] + self.norm[back][None, :] - 2 * both
                change = 2 * (linear[out][:, None] - linear[back][None, :]) + scale * square
                at = np.unravel_index(int(np.argmin(change)), change.shape)
                if change[at] < best:
                    best, found = float(change[at]), (int(out[at[0]]), int(back[at[1]]), a, b)
        if found is None:
            return False
        gone, come, a, b = found
        numbers[[gone, come], [a, b]] -= 1
        numbers[[gone, come], [b, a]] += 1
        off[a] += self.x[come] - self.x[gone]
        off[b] += self.x[gone] - self.x[come]
        return True

    @staticmethod
    def _promising(numbers: IntArray, change: Floats) -> IntArray:
        here = np.flatnonzero(numbers)
        if len(here) <= SWAPPED:
            return here
        return np.sort(here[np.argpartition(change[here], SWAPPED)[:SWAPPED]])


_LEAST = 1e-12
"""A step must help by more than rounding does."""
