"""Rows that lie exactly between two others, and classes of which only one is full of copies: traces of oversampling.

SMOTE and its kin put a new row on the segment between a row and one of its neighbours of the same class:
``x = a + t (b - a)`` with one t for all columns. Scaling the columns afterwards, each by itself, leaves it there.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.analysis.fitted.precision import precision_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Float64: TypeAlias = npt.NDArray[np.float64]

NEIGHBOURS = 64
"""Nearest rows among which the two ends are sought. SMOTE takes the second end from the 5 nearest originals; where
there are many new rows, those of the same segment are neighbours, too, and lie on one line with it."""

UNLIKELY = -3.0
"""Logarithm (base 10) of the number of accidental triples that is allowed, over all that were looked at."""

_BATCH = 64
_PAIRS_VERIFIED = 40  # of each row, the straightest first


@dataclass(frozen=True, eq=False, slots=True)
class Between:
    """Rows that lie between two others.

    Parameters
    ----------
    middle : ndarray of int64, shape (m,)
        Positions of the rows, ascending, none twice.
    first, second : ndarray of int64, shape (m,)
        Positions of the ends; the first is in the reference split.
    share : ndarray of float64, shape (m,)
        Where between them: 0 at the first end, 1 at the second.
    n_examined : int
        Rows that were looked at.
    n_informative : int
        Columns that can tell: the rank of the columns that vary.
    """

    middle: IntArray
    first: IntArray
    second: IntArray
    share: Float64
    n_examined: int
    n_informative: int

    def __len__(self) -> int:
        return len(self.middle)


def rows_between(points: Float64, in_reference: Bools, middles: IntArray) -> Between:
    """Rows that lie on the segment between two others, one of which at least is in the reference split.

    Parameters
    ----------
    points : ndarray of float64, shape (n, d)
        Rows of one class, without missing values.
    in_reference : ndarray of bool, shape (n,)
    middles : ndarray of int64, shape (k,)
        Positions of the rows to look at, distinct and ascending.

    Notes
    -----
    A triple counts where all columns agree on t to what rounding allows, and where so many columns would agree by
    accident less than once in a thousand such searches: the chance of one column is the allowance over the distance of
    the ends in it; the column that agrees best, and those that depend on others linearly, do not count.
    """
    empty = np.empty(0, dtype=np.int64)
    nothing = Between(empty, empty, empty, empty.astype(np.float64), len(middles), 0)
    if len(points) < 3 or not len(middles):
        return nothing
    spread = points.std(axis=0)
    informative = spread > 0
    x = points[:, informative]
    allowed = np.array([_allowance(x[:, j]) for j in range(x.shape[1])]) / np.maximum(spread[informative], 1e-300)
    x = (x - x.mean(axis=0)) / spread[informative]
    rank = int(np.linalg.matrix_rank(x[:: max(1, len(x) // 2000)], tol=1e-6 * np.sqrt(len(x)))) if x.size else 0
    if rank < 2:
        return replace(nothing, n_informative=rank)
    k = min(NEIGHBOURS, len(x) - 1)
    n_tried = len(middles) * k * (k - 1) / 2
    rows, parts = [], []
    for at in range(0, len(middles), _BATCH):
        batch = middles[at : at + _BATCH]
        near = _nearest(x, batch, k)
        middle, a, b = _straight(x, batch, near, allowed)
        has = in_reference[a] | in_reference[b]
        middle, a, b = middle[has], a[has], b[has]
        swap = ~in_reference[a]
        a, b = np.where(swap, b, a), np.where(swap, a, b)
        share, chance = _verify(x, middle, a, b, allowed, x.shape[1] - rank)
        good = chance + np.log10(n_tried) <= UNLIKELY
        order = np.lexsort((chance[good], ~in_reference[b[good]], middle[good]))
        middle, a, b, share = (each[good][order] for each in (middle, a, b, share))
        first = np.unique(middle, return_index=True)[1]
        rows.append(np.stack([middle[first], a[first], b[first]]))
        parts.append(share[first])
    found = np.concatenate(rows, axis=1).astype(np.int64)
    return Between(found[0], found[1], found[2], np.concatenate(parts), len(middles), rank)


def _allowance(values: Float64) -> float:
    """How far a column may be off the segment: the roundings of the three rows and of t."""
    precision = precision_of(values)
    if precision.kind == "decimals" and precision.digits == 0:
        return 1.5  # integers are cut off, not rounded
    error = float(np.median(precision.errors(values)))
    return 4 * error + max(precision.floor, 1e-9) * float(values.std())


def _nearest(x: Float64, batch: IntArray, k: int) -> IntArray:
    """Positions of the k nearest other rows of each, shape (len(batch), k)."""
    distance = (x**2).sum(axis=1)[None, :] - 2 * x[batch] @ x.T
    distance[np.arange(len(batch)), batch] = np.inf
    return np.argpartition(distance, k - 1, axis=1)[:, :k].astype(np.int64)


def _straight(x: Float64, batch: IntArray, near: IntArray, allowed: Float64) -> tuple[IntArray, IntArray, IntArray]:
    """Triples in which the ends lie in opposite directions from the row in the middle, as far as rounding lets tell."""
    away = x[near] - x[batch][:, None, :]
    length = np.linalg.norm(away, axis=2)
    off = float(np.linalg.norm(allowed))
    apart = length > off + 1e-12
    unit = away / np.where(apart, length, 1.0)[:, :, None]
    cosine = unit @ unit.transpose(0, 2, 1)
    angle = off / np.where(apart, length, np.inf)
    bound = np.minimum(0.5 * (angle[:, :, None] + angle[:, None, :]) ** 2 + 1e-12, 0.05)
    upper = np.triu(np.ones(cosine.shape[1:], dtype=np.bool_), 1)
    candidate = (1 + cosine <= bound) & upper & apart[:, :, None] & apart[:, None, :]
    ranked = np.where(candidate, cosine, 2.0).reshape(len(batch), -1)
    best = np.argpartition(ranked, min(_PAIRS_VERIFIED, ranked.shape[1] - 1), axis=1)[:, :_PAIRS_VERIFIED]
    row, column = np.nonzero(np.take_along_axis(ranked, best, axis=1) < 2.0)
    pair = best[row, column]
    return batch[row], near[row, pair // cosine.shape[2]], near[row, pair % cosine.shape[2]]


def _verify(
    x: Float64, middle: IntArray, a: IntArray, b: IntArray, allowed: Float64, n_dependent: int
) -> tuple[Float64, Float64]:
    """Share of the way from a to b, and log10 of the chance that all columns agree by accident; 0 where they do not."""
    whole, part = x[b] - x[a], x[middle] - x[a]
    share = (part * whole).sum(axis=1) / np.maximum((whole**2).sum(axis=1), 1e-300)
    agree = (np.abs(part - share[:, None] * whole) <= allowed).all(axis=1) & (share > 0) & (share < 1)
    each = np.log10(np.minimum(1.0, 2 * allowed / np.maximum(np.abs(whole), 1e-300)))
    each.sort(axis=1)
    return share, np.where(agree, each[:, 1 + n_dependent :].sum(axis=1), 0.0)


# --- copies ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies of the rows of one class.

    Parameters
    ----------
    n : int
        Rows of the class in both splits.
    n_distinct : int
        Distinct ones.
    n_held_out : int
        Held-out rows.
    n_copied : int
        Held-out rows that are in the reference split, too, label included.
    """

    n: int
    n_distinct: int
    n_held_out: int
    n_copied: int

    @property
    def share(self) -> float:
        """Share of the held-out rows that are in the reference split."""
        return self.n_copied / self.n_held_out if self.n_held_out else 0.0


def copies_by_class(rows: RowFingerprints, held_out: str, reference: str) -> dict[str, Copies]:
    """Copies of the rows of every class, by label."""
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    copied = rows.duck.rows(
        f"""SELECT label, count(*) FROM twins WHERE split = {a}
            AND canonical IN (SELECT canonical FROM twins WHERE split = {b}) GROUP BY label"""
    )
    extra = rows.duck.rows(
        f"SELECT label, count(*) - count(DISTINCT canonical) FROM twins WHERE split IN ({a}, {b}) GROUP BY label"
    )
    n_copied = {str(label): int(str(n)) for label, n in copied}
    n_extra = {str(label): int(str(n)) for label, n in extra}
    counts = [rows.label_counts[held_out], rows.label_counts[reference]]
    return {
        label: Copies(
            n=(n := counts[0].get(label, 0) + counts[1].get(label, 0)),
            n_distinct=n - n_extra.get(label, 0),
            n_held_out=counts[0].get(label, 0),
            n_copied=n_copied.get(label, 0),
        )
        for label in sorted({*counts[0], *counts[1]})
    }
