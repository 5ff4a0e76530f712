"""All readers of files of rows: one file a format, tried in the order of `READERS`.

Before a layout is chosen, only the head of a file is read (`HEAD_BYTES` after decompression), but for formats that must
be unpacked or read whole to know their columns (bzip2, xz, zip members, JSON arrays, sheets, svmlight).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from dataclasses import replace

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inside import inside, join_inside
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers import (
    arff,
    columnar,
    delimited,
    duckdb_files,
    json_records,
    number_columns,
    sqlite_files,
    svmlight,
    workbooks,
    zip_files,
)
from leakaudit.sources.readers.files import TEXT_SUFFIXES, Source, suffix_of
from leakaudit.sources.readers.heads import Head, Reader
from leakaudit.sources.readers.lake_tables import current_files
from leakaudit.sources.readers.no_tables import what_it_is
from leakaudit.sources.readers.packed import open_packed, packing_of, unpacked
from leakaudit.sources.readers.saved_datasets import saved_shards, without_descriptions

READERS: tuple[Reader, ...] = (
    columnar.PARQUET,
    columnar.ARROW,
    columnar.ORC,
    sqlite_files.READER,
    duckdb_files.READER,
    workbooks.READER,
    zip_files.READER,
    arff.READER,
    svmlight.READER,
    json_records.READER,
    number_columns.READER,
    delimited.READER,
)
"""The first that recognises a file reads it; the last one takes every text."""

FIRST_BYTES = 4096
"""Bytes of a file, after decompression, by which readers recognise it."""

_PACKED_BY_ENGINES = ("gzip", "zstd")


# --- names ----------------------------------------------------------------------------------------------------


def is_table_name(name: str) -> bool:
    """Whether the extension is one of a format of rows."""
    suffix = suffix_of(name)
    return any(suffix in reader.suffixes for reader in READERS)


def is_container_name(name: str) -> bool:
    """Whether the extension is one of a format that may hold several tables."""
    suffix = suffix_of(name)
    return any(suffix in reader.suffixes for reader in READERS if reader.tables is not None)


def is_text_name(name: str) -> bool:
    """Whether the extension is one of a format of rows, or of plain text that may be one."""
    return is_table_name(name) or suffix_of(name) in TEXT_SUFFIXES


def table_names(names: Sequence[str]) -> list[str]:
    """The names of tables among those of files; files that may hold several count only where there are no others."""
    tables = [name for name in names if is_table_name(name)]
    return [name for name in tables if not is_container_name(name)] or tables


def tables_of_folder(folder: str, names: Sequence[str]) -> list[str]:
    """`table_names`, but of a saved data set (`saved_datasets`) or a Delta table the files of its rows.

    Raises
    ------
    InputError
        As `saved_shards` and `lake_tables.current_files`.
    """
    current = current_files(folder)
    if current is not None:
        return current
    saved = saved_shards(folder, names)
    return table_names(without_descriptions(folder, names)) if saved is None else saved


# --- reading --------------------------------------------------------------------------------------------------


def head_of(request: Request, path: str) -> Head:
    """`read_head`, once for all layouts that look at a file."""
    found = request.heads.get(path)
    if not isinstance(found, Head):
        found = request.heads[path] = read_head(path, request.config)
    return found


def read_head(path: str, config: Config) -> Head:
    """Recognise the format of a file of rows, or of a table in a file (``file::table``), from its first bytes.

    Raises
    ------
    InputError
        It cannot be read, is empty or binary, or is of a format that is not read; or it holds several tables and none
        is named.
    """
    source, reader = _recognised(path)
    if reader.tables is None:
        if source.table is not None:
            raise InputError(f"{source.shown}: {display(source.file)} is one table, name it without ::{source.table}")
    elif source.table is None:
        source = replace(source, table=_only_table(source, reader, config))
    if reader.member is not None:
        member = reader.member(source)
        source, reader = _reader_of(member)
        if reader.tables is not None:
            raise InputError(f"{source.shown}: a {reader.name} file in an archive is not read: unpack it")
    assert reader.head is not None
    return reader.head(source, config)


def tables_in(path: str, config: Config) -> tuple[str, ...] | None:
    """Names of the tables in a file that may hold several; None for one that is a table itself.

    Raises
    ------
    InputError
        It cannot be read.
    """
    source, reader = _recognised(path)
    if reader.tables is None or source.table is not None:
        return None
    return _tables(source, reader, config)


def _tables(source: Source, reader: Reader, config: Config) -> tuple[str, ...]:
    assert reader.tables is not None
    found = reader.tables(source, config)
    if reader.member is None:
        return found
    named = [name for name in found if is_text_name(name) and not is_container_name(name)]
    return tuple(named) if named else found if len(found) == 1 else ()


def _only_table(source: Source, reader: Reader, config: Config) -> str:
    names = _tables(source, reader, config)
    if len(names) == 1:
        return names[0]
    if not names:
        what = ": unpack it, if it holds pictures, sounds or texts" if reader.member is not None else ""
        raise InputError(f"{source.shown}: a {reader.name} file without a table in it{what}")
    raise InputError(
        f"{source.shown}: a {reader.name} file with {len(names):,} tables ({say_names(names)}): say which: "
        f"train={display(join_inside(source.path, names[0]))} test=…"
    )


def _recognised(path: str) -> tuple[Source, Reader]:
    file, table = inside(path)
    return _reader_of(Source(path, file, os.path.basename(file), table))


def _reader_of(source: Source) -> tuple[Source, Reader]:
    """The reader of a file, and the file without a compression that the reader does not undo."""
    first = _first_bytes(source, None)
    if not first:
        raise InputError(f"{source.shown}: an empty file")
    packing = packing_of(first)
    if packing is not None:
        first = _first_bytes(source, packing)
    refused = what_it_is(first, source.name)
    if refused is not None:
        raise InputError(f"{source.shown}: {refused}")
    reader = next(each for each in READERS if each.recognises(first, source.name))
    if packing in _PACKED_BY_ENGINES and reader.unpacks:
        source = replace(source, compression="gzip" if packing == "gzip" else "zstd")
    elif packing is not None:
        source = replace(source, file=unpacked(source, packing), name=_unpacked_name(source.name))
    return source, reader


def _unpacked_name(name: str) -> str:
    return name if suffix_of(name) == name.rpartition(".")[2].lower() else name.rpartition(".")[0]


def _first_bytes(source: Source, packing: str | None) -> bytes:
    import lzma

    try:
        with storage.open_file(source.file) if packing is None else open_packed(source, packing) as file:
            return file.read(FIRST_BYTES)
    except (EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise InputError(f"{source.shown}: damaged {packing}") from error
    except OSError as error:
        damaged = packing is not None and error.errno is None
        raise InputError(f"{source.shown}: {f'damaged {packing}' if damaged else why(error)}") from error
