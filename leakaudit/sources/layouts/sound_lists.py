"""Sounds in one place, and tables or lists that say their splits: Speech Commands, ESC-50, UrbanSound8K, Common Voice.

A table names them by path, name or stem, and a column, the folds in one, or the table's own name says the split. So may
lists: where there are lists of val and test alone, all other sounds are train, but for those in folders whose names
begin with an underscore (noise to mix in).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from leakaudit.errors import InputError, UserError
from leakaudit.model import Dataset, Layout, Problem, ordered_splits
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.inventory import Folder
from leakaudit.sources.kinds import data_kind
from leakaudit.sources.layouts.folds import fold_column, folds_of, rows_in_no_fold, say_folds
from leakaudit.sources.layouts.id_lists import named_lists
from leakaudit.sources.layouts.image_folders import class_labels
from leakaudit.sources.layouts.sounds import how_compared
from leakaudit.sources.layouts.split_column import find_split_column, read_split_values, say_values
from leakaudit.sources.listing import Listing, Row, display, entries_of, make_samples, uri_of
from leakaudit.sources.name_lists import lines_of
from leakaudit.sources.names import (
    GROUP_NAMES,
    ID_NAMES,
    PATH_NAMES,
    guess_column,
    guess_label,
    plain,
    resolve_column,
)
from leakaudit.sources.parts import list_folder, say_names
from leakaudit.sources.picture_index import PROBED, PictureIndex, find, make_index
from leakaudit.sources.readers import head_of, is_table_name
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values, read_rows
from leakaudit.sources.table_parts import TableParts, find_table_parts

LEAST_FOUND = 0.5
"""Share of the first names of a table or list that must be sounds."""
MOST_TABLES = 20
TABLE_FOLDERS = ("meta", "metadata", "annotations", "labels", "csv", "splits")
_SOUND_NAMES = ("slicefilename", "audio", "audiopath", "audiofile", "wav", "wavpath", "clip", "clipid", "fname", "key")
_SPEAKERS = ("clientid", "speaker", "speakerid", "spkid", "spk", "fsid")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What says the splits: tables (by split, "" where a column says it) or lists, and the column that names sounds."""

    index: PictureIndex
    tables: tuple[tuple[str, Head], ...] = ()
    column: str = ""
    lists: tuple[tuple[str, str], ...] = ()
    unused: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


class _Entry(NamedTuple):
    row: Row
    label: str | None = None
    group: str | None = None


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for tables or lists that name sounds."""
    absent = NotThis("no tables or lists that name sounds")
    if request.folder is None or request.config.within:
        return absent
    index = _sound_index(request, request.folder)
    if not index.by_path:
        return absent
    return _by_tables(request, request.folder, index) or _by_lists(request, request.folder, index) or absent


def _sound_index(request: Request, folder: str) -> PictureIndex:
    """The sounds under a folder, found once."""
    key = f"sounds: {folder}"
    found = request.indexes.get(key)
    if isinstance(found, PictureIndex):
        return found
    listing = Listing()
    for path, each in request.inventory.walk(os.fsencode(folder)):
        prefix = os.fsencode(request.relative(os.fsdecode(path)))
        prefix = prefix + b"/" if prefix and not prefix.endswith(b"/") else prefix
        if isinstance(each, Folder):
            sounds = [row for row in each.others if data_kind(row[0]) == "sound"]
            listing.rows += [(prefix + name, size, mtime_ns) for name, size, mtime_ns, _ in sounds]
            for name, kind, reason in each.problems:
                listing.add(prefix + name, kind, reason)
    listing.rows.sort()
    made = request.indexes[key] = make_index(listing)
    return made


def _by_tables(request: Request, folder: str, index: PictureIndex) -> Sniffed | None:
    config = request.config
    parts = find_table_parts(request)
    if isinstance(parts, TableParts):
        files = [(part.split, path) for part in parts.parts for path in part.paths]
        return _with_column(request, index, files, parts.unused)
    folders, names = list_folder(request.inventory, folder)
    paths = [os.path.join(folder, name) for name in names]
    for name in folders:
        if name.lower() in TABLE_FOLDERS:
            inner = os.path.join(folder, name)
            paths += [os.path.join(inner, each) for each in entries_of(request.inventory, inner)[1]]
    tables = [path for path in paths if is_table_name(path)][:MOST_TABLES]
    for path in tables:
        found = _with_column(request, index, [("", path)], tuple(display(each) for each in tables if each != path))
        if found is not None:
            head = found.tables[0][1]
            fold = fold_column(head, config)
            if find_split_column(head, config) or (fold is not None and folds_of(count_values(head, fold))):
                return found
    return None


def _with_column(
    request: Request, index: PictureIndex, files: Sequence[tuple[str, str]], unused: tuple[str, ...]
) -> Sniffed | None:
    """The tables, if a column of all names sounds."""
    try:
        heads, said = settle([head_of(request, path) for _, path in files], request.config)
    except UserError:
        return None
    columns = [name for name in heads[0].columns if all(name in head.columns for head in heads)]
    told = request.config.path_column
    usual = (*PATH_NAMES, *_SOUND_NAMES, *ID_NAMES)
    likely = sorted(columns, key=lambda name: usual.index(plain(name)) if plain(name) in usual else len(usual))
    for name in [resolve_column(told, heads[0].columns, "--path-column")] if told else likely:
        values = [value for head in heads for value in head.column(name)[:PROBED] if value and value.strip()]
        if values and sum(bool(find(index, value)[0]) for value in values) >= LEAST_FOUND * len(values):
            splits = (split for split, _ in files)
            return Sniffed(index, tuple(zip(splits, heads, strict=True)), name, unused=unused, said=tuple(said))
    return None


def _by_lists(request: Request, folder: str, index: PictureIndex) -> Sniffed | None:
    _, names = list_folder(request.inventory, folder)
    lists = [(split, os.path.join(folder, name)) for name, split in named_lists(names, request)]
    good = []
    for split, path in lists:
        try:
            lines = lines_of(path, 1 << 16)[:PROBED]
        except InputError:
            continue
        if lines and sum(bool(find(index, line.split()[0])[0]) for line in lines) >= LEAST_FOUND * len(lines):
            good.append((split, path))
    return Sniffed(index, lists=tuple(good)) if {split for split, _ in good} - {"train"} else None


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find every sound that is named.

    Raises
    ------
    InputError
        A split without a sound that is there.
    LayoutError, ConfigError
        As `read_split_values`; a column told and not there.
    """
    folds = False
    if sniffed.tables:
        found, problems, said, notes, folds = _of_tables(request, sniffed)
    else:
        found, problems, said, notes = _of_lists(request, sniffed)
    for split, entries in found.items():
        if not entries:
            raise InputError(f"the split {split} is empty: none of its sounds is in {request.shown}")
    splits = tuple(found)
    flat = [entry for entries in found.values() for entry in entries]
    labels = [entry.label for entry in flat]
    groups = [entry.group for entry in flat]
    if not any(labels):
        inner = [[entry.row[0][: max(entry.row[0].rfind(b"/"), 0)] for entry in each] for each in found.values()]
        by_folder, why = class_labels(inner)
        labels = by_folder if by_folder is not None else labels
        said += f"; {why.replace('pictures', 'sounds')}"
    if (left := len(sniffed.index.by_path) - len({entry.row[0] for entry in flat})) > 0:
        notes.append(f"{left:,} sounds are named by nothing and were not looked at.")
    others = dict.fromkeys(name for _, head in sniffed.tables for name in head.columns)
    if others and len(others) > 2:
        notes.append("Of the tables only names, splits, labels and groups were read.")
    if sniffed.unused:
        notes.append(f"Not used, beside them: {say_names(sniffed.unused, 3)}.")
    return Dataset(
        root=request.shown,
        kind="file",
        layout=Layout(LAYOUT.name, "; ".join((f"sounds, {said}", *sniffed.said, how_compared()))),
        splits=splits,
        samples=make_samples(
            request.base,
            splits,
            [[entry.row for entry in found[split]] for split in splits],
            labels if any(labels) else None,
            groups if any(groups) else None,
        ),
        problems=(*sniffed.index.listing.problems, *problems),
        notes=tuple(notes),
        folds=folds,
    )


def _of_tables(
    request: Request, sniffed: Sniffed
) -> tuple[dict[str, list[_Entry]], list[Problem], str, list[str], bool]:
    config = request.config
    head = sniffed.tables[0][1]
    values: Mapping[str, str] = {}
    notes: list[str] = []
    column, folds = None, False
    if sniffed.tables[0][0]:
        files = ", ".join(f"{split} ({request.uri(each.path)})" for split, each in sniffed.tables)
        said, splits = f"one table a split: {files}", ordered_splits([split for split, _ in sniffed.tables])
    elif (column := find_split_column(head, config)) is not None:
        values, notes = read_split_values(count_values(head, column), column, config)
        splits = ordered_splits(tuple(values.values()))
        said = f"one table, {request.uri(head.path)}, whose column {column!r} says the split: {say_values(values)}"
    else:
        column, folds = fold_column(head, config), True
        counts = count_values(head, column or "")
        values, notes = folds_of(counts), rows_in_no_fold(column or "", counts)
        splits = tuple(values.values())
        said = f"one table, {request.uri(head.path)}, {say_folds(column or '', counts, values)}"
    columns = head.columns
    usual = guess_column(columns, (*_SPEAKERS, *GROUP_NAMES))
    label = resolve_column(config.label, columns, "--label") if config.label else guess_label(columns)
    group = resolve_column(config.group, columns, "--group") if config.group else usual
    roles = {name: column for name, column in (("label", label), ("group", group)) if column is not None}
    said += f"; names from {sniffed.column!r}" + "".join(f", {name} from {each!r}" for name, each in roles.items())
    found: dict[str, dict[bytes, _Entry]] = {split: {} for split in splits}
    problems = []
    for split, each in sniffed.tables:
        wanted = dict.fromkeys((sniffed.column, *([column] if column else []), *roles.values()))
        for batch in read_rows(each, [name for name in wanted if name in each.columns]):
            for cells in batch.to_pylist():
                at = split or values.get((cells[column] or "").strip() if column else "")
                if at is None:
                    continue
                name = (cells[sniffed.column] or "").strip()
                paths = find(sniffed.index, name, split=None if folds else at)[0] if name else []
                if not paths:
                    problems.append(
                        Problem(uri_of(os.fsencode(name)), "missing", "named, and there is no such sound", at)
                    )
                    continue
                entry = _Entry(
                    sniffed.index.by_path[paths[0]],
                    *((cells.get(roles.get(role, "")) or "").strip() or None for role in ("label", "group")),
                )
                known = found[at].setdefault(paths[0], entry)
                if known.label != entry.label:
                    found[at][paths[0]] = known._replace(label=None)
                    problems.append(Problem(uri_of(paths[0]), "duplicate-path", "named with two labels", at))
    by_path = {split: [each[path] for path in sorted(each)] for split, each in found.items()}
    return by_path, problems, said, notes, folds


def _of_lists(request: Request, sniffed: Sniffed) -> tuple[dict[str, list[_Entry]], list[Problem], str, list[str]]:
    found: dict[str, set[bytes]] = {}
    problems = []
    for split, path in sniffed.lists:
        for line in lines_of(path):
            name = line.split()[0]
            paths = find(sniffed.index, line)[0] or find(sniffed.index, name, split=split)[0]
            if paths:
                found.setdefault(split, set()).add(paths[0])
            else:
                problems.append(Problem(uri_of(name), "missing", "named, and there is no such sound", split))
    lists = ", ".join(f"{split} ({request.uri(path)})" for split, path in sniffed.lists)
    said = f"one list a split: {lists}"
    if "train" not in found:
        named = set().union(*found.values())
        rest = {path for path in sniffed.index.by_path if path not in named and not _is_noise(path)}
        found["train"] = rest
        said += "; train is what no list names"
    by_split = {
        split: [_Entry(sniffed.index.by_path[path]) for path in sorted(found[split])]
        for split in ordered_splits(tuple(found))
    }
    return by_split, problems, said, []


def _is_noise(path: bytes) -> bool:
    return any(folder.startswith(b"_") for folder in path.split(b"/")[:-1])


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The tables and lists, and the folders of the sounds."""
    files = [*(head.path for _, head in sniffed.tables), *(path for _, path in sniffed.lists)]
    return [*files, *picture_tops(request, sniffed.index, request.folder or "")]


LAYOUT = DataLayout("sound-lists", sniff, load, takes)
