"""COCO annotations: JSON files of images, annotations and categories, one a split.

``annotations/instances_train2017.json`` over ``train2017/`` or over one folder of pictures, or
``train/_annotations.coco.json`` (Roboflow). One file without a split is used for the labels of split folders.
The label of a picture is the most frequent category of its annotations.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from leakaudit.errors import InputError
from leakaudit.model import Dataset, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import split_of, split_word
from leakaudit.sources.parts import item_parts, list_folder, say_names
from leakaudit.sources.picture_index import has_pictures, index_of
from leakaudit.sources.readers.json_records import read_json
from leakaudit.sources.told import Box, Told, look_up, say_classes, told_dataset, usual_class

FOLDERS = ("annotations", "annotation", "annots", "labels", "json", "coco")
KINDS = ("instances", "annotations", "coco", "bbox", "detection", "segmentation")
"""Words of the names of files with categories, the likeliest first; captions and key points come after."""
_FIRST_KEY = re.compile(rb'\s*\{\s*"(?:info|licenses|license|images|annotations|categories|type)"\s*:')


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Annotation files by split (None: of all), the folder with everything, and split folders where those decide."""

    files: tuple[tuple[str | None, str], ...]
    top: str
    folders: image_folders.Sniffed | None = None
    unused: tuple[str, ...] = ()


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for JSON files that begin as COCO does."""
    absent = NotThis("no COCO annotations (annotations/instances_train.json, train/_annotations.coco.json)")
    top = request.folder if request.folder is not None else _common_top(request)
    if top is None:
        return absent
    found = [(split, path) for split, path in _candidates(request) if _begins_as_coco(path)]
    if not found or not has_pictures(request, top):
        return absent
    groups: dict[str, list[tuple[str | None, str]]] = {}
    for split, path in found:
        groups.setdefault(_kind(path), []).append((split, path))
    enough = 1 if request.config.within else 2
    whole = {key: each for key, each in groups.items() if len({split for split, _ in each if split}) >= enough}
    if whole:
        key = min(whole, key=_rank)
        files = tuple((split, path) for split, path in whole[key] if split)
        order = ordered_splits([split for split, _ in files])
        files = tuple(sorted(files, key=lambda each: order.index(each[0])))
        unused = tuple(display(path) for each in groups.values() for _, path in each if (_, path) not in files)
        return Sniffed(files, top, unused=unused)
    folders = image_folders.split_folders(request)
    if isinstance(folders, NotThis):
        return absent
    key = min(groups, key=_rank)
    return Sniffed(tuple((None, path) for _, path in groups[key]), top, folders)


def _common_top(request: Request) -> str | None:
    """The folder around what was named, where that is files of JSON or folders that hold them."""
    paths = [path for item in request.items for path in item.paths]
    if all(item.is_folder for item in request.items):
        return request.root or None
    if not all(path.lower().endswith(".json") for path in paths):
        return None
    folder = request.root if storage.is_folder(request.root) else storage.parent(request.root) or "."
    if os.path.basename(storage.absolute(folder)).lower() in FOLDERS:
        return storage.parent(storage.absolute(folder))
    return folder


def _candidates(request: Request) -> Iterator[tuple[str | None, str]]:
    told = request.config.splits
    if request.folder is None:
        for part in item_parts(request) if len(request.items) > 1 or request.items[0].split else ():
            for path in part.paths:
                names = [path] if not storage.is_folder(path) else _json_names(request, path)
                yield from ((part.split, name) for name in names)
        return
    folders = list_folder(request.inventory, request.folder)[0]
    for folder in ("", *folders):
        by_folder = split_of(folder, told) or split_word(folder) if folder else None
        if folder and by_folder is None and folder.lower() not in FOLDERS:
            continue
        for path in _json_names(request, os.path.join(request.folder, folder)):
            stem = os.path.basename(path)[:-5]
            yield split_of(stem, told) or split_word(stem) or by_folder, path


def _json_names(request: Request, folder: str) -> list[str]:
    try:
        names = entries_of(request.inventory, folder)[1]
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.lower().endswith(".json")][:100]


def _begins_as_coco(path: str) -> bool:
    try:
        return _FIRST_KEY.match(storage.first_bytes(os.fsencode(path), 256).removeprefix(b"\xef\xbb\xbf")) is not None
    except OSError:
        return False


def _kind(path: str) -> str:
    """A file name without its split, years and numbers: ``instances_train2017`` is of the kind ``instances``."""
    stem = re.sub(r"\d+", "", os.path.basename(path)[:-5].lower())
    found = [word for word in re.split(r"[^a-z]+", stem) if word and not (split_of(word, {}) or split_word(word))]
    return "_".join(found) or "annotations"


def _rank(kind: str) -> tuple[int, str]:
    place = next((at for at, word in enumerate(KINDS) if word in kind), len(KINDS))
    return (place + 100 * any(word in kind for word in ("caption", "keypoint", "panoptic", "stuff")), kind)


@dataclass(slots=True)
class _Contents:
    """What one file says; counts of what is wrong in it."""

    told: list[Told] = field(default_factory=list)
    ids_twice: int = 0
    without_image: int = 0
    outside: int = 0
    n_objects: int = 0


def _read(request: Request, path: str) -> _Contents:
    value = read_json(path)
    images = value.get("images") if isinstance(value, dict) else None
    if not isinstance(images, list):
        raise InputError(f"{display(path)}: no list of images in it: no COCO annotations")
    names = {str(each.get("id")): str(each.get("name", each.get("id"))) for each in _records(value, "categories")}
    found = _Contents()
    sizes: dict[str, tuple[float, float]] = {}
    files: dict[str, str] = {}
    for each in _records(value, "images"):
        key, name = str(each.get("id")), each.get("file_name") or each.get("coco_url")
        found.ids_twice += key in files
        files.setdefault(key, str(name or ""))
        sizes.setdefault(key, (_number(each.get("width")), _number(each.get("height"))))
    boxes: dict[str, list[Box]] = {}
    seen: Counter[str] = Counter()
    for each in _records(value, "annotations"):
        key = str(each.get("image_id"))
        seen[str(each.get("id"))] += 1
        if key not in files:
            found.without_image += 1
            continue
        if "category_id" not in each:
            continue
        number = str(each["category_id"])
        box = _box(names.get(number, number), each.get("bbox"))
        boxes.setdefault(key, []).append(box)
        width, height = sizes[key]
        beyond = box.x + box.width > width + 1 or box.y + box.height > height + 1
        found.outside += min(box.x, box.y) < -1 or (width > 0 and height > 0 and beyond)
    found.ids_twice += sum(n - 1 for key, n in seen.items() if key != "None")
    near = os.fsencode(request.relative(storage.parent(path) or "."))
    for key, name in files.items():
        mine = tuple(boxes.get(key, ()))
        found.n_objects += len(mine)
        found.told.append(Told(name, usual_class(box.label for box in mine), mine, near))
    return found


def _records(value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    listed = value.get(key)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def _box(label: str, told: object) -> Box:
    values = [_number(each) for each in told] if isinstance(told, list) and len(told) == 4 else [0.0] * 4
    return Box(label, *values)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find the picture of every image that is annotated.

    Raises
    ------
    InputError
        A file that is no COCO after all, or a split none of whose pictures is there.
    """
    index = index_of(request, sniffed.top)
    contents = [(split, path, _read(request, path)) for split, path in sniffed.files]
    told: dict[str, list[Told]] = {}
    if sniffed.folders is None:
        for split, _, each in contents:
            told.setdefault(split or "", []).extend(each.told)
        splits = ", ".join(f"{split} ({request.uri(path)})" for split, path in sniffed.files)
        said = f"COCO annotations, one file a split: {splits}"
    else:
        told = image_folders.over_folders(request, sniffed.folders, [one for *_, each in contents for one in each.told])
        files = say_names([request.uri(path) for _, path in sniffed.files], 2)
        said = f"split folders, labels from COCO annotations ({files})"
    near = (os.fsencode(request.relative(sniffed.top)),)
    found = look_up(index, told, near)
    for split, rows in found.rows.items():
        if not rows:
            raise InputError(f"the split {split} is empty: none of its pictures is in {display(sniffed.top)}")
    counts = {
        "ids are there twice, the first was taken": sum(each.ids_twice for *_, each in contents),
        "annotations belong to no image of their file": sum(each.without_image for *_, each in contents),
        "boxes reach out of their picture": sum(each.outside for *_, each in contents),
    }
    notes = [f"{n:,} {what}." for what, n in counts.items() if n]
    if sniffed.unused:
        notes.append(f"Annotations that were not used: {say_names(sniffed.unused)}.")
    labels = [one.label for rows in found.rows.values() for _, one in rows]
    if n_without := labels.count(None):
        notes.append(f"{n_without:,} of {len(labels):,} pictures have no annotation: their label is unknown.")
    return told_dataset(
        request,
        LAYOUT.name,
        f"{said}; {say_classes(labels, 'the annotations')}",
        index,
        found,
        where=display(sniffed.top),
        notes=notes,
    )


def takes(request: Request, sniffed: Sniffed) -> list[str]:
    """The annotation files, used or not, and the folders of the pictures."""
    files = [path for _, path in sniffed.files]
    around = [folder for path in files if os.path.basename(folder := storage.parent(path)).lower() in FOLDERS]
    tops = picture_tops(request, index_of(request, sniffed.top), sniffed.top)
    return [*files, *around, *(image_folders.takes(request, sniffed.folders) if sniffed.folders else tops)]


LAYOUT = DataLayout("coco", sniff, load, takes)
