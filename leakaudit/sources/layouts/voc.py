"""Pascal-VOC: ``ImageSets/Main/{train,val,test}.txt`` name the pictures in ``JPEGImages``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Layout, Problem, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import Finder, annotated, read_beside
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import Row, display, entries_of, list_pictures, make_samples
from leakaudit.sources.names import split_of
from leakaudit.sources.parts import list_folder, say_names, sub_folders
from leakaudit.sources.readers.picture_notes import parse_voc
from leakaudit.sources.told import say_classes

_LISTS = (("ImageSets", "Main"), ("ImageSets", "Segmentation"), ("ImageSets", "Layout"), ("ImageSets",))
_PICTURES = ("JPEGImages", "images", "Images")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What was recognised.

    Parameters
    ----------
    top : str
        Folder that holds ``ImageSets`` and the pictures.
    lists : tuple of (split, path)
    pictures : str
        Folder of the pictures.
    said : str
        What was made of ``trainval.txt``.
    """

    top: str
    lists: tuple[tuple[str, str], ...]
    pictures: str
    said: str


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for the id lists, here or one folder down."""
    absent = NotThis("no ImageSets/Main/*.txt beside JPEGImages (Pascal VOC)")
    if request.folder is None:
        return absent
    folders = list_folder(request.inventory, request.folder)[0]
    for top in (request.folder, *(os.path.join(request.folder, name) for name in folders)):
        inside = sub_folders(request.inventory, top)
        pictures = next((name for name in _PICTURES if name in inside), None)
        if "ImageSets" not in inside or pictures is None:
            continue
        for where in _LISTS:
            folder = os.path.join(top, *where)
            lists = {name[:-4]: os.path.join(folder, name) for name in _text_files(request, folder)}
            found = {split: path for name, path in lists.items() if (split := split_of(name, request.config.splits))}
            said = ""
            if "trainval" in lists and "train" in found:
                said = "; trainval.txt is the union of two of them and no split of its own"
            elif "trainval" in lists:
                found["train"] = lists["trainval"]
                said = "; train is trainval.txt"
            if len(found) > 1 or (found and request.config.within):
                order = ordered_splits(tuple(found))
                return Sniffed(top, tuple((split, found[split]) for split in order), os.path.join(top, pictures), said)
            if found:
                only = next(iter(found))
                return NotThis(f"only one list in {'/'.join(where)} names a split ({only}): add --within", nearly=True)
    return absent


def _text_files(request: Request, folder: str) -> list[str]:
    try:
        return [name for name in entries_of(request.inventory, folder)[1] if name.endswith(".txt")]
    except OSError:
        return []


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find the picture of every id.

    Raises
    ------
    InputError
        A list that cannot be read, or none of whose pictures is there.
    """
    listing = list_pictures(request.inventory, request.base, request.relative(sniffed.top))
    prefix = os.fsencode(request.relative(sniffed.pictures)) + b"/"
    by_id: dict[bytes, list[Row]] = {}
    pictures = [row for row in listing.rows if row[0].startswith(prefix)]
    for row in pictures:
        by_id.setdefault(row[0][len(prefix) :].rpartition(b".")[0], []).append(row)
    problems = list(listing.problems)
    rows: list[list[Row]] = []
    listed: set[bytes] = set()
    for split, path in sniffed.lists:
        found: dict[bytes, Row] = {}
        for each in read_ids(path):
            uri = request.uri(os.path.join(sniffed.pictures, os.fsdecode(each)))
            if each in found:
                problems.append(Problem(uri, "duplicate-path", f"named more than once in {split}", split))
            elif each in by_id:
                found[each] = by_id[each][0]
            else:
                problems.append(Problem(uri, "missing", f"no picture of this id in {display(sniffed.pictures)}", split))
        if not found:
            raise InputError(f"{display(path)}: names no picture that is in {display(sniffed.pictures)}")
        listed |= found.keys()
        rows.append(sorted(found.values()))
    splits = tuple(split for split, _ in sniffed.lists)
    unlisted = len(by_id.keys() - listed)
    ambiguous = sorted(os.fsdecode(each) for each in listed if len(by_id[each]) > 1)
    notes = (
        [f"{unlisted:,} pictures in {display(sniffed.pictures)} are in no list and were not looked at."]
        if unlisted
        else []
    )
    if ambiguous:
        notes.append(f"Several pictures have the same id, the first by name was taken: {say_names(ambiguous)}.")
    lists = ", ".join(f"{split} ({request.uri(path)})" for split, path in sniffed.lists)
    over = request.uri(sniffed.pictures)
    said = f"Pascal-VOC id lists over {over}: {lists}{sniffed.said}"
    dataset = Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, said),
        splits=splits,
        samples=make_samples(request.base, splits, rows),
        problems=tuple(sorted(problems, key=lambda each: (each.uri, each.kind, each.split or ""))),
        n_other_files=listing.n_other,
        notes=tuple(notes),
    )
    return _with_classes(request, dataset, os.path.join(sniffed.top, "Annotations"))


def _with_classes(request: Request, dataset: Dataset, folder: str) -> Dataset:
    """Labels and boxes from the annotations, where there are any."""
    finder = Finder(request.inventory, lambda _: (os.fsencode(folder),), b".xml")
    assert dataset.samples is not None
    paths = dataset.samples.path.to_pylist()
    said = dataset.layout.why
    if not any(finder(path) for path in paths):
        return replace(dataset, layout=replace(dataset.layout, why=f"{said}; no annotations, labels are unknown"))
    reading = read_beside(finder, paths, parse_voc)
    classes = {box.label for each in reading.annotations if each is not None for box in each.boxes}
    said = f"{said}; {say_classes(sorted(classes), 'the annotations')}"
    # Annotations of pictures that are in no list are no orphans.
    return annotated(dataset, LAYOUT.name, said, replace(reading, n_orphans=0), files="annotations")


def read_ids(path: str) -> Sequence[bytes]:
    """Ids of a list, one a line, without the ``1``, ``0`` or ``-1`` that says whether a class is present.

    Raises
    ------
    InputError
        The list cannot be read.
    """
    try:
        with storage.open_file(path) as file:
            lines = [line.strip() for line in file]
    except OSError as error:
        raise InputError(f"{display(path)}: {why(error)}") from error
    ids = []
    for line in lines:
        each, _, present = line.rpartition(b" ")
        ids.append(each.strip() if present in (b"1", b"0", b"-1") and each else line)
    return [each for each in ids if each]


def takes(_request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """Lists, pictures and annotations."""
    return (sniffed.top,)


LAYOUT = DataLayout("pascal-voc", sniff, load, takes)
