"""How alike this set's own unrelated pictures are: what a near-duplicate has to stand out from.

In a narrow domain (digits, X-rays, hands before a white wall) the most similar unrelated picture is very similar. So
a sample of the reference pictures is searched in the reference itself, exactly as a held-out picture is, and the
strength of evidence found there is the null. Held-out pictures do not enter it: a validation split that is mostly
copied cannot hide itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.match import Matches, candidates, joined, verify
from leakaudit.analysis.copies.pictures.turned import CANDIDATES, turned_matches, unpriced

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.copies.pictures.parameters import NearParams
    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray


LEAST_SPREAD = 0.15
"""The smallest spread of evidence between unrelated pictures that was measured: 0.16, on 205 blood-cell photographs."""


LIKE_RANDOM = 0.1
"""Most of the pictures taken at random that a picture out of a film or a series of crops is like: its set has ten of
them at least. Rings and bars of varying size, strangers like no other, are like a fifth of theirs."""


@dataclass(frozen=True, slots=True)
class Null:
    """Evidence between a picture and the most similar unrelated one.

    Parameters
    ----------
    n : int
        Pictures it was measured on.
    centre, spread : float
        Median, and 1.4826 × the median absolute deviation from it (a standard deviation, were it normal).
    """

    n: int
    centre: float
    spread: float

    def limit(self, z: float) -> float:
        """Evidence that an unrelated pair exceeds as rarely as a normal variable exceeds z standard deviations.

        The upper prediction limit of one further value, from Student's t with n - 1 degrees of freedom: few pictures
        say little about the tail, and then the limit is far out (infinite below three pictures). The spread counts as
        at least `LEAST_SPREAD`: by chance, a handful of pictures may be equally unlike.
        """
        if self.n < 3:
            return inf
        return self.centre + _quantile(z, self.n) * max(self.spread, LEAST_SPREAD) * sqrt(1 + 1 / self.n)

    def at_most(self, z: float) -> float:
        """What `limit` will hardly exceed when more pictures are measured: three of its standard errors further out.

        In standard deviations, the median of n normal values has the standard error 1.2533/√n, and the scaled median
        absolute deviation 1.1664/√n (Rousseeuw and Croux, JASA 88, 1993: efficiencies of 64 % and 37 %).
        """
        if self.n < 3:
            return inf
        error = sqrt((1.2533**2 + (1.1664 * _quantile(z, self.n)) ** 2) / self.n)
        return self.limit(z) + 3 * error * max(self.spread, LEAST_SPREAD)


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
    jobs: int = 1,
    engine: Engine | None = None,
) -> tuple[Null, Null]:
    """How alike unrelated pictures of this side are: in eight orientations; and turned by any angle, unpriced.

    Parameters as in `leakaudit.analysis.copies.pictures.near.match_splits`.
    """
    b = np.flatnonzero(inside & judged)
    if len(b) < 2:
        return Null(0, 0.0, 0.0), Null(0, 0.0, 0.0)
    random = np.random.default_rng(params.seed)
    chosen = b[random.permutation(len(b))[: params.null_size]]
    strangers = np.sort(b[random.permutation(len(b))[: params.strangers]])

    def plain(sampled: IntArray) -> tuple[Matches, Matches]:
        at_first = candidates(records, sampled, b, params.candidates, jobs=jobs, engine=engine)

        def of(rows: IntArray, k: int) -> Matches:
            if k > params.candidates:
                index, orientation = candidates(records, rows, b, k, jobs=jobs, engine=engine)
            else:
                index, orientation = (found[np.searchsorted(sampled, rows)] for found in at_first)
            return verify(records, rows, index, orientation, finest=k, jobs=jobs, engine=engine)

        found = _further(of, sampled, (params.finest, params.candidates), params.most_candidates, params.suspected)
        alike = np.unique(found.a[found.evidence >= params.overlap])
        if not len(alike):
            return found, joined([])
        index = np.where(strangers == alike[:, None], -1, strangers)
        upright = np.zeros(index.shape, dtype=np.int8)
        return found, verify(records, alike, index, upright, finest=len(strangers), jobs=jobs, engine=engine)

    unpriced_suspected = float(unpriced(params.suspected))

    def turned(sampled: IntArray) -> tuple[Matches, Matches]:
        def of(rows: IntArray, k: int) -> Matches:
            found = turned_matches(records, rows, b, k, jobs=jobs, engine=engine)
            return replace(found, evidence=unpriced(found.evidence))

        found = _further(of, sampled, (CANDIDATES, params.candidates), params.candidates, unpriced_suspected)
        return found, joined([])

    return _null(plain, chosen, params.suspected, params), _null(turned, chosen, unpriced_suspected, params)


def _further(
    search: Callable[[IntArray, int], Matches], at: IntArray, steps: tuple[int, int], most: int, strong: float
) -> Matches:
    """Matches of pictures with as many candidates as a held-out picture has at first.

    A strong one may be a copy: then so many that the look-alikes behind the copies are seen, too, and more, up to
    `most`, as long as there is no end of copies.
    """
    few, many = steps
    found = search(at, few)
    again = np.unique(found.a[found.evidence >= strong])
    k = many
    while len(again):
        found = joined([found.where(~np.isin(found.a, again)), search(again, k)])
        again = again[~np.isin(again, found.a[found.evidence < strong])]
        if k >= most:
            break
        k = min(4 * k, most)
    return found


def _null(
    search: Callable[[IntArray], tuple[Matches, Matches]], chosen: IntArray, strong: float, params: NearParams
) -> Null:
    """The null of the first few pictures where it is of no consequence, else that of all."""
    first, rest = np.sort(chosen[: params.null_first]), np.sort(chosen[params.null_first :])
    found, random = search(first)
    null = measure(found, random, strong=strong, drop=params.drop, overlap=params.overlap)
    if not len(rest) or null.at_most(params.z) < strong:
        return null
    both = [joined([*parts]) for parts in zip((found, random), search(rest), strict=True)]
    return measure(*both, strong=strong, drop=params.drop, overlap=params.overlap)


def measure(nearest: Matches, random: Matches, *, strong: float, drop: float, overlap: float) -> Null:
    """The null from reference pictures matched with the reference itself.

    Copies inside the reference (the same photograph thirty times, pictures augmented before they were split) are not
    unrelated. They show as a cliff: strong candidates, then a drop. Look-alikes fade out. So the value of a picture
    is its best candidate below the last such cliff.

    Frames of a film and crops of one photograph overlap more and more or less and less: these fade out, too, or go on
    beyond the last candidate. Where a picture is more alike to others than strangers are, does not fall below half way
    by a cliff, and is hardly like any picture taken at random, its value is the best of these that is not strong. In a
    set of few templates pictures are like many taken at random, and stay strangers.

    Parameters
    ----------
    nearest : Matches
        Every candidate of every sampled picture, all finely measured.
    random : Matches
        The same pictures, those with a candidate of `overlap`, with pictures taken at random.
    strong : float
        Evidence from which a candidate can be a copy.
    drop : float
        Difference in evidence from one candidate to the next that makes a cliff.
    overlap : float
        Evidence that strangers do not have.
    """
    if not len(nearest):
        return Null(0, 0.0, 0.0)
    pictures = np.unique(nearest.a)
    place = np.searchsorted(pictures, random.a)
    n_random = np.bincount(place, minlength=len(pictures))
    is_like = np.bincount(place, weights=random.evidence >= strong, minlength=len(pictures)) / np.maximum(n_random, 1)
    unlike_most = (n_random > 0) & (is_like <= LIKE_RANDOM)
    ranked = _ranked(joined([nearest, random.where(unlike_most[place])]))
    # Nothing is known of what comes after the last candidate: NaN, and no cliff.
    following = np.concatenate([ranked[:, 1:], np.full((len(ranked), 1), np.nan, dtype=np.float32)], axis=1)
    cliff = (ranked >= strong) & (ranked - following >= drop)
    last = np.where(cliff.any(axis=1), ranked.shape[1] - 1 - np.argmax(cliff[:, ::-1], axis=1), -1)
    at = np.arange(len(ranked))
    best = ranked[at, last + 1]
    fades = unlike_most & (ranked[:, 0] >= overlap) & (best >= (strong + overlap) / 2)
    best = np.where(fades, _best_weak(random, place, strong, len(pictures)), best)
    centre = float(np.median(best))
    return Null(len(best), centre, float(1.4826 * np.median(np.abs(best - centre))))


def _best_weak(random: Matches, place: IntArray, strong: float, n: int) -> FloatArray:
    """The best evidence below `strong` of each of n pictures, 0 where there is none."""
    best = np.zeros(n, dtype=np.float32)
    weak = random.evidence < strong
    np.maximum.at(best, place[weak], random.evidence[weak])
    return best


def _ranked(matches: Matches) -> FloatArray:
    """Evidence by picture, strongest first, shape (pictures, most candidates); NaN where a picture has fewer."""
    order = np.lexsort((-matches.evidence, matches.a))
    _, start, row = np.unique(matches.a[order], return_index=True, return_inverse=True)
    place = np.arange(len(order)) - start[row]
    ranked = np.full((len(start), int(place.max()) + 1), np.nan, dtype=np.float32)
    ranked[row, place] = matches.evidence[order]
    return ranked
