"""Split files: one table (or several shards) a split, as csv, jsonl, json or parquet."""

from __future__ import annotations

from leakaudit.errors import InputError
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers import head_of
from leakaudit.sources.readers.heads import settle
from leakaudit.sources.rows import heads_dataset, say_files
from leakaudit.sources.table_parts import TableParts, find_table_parts


def sniff(request: Request) -> TableParts | NotThis:
    """Look for tables whose names say the split."""
    return find_table_parts(request)


def load(request: Request, sniffed: TableParts) -> Dataset:
    """Read the heads of all files, and settle header and columns for all of them together.

    Raises
    ------
    InputError
        A file that cannot be read, or an empty split.
    LayoutError
        No column in common.
    """
    raw = []
    for part in sniffed.parts:
        try:
            raw += [(part.split, head_of(request, path)) for path in part.paths]
        except InputError as error:
            raise InputError(f"split {part.split}: {error}") from error
    settled, said = settle([head for _, head in raw], request.config)
    heads = [(split, head) for (split, _), head in zip(raw, settled, strict=True)]
    notes = [f"Not used, beside the split files: {say_names(sniffed.unused)}."] if sniffed.unused else []
    why = "; ".join((f"one table a split: {say_files(heads, request)}", *said))
    return heads_dataset(request, LAYOUT.name, why, heads, notes=notes)


LAYOUT = DataLayout("split-files", sniff, load)
