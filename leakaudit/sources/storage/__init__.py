"""Files and folders on this machine or in object storage, asked alike.

Each function is the one of `os` with the same meaning; for an address (``s3://bucket/data``)
`leakaudit.sources.storage.remote` answers, from a listing made once. Whatever fails there is an `OSError` with one
plain phrase. A local path costs one look for ``://``, and never imports fsspec.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import IO, AnyStr, cast

from leakaudit.sources.storage.addresses import cleaned

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_ADDRESS_BYTES = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]+://")


def is_remote(path: str | bytes) -> bool:
    """Whether a path is an address; the scheme has two letters at least, so that no drive of Windows is one.

    >>> is_remote("s3://bucket/a"), is_remote(b"gs://bucket"), is_remote("C://a"), is_remote("data/a.png")
    (True, True, False, False)
    """
    return (_ADDRESS.match(path) if isinstance(path, str) else _ADDRESS_BYTES.match(path)) is not None


def stat(path: str | bytes) -> os.stat_result:
    """As `os.stat`; an object's time is a number that changes with its ETag.

    Raises
    ------
    OSError
    """
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.stat(os.fsdecode(path))
    return os.stat(path)


def scandir(path: AnyStr) -> AbstractContextManager[Iterable[os.DirEntry[AnyStr]]]:
    """As `os.scandir`.

    Raises
    ------
    OSError
    """
    if is_remote(path):
        from leakaudit.sources.storage import remote

        entries = remote.scandir(os.fsdecode(path), as_bytes=isinstance(path, bytes))
        return cast("AbstractContextManager[Iterable[os.DirEntry[AnyStr]]]", entries)
    return os.scandir(path)


def walk(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """As `os.walk`, top down."""
    if not is_remote(top):
        yield from os.walk(top)
        return
    try:
        with scandir(top) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries)
    except OSError:
        return
    folders = [name for name, is_dir in found if is_dir]
    yield top, folders, [name for name, is_dir in found if not is_dir]
    for name in folders:
        yield from walk(f"{top}/{name}")


def is_file(path: str | bytes) -> bool:
    """As `os.path.isfile`."""
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.is_file(os.fsdecode(path))
    return os.path.isfile(path)


def is_folder(path: str | bytes) -> bool:
    """As `os.path.isdir`."""
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.is_folder(os.fsdecode(path))
    return os.path.isdir(path)


def lexists(path: str | bytes) -> bool:
    """As `os.path.lexists`."""
    return (is_file(path) or is_folder(path)) if is_remote(path) else os.path.lexists(path)


def open_file(path: str | bytes) -> IO[bytes]:
    """Open for reading; an object is read in blocks as they are asked for.

    Raises
    ------
    OSError
    """
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.open_file(os.fsdecode(path))
    return open(path, "rb")


def first_bytes(path: bytes, n: int) -> bytes:
    """The first bytes of a file, in one read.

    Raises
    ------
    OSError
    """
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.read_ranges([(os.fsdecode(path), 0, n)])[0]
    with open(path, "rb", buffering=0) as file:
        return file.read(n) or b""


def local_copy(path: str) -> str:
    """The path itself, or that of a copy on this machine for an engine that reads files only.

    A copy goes when nothing refers to the string any more, or with the process.

    Raises
    ------
    OSError
    """
    if is_remote(path):
        from leakaudit.sources.storage import remote

        return remote.local_copy(path)
    return path


def absolute(path: str) -> str:
    """As `os.path.abspath`; an address without trailing slash, ``.`` and ``..``."""
    return cleaned(path) if is_remote(path) else os.path.abspath(path)


def parent(path: str) -> str:
    """The folder around a path; that of a bucket is the bucket."""
    above = os.path.dirname(path)
    return path if is_remote(path) and not is_remote(f"{above}/") else above


def join(folder: bytes, relative: bytes) -> bytes:
    """As `os.path.join`; an address stands for itself."""
    return relative if is_remote(relative) else os.path.join(folder, relative)


def odd_names(folder: bytes) -> list[bytes]:
    """Keys below a folder that are no paths (``a//b``, ``a/../b``), relative to it; on this machine there are none."""
    if is_remote(folder):
        from leakaudit.sources.storage import remote

        return remote.odd_names(os.fsdecode(folder))
    return []
