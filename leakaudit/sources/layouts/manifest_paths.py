"""Which column of a manifest names pictures, and what its paths are relative to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from leakaudit.errors import LayoutError
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.kinds import is_picture_name
from leakaudit.sources.layouts import id_lists, image_folders
from leakaudit.sources.listing import display
from leakaudit.sources.names import (
    ID_NAMES,
    PATH_NAMES,
    plain,
    resolve_column,
)
from leakaudit.sources.parts import sub_folders
from leakaudit.sources.picture_index import PictureIndex, find, has_pictures, index_of
from leakaudit.sources.readers.heads import Head
from leakaudit.sources.storage import addresses

PROBED = 200
"""Rows of the head whose pictures are looked for."""
LEAST_FOUND, LEAST_ID = 0.5, 0.9
"""Share of the first values of a column that must be pictures: of one with a usual name for paths or ids, and of any
other, whose values must differ as much, too: a count of 1 to 9 is no id, though 1.jpg to 9.jpg lie here."""
MOST_FOLDERS = 100
"""Folders beside a named manifest in which pictures are looked for."""


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
class PathColumn:
    """The column that names pictures, what its paths are relative to, and where its names are looked for."""

    name: str
    base: str
    index: PictureIndex | None = None


def path_column_of(heads: Sequence[Head], request: Request) -> PathColumn | None:
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
        found = {base: sum(storage.is_file(place_of(base, value)) for value in values) for base in bases}
        base = max(bases, key=lambda each: found[each])
        usual = plain(column) in PATH_NAMES or len(head.columns) == 1
        is_path = told or (values and found[base] and named >= (LEAST_FOUND if usual else LEAST_ID) * len(values))
        if is_path and found[base] >= LEAST_FOUND * len(values):
            return PathColumn(column, base, _index(request))
        if is_path or (values and plain(column) in PATH_NAMES and named >= LEAST_ID * len(values)):
            nearly.append((column, base if is_path else ""))
    by_name = _named_column(candidates, heads, request)
    if by_name is not None or not nearly:
        return by_name
    column, base = nearly[0]
    if base:
        return PathColumn(column, base, _index(request))
    raise LayoutError(
        f"{display(head.path)}: its column {column!r} names pictures, and none of the first "
        f"{len([value for value in head.column(column)[:PROBED] if value])} is in {display(folder)}: mend the paths, "
        "say --path-column, or audit its rows (--layout split-files)"
    )


def _index(request: Request) -> PictureIndex | None:
    """Where names are looked for that are no paths: in the folder that was named, if one was."""
    return None if request.folder is None else index_of(request, request.folder)


def _named_column(candidates: Sequence[str], heads: Sequence[Head], request: Request) -> PathColumn | None:
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
    return None if best is None else PathColumn(best[2], folder, index)


def _pictures_near(request: Request, folder: str) -> bool:
    """Whether pictures lie in a folder or in one directly below it: no walk through all that lies deeper."""
    folders = ("", *sub_folders(request.inventory, folder)[:MOST_FOLDERS])
    for name in folders:
        with suppress(OSError):
            if request.inventory.folder(os.fsencode(os.path.join(folder, name))).pictures:
                return True
    return False


def place_of(base: str, told: str) -> str:
    """Where a picture is that a manifest names; an address is taken in the bucket of the manifest alone."""
    if storage.is_remote(base) and storage.is_remote(told):
        return told if addresses.same_bucket(base, told) else ""
    return os.path.join(base, told)


def _likely(columns: Sequence[str]) -> list[str]:
    named = (*PATH_NAMES, *ID_NAMES)
    usual = [column for name in named for column in columns if plain(column) == name]
    return [*usual, *(column for column in columns if column not in usual)]


def near_folders(request: Request, head: Head, base: str) -> tuple[bytes, ...]:
    """Folders that the names of a manifest may be relative to."""
    folder = storage.parent(head.path) or "."
    folders = dict.fromkeys((folder, base, storage.parent(storage.absolute(folder))))
    return tuple(os.fsencode(request.relative(each)) for each in folders)


def base_of(head: Head, first: Head, base: str) -> str:
    """What the paths of a manifest are relative to: its folder, or the parent of it, as those of the first are."""
    folder, of_first = (storage.parent(each.path) or "." for each in (head, first))
    if folder == of_first:
        return base
    return folder if base == of_first else storage.parent(storage.absolute(folder))
