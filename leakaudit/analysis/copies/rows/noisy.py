"""Rows copied with noise in every number: their nearest neighbour across is far nearer than its neighbours are to it.

No distance is small by itself: how near neighbours are depends on the columns, and on how crowded a place is. So each
row of the held-out split is asked how far its nearest row of the reference split is, in units of how far that one is
from its own nearest neighbour inside the reference split. Rows of the reference split, asked the same of each other,
say how small that is by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.rows.columns import read_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

    Float32 = npt.NDArray[np.float32]
    Float64 = npt.NDArray[np.float64]

LEAST_NUMBERS, A_HANDFUL = 3, 10
"""Columns of numbers of more than a handful of values that distances need: in fewer dimensions neighbours are near by
chance."""

LEAST_ROWS = 50
"""Rows of the reference split from which on it says what is usual."""

FAR_NEARER, USUAL = 0.5, 0.005
"""Largest distance to the nearest row, by that one's own, that is far nearer; in a table where chance comes that near,
the share of the rows of the reference split that may."""

MOST_ASKED = 2_000
"""Rows of the reference split that say what is usual: drawn at random where there are more."""

MOST_WORK, WORK_OF_ONE = 15_000_000_000, 20
"""Distances times columns (and so many more for comparing each) that are computed, in a few seconds; with more, such
rows are not looked for, and that is said."""

MOST_LEVELS = 32
"""Values of a category up to which another one counts in the distance: of more, most are another one anyway."""

WIDEST = 256
"""Columns that distances are made of; of wider tables as many, evenly spread."""

TOO_MANY = "too many rows"
"""How a reason begins that is worth saying: the others are of the table, this one is of the time it would take."""

_BLOCK = 1 << 24


@dataclass(frozen=True, eq=False, slots=True)
class NoisyRows:
    """Held-out rows far nearer to a row of the reference split than its neighbours are.

    Parameters
    ----------
    held_out, reference : ndarray of int64, shape (p,)
        Sample indices of the pairs, by held-out row.
    n_usual : float
        As many as there would be at the rate inside the reference split.
    nearer : float
        Largest ratio of distances among them.
    p_value : float
        Of as many or more, were both splits one population (exact, from ranks).
    reason : str or None
        Why they were not looked for.
    """

    held_out: IntArray
    reference: IntArray
    n_usual: float
    nearer: float
    p_value: float
    reason: str | None = None


def noisy_rows(rows: RowFingerprints, split: IntArray, held_out: int, reference: int, known: IntArray) -> NoisyRows:
    """Find held-out rows that are rows of the reference split with noise in their numbers.

    Parameters
    ----------
    split : ndarray of int64, shape (n,)
        Split of every row.
    held_out, reference : int
        The two splits.
    known : ndarray of int64
        Held-out rows that are accounted for already; they are not asked.

    Notes
    -----
    Numbers are compared as asinh(x / s), s the standard deviation of the column, standardised; another category counts
    as two standard deviations' square. The threshold of the ratio is `FAR_NEARER`, or the quantile `USUAL` of the
    reference split where that is less. Given that j rows of the reference split are below it, the number of held-out
    rows below is that of successes before the next of them: P(K ≥ k) = P(Binomial(k + j, share) ≥ k), with share the
    held-out rows by all rows asked.
    """
    asked = np.setdiff1d(np.flatnonzero(split == held_out), known, assume_unique=True)
    others = np.flatnonzero(split == reference)
    if len(others) < LEAST_ROWS or not len(asked):
        return _none("too few rows")
    n_drawn = min(len(others), MOST_ASKED)
    n_distances = 2 * (len(asked) + n_drawn) * len(others)
    if n_distances * WORK_OF_ONE > MOST_WORK:
        return _none(_too_many(asked, others))
    both = np.union1d(asked, others)
    points = _points(rows, both)
    if points is None:
        return _none("fewer than three columns of numbers")
    if n_distances * (points.shape[1] + WORK_OF_ONE) > MOST_WORK:
        return _none(_too_many(asked, others))
    # Rows that are equal in everything are the business of LA104, and would be everybody's neighbour at distance zero.
    distinct = np.unique(points[np.searchsorted(both, others)], axis=0, return_index=True)[1]
    others = others[np.sort(distinct)]
    if len(others) < LEAST_ROWS:
        return _none("too few distinct rows")
    space = points[np.searchsorted(both, others)]
    drawn = np.arange(len(others))
    if n_drawn < len(others):
        drawn = np.sort(np.random.default_rng(0).choice(len(others), n_drawn, replace=False))
    ratio_inside = _ratios_inside(space, drawn)
    at, ratio = _ratios_across(points[np.searchsorted(both, asked)], space)
    limit = min(FAR_NEARER, float(np.quantile(ratio_inside, USUAL)))
    below = (ratio < limit) & (ratio > 0)
    n_below, n_inside = int(below.sum()), int((ratio_inside < limit).sum())
    share = len(asked) / (len(asked) + len(drawn))
    return NoisyRows(
        asked[below],
        others[at[below]],
        n_inside / len(drawn) * len(asked),
        float(ratio[below].max(initial=0.0)),
        _chance_of(n_below, n_inside, share),
    )


def _none(reason: str) -> NoisyRows:
    none = np.zeros(0, dtype=np.int64)
    return NoisyRows(none, none, 0.0, 0.0, 1.0, reason)


def _too_many(asked: IntArray, others: IntArray) -> str:
    return f"{TOO_MANY}: {len(asked):,} against {len(others):,}"


def _chance_of(n: int, n_inside: int, share: float) -> float:
    from scipy.special import bdtrc

    return float(bdtrc(n - 1, n + n_inside, share)) if n else 1.0


def _points(rows: RowFingerprints, indices: IntArray) -> Float32 | None:
    """Rows as points, None where their numbers are too few; shape (m, d)."""
    described = [column.name for column in rows.pool.columns if column.name not in rows.beside]
    if len(described) > WIDEST:
        described = [described[i] for i in np.linspace(0, len(described) - 1, WIDEST).astype(int).tolist()]
    parts: list[Float64] = []
    n_numbers = 0
    for column in read_columns(rows, described, indices):
        if column.numbers is not None:
            numbers = np.where(np.isfinite(column.numbers), column.numbers, np.nan)
            missing = np.isnan(numbers)
            scale = _spread(numbers)
            if not scale:
                continue
            scaled = np.arcsinh(numbers / scale)
            spread = _spread(scaled)
            if not spread:
                continue
            n_numbers += len(np.unique(numbers[~missing])) > A_HANDFUL
            parts.append(np.where(missing, 0.0, (scaled - np.nanmean(scaled)) / spread)[:, None])
            if missing.any():
                parts.append(missing.astype(np.float64)[:, None])
        elif column.codes is not None and column.levels is not None and 1 < len(column.levels) <= MOST_LEVELS:
            parts.append((column.codes[:, None] == np.arange(len(column.levels))).astype(np.float64))
    return np.hstack(parts).astype(np.float32) if n_numbers >= LEAST_NUMBERS else None


def _spread(numbers: Float64) -> float:
    """Standard deviation of what is known; 0 where it is none, or beyond all numbers."""
    known = numbers[~np.isnan(numbers)]
    largest = float(np.abs(known).max(initial=0.0))
    if len(known) < 2 or not largest:
        return 0.0
    spread = largest * float(np.std(known / largest))  # squares of huge numbers would be infinite
    return spread if 0 < spread < np.inf else 0.0


def _ratios_inside(space: Float32, drawn: IntArray) -> Float64:
    """Distance of rows to their nearest one, by that one's distance to its nearest but them; shape (m,)."""
    nearest, distance = _two_nearest(space[drawn], space, drawn)
    partner = nearest[:, 0]
    back, own = _two_nearest(space[partner], space, partner)
    return _by(distance[:, 0], np.where(back[:, 0] == drawn, own[:, 1], own[:, 0]))


def _ratios_across(asked: Float32, space: Float32) -> tuple[IntArray, Float64]:
    """The nearest row of the space for each row asked, and its distance by that one's distance to its nearest."""
    nearest, distance = _two_nearest(asked, space, None)
    partner, back = np.unique(nearest[:, 0], return_inverse=True)
    own = _two_nearest(space[partner], space, partner)[1]
    return nearest[:, 0], _by(distance[:, 0], own[back, 0])


def _by(distance: Float64, own: Float64) -> Float64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(own > 0, distance / own, np.inf))


def _two_nearest(asked: Float32, space: Float32, itself: IntArray | None) -> tuple[IntArray, Float64]:
    """The two nearest rows of the space, and their distances, shape (m, 2) each; `itself`: rows that do not count."""
    squares = np.einsum("ij,ij->i", space, space)
    nearest = np.zeros((len(asked), 2), dtype=np.int64)
    size = max(1, _BLOCK // len(space))
    for start in range(0, len(asked), size):
        block = asked[start : start + size]
        # The square of the row asked is the same for all, and left out.
        far = squares - 2 * (block @ space.T)
        lines = np.arange(len(block))
        if itself is not None:
            far[lines, itself[start : start + size]] = np.inf
        for rank in range(2):
            found = far.argmin(axis=1)
            nearest[start : start + size, rank] = found
            far[lines, found] = np.inf
    gaps = asked[:, None].astype(np.float64) - space[nearest]
    return nearest, np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps))
