"""Lists in which a number stands for each picture (CUB-200, NABirds): ``images.txt`` says its path,
``train_test_split.txt`` whether it is in train, ``image_class_labels.txt`` its class.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Problem
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.layouts.id_lists import HEAD_BYTES, LEAST_FOUND, label_by_folder, near_folders
from leakaudit.sources.listing import display
from leakaudit.sources.name_lists import lines_of
from leakaudit.sources.parts import list_folder
from leakaudit.sources.picture_index import PROBED, find, has_pictures, index_of
from leakaudit.sources.told import Told, look_up, told_dataset

PICTURES, SPLITS, LABELS, CLASSES = "images.txt", "train_test_split.txt", "image_class_labels.txt", "classes.txt"
_SPLIT_OF = {b"1": "train", b"0": "test"}


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The folder of the lists, and which of `LABELS` and `CLASSES` are there."""

    folder: str
    labels: bool
    classes: bool


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for the lists of pictures and splits, by name and first lines."""
    absent = NotThis(f"no lists of numbers and pictures ({PICTURES}, {SPLITS})")
    if request.folder is None:
        return absent
    _, files = list_folder(request.inventory, request.folder)
    if not {PICTURES, SPLITS} <= set(files) or not has_pictures(request, request.folder):
        return absent
    index = index_of(request, request.folder)
    path = os.path.join(request.folder, PICTURES)
    near = near_folders(request, path, request.folder)
    try:
        firsts = [line.split(None, 1) for line in lines_of(path, HEAD_BYTES)[:PROBED]]
        splits = {line.split()[-1] for line in lines_of(os.path.join(request.folder, SPLITS), HEAD_BYTES)}
    except InputError:
        return absent
    found = sum(len(line) == 2 and bool(find(index, line[1], near)[0]) for line in firsts)
    if not firsts or found < LEAST_FOUND * len(firsts) or not splits <= _SPLIT_OF.keys():
        return absent
    return Sniffed(request.folder, LABELS in files, CLASSES in files)


def _table(folder: str, name: str) -> dict[bytes, bytes]:
    """What stands behind the first word of each line."""
    lines = (line.split(None, 1) for line in lines_of(os.path.join(folder, name)))
    return {line[0]: line[1] for line in lines if len(line) == 2}


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find the picture of every number.

    Raises
    ------
    InputError
        A list that cannot be read, or a split none of whose pictures is there.
    """
    folder = sniffed.folder
    pictures, splits = _table(folder, PICTURES), _table(folder, SPLITS)
    labels = _table(folder, LABELS) if sniffed.labels else {}
    names = _table(folder, CLASSES) if sniffed.classes else {}
    told: dict[str, list[Told]] = {"train": [], "test": []}
    unsaid = []
    for number, path in pictures.items():
        split = _SPLIT_OF.get(splits.get(number, b""))
        if split is None:
            unsaid.append(Problem(display(os.fsdecode(path)), "missing", f"{SPLITS} does not say its split"))
            continue
        label = labels.get(number)
        told[split].append(Told(path, None if label is None else os.fsdecode(names.get(label, label))))
    index = index_of(request, folder)
    found = look_up(index, told, near_folders(request, os.path.join(folder, PICTURES), folder))
    for split, rows in found.rows.items():
        if not rows:
            raise InputError(f"{display(folder)}: {SPLITS} puts no picture that is there into {split}")
    said = f"labels from {LABELS}" if labels else label_by_folder(found)
    why = f"lists of numbers and pictures: {PICTURES}, splits from {SPLITS} (1 is train, 0 test); {said}"
    return told_dataset(request, LAYOUT.name, why, index, found, where=display(folder), problems=unsaid)


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The lists, and the folders of the pictures."""
    names = [PICTURES, SPLITS, *([LABELS] if sniffed.labels else []), *([CLASSES] if sniffed.classes else [])]
    lists = [os.path.join(sniffed.folder, name) for name in names]
    return [*lists, *picture_tops(request, index_of(request, sniffed.folder), sniffed.folder)]


LAYOUT = DataLayout("numbered-lists", sniff, load, takes)
