"""Manifests: tables whose rows name pictures, with label, group and time beside them.

Either one table with a split column, one table a split (beside the pictures or in each split folder), or a table over
split folders. Paths are relative to the folder of the manifest, or to its parent where more of the first ones are found
there, or absolute; ids, names and stems are looked for in all folders below.
A picture with several rows of boxes or captions is one sample; one with two labels is two, which contradict.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from leakaudit.errors import InputError, LayoutError, UserError
from leakaudit.model import Columns, Dataset, Layout, TableFile, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.layouts import id_lists, image_folders
from leakaudit.sources.layouts.folds import fold_column, folds_of, rows_in_no_fold, say_folds
from leakaudit.sources.layouts.manifest_classes import BITS, named_classes, one_hot
from leakaudit.sources.layouts.manifest_paths import (
    LEAST_FOUND,
    PROBED,
    Sniffed,
    base_of,
    near_folders,
    path_column_of,
    place_of,
)
from leakaudit.sources.layouts.manifest_rows import Entry, Finder
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.layouts.split_column import find_split_column, one_table, read_split_values, say_values
from leakaudit.sources.listing import display, entries_of, make_samples
from leakaudit.sources.names import (
    GROUP_NAMES,
    ID_NAMES,
    PATH_NAMES,
    TIME_NAMES,
    guess_column,
    guess_label,
    label_candidates,
    plain,
    resolve_column,
    split_of,
    words,
)
from leakaudit.sources.parts import list_folder, say_names, stem
from leakaudit.sources.picture_index import PictureIndex, find, has_pictures, index_of
from leakaudit.sources.readers import head_of, is_table_name, is_text_name
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values, read_rows
from leakaudit.sources.table_parts import TableParts, find_table_parts
from leakaudit.sources.told import say_contradictions

LEAST_SHARE = 0.5
"""Share of the pictures in split folders that tables beside them must have rows for."""
MOST_TABLES = 20
"""Tables beside each other that are looked at for one that names pictures."""
TABLE_FOLDERS = ("annotations", "annotation", "labels", "meta", "metadata", "csv", "csvs", "tables", "info", "splits")
BOX_COLUMNS = (("xmin", "ymin"), ("x1", "y1"), ("bbox",), ("bboxx", "bboxy"), ("encodedpixels",), ("rle",), ("boxes",))
"""Columns of rows that are objects in pictures, not pictures; names as `leakaudit.sources.names.plain` makes them."""


def sniff(request: Request) -> Sniffed | NotThis:  # noqa: PLR0911 - one return a way of being no manifest
    """Look for a column of paths to pictures, or of their names or ids."""
    absent = NotThis("no manifest with a column of paths to pictures (--path-column NAME)")
    config = request.config
    files, unused = _tables(request)
    if not files:
        return absent
    try:
        raw = [head_of(request, path) for _, path in files]
    except InputError:
        if config.path_column:
            raise
        return absent  # said by the layout that reads tables
    settled, said = settle(raw, config)
    column = path_column_of(settled, request)
    if column is None:
        return absent
    heads = [(split or None, head) for (split, _), head in zip(files, settled, strict=True)]
    found = Sniffed(tuple(heads), column.name, column.base, tuple(said), unused, column.index)
    if heads[0][0] is not None or find_split_column(settled[0], config) is not None:
        if column.index is not None and config.layout is None and _names_few(request, settled, column.index):
            return NotThis("tables that name the smaller part of the pictures in split folders")
        return found
    fold = None if config.within else fold_column(settled[0], config)
    if fold is not None and folds_of(count_values(settled[0], fold)):
        return replace(found, folds=True)
    folders = image_folders.split_folders(request) if request.folder is not None else NotThis("")
    if isinstance(folders, image_folders.Sniffed):
        return _over_folders(request, found, folders)
    lists = id_lists.sniff(request) if request.folder is not None else NotThis("")
    if isinstance(lists, id_lists.Sniffed):
        return replace(found, index=index_of(request, request.folder or ""), lists=lists)
    if not config.within:
        return NotThis(
            f"{display(files[0][1])} names pictures, and no column of it says the split: say --split-column, add "
            "its partner (train=FILE test=FILE), or add --within",
            nearly=True,
        )
    return Sniffed(((ONLY, settled[0]),), column.name, column.base, tuple(said), unused, column.index)


def _tables(request: Request) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Files of rows with their splits ("" where a column must say it), and those beside them."""
    found = find_table_parts(request)
    if isinstance(found, TableParts):
        return [(part.split, path) for part in found.parts for path in part.paths], found.unused
    path = one_table(request)
    if not isinstance(path, NotThis):
        if request.folder is None and not is_text_name(path) and not request.config.path_column:
            return [], ()
        return [("", path)], ()
    if request.folder is None or not has_pictures(request, request.folder):
        return [], ()
    return _one_of_several(request, request.folder)


def _one_of_several(request: Request, folder: str) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The one table of several that names pictures, or tables a split in a folder for annotations."""
    folders, names = list_folder(request.inventory, folder)
    tables = [os.path.join(folder, name) for name in names if is_table_name(name)]
    if not tables:
        for inner in (os.path.join(folder, name) for name in folders if name.lower() in TABLE_FOLDERS):
            tables += [os.path.join(inner, name) for name in entries_of(request.inventory, inner)[1]]
        tables = [path for path in tables if is_table_name(path)]
        told = request.config.splits
        by_split = [(split, path) for path in tables if (split := split_of(stem(os.path.basename(path)), told))]
        splits = ordered_splits([split for split, _ in by_split])
        if 1 < len(splits) == len(by_split):
            return sorted(by_split, key=lambda each: splits.index(each[0])), ()
    naming = [path for path in tables[:MOST_TABLES] if _names_pictures(request, path)]
    if len(naming) > 1:  # Kaggle's form for an answer names the pictures of the test set, with made-up labels
        naming = [path for path in naming if "submission" not in words(os.path.basename(path))]
    if len(naming) > 1:  # labels in one file, splits in another
        naming = [path for path in naming if _says_splits(request, path)] or [
            path for path in naming if _says_labels(request, path)
        ]
    if len(naming) != 1:
        return [], ()
    return [("", naming[0])], tuple(os.path.basename(path) for path in tables if path != naming[0])


def _names_pictures(request: Request, path: str) -> bool:
    try:
        heads, _ = settle([head_of(request, path)], request.config)
        return path_column_of(heads, request) is not None
    except (InputError, LayoutError):
        return False


def _says_splits(request: Request, path: str) -> bool:
    try:
        heads, _ = settle([head_of(request, path)], request.config)
        return find_split_column(heads[0], request.config) is not None
    except UserError:
        return False


def _says_labels(request: Request, path: str) -> bool:
    """Whether a table of pictures has a label, or columns of classes alone."""
    try:
        (head,), _ = settle([head_of(request, path)], request.config)
    except UserError:
        return False
    others = [name for name in head.columns if plain(name) not in (*PATH_NAMES, *ID_NAMES)]
    bits = all(value is None or value.strip() in BITS for name in others for value in head.column(name)[:PROBED])
    return guess_label(head.columns) is not None or (len(others) > 1 and bits)


def _names_few(request: Request, heads: Sequence[Head], index: PictureIndex) -> bool:
    """Whether split folders hold far more pictures than plain tables have rows: the folders are the data set then."""
    n_rows = 0.0
    for head in heads:
        if head.dialect is None or head.compression != "none":
            return False  # how many rows it has, only reading it would tell
        cells = [sum(len(cell or "") + 1 for cell in row) for row in head.rows[:PROBED]]
        n_rows += storage.stat(head.path).st_size / (sum(cells) / len(cells)) if cells else 0
    if len(index.by_path) * LEAST_SHARE <= n_rows:
        return False
    return isinstance(image_folders.split_folders(request), image_folders.Sniffed)


def _over_folders(request: Request, found: Sniffed, folders: image_folders.Sniffed) -> Sniffed | NotThis:
    """A table over split folders, if it names pictures in them."""
    head = found.heads[0][1]
    tops = tuple(os.fsencode(f"{request.relative(path)}/") for part in folders.parts for path in part.paths)
    values = [value for value in head.column(found.path_column)[:PROBED] if value]
    index = index_of(request, request.folder or "")
    near = near_folders(request, head, found.base)
    inside = sum(any(path.startswith(tops) for path in find(index, value, near)[0]) for value in values)
    if inside < LEAST_FOUND * len(values):
        return NotThis("a table whose pictures lie in no split folder")
    return Sniffed(found.heads, found.path_column, found.base, found.said, found.unused, index, folders)


class _Parted(NamedTuple):
    """The splits, what says them in words, the column that does and what its values stand for."""

    splits: tuple[str, ...]
    said: str
    column: str | None = None
    values: Mapping[str, str] = MappingProxyType({})
    notes: Sequence[str] = ()


def _parted(request: Request, sniffed: Sniffed) -> _Parted:
    """What says the split: a column, folds in one, lists, folders, or a file each.

    Raises
    ------
    LayoutError, ConfigError
        As `read_split_values`.
    """
    head, config = sniffed.heads[0][1], request.config
    table = f"one manifest, {request.uri(head.path)}"
    if sniffed.folds and (column := fold_column(head, config)) is not None:
        counts = count_values(head, column)
        folds = folds_of(counts)
        said = f"{table}, {say_folds(column, counts, folds)}"
        return _Parted(tuple(folds.values()), said, column, folds, rows_in_no_fold(column, counts))
    if sniffed.lists is not None:
        splits = id_lists.splits_in(request, sniffed.lists)
        lists = ", ".join(request.uri(path) for _, path in sniffed.lists.lists)
        return _Parted(splits, f"lists of pictures ({lists}) with a table of them, {request.uri(head.path)}")
    if sniffed.folders is not None:
        splits = ordered_splits([part.split for part in sniffed.folders.parts])
        return _Parted(
            splits, f"split folders ({', '.join(splits)}) with a table of their pictures, {request.uri(head.path)}"
        )
    column_of_splits = find_split_column(head, config) if sniffed.heads[0][0] is None else None
    if column_of_splits is not None:
        values, notes = read_split_values(count_values(head, column_of_splits), column_of_splits, config)
        said = f"{table}, whose column {column_of_splits!r} says the split: {say_values(values)}"
        return _Parted(ordered_splits(tuple(values.values())), said, column_of_splits, values, notes)
    files = ", ".join(f"{split} ({request.uri(each.path)})" for split, each in sniffed.heads)
    return _Parted(ordered_splits([split for split, _ in sniffed.heads if split]), f"one manifest a split: {files}")


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find every picture that is named.

    Raises
    ------
    InputError
        A split none of whose pictures is there.
    LayoutError, ConfigError
        As `read_split_values`; a column told and not there.
    """
    config = request.config
    columns = tuple(dict.fromkeys(name for _, each in sniffed.heads for name in each.columns))
    parted = _parted(request, sniffed)
    splits, split_column, values, notes = parted.splits, parted.column, parted.values, list(parted.notes)
    # An id that the user names is compared as a group is: two pictures that share it belong together.
    told_id = resolve_column(config.id, columns, "--id") if config.id else None
    meaning = {
        "label": _meaning(config.label, guess_label(columns), columns, "--label"),
        "group": _meaning(config.group, guess_column(columns, GROUP_NAMES) or told_id, columns, "--group"),
        "time": _meaning(config.time, guess_column(columns, TIME_NAMES), columns, "--time"),
    }
    if told_id not in (None, meaning["group"], sniffed.path_column):
        notes.append(f"The ids in {told_id!r} were not compared, but the groups in {meaning['group']!r}.")
    taken = {sniffed.path_column, split_column}
    if meaning["label"] is None and not label_candidates(columns):
        meaning["label"] = _only_other(sniffed.heads, {*taken, *meaning.values()})
    used = {what: column for what, column in meaning.items() if column is not None and column not in taken}
    finder, tables = _find_all(request, sniffed, splits, (split_column, values), used)
    for split in splits:
        if not finder.found[split]:
            raise InputError(f"the split {split} is empty: none of its pictures is in {display(sniffed.base)}")
    known = {*taken, *used.values()}
    classes = [] if "label" in used or label_candidates(columns) else one_hot(tables, columns, known)
    if classes:
        finder.label_rows(named_classes(tables, classes))
    order, is_long = finder.in_order(has_boxes(columns))
    flat = [entry for split in splits for entry in order[split]]
    told = ", ".join(f"{what} from {column!r}" for what, column in used.items())
    if classes:
        from_columns = f"label from the {len(classes)} columns of 0 and 1 ({say_names(classes, 3)})"
        told = f"{told}, {from_columns}" if told else from_columns
    told = told or "labels are unknown"
    if meaning["label"] is None and (several := label_candidates(columns)):
        told += f" (the label could be {' or '.join(map(repr, several))}: say --label)"
    if is_long and "label" in used:
        told += ", the most frequent of the rows of a picture"
    notes += finder.notes(flat, is_long)
    notes += say_contradictions((entry.row[0], entry.meaning.get("label")) for entry in flat)
    if sniffed.unused:
        notes.append(f"Not used, beside the manifests: {say_names(sniffed.unused)}.")
    spoken_for = (split_column, *classes)
    others, ignored = ((), ()) if is_long else _other_columns(tables, order, sniffed, spoken_for, used, request)
    names = "names" if finder.n_by_name else "paths"
    said = (parted.said, f"{names} from {sniffed.path_column!r}, {told}", *sniffed.said)
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, "; ".join(said)),
        splits=splits,
        samples=make_samples(
            request.base,
            splits,
            [[entry.row for entry in order[split]] for split in splits],
            **{what: [entry.meaning.get(what) for entry in flat] for what in (*used, *(["label"] if classes else []))},
        ),
        tables=others,
        columns=Columns(used.get("label"), used.get("group"), used.get("time"), ignore=ignored)
        if others
        else Columns(),
        problems=finder.problems,
        notes=tuple(notes),
        folds=sniffed.folds,
    )


def _find_all(
    request: Request,
    sniffed: Sniffed,
    splits: Sequence[str],
    column: tuple[str | None, Mapping[str, str]],
    used: Mapping[str, str],
) -> tuple[Finder, list[pa.Table]]:
    """Look for the pictures of all rows, and keep the rows.

    Parameters
    ----------
    column : tuple
        The one that says the split, and what its values stand for.
    used : mapping of str to str
        Meaning to column.
    """
    split_column, values = column
    finder = Finder(request, sniffed, splits)
    tables: list[pa.Table] = []
    number = 0
    for split, each in sniffed.heads:
        here = {what: column for what, column in used.items() if column in each.columns}
        finder.open(each, number)
        for batch in read_rows(each, each.columns):
            tables.append(pa.Table.from_batches([batch]))
            wanted = [sniffed.path_column, *([split_column] if split_column else []), *here.values()]
            for row, cells in enumerate(batch.select(list(dict.fromkeys(wanted))).to_pylist(), number):
                at = split or values.get(((cells[split_column] if split_column else "") or "").strip())
                if at is not None or sniffed.folders is not None or sniffed.lists is not None:
                    extra = {what: (cells[column] or "").strip() or None for what, column in here.items()}
                    finder.add(cells[sniffed.path_column], at, extra, row)
            number += len(batch)
    if sniffed.folders is not None or sniffed.lists is not None:
        finder.add_unnamed()
    return finder, tables


def _only_other(heads: Sequence[tuple[str | None, Head]], known: set[str | None]) -> str | None:
    """The one column beside names and splits, where its values repeat as classes do: ``id,breed``."""
    head = heads[0][1]
    rest = [name for name in head.columns if name not in known and plain(name) not in (*PATH_NAMES, *ID_NAMES)]
    if len(rest) != 1:
        return None
    values = [value for value in head.column(rest[0]) if value]
    return rest[0] if len(values) >= 2 * len(set(values)) > 2 else None


def has_boxes(columns: Sequence[str]) -> bool:
    """Whether the rows of a table are objects in pictures.

    >>> has_boxes(["filename", "class", "xmin", "ymin", "xmax", "ymax"]), has_boxes(["filename", "class"])
    (True, False)
    """
    there = set(map(plain, columns))
    return any(there.issuperset(each) for each in BOX_COLUMNS)


def _other_columns(
    tables: Sequence[pa.Table],
    order: Mapping[str, Sequence[Entry]],
    sniffed: Sniffed,
    spoken_for: Sequence[str | None],
    used: Mapping[str, str],
    request: Request,
) -> tuple[tuple[TableFile, ...], tuple[str, ...]]:
    """All columns of the manifest, a table a split and a row a sample, and those that only name or split; none where
    there is nothing beside names, splits and labels.
    """
    if not tables:
        return (), ()
    whole = pa.concat_tables(tables, promote_options="default")
    names = tuple(whole.column_names)
    ignored = [sniffed.path_column, *(name for name in spoken_for if name)]
    ignored += [name for name in names if plain(name) in (*PATH_NAMES, *ID_NAMES) and name not in ignored]
    ignored += [resolve_column(name, names, "--ignore-column") for name in request.config.ignore_columns]
    ignored = [name for name in dict.fromkeys(ignored) if name not in used.values()]
    if not set(names) - set(ignored) - {used.get("label")}:
        return (), ()
    by_split: dict[str, list[str]] = {}
    for split, head in sniffed.heads:
        by_split.setdefault(split or "", []).append(request.uri(head.path))
    files = []
    for split, entries in order.items():
        # A picture that no row names has a row of nulls.
        rows = pa.array([entry.number if entry.number >= 0 else None for entry in entries], pa.int64())
        uri = " + ".join(by_split.get(split) or by_split.get("") or [split])
        files.append(TableFile(uri, split, "arrow", names, table=whole.take(rows)))
    return tuple(files), tuple(ignored)


def _meaning(told: str | None, guessed: str | None, columns: Sequence[str], option: str) -> str | None:
    return guessed if told is None else resolve_column(told, columns, option)


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The manifests, and the folders in which their first pictures lie."""
    heads = [head for _, head in sniffed.heads]
    paths = [head.path for head in heads]
    if sniffed.folders is not None:
        return [*paths, *image_folders.takes(request, sniffed.folders)]
    if sniffed.lists is not None:
        return [*paths, *id_lists.takes(request, sniffed.lists)]
    if sniffed.index is not None and request.folder is not None:
        return [*paths, *picture_tops(request, sniffed.index, request.folder)]
    bases = [base_of(head, heads[0], sniffed.base) for head in heads]
    firsts = [[value for value in head.column(sniffed.path_column)[:PROBED] if value] for head in heads]
    named = [place_of(base, value) for base, values in zip(bases, firsts, strict=True) for value in values]
    folders = dict.fromkeys(storage.parent(path) for path in named if path)
    return [*paths, *(folder for folder in folders if folder and storage.is_folder(folder))]


LAYOUT = DataLayout("manifest", sniff, load, takes)
