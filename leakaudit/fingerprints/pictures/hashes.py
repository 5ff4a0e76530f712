"""Small numbers from decoded pictures, in bulk: thumbnails, perceptual hashes, information measures.

`phashes` and `dhashes` give the bits of `imagehash.phash` and `imagehash.dhash` on the same decoded picture, for
thousands of pictures at a time. For that, `shrink` repeats Pillow's Lanczos resampling in its own fixed-point
arithmetic, bit for bit: Pillow works out the filter anew for every picture, which for small pictures takes longer
than applying it.
"""

from __future__ import annotations

import math
import threading
from functools import lru_cache
from typing import Literal

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from leakaudit.fingerprints.cache.record import CHROMA, THUMBNAIL

HASH = 8
"""Side of both hashes in bits, imagehash's default."""

_LANCZOS_SUPPORT = 3.0
_PRECISION_BITS = 22  # of Pillow's filter weights: 32 - 8 - 2
_ROUNDING = 1e-6
"""Two ways to sum a cosine transform of 32 × 32 bytes differ by less: sums of up to 1e6, 2^-53, two times 32 terms,
make 1e-8."""

_SMALL_GROUP = 6  # below it, working out a filter costs more than it saves


def shrink(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Resize pictures of one shape to the two thumbnails that the hashes are made of.

    Parameters
    ----------
    stack : ndarray of uint8, shape (k, height, width)

    Returns
    -------
    luma : ndarray of uint8, shape (k, 32, 32)
        What `imagehash.phash` transforms.
    gradients : ndarray of uint8, shape (k, 8, 9)
        What `imagehash.dhash` compares.
    """
    _, height, width = stack.shape
    if len(stack) >= _SMALL_GROUP:
        sizes = (THUMBNAIL, THUMBNAIL), (HASH, HASH + 1)
        of_luma, of_gradients = (_order(height, width, *size) for size in sizes)
        if of_luma is not None and of_luma == of_gradients:
            luma, gradients = _resize(stack, sizes, of_luma)
            return luma, gradients
        if of_luma is not None and of_gradients is not None:
            return _resize(stack, sizes[:1], of_luma)[0], _resize(stack, sizes[1:], of_gradients)[0]
    both = [shrink_one(Image.fromarray(grey)) for grey in stack]
    return np.concatenate([luma for luma, _ in both]), np.concatenate([gradients for _, gradients in both])


def shrink_one(grey: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """`shrink` for a single picture of mode ``L``."""
    luma = np.asarray(grey.resize((THUMBNAIL, THUMBNAIL), Resampling.LANCZOS))
    return luma[None], np.asarray(grey.resize((HASH + 1, HASH), Resampling.LANCZOS))[None]


def phashes(luma: np.ndarray) -> np.ndarray:
    """`imagehash.phash` of many pictures.

    Parameters
    ----------
    luma : ndarray of uint8, shape (n, 32, 32)

    Returns
    -------
    ndarray of uint64, shape (n,)
        First bit highest.
    """
    low = _low_frequencies(luma)
    above = low - np.median(low, axis=1, keepdims=True)
    doubtful = np.flatnonzero(np.abs(above).min(axis=1, initial=np.inf) <= _ROUNDING)
    if len(doubtful):  # flat or symmetrical: rounding decides, so it has to be the same
        import scipy.fftpack

        across = scipy.fftpack.dct(luma[doubtful], axis=1)[:, :HASH]
        low = scipy.fftpack.dct(across, axis=2)[:, :, :HASH].reshape(len(doubtful), -1)
        above[doubtful] = low > np.median(low, axis=1, keepdims=True)
    return _pack(above > 0)


def _low_frequencies(luma: np.ndarray) -> np.ndarray:
    """The first 8 × 8 coefficients of the cosine transform, shape (n, 64): as a product, and without SciPy's import."""
    cosines = 2 * np.cos(np.pi / (2 * THUMBNAIL) * np.outer(np.arange(HASH), 2 * np.arange(THUMBNAIL) + 1))
    rows = luma.reshape(-1, THUMBNAIL).astype(np.float64) @ cosines.T
    return np.asarray(cosines @ rows.reshape(-1, THUMBNAIL, HASH)).reshape(-1, HASH * HASH)


def dhashes(gradients: np.ndarray) -> np.ndarray:
    """`imagehash.dhash` of many pictures, from their thumbnails of shape (n, 8, 9)."""
    return _pack((gradients[:, :, 1:] > gradients[:, :, :-1]).reshape(len(gradients), -1))


def chroma_planes(colour: np.ndarray) -> np.ndarray:
    """Mean Cb and Cr (ITU-R BT.601, full range, 128 for grey) in the cells of a grid over each picture.

    Parameters
    ----------
    colour : ndarray of uint8, shape (k, height, width, 3)
        Red, green and blue.

    Returns
    -------
    ndarray of uint8, shape (k, 2, 8, 8)
        Pixels on a cell's border count for their share in it.
    """
    k, height, width, _ = colour.shape
    rows = _shares(height) @ colour.reshape(k, height, width * 3).astype(np.float32)
    cells = _shares(width) @ rows.reshape(k * CHROMA, width, 3)
    planes = cells.reshape(k, CHROMA, CHROMA, 3).astype(np.float64) @ _CB_CR + 128
    # Not exactly a half: means of two-coloured pictures often end in it, and float sums would round them either way.
    rounded: np.ndarray = np.clip(np.floor(planes + 0.504), 0, 255)
    return rounded.astype(np.uint8).transpose(0, 3, 1, 2)


_CB_CR = np.array([[-0.168736, 0.5], [-0.331264, -0.418688], [0.5, -0.081312]])


@lru_cache(maxsize=4096)
def _shares(size: int) -> np.ndarray:
    """Weights of `size` pixels in the means of 8 cells, shape (8, size)."""
    edges = np.arange(CHROMA + 1) * (size / CHROMA)
    pixels = np.arange(size)
    overlap = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    shares: np.ndarray = np.maximum(overlap, 0) * (CHROMA / size)
    return shares.astype(np.float32)


def histograms(greys: np.ndarray) -> np.ndarray:
    """Counts of every level of grey, shape (k, 256), of pictures of shape (k, height, width)."""
    k = len(greys)
    levels = greys.reshape(k, -1) + np.arange(0, 256 * k, 256, dtype=np.int64)[:, None]
    return np.bincount(levels.ravel(), minlength=256 * k).reshape(k, 256)


def spread_and_entropy(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation (0 to 127.5) and Shannon entropy (0 to 8 bits a pixel) of luminance.

    Parameters
    ----------
    counts : ndarray of int64, shape (k, 256)
        Histograms of luminance.

    Returns
    -------
    spread, entropy : ndarray of float32, shape (k,)
    """
    n = counts.sum(axis=1)
    levels = np.arange(256, dtype=np.float64)
    mean = counts @ levels / n
    variance = counts @ levels**2 / n - mean**2
    entropy = np.log2(n) - (counts * np.log2(np.maximum(counts, 1))).sum(axis=1) / n
    return np.sqrt(np.maximum(variance, 0)).astype(np.float32), np.maximum(entropy, 0).astype(np.float32)


_Order = Literal["rows first", "columns first"]


@lru_cache(maxsize=4096)
def _order(height: int, width: int, new_height: int, new_width: int) -> _Order | None:
    """Which way round the installed Pillow resizes this shape, seen on noise; None: neither."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(noise).resize((new_width, new_height), Resampling.LANCZOS))
    orders: tuple[_Order, ...] = ("rows first", "columns first")
    for order in orders:
        if np.array_equal(_resize(noise[None], ((new_height, new_width),), order)[0][0], expected):
            return order
    return None


def _resize(stack: np.ndarray, sizes: tuple[tuple[int, int], ...], order: _Order) -> list[np.ndarray]:
    """Resize (k, height, width) to each of some sizes as Pillow does: each pass is rounded to whole pixel values.

    The weights are integers over 2^22, so that all sums are exact in float64, whatever the order of summation; the
    first pass is shared.
    """
    k, height, width = stack.shape
    lines = _kept("lines", height, k, width)
    lines[...] = stack.transpose(1, 0, 2)
    resized = []
    if order == "rows first":
        across = _filters(width, tuple(w for _, w in sizes)).T
        narrow = _kept("first pass", height * k, across.shape[1])
        _round(np.matmul(lines.reshape(height * k, width), across, out=narrow))
        first = 0
        for new_height, new_width in sizes:
            part = _kept("part", height, k, new_width)
            part[...] = narrow.reshape(height, k, -1)[:, :, first : first + new_width]
            out = _kept("second pass", new_height, k * new_width)
            np.matmul(_filter(height, new_height), part.reshape(height, k * new_width), out=out)
            resized.append(_to_pictures(out.reshape(new_height, k, new_width)))
            first += new_width
    else:
        down = _filters(height, tuple(h for h, _ in sizes))
        low = _kept("first pass", len(down), k * width)
        _round(np.matmul(down, lines.reshape(height, k * width), out=low))
        first = 0
        for new_height, new_width in sizes:
            part = low[first : first + new_height].reshape(new_height * k, width)
            out = _kept("second pass", new_height * k, new_width)
            np.matmul(part, _filter(width, new_width).T, out=out)
            resized.append(_to_pictures(out.reshape(new_height, k, new_width)))
            first += new_height
    return resized


def _to_pictures(sums: np.ndarray) -> np.ndarray:
    return _round(sums).transpose(1, 0, 2).astype(np.uint8)


_own = threading.local()


def _kept(name: str, *shape: int) -> np.ndarray:
    """Room that the thread keeps: fresh memory of this size is mapped anew every time, which costs more than sums."""
    size = math.prod(shape)
    kept: dict[str, np.ndarray] = _own.__dict__
    if name not in kept or len(kept[name]) < size:
        kept[name] = np.empty(size)
    return kept[name][:size].reshape(shape)


@lru_cache(maxsize=4096)
def _filters(size: int, targets: tuple[int, ...]) -> np.ndarray:
    return np.concatenate([_filter(size, target) for target in targets])


@lru_cache(maxsize=4096)
def _filter(size: int, target: int) -> np.ndarray:
    """Pillow's Lanczos weights, shape (target, size): whole multiples of 2^-22.

    Repeats ``precompute_coeffs`` and ``normalize_coeffs_8bpc`` of Pillow's ``Resample.c``.
    """
    scale = size / target
    stretch = max(scale, 1.0)
    support = _LANCZOS_SUPPORT * stretch
    weights = np.zeros((target, size))
    for out in range(target):
        centre = (out + 0.5) * scale
        first, last = max(int(centre - support + 0.5), 0), min(int(centre + support + 0.5), size)
        taps = [_lanczos((at - centre + 0.5) * (1.0 / stretch)) for at in range(first, last)]
        total = 0.0
        for tap in taps:  # in this order, without the compensation of sum()
            total += tap
        for at, tap in enumerate(taps, first):
            fixed = (tap / total if total else tap) * (1 << _PRECISION_BITS)
            weights[out, at] = int(fixed - 0.5) if fixed < 0 else int(fixed + 0.5)
    weights *= 2.0**-_PRECISION_BITS
    weights.setflags(write=False)
    return weights


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / _LANCZOS_SUPPORT) if -_LANCZOS_SUPPORT <= x < _LANCZOS_SUPPORT else 0.0


def _sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(x * math.pi) / (x * math.pi)


def _round(sums: np.ndarray) -> np.ndarray:
    sums += 0.5
    np.floor(sums, out=sums)
    return np.clip(sums, 0, 255, out=sums)


def _pack(bits: np.ndarray) -> np.ndarray:
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype("<u8")
