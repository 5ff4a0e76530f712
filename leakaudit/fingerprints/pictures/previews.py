"""Small pictures for people to look at, as PNG or JPEG bytes; made once and then remembered."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from PIL.Image import Resampling

from leakaudit.fingerprints.cache.store import RACY_NS, PictureCache, path_key
from leakaudit.fingerprints.pictures.contents import Listed, as_now, contents
from leakaudit.fingerprints.pictures.decode import decode
from leakaudit.fingerprints.pictures.files import FileContent, Unreadable
from leakaudit.fingerprints.pictures.isolated import map_apart
from leakaudit.sources.storage import is_remote, members
from leakaudit.sources.storage.inside import locate_inside
from leakaudit.sources.storage.members import Range, locate

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.config import Config

SIDE = 160
"""Pixels on the long side: eight of them fit beside each other on a laptop's screen."""

_VERSION = 1
_LOSSLESS_SIDE = 64  # icons and digits look smeared as JPEG, and are small as PNG
_JPEG_QUALITY = 82
_CHUNK = 16


def preview(path: bytes, side: int = SIDE) -> bytes:
    """A preview of one picture.

    Parameters
    ----------
    path : bytes
    side : int, default 160
        The long side at most; smaller pictures keep their size.

    Returns
    -------
    bytes
        PNG up to 64 pixels a side, else JPEG; without metadata, always the same for the same file.

    Raises
    ------
    Unreadable
        Not a picture that can be decoded.
    """
    (content,) = contents([Listed(path, -1, -1)])
    if isinstance(content, Unreadable):
        raise content
    return _preview(path, content, side)


def _preview(path: bytes, content: FileContent, side: int) -> bytes:
    image = decode(path, content, side=side).image
    if max(image.size) > side:
        scale = side / max(image.size)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        image = image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)
    picture = io.BytesIO()
    if max(image.size) <= _LOSSLESS_SIDE:
        image.save(picture, "PNG", optimize=True, exif=b"", icc_profile=None)
    else:
        image.save(picture, "JPEG", quality=_JPEG_QUALITY, optimize=True, exif=b"", icc_profile=None)
    return picture.getvalue()


def previews(paths: pa.Array, config: Config, *, side: int = SIDE) -> list[bytes]:
    """Previews of many pictures, in their order; those made before come from the cache.

    Parameters
    ----------
    paths : pyarrow.BinaryArray, shape (n,)
    config : Config
        `jobs`, `use_cache` and `cache_dir` matter.
    side : int, default 160
        The long side at most.

    Returns
    -------
    list of bytes
        Empty where a file cannot be read (any more).
    """
    files: list[bytes] = paths.to_pylist()
    keys = [_key(path, side) for path in files]
    with PictureCache.of(config) as cache:
        made = [cache.preview(key) if key else None for key in keys]
        missing = [at for at, picture in enumerate(made) if picture is None]
        asked = [as_now(files[at]) for at in missing]
        new = map_apart(
            partial(_make, side),
            asked,
            paths=[file.path for file in asked],
            together=_CHUNK,
            jobs=config.jobs,
            on_crash=lambda _file: [b""],
        )
        for at, fresh in zip(missing, chain.from_iterable(new), strict=True):
            made[at] = fresh
        cache.add_previews({key: picture for at in missing if (key := keys[at]) and (picture := made[at])})
    return [picture or b"" for picture in made]


def _make(side: int, files: Sequence[Listed]) -> list[bytes]:
    """Previews, empty where there is none."""
    pictures = []
    for file, content in zip(files, contents(files), strict=True):
        try:
            pictures.append(b"" if isinstance(content, Unreadable) else _preview(file.path, content, side))
        except Unreadable:
            pictures.append(b"")
    return pictures


def _key(path: bytes, side: int) -> bytes | None:
    """Key of a file as it is now; None where there is no such file, or it has just been modified."""
    try:
        inside = locate_inside(path)
        place = locate(path) if inside is None else Range(inside.file, 0, -1)
        status = os.stat(path) if place is None else members.status(place)  # noqa: PTH116  a bytes path
    except (OSError, ValueError):
        return None
    if status.st_mtime_ns > time.time_ns() - RACY_NS:
        return None
    absolute = path if is_remote(path) else os.path.join(os.getcwdb(), path)  # noqa: PTH109, PTH118  bytes paths
    return path_key(b"%s\0%d %d %d %d" % (absolute, status.st_size, status.st_mtime_ns, side, _VERSION))
