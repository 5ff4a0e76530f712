"""Pictures turned by any angle about their middle, mirrored or not: augmentation before the split leaves many of these.

What survives is the disc around the middle. Sampled along circles, a turn of the picture shifts its samples, and so
only changes the phases of their Fourier coefficients, at all radii alike; a mirror image conjugates them. Products of
coefficients of the same order at two radii therefore do not change under a turn, and under a mirror only their
imaginary part changes sign: from them one matrix product gives a similarity over all turns and mirror images. The
angle follows from the circular correlation of the two discs, and the turned thumbnails are compared as aligned ones
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.analysis.copies.pictures.align import BLOCK, masked_agreement
from leakaudit.analysis.copies.pictures.cluster import (
    BLOCKS,
    best_of_part,
    gpu_rather_than,
    nearest_on,
    over_pictures,
    pictures_of,
)
from leakaudit.analysis.copies.pictures.descriptors import INVERSE, ORIENTATIONS
from leakaudit.analysis.copies.pictures.match import Matches, blocks, itself_among, joined, packed, unpacked
from leakaudit.analysis.copies.pictures.neighbours import Largest, in_threads, nearest_by
from leakaudit.analysis.copies.pictures.neighbours_torch import any_turn, nearest_on_device
from leakaudit.engines.arrays import pack, unpack
from leakaudit.engines.base import Kernel

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray

    Complex: TypeAlias = npt.NDArray[np.complex64]

REACH = 0.95
"""Radius of the disc as a share of half the shorter side: the outermost pixels mix with what is beyond the edge."""

ORDERS = 8
"""Fourier orders along a circle that the descriptor uses, besides order 0."""

RINGS = 3
"""Rings of the descriptor, each the mean of three circles. Of 25,000 CIFAR-10 pictures, the one that was turned by a
random angle and made lighter was the nearest for all of 150; with four rings for 99 %."""

ANGLES = 128
"""Directions in which two discs are compared: 2.8° apart, interpolated."""

TRIES = 2.0 * np.log(2.0 * ANGLES / 2.0)
"""Taken off the squared evidence, as `match.EIGHT_TRIES` is: mirrored or not, and every second direction (neighbouring
ones give nearly the same)."""

CANDIDATES = 4
"""Nearest pictures that are verified; the copy was among the first four in all of the cases above."""


def turned_matches(
    records: np.ndarray,
    a: IntArray,
    b: IntArray,
    k: int = CANDIDATES,
    *,
    jobs: int = 1,
    described: tuple[FloatArray, FloatArray] | None = None,
    engine: Engine | None = None,
) -> Matches:
    """Candidates for each of a among b, turned by any angle and mirrored or not, all verified.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    a, b : ndarray of int64
        Indices of the records; a picture itself is left out.
    k : int
        Nearest pictures that are verified.
    described : (ndarray, ndarray), optional
        As from `describe_turned`, of all records, where they are known already.
    engine : Engine, optional
        The workers that do it; None: threads of this process.

    Returns
    -------
    Matches
        Orientations as of `orientation_code`, evidence as of `priced`.
    """
    if not len(a) or not len(b):
        return joined([])
    of_a, of_b = (
        (described[0][at], described[1][at]) if described else describe_turned(records, at, jobs=jobs, engine=engine)
        for at in (a, b)
    )
    itself = itself_among(a, b)
    if (device := gpu_rather_than(engine, len(a) * len(b))) is not None:
        index, _ = nearest_on_device(device, any_turn(of_a, of_b, device), len(a), len(b), k, itself=itself)
    elif engine is not None:
        index, _ = nearest_on(engine, turned_part, of_a, of_b, k, itself=itself)
    else:
        index, _ = nearest_by(turned(*of_a, *of_b), len(a), len(b), k, itself=itself, jobs=jobs)
    row, which = np.nonzero(index >= 0)
    return verify_turned(records, a[row], b[index[row, which]], jobs=jobs, engine=engine)


def verify_turned(
    records: np.ndarray, a: IntArray, b: IntArray, *, jobs: int = 1, engine: Engine | None = None
) -> Matches:
    """How well the discs of these pairs agree at the turn that suits them best; as from `turned_matches`."""
    return _verify(records, a, b, jobs) if engine is None else _verify_on(engine, records, a, b)


def turned(
    even: FloatArray, odd: FloatArray, even_of_b: FloatArray, odd_of_b: FloatArray
) -> Callable[[slice], Largest]:
    """The similarity over all turns and mirror images, for `neighbours.nearest_by`."""

    def prepare(rows: slice) -> Largest:
        of_a = even[rows], odd[rows]

        def largest(columns: slice, work: list[FloatArray]) -> FloatArray:
            shape = (len(of_a[0]), columns.stop - columns.start)
            best, other = (buffer[: shape[0] * shape[1]].reshape(shape) for buffer in work[:2])
            np.matmul(of_a[0], even_of_b[columns].T, out=best)
            np.matmul(of_a[1], odd_of_b[columns].T, out=other)
            best += np.abs(other, out=other)
            return best

        return largest

    return prepare


def turned_part(index: pa.Table, part: pa.Table, *, k: int) -> pa.Table:
    """Kernel of `turned_matches`: its search."""
    return best_of_part(index, part, k, turned)


def _verify(records: np.ndarray, a: IntArray, b: IntArray, jobs: int) -> Matches:
    every = blocks(len(a))
    return joined(list(in_threads(lambda at: _verified(records, a[every[at]], b[every[at]]), range(len(every)), jobs)))


def _verify_on(engine: Engine, records: np.ndarray, a: IntArray, b: IntArray) -> Matches:
    step = BLOCK * BLOCKS
    starts = range(0, len(a), step)

    def tables() -> Iterator[pa.Table]:
        for start in starts:
            _, pictures, (of_a, of_b) = pictures_of(records, a[start : start + step], b[start : start + step])
            yield pack(pictures=pictures, a=of_a, b=of_b)

    parts = []
    for start, found in zip(starts, engine.map(Kernel.of(verify_turned_part, processes=True), tables()), strict=True):
        ids = pictures_of(records, a[start : start + step], b[start : start + step])[0]
        parts.append(unpacked(found, ids))
    return joined(parts)


def verify_turned_part(part: pa.Table) -> pa.Table:
    """Kernel of `turned_matches`: its verification."""
    given = unpack(part)
    return packed(_verify(given["pictures"], given["a"], given["b"], jobs=1))


def orientation_code(mirrored: np.ndarray, angle: np.ndarray) -> npt.NDArray[np.int16]:
    """1000 and the rounded degrees clockwise (0 to 359), or 2000 and the degrees where mirrored top to bottom first."""
    return np.asarray(np.where(mirrored, 2000, 1000) + np.round(angle).astype(np.int16) % 360, dtype=np.int16)


def orientation_words(code: int) -> str:
    """What was done to the first picture to lay it on the second, for codes of either kind; empty for nothing.

    Turns are clockwise, from -180° to 179°.
    """
    if code < len(ORIENTATIONS):
        return ORIENTATIONS[code] if code else ""
    mirror, angle = "", (code % 1000 + 180) % 360 - 180
    if code >= 2000:
        # Top to bottom and half a turn is side to side: say it in the smaller of the two turns.
        is_sideways = abs(angle) > 90
        mirror, angle = ("mirrored", angle % 360 - 180) if is_sideways else ("mirrored top to bottom", angle)
    if mirror and not angle:
        return mirror
    turned = f"turned by {angle}°" if angle else "turned by less than 1°"
    return f"{mirror} and {turned}" if mirror else turned


def undone(codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """What was done to the second picture: the turn back; a mirrored turn undoes itself."""
    of_eight = INVERSE[np.minimum(codes, len(INVERSE) - 1)]
    return np.asarray(
        np.where(codes < len(INVERSE), of_eight, np.where(codes < 2000, 1000 + (360 - codes % 1000) % 360, codes))
    )


def priced(evidence: float | FloatArray) -> FloatArray:
    """Evidence less `TRIES`: what is left of the square, its root, with its sign."""
    square = evidence * np.abs(evidence) - TRIES
    return np.asarray(np.sign(square) * np.sqrt(np.abs(square)), dtype=np.float32)


def unpriced(evidence: float | FloatArray) -> FloatArray:
    """What `priced` was given."""
    square = evidence * np.abs(evidence) + TRIES
    return np.asarray(np.sign(square) * np.sqrt(np.abs(square)), dtype=np.float32)


def describe_turned(
    records: np.ndarray, at: IntArray, *, jobs: int = 1, engine: Engine | None = None
) -> tuple[FloatArray, FloatArray]:
    """What mirroring keeps, and what it changes the sign of: shapes (n, 54) and (n, 24), together of length 1."""
    pairs = RINGS * (RINGS - 1) // 2
    kept = np.empty((len(at), (ORDERS + 1) * (RINGS + pairs)), dtype=np.float32)
    changed = np.empty((len(at), ORDERS * pairs), dtype=np.float32)
    for rows, found in over_pictures(_described, describe_turned_part, records, at, jobs=jobs, engine=engine):
        kept[rows], changed[rows] = found["kept"], found["changed"]
    return kept, changed


def describe_turned_part(part: pa.Table) -> pa.Table:
    """Kernel of `describe_turned`."""
    return pack(**_described(unpack(part)["pictures"]))


def _described(pictures: np.ndarray) -> dict[str, np.ndarray]:
    i, j = np.triu_indices(RINGS, 1)
    diagonal = np.arange(RINGS)
    n = len(pictures)
    spectra = _spectra(pictures, n_circles=3 * RINGS, n_angles=32, orders=ORDERS + 1)
    spectra = spectra.reshape(n, RINGS, 3, -1).mean(axis=2)
    energy = np.sqrt(np.square(np.abs(spectra)).sum(axis=1))
    products = np.einsum("nrm,nsm->nmrs", spectra, spectra.conj()) / np.maximum(energy, 1e-6)[..., None, None]
    root = np.float32(np.sqrt(2.0))
    even = np.concatenate([products[:, :, diagonal, diagonal].real, products[:, :, i, j].real * root], axis=2)
    odd = products[:, 1:, i, j].imag * root
    even, odd = even.reshape(n, -1), odd.reshape(n, -1)
    length = np.sqrt(np.square(even).sum(axis=1) + np.square(odd).sum(axis=1))[:, None]
    return {
        "kept": np.divide(even, length, out=np.zeros_like(even), where=length > 1e-3),
        "changed": np.divide(odd, length, out=np.zeros_like(odd), where=length > 1e-3),
    }


def _aspect(records: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Shorter side by width and by height: thumbnails are squeezed into a square, turns happen in the picture."""
    width, height = records["width"].astype(np.float32), records["height"].astype(np.float32)
    shorter = np.minimum(width, height)
    return np.asarray(shorter / np.maximum(width, 1)), np.asarray(shorter / np.maximum(height, 1))


def _read(pictures: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Bilinear values at places in pixels from the middle; the edge pixels repeat outwards. All (n, ...)."""
    side = pictures.shape[-1]
    x = np.clip(x + np.float32((side - 1) / 2), 0, side - 1)
    y = np.clip(y + np.float32((side - 1) / 2), 0, side - 1)
    left, top = np.minimum(x.astype(np.int64), side - 2), np.minimum(y.astype(np.int64), side - 2)
    x, y = x - left, y - top
    flat = pictures.reshape(len(pictures), -1)
    at = (top * side + left).reshape(len(pictures), -1)
    corners = [np.take_along_axis(flat, at + step, axis=1).reshape(x.shape) for step in (0, 1, side, side + 1)]
    upper = corners[0] + (corners[1] - corners[0]) * x
    lower = corners[2] + (corners[3] - corners[2]) * x
    return np.asarray(upper + (lower - upper) * y, dtype=np.float32)


@cache
def _directions(n_circles: int, n_angles: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    radius = ((np.arange(n_circles) + 0.5) / n_circles * REACH).astype(np.float32)
    angle = 2 * np.pi * np.arange(n_angles) / n_angles
    return radius, np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _spectra(records: np.ndarray, n_circles: int, n_angles: int, orders: int) -> Complex:
    """Fourier coefficients along circles, each with the weight of the circle's circumference; (n, circles, orders)."""
    radius, cosine, sine = _directions(n_circles, n_angles)
    luma = records["luma"].astype(np.float32)
    half = np.float32(luma.shape[-1] / 2)
    by_width, by_height = _aspect(records)
    x = (half * by_width)[:, None, None] * (radius[:, None] * cosine)
    y = (half * by_height)[:, None, None] * (radius[:, None] * sine)
    disc = _read(luma, x, y)
    mean = np.einsum("nra,r->n", disc, radius) / (radius.sum() * n_angles)
    disc = (disc - mean[:, None, None]) * np.sqrt(radius)[:, None]
    return np.asarray(np.fft.rfft(disc, axis=2)[:, :, :orders], dtype=np.complex64)


def _angle(of_a: Complex, of_b: Complex) -> tuple[FloatArray, FloatArray]:
    """The turn in degrees that lays a on b, and the correlation there, from the spectra of `_spectra`."""
    correlation = np.fft.irfft(np.einsum("nrm,nrm->nm", of_a.conj(), of_b), n=ANGLES, axis=1)
    at = np.argmax(correlation, axis=1)
    rows = np.arange(len(at))
    before, peak, after = (correlation[rows, (at + step) % ANGLES] for step in (-1, 0, 1))
    bend = np.minimum(before - 2 * peak + after, -1e-9)
    offset = np.clip((before - after) / (2 * bend), -0.5, 0.5)
    return ((at + offset) * (360.0 / ANGLES)).astype(np.float32), peak.astype(np.float32)


def _verified(records: np.ndarray, a: IntArray, b: IntArray) -> Matches:
    of_a, of_b = records[a], records[b]
    spectra_a, spectra_b = (
        _spectra(one, n_circles=12, n_angles=ANGLES // 2, orders=ANGLES // 4 + 1) for one in (of_a, of_b)
    )
    spectra_a[:, :, 0] = spectra_b[:, :, 0] = 0
    plain, plain_peak = _angle(spectra_a, spectra_b)
    mirror, mirror_peak = _angle(spectra_a.conj(), spectra_b)
    mirrored = mirror_peak > plain_peak
    angle = np.where(mirrored, mirror, plain)
    turned, mask = turned_pictures(of_a["luma"].astype(np.float32), of_a, of_b, angle, mirrored)
    agreement = masked_agreement(turned, of_b["luma"].astype(np.float32), mask)
    code = orientation_code(mirrored, angle)
    return Matches(a, b, code, agreement.score, priced(agreement.evidence), agreement.common)


def turned_pictures(
    pictures: FloatArray, of_a: np.ndarray, of_b: np.ndarray, angle: FloatArray, mirrored: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """Square pictures turned, and squeezed as those of b are.

    Parameters
    ----------
    pictures : ndarray of float32, shape (m, side, side)
        Luminance of a.
    of_a, of_b : structured ndarray, shape (m,)
        With the ``width`` and ``height`` of either picture in full, to which its square was squeezed.
    angle : ndarray, shape (m,)
        Degrees clockwise.
    mirrored : ndarray of bool, shape (m,)
        Top to bottom, before the turn.

    Returns
    -------
    turned, mask : ndarray of float32, shape (m, side, side)
        The mask is 1 inside the disc that both pictures show.
    """
    side = pictures.shape[-1]
    half = np.float32(side / 2)
    grid = (np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)) / half
    by_width, by_height = _aspect(of_b)
    x = (grid[None, :] / by_width[:, None])[:, None, :]
    y = (grid[None, :] / by_height[:, None])[:, :, None]
    cosine, sine = (part[:, None, None] for part in (np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))))
    back_x, back_y = x * cosine + y * sine, y * cosine - x * sine
    back_y = np.where(mirrored[:, None, None], -back_y, back_y)
    by_width, by_height = _aspect(of_a)
    turned = _read(pictures, back_x * (half * by_width)[:, None, None], back_y * (half * by_height)[:, None, None])
    return turned, np.asarray(x * x + y * y <= REACH**2, dtype=np.float32)
