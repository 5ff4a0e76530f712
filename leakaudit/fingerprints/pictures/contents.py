"""What the files of a chunk hold, one after the other: files are read when it is their turn, objects in batches, and
cells of a table or slices of an array all of one group together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from types import NoneType
from typing import NamedTuple

from leakaudit.fingerprints.pictures.files import FileContent, Unreadable, content_of, read_here
from leakaudit.fingerprints.pictures.inside import cell_contents, slice_contents
from leakaudit.sources import storage
from leakaudit.sources.storage.inside import Cell, Slice, locate_inside
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
    if (inside := locate_inside(path)) is not None:
        with suppress(OSError):
            return Listed(path, -1, storage.stat(inside.file).st_mtime_ns)
        return Listed(path, -1, -1)
    if (place := locate(path)) is not None:
        with suppress(OSError):
            now = status(place)
            return Listed(path, now.st_size if place.size < 0 else place.size, now.st_mtime_ns)
    return Listed(path, -1, -1)


def contents(files: Sequence[Listed]) -> Iterator[FileContent | Unreadable]:
    """Contents in the order of the files; one is valid until the next is asked for."""
    for kind, run in groupby(((file, _place(file.path)) for file in files), key=lambda each: type(each[1])):
        if kind is NoneType:
            yield from (_read_as_listed(file) for file, _ in run)
        elif kind is not Range:
            yield from _inside(list(run))
        else:
            for batch in _batches([(file, place) for file, place in run if isinstance(place, Range)]):
                read = read_ranges([place for _, place in batch], [(file.size, file.mtime_ns) for file, _ in batch])
                for (file, place), answer in zip(batch, read, strict=True):
                    try:
                        yield _as_listed(file, content_of(place, answer))
                    except Unreadable as problem:
                        yield problem


def _place(path: bytes) -> Range | Cell | Slice | None:
    return locate_inside(path) or locate(path) if b"\0" in path else locate(path)


def _inside(files: Sequence[tuple[Listed, Range | Cell | Slice | None]]) -> Iterator[FileContent | Unreadable]:
    """Cells or slices, all of one group (or array) at a time."""
    cells = [place for _, place in files if isinstance(place, Cell)]
    slices = [place for _, place in files if isinstance(place, Slice)]
    found = cell_contents(cells) if cells else slice_contents(slices)
    for (file, _), content in zip(files, found, strict=True):
        if isinstance(content, Unreadable):
            yield content
            continue
        try:
            yield _as_listed(file, content)
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
    if os.name != "posix" or file.mtime_ns < 0:
        return content
    size = content.size if file.size < 0 else file.size  # of what lies inside a file, no size is listed
    if (content.size, content.mtime_ns) != (size, file.mtime_ns):
        raise Unreadable("unreadable", "changed since it was listed")
    return content
