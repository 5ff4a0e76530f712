"""Do two thumbnails show the same shot? Align one with the other, then count the fine detail that agrees.

Copies of a photograph differ by a crop, a resize and a change of light, so one thumbnail is laid over the other with
four parameters (a shift and a scale along each axis), free of brightness and contrast. Where the two are copies, the
fine detail then agrees everywhere; where they are look-alikes (two aeroplanes, two sevens), little more than the
outline does.

Everything here works on small blocks of pairs in float32, so that an iteration stays in the processor's caches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import FloatArray

BLOCK = 128
"""Pairs worked on at once: 128 thumbnails of 32×32 float32 are 512 KiB."""

SCALES = (-0.4, 0.67)
"""Relative scale that the alignment may reach, along each axis: 0.6 to 1.67, beyond which about a third is common."""

LARGEST_SHIFT = 0.3
"""Share of the picture's side that the alignment may move."""

DETAIL_SIGMA = 1.25
"""Pixels of 32: detail is a thumbnail minus its Gaussian blur of this width."""

LOCAL_SIGMA = 1.5
"""Pixels of 32 over which detail is brought to equal strength, so that faint texture counts like a strong outline."""

NOISE = 3.0
"""Grey levels of detail that pass for noise; JPEG at quality 75 leaves 1 to 3 in a thumbnail."""

INDEPENDENT_AREA = 4.0 * np.pi * LOCAL_SIGMA**2
"""Pixels per independent sample of a field smoothed with `LOCAL_SIGMA`: its correlation area, 4πσ²."""

FAINTEST = 8.0
"""Pixels' worth of detail added to both energies, so that pictures without detail agree in nothing."""

_FLATTEST = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class Agreement:
    """How well pairs of thumbnails agree after alignment; all arrays have shape (m,).

    Parameters
    ----------
    score : ndarray of float32
        Correlation of the locally normalised fine detail over what is common: 1 for the same thumbnail.
    evidence : ndarray of float32
        Fisher's z of that correlation (shrunk by `FAINTEST`) in units of its standard error,
        ``atanh(correlation) * sqrt(n * joint)``, where n is the number of independent places at which both have detail,
        and joint is what both show as a share of what either shows. A few strokes that agree well (a digit) weigh less
        than texture everywhere (a photograph), and a part of a picture less than the whole.
    common : ndarray of float32
        Share of the picture with less to show that the other shows, too: 1 for the same framing and for a crop of the
        other, less where each shows something that the other does not.
    """

    score: FloatArray
    evidence: FloatArray
    common: FloatArray


def detail_area(thumbnails: np.ndarray) -> FloatArray:
    """How many pixels of a thumbnail carry detail above noise.

    Parameters
    ----------
    thumbnails : ndarray, shape (n, 32, 32)
        Luminance, 0 to 255.

    Returns
    -------
    ndarray of float32, shape (n,)
        Sum over the pixels of ``(e / (e + NOISE**2))**3``, where e is the local mean square of the detail: near 0 for a
        flat picture with noise or a smooth gradient, at most 1,024. The outermost two pixels stand for nothing of their
        own (a gradient bends where it ends); the sum is scaled up for them.
    """
    out = np.empty(len(thumbnails), dtype=np.float32)
    inner = slice(2, thumbnails.shape[-1] - 2)
    scale = thumbnails[0].size / max(1, thumbnails[0, inner, inner].size) if len(thumbnails) else 1.0
    for start in range(0, len(thumbnails), BLOCK):
        rows = slice(start, start + BLOCK)
        picture = thumbnails[rows].astype(np.float32)
        local = blur(np.square(picture - blur(picture, DETAIL_SIGMA)), LOCAL_SIGMA)
        share = (local / (local + np.float32(NOISE**2))) ** 3
        out[rows] = share[:, inner, inner].sum(axis=(1, 2)) * scale
    return out


def coarse_alignment(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Align b with a at half resolution: the best of 25 shifts, then `refine`.

    Parameters
    ----------
    a, b : ndarray of float32, shape (m, 32, 32)
        Luminance, 0 to 255.

    Returns
    -------
    warp : ndarray of float32, shape (m, 4)
        Shift in thumbnail pixels and relative scale along y, then along x, from the middle: b is read at
        ``shift + (1 + scale) * position``.
    correlation : ndarray of float32, shape (m,)
        Of the high-passed halves after alignment.
    """
    a, b = halved(a), halved(b)
    warp = refine(blur(a, 1.0), blur(b, 1.0), _best_shift(a - blur(a, 2.0), b - blur(b, 2.0)), steps=4)
    moved, window = warped(b, warp)
    correlation = _correlation((a - blur(a, 1.5)) * window, (moved - blur(moved, 1.5)) * window, floor=1.0)
    warp[:, [0, 2]] *= 2.0
    return warp, correlation


def fine_agreement(a: FloatArray, b: FloatArray, warp: FloatArray) -> Agreement:
    """Refine the alignment at full resolution, then measure how much detail agrees.

    Parameters
    ----------
    a, b : ndarray of float32, shape (m, 32, 32)
        Luminance, 0 to 255.
    warp : ndarray of float32, shape (m, 4)
        As from `coarse_alignment`.
    """
    warp = refine(blur(a, 1.2), blur(b, 1.2), warp, steps=4)
    warp = refine(blur(a, 0.6), blur(b, 0.6), warp, steps=3)
    return _measured(a, b, warp, np.ones((1, 1, 1), dtype=np.float32))


def masked_agreement(a: FloatArray, b: FloatArray, mask: FloatArray) -> Agreement:
    """As `fine_agreement`, for pictures that lie on one another but for a pixel or two.

    Parameters
    ----------
    mask : ndarray of float32, shape (m, 32, 32)
        1 where a shows something. The alignment uses the middle 18×18 pixels, which must be 1.
    """
    warp = refine(blur(a, 0.6), blur(b, 0.6), np.zeros((len(a), 4), dtype=np.float32), steps=3, border=7)
    return _measured(a, b, warp, mask)


def _measured(a: FloatArray, b: FloatArray, warp: FloatArray, mask: FloatArray) -> Agreement:
    moved, window = warped(b, warp)
    window = window * mask
    of_a = _normalised((a - blur(a, DETAIL_SIGMA)) * window) * window
    of_b = _normalised((moved - blur(moved, DETAIL_SIGMA)) * window) * window
    shared = np.sqrt(blur(of_a * of_a, LOCAL_SIGMA) * blur(of_b * of_b, LOCAL_SIGMA))
    # participation ratio: the number of pixels over which the shared detail is spread
    spread = shared.sum(axis=(1, 2)) ** 2 / np.maximum((shared * shared).sum(axis=(1, 2)), _FLATTEST)
    common, joint = _overlap(warp, a.shape[-1])
    shrunk = np.clip(_correlation(of_a, of_b, FAINTEST), -0.9999, 0.9999)
    evidence = np.arctanh(shrunk) * np.sqrt(spread * joint / INDEPENDENT_AREA)
    return Agreement(_correlation(of_a, of_b, _FLATTEST), evidence.astype(np.float32), common)


def _overlap(warp: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """Area that both pictures show, as a share of the smaller field of view, and of the two fields together."""
    both = np.ones(len(warp), dtype=np.float32)
    field = np.ones(len(warp), dtype=np.float32)
    half = np.float32(side / 2)
    for shift, scale in ((0, 1), (2, 3)):
        reach = (1 + warp[:, scale]) * half  # what a shows reaches from shift - reach to shift + reach in b
        shown = np.minimum(warp[:, shift] + reach, half) - np.maximum(warp[:, shift] - reach, -half)
        both *= np.maximum(shown, 0) / (2 * half)
        field *= reach / half
    return np.asarray(both / np.minimum(field, 1)), np.asarray(both / (1 + field - both))


def _normalised(detail: FloatArray) -> FloatArray:
    return np.asarray(detail / np.sqrt(blur(detail * detail, LOCAL_SIGMA) + np.float32(NOISE**2)))


def _correlation(a: FloatArray, b: FloatArray, floor: float) -> FloatArray:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    energies = (np.einsum("mi,mi->m", a, a) + np.float32(floor)) * (np.einsum("mi,mi->m", b, b) + np.float32(floor))
    return np.asarray(np.einsum("mi,mi->m", a, b) / np.sqrt(energies))


def halved(pictures: FloatArray) -> FloatArray:
    """Pictures at half the side, each pixel the mean of four."""
    m, side, _ = pictures.shape
    return np.asarray(pictures.reshape(m, side // 2, 2, side // 2, 2).mean(axis=(2, 4)))


@cache
def _gaussian(side: int, sigma: float) -> FloatArray:
    """Gaussian blur as a matrix."""
    reach = int(np.ceil(3 * sigma))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    matrix = np.zeros((side, side))
    for row in range(side):
        np.add.at(matrix[row], np.clip(row + offsets, 0, side - 1), weights)
    return matrix.astype(np.float32)


def blur(pictures: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of square pictures, shape (m, side, side); the edge pixels repeat outwards."""
    matrix = _gaussian(pictures.shape[-1], sigma)
    along_rows = (pictures.reshape(-1, pictures.shape[-1]) @ matrix.T).reshape(pictures.shape)
    return np.asarray(matrix @ along_rows)


@cache
def _grid(side: int) -> FloatArray:
    return (np.arange(side) - (side - 1) / 2).astype(np.float32)


def _sampler(shift: FloatArray, scale: FloatArray, side: int) -> tuple[FloatArray, FloatArray]:
    """Linear interpolation along one axis as matrices (m, side, side), and which places lie inside (m, side)."""
    position = shift[:, None] + (1 + scale[:, None]) * _grid(side) + np.float32((side - 1) / 2)
    inside = ((position >= -0.5) & (position <= side - 0.5)).astype(np.float32)
    np.clip(position, 0, side - 1, out=position)
    matrix = np.abs(position[:, :, None] - np.arange(side, dtype=np.float32))
    np.subtract(1, matrix, out=matrix)
    return np.maximum(matrix, 0, out=matrix), inside


def warped(pictures: FloatArray, warp: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The pictures read through the warp, and 1 where that lies inside them, both (m, side, side)."""
    side = pictures.shape[-1]
    rows, inside_y = _sampler(warp[:, 0], warp[:, 1], side)
    columns, inside_x = _sampler(warp[:, 2], warp[:, 3], side)
    window = inside_y[:, :, None] * inside_x[:, None, :]
    return np.asarray(rows @ pictures @ columns.transpose(0, 2, 1)), np.asarray(window)


def _best_shift(a: FloatArray, b: FloatArray) -> FloatArray:
    """The shift of at most two pixels at which the pictures correlate best, as a warp."""
    m, side, _ = a.shape
    warp = np.zeros((m, 4), dtype=np.float32)
    best = np.full(m, -np.inf, dtype=np.float32)
    for dy, dx in sorted(np.ndindex(5, 5), key=lambda d: (abs(d[0] - 2) + abs(d[1] - 2), d)):
        y, x = dy - 2, dx - 2
        of_a = a[:, max(-y, 0) : side - max(y, 0), max(-x, 0) : side - max(x, 0)]
        of_b = b[:, max(y, 0) : side - max(-y, 0), max(x, 0) : side - max(-x, 0)]
        correlation = _correlation(of_a, of_b, floor=1.0)
        better = correlation > best
        best[better] = correlation[better]
        warp[better, 0], warp[better, 2] = y, x
    return warp


@cache
def _taper(side: int, border: int) -> FloatArray:
    """Weights that leave out a border, where a shifted picture would have to be made up."""
    weights = np.ones(side, dtype=np.float32)
    weights[:border] = weights[-border:] = 0.0
    weights[border] = weights[-border - 1] = 0.5
    return np.outer(weights, weights).ravel()


def refine(a: FloatArray, b: FloatArray, warp: FloatArray, steps: int, border: int = 0) -> FloatArray:
    """Inverse-compositional Gauss-Newton for the four parameters, with gain and offset projected out.

    Baker & Matthews (2004), *Lucas-Kanade 20 years on*, section 3.2 and part 3 for the linear appearance variation. The
    gradients belong to a and are computed once; a step costs one warp and one small product.
    """
    m, side, _ = a.shape
    grid, weights, unit = _grid(side), _taper(side, border or side // 8), np.float32(2.0 / side)
    gradient_y, gradient_x = np.gradient(a, axis=(1, 2))
    jacobian = np.stack(
        [gradient_y, gradient_y * (grid * unit)[:, None], gradient_x, gradient_x * (grid * unit)], axis=1
    ).reshape(m, 4, -1)
    total = weights.sum()
    template = a.reshape(m, -1)
    template = template - (template @ weights / total)[:, None]
    weighted = template * weights
    energy = np.einsum("mi,mi->m", template, weighted) + np.float32(_FLATTEST)
    jacobian -= (jacobian @ weights / total)[:, :, None]
    jacobian -= (jacobian @ weighted[:, :, None]) / energy[:, None, None] * template[:, None, :]
    downhill = jacobian * weights
    hessian = downhill @ jacobian.transpose(0, 2, 1)
    diagonal = np.arange(4)
    hessian[:, diagonal, diagonal] = hessian[:, diagonal, diagonal] * np.float32(1.01) + np.float32(0.01)
    downhill = np.linalg.inv(hessian) @ downhill

    warp = warp.copy()
    for _ in range(steps):
        moved = warped(b, warp)[0].reshape(m, -1, 1)
        gain = (weighted[:, None] @ moved)[:, 0, 0] / energy
        negative = gain < 0.1  # light does not turn round: such a pair stays where it is
        step = (downhill @ moved)[..., 0] / np.where(negative, np.float32(1), gain)[:, None]
        step[negative] = 0
        step[:, [1, 3]] *= unit
        for shift, scale in ((0, 1), (2, 3)):
            move = np.clip(step[:, shift], -0.1 * side, 0.1 * side)
            ratio = (1 + warp[:, scale]) / (1 + np.clip(step[:, scale], -0.2, 0.2))
            warp[:, shift] = np.clip(warp[:, shift] - ratio * move, -LARGEST_SHIFT * side, LARGEST_SHIFT * side)
            warp[:, scale] = np.clip(ratio - 1, *SCALES)
    return warp
