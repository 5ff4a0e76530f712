"""One export of a labelling tool over all pictures: CVAT XML (``annotations.xml``), or Label Studio JSON.

Splits are the ``subset`` of CVAT, or else the split folders. The label of a picture is the most frequent class of its
objects and tags.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from leakaudit.errors import InputError
from leakaudit.model import Dataset, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.inventory import why
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.listing import display
from leakaudit.sources.names import split_of, split_word
from leakaudit.sources.parts import list_folder
from leakaudit.sources.picture_index import has_pictures, index_of
from leakaudit.sources.readers.json_records import read_json
from leakaudit.sources.readers.picture_notes import number
from leakaudit.sources.readers.small_xml import Element, parse_xml
from leakaudit.sources.told import Box, Told, look_up, say_classes, told_dataset, usual_class

MOST_BYTES = 1 << 30
"""A larger export is not read into memory."""
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")
"""Label Studio puts eight digits before the name of a file that was uploaded."""
_PICTURE_KEYS = ("image", "img", "image_url", "photo", "picture", "url")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The export, its tool, what it tells by split (None: folders say it), and the split folders."""

    path: str
    tool: str
    told: tuple[tuple[str | None, Told], ...]
    folders: image_folders.Sniffed | None


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for an export in the folder that was named."""
    absent = NotThis("no export of CVAT or Label Studio")
    if request.folder is None:
        return absent
    for name in list_folder(request.inventory, request.folder)[1]:
        path = os.path.join(request.folder, name)
        tool = _tool_of(path)
        if tool is None or not has_pictures(request, request.folder):
            continue
        told = tuple(_told(path, tool))
        enough = 1 if request.config.within else 2
        if len({split for split, _ in told if split}) >= enough:
            return Sniffed(path, tool, tuple(each for each in told if each[0]), None)
        folders = image_folders.split_folders(request)
        if isinstance(folders, image_folders.Sniffed) and told:
            return Sniffed(path, tool, told, folders)
    return absent


def _tool_of(path: str) -> str | None:
    lower = path.lower()
    if not lower.endswith((".xml", ".json")):
        return None
    try:
        head = storage.first_bytes(os.fsencode(path), 4096)
        if storage.stat(path).st_size > MOST_BYTES:
            return None
    except OSError:
        return None
    if lower.endswith(".xml"):
        return "CVAT" if b"<annotations" in head else None
    is_tasks = re.match(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{", head) is not None
    return (
        "Label Studio" if is_tasks and re.search(rb'"(?:annotations|completions|annotator|lead_time)"', head) else None
    )


def _told(path: str, tool: str) -> Iterator[tuple[str | None, Told]]:
    """Split and contents of every picture of an export.

    Raises
    ------
    InputError
        It cannot be read.
    """
    if tool == "CVAT":
        try:
            with storage.open_file(path) as file:
                root = parse_xml(file.read())
        except OSError as error:
            raise InputError(f"{display(path)}: {why(error)}") from error
        except ValueError as error:
            raise InputError(f"{display(path)}: {error}") from error
        for image in root.all("image"):
            boxes = tuple(_cvat_box(each) for each in image.children if "label" in each.attributes)
            name, subset = image.attributes.get("name", ""), image.attributes.get("subset", "")
            yield split_of(subset, {}) or split_word(subset), Told(name, usual_class(b.label for b in boxes), boxes)
        return
    tasks = read_json(path)
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, dict):
            one = _label_studio(task)
            if one is not None:
                yield None, one


def _cvat_box(shape: Element) -> Box:
    told = shape.attributes
    points = [pair.split(",") for pair in told.get("points", "").split(";") if "," in pair]
    xs = [number(pair[0]) for pair in points] or [number(told.get("xtl")), number(told.get("xbr"))]
    ys = [number(pair[1]) for pair in points] or [number(told.get("ytl")), number(told.get("ybr"))]
    return Box(told["label"], min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def _label_studio(task: dict[str, Any]) -> Told | None:
    """A task, whole or as ``JSON-MIN`` writes it."""
    data = task.get("data") if isinstance(task.get("data"), dict) else task
    assert isinstance(data, dict)
    address = next((data[key] for key in _PICTURE_KEYS if isinstance(data.get(key), str)), None)
    if address is None:
        return None
    name = unquote(address.partition("?")[0] if "?d=" not in address else address.partition("?d=")[2])
    name = _UPLOAD.sub("", name.replace("\\", "/").rpartition("/")[2])
    results = [
        result.get("value")
        for each in task.get("annotations") or task.get("completions") or ()
        if isinstance(each, dict)
        for result in each.get("result") or ()
        if isinstance(result, dict)
    ]
    if not results:
        results = [task.get("label"), {"choices": [task["choice"]]} if isinstance(task.get("choice"), str) else None]
    boxes = []
    for value in (one for each in results for one in (each if isinstance(each, list) else [each])):
        if isinstance(value, dict):
            classes = next((each for key, each in value.items() if key.endswith(("labels", "choices")) and each), None)
            names = [classes] if isinstance(classes, str) else classes if isinstance(classes, list) else []
            sides = (number(value.get(side)) for side in ("x", "y", "width", "height"))
            boxes += [Box(str(each), *sides) for each in names[:1]]
    return Told(name, usual_class(box.label for box in boxes), tuple(boxes))


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find the pictures of the export, or those of the split folders.

    Raises
    ------
    InputError
        A split none of whose pictures is there.
    """
    top = request.folder or "."
    index = index_of(request, top)
    if sniffed.folders is not None:
        told = image_folders.over_folders(request, sniffed.folders, [each for _, each in sniffed.told])
        said = f"split folders, labels from the {sniffed.tool} export {request.uri(sniffed.path)}"
    else:
        order = ordered_splits([split for split, _ in sniffed.told if split])
        told = {split: [each for one, each in sniffed.told if one == split] for split in order}
        said = f"a {sniffed.tool} export, {request.uri(sniffed.path)}, that says the splits: {', '.join(order)}"
    found = look_up(index, told, (os.fsencode(request.relative(top)),))
    for split, rows in found.rows.items():
        if not rows:
            raise InputError(f"the split {split} is empty: none of its pictures is in {display(top)}")
    labels = [one.label for rows in found.rows.values() for _, one in rows]
    notes = [f"{n:,} of {len(labels):,} pictures have no label in it."] if (n := labels.count(None)) else []
    classes = say_classes(labels, "the export")
    return told_dataset(request, LAYOUT.name, f"{said}; {classes}", index, found, where=display(top), notes=notes)


def takes(request: Request, sniffed: Sniffed) -> Sequence[str]:
    """The export, and the folders of the pictures."""
    if sniffed.folders is not None:
        return [sniffed.path, *image_folders.takes(request, sniffed.folders)]
    top = request.folder or "."
    return [sniffed.path, *picture_tops(request, index_of(request, top), top)]


LAYOUT = DataLayout("label-export", sniff, load, takes)
