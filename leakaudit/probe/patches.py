"""Pictures as features without learning: how they answer to random patches of themselves (Coates, Lee, Ng 2011).

A. Coates, A. Y. Ng and H. Lee, An analysis of single-layer networks in unsupervised feature learning, AISTATS 2011:
patches drawn at random, whitened, do nearly as well as learnt ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from leakaudit.engines.local import map_chunks, raise_if_stopped

if TYPE_CHECKING:
    import numpy.typing as npt

FILTERS, SIDE, STRIDE = 128, 6, 2
"""Patches, their side in pixels, and the step between places where they are held against a picture."""

_CHUNK = 64  # pictures; their patches stay in the cache of a core


def patch_features(pictures: npt.NDArray[np.uint8], seed: int = 0, workers: int = 1) -> npt.NDArray[np.float32]:
    """Positive and negative parts of the answers, averaged over the four quarters of a picture.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, channels, side, side)
    seed : int, default 0
        Of the choice of patches.
    workers : int, default 1
        Threads; the result is the same with any number.

    Returns
    -------
    ndarray of float32, shape (n, 8 · FILTERS)
    """
    rng = np.random.default_rng(seed)
    n, _, side, _ = pictures.shape
    which = rng.integers(n, size=2_000)
    corner = rng.integers(side - SIDE + 1, size=(2, 2_000))
    drawn = np.stack([pictures[i, :, y : y + SIDE, x : x + SIDE] for i, y, x in zip(which, *corner, strict=True)])
    flat = _normalised(drawn.reshape(len(drawn), -1).astype(np.float32))
    mean = flat.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((flat - mean).T))
    whitening = ((vectors / np.sqrt(np.maximum(values, 0) + 0.1)) @ vectors.T).astype(np.float32)
    filters = (flat[:FILTERS] - mean) @ whitening
    filters /= np.maximum(np.linalg.norm(filters, axis=1, keepdims=True), 1e-6)
    matrix = whitening @ filters.T
    offset = mean @ matrix
    features = np.empty((n, 8 * FILTERS), dtype=np.float32)

    def fill(chunk: Sequence[int]) -> None:
        for start in chunk:
            raise_if_stopped()
            features[start : start + _CHUNK] = _pooled(pictures[start : start + _CHUNK], matrix, offset)

    with threadpool_limits(1, user_api="blas"):  # as many threads as workers, not as many times as many
        for _ in map_chunks(fill, [[start] for start in range(0, n, _CHUNK)], jobs=workers):
            pass
    return features


def _pooled(
    pictures: npt.NDArray[np.uint8], matrix: npt.NDArray[np.float32], offset: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (SIDE, SIDE), axis=(2, 3))[:, :, ::STRIDE, ::STRIDE]
    places = windows.shape[2]
    patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, pictures.shape[1] * SIDE * SIDE).astype(np.float32)
    answers = (_normalised(patches) @ matrix - offset).reshape(len(pictures), places, places, FILTERS)
    halves = (slice(places // 2), slice(places // 2, None))
    quarters = [answers[:, y, x] for y in halves for x in halves]
    return np.concatenate(
        [part_of.mean(axis=(1, 2)) for q in quarters for part_of in (np.maximum(q, 0), np.maximum(-q, 0))], axis=1
    )


def _normalised(patches: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Brightness and contrast taken out; ten grey levels of contrast are taken for noise, as in the paper."""
    patches = patches - patches.mean(axis=1, keepdims=True)
    return np.asarray(patches / np.sqrt(patches.var(axis=1, keepdims=True) + 10))
