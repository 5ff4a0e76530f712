"""What the files of a chunk hold, one after the other: files are read when it is their turn, objects in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import NamedTuple

from leakaudit.fingerprints.pictures.files import FileContent, Unreadable, content_of, read_here
from leakaudit.sources.storage.members import Range, locate, read_ranges, status

BATCH = 32
"""Objects asked for together: enough to hide the time of an answer (tens of milliseconds) behind the others."""

BATCH_BYTES = 1 << 26
"""Bytes asked for together (64 MiB), or one object."""


class Listed(NamedTuple):
    """A file as it was listed; -1 where size and time are not known."""

    path: bytes
    size: int
    mtime_ns: int


def as_now(path: bytes) -> Listed:
    """An object or a member with size and time as they are now, so that workers need not ask; a file, without them."""
    if (place := locate(path)) is not None:
        with suppress(OSError):
            now = status(place)
            return Listed(path, now.st_size if place.size < 0 else place.size, now.st_mtime_ns)
    return Listed(path, -1, -1)


def contents(files: Sequence[Listed]) -> Iterator[FileContent | Unreadable]:
    """Contents in the order of the files; one is valid until the next is asked for."""
    for is_here, run in groupby(((file, locate(file.path)) for file in files), key=lambda each: each[1] is None):
        if is_here:
            yield from (_read_as_listed(file) for file, _ in run)
        else:
            for batch in _batches([(file, place) for file, place in run if place is not None]):
                read = read_ranges([place for _, place in batch], [(file.size, file.mtime_ns) for file, _ in batch])
                for (file, place), answer in zip(batch, read, strict=True):
                    try:
                        yield _as_listed(file, content_of(place, answer))
                    except Unreadable as problem:
                        yield problem


def _batches(files: Sequence[tuple[Listed, Range]]) -> Iterator[list[tuple[Listed, Range]]]:
    batch: list[tuple[Listed, Range]] = []
    n_bytes = 0
    for file, place in files:
        if batch and (len(batch) == BATCH or n_bytes + file.size > BATCH_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append((file, place))
        n_bytes += file.size
    yield batch


def _read_as_listed(file: Listed) -> FileContent | Unreadable:
    try:
        return _as_listed(file, read_here(file.path))
    except Unreadable as problem:
        return problem


def _as_listed(file: Listed, content: FileContent) -> FileContent:
    # On Windows a folder's listing may lag behind the file, so that a difference means nothing there.
    if os.name == "posix" and file.mtime_ns >= 0 and (content.size, content.mtime_ns) != (file.size, file.mtime_ns):
        raise Unreadable("unreadable", "changed since it was listed")
    return content
