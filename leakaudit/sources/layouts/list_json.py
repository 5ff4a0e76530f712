"""One JSON file that lists the pictures of each split: ``split.json``.

``{"train": ["a.jpg", …], "val": …}``, with labels (``[["a.jpg", "cat"], …]``, ``{"a.jpg": "cat"}``, records), or the
split of each picture: ``{"a.jpg": "train", …}``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leakaudit.errors import InputError
from leakaudit.model import Dataset, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.layouts.id_lists import LEAST_FOUND, label_by_folder, near_folders
from leakaudit.sources.listing import display
from leakaudit.sources.names import ID_NAMES, PATH_NAMES, distinct, guess_column, guess_label, split_of
from leakaudit.sources.parts import list_folder
from leakaudit.sources.picture_index import PROBED, find, has_pictures, index_of
from leakaudit.sources.readers.files import suffix_of
from leakaudit.sources.readers.json_records import read_json
from leakaudit.sources.told import Told, look_up, told_dataset

MOST_BYTES = 64 << 20
"""A larger JSON file is no list of splits: ten million pictures."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The file, the folder in which pictures are looked for, and what is told by split."""

    path: str
    top: str
    told: Mapping[str, Sequence[Told]]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for an object whose keys are splits and whose values name pictures."""
    absent = NotThis("no JSON file that lists the pictures of each split")
    if request.folder is not None:
        names = list_folder(request.inventory, request.folder)[1]
        paths = [os.path.join(request.folder, name) for name in names if suffix_of(name) == "json"]
        top = request.folder
    else:
        paths = [path for item in request.items for path in item.paths]
        if len(paths) != 1 or suffix_of(paths[0]) != "json":
            return absent
        top = storage.parent(paths[0]) or "."
    for path in paths:
        told = _told(request, path)
        if len(told) < (1 if request.config.within else 2) or not has_pictures(request, top):
            continue
        index, near = index_of(request, top), near_folders(request, path, top)
        firsts = [list(each[:PROBED]) for each in told.values()]
        if all(_named(index, near, first) >= LEAST_FOUND * max(len(first), 1) for first in firsts):
            return Sniffed(path, top, told)
    return absent


def _named(index: Any, near: Sequence[bytes], told: Sequence[Told]) -> int:  # noqa: ANN401
    return sum(bool(find(index, each.name, near)[0]) for each in told)


def _told(request: Request, path: str) -> dict[str, list[Told]]:
    """What a file says of each split; empty where it does not."""
    try:
        if storage.stat(path).st_size > MOST_BYTES:
            return {}
        with storage.open_file(path) as file:
            if not file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
                return {}
        value = read_json(path)
    except (InputError, OSError):
        return {}
    if not isinstance(value, dict):
        return {}
    inner = value.get(next((key for key in value if key.lower() in ("split", "splits", "partition")), ""))
    value = inner if isinstance(inner, dict) else value
    splits = distinct([(key, split) for key in value if (split := split_of(key, request.config.splits))])
    told: dict[str, list[Told]] = {}
    for key, split in splits:
        told.setdefault(split, []).extend(_names(value[key]))
    if not told and value and all(isinstance(each, str) for each in value.values()):
        for name, called in value.items():
            if split := split_of(called, request.config.splits):
                told.setdefault(split, []).append(Told(name))
    order = ordered_splits(tuple(told))
    return {split: told[split] for split in order if told[split]}


def _names(value: object) -> Iterator[Told]:
    """Names, and labels where they are told, in the shapes that people write."""
    if isinstance(value, dict):
        for name, label in value.items():
            if isinstance(label, list):  # {"cat": ["a.jpg", …]}: pictures by class
                yield from (Told(each, str(name)) for each in label if isinstance(each, str))
            elif not isinstance(label, dict):
                yield Told(str(name), None if label is None else str(label))
        return
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield Told(each)
        elif isinstance(each, int) and not isinstance(each, bool):
            yield Told(str(each))
        elif isinstance(each, list) and each and isinstance(each[0], str):
            yield Told(each[0], str(each[1]) if len(each) > 1 and not isinstance(each[1], (dict, list)) else None)
        elif isinstance(each, dict):
            name = guess_column(each, (*PATH_NAMES, *ID_NAMES))
            label = guess_label(list(each))
            if name is not None and isinstance(each[name], (str, int)):
                said = each[label] if label is not None and label != name else None
                yield Told(str(each[name]), None if said is None or isinstance(said, (dict, list)) else str(said))


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find every picture that is listed.

    Raises
    ------
    InputError
        A split none of whose pictures is there.
    """
    index = index_of(request, sniffed.top)
    found = look_up(index, sniffed.told, near_folders(request, sniffed.path, sniffed.top))
    for split, rows in found.rows.items():
        if not rows:
            raise InputError(f"{display(sniffed.path)}: names no picture of {split} that is in {display(sniffed.top)}")
    said = "labels as listed"
    if all(told.label is None for rows in found.rows.values() for _, told in rows):
        said = label_by_folder(found)
    splits = ", ".join(found.rows)
    why = f"one JSON file, {request.uri(sniffed.path)}, that lists the pictures of each split: {splits}; {said}"
    return told_dataset(request, LAYOUT.name, why, index, found, where=display(sniffed.top))


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The file, and the folders of the pictures."""
    return [sniffed.path, *picture_tops(request, index_of(request, sniffed.top), sniffed.top)]


LAYOUT = DataLayout("list-json", sniff, load, takes)
