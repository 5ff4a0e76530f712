"""One fixed scene, or one picture? How large the largest local change between two views is.

A camera that never moves, a game board, a printed form: all pictures of such a set agree in nearly all of their fine
detail, whatever they show. Then agreement says that two pictures share the scene; that they also share the *content*
shows in what is left where they differ most, once light, contrast and a slip of the camera are taken out. Thumbnails of
32 pixels are too small for it (a chess piece is four pixels), so the pictures are looked at again at 64.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.analysis.copies.pictures.align import BLOCK, blur, coarse_alignment, halved, refine, warped
from leakaudit.analysis.copies.pictures.descriptors import orient
from leakaudit.analysis.copies.pictures.turned import turned_pictures

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.model import FloatArray, IntArray

SIDE = 64
"""Pixels a side at which change is measured."""

SLIP = 0.4
"""Pixels of 64 by which an edge may lie elsewhere after alignment."""

QUIET = 2.0
"""Grey levels that pass for noise: what JPEG leaves in a picture of 160 pixels that is then halved."""

LIGHT_SIGMA = 8.0
"""Pixels of 64: differences as wide as this are light and shadow."""

LOCAL_SIGMA = 1.5
"""Pixels of 64 over which a difference is averaged (root mean square): a dot is no change, a chess piece is one."""

NOWHERE = np.float32(np.inf)
"""The change between two pictures of which one cannot be looked at (any more): nothing says that they are alike."""

Look: TypeAlias = "Callable[[IntArray], np.ndarray]"
"""From indices of pictures, each once, to their luminance as uint8, shape (m, 64, 64); all zero where it is gone."""


def look_at(context: Context) -> Look:
    """Luminance of pictures as they are now, from the small pictures that reports show, too."""
    from PIL import Image

    from leakaudit.fingerprints.pictures.previews import previews

    def look(at: IntArray) -> np.ndarray:
        seen = np.zeros((len(at), SIDE, SIDE), dtype=np.uint8)
        for place, made in enumerate(previews(context.samples.path.take(at), context.config)):
            if made:
                with Image.open(io.BytesIO(made)) as picture:
                    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
                seen[place] = np.asarray(small)
        return seen

    return look


def thumbnails_of(records: np.ndarray) -> Look:
    """The stored thumbnails at twice their size, where the pictures themselves are not at hand."""

    def look(at: IntArray) -> np.ndarray:
        return np.repeat(np.repeat(records["luma"][at], 2, axis=1), 2, axis=2)

    return look


def local_change(records: np.ndarray, a: IntArray, b: IntArray, orientation: np.ndarray, look: Look) -> FloatArray:
    """How strongly two views of one scene differ where they differ most.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    a, b : ndarray of int64, shape (m,)
        Pairs of records.
    orientation : ndarray of int16, shape (m,)
        What must be done to a to lay it on b, as in `leakaudit.analysis.copies.pictures.match.Matches`.
    look : Look

    Returns
    -------
    ndarray of float32, shape (m,)
        Grey levels: after alignment, with the contrast of a fitted to that of b and wide differences taken out, the
        largest local root mean square of what no slip of `SLIP` pixels explains, less `QUIET`. Constructed copies
        (JPEG, crops, light, blur) have 3 to 14, other contents of one scene 30 to 100; infinite where one of the two
        cannot be looked at.
    """
    change = np.full(len(a), NOWHERE, dtype=np.float32)
    if not len(a):
        return change
    pictures = np.unique(np.concatenate([a, b]))
    seen = look(pictures)
    there = np.asarray(seen.any(axis=(1, 2)))
    of_a, of_b = np.searchsorted(pictures, a), np.searchsorted(pictures, b)
    at = np.flatnonzero(there[of_a] & there[of_b])
    for start in range(0, len(at), BLOCK):
        rows = at[start : start + BLOCK]
        first, second = seen[of_a[rows]], seen[of_b[rows]].astype(np.float32)
        shape = records[["width", "height"]]
        laid, mask = _laid(first, shape[a[rows]], shape[b[rows]], orientation[rows])
        change[rows] = _largest_change(laid, second, mask)
    return change


def _laid(
    pictures: np.ndarray, shape_a: np.ndarray, shape_b: np.ndarray, orientation: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """The pictures turned as `orientation` says, and 1 where they show something."""
    laid = np.empty(pictures.shape, dtype=np.float32)
    mask = np.ones(pictures.shape, dtype=np.float32)
    of_eight = orientation < 8
    laid[of_eight] = orient(pictures[of_eight], orientation[of_eight])
    if not of_eight.all():
        oblique = ~of_eight
        laid[oblique], mask[oblique] = turned_pictures(
            pictures[oblique].astype(np.float32),
            shape_a[oblique],
            shape_b[oblique],
            (orientation[oblique] % 1000).astype(np.float32),
            orientation[oblique] >= 2000,
        )
    return laid, mask


def _largest_change(a: FloatArray, b: FloatArray, mask: FloatArray) -> FloatArray:
    """The smaller of two: aligned as copies are, and as the pictures of a camera that does not move.

    The squares of a game board lie well on one another two squares further, too.
    """
    warp, _ = coarse_alignment(halved(a), halved(b))
    warp[:, [0, 2]] *= 2.0
    for sigma in (2.4, 1.2):
        warp = refine(blur(a, sigma), blur(b, sigma), warp, steps=3)
    still = refine(_without_light(a), _without_light(b), np.zeros_like(warp), steps=3)
    return np.minimum(_left(a, b, mask, warp), _left(a, b, mask, still))


def _without_light(pictures: FloatArray) -> FloatArray:
    return blur(pictures, 1.2) - blur(pictures, LIGHT_SIGMA)


def _left(a: FloatArray, b: FloatArray, mask: FloatArray, warp: FloatArray) -> FloatArray:
    """The largest local difference that is left when b is laid on a by this warp."""
    moved, window = warped(b, warp)
    # An edge of the field of view is where one of them has to be made up: keep off it.
    window = (blur(window * mask, LOCAL_SIGMA) > 0.98).astype(np.float32)
    moved = _same_light(a, moved, window)
    weight = np.maximum(blur(window, LIGHT_SIGMA), 1e-3)
    apart = (moved - a) * window
    apart -= blur(apart, LIGHT_SIGMA) / weight * window
    steepest = np.maximum(_steepness(a), _steepness(moved))
    left = np.maximum(np.abs(apart) - np.float32(SLIP) * steepest - np.float32(QUIET), 0) * window
    return np.asarray(np.sqrt(blur(left * left, LOCAL_SIGMA).max(axis=(1, 2))), dtype=np.float32)


def _same_light(a: FloatArray, b: FloatArray, window: FloatArray) -> FloatArray:
    """b at the contrast and the brightness of a, by least squares within the window."""
    total = np.maximum(window.sum(axis=(1, 2)), 1)
    middle_a, middle_b = ((one * window).sum(axis=(1, 2)) / total for one in (a, b))
    from_a, from_b = ((one - middle[:, None, None]) * window for one, middle in ((a, middle_a), (b, middle_b)))
    gain = (from_a * from_b).sum(axis=(1, 2)) / np.maximum((from_b * from_b).sum(axis=(1, 2)), 1)
    gain = np.clip(gain, 0.25, 4.0)[:, None, None]
    return np.asarray((b - middle_b[:, None, None]) * gain + middle_a[:, None, None], dtype=np.float32)


def _steepness(pictures: FloatArray) -> FloatArray:
    along_y, along_x = np.gradient(pictures, axis=(1, 2))
    return np.asarray(np.hypot(along_y, along_x))
