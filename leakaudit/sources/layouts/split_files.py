"""Split files: one table (or several shards) a split, as csv, jsonl, json or parquet."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import cast

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Problem, ProblemKind
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display
from leakaudit.sources.parts import Part, say_names
from leakaudit.sources.readers import head_of, is_table_name
from leakaudit.sources.readers.heads import Head, settle
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
    label = _submitted_label(request, heads, sniffed.unused)
    problems = _lost_shards(request, sniffed.parts)
    found = heads_dataset(request, LAYOUT.name, why, heads, notes=notes, label=label)
    return replace(found, problems=(*found.problems, *problems)) if problems else found


def _lost_shards(request: Request, parts: Sequence[Part]) -> list[Problem]:
    """Tables in the folders of single splits that are broken links, pipes and the like: rows that are not there."""
    folders: dict[str, set[str]] = {}
    for part in parts:
        for path in part.paths:
            folders.setdefault(storage.parent(path) or ".", set()).add(part.split)
    lost = []
    for path, splits in folders.items():
        if len(splits) > 1:
            continue
        with suppress(OSError):
            folder = request.inventory.folder(os.fsencode(path))
            broken = [(name, "missing", "broken symbolic link") for name in folder.broken]
            for name, kind, reason in (*broken, *folder.problems):
                if is_table_name(os.fsdecode(name)):
                    uri = request.uri(os.path.join(path, os.fsdecode(name)))
                    lost.append(Problem(uri, cast("ProblemKind", kind), reason, next(iter(splits))))
    return lost


def _submitted_label(
    request: Request, heads: Sequence[tuple[str | None, Head]], unused: Sequence[str]
) -> tuple[str, str] | None:
    """The label that only train has, where a sample submission names it (as Kaggle hands out its data)."""
    train = {column for split, head in heads if split == "train" for column in head.columns}
    others = {column for split, head in heads if split != "train" for column in head.columns}
    if request.folder is None or not train or not others:
        return None
    for name in unused:
        if not re.search(r"submi(?:ssion|t)", name, re.IGNORECASE):
            continue
        try:
            (submitted,), _ = settle([head_of(request, os.path.join(request.folder, name))], request.config)
        except InputError:  # it is not needed
            continue
        asked = [column for column in submitted.columns if column in train and column not in others]
        if len(asked) == 1:
            return asked[0], f"{display(name)} asks for it"
    return None


def takes(_request: Request, sniffed: TableParts) -> list[str]:
    """The tables."""
    return [path for part in sniffed.parts for path in part.paths]


LAYOUT = DataLayout("split-files", sniff, load, takes, lines=True)
