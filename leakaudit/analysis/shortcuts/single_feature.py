"""How well one feature alone tells the class of samples that the rule has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

FOLDS = 5
"""Parts of the data; the classes of each are told by a rule made from the others."""

BINS = 16
"""Quantile bins of a quantity: about what a decision tree of depth 4 can tell apart."""

LEVELS = 64
"""Most frequent values of a category that are told apart; the others are one."""


@dataclass(frozen=True, slots=True)
class Told:
    """Result of `tell_classes`; every figure is out of fold.

    Parameters
    ----------
    balanced : float
        Mean over classes of the share of its samples that were told right. The rule that always says the largest class
        has ``1 / n_classes`` exactly.
    accuracy, majority : float
        Share of all samples that were told right, and the share of the largest class.
    gain : float
        ``(balanced − 1/k) / (1 − 1/k)``: 0 for a guess, 1 for certainty; for two classes Youden's J.
    low, high : float
        Bounds of the interval of `gain`.
    n_classes, n_samples : int
        Classes and samples judged.
    one_class : int
        The class that is told best from all others together, as coded in the input.
    one_gain, one_low : float
        Youden's J of that, ``sensitivity + specificity − 1``, and the lower bound of its interval.
    """

    balanced: float
    accuracy: float
    majority: float
    gain: float
    low: float
    high: float
    n_classes: int
    n_samples: int
    one_class: int
    one_gain: float
    one_low: float


def bins(values: npt.NDArray[np.float64]) -> IntArray:
    """A quantity as at most `BINS` codes: its distinct values where they are so few, else bins of equal counts."""
    distinct = np.unique(values)
    if len(distinct) <= BINS:
        return np.searchsorted(distinct, values).astype(np.int64)
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def levels(words: npt.NDArray[np.str_]) -> IntArray:
    """A category as codes: its `LEVELS` most frequent values, and one code for all others."""
    _, at, counts = np.unique(words, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank[at.reshape(-1)], LEVELS)


def tell_classes(
    codes: IntArray, classes: IntArray, *, least: int = 10, z: float = 1.96, folds: IntArray | None = None
) -> Told | None:
    """Cross-fit the rule "each value stands for the class that it is most typical of".

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Value of the feature, from 0.
    classes : ndarray of int64, shape (n,)
        Negative: unknown, left out.
    least : int, default 10
        Classes with fewer samples are left out.
    z : float, default 1.96
        Normal quantile of the interval.
    folds : ndarray of int64, shape (n,), optional
        Part of each sample, from 0 to `FOLDS` - 1, such that samples of one group share it; None: drawn at random.

    Returns
    -------
    Told or None
        None where fewer than two classes are left.

    Notes
    -----
    The rule says the class c with the largest ``P(value | c)``, counts raised by one part in `FOLDS` of a sample; that
    maximises balanced accuracy, so that a rare class is not lost behind the majority. Beside it, each class is told
    from all others together: one class of ten from another source moves the balanced accuracy from 0.1 to 0.2 only. The
    standard error sums the binomial variances of the classes, each with one success and one failure added (Agresti and
    Coull 1998), so that a class told without a mistake is not taken for certain.
    """
    sizes = np.bincount(classes[classes >= 0])
    judged = np.flatnonzero(sizes >= least)
    n_classes = len(judged)
    if n_classes < 2:
        return None
    inside = np.flatnonzero(np.isin(classes, judged))
    value, truth = codes[inside], np.searchsorted(judged, classes[inside])
    fold = _folds(truth, n_classes) if folds is None else folds[inside]
    n_values = int(value.max()) + 1
    cells = np.zeros((FOLDS, n_values, n_classes))
    np.add.at(cells, (fold, value, truth), 1.0)
    seen = cells.sum(axis=0)[None] - cells
    of_class = seen.sum(axis=1, keepdims=True)
    typical = (seen + 1 / FOLDS) / (of_class + n_values / FOLDS)
    of_rest = of_class.sum(axis=2, keepdims=True) - of_class
    elsewhere = (seen.sum(axis=2, keepdims=True) - seen + 1 / FOLDS) / (of_rest + n_values / FOLDS)
    right = typical.argmax(axis=2)[fold, value] == truth
    n = np.bincount(truth, minlength=n_classes).astype(np.float64)
    hits = np.bincount(truth, weights=right, minlength=n_classes)
    shares, careful = hits / n, (hits + 1) / (n + 2)
    balanced = float(shares.mean())
    error = float(np.sqrt((careful * (1 - careful) / (n + 2)).sum())) / n_classes
    scale = 1 - 1 / n_classes
    gain = (balanced - 1 / n_classes) / scale
    one, one_gain, one_low = _best_class(cells, typical > elsewhere, n, z)
    return Told(
        balanced=balanced,
        accuracy=float(right.mean()),
        majority=float(n.max() / n.sum()),
        gain=gain,
        low=gain - z * error / scale,
        high=min(1.0, gain + z * error / scale),
        n_classes=n_classes,
        n_samples=len(inside),
        one_class=int(judged[one]),
        one_gain=one_gain,
        one_low=one_low,
    )


def _best_class(
    cells: npt.NDArray[np.float64], says: npt.NDArray[np.bool_], n: npt.NDArray[np.float64], z: float
) -> tuple[int, float, float]:
    """The class best told from the rest, by the rule `says` (fold, value, class): its J and the lower bound."""
    total = n.sum()
    hits = (cells * says).sum(axis=(0, 1))
    false = (cells.sum(axis=2, keepdims=True) * says).sum(axis=(0, 1)) - hits
    gains = hits / n - false / (total - n)
    careful, careless = (hits + 1) / (n + 2), (false + 1) / (total - n + 2)
    errors = np.sqrt(careful * (1 - careful) / (n + 2) + careless * (1 - careless) / (total - n + 2))
    lows = gains - z * errors
    one = int(lows.argmax())
    return one, float(gains[one]), float(lows[one])


def _folds(truth: npt.NDArray[np.int64], n_classes: int) -> IntArray:
    """Stratified: the samples of each class are dealt out to the folds in an order drawn at random."""
    drawn = np.random.default_rng(0).permutation(len(truth))
    order = drawn[np.argsort(truth[drawn], kind="stable")]
    sizes = np.bincount(truth, minlength=n_classes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    fold = np.empty(len(truth), dtype=np.int64)
    fold[order] = (np.arange(len(truth)) - starts) % FOLDS
    return fold
