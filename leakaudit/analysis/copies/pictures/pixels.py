"""Which pictures have the same pixels, without decoding every large JPEG in full.

Pictures that were decoded in full have their pixel digest already. JPEGs decoded at reduced scale do not, and their
small versions cannot decide: the same pixels in a PNG, or in a JPEG of other coefficients, look slightly different
when reduced. So small versions only nominate, tolerantly, and a full decode decides. To be compared with a reduced
JPEG, a picture of another kind of the same width and height is itself reduced the way a JPEG decoder does it: by
means over the same blocks, at the same orientation. What is then left of the difference comes from clipping: pixels
at 0 or 255 may stand for coefficients far beyond, which only the reduced decode sees. The tolerance therefore grows
with the share of such pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from blake3 import blake3

from leakaudit.analysis.copies.groups import equal_codes
from leakaudit.fingerprints.cache.record import THUMBNAIL
from leakaudit.fingerprints.cache.store import PictureCache, data_base_name, keep, recall
from leakaudit.fingerprints.pictures.contents import Listed, as_now, contents
from leakaudit.fingerprints.pictures.decode import decode, turned
from leakaudit.fingerprints.pictures.files import FileContent, Unreadable
from leakaudit.fingerprints.pictures.hashes import chroma_planes, shrink
from leakaudit.fingerprints.pictures.isolated import map_apart
from leakaudit.fingerprints.pictures.pixels import pixel_digest

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
    from leakaudit.model import IntArray

TOLERANCE = 8.0
"""Levels of mean luminance (times `CHROMA_TOLERANCE` for colour) by which cells of equal pictures may differ.

Measured between the reduced decode of a JPEG and its fully decoded, then reduced pixels: at most 4.8 without clipped
pixels, on noise, stripes and checkerboards of many periods, text, rectangles, at qualities 1 to 90 and three
samplings of colour.
"""

CLIPPED_TOLERANCE = 60.0
"""Further levels, times the share of clipped pixels. Measured: 7.8 up to a share of 0.2, 17.0 (colour 28.5) beyond."""

LARGEST_TOLERANCE = 40.0

CHROMA_TOLERANCE = 1.5

GRID = 4
"""Cells a side in which luminance is averaged; colour is averaged over the whole picture."""

_VERSION = b"identical pixels 2"
_CHUNK = 16
_FEW = 2_000
"""Up to so many rows, comparing all that are near in one column takes less than the import of SciPy's trees."""


@dataclass(frozen=True, eq=False, slots=True)
class PixelCodes:
    """Which pictures have the same pixels.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Equal for equal pixels; -1 for unreadable pictures only. Byte-identical files have equal codes whether or not
        anything had to be decoded.
    undecided : ndarray of int64
        Pictures, one for each content, that could not be decoded in full when that was needed: they equal none but
        copies of their file.
    """

    codes: IntArray
    undecided: IntArray


def find_equal_pixels(images: ImageFingerprints, file_codes: IntArray, config: Config) -> PixelCodes:
    """Give pictures with the same pixels the same number.

    Parameters
    ----------
    images : ImageFingerprints
        With paths, because some pictures may have to be decoded again.
    file_codes : ndarray of int64, shape (n,)
        Equal for byte-identical files, -1 for unreadable ones.
    config : Config
        `jobs`, `use_cache` and `cache_dir` matter.

    Returns
    -------
    PixelCodes
    """
    records, ok = images.records, images.ok
    undecided = np.zeros(0, dtype=np.int64)
    digests = records["pixels"].copy()
    reduced = np.flatnonzero(ok & (records["reduced"] > 1))
    if len(reduced):
        key = blake3(_VERSION + data_base_name().encode())
        key.update(np.ascontiguousarray(records["content"]).tobytes())
        key.update(ok.tobytes())
        found = recall(key.digest(), config)
        if found is None:
            found = _decide(images, file_codes, config)
            if not len(found["undecided"]):  # perhaps for want of memory
                keep(key.digest(), found, config)
        undecided = found["undecided"]
        # Where nothing else can be equal, the digest of the file stands for that of the pixels.
        digests[reduced] = records["content"][reduced]
        decided = dict(zip(file_codes[found["at"]].tolist(), found["digests"], strict=True))
        for at in reduced[np.isin(file_codes[reduced], file_codes[found["at"]])].tolist():
            digests[at] = np.void(decided[int(file_codes[at])].tobytes())
    return PixelCodes(equal_codes(digests, ok), undecided)


def _decide(images: ImageFingerprints, file_codes: IntArray, config: Config) -> dict[str, np.ndarray]:
    """Nominate, then decode in full: indices of pictures, one for each content, and their pixel digests."""
    at, failed = _nominated(images, file_codes, config)
    digests = _full_digests(images, at, config)
    known = [i for i in at.tolist() if i in digests]
    data = b"".join(digests[i] for i in known)
    return {
        "at": np.array(known, dtype=np.int64),
        "digests": np.frombuffer(data, dtype=np.uint8).reshape(-1, 16),
        "undecided": np.sort(np.concatenate([np.array(failed, dtype=np.int64), np.setdiff1d(at, known)])),
    }


def _nominated(images: ImageFingerprints, file_codes: IntArray, config: Config) -> tuple[IntArray, list[int]]:
    """Reduced pictures, one for each content, that may have the pixels of another content; and what cannot be told."""
    records = images.records
    contents = np.unique(file_codes, return_index=True)[1]
    contents = contents[images.ok[contents]]
    shapes = records["width"].astype(np.uint64) << np.uint64(32) | records["height"].astype(np.uint64)
    is_reduced = records["reduced"][contents] > 1
    small, full = contents[is_reduced], contents[~is_reduced]
    full = full[np.isin(shapes[full], shapes[small])]

    features = _features(records["luma"][small], records["chroma"][small])
    nominated = np.zeros(len(small), dtype=bool)
    for members in _equal_runs(shapes[small]):
        if len(members) > 1:
            nominated[members] |= _has_neighbour(features[members])
    failed: list[int] = []
    for asked in _reduce_like(images, small, full, shapes, config):
        if isinstance(asked, int):
            failed.append(asked)
            continue
        members = asked.members[~nominated[asked.members]]
        distance = np.abs(features[members] - asked.features).max(axis=1)
        nominated[members[distance <= asked.tolerance]] = True
    return np.sort(small[nominated]), failed


def _features(luma: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Cell means on one scale of tolerance, shape (n, GRID² + 2)."""
    cell = THUMBNAIL // GRID
    lightness = luma.reshape(-1, GRID, cell, GRID, cell).mean(axis=(2, 4), dtype=np.float32).reshape(len(luma), -1)
    colour = chroma.mean(axis=(2, 3), dtype=np.float32) / CHROMA_TOLERANCE
    return np.concatenate([lightness, colour], axis=1)


def _equal_runs(values: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(values, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(values[order])) + 1) if len(values) else []


def _has_neighbour(features: np.ndarray) -> np.ndarray:
    """Which rows have another row within `TOLERANCE` in every column; exact, without comparing all pairs."""
    if len(features) <= _FEW:
        return _has_neighbour_by_brightness(features)
    from scipy.spatial import KDTree

    # Copies of a row would make the tree as deep as they are many.
    distinct, which, counts = np.unique(features, axis=0, return_inverse=True, return_counts=True)
    distances, _ = KDTree(distinct).query(distinct, k=2, p=np.inf, distance_upper_bound=TOLERANCE + 1e-3)
    return np.asarray((np.isfinite(distances[:, 1]) | (counts > 1))[which.reshape(-1)])


def _has_neighbour_by_brightness(features: np.ndarray) -> np.ndarray:
    """`_has_neighbour`: in the order of one column, each row with those that follow it within the tolerance."""
    order = np.argsort(features[:, 0], kind="stable")
    ordered = features[order]
    found = np.zeros(len(features), dtype=bool)
    at = np.arange(len(features))
    for further in range(1, len(features)):
        at = at[at < len(features) - further]
        at = at[ordered[at + further, 0] - ordered[at, 0] <= TOLERANCE]
        if not len(at):
            break
        close = at[np.abs(ordered[at + further] - ordered[at]).max(axis=1) <= TOLERANCE]
        found[close] = found[close + further] = True
    back = np.empty_like(found)
    back[order] = found
    return back


# --- pictures of other kinds, reduced like a JPEG ----------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _Asked:
    """Positions among the reduced pictures that a full picture has to be compared with, and how."""

    members: np.ndarray
    features: np.ndarray
    tolerance: float


class _Full(NamedTuple):
    at: int
    file: Listed
    reduced: int
    orientations: tuple[int, ...]


def _reduce_like(
    images: ImageFingerprints, small: IntArray, full: IntArray, shapes: np.ndarray, config: Config
) -> Iterator[_Asked | int]:
    """Full pictures as the reduced ones of their shape would be; the index of one that cannot be decoded any more."""
    assert images.paths is not None
    records = images.records
    members_of: dict[tuple[int, int], np.ndarray] = {}
    orientations_of: dict[int, tuple[int, ...]] = {}
    wanted = np.isin(shapes[small], shapes[full])
    for run in _equal_runs(shapes[small][wanted]):
        members = np.flatnonzero(wanted)[run]
        shape = int(shapes[small[members[0]]])
        orientations = records["orientation"][small[members]]
        orientations_of[shape] = tuple(np.unique(orientations).tolist())
        members_of |= {(shape, int(o)): members[orientations == o] for o in orientations_of[shape]}
    jobs = []
    for at in full.tolist():
        shape = int(shapes[at])
        first = members_of[shape, orientations_of[shape][0]][0]
        file = as_now(images.paths[at].as_py())
        jobs.append(_Full(at, file, int(records["reduced"][small[first]]), orientations_of[shape]))
    paths = [job.file.path for job in jobs]
    for results in map_apart(
        _reduce_chunk, jobs, paths=paths, together=_CHUNK, jobs=config.jobs, on_crash=_not_reduced
    ):
        for result in results:
            if isinstance(result, int):
                yield result
            else:
                at, orientation, features, tolerance = result
                yield _Asked(members_of[int(shapes[at]), orientation], features, tolerance)


def _not_reduced(jobs: Sequence[_Full]) -> list[_Reduced | int]:
    return [job.at for job in jobs]


_Reduced: TypeAlias = tuple[int, int, np.ndarray, float]


def _reduce_chunk(jobs: Sequence[_Full]) -> list[_Reduced | int]:
    results: list[_Reduced | int] = []
    for job, content in zip(jobs, contents([job.file for job in jobs]), strict=True):
        try:
            image = decode(job.file.path, _held(content), side=None).image
        except Unreadable:  # gone since it was fingerprinted
            results.append(job.at)
            continue
        pixels = np.asarray(image)
        clipped = float(((pixels == 0) | (pixels == 255)).reshape(image.height, image.width, -1).any(axis=2).mean())
        tolerance = min(TOLERANCE + CLIPPED_TOLERANCE * clipped, LARGEST_TOLERANCE)
        for orientation in job.orientations:
            lying = turned(image, orientation, back=True).reduce(job.reduced)
            little = turned(lying, orientation)
            luma, _ = shrink(np.asarray(little.convert("L"))[None])
            grey = np.full((1, 2, 1, 1), 128)
            chroma = grey if little.mode == "L" else chroma_planes(np.asarray(little)[None])
            results.append((job.at, orientation, _features(luma, chroma)[0], tolerance))
    return results


# --- the decision ------------------------------------------------------------------------------------------------


def _full_digests(images: ImageFingerprints, at: IntArray, config: Config) -> dict[int, bytes]:
    """Pixel digests by index; a file that has changed since it was fingerprinted has none."""
    assert images.paths is not None
    wanted = {i: images.records["content"][i].tobytes() for i in at.tolist()}
    with PictureCache.of(config) as cache:
        known = cache.pixel_digests(list(wanted.values()))
        digests = {i: known[held] for i, held in wanted.items() if held in known}
        jobs = [(i, as_now(images.paths[i].as_py()), held) for i, held in wanted.items() if i not in digests]
        paths = [file.path for _, file, _ in jobs]
        for found in map_apart(
            _digest_chunk, jobs, paths=paths, together=_CHUNK, jobs=config.jobs, on_crash=lambda _chunk: {}
        ):
            digests |= found
            cache.add_pixel_digests({wanted[i]: digest for i, digest in found.items()})
    return digests


def _digest_chunk(jobs: Sequence[tuple[int, Listed, bytes]]) -> dict[int, bytes]:
    digests: dict[int, bytes] = {}
    for (at, file, digest), content in zip(jobs, contents([file for _, file, _ in jobs]), strict=True):
        try:
            if (held := _held(content)).digest == digest:
                picture = decode(file.path, held, side=None)
                digests[at] = picture.pixels or pixel_digest(picture.image)
        except Unreadable:
            continue
    return digests


def _held(content: FileContent | Unreadable) -> FileContent:
    if isinstance(content, Unreadable):
        raise content
    return content
