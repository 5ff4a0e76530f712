"""A file of rows as its readers get it: what people call it, what is opened, and how its bytes are unpacked."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from typing import IO, Literal, cast

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.parts import COMPRESSED

Compression = Literal["none", "gzip", "zstd"]
"""What engines unpack themselves."""

TEXT_SUFFIXES = ("txt", "text", "data", "dat")
"""Extensions of plain text that may be a table."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of rows, or one table in a file.

    Parameters
    ----------
    path : str
        What the user named it, with the table in it: for messages and uris.
    file : str
        What is opened: a path, an address, or a copy unpacked here.
    name : str
        Its name without the extension of a compression that was unpacked here.
    table : str or None
        The table in the file.
    compression : {"none", "gzip", "zstd"}
        Of `file`.
    """

    path: str
    file: str
    name: str
    table: str | None = None
    compression: Compression = "none"

    @property
    def shown(self) -> str:
        """The path as people read it."""
        return display(self.path)

    def local(self) -> str:
        """A path on this machine, for libraries that open files by name.

        Raises
        ------
        InputError
            It cannot be copied.
        """
        try:
            return storage.local_copy(self.file)
        except OSError as error:
            raise InputError(f"{self.shown}: {why(error)}") from error


def suffix_of(name: str) -> str:
    """Extension in lower case, without dot and compression.

    >>> suffix_of("Train.CSV.gz"), suffix_of("train.csv.zip"), suffix_of("LICENSE")
    ('csv', 'csv', '')
    """
    lower = name.lower()
    for ending in COMPRESSED:
        lower = lower.removesuffix(ending)
    before = lower.removesuffix(".zip")
    if before != lower and before.rpartition(".")[2] in ("csv", "tsv", "tab", "txt", "jsonl", "json"):
        lower = before
    _, dot, suffix = lower.rpartition(".")
    return suffix if dot else ""


def read_bytes(path: str, compression: Compression, most: int | None = None) -> tuple[bytes, bool]:
    """Decompressed bytes of a file, at most `most`, and whether that is all of it.

    Raises
    ------
    InputError
        It cannot be read, or is not compressed as it says.
    """
    try:
        with open_bytes(path, compression) as file:
            data = file.read() if most is None else file.read(most)
            return data, most is None or len(data) < most or not file.read(1)
    except (OSError, EOFError, zlib.error) as error:
        reason = why(error) if isinstance(error, OSError) else str(error).lower()
        raise InputError(f"{display(path)}: {'damaged ' + compression if compression != 'none' else reason}") from error


def open_bytes(path: str, compression: Compression) -> IO[bytes]:
    """Open a file for reading, decompressed."""
    if compression == "gzip":
        return cast("IO[bytes]", gzip.open(storage.open_file(path) if storage.is_remote(path) else path, "rb"))
    if compression == "zstd":
        return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(storage.open_file(path), mode="r"), "zstd"))
    return storage.open_file(path)


def decode(data: bytes, encoding: str) -> str:
    """Decode a head that may end inside a character."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except LookupError:
        text = data.decode(encoding)
    return text.removeprefix("\ufeff")
