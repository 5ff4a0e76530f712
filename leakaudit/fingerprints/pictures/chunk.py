"""The work of one worker: read, decode and fingerprint a few files, one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from leakaudit.engines.local import raise_if_stopped
from leakaudit.fingerprints.cache.record import FORMATS, MODES, RECORD
from leakaudit.fingerprints.cache.store import RACY_NS, PictureCache
from leakaudit.fingerprints.pictures.contents import Listed, contents
from leakaudit.fingerprints.pictures.decode import NO_DIGEST, Decoded, decode
from leakaudit.fingerprints.pictures.files import FileContent, Unreadable
from leakaudit.fingerprints.pictures.hashes import (
    chroma_planes,
    dhashes,
    histograms,
    phashes,
    shrink,
    shrink_one,
    spread_and_entropy,
)
from leakaudit.fingerprints.pictures.pixels import pixel_digest, plain_pixel_digests

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray, ProblemKind

_TOGETHER = 32
"""So many of them at a time, so that the intermediate arrays stay in the processor's cache."""

_COLOUR_SIDE = 128

_FORMATS, _MODES = ({name: at for at, name in enumerate(names)} for names in (FORMATS, MODES))

_SMALL = 1 << 15
"""Decoded pictures of at most so many pixels wait for others of their shape; for them, calls cost more than work."""


class Failure(NamedTuple):
    """Why there is no record; `content` is the digest of bytes that cannot be decoded, and never will be."""

    kind: ProblemKind
    reason: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """Fingerprints of one chunk.

    Parameters
    ----------
    records : ndarray of `RECORD`, shape (n,)
        Empty rows for failures and for contents that the cache knows.
    places : ndarray of int64, shape (n,)
        Where the cache has the record, for contents that it knows; else -1.
    settled : ndarray of bool, shape (n,)
        The file was not modified just before it was read.
    failures : dict of int to Failure
        By row.
    """

    records: np.ndarray
    places: IntArray
    settled: npt.NDArray[np.bool_]
    failures: dict[int, Failure]

    def __len__(self) -> int:
        return len(self.records)


def fingerprint_chunk(files: Sequence[Listed], *, known_contents: Path | None = None) -> Scanned:
    """Read, decode and fingerprint some files.

    Parameters
    ----------
    files : sequence of Listed
    known_contents : Path or None
        Folder of the cache, where it may know the content of a file under another name.
    """
    n = len(files)
    scanned = Scanned(np.zeros(n, dtype=RECORD), np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=bool), {})
    pictures = _Pictures(scanned.records)
    start_ns = time.time_ns()
    with PictureCache(known_contents) as cache:
        for at, (file, content) in enumerate(zip(files, contents(files), strict=True)):
            raise_if_stopped()
            if isinstance(content, Unreadable):
                scanned.failures[at] = Failure(content.kind, content.reason)
                continue
            scanned.settled[at] = content.mtime_ns < start_ns - RACY_NS
            known = None if known_contents is None else cache.find_content(content.digest)
            if known is not None and known[0] >= 0:
                scanned.places[at] = known[0]
            elif known is not None:
                scanned.failures[at] = Failure(known[1], known[2])
            else:
                try:
                    pictures.add(at, content, decode(file.path, content, room=pictures.room))
                except Unreadable as problem:
                    scanned.failures[at] = Failure(problem.kind, problem.reason, content.digest)
    pictures.finish()
    return scanned


def crashed(files: Sequence[Listed]) -> Scanned:
    """Answer for a file that ends the process that decodes it."""
    n = len(files)
    failures = {at: Failure("unreadable", "damaged: it crashes the decoder") for at in range(n)}
    return Scanned(np.zeros(n, dtype=RECORD), np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=bool), failures)


_Like = tuple[str, tuple[int, int], bool]
"""What pictures measured together have in common: mode, size, and whether their pixels have still to be digested."""


class _Strip(NamedTuple):
    """Up to `_TOGETHER` pictures of one shape, one below the other, and their rows among the records."""

    image: Image.Image
    rows: list[int]


class _Pictures:
    """The pictures of one chunk on their way into records; small ones of one shape go together.

    The first of its shape has an image of its own. From the second on there is a strip, into which decoders write: for
    small pictures, making an image and copying it costs more than decoding.
    """

    def __init__(self, records: np.ndarray) -> None:
        self._records = records
        self._rows: list[int] = []
        self._fields: list[tuple[bytes, int, int, int, int, int, int, int]] = []
        self._first: dict[_Like, tuple[int, Image.Image]] = {}
        self._strips: dict[_Like, _Strip] = {}

    def room(self, mode: str, size: tuple[int, int], is_full: bool) -> tuple[Image.Image, int] | None:
        """Where the next such picture may be decoded to (`leakaudit.fingerprints.pictures.decode.Room`)."""
        strip = self._strip((mode, size, is_full))
        return None if strip is None else (strip.image, len(strip.rows) * size[1])

    def add(self, row: int, content: FileContent, picture: Decoded) -> None:
        image = picture.image
        is_small = picture.in_strip or image.width * image.height <= _SMALL
        pixels = picture.pixels if is_small or picture.pixels is not None else pixel_digest(image)
        if pixels is not None and pixels != NO_DIGEST:
            self._records["pixels"][row] = np.void(pixels)
        self._rows.append(row)
        self._fields.append(
            (
                content.digest,
                content.size,
                picture.width,
                picture.height,
                _FORMATS.get(picture.format, _FORMATS["other"]),
                _MODES.get(picture.mode, _MODES["other"]),
                picture.orientation,
                picture.reduced,
            )
        )
        if picture.in_strip:
            size = -(-picture.width // picture.reduced), -(-picture.height // picture.reduced)
            self._strips[image.mode, size, picture.pixels is None].rows.append(row)
        elif is_small:
            self._wait((image.mode, image.size, picture.pixels is None), row, image)
        else:
            self._measure_alone(row, image)

    def _strip(self, like: _Like) -> _Strip | None:
        """The strip for such pictures, with room for one more; None for the first of them."""
        mode, (width, height), _ = like
        strip = self._strips.get(like)
        if strip is None:
            if like not in self._first:
                return None
            row, image = self._first.pop(like)
            strip = self._strips[like] = _Strip(Image.new(mode, (width, height * _TOGETHER), None), [row])
            strip.image.paste(image, (0, 0))
        elif len(strip.rows) == _TOGETHER:
            self._measure_together(like, strip.image, strip.rows)
            strip.rows.clear()
        return strip

    def _wait(self, like: _Like, row: int, image: Image.Image) -> None:
        strip = self._strip(like)
        if strip is None:
            self._first[like] = row, image
        else:
            strip.image.paste(image, (0, len(strip.rows) * image.height))
            strip.rows.append(row)

    def finish(self) -> None:
        records, rows = self._records, self._rows
        if not rows:
            return
        names = ("content", "size", "width", "height", "format", "mode", "orientation", "reduced")
        for name, values in zip(names, zip(*self._fields, strict=True), strict=True):
            records[name][rows] = np.frombuffer(b"".join(values), dtype="V16") if name == "content" else values
        for like, (row, image) in self._first.items():
            self._measure_together(like, image, [row])
        for like, strip in self._strips.items():
            width, height = like[1]
            self._measure_together(like, strip.image.crop((0, 0, width, height * len(strip.rows))), strip.rows)
        records["phash"][rows] = phashes(records["luma"][rows])

    def _measure_together(self, like: _Like, strip: Image.Image, rows: list[int]) -> None:
        mode, (width, height), undigested = like
        k = len(rows)
        pixels = np.asarray(strip).reshape(k, height, width, *((3,) if mode == "RGB" else ()))
        greys = pixels if mode == "L" else np.asarray(strip.convert("L")).reshape(k, height, width)
        self._put(rows, shrink(greys), histograms(greys), pixels)
        if undigested:
            self._records["pixels"][rows] = np.frombuffer(b"".join(plain_pixel_digests(pixels)), dtype="V16")

    def _measure_alone(self, row: int, image: Image.Image) -> None:
        grey = image.convert("L")
        # Means of colour need no more than some pixels a cell; in full, floats would take many times the picture's
        # memory.
        less = image if image.mode == "L" else image.reduce(max(min(image.size) // _COLOUR_SIDE, 1))
        self._put([row], shrink_one(grey), np.array([grey.histogram()]), np.asarray(less)[None])

    def _put(
        self,
        rows: list[int],
        thumbnails: tuple[np.ndarray, np.ndarray],
        counts: np.ndarray,
        pixels: np.ndarray,
    ) -> None:
        records = self._records
        records["luma"][rows] = thumbnails[0]
        records["dhash"][rows] = dhashes(thumbnails[1])
        records["spread"][rows], records["entropy"][rows] = spread_and_entropy(counts)
        records["chroma"][rows] = chroma_planes(pixels) if pixels.ndim == 4 else 128
