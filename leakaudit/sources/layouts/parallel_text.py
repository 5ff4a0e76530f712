"""Parallel text files: ``{train,valid,test}/seq.in`` with ``label`` beside it, one sample a line in each file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.parts import Part, folder_parts, in_order, item_parts, list_folder, say_names, say_parts
from leakaudit.sources.readers import is_table_name
from leakaudit.sources.readers.csv_dialect import sniff_encoding
from leakaudit.sources.readers.files import read_bytes
from leakaudit.sources.rows import tables_dataset

MOST_FILES = 12
"""More files of the same names than this are documents, not columns."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The split folders, and the names of the files that each of them holds."""

    parts: tuple[Part, ...]
    names: tuple[str, ...]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for split folders that hold text files of the same names."""
    absent = NotThis("no split folders with the same text files in each (seq.in, label)")
    if request.folder is not None:
        parts = folder_parts(request.folder, list_folder(request.inventory, request.folder)[0], request.config)
    elif all(item.is_folder for item in request.items):
        parts = item_parts(request)
    else:
        return absent
    if len(parts) < (1 if request.config.within else 2):
        return absent
    names = [set(_text_names(request, path)) for part in parts for path in part.paths]
    common = sorted(set.intersection(*names))
    if not common or len(set.union(*names)) > MOST_FILES or any(len(part.paths) > 1 for part in parts):
        return absent
    return Sniffed(tuple(in_order(parts)), tuple(common))


def _text_names(request: Request, folder: str) -> Sequence[str]:
    try:
        names = entries_of(request.inventory, folder)[1]
    except OSError:
        return ()
    kinds = {name: kind_of(os.fsencode(name)) for name in names}
    return [
        name for name, kind in kinds.items() if not is_table_name(name) and (kind == "unknown" or name.endswith(".txt"))
    ]


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """One table a split, with a column a file.

    Raises
    ------
    InputError
        Files of different numbers of lines, empty or binary ones.
    """
    tables = []
    n_other = 0
    for part in sniffed.parts:
        folder = part.paths[0]
        columns = {name: read_lines(os.path.join(folder, name), request.config.encoding) for name in sniffed.names}
        counts = {name: len(column) for name, column in columns.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{display(name)} {n:,}" for name, n in counts.items())
            raise InputError(f"{display(folder)}: parallel files must have as many lines as each other ({said})")
        if not next(iter(counts.values())):
            raise InputError(f"the split {part.split} ({display(folder)}) is empty: no line in it")
        table = pa.table({display(name): column for name, column in columns.items()})
        tables.append(TableFile(request.uri(folder), part.split, "arrow", tuple(table.column_names), table=table))
        n_other += len(entries_of(request.inventory, folder)[1]) - len(columns)
    files = say_names(sniffed.names, 6)
    why = f"parallel text files, one sample a line of {files}, in one folder a split: {say_parts(sniffed.parts)}"
    return tables_dataset(request.shown, LAYOUT.name, why, tables, request.config, n_other_files=n_other)


def read_lines(path: str, encoding: str | None = None) -> pa.Array:
    """The lines of a text file, without their ends, as an Arrow array of strings.

    Raises
    ------
    InputError
        It cannot be read, or is binary.
    """
    data, _ = read_bytes(path, "none")
    if not data:
        return pa.array([], pa.string())
    try:
        codec, _ = sniff_encoding(data, encoding)
        text = data.decode(codec).removeprefix("\ufeff")
    except (LookupError, ValueError) as error:
        raise InputError(f"{display(path)}: {error}") from error
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return pa.array([line.removesuffix("\r") for line in lines], pa.string())


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The files: what else lies in the split folders may be the data (documents in folders, and lists beside them)."""
    return [os.path.join(part.paths[0], name) for part in sniffed.parts for name in sniffed.names]


LAYOUT = DataLayout("parallel-text", sniff, load, takes, lines=True)
