"""Are samples of one key more alike than samples of different keys? What makes an inferred key a group.

A name holds many things: persons, cameras and recordings, but also running numbers, hashes and classes. Only a key
whose samples resemble each other *across* the two splits can leak, so that is what is tested: a held-out sample
against the mean of the reference samples of its own key, and against the mean of as many reference samples of other
keys, drawn with the same labels. If the key means nothing (given the label), its own mean is the nearer one half of the
time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.shift.picture_statistics import MEASURED, measure

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import FloatArray, IntArray

PICTURE_AXES = 12
"""Principal axes kept of the thumbnails. On persons and on drawers of handwriting, 8 to 24 do equally well."""

FITTED = 10_000
"""Samples from which the axes are found, and about as many strangers are drawn from."""

KEYS_TESTED = 400
"""Keys drawn for a test: its standard error is then below 0.025 whatever the keys are."""

HELD_OUT_TESTED = 3_200
"""Held-out samples drawn in all, the same number of every key: 8 of each of 400 keys, 160 of each of 20."""

REFERENCE_TESTED = 256
"""Reference samples of a key that its mean is made of."""

REDRAWN = 16
"""Strangers that each held-out sample is compared with."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Result of `likeness`.

    Parameters
    ----------
    share : float
        Probability that a held-out sample is nearer to its own key than to strangers of the same labels; 0.5: no
        likeness. Mean over keys, each key once.
    low : float
        Lower bound of its one-sided interval, from the variation between keys.
    n_keys : int
        Keys on both sides that could be compared.
    """

    share: float
    low: float
    n_keys: int


@dataclass(frozen=True, eq=False, slots=True)
class Whitening:
    """Takes the mean of its class off a sample, and lays the rest on axes of unit variance within classes."""

    classes: IntArray
    means: npt.NDArray[np.float64]
    grand: npt.NDArray[np.float64]
    axes: npt.NDArray[np.float64]

    def __call__(self, values: npt.NDArray[np.float64], labels: IntArray) -> FloatArray:
        """The points of samples of these classes, shape (n, axes)."""
        at = np.minimum(np.searchsorted(self.classes, labels), len(self.classes) - 1)
        known = self.classes[at] == labels
        middle = np.where(known[:, None], self.means[at], self.grand)
        return np.asarray((values - middle) @ self.axes, dtype=np.float32)


@dataclass(frozen=True, eq=False, slots=True)
class Embedding:
    """Pictures as points whose distance tells likeness of scene, light and camera, apart from the class."""

    records: np.ndarray
    labels: IntArray
    pictures: Whitening
    statistics: Whitening

    def place(self, indices: IntArray) -> FloatArray:
        """The points of these pictures, shape (len(indices), d)."""
        records, labels = self.records[indices], self.labels[indices]
        pictures = self.pictures(_thumbnails(records), labels)
        return np.concatenate([pictures, self.statistics(_statistics(records), labels)], axis=1)


def fit_embedding(records: np.ndarray, labels: IntArray, readable: npt.NDArray[np.bool_]) -> Embedding:
    """Find the axes on which pictures are compared.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    labels : ndarray of int64, shape (n,)
        Class codes; negative where unknown.
    readable : ndarray of bool, shape (n,)
        At most `FITTED` of these are used.
    """
    at = np.flatnonzero(readable)
    if len(at) > FITTED:
        at = np.sort(np.random.default_rng(0).choice(at, FITTED, replace=False))
    fitted, of = records[at], labels[at]
    return Embedding(
        records,
        labels,
        whitening(_thumbnails(fitted), of, PICTURE_AXES),
        whitening(_statistics(fitted), of, len(MEASURED)),
    )


def whitening(values: npt.NDArray[np.float64], labels: IntArray, n_axes: int) -> Whitening:
    """Find the principal axes of what is left of some values once the means of their classes are taken off.

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
    labels : ndarray of int64, shape (n,)
    n_axes : int
        Axes kept, those of the largest variance.
    """
    classes, at = np.unique(labels, return_inverse=True)
    counts = np.bincount(at).astype(np.float64)
    grand = values.mean(axis=0)
    means = np.stack([np.bincount(at, weights=column) for column in values.T], axis=1) / counts[:, None]
    means = grand + (means - grand) * (counts / (counts + 2))[:, None]  # a small class keeps some of its own
    rest = values - means[at]
    scale = rest.std(axis=0)
    varying = scale > 1e-9 * np.maximum(np.abs(grand), 1.0)
    if not varying.any():
        return Whitening(classes, means, grand, np.zeros((values.shape[1], 0)))
    rest = rest[:, varying] / scale[varying]
    variances, axes = np.linalg.eigh(rest.T @ rest / len(rest))
    variances, axes = variances[::-1][:n_axes], axes[:, ::-1][:, :n_axes]
    kept = variances > 1e-6 * variances[0]
    whole = np.zeros((values.shape[1], int(kept.sum())))
    whole[varying] = axes[:, kept] / np.sqrt(variances[kept]) / scale[varying][:, None]
    return Whitening(classes, means, grand, whole)


def likeness(
    place: Callable[[IntArray], FloatArray],
    keys: IntArray,
    labels: IntArray,
    held_out: npt.NDArray[np.bool_],
    reference: npt.NDArray[np.bool_],
    *,
    confidence: float = 0.95,
) -> Likeness:
    """Test whether samples of one key are more alike across two splits than samples of different keys.

    Parameters
    ----------
    place : callable
        From sample indices to points, shape (m, d), as `Embedding.place`.
    keys, labels : ndarray of int64, shape (n,)
        Negative keys match nothing; labels as in `fit_embedding`.
    held_out, reference : ndarray of bool, shape (n,)
        The two sides.
    confidence : float, default 0.95
        Of the lower bound.

    Notes
    -----
    Under the null hypothesis (points independent of keys given labels) own and strange means are exchangeable, so the
    share is 0.5 whatever the sizes of the groups. Reference samples whose label has no other key are left out: a key
    that is the label under another name is never a group.
    """
    from scipy.special import stdtrit

    trials = _draw_trials(keys, labels, held_out, reference)
    if len(trials) < 2:
        return Likeness(0.5, 0.0, len(trials))
    drawn = np.unique(np.concatenate([part.ravel() for trial in trials for part in trial]))
    points = place(drawn)
    shares = []
    for trial in trials:
        guests, friends, strangers = (points[np.searchsorted(drawn, part)] for part in trial)
        near = np.square(guests - friends.mean(axis=0)).sum(axis=1)[:, None]
        far = np.square(guests[:, None] - strangers.mean(axis=0)[None]).sum(axis=2)
        shares.append(float((near < far).mean() + (near == far).mean() / 2))
    share = float(np.mean(shares))
    # few keys may agree by chance: never below the error of independent fair coins
    n_compared = sum(len(guests) for guests, _, _ in trials)
    error = max(float(np.std(shares, ddof=1)) / len(shares) ** 0.5, 0.5 / n_compared**0.5)
    return Likeness(share, share - float(stdtrit(len(shares) - 1, confidence)) * error, len(shares))


def _draw_trials(
    keys: IntArray, labels: IntArray, held_out: npt.NDArray[np.bool_], reference: npt.NDArray[np.bool_]
) -> list[tuple[IntArray, IntArray, IntArray]]:
    """For each key drawn: held-out samples, reference samples, and for each of the latter `REDRAWN` strangers."""
    rng = np.random.default_rng(0)
    own, guests = _members(keys, reference), _members(keys, held_out)
    shared = np.array(sorted(own.keys() & guests.keys()), dtype=np.int64)
    if len(shared) > KEYS_TESTED:
        shared = np.sort(rng.choice(shared, KEYS_TESTED, replace=False))
    n_guests = HELD_OUT_TESTED // max(1, len(shared))
    codes = labels - min(labels.min(initial=0), 0)
    of_label = _members(codes, reference)
    pool_size = max(50, FITTED // max(1, len(of_label)))
    pools = {label: _some(members, pool_size, rng) for label, members in of_label.items()}
    trials = []
    for key in shared.tolist():
        friends = _some(own[key], REFERENCE_TESTED, rng)
        strangers = np.stack([_strangers(pools[label], keys, key, rng) for label in codes[friends].tolist()])
        able = (strangers >= 0).all(axis=1)
        if able.any():
            trials.append((_some(guests[key], n_guests, rng), friends[able], strangers[able]))
    return trials


def _statistics(records: np.ndarray) -> npt.NDArray[np.float64]:
    columns = measure(records)
    sizes = ("width", "height", "aspect", "bytes per pixel")  # ratios matter here, not differences
    return np.stack([np.log(np.maximum(v, 1e-9)) if name in sizes else v for name, v in columns.items()], axis=1)


def _thumbnails(records: np.ndarray) -> npt.NDArray[np.float64]:
    n, luma, chroma = len(records), records["luma"], records["chroma"]
    cell = luma.shape[-1] // 8
    luma = luma[:, : 8 * cell, : 8 * cell].reshape(n, 8, cell, 8, cell).mean(axis=(2, 4))
    chroma = chroma.reshape(n, 2, 4, 2, 4, 2).mean(axis=(3, 5))
    return np.concatenate([luma.reshape(n, -1), chroma.reshape(n, -1)], axis=1)


def _members(keys: IntArray, inside: npt.NDArray[np.bool_]) -> dict[int, IntArray]:
    found = np.flatnonzero(inside & (keys >= 0))
    found = found[np.argsort(keys[found], kind="stable")]
    values, starts = np.unique(keys[found], return_index=True)
    parts = np.split(found, starts[1:])
    return dict(zip(values.tolist(), parts, strict=False))


def _some(members: IntArray, n: int, rng: np.random.Generator) -> IntArray:
    return members if len(members) <= n else np.sort(rng.choice(members, n, replace=False))


def _strangers(pool: IntArray, keys: IntArray, key: int, rng: np.random.Generator) -> IntArray:
    """`REDRAWN` members of the pool with another key, or -1 where none was met."""
    drawn = pool[rng.integers(len(pool), size=(8, REDRAWN))]
    fits = keys[drawn] != key
    first = fits.argmax(axis=0)
    return np.where(fits.any(axis=0), drawn[first, np.arange(REDRAWN)], -1)
