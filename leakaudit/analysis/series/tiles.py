"""Tiles of one large picture on both sides of a split: neighbours by the two numbers in their names that fit together.

Where tiles overlap, the right part of one is the left part of the next; where they abut, the last column of one goes
on in the first of the next. Two numbers in a name may be anything (a month and a day), so the pictures have to say it:
the step that fits best is chosen on one half of the neighbouring pairs and tried on the other half, beside as many
pairs that are no neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.series.numbers import Numbered, at_random, sign_test
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import FloatArray, IntArray

FITS = 0.9
"""Correlation of the common window from which two tiles fit together. Of constructed tiles that overlap by half and by
three quarters all neighbours do at the right step, at most 7 % at a wrong one, and no tiles farther off."""

CLEARLY = 0.1
"""Difference in correlation between borders of abutting tiles and other borders that counts."""

STEPS = tuple(range(4, 27))
"""Pixels of 32 from a tile to the next: an eighth to four fifths of a side."""

TESTED = 600
"""Pairs of neighbours that are compared, half of them to choose the step."""

FLAT = 2.0
"""Standard deviation of a window in grey levels below which it fits everything."""

SEED = 6
"""Of the choice of pairs that are no neighbours."""


@dataclass(frozen=True, eq=False, slots=True)
class Tiles:
    """Tiles of one held-out split beside those of the reference.

    Parameters
    ----------
    n_held_out : int
        Held-out tiles of series that the reference has, too.
    neighbours : Pairs
        Held-out tiles with the first of their direct neighbours in the reference.
    n_at_random : float
        Held-out tiles that would have a direct neighbour there, had each tile been assigned at random.
    overlap : float
        Share of a side that neighbours have in common, at the step that fits best; 0 where they abut.
    n_tested : int
        Pairs of neighbours that were tried at that step.
    fits, far_fits : float
        Share of them that fit together, and of as many pairs that are no neighbours. Of tiles that abut: the share
        whose borders are clearly more alike than those of tiles farther off, and the share whose borders are clearly
        less.
    """

    n_held_out: int
    neighbours: Pairs
    n_at_random: float
    overlap: float
    n_tested: int
    fits: float
    far_fits: float

    @property
    def p_value(self) -> float:
        """One-sided, that neighbours fit together no more often than other pairs do (exact sign test)."""
        return sign_test(round(self.fits * self.n_tested), round(self.far_fits * self.n_tested))


def tiles(records: np.ndarray, names: Numbered, side: IntArray, judged: npt.NDArray[np.bool_]) -> Tiles:
    """Compare held-out tiles with their direct neighbours in the reference. Parameters as in
    `leakaudit.analysis.series.frames.frames`, with two numbers each."""
    at = np.flatnonzero((names.series >= 0) & (side >= 0))
    at = at[np.isin(names.series[at], np.intersect1d(*(names.series[side == one] for one in (0, 1))))]
    held = side[at] == 1
    columns = {}
    for axis, along, across in ((0, names.y, names.x), (1, names.x, names.y)):
        columns[axis] = _next(names.series[at], along[at], across[at])
    pairs, n_neighbours, direct = [], np.zeros(len(at), np.int64), np.full(len(at), -1, np.int64)
    for axis, after in columns.items():
        one = np.flatnonzero(after >= 0)
        other = after[one]
        np.add.at(n_neighbours, one, 1)
        np.add.at(n_neighbours, other, 1)
        crossing = held[one] != held[other]
        one, other = one[crossing], other[crossing]
        for mine, its in ((one, other), (other, one)):
            fresh = held[mine] & (direct[mine] < 0)
            direct[mine[fresh]] = its[fresh]
        pairs.append(np.stack([at[one], at[other], np.full(len(one), axis)]))
    every = np.concatenate(pairs, axis=1)
    every = every[:, judged[every[0]] & judged[every[1]]]
    has = np.flatnonzero(direct >= 0)
    overlap, n_tested, fits, far_fits = _fitted(records, every, at[judged[at]])
    return Tiles(
        n_held_out=int(held.sum()),
        neighbours=Pairs(at[has], at[direct[has]], np.ones(len(has), dtype=np.float32)),
        n_at_random=at_random(n_neighbours[held], float((~held).mean()) if len(held) else 0.0),
        overlap=overlap,
        n_tested=n_tested,
        fits=fits,
        far_fits=far_fits,
    )


def _next(series: IntArray, along: IntArray, across: IntArray) -> IntArray:
    """The tile one step further along an axis for each tile, -1 where there is none.

    A step is the greatest common divisor of all differences of that number: 0, 512, 1024 or 0, 1, 2.
    """
    low = int(along.min()) if len(along) else 0
    unit = int(np.gcd.reduce(along - low)) if len(along) else 0
    after = np.full(len(along), -1, dtype=np.int64)
    if unit:
        place = {key: i for i, key in enumerate(zip(series.tolist(), along.tolist(), across.tolist(), strict=True))}
        keys = zip(series.tolist(), (along + unit).tolist(), across.tolist(), strict=True)
        after[:] = [place.get(key, -1) for key in keys]
    return after


def _fitted(records: np.ndarray, pairs: IntArray, others: IntArray) -> tuple[float, int, float, float]:
    """The overlap that fits best, the pairs it was tried on, how many of them fit, and of pairs that are no
    neighbours."""
    n = pairs.shape[1]
    if n < 2 or len(others) < 4:
        return 0.0, 0, 0.0, 0.0
    random = np.random.default_rng(SEED)
    some = pairs[:, random.permutation(n)[:TESTED]]
    far = np.stack([random.choice(others, some.shape[1]), random.choice(others, some.shape[1]), some[2]])
    luma = records["luma"]
    half = some.shape[1] // 2
    ways = [_Way(swapped, backwards) for swapped in (False, True) for backwards in (False, True)]
    share, step, way = max(
        (
            (float(_fit(luma, some[:, :half], step, way).mean()), -step, at)
            for step in STEPS
            for at, way in enumerate(ways)
        )
    )
    if share >= 0.5:
        fits, far_fits = (float(_fit(luma, each[:, half:], -step, ways[way]).mean()) for each in (some, far))
        return 1 + step / luma.shape[-1], some.shape[1] - half, fits, far_fits
    at = max(range(len(ways)), key=lambda at: np.subtract(*_go_on(luma, some[:, :half], far[:, :half], ways[at])))
    return 0.0, some.shape[1] - half, *_go_on(luma, some[:, half:], far[:, half:], ways[at])


@dataclass(frozen=True, slots=True)
class _Way:
    """Whether the first number goes along the columns, and whether numbers fall from left to right."""

    swapped: bool
    backwards: bool


def _laid_out(luma: np.ndarray, pairs: IntArray, way: _Way) -> tuple[FloatArray, FloatArray]:
    """Pairs of tiles, turned so that the second lies below the first."""
    a, b = (luma[pairs[i]].astype(np.float32) for i in ((1, 0) if way.backwards else (0, 1)))
    beside = (pairs[2] == 1) != way.swapped
    a[beside], b[beside] = a[beside].transpose(0, 2, 1), b[beside].transpose(0, 2, 1)
    return a, b


def _fit(luma: np.ndarray, pairs: IntArray, step: int, way: _Way) -> npt.NDArray[np.bool_]:
    """Whether the second tile of each pair is the first, moved by so many pixels; and not the first where it is, as
    frames of a film are."""
    a, b = _laid_out(luma, pairs, way)
    moved = _correlation(a[:, step:], b[:, :-step])
    return (moved > FITS) & (moved > _correlation(a, b))


def _go_on(luma: np.ndarray, near: IntArray, far: IntArray, way: _Way) -> tuple[float, float]:
    """Shares of pairs in which the second tile clearly goes on where the first ends, beside a pair of tiles farther
    off and beside its own far border; and in which it clearly does not."""
    a, b = _laid_out(luma, near, way)
    c, d = _laid_out(luma, far, way)
    border = _correlation(a[:, -1:], b[:, :1])
    others = np.stack([_correlation(c[:, -1:], d[:, :1]), _correlation(a[:, -1:], b[:, -1:])])
    return float((border > others.max(axis=0) + CLEARLY).mean()), float((border < others.max(axis=0) - CLEARLY).mean())


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    a, b = (one.reshape(len(one), one.shape[1] * one.shape[2]) - one.mean(axis=(1, 2))[:, None] for one in (a, b))
    spread = np.sqrt((a * a).mean(axis=1)) * np.sqrt((b * b).mean(axis=1))
    return np.asarray((a * b).mean(axis=1) / np.maximum(spread, FLAT**2))
