"""Features and labels in two files a split: ``X_train.csv`` and ``y_train.csv``, joined row by row.

A third may say whose row it is: ``subject_train.txt``. They lie in the folder itself, or in a folder a split.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.model import Dataset, ordered_splits
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import split_of
from leakaudit.sources.parts import folder_parts, list_folder, say_names, stem
from leakaudit.sources.readers import head_of, is_container_name, is_table_name, is_text_name
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import read_rows
from leakaudit.sources.rows import heads_dataset

_FEATURES = ("x", "feature", "features", "input", "inputs", "data")
_LABELS = ("y", "label", "labels", "target", "targets")
_GROUPS = ("subject", "subjects", "group", "groups", "patient", "patients", "person", "speaker", "user")

NAMED_LABEL = "y"
"""What the label is called where its file has no header line."""

NAMED_GROUP = "group"
"""What the column of the group is called there."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Paths of features and labels by split, of groups where every split has them, and the tables beside them."""

    pairs: dict[str, tuple[str, str]]
    unused: tuple[str, ...]
    groups: dict[str, str]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for two files a split whose names say X and y."""
    absent = NotThis("no pairs of files of features and labels (X_train.csv y_train.csv)")
    if request.folder is None:
        return absent
    found, tables = _sides(request, request.folder)
    pairs = {split: (sides["X"], sides["y"]) for split, sides in found.items() if {"X", "y"} <= sides.keys()}
    if len(pairs) < (1 if request.config.within else 2):
        return absent
    groups = {split: found[split]["group"] for split in pairs if "group" in found[split]}
    if groups.keys() != pairs.keys():
        groups = {}
    used = {*(path for pair in pairs.values() for path in pair), *groups.values()}
    return Sniffed(
        {split: pairs[split] for split in ordered_splits(tuple(pairs))},
        tuple(os.path.basename(path) for path in tables if path not in used),
        groups,
    )


def _sides(request: Request, folder: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Files by split and side, of those whose names say both, and all tables; none where two are the same."""
    folders, names = list_folder(request.inventory, folder)
    files = [os.path.join(folder, name) for name in names]
    for part in folder_parts(folder, folders, request.config):
        with suppress(OSError):
            inner = entries_of(request.inventory, part.paths[0])[1]
            files += [os.path.join(part.paths[0], name) for name in inner]
    tables = [path for path in files if is_table_name(path) and not is_container_name(path)]
    found: dict[str, dict[str, str]] = {}
    for path in files:
        side, split = _side(stem(os.path.basename(path)), request.config)
        if side is None or split is None or not _is_side(request, path, side):
            continue
        if side in found.setdefault(split, {}):
            return {}, tables
        found[split][side] = path
    return found, tables


def _is_side(request: Request, path: str, side: str) -> bool:
    """Whether a file is a table; of plain text, features are one where a line is more than one text."""
    if is_table_name(path):
        return True
    if not is_text_name(path):
        return False
    if side != "X":
        return True
    try:
        return len(head_of(request, path).columns) > 1
    except InputError:
        return False


def _side(name: str, config: Config) -> tuple[str | None, str | None]:
    """``X``, ``y`` or ``group``, and the split.

    The split is told by the rest of the name: ``X_train``, ``train-labels``, ``Xtest``.
    """
    for side, words in (("X", _FEATURES), ("y", _LABELS), ("group", _GROUPS)):
        word = "|".join(words)
        before = re.fullmatch(rf"(?:{word})[-_. ]*(?P<split>.+)", name, re.IGNORECASE)
        after = re.fullmatch(rf"(?P<split>.+?)[-_. ]*(?:{word})", name, re.IGNORECASE)
        for match in (before, after):
            if match is not None and (split := split_of(match["split"], config.splits)):
                return side, split
    return None, None


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """One table a split: the columns of the features, then those of the labels.

    Raises
    ------
    InputError
        Files of different numbers of rows, or a column of both that differs.
    """
    splits = list(sniffed.pairs)
    features, said = settle([head_of(request, sniffed.pairs[split][0]) for split in splits], request.config)
    labels, _ = settle([head_of(request, sniffed.pairs[split][1]) for split in splits], request.config)
    labels = [_named(label, feature) for label, feature in zip(labels, features, strict=True)]
    heads = [_joined(feature, label) for feature, label in zip(features, labels, strict=True)]
    groups: list[Head] = []
    if sniffed.groups:
        groups, _ = settle([head_of(request, sniffed.groups[split]) for split in splits], request.config)
        groups = [
            replace(group, columns=(NAMED_GROUP,)) if len(group.columns) == 1 and not group.header else group
            for group in groups
        ]
        heads = [_joined(head, group) for head, group in zip(heads, groups, strict=True)]
    targets = _targets(features[0], labels[0])
    if not targets:
        raise InputError(
            f"{display(labels[0].path)}: its columns are all in {display(features[0].path)}, too: it holds no label; "
            f"name the files that are the splits: train={display(features[0].path)} test=…"
        )
    files = ", ".join(
        f"{split} ({' + '.join(map(request.uri, (*pair, *([sniffed.groups[split]] if sniffed.groups else []))))})"
        for split, pair in sniffed.pairs.items()
    )
    notes = [f"Not used, beside the pairs of files: {say_names(sniffed.unused)}."] if sniffed.unused else []
    why = "; ".join((f"features and labels joined row by row: {files}", *said))
    found = heads_dataset(
        request,
        LAYOUT.name,
        why,
        list(zip(splits, heads, strict=True)),
        label=(targets[0], "the one column of its file") if len(targets) == 1 else None,
        notes=notes,
    )
    if request.config.group is None and sniffed.groups and len(groups[0].columns) == 1:
        return replace(found, columns=replace(found.columns, group=groups[0].columns[0]))
    return found


def _targets(features: Head, labels: Head) -> list[str]:
    return [column for column in labels.columns if column not in features.columns]


def _named(labels: Head, features: Head) -> Head:
    """Labels without a header line are called y; so are those whose name is a number, as pandas writes a series."""
    columns = labels.columns
    if columns == ("text",) or (not labels.header and len(columns) == 1) or columns == ("0",):
        return replace(labels, columns=(NAMED_LABEL,))
    targets = _targets(features, labels)
    if not targets and len(columns) == 1:  # both without a header line: column_1 is not the same one
        return replace(labels, columns=(NAMED_LABEL,))
    return labels


def _joined(features: Head, labels: Head) -> Head:
    targets = _targets(features, labels)
    columns = (*features.columns, *targets)
    at = [labels.columns.index(name) for name in targets]
    width = len(features.columns)
    rows = [
        (*row, *(label[i] for i in at))
        for row, label in zip(features.rows, labels.rows, strict=False)
        if len(row) == width and len(label) == len(labels.columns)
    ]
    return Head(
        features.path,
        "stream",
        columns,
        rows,
        features.why,
        is_empty=features.is_empty,
        header=features.header,
        stream=lambda: _batches(features, labels, targets),
    )


def _batches(features: Head, labels: Head, targets: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of the features with their labels; of the labels all are held, which are few columns."""
    shared = [name for name in labels.columns if name in features.columns]
    schema = pa.schema([(name, pa.string()) for name in labels.columns])
    held = pa.Table.from_batches(list(read_rows(labels, labels.columns)), schema).combine_chunks().to_batches()
    told = held[0] if held else pa.RecordBatch.from_pylist([], schema=schema)
    n_rows = 0
    for batch in read_rows(features, features.columns):
        beside = told.slice(n_rows, batch.num_rows)
        if beside.num_rows == batch.num_rows:
            for name in shared:
                at = batch.schema.names.index(name)
                if not batch.column(at).equals(beside.column(name)):
                    raise InputError(
                        f"{display(features.path)} and {display(labels.path)}: their column {name!r} differs: "
                        "bring both into one order"
                    )
            columns = [*batch.columns, *(beside.column(name) for name in targets)]
            yield pa.RecordBatch.from_arrays(columns, names=[*features.columns, *targets])
        n_rows += batch.num_rows
    if n_rows != told.num_rows:
        raise InputError(
            f"{display(features.path)} has {n_rows:,} rows and {display(labels.path)} {told.num_rows:,}: "
            "features and labels that are joined row by row must have as many"
        )


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The tables of features, of labels and of groups."""
    return [*(path for pair in sniffed.pairs.values() for path in pair), *sniffed.groups.values()]


LAYOUT = DataLayout("paired-tables", sniff, load, takes, lines=True)
