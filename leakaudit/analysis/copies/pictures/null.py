"""How alike this set's own unrelated pictures are: what a near-duplicate has to stand out from.

In a narrow domain (digits, X-rays, hands before a white wall) the most similar unrelated picture is very similar. So a
sample of the reference pictures is compared with other reference pictures taken at random, *strangers*, and the
strength of evidence between them is the null, carried on from the best of a few strangers to the best of as many as the
reference has. Held-out pictures do not enter it: a validation split that is mostly copied cannot hide itself. Nor do
the nearest pictures of the reference: in a film they are neighbouring frames, and no strangers.

Where strangers agree as copies do, the whole set may be one fixed scene (a camera on a wall, a game board, a form).
Then evidence says *scene* and nothing of the content, and what changes between two pictures of the scene
(`leakaudit.analysis.copies.pictures.scene.local_change`) has to say the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isnan, log, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.match import Matches, joined, verify
from leakaudit.analysis.copies.pictures.scene import Look, local_change, thumbnails_of
from leakaudit.analysis.copies.pictures.turned import unpriced, verify_turned

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.copies.pictures.parameters import NearParams
    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray


LEAST_SPREAD = 0.15
"""The smallest spread of evidence between unrelated pictures that was measured: 0.16, on 205 blood-cell photographs."""


MARGIN = 0.5
"""Evidence on top of what strangers would reach by that line: the largest of 10,000 MNIST digits is 6.3, where the line
comes out at 6.4 to 6.7, by which pictures are drawn."""

FEW = 4
"""The line goes through the best of one stranger in so many, and the best of all that were drawn."""

GRADED = 0.25
"""Pairs that agree half as strongly as copies do, as a share of those that agree as copies: in films and sets with
copies hardly any (0 to 0.04), among rings and bars of varying size 0.7."""

MANY_ALIKE = 0.1
"""Pairs of strangers that agree as copies do, from which they share a scene or a template even where little changes in
it (pages of one layout); copies of each picture, and films, are alike in small groups."""

NO_CHANGE = 3.0
"""Change that nobody sees, and JPEG makes: below it, two pictures are the same whatever the others are like."""

LEAST_ALIKE = 8
"""Pairs of strangers that agree as copies do, for the set to be a scene: fewer may be a few copies."""

MOST_LOOKED_AT = 128
"""Such pairs that are looked at for what changes between them."""


@dataclass(frozen=True, slots=True)
class Null:
    """Evidence between a picture and the most similar unrelated one.

    Parameters
    ----------
    n : int
        Pictures it was measured on.
    centre, spread : float
        Median, and 1.4826 × the median absolute deviation from it (a standard deviation, were it normal).
    share : float, default 0
        Of pairs of strangers that agree as copies do.
    change : float or None, default None
        Where the pictures share one fixed scene, the most that may have changed in it from a picture to its copy; and
        evidence is no measure of it. None elsewhere.
    """

    n: int
    centre: float
    spread: float
    share: float = 0.0
    change: float | None = None

    def limit(self, z: float) -> float:
        """Evidence that an unrelated pair exceeds as rarely as a normal variable exceeds z standard deviations.

        The upper prediction limit of one further value, from Student's t with n - 1 degrees of freedom: few pictures
        say little about the tail, and then the limit is far out (infinite below three pictures). The spread counts as
        at least `LEAST_SPREAD`: by chance, a handful of pictures may be equally unlike.
        """
        if self.n < 3:
            return inf
        return self.centre + _quantile(z, self.n) * max(self.spread, LEAST_SPREAD) * sqrt(1 + 1 / self.n) + MARGIN

    def at_most(self, z: float) -> float:
        """What `limit` will hardly exceed when more pictures are measured: three of its standard errors further out.

        In standard deviations, the median of n normal values has the standard error 1.2533/√n, and the scaled median
        absolute deviation 1.1664/√n (Rousseeuw and Croux, JASA 88, 1993: efficiencies of 64 % and 37 %).
        """
        if self.n < 3:
            return inf
        error = sqrt((1.2533**2 + (1.1664 * _quantile(z, self.n)) ** 2) / self.n)
        return self.limit(z) + 3 * error * max(self.spread, LEAST_SPREAD)


def numbers_of(null: Null) -> list[float]:
    """A null as five numbers, to be stored."""
    return [null.n, null.centre, null.spread, null.share, nan if null.change is None else null.change]


def null_of(numbers: Sequence[float]) -> Null:
    """A null from the numbers of `numbers_of`."""
    n, centre, spread, share, change = numbers
    return Null(int(n), centre, spread, share, None if isnan(change) else change)


def _quantile(z: float, n: int) -> float:
    """Of Student's t with n - 1 degrees of freedom, as far out as z standard deviations of a normal variable."""
    from scipy.special import ndtr, stdtrit  # scipy.stats would take half a second to import

    return -float(stdtrit(n - 1, ndtr(-z)))


def reference_nulls(
    records: np.ndarray,
    inside: npt.NDArray[np.bool_],
    params: NearParams,
    *,
    judged: npt.NDArray[np.bool_],
    look: Look | None = None,
    jobs: int = 1,
    engine: Engine | None = None,
) -> tuple[Null, Null]:
    """How alike unrelated pictures of this side are: as they stand; and turned by any angle, unpriced.

    Parameters as in `leakaudit.analysis.copies.pictures.near.match_splits`.
    """
    b = np.flatnonzero(inside & judged)
    if len(b) < 2:
        return Null(0, 0.0, 0.0), Null(0, 0.0, 0.0)
    drawn = _drawn(b, params)
    look = look or thumbnails_of(records)

    def upright(pictures: IntArray, strangers: IntArray) -> Matches:
        as_it_is = np.zeros(strangers.shape, dtype=np.int8)
        return verify(records, pictures, strangers, as_it_is, finest=strangers.shape[1], jobs=jobs, engine=engine)

    def turned(pictures: IntArray, strangers: IntArray) -> Matches:
        of_a = np.repeat(pictures, strangers.shape[1])
        found = verify_turned(records, of_a, strangers.ravel(), jobs=jobs, engine=engine)
        return joined([replace(found, evidence=unpriced(found.evidence))])

    def change(matches: Matches) -> FloatArray:
        return local_change(records, matches.a, matches.b, matches.orientation, look)

    n = len(b)
    return (
        _null(upright, change, drawn, n, params.suspected, params),
        _null(turned, change, drawn, n, float(unpriced(params.suspected)), params),
    )


def _drawn(b: IntArray, params: NearParams) -> tuple[IntArray, IntArray]:
    """Pictures taken at random, shape (n,), and as many others for each, shape (n, m); sorted by picture."""
    random = np.random.default_rng(params.seed)
    places = random.permutation(len(b))[: params.null_size]
    m = min(params.strangers, len(b) - 1)
    others = np.stack([random.choice(len(b) - 1, m, replace=False) for _ in places])
    return b[places], b[others + (others >= places[:, None])]


def _null(
    compare: Callable[[IntArray, IntArray], Matches],
    change: Callable[[Matches], FloatArray],
    drawn: tuple[IntArray, IntArray],
    n_reference: int,
    strong: float,
    params: NearParams,
) -> Null:
    """The null of the first few pictures where it is of no consequence, else that of all."""
    parts = []
    for rows in (slice(None, params.null_first), slice(params.null_first, None)):
        pictures, strangers = drawn[0][rows], drawn[1][rows]
        if not len(pictures):
            break
        parts.append(compare(pictures, strangers))
        found = joined(parts)
        evidence = _as_drawn(found, drawn[0][: rows.stop], drawn[1][: rows.stop])
        null = measure(evidence, n_reference)
        if null.at_most(params.z) < strong and (evidence >= strong).sum() < LEAST_ALIKE:
            return replace(null, share=float((evidence >= strong).mean()))
    alike = found.where(found.evidence >= strong)
    share = len(alike) / len(found)
    if share < params.scene_share or len(alike) < LEAST_ALIKE:
        return replace(null, share=share)
    some = np.unique(np.linspace(0, len(alike) - 1, MOST_LOOKED_AT).astype(np.int64))
    changed = change(alike.where(some))
    weaker = float(((evidence >= strong / 2) & (evidence < strong)).mean())
    is_graded = weaker > GRADED * share
    if np.median(changed) > params.same_content or (share > MANY_ALIKE and not is_graded):
        return replace(null, share=share, change=most_change(changed, share * n_reference, params))
    if is_graded:  # rings of all sizes: alike to any degree, and strangers
        return replace(null, share=share)
    # Copies, or films that move: the other pairs are the strangers.
    return replace(measure(np.where(evidence >= strong, np.nan, evidence), n_reference), share=share)


def _as_drawn(found: Matches, pictures: IntArray, strangers: IntArray) -> FloatArray:
    """Evidence of every pair in the order in which it was drawn, shape (n, m)."""
    span = int(max(pictures.max(), strangers.max())) + 1
    keys = found.a * span + found.b
    asked = pictures[:, None] * span + strangers
    return found.evidence[np.searchsorted(keys, asked)]


def measure(evidence: FloatArray, n_reference: int) -> Null:
    """The null from pictures matched with strangers, for a reference of any size.

    The best of m values of one distribution grows with the logarithm of m where its tail falls like an exponential.
    So the median of the best of few strangers and that of the best of all that were drawn are two points of a line,
    which is read at the size of the reference. The spread about the median is that of the best of all drawn.

    Parameters
    ----------
    evidence : ndarray of float32, shape (n, m)
        In the order in which strangers were drawn; NaN for pairs that do not count.
    n_reference : int
        Strangers that a held-out picture has.
    """
    known = ~np.isnan(evidence)
    evidence = np.where(known, evidence, -np.inf)[known.any(axis=1)]
    if not evidence.size:
        return Null(0, 0.0, 0.0)
    m = evidence.shape[1]
    few = max(1, m // FEW)
    best = evidence.max(axis=1)
    of_few = float(np.median(np.maximum(evidence[:, :few].max(axis=1), 0.0)))
    of_all = float(np.median(best))
    slope = max(of_all - of_few, 0.0) / log(m / few) if m > few else 0.0
    centre = of_all + slope * max(log(n_reference / m), 0.0)
    return Null(len(best), centre, float(1.4826 * np.median(np.abs(best - of_all))))


def most_change(changed: FloatArray, n_mates: float, params: NearParams) -> float:
    """The most that a copy may differ from its original where pictures share a scene.

    `NearParams.same_content`, or less where pictures of other content differ by as little: what one in twenty held-out
    pictures would reach by chance, by the line through the quantiles at a quarter and at a hundredth, in logarithms.
    Copies inside the reference stand apart from other contents by a gap, and do not count. Never less than `NO_CHANGE`.

    Parameters
    ----------
    changed : ndarray of float32, shape (m,)
        Between pictures of the scene taken at random.
    n_mates : float
        Pictures of its scene that a held-out picture has in the reference.
    """
    measured = changed[np.isfinite(changed)]
    if not len(measured):
        return params.same_content
    changed = np.minimum(changed, measured.max())  # infinite where two pictures have no part in common to compare
    same, other = changed <= params.same_content, changed > params.other_content
    between = len(changed) - int(same.sum()) - int(other.sum())
    if other.any() and 4 * between <= min(int(same.sum()), int(other.sum())):
        changed = changed[~same]
    quarter, hundredth = np.log(np.maximum(np.quantile(changed, [0.25, 0.01]), 0.1))
    slope = (quarter - hundredth) / log(25)
    rarest = hundredth - slope * log(max(0.01 * max(n_mates, 1.0) / 0.05, 1.0))
    return float(np.clip(np.exp(rarest), NO_CHANGE, params.same_content))
