"""Frames of one film, or pictures of one camera, on both sides of a split: neighbours by number that look alike.

Pictures that are numbered in the order in which they were taken resemble their neighbours more than pictures farther
off, if they were taken shortly after one another. So the best agreement of a held-out picture with the reference
pictures next to it is compared with the best agreement with as many that are 20 to 60 numbers away.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.match import verify
from leakaudit.analysis.series.numbers import Numbered, at_random, sign_test, unit_of
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import FloatArray, IntArray

NEAR = 5
"""Numbers (in the usual step of the series) within which a reference picture is a neighbour."""

FAR = (20, 60)
"""Numbers away at which the pictures to compare with lie."""

TESTED = 300
"""Held-out pictures that are compared, evenly spread: a share is then known to 3 %."""

CLEARLY = 1.0
"""Difference in evidence that says which of two is more alike."""

SEED = 5
"""Of the choice among the pictures farther off."""


@dataclass(frozen=True, eq=False, slots=True)
class Frames:
    """Numbered pictures of one held-out split beside those of the reference.

    Parameters
    ----------
    n_numbered : int
        Held-out pictures of series that the reference has, too.
    within : int
        Numbers within which nine in ten of those with a neighbour have one.
    neighbours : Pairs
        Held-out pictures with the nearest reference picture of their series, at most `within` away.
    n_direct, n_direct_at_random : int, float
        Held-out pictures whose direct neighbour in order is in the reference, and as many as there were if each picture
        had been assigned at random: far fewer where the split cuts a film into stretches.
    n_tested, n_more, n_less : int
        Held-out pictures that were compared; those clearly more alike to their neighbour than to pictures farther off,
        and clearly less.
    p_value : float
        One-sided, that both are equally many (exact sign test).
    """

    n_numbered: int
    within: int
    neighbours: Pairs
    n_direct: int
    n_direct_at_random: float
    n_tested: int
    n_more: int
    n_less: int
    p_value: float

    @property
    def effect(self) -> float:
        """Share that is clearly more alike to neighbours less the share that is clearly less; 0 where none is."""
        return (self.n_more - self.n_less) / max(self.n_tested, 1)


def frames(records: np.ndarray, names: Numbered, side: IntArray, judged: npt.NDArray[np.bool_]) -> Frames:
    """Compare held-out pictures with their neighbours by number.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    names : Numbered
    side : ndarray of int64, shape (n,)
        1: held out, 0: reference, -1: neither.
    judged : ndarray of bool, shape (n,)
        Pictures with detail to compare.
    """
    order = np.lexsort((np.arange(len(side)), names.x, names.series))
    order = order[(names.series[order] >= 0) & (side[order] >= 0)]
    both = _shared(names.series[order], side[order])
    order = order[both]
    series, held = names.series[order], side[order] == 1
    n_neighbours, is_direct = _direct(series, held)
    share = float((~held).mean()) if len(held) else 0.0
    near, distance, rows, partners = [], [], [], []
    random = np.random.default_rng(SEED)
    bounds = np.append(np.flatnonzero(np.diff(series, prepend=-1)), len(series))
    for start, stop in pairwise(bounds):
        inside = order[start:stop]
        x, is_held = names.x[inside], held[start:stop]
        a, b = inside[is_held], inside[~is_held]
        unit = unit_of(x)
        nearest, apart = _nearest(names.x[a], names.x[b])
        close = apart <= NEAR * unit
        near.append(np.stack([a[close], b[nearest[close]]]))
        distance.append(apart[close])
        for one in _spread(np.flatnonzero(close & judged[a]), TESTED):
            gaps = np.abs(names.x[a[one]] - names.x[b])
            of_near = b[(gaps <= apart[one]) & judged[b]][:2]
            of_far = b[(gaps >= FAR[0] * unit) & (gaps <= FAR[1] * unit) & judged[b]]
            if len(of_near) and len(of_far) >= len(of_near):
                rows.append(a[one])
                partners.append([*of_near, *random.permutation(of_far)[: len(of_near)]])
    chosen = _spread(np.arange(len(rows)), TESTED)
    n_more, n_less = _compared(records, [rows[i] for i in chosen], [partners[i] for i in chosen])
    pairs, apart = (np.concatenate(each, axis=-1) if each else np.zeros((2, 0), np.int64) for each in (near, distance))
    within = int(np.quantile(apart, 0.9, method="higher")) if apart.size else 0
    pairs = pairs[:, apart <= within] if apart.size else pairs
    pairs = pairs[:, np.argsort(pairs[0], kind="stable")]
    return Frames(
        n_numbered=int(held.sum()),
        within=within,
        neighbours=Pairs(pairs[0], pairs[1], np.ones(pairs.shape[1], dtype=np.float32)),
        n_direct=int((is_direct & held).sum()),
        n_direct_at_random=at_random(n_neighbours[held], share),
        n_tested=len(chosen),
        n_more=n_more,
        n_less=n_less,
        p_value=sign_test(n_more, n_less),
    )


def _shared(series: IntArray, side: IntArray) -> npt.NDArray[np.bool_]:
    """Which of these belong to a series that both sides have."""
    return np.isin(series, np.intersect1d(series[side == 1], series[side == 0]))


def _direct(series: IntArray, held: npt.NDArray[np.bool_]) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Of pictures in order: how many neighbours each has in its series, and whether one is on the other side."""
    n_neighbours, is_direct = np.zeros(len(series), dtype=np.int64), np.zeros(len(series), dtype=bool)
    same = series[1:] == series[:-1]
    other = same & (held[1:] != held[:-1])
    n_neighbours[1:] += same
    n_neighbours[:-1] += same
    is_direct[1:] |= other
    is_direct[:-1] |= other
    return n_neighbours, is_direct


def _nearest(x: IntArray, others: IntArray) -> tuple[IntArray, IntArray]:
    """The nearest of the others, which are sorted, to each number, the smaller of two; and how far off it is."""
    after = np.clip(np.searchsorted(others, x), 0, len(others) - 1)
    before = np.maximum(after - 1, 0)
    gaps = np.abs(others[before] - x), np.abs(others[after] - x)
    return np.where(gaps[0] <= gaps[1], before, after), np.minimum(*gaps)


def _spread(places: IntArray, most: int) -> IntArray:
    """At most so many of the places, evenly spread."""
    return places[np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(np.int64))]


def _compared(records: np.ndarray, rows: list[int], partners: list[list[int]]) -> tuple[int, int]:
    """How many are clearly more alike to the first half of their partners than to the second, and how many less."""
    n_more = n_less = 0
    for width in sorted({len(each) for each in partners}):
        at = [i for i, each in enumerate(partners) if len(each) == width]
        a, index = np.array([rows[i] for i in at]), np.array([partners[i] for i in at])
        found = verify(records, a, index, np.zeros(index.shape, np.int8), finest=width, jobs=1)
        evidence = _table(found.a, found.b, found.evidence, a, index)
        half = width // 2
        apart = evidence[:, :half].max(axis=1) - evidence[:, half:].max(axis=1)
        n_more += int((apart >= CLEARLY).sum())
        n_less += int((apart <= -CLEARLY).sum())
    return n_more, n_less


def _table(of_a: IntArray, of_b: IntArray, values: FloatArray, a: IntArray, index: IntArray) -> FloatArray:
    """The values of pairs, sorted by (a, b), as they were asked for."""
    span = int(max(a.max(), index.max())) + 1
    return values[np.searchsorted(of_a * span + of_b, a[:, None] * span + index)]
