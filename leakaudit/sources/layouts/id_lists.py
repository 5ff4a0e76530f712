"""Lists of pictures, one file a split: ``splits/train.txt`` of stems, names or paths, with or without labels.

A line is a picture, or a picture and its label (``name.jpg 1``, ``name.jpg,cat``; Caffe, timm, mmpretrain), or a
picture and its mask. The lists lie in the folder itself or one folder down.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Problem, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.layouts.image_folders import class_labels
from leakaudit.sources.layouts.split_column import CODES
from leakaudit.sources.listing import display, entries_of, uri_of
from leakaudit.sources.name_lists import lines_of
from leakaudit.sources.names import distinct, split_of, split_word, words
from leakaudit.sources.parts import item_parts, list_folder, say_names, stem
from leakaudit.sources.picture_index import PROBED, PictureIndex, find, has_pictures, index_of
from leakaudit.sources.told import Found, Told, look_up, told_dataset

SUFFIXES = (".txt", ".lst", ".list", ".text")
FOLDERS = ("splits", "split", "lists", "meta", "imagesets", "filelists", "annotations", "sets", "partition", "indices")
LEAST_FOUND = 0.5
"""Share of the first names of each list that must be pictures."""
HEAD_BYTES = 1 << 16
MOST_TITLES = 2
"""Lines at the head of a list of splits that may tell what follows: a count, names of columns."""
_FOLD = re.compile(r"(?:fold|split|cv)s?[-_ ]?\d{1,2}")
MOST_LEVELS = 3
_PARTS = re.compile(r"(?i)partition|split|eval")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Lists by split, the folder in which pictures are looked for, and how the lists were called.

    Of one list whose fields say the split of each picture (``1.jpg 0``, ``1.jpg val``) the split is "".
    """

    lists: tuple[tuple[str, str], ...]
    top: str
    unused: tuple[str, ...] = ()
    fields_are_splits: bool = False


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for lists whose first lines name pictures."""
    absent = NotThis("no lists of pictures named like splits (train.txt val.txt)")
    if request.folder is None:
        return _sniff_items(request, absent)
    folders, files = list_folder(request.inventory, request.folder)
    here = [(request.folder, files)]
    for name in folders:
        if name.lower() in FOLDERS:
            inner = os.path.join(request.folder, name)
            here += _with_inner(request, inner)
    enough = 1 if request.config.within else 2
    for folder, names in here:
        lists = named_lists(names, request)
        if len({split for _, split in lists}) < enough or not has_pictures(request, request.folder):
            continue
        index = index_of(request, request.folder)
        found = [(split, os.path.join(folder, name)) for name, split in lists]
        good = [(split, path) for split, path in found if _names_pictures(request, index, path, request.folder)]
        if len({split for split, _ in good}) >= enough:
            order = ordered_splits([split for split, _ in good])
            unused = tuple(display(path) for each, path in found if (each, path) not in good)
            return Sniffed(tuple(sorted(good, key=lambda each: order.index(each[0]))), request.folder, unused)
    for folder, names in here:
        if (found_list := _list_of_splits(request, folder, names)) is not None:
            return Sniffed((("", found_list),), request.folder, (), fields_are_splits=True)
    return absent


def _list_of_splits(request: Request, folder: str, names: Sequence[str]) -> str | None:
    """The one list whose name says that it parts the pictures, and whose fields do (CelebA, DeepFashion)."""
    named = [name for name in names if name.lower().endswith(SUFFIXES) and _PARTS.search(stem(name))]
    if not named or request.folder is None or not has_pictures(request, request.folder):
        return None
    index = index_of(request, request.folder)
    good = []
    for path in (os.path.join(folder, name) for name in named):
        if not _names_pictures(request, index, path, request.folder):
            continue
        near = near_folders(request, path, request.folder)
        fields = {told.label for told in read_list(path, index, near) if told.label}
        if len(set(filter(None, map(_split_of_field, fields)))) > 1 and all(map(_split_of_field, fields)):
            good.append(path)
    return good[0] if len(good) == 1 else None


def _split_of_field(field: str) -> str | None:
    return split_of(field, {}) or CODES.get(field)


def _with_inner(request: Request, folder: str) -> list[tuple[str, list[str]]]:
    try:
        folders, files = entries_of(request.inventory, folder)
    except OSError:
        return []
    below = [(folder, files)]
    for name in folders:
        inner = os.path.join(folder, name)
        try:
            below.append((inner, entries_of(request.inventory, inner)[1]))
        except OSError:
            continue
    return below


def named_lists(names: Sequence[str], request: Request) -> list[tuple[str, str]]:
    """Lists and their splits: by whole names where two are, else by a word of them."""
    told = request.config.splits
    texts = [name for name in names if name.lower().endswith(SUFFIXES)]
    whole = [(name, split) for name in texts if (split := split_of(name, told) or split_of(stem(name), told))]
    by_word = [(name, split) for name in texts if (split := split_of(stem(name), told) or split_word(stem(name)))]
    named = whole if len(whole) > 1 else by_word
    if named and "train" not in {split for _, split in named}:  # train_val_list.txt beside test_list.txt
        named = [*named, *((name, "train") for name in texts if {"train", "val"} <= set(words(stem(name))))]
    splits = [split for _, split in distinct([(stem(name), split) for name, split in named])]
    return list(zip((name for name, _ in named), splits, strict=True))


def _sniff_items(request: Request, absent: NotThis) -> Sniffed | NotThis:
    paths = [path for item in request.items for path in item.paths]
    if any(item.is_folder for item in request.items) or not all(path.lower().endswith(SUFFIXES) for path in paths):
        return absent
    if len(paths) < 2 and not (request.config.within and request.items[0].split):
        return absent
    parts = item_parts(request)
    lists = tuple((part.split, path) for part in parts for path in part.paths)
    for top in _tops(_folder(paths[0])):
        index = index_of(request, top)
        if index.by_path and all(_names_pictures(request, index, path, top) for path in paths):
            return Sniffed(lists, top)
    return absent


def _tops(folder: str) -> list[str]:
    """A folder of lists, and those around it as long as their names say that they hold lists: the pictures lie in
    another folder beside them.
    """
    tops = [folder]
    while len(tops) <= MOST_LEVELS and _is_list_folder(tops[-1]):
        tops.append(storage.parent(storage.absolute(tops[-1])))
    return tops


def _is_list_folder(folder: str) -> bool:
    folder = storage.absolute(folder)
    name = os.path.basename(folder).lower()
    around = os.path.basename(os.path.dirname(folder)).lower()
    return name in FOLDERS or around == "imagesets" or _FOLD.fullmatch(name) is not None


def _folder(path: str) -> str:
    return storage.parent(path) or "."


def _names_pictures(request: Request, index: PictureIndex, path: str, top: str) -> bool:
    try:
        lines = lines_of(path, HEAD_BYTES)[:PROBED]
    except InputError:
        return False
    near = near_folders(request, path, top)
    named = sum(parse_line(line, index, near) is not None for line in lines)
    return bool(lines) and named >= LEAST_FOUND * len(lines)


def near_folders(request: Request, path: str, top: str) -> tuple[bytes, ...]:
    """Folders that the names in a list may be relative to: that of the list, and those around it up to the top."""
    folders = dict.fromkeys((_folder(path), storage.parent(storage.absolute(_folder(path))), top))
    return tuple(os.fsencode(request.relative(folder)) for folder in folders)


def parse_line(line: bytes, index: PictureIndex, near: Sequence[bytes]) -> Told | None:
    """The picture and the label of a line; None where no part of it names a picture.

    The line may be a picture (spaces and all), a picture and a label behind the last blank or comma, a picture and more
    fields (several labels, a mask), or fields of which only the first is a picture.
    """
    whole, is_path = find(index, line, near)
    if whole and (is_path or not _is_several_names(line)):
        return Told(line)
    for separator in (rb"[\t,;]\s*", rb"\s+"):
        first, *rest = re.split(separator, line)
        if rest and first and find(index, first, near)[0]:
            fields = [each for each in rest if each]
            return Told(first, _label(fields, index, near))
    head, _, last = line.rpartition(b" ")
    return Told(head.strip(), _text(last)) if head and find(index, head.strip(), near)[0] else None


def _is_several_names(line: bytes) -> bool:
    """Whether a line begins with the name of a picture and more follows, such as the path of its mask."""
    first, *rest = line.split(None, 1)
    return bool(rest) and kind_of(first.rpartition(b"/")[2]) == "picture"


def _label(fields: Sequence[bytes], index: PictureIndex, near: Sequence[bytes]) -> str | None:
    """The fields behind a name as one label, but for those that name a picture: a mask."""
    kept = [each for each in fields if not (b"." in each and find(index, each, near)[0])]
    return " ".join(map(_text, kept)) or None


def _text(field: bytes) -> str:
    return field.decode("utf-8", "backslashreplace")


def read_list(path: str, index: PictureIndex, near: Sequence[bytes]) -> Iterator[Told]:
    """All lines of a list.

    Raises
    ------
    InputError
        It cannot be read.
    """
    for line in lines_of(path):
        told = parse_line(line, index, near)
        if told is not None:
            yield told
        else:
            first, *rest = re.split(rb"[\t,;]\s*|\s+", line)
            yield Told(first if rest else line)


def splits_in(request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """The splits that the lists say.

    Raises
    ------
    InputError
        As `gather`.
    """
    if sniffed.fields_are_splits:
        return tuple(gather(request, sniffed)[1].rows)
    return ordered_splits([split for split, _ in sniffed.lists])


def gather(request: Request, sniffed: Sniffed) -> tuple[PictureIndex, Found]:
    """All pictures of all lists.

    Raises
    ------
    InputError
        A list none of whose pictures is there.
    """
    index = index_of(request, sniffed.top)
    told: dict[str, list[Told]] = {}
    unsaid: list[Problem] = []
    for split, path in sniffed.lists:
        near = near_folders(request, path, sniffed.top)
        lines = read_list(path, index, near)
        if not sniffed.fields_are_splits:
            told.setdefault(split, []).extend(lines)
            continue
        for number, each in enumerate(lines):
            if (at := _split_of_field(each.label or "")) is not None:
                told.setdefault(at, []).append(each._replace(label=None))
            elif number >= MOST_TITLES:
                name = each.name if isinstance(each.name, bytes) else os.fsencode(each.name)
                unsaid.append(Problem(uri_of(name), "missing", "the list does not say its split"))
    told = {split: told[split] for split in ordered_splits(tuple(told))}
    near = near_folders(request, sniffed.lists[0][1], sniffed.top)
    found = look_up(index, told, near)
    found.problems += unsaid
    path = sniffed.lists[0][1]
    for split in found.rows:
        path = next((each for name, each in sniffed.lists if name == split), path)
        if not found.rows[split]:
            raise InputError(f"{display(path)}: names no picture that is in {display(sniffed.top)}")
    return index, found


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find the picture of every line.

    Raises
    ------
    InputError
        As `gather`.
    """
    index, found = gather(request, sniffed)
    flat = [told for rows in found.rows.values() for _, told in rows]
    said = "labels are the fields behind the names"
    if all(told.label is None for told in flat):
        said = label_by_folder(found)
    lists = ", ".join(f"{split} ({request.uri(path)})" for split, path in sniffed.lists)
    parts = f"one list of pictures a split: {lists}"
    if sniffed.fields_are_splits:
        parts = f"a list, {request.uri(sniffed.lists[0][1])}, says the split of each picture: {', '.join(found.rows)}"
    notes = [f"Lists that name no pictures were not used: {say_names(sniffed.unused)}."] if sniffed.unused else []
    return told_dataset(
        request,
        LAYOUT.name,
        f"{parts}; {said}",
        index,
        found,
        where=display(sniffed.top),
        notes=notes,
    )


def label_by_folder(found: Found) -> str:
    """Label pictures by the folders in which they lie, where these are classes; what was made of them, in words."""
    inner = [[row[0][: max(row[0].rfind(b"/"), 0)] for row, _ in rows] for rows in found.rows.values()]
    labels, said = class_labels(inner)
    if labels is not None and _are_splits(labels, [len(rows) for rows in found.rows.values()]):
        return "each inner folder is of one split, their names are not taken for labels"
    if labels is not None:
        left = iter(labels)
        for split, rows in found.rows.items():
            found.rows[split] = [(row, told._replace(label=next(left))) for row, told in rows]
    return said


def _are_splits(labels: Sequence[str | None], sizes: Sequence[int]) -> bool:
    """Whether no folder holds pictures of two splits: it then says more of the split than of a class."""
    seen: set[str | None] = set()
    at = 0
    for size in sizes:
        here = set(labels[at : at + size])
        if here & seen:
            return False
        seen |= here
        at += size
    return len(sizes) > 1


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The lists, and the folders of the pictures."""
    return [*(path for _, path in sniffed.lists), *picture_tops(request, index_of(request, sniffed.top), sniffed.top)]


LAYOUT = DataLayout("id-lists", sniff, load, takes)
