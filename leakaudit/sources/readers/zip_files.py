"""Zip archives of tables: each file in it that is a table by its name is one.

Members are unpacked one by one into temporary copies, within the limits of `packed`; nothing is written under a name
from the archive.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import Reader
from leakaudit.sources.readers.packed import BLOCK, MOST_RATIO, UNPACKED_FREELY, copied, too_much

MOST_MEMBERS = 100_000
"""Entries of an archive that are looked at."""


def recognises(first: bytes, name: str) -> bool:
    """The mark of an entry, or of an archive without one."""
    return first.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def opened_zip(source: Source) -> zipfile.ZipFile:
    """The archive.

    Raises
    ------
    InputError
        Damaged, or something else in the form of a zip archive.
    """
    try:
        archive = zipfile.ZipFile(source.local())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{source.shown}: a damaged zip archive or Excel workbook") from error
    except OSError as error:
        raise InputError(f"{source.shown}: {why(error)}") from error
    names = archive.namelist()
    if len(names) > MOST_MEMBERS:
        raise InputError(f"{source.shown}: a zip archive of {len(names):,} files: unpack it and name its folder")
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        raise InputError(
            f"{source.shown}: a PyTorch checkpoint, which holds a pickle and is never loaded: save its data as parquet"
        )
    if any(name.endswith(".npy") for name in names):
        raise InputError(
            f"{source.shown}: NumPy arrays (.npz), which are not read as a table: save them as csv or parquet"
        )
    return archive


def members(source: Source) -> list[zipfile.ZipInfo]:
    """The files in an archive, without hidden ones and those that macOS adds."""
    with opened_zip(source) as archive:
        return [
            entry
            for entry in archive.infolist()
            if not entry.is_dir()
            and not entry.filename.rpartition("/")[2].startswith((".", "__MACOSX"))
            and not entry.filename.startswith("__MACOSX")
        ]


def unpacked_member(source: Source) -> Source:
    """A copy of the member that ``source.table`` names.

    Raises
    ------
    InputError
        It is not there, encrypted, damaged, or a bomb.
    """
    with opened_zip(source) as archive:
        try:
            entry = archive.getinfo(source.table or "")
        except KeyError:
            raise InputError(f"{source.shown}: {display(source.file)} holds no file of that name") from None
        if entry.flag_bits & 1:
            raise InputError(f"{source.shown}: encrypted: unpack it first")
        if entry.file_size > max(UNPACKED_FREELY, MOST_RATIO * entry.compress_size):
            raise InputError(too_much(source, entry.compress_size))
        try:
            copy = copied(source, _blocks(archive, entry), entry.compress_size)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InputError(f"{source.shown}: damaged in its archive ({error})") from error
        except OSError as error:
            raise InputError(f"{source.shown}: {why(error)}") from error
    return replace(source, file=copy, name=entry.filename, table=None)


def _blocks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as file:
        while block := file.read(BLOCK):
            yield block


def tables(source: Source, config: Config) -> tuple[str, ...]:
    """Names of the files in it."""
    return tuple(sorted(entry.filename for entry in members(source)))


READER = Reader("zip", ("zip",), recognises, tables=tables, member=unpacked_member)
