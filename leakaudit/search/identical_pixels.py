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
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from blake3 import blake3

from leakaudit.engines.local import map_chunks
from leakaudit.fingerprints.cache import PictureCache, data_base_name, remember
from leakaudit.fingerprints.decode import decode, quiet_decoders, turned
from leakaudit.fingerprints.hashes import chroma_planes, shrink
from leakaudit.fingerprints.image_files import Unreadable, read_file
from leakaudit.fingerprints.images import THUMBNAIL
from leakaudit.fingerprints.pixels import pixel_digest
from leakaudit.search.groups import equal_codes

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.fingerprints.images import ImageFingerprints
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

_VERSION = b"identical pixels 1"
_CHUNK = 16
_FEW = 2_000
"""Up to so many rows, comparing all that are near in one column takes less than the import of SciPy's trees."""


def pixel_codes(images: ImageFingerprints, file_codes: IntArray, config: Config) -> IntArray:
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
    ndarray of int64, shape (n,)
        -1 for unreadable pictures only. Byte-identical files have equal codes whether or not anything had to be
        decoded.
    """
    records, ok = images.records, images.ok
    digests = records["pixels"].copy()
    reduced = np.flatnonzero(ok & (records["reduced"] > 1))
    if len(reduced):
        key = blake3(_VERSION + data_base_name().encode())
        key.update(np.ascontiguousarray(records["content"]).tobytes())
        key.update(ok.tobytes())
        found = remember(key.digest(), lambda: _decide(images, file_codes, config), config)
        # Where nothing else can be equal, the digest of the file stands for that of the pixels.
        digests[reduced] = records["content"][reduced]
        decided = dict(zip(file_codes[found["at"]].tolist(), found["digests"], strict=True))
        for at in reduced[np.isin(file_codes[reduced], file_codes[found["at"]])].tolist():
            digests[at] = np.void(decided[int(file_codes[at])].tobytes())
    return equal_codes(digests, ok)


def _decide(images: ImageFingerprints, file_codes: IntArray, config: Config) -> dict[str, np.ndarray]:
    """Nominate, then decode in full: indices of pictures, one for each content, and their pixel digests."""
    with quiet_decoders():
        at = _nominated(images, file_codes, config)
        digests = _full_digests(images, at, config)
    known = [i for i in at.tolist() if i in digests]
    data = b"".join(digests[i] for i in known)
    return {"at": np.array(known, dtype=np.int64), "digests": np.frombuffer(data, dtype=np.uint8).reshape(-1, 16)}


def _nominated(images: ImageFingerprints, file_codes: IntArray, config: Config) -> IntArray:
    """Reduced pictures, one for each content, that may have the pixels of another content."""
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
    for asked in _reduce_like(images, small, full, shapes, config):
        members = asked.members[~nominated[asked.members]]
        distance = np.abs(features[members] - asked.features).max(axis=1)
        nominated[members[distance <= asked.tolerance]] = True
    return np.sort(small[nominated])


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
    path: bytes
    reduced: int
    orientations: tuple[int, ...]


def _reduce_like(
    images: ImageFingerprints, small: IntArray, full: IntArray, shapes: np.ndarray, config: Config
) -> Iterator[_Asked]:
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
        jobs.append(_Full(at, images.paths[at].as_py(), int(records["reduced"][small[first]]), orientations_of[shape]))
    chunks = [jobs[i : i + _CHUNK] for i in range(0, len(jobs), _CHUNK)]
    for results in map_chunks(_reduce_chunk, chunks, jobs=config.jobs):
        for at, orientation, features, tolerance in results:
            yield _Asked(members_of[int(shapes[at]), orientation], features, tolerance)


def _reduce_chunk(jobs: Sequence[_Full]) -> list[tuple[int, int, np.ndarray, float]]:
    results = []
    for job in jobs:
        try:
            image = decode(job.path, read_file(job.path), side=None).image
        except Unreadable:  # gone since it was fingerprinted
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
    contents = {i: images.records["content"][i].tobytes() for i in at.tolist()}
    with PictureCache.of(config) as cache:
        known = cache.pixel_digests(list(contents.values()))
        digests = {i: known[content] for i, content in contents.items() if content in known}
        jobs = [(i, images.paths[i].as_py(), content) for i, content in contents.items() if i not in digests]
        chunks = [jobs[i : i + _CHUNK] for i in range(0, len(jobs), _CHUNK)]
        for found in map_chunks(_digest_chunk, chunks, jobs=config.jobs):
            digests |= found
            cache.add_pixel_digests({contents[i]: digest for i, digest in found.items()})
    return digests


def _digest_chunk(jobs: Sequence[tuple[int, bytes, bytes]]) -> dict[int, bytes]:
    digests = {}
    for at, path, content in jobs:
        try:
            held = read_file(path)
            if held.digest == content:
                picture = decode(path, held, side=None)
                digests[at] = picture.pixels or pixel_digest(picture.image)
        except Unreadable:
            continue
    return digests
