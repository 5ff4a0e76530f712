"""How hard the samples of each split are, and of which classes and groups the easiest and the hardest are.

A sample's difficulty is its out-of-fold loss: what it costs models that saw neither it nor its copies. A tenth of the
reference split is easier, and a tenth harder, than two bounds; how many samples of a held-out split lie beyond them
says at a glance whether it is drawn from the same drawer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.model import DifficultyPart, SplitDifficulty

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64

TENTH = 0.1
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

ALPHA, LEAST_TIMES = 0.05, 1.5
"""False discovery rate over all classes, or groups, of a split, and how many times as many samples as in the split a
class must have among its easiest, or hardest, to be called over-represented; a convention of this tool."""

LEAST_LISTED = 5
"""Samples of a group below which it is not listed."""


DIGITS = 9
"""Of a figure of the report, after the point: the last bits of a sum hang on how many threads took part in it, and
reports of the same data are the same byte for byte."""


def rounded(value: float) -> float:
    """A figure of the report; without a minus before a zero."""
    return round(float(value), DIGITS) + 0.0


def difficulty(
    split: str,
    h: Float64,
    inside: npt.NDArray[np.bool_],
    bounds: tuple[float, float],
    classes: tuple[IntArray, Sequence[str]] | None,
    groups: tuple[IntArray, Sequence[str]] | None,
) -> SplitDifficulty:
    """Describe one split.

    Parameters
    ----------
    split : str
    h : ndarray of float64, shape (N,)
        Out-of-fold losses of both splits of a pair.
    inside : ndarray of bool, shape (N,)
        The samples of this split.
    bounds : (float, float)
        Of the easiest and the hardest tenth, from `bounds_of` the reference split.
    classes, groups : (ndarray of int64, shape (N,), sequence of str), or None
        Code of every sample, -1 where unknown, and what the codes mean.
    """
    own = h[inside]
    easy, hard = own < bounds[0], own > bounds[1]
    parts = [
        () if of is None else tuple(_parts(of[0][inside], of[1], own, easy, hard, least))
        for of, least in ((classes, 1), (groups, LEAST_LISTED))
    ]
    return SplitDifficulty(
        split,
        len(own),
        rounded(own.mean()),
        tuple(map(rounded, np.quantile(own, QUANTILES).tolist())),
        int(easy.sum()),
        int(hard.sum()),
        *parts,
    )


def bounds_of(h: Float64) -> tuple[float, float]:
    """Below which the easiest tenth lies, and above which the hardest; ties at a bound are in neither."""
    low, high = np.quantile(h, (TENTH, 1 - TENTH), method="lower").tolist()
    return low, high


def _parts(
    codes: IntArray,
    names: Sequence[str],
    own: Float64,
    easy: npt.NDArray[np.bool_],
    hard: npt.NDArray[np.bool_],
    least: int,
) -> Iterator[DifficultyPart]:
    present, sizes = np.unique(codes[codes >= 0], return_counts=True)
    listed = [code for code, size in zip(present.tolist(), sizes.tolist(), strict=True) if size >= least]
    over = [_over(codes, listed, beyond) for beyond in (easy, hard)]
    found = []
    for at, code in enumerate(listed):
        of = codes == code
        where = [name for name, many in zip(("easiest", "hardest"), over, strict=True) if many[at]]
        said = "both" if len(where) == 2 else "".join(where)
        counts = int((of & easy).sum()), int((of & hard).sum())
        found.append(DifficultyPart(str(names[code]), int(of.sum()), rounded(own[of].mean()), *counts, said))
    yield from sorted(found, key=lambda part: (-part.mean, part.name))


def _over(codes: IntArray, listed: Sequence[int], beyond: npt.NDArray[np.bool_]) -> list[bool]:
    """Which of the codes have more samples beyond a bound than their share of the split gives by chance."""
    from scipy.stats import hypergeom

    n, drawn = len(codes), int(beyond.sum())
    if not listed or not drawn or len(listed) < 2:
        return [False] * len(listed)
    sizes = np.array([(codes == code).sum() for code in listed])
    counts = np.array([((codes == code) & beyond).sum() for code in listed])
    p = benjamini_hochberg(hypergeom.sf(counts - 1, n, sizes, drawn).tolist())
    return [
        adjusted <= ALPHA and count * n >= LEAST_TIMES * size * drawn
        for adjusted, count, size in zip(p, counts.tolist(), sizes.tolist(), strict=True)
    ]
