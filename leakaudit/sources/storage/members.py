"""Pictures that are no files of their own: members of tar shards, objects in storage; read in batches of ranges.

The path of a member is ``shard NUL start+size NUL name``: no name of a file holds NUL, and any reader of `Samples.path`
finds the bytes without looking through the shard again.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from leakaudit.sources import storage

MOST_BYTES = 1 << 30
"""An object or member beyond 1 GiB is not read into memory."""

_MEMBER = re.compile(rb"(?P<shard>[^\0]+)\0(?P<start>\d+)\+(?P<size>\d+)\0", re.DOTALL)


class Range(NamedTuple):
    """Where the bytes are: `size` is -1 for a whole object."""

    file: bytes
    start: int
    size: int


class Content(NamedTuple):
    """Bytes, and the modification time (or what stands for it) of the file that holds them."""

    data: bytes
    mtime_ns: int


def member_path(shard: bytes, start: int, size: int, name: bytes) -> bytes:
    """The path of a member of an uncompressed tar file.

    >>> locate(member_path(b"a.tar", 512, 9, b"1.png"))
    Range(file=b'a.tar', start=512, size=9)
    """
    return b"%s\0%d+%d\0%s" % (shard, start, size, name.replace(b"\0", b"_"))


def locate(path: bytes) -> Range | None:
    """Where the bytes of a member or an object are; None for a file of its own on this machine."""
    found = _MEMBER.match(path) if b"\0" in path else None
    if found is not None:
        return Range(found["shard"], int(found["start"]), int(found["size"]))
    return Range(path, 0, -1) if storage.is_remote(path) else None


def status(place: Range) -> os.stat_result:
    """Of the file that holds the bytes.

    Raises
    ------
    OSError
    """
    return storage.stat(place.file)


def read_ranges(places: Sequence[Range], listed: Sequence[tuple[int, int]] | None = None) -> list[Content | OSError]:
    """Read ranges of files and objects; those of objects are asked for all at once.

    Parameters
    ----------
    listed : sequence of tuple of int, optional
        Size and modification time of each place as they were listed, -1 where unknown: a process that has not made the
        listing would have to make it again.

    Returns
    -------
    list of Content or OSError
        In the order of `places`. Of a whole object that has grown since it was listed, one byte more.
    """
    found: list[Content | OSError] = [OSError()] * len(places)
    asked: list[tuple[int, str, int, int, int]] = []
    for at, place in enumerate(places):
        try:
            if not storage.is_remote(place.file):
                found[at] = _read_here(place)
                continue
            n_bytes, mtime_ns = listed[at] if listed is not None else (-1, -1)
            if n_bytes < 0 or mtime_ns < 0:
                info = storage.stat(place.file)
                n_bytes, mtime_ns = info.st_size, info.st_mtime_ns
            size = n_bytes if place.size < 0 else place.size
            if size > MOST_BYTES:
                found[at] = OSError(errno.EFBIG, "larger than 1 GiB: not read from object storage")
            elif size == 0:
                found[at] = Content(b"", mtime_ns)
            else:
                stop = place.start + size + (place.size < 0)
                asked.append((at, os.fsdecode(place.file), place.start, stop, mtime_ns))
        except OSError as error:
            found[at] = error
    if asked:
        from leakaudit.sources.storage import remote

        answers = remote.try_ranges([(file, start, stop) for _, file, start, stop, _ in asked])
        for (at, *_, mtime_ns), answer in zip(asked, answers, strict=True):
            found[at] = Content(answer, mtime_ns) if isinstance(answer, bytes) else answer
    return found


def _read_here(place: Range) -> Content:
    if place.size > MOST_BYTES:
        raise OSError(errno.EFBIG, "larger than 1 GiB: not read from a shard")
    with open(place.file, "rb", buffering=0) as file:
        file.seek(place.start)
        data = bytearray()
        while len(data) < place.size and (part := file.read(place.size - len(data))):
            data += part
        return Content(bytes(data), os.fstat(file.fileno()).st_mtime_ns)
