"""How alike this set's own unrelated pictures are: what a near-duplicate has to stand out from.

In a narrow domain (digits, X-rays, hands before a white wall) the most similar unrelated picture is very similar. So
a sample of the reference pictures is searched in the reference itself, exactly as a held-out picture is, and the
strength of evidence found there is the null. Held-out pictures do not enter it: a validation split that is mostly
copied cannot hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import FloatArray
    from leakaudit.search.near_match import Matches


LEAST_SPREAD = 0.15
"""The smallest spread of evidence between unrelated pictures that was measured: 0.16, on 205 blood-cell photographs."""


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


def measure(matches: Matches, *, strong: float, drop: float) -> Null:
    """The null from reference pictures matched with the reference itself.

    Copies inside the reference (the same photograph thirty times, pictures augmented before they were split) are not
    unrelated. They show as a cliff: strong candidates, then a drop. Look-alikes fade out. So the value of a picture
    is its best candidate below the last such cliff.

    Parameters
    ----------
    matches : Matches
        Every candidate of every sampled picture, all finely measured.
    strong : float
        Evidence from which a candidate can be a copy.
    drop : float
        Difference in evidence from one candidate to the next that makes a cliff.
    """
    if not len(matches):
        return Null(0, 0.0, 0.0)
    ranked = _ranked(matches)
    following = np.concatenate([ranked[:, 1:], np.zeros((len(ranked), 1), dtype=np.float32)], axis=1)
    cliff = (ranked >= strong) & (ranked - following >= drop)
    cliff[:, -1] = False  # nothing is known of what comes after the last candidate
    last = np.where(cliff.any(axis=1), ranked.shape[1] - 1 - np.argmax(cliff[:, ::-1], axis=1), -1)
    best = ranked[np.arange(len(ranked)), last + 1]
    centre = float(np.median(best))
    return Null(len(best), centre, float(1.4826 * np.median(np.abs(best - centre))))


def _ranked(matches: Matches) -> FloatArray:
    """Evidence by picture, strongest first, shape (pictures, most candidates); 0 where a picture has fewer."""
    order = np.lexsort((-matches.evidence, matches.a))
    _, start, row = np.unique(matches.a[order], return_index=True, return_inverse=True)
    place = np.arange(len(order)) - start[row]
    ranked = np.zeros((len(start), int(place.max()) + 1), dtype=np.float32)
    ranked[row, place] = matches.evidence[order]
    return ranked
