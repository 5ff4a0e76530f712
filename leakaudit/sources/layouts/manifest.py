"""Manifests: tables whose rows name pictures, with label, group and time beside them.

Either one table with a split column, one table a split (beside the pictures or in each split folder), or a table over
split folders. Paths are relative to the folder of the manifest, or to its parent where more of the first ones are found
there, or absolute; ids, names and stems are looked for in all folders below.
A picture with several rows of boxes or captions is one sample; one with two labels is two, which contradict.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from leakaudit.errors import InputError, LayoutError, UserError
from leakaudit.model import Columns, Dataset, Layout, Problem, TableFile, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.inventory import Folder, node_kind, why
from leakaudit.sources.kinds import is_picture_name, kind_of
from leakaudit.sources.layouts import id_lists, image_folders
from leakaudit.sources.layouts.folds import fold_column, folds_of, rows_in_no_fold, say_folds
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.layouts.split_column import find_split_column, one_table, read_split_values, say_values
from leakaudit.sources.listing import Row, display, entries_of, make_samples, say_strays, uri_of
from leakaudit.sources.masks import pair_masks
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
from leakaudit.sources.parts import list_folder, say_names, stem, sub_folders
from leakaudit.sources.picture_index import PictureIndex, find, has_pictures, index_of
from leakaudit.sources.readers import head_of, is_table_name, is_text_name
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values, read_rows
from leakaudit.sources.storage import addresses
from leakaudit.sources.table_parts import TableParts, find_table_parts
from leakaudit.sources.told import say_contradictions, usual_class

PROBED = 200
"""Rows of the head whose pictures are looked for."""
LEAST_FOUND, LEAST_ID = 0.5, 0.9
"""Share of the first values of a column that must be pictures: of one with a usual name for paths or ids, and of any
other, whose values must differ as much, too: a count of 1 to 9 is no id, though 1.jpg to 9.jpg lie here."""
LEAST_SHARE = 0.5
"""Share of the pictures in split folders that tables beside them must have rows for."""
MOST_FOLDERS = 100
"""Folders beside a named manifest in which pictures are looked for."""
MOST_TABLES = 20
"""Tables beside each other that are looked at for one that names pictures."""
TABLE_FOLDERS = ("annotations", "annotation", "labels", "meta", "metadata", "csv", "csvs", "tables", "info", "splits")
_BITS = {"0": False, "0.0": False, "1": True, "1.0": True}
BOX_COLUMNS = (("xmin", "ymin"), ("x1", "y1"), ("bbox",), ("bboxx", "bboxy"), ("encodedpixels",), ("rle",), ("boxes",))
"""Columns of rows that are objects in pictures, not pictures; names as `leakaudit.sources.names.plain` makes them."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Settled manifests by split (None: a column or folders say it), the columns that mean something, what was guessed.

    Parameters
    ----------
    heads : tuple of (split or None, Head)
    path_column : str
    base : str
        Folder that the paths of the first manifest are relative to.
    said, unused : tuple of str
    index : PictureIndex or None
        Where names are looked for that are no paths.
    folders : Sniffed of image_folders, or None
        The split folders, where neither files nor a column say the split.
    lists : Sniffed of id_lists, or None
        Lists a split beside the manifest, where nothing else says the split.
    folds : bool
        A column says the fold.
    """

    heads: tuple[tuple[str | None, Head], ...]
    path_column: str
    base: str
    said: tuple[str, ...]
    unused: tuple[str, ...] = ()
    index: PictureIndex | None = None
    folders: image_folders.Sniffed | None = None
    lists: id_lists.Sniffed | None = None
    folds: bool = False


@dataclass(frozen=True, slots=True)
class _Column:
    """The column that names pictures, what its paths are relative to, and where its names are looked for."""

    name: str
    base: str
    index: PictureIndex | None = None


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
    column = _path_column(settled, request)
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
        return _path_column(heads, request) is not None
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
    bits = all(value is None or value.strip() in _BITS for name in others for value in head.column(name)[:PROBED])
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
    near = _near(request, head, found.base)
    inside = sum(any(path.startswith(tops) for path in find(index, value, near)[0]) for value in values)
    if inside < LEAST_FOUND * len(values):
        return NotThis("a table whose pictures lie in no split folder")
    return Sniffed(found.heads, found.path_column, found.base, found.said, found.unused, index, folders)


def _path_column(heads: Sequence[Head], request: Request) -> _Column | None:
    """The column of paths in all heads, and the folder that they are relative to."""
    head = heads[0]
    folder = storage.parent(head.path) or "."
    bases = (folder, storage.parent(storage.absolute(folder)))
    told = request.config.path_column
    common = [name for name in head.columns if all(name in each.columns for each in heads)]
    candidates = [resolve_column(told, head.columns, "--path-column")] if told else _likely(common)
    nearly: list[tuple[str, str]] = []
    for column in candidates:
        values = [value for value in head.column(column)[:PROBED] if value]
        named = sum(is_picture_name(value) for value in values)
        if not told and named < LEAST_FOUND * len(values):
            continue  # most columns of a wide table: no file is looked for
        found = {base: sum(storage.is_file(_at(base, value)) for value in values) for base in bases}
        base = max(bases, key=lambda each: found[each])
        usual = plain(column) in PATH_NAMES or len(head.columns) == 1
        is_path = told or (values and found[base] and named >= (LEAST_FOUND if usual else LEAST_ID) * len(values))
        if is_path and found[base] >= LEAST_FOUND * len(values):
            return _Column(column, base, _index(request))
        if is_path or (values and plain(column) in PATH_NAMES and named >= LEAST_ID * len(values)):
            nearly.append((column, base if is_path else ""))
    by_name = _named_column(candidates, heads, request)
    if by_name is not None or not nearly:
        return by_name
    column, base = nearly[0]
    if base:
        return _Column(column, base, _index(request))
    raise LayoutError(
        f"{display(head.path)}: its column {column!r} names pictures, and none of the first "
        f"{len([value for value in head.column(column)[:PROBED] if value])} is in {display(folder)}: mend the paths, "
        "say --path-column, or audit its rows (--layout split-files)"
    )


def _index(request: Request) -> PictureIndex | None:
    """Where names are looked for that are no paths: in the folder that was named, if one was."""
    return None if request.folder is None else index_of(request, request.folder)


def _named_column(candidates: Sequence[str], heads: Sequence[Head], request: Request) -> _Column | None:
    """The column of names or ids that fits the pictures best."""
    folder = storage.parent(heads[0].path) or "."
    top = request.folder if request.folder is not None else folder
    usual = [column for column in candidates if plain(column) in (*PATH_NAMES, *ID_NAMES)]
    if request.folder is None and not (request.config.path_column or (usual and _pictures_near(request, folder))):
        return None  # files that were named: a folder is searched only for what looks like a manifest
    if not has_pictures(request, top):
        return None
    index = index_of(request, top)
    best: tuple[float, bool, str] | None = None
    for column in candidates:
        values = [value.strip() for head in heads for value in head.column(column)[:PROBED] if value and value.strip()]
        if not values or (not any(find(index, value)[0] for value in values[:5]) and column not in usual):
            continue
        share = sum(bool(find(index, value)[0]) for value in values) / len(values)
        is_usual = column in usual or request.config.path_column is not None
        enough = LEAST_FOUND if is_usual else LEAST_ID
        if share < enough or (not is_usual and len(set(values)) < LEAST_ID * len(values)):
            continue
        if best is None or (share, is_usual) > best[:2]:
            best = (share, is_usual, column)
    return None if best is None else _Column(best[2], folder, index)


def _pictures_near(request: Request, folder: str) -> bool:
    """Whether pictures lie in a folder or in one directly below it: no walk through all that lies deeper."""
    folders = ("", *sub_folders(request.inventory, folder)[:MOST_FOLDERS])
    for name in folders:
        with suppress(OSError):
            if request.inventory.folder(os.fsencode(os.path.join(folder, name))).pictures:
                return True
    return False


def _at(base: str, told: str) -> str:
    """Where a picture is that a manifest names; an address is taken in the bucket of the manifest alone."""
    if storage.is_remote(base) and storage.is_remote(told):
        return told if addresses.same_bucket(base, told) else ""
    return os.path.join(base, told)


def _likely(columns: Sequence[str]) -> list[str]:
    named = (*PATH_NAMES, *ID_NAMES)
    usual = [column for name in named for column in columns if plain(column) == name]
    return [*usual, *(column for column in columns if column not in usual)]


def _near(request: Request, head: Head, base: str) -> tuple[bytes, ...]:
    """Folders that the names of a manifest may be relative to."""
    folder = storage.parent(head.path) or "."
    folders = dict.fromkeys((folder, base, storage.parent(storage.absolute(folder))))
    return tuple(os.fsencode(request.relative(each)) for each in folders)


def _base_of(head: Head, first: Head, base: str) -> str:
    """What the paths of a manifest are relative to: its folder, or the parent of it, as those of the first are."""
    folder, of_first = (storage.parent(each.path) or "." for each in (head, first))
    if folder == of_first:
        return base
    return folder if base == of_first else storage.parent(storage.absolute(folder))


class _Entry(NamedTuple):
    """A row that names a picture: the picture, what the row means for it, and where the row is."""

    row: Row
    meaning: Mapping[str, str | None]
    number: int


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
        finder.label_rows(_named_classes(tables, classes))
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
) -> tuple[_Finder, list[pa.Table]]:
    """Look for the pictures of all rows, and keep the rows.

    Parameters
    ----------
    column : tuple
        The one that says the split, and what its values stand for.
    used : mapping of str to str
        Meaning to column.
    """
    split_column, values = column
    finder = _Finder(request, sniffed, splits)
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


def one_hot(tables: Sequence[pa.Table], columns: Sequence[str], known: Collection[str | None]) -> list[str]:
    """Columns of 0 and 1 of which nearly every row has one 1: a class each, as Roboflow exports them; none where there
    are other columns, too, as features of 0 and 1 have them.
    """
    found = []
    for name in columns:
        if name in known or plain(name) in (*PATH_NAMES, *ID_NAMES):
            continue
        cells = {cell.as_py() for table in tables if name in table.column_names for cell in table[name].unique()}
        if not {(cell or "").strip() for cell in cells} <= _BITS.keys():
            return []
        found.append(name)
    if len(found) < 2:
        return []
    labels = list(_named_classes(tables, found).values())
    return found if labels and sum(label is not None for label in labels) >= LEAST_ID * len(labels) else []


def _named_classes(tables: Sequence[pa.Table], classes: Sequence[str]) -> dict[int, str | None]:
    """The one class of each row by its number; None where a row has none or several."""
    found: dict[int, str | None] = {}
    start = 0
    for table in tables:
        cells = [table[name].to_pylist() if name in table.column_names else [None] * len(table) for name in classes]
        for at, row in enumerate(zip(*cells, strict=True), start):
            there = [name.strip() for name, cell in zip(classes, row, strict=True) if cell and _BITS.get(cell.strip())]
            found[at] = there[0] if len(there) == 1 else None
        start += len(table)
    return found


def has_boxes(columns: Sequence[str]) -> bool:
    """Whether the rows of a table are objects in pictures.

    >>> has_boxes(["filename", "class", "xmin", "ymin", "xmax", "ymax"]), has_boxes(["filename", "class"])
    (True, False)
    """
    there = set(map(plain, columns))
    return any(there.issuperset(each) for each in BOX_COLUMNS)


def _other_columns(
    tables: Sequence[pa.Table],
    order: Mapping[str, Sequence[_Entry]],
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


class _Finder:
    """Looks for the pictures that rows name: as paths first, then by name."""

    def __init__(self, request: Request, sniffed: Sniffed, splits: Sequence[str]) -> None:
        self.root = os.path.join(os.fsencode(request.base), b"")
        self.request, self.index, self.folders = request, sniffed.index, sniffed.folders
        self.first = sniffed.heads[0][1]
        self.first_base = self.base = sniffed.base
        self.prefix = self.start_of_path = b""
        self.near: tuple[bytes, ...] = ()
        self.found: dict[str, dict[bytes, list[_Entry]]] = {split: {} for split in splits}
        self._problems: list[tuple[int, Problem]] = []
        self._row = 0
        self.several: set[bytes] = set()
        self.n_by_name = self.n_outside = 0
        self.manifest, self.start = "", 0
        self._listed: dict[bytes, dict[bytes, Row]] = {}
        self._listed_in: dict[bytes, list[str]] = {}
        if sniffed.lists is not None:
            in_lists = id_lists.gather(request, sniffed.lists)[1]
            self._problems = [(-1, problem) for problem in in_lists.problems]
            for split, rows in in_lists.rows.items():
                for row, _ in rows:
                    self._listed_in.setdefault(row[0], []).append(split)
        parts = sniffed.folders.parts if sniffed.folders is not None else ()
        self._tops = [(os.fsencode(f"{request.relative(path)}/"), part.split) for part in parts for path in part.paths]

    def open(self, head: Head, start: int) -> None:
        """The rows that follow, numbered from `start`, are those of this manifest: paths are relative to its folder, or
        to the parent of it where those of the first manifest are.
        """
        self.base = _base_of(head, self.first, self.first_base)
        self.prefix = os.fsencode(self.request.relative(self.base))
        self.start_of_path = os.path.join(self.prefix, b"")
        self.near = _near(self.request, head, self.base)
        self.manifest, self.start = self.request.uri(head.path), start

    def add(self, told: str | None, split: str | None, meaning: dict[str, str | None], number: int) -> None:
        """Look for one picture; `split` is None where its folder says it."""
        self._row = number
        if not told or not told.strip():
            uri = f"{self.manifest}#{number - self.start}"
            self._problem(Problem(uri, "missing", "this row names no file", split))
            return
        row = self._look(told, split)
        if row is None:
            return
        splits = [split] if split is not None else self._listed_in.get(row[0], [])
        if split is None and not self._listed_in:
            splits = [each for top, each in self._tops if row[0].startswith(top)][:1]
        if not splits:
            self.n_outside += 1
        for each in splits:
            self.found[each].setdefault(row[0], []).append(_Entry(row, meaning, number))

    def label_rows(self, labels: Mapping[int, str | None]) -> None:
        """Give the rows labels that several columns say together."""
        for found in self.found.values():
            for path, entries in found.items():
                found[path] = [
                    entry._replace(meaning={**entry.meaning, "label": labels.get(entry.number)}) for entry in entries
                ]

    def _problem(self, problem: Problem) -> None:
        self._problems.append((self._row, problem))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order of the rows."""
        return tuple(problem for _, problem in sorted(self._problems, key=lambda each: each[0]))

    def add_unnamed(self) -> None:
        """Pictures of the split folders, or of the lists, that no row names: samples without a label."""
        for path, splits in self._listed_in.items():
            for split in splits:
                if path not in self.found[split] and self.index is not None:
                    self.found[split][path] = [_Entry(self.index.by_path[path], {}, -1)]
        for top, split in self._tops:
            rows = [] if self.index is None else self.index.listing.rows
            for row in rows:
                if row[0].startswith(top) and row[0] not in self.found[split]:
                    self.found[split][row[0]] = [_Entry(row, {}, -1)]

    def _look(self, told: str, split: str | None) -> Row | None:
        if (
            self.index is not None
            and (row := self.index.by_path.get(self.start_of_path + os.fsencode(told))) is not None
        ):
            return row  # as it is written, which nearly all are
        relative = self._relative(told)
        row = self._row_of(relative)
        if row is None and self.index is not None:
            paths, exact = find(self.index, told, self.near, split)
            if paths:
                self.n_by_name += not exact
                if len(paths) > 1:
                    self.several.add(paths[0])
                row = self.index.by_path[paths[0]]
        return row or self._status_of(relative, split)

    def _row_of(self, relative: bytes) -> Row | None:
        """A picture as the inventory lists it: its folder is read once, and no file is looked at."""
        if self.index is not None and relative in self.index.by_path:
            return self.index.by_path[relative]
        folder, _, name = relative.rpartition(b"/")
        known = self._listed.get(folder)
        if known is None:
            path = storage.join(self.root, folder) if folder or relative[:1] != b"/" else b"/"
            try:
                if self._is_elsewhere(relative):
                    raise FileNotFoundError
                listed: Folder | None = self.request.inventory.folder(path)
            except (OSError, ValueError):
                listed = None
            prefix = folder + b"/" if folder or relative[:1] == b"/" else b""
            pictures = () if listed is None else listed.pictures
            known = {each: (prefix + each, size, mtime_ns) for each, size, mtime_ns in pictures}
            self._listed[folder] = known
        return known.get(name)

    def _status_of(self, relative: bytes, split: str | None) -> Row | None:
        """What is no picture by its name, and what is not there."""
        try:
            if self._is_elsewhere(relative):
                raise FileNotFoundError
            status = storage.stat(storage.join(self.root, relative))
        except (OSError, ValueError) as error:
            self._absent(relative, split, error)
            return None
        if not stat.S_ISREG(status.st_mode):
            is_folder = stat.S_ISDIR(status.st_mode)
            reason = "a folder, not a picture" if is_folder else f"{node_kind(status.st_mode)}, not opened"
            self._problem(Problem(uri_of(relative), "unreadable", reason, split))
        elif kind_of(os.path.basename(relative)) == "media":
            suffix = uri_of(relative.rpartition(b".")[2].lower())
            self._problem(Problem(uri_of(relative), "unsupported", f"files of type .{suffix} are not read", split))
        else:
            return (relative, status.st_size, status.st_mtime_ns)
        return None

    def in_order(self, boxes: bool) -> tuple[dict[str, list[_Entry]], bool]:
        """The samples of each split by path, and whether a picture has several rows as a rule."""
        named = [entries for found in self.found.values() for entries in found.values()]
        is_long = boxes or sum(len(entries) > 1 for entries in named) > len(named) / 2
        order: dict[str, list[_Entry]] = {}
        for split, found in self.found.items():
            order[split] = []
            for path, entries in sorted(found.items()):
                if is_long:
                    label = usual_class(each for entry in entries if (each := entry.meaning.get("label")) is not None)
                    order[split].append(entries[0]._replace(meaning={**entries[0].meaning, "label": label}))
                    continue
                kept: dict[str | None, _Entry] = {}
                for entry in entries:
                    label = entry.meaning.get("label")
                    if kept and (label in kept or label is None):
                        reason = f"named more than once in {split}"
                        problem = Problem(uri_of(path), "duplicate-path", reason, split)
                        self._problems.append((entry.number, problem))
                    else:
                        kept[label] = entry
                order[split] += kept.values()
        return order, is_long

    def notes(self, samples: Sequence[_Entry], is_long: bool) -> list[str]:
        """What a person must know of rows and pictures that do not go one to one."""
        said = []
        used = {entry.row[0] for entry in samples}
        if is_long:
            n_rows = sum(len(entries) for found in self.found.values() for entries in found.values())
            said.append(f"{n_rows:,} rows name {len(samples):,} pictures: a sample is a picture.")
        elif n_twice := len(samples) - sum(map(len, self.found.values())):
            said.append(f"{n_twice:,} pictures are named again with another label: each label is a sample.")
        if self.several:
            names = [uri_of(path) for path in sorted(self.several)]
            said.append(f"Several pictures have the same name, the first by path was taken: {say_names(names)}.")
        if n_unlabelled := sum(entry.number < 0 for entry in samples):
            said.append(f"{n_unlabelled:,} pictures are in no row: they have no label.")
        if self.n_outside:
            where = "no list" if self._listed_in else "no split folder"
            said.append(f"{self.n_outside:,} rows name pictures that are in {where}; they were left out.")
        if self.index is not None:
            there = set(self.index.by_path)
        else:
            there = {row[0] for rows in self._listed.values() for row in rows.values()}
        left = there - used
        n_masks = len(left & pair_masks(sorted(there)).mask_of.keys()) if left else 0
        if n_masks:
            said.append(f"{n_masks:,} masks of pictures are labels, not samples.")
        if len(left) > n_masks:
            example = uri_of(min(left))
            said.append(f"{len(left) - n_masks:,} pictures are in no row and were not looked at ({example}, …).")
        if self.index is not None:
            named = {problem.uri for problem in self.problems}
            said += say_strays([problem for problem in self.index.listing.problems if problem.uri not in named])
        return said

    def _relative(self, told: str) -> bytes:
        if storage.is_remote(self.base):
            return self._relative_address(told.strip())
        path = os.fsencode(told.strip())
        relative: bytes = os.path.normpath(os.path.join(self.prefix, path))
        if b"\\" in relative and os.sep == "/" and not storage.lexists(os.path.join(self.root, relative)):
            relative = os.path.normpath(relative.replace(b"\\", b"/"))  # written on Windows
        return relative.replace(b"\\", b"/") if os.sep == "\\" else relative

    def _relative_address(self, told: str) -> bytes:
        try:
            address = _at(self.base, told.replace("\\", "/"))
            return os.fsencode(self.request.relative(address) if address else told)
        except FileNotFoundError:  # it leads out of the bucket
            return os.fsencode(told)

    def _is_elsewhere(self, relative: bytes) -> bool:
        """An address that is never asked for: the user did not name that bucket."""
        return storage.is_remote(relative) and not addresses.same_bucket(self.base, os.fsdecode(relative))

    def _absent(self, relative: bytes, split: str | None, error: OSError | ValueError) -> None:
        path = storage.join(self.root, relative)
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            if self._is_elsewhere(relative):
                reason = "in a bucket that the scan was not told of, not read"
                shown = addresses.shown(os.fsdecode(relative))
                self._problem(Problem(shown, "missing", reason, split))
                return
            if storage.lexists(path + b".dvc"):
                self._problem(Problem(uri_of(relative), "pointer", "DVC pointer: run dvc pull", split))
                return
            is_remote = b":/" in relative[2:]
            reason = "broken symbolic link" if storage.lexists(path) else "no such file"
            reason = "a remote address, not read" if is_remote else reason
            self._problem(Problem(uri_of(relative), "missing", reason, split))
        else:
            self._problem(Problem(uri_of(relative), "unreadable", why(error), split))


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
    bases = [_base_of(head, heads[0], sniffed.base) for head in heads]
    firsts = [[value for value in head.column(sniffed.path_column)[:PROBED] if value] for head in heads]
    named = [_at(base, value) for base, values in zip(bases, firsts, strict=True) for value in values]
    folders = dict.fromkeys(storage.parent(path) for path in named if path)
    return [*paths, *(folder for folder in folders if folder and storage.is_folder(folder))]


LAYOUT = DataLayout("manifest", sniff, load, takes)
