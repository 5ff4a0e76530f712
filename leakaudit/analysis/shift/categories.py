"""Were two samples of categories drawn alike, class by class? Effect, interval and significance from one statistic.

The extended Cochran-Mantel-Haenszel statistic (Landis, Heyman and Koch, International Statistical Review 46 (1978) 237)
sums, over strata, the counts of one sample less those expected under a hypergeometric draw from the stratum. With one
stratum it is the chi-square statistic of homogeneity times (n − 1)/n. Where samples belong to groups it is divided by
the mean design effect of the categories (first-order correction of Rao and Scott, JASA 76 (1981) 221).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.shift.homogeneity import (
    SMALLEST_EXPECTED,
    detectable_noncentrality,
    noncentrality_interval,
    unbiased,
)
from leakaudit.analysis.shift.quantities import design_effect

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

LEVELS = 64
"""Most frequent categories that are told apart; the others are one."""

OTHERS = -1
"""What the categories that are not told apart are called."""


@dataclass(frozen=True, slots=True)
class CategoryShift:
    """Result of `compare_categories`.

    Parameters
    ----------
    distance : float
        ``sqrt((statistic − df) / Σ n₁n₂/n)``, as `leakaudit.analysis.shift.homogeneity.Homogeneity.distance`: twice the
        difference in share for two equally frequent categories.
    low, high : float
        Bounds of its 95 % interval, from the non-central chi-square distribution.
    p_value : float
    detectable : float
        The smallest distance of which the interval would lie above `smallest` in four of five cases.
    weight : float
        ``Σ n₁n₂/n`` over the strata, less the design effect; 0 where nothing can be compared.
    level : int
        The category whose share differs most, or `OTHERS`; in `stratum`, where there is one.
    first, second : float
        Its shares in the two samples, likewise.
    stratum : int or None
        Of several strata that were compared: the one that adds most to the statistic.
    """

    distance: float
    low: float
    high: float
    p_value: float
    detectable: float
    weight: float
    level: int
    first: float
    second: float
    stratum: int | None = None


def compare_categories(
    codes: IntArray,
    first: npt.NDArray[np.bool_],
    strata: IntArray | None = None,
    groups: IntArray | None = None,
    *,
    smallest: float = 0.0,
) -> CategoryShift | None:
    """Compare the shares of categories in two samples.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Category of each sample of both; negative: missing, left out.
    first : ndarray of bool, shape (n,)
        Which of them are the first sample.
    strata, groups : ndarray of int64, shape (n,), optional
        As for `leakaudit.analysis.shift.quantities.compare`.
    smallest : float, default 0
        The distance that the interval has to lie above, for `CategoryShift.detectable`.

    Returns
    -------
    CategoryShift or None
        None where fewer than two categories can be told apart.

    Notes
    -----
    Categories of which fewer than 5 samples are expected on the smaller side (Cochran 1954) are counted as one, so that
    the chi-square approximation holds; whether rare ones are on one side only is another question (LA204).
    """
    known = codes >= 0
    codes, first = codes[known], first[known]
    strata = np.zeros(len(codes), dtype=np.int64) if strata is None else strata[known]
    level, names = _frequent(codes, first)
    if len(names) < 2:
        return None
    statistic, degrees, weight = _statistic(level, first, strata, len(names))
    if not degrees:
        return None
    design = 1.0 if groups is None else _design(level, first, groups[known], len(names))
    statistic, weight = statistic / design, weight / design
    low, high = noncentrality_interval(statistic, degrees)
    stratum = _telling_stratum(level, first, strata, len(names))
    inside = np.ones(len(level), dtype=np.bool_) if stratum is None else strata == stratum
    shares = [_shares(level[inside & side], len(names)) for side in (first, ~first)]
    most = int(np.abs(shares[0] - shares[1]).argmax())
    return CategoryShift(
        distance=unbiased(statistic, degrees, weight),
        low=float(np.sqrt(low / weight)),
        high=float(np.sqrt(high / weight)),
        p_value=_tail(statistic, degrees),
        detectable=float(np.sqrt(detectable_noncentrality(degrees, weight * smallest**2) / weight)),
        weight=weight,
        level=int(names[most]),
        first=float(shares[0][most]),
        second=float(shares[1][most]),
        stratum=stratum,
    )


def _shares(level: IntArray, n_levels: int) -> npt.NDArray[np.float64]:
    return np.bincount(level, minlength=n_levels) / max(len(level), 1)


def _telling_stratum(level: IntArray, first: npt.NDArray[np.bool_], strata: IntArray, n_levels: int) -> int | None:
    """The stratum whose shares differ most, weighed by its size: the figures of all strata together may be alike where
    those of each are not (the label was turned round). None where one stratum alone is compared."""
    weighed: dict[int, float] = {}
    for stratum in np.unique(strata).tolist():
        inside = strata == stratum
        a, b = level[inside & first], level[inside & ~first]
        if len(a) and len(b):
            apart = float(np.abs(_shares(a, n_levels) - _shares(b, n_levels)).sum())
            weighed[stratum] = apart * len(a) * len(b) / (len(a) + len(b))
    return max(weighed, key=weighed.__getitem__) if len(weighed) > 1 else None


def _frequent(codes: IntArray, first: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Codes from 0 of the categories that are frequent enough, and what each is; the last may be all `OTHERS`."""
    values, at, counts = np.unique(codes, return_inverse=True, return_counts=True)
    at = at.reshape(-1)
    n, smaller = len(codes), min(int(first.sum()), int((~first).sum()))
    order = np.argsort(-counts, kind="stable")
    enough = counts[order] * smaller >= SMALLEST_EXPECTED * n
    kept = order[enough][:LEVELS]
    rank = np.full(len(values), len(kept), dtype=np.int64)
    rank[kept] = np.arange(len(kept))
    n_rest = n - int(counts[kept].sum())
    if n_rest and n_rest * smaller < SMALLEST_EXPECTED * n and len(kept):
        rank[rank == len(kept)] = len(kept) - 1  # too few even together: counted with the least frequent one
        return rank[at], np.append(values[kept[:-1]], OTHERS).astype(np.int64)
    names = values[kept] if not n_rest else np.append(values[kept], OTHERS)
    return rank[at], names.astype(np.int64)


def _statistic(
    level: IntArray, first: npt.NDArray[np.bool_], strata: IntArray, n_levels: int
) -> tuple[float, int, float]:
    """The statistic, its degrees of freedom, and ``Σ n₁n₂/n``."""
    stratum = np.unique(strata, return_inverse=True)[1].reshape(-1)
    n_strata = int(stratum.max(initial=-1)) + 1
    table = np.bincount((stratum * 2 + ~first) * n_levels + level, minlength=n_strata * 2 * n_levels)
    table = table.reshape(n_strata, 2, n_levels).astype(np.float64)
    n = table.sum(axis=2)
    table, n = table[(n > 0).all(axis=1)], n[(n > 0).all(axis=1)]
    if not len(n):
        return 0.0, 0, 0.0
    both, all_of = n.prod(axis=1), n.sum(axis=1)
    columns = table.sum(axis=1)
    excess = (table[:, 0] - n[:, :1] * columns / all_of[:, None]).sum(axis=0)
    factor = both / (all_of**2 * np.maximum(all_of - 1, 1))
    spread = np.diag((factor * all_of) @ columns) - np.einsum("k,ki,kj->ij", factor, columns, columns)
    eigenvalues, vectors = np.linalg.eigh(spread)
    real = eigenvalues > 1e-9 * max(float(eigenvalues.max()), 1e-300)
    along = vectors[:, real].T @ excess
    return float((along**2 / eigenvalues[real]).sum()), int(real.sum()), float((both / all_of).sum())


def _design(level: IntArray, first: npt.NDArray[np.bool_], groups: IntArray, n_levels: int) -> float:
    """Mean design effect of the categories, each weighted by 1 less its share."""
    effects = [design_effect((level == each).astype(np.float64), first, groups) for each in range(n_levels)]
    shares = np.bincount(level, minlength=n_levels) / len(level)
    return float(((1 - shares) * effects).sum() / (n_levels - 1))


def _tail(statistic: float, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, statistic))
