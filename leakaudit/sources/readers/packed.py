"""Files that are unpacked into a temporary copy before they are read: bzip2, xz, one file of a zip archive.

The copy is written in a stream, so that memory stays bounded; it needs room on the disk for the unpacked file.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.readers.files import Source, open_bytes
from leakaudit.sources.storage.copies import LocalCopy, new_copy

PACKINGS: dict[bytes, str] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
"""First bytes of a compressed file, and what it is compressed with."""

UNPACKED_FREELY = 1 << 30
MOST_RATIO = 200
"""A file that unpacks to more than 1 GiB and to more than 200 times its packed size is taken for a bomb. Tables of
numbers and texts reach ratios of 3 to 20, logs of one repeated line 50 to 100."""

BLOCK = 1 << 20


def packing_of(first: bytes) -> str | None:
    """What a file is compressed with, by its first bytes."""
    return next((name for mark, name in PACKINGS.items() if first.startswith(mark)), None)


@contextmanager
def open_packed(source: Source, packing: str) -> Iterator[IO[bytes]]:
    """Open for reading, unpacked."""
    if packing in ("gzip", "zstd"):
        with open_bytes(source.file, "gzip" if packing == "gzip" else "zstd") as file:
            yield file
        return
    with storage.open_file(source.file) as raw, bz2.BZ2File(raw) if packing == "bzip2" else lzma.LZMAFile(raw) as file:
        yield cast("IO[bytes]", file)


def unpacked(source: Source, packing: str) -> LocalCopy:
    """A copy of a compressed file without its compression.

    Raises
    ------
    InputError
        Damaged, a bomb, or no room for it.
    """
    try:
        size = storage.stat(source.file).st_size
        with open_packed(source, packing) as file:
            return copied(source, _blocks(file), size)
    except (EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise InputError(f"{source.shown}: damaged {packing}") from error
    except OSError as error:
        damaged = error.errno is None  # what bz2 and gzip say of broken data
        raise InputError(f"{source.shown}: {'damaged ' + packing if damaged else why(error)}") from error


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def copied(source: Source, blocks: Iterator[bytes], packed_size: int) -> LocalCopy:
    """Write unpacked blocks into a temporary file.

    Raises
    ------
    InputError
        More than a file of that size honestly unpacks to, or no room.
    """
    most = max(UNPACKED_FREELY, MOST_RATIO * packed_size)
    size = 0
    copy = new_copy()
    with open(copy, "wb") as target:
        for block in blocks:
            size += len(block)
            if size > most:
                raise InputError(too_much(source, packed_size))
            try:
                target.write(block)
            except OSError as error:
                raise InputError(f"{source.shown}: no temporary copy of it can be written: {why(error)}") from error
    return copy


def too_much(source: Source, packed_size: int) -> str:
    """What to say of a bomb."""
    return (
        f"{source.shown}: {packed_size:,} bytes that unpack to more than {max(UNPACKED_FREELY >> 20, 1):,} MiB and "
        f"{MOST_RATIO} times their size, as a bomb does: unpack it yourself if that is meant"
    )
