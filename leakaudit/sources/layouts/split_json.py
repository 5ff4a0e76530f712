"""One JSON file whose keys are the splits: ``{"train": [[text, intent], …], "val": …}``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from leakaudit.errors import InputError
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.layouts.split_column import one_table
from leakaudit.sources.names import distinct, split_of
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers.files import Compression, read_bytes, suffix_of
from leakaudit.sources.readers.json_records import read_json, table_of_records
from leakaudit.sources.rows import tables_dataset


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The file, and its records by key."""

    path: str
    found: tuple[tuple[str, str], ...]
    records: dict[str, Any]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for an object whose keys are split names."""
    path = one_table(request)
    absent = NotThis("no JSON object whose keys are splits")
    if isinstance(path, NotThis) or suffix_of(path) != "json":
        return absent
    compression: Compression = (
        "gzip" if path.lower().endswith(".gz") else "zstd" if path.lower().endswith(".zst") else "none"
    )
    start = read_bytes(path, compression, 1 << 12)[0].removeprefix(b"\xef\xbb\xbf").strip()
    if not start.startswith(b"{"):
        return absent
    try:
        records = read_json(path, compression, request.config.encoding or "utf-8")
    except InputError:  # one object a line, perhaps; the reader of tables says what is wrong with it
        return absent
    keys = [key for key, value in records.items() if isinstance(value, list)]
    found = distinct([(key, split) for key in keys if (split := split_of(key, request.config.splits))])
    if len(found) < (1 if request.config.within else 2):
        return absent
    return Sniffed(path, tuple(found), records)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """One table a key.

    Raises
    ------
    InputError
        An empty split, or records of several kinds.
    """
    tables = []
    for key, split in sniffed.found:
        table = table_of_records(sniffed.path, sniffed.records[key])
        if not len(table):
            raise InputError(f"the split {split} ({key!r} in {request.uri(sniffed.path)}) is empty: no record in it")
        uri = f"{request.uri(sniffed.path)}:{key}"
        tables.append(TableFile(uri, split, "arrow", tuple(table.column_names), table=table))
    used = {key for key, _ in sniffed.found}
    left_out = [
        f"{key} ({len(value):,})"
        for key, value in sniffed.records.items()
        if key not in used and isinstance(value, list)
    ]
    hint = "--split-name KEY=SPLIT keeps them"
    notes = (
        [f"Keys that are no usual split names were left out, with their records: {say_names(left_out, 8)} ({hint})."]
        if left_out
        else []
    )
    splits = ", ".join(split if key == split else f"{split} (from {key!r})" for key, split in sniffed.found)
    named = all(name.startswith("column_") for table in tables for name in table.columns)
    why = f"one JSON object, {os.path.basename(request.uri(sniffed.path))}, whose keys are the splits: {splits}"
    if named:
        why += "; records are arrays, columns named column_1 …"
    return tables_dataset(request.shown, LAYOUT.name, why, tables, request.config, headerless=named, notes=notes)


def takes(_request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """The file."""
    return (sniffed.path,)


LAYOUT = DataLayout("split-json", sniff, load, takes)
