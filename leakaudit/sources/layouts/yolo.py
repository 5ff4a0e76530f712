"""YOLO data sets: pictures in ``images`` folders, one text file of boxes a picture in ``labels``.

``images/<split>`` and ``labels/<split>``, ``<split>/images`` and ``<split>/labels``, or lists of pictures that
``data.yaml`` names. Where ``data.yaml`` names folders that are not there, the names of the folders decide.
The label of a picture is the most frequent class of its boxes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from leakaudit.errors import InputError
from leakaudit.model import Dataset, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import PROBED_FILES, Annotation, Finder, annotated, pictures_under, read_beside
from leakaudit.sources.inventory import Folder
from leakaudit.sources.layouts import id_lists, image_folders
from leakaudit.sources.listing import display
from leakaudit.sources.parts import Part, list_folder, say_parts
from leakaudit.sources.picture_index import has_pictures, index_of
from leakaudit.sources.readers.data_yaml import DataYaml, parse_data_yaml
from leakaudit.sources.told import Box, say_classes

MOST_YAML = 1 << 20
LEAST_LABELLED = 0.05
"""Share of the first pictures with a label file: many pictures may show nothing, but not nearly all."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Where the splits come from, what ``data.yaml`` says, and what was wrong with it."""

    source: image_folders.Sniffed | id_lists.Sniffed
    yaml: DataYaml
    yaml_path: str | None
    said: str = ""


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for ``data.yaml``, and for label files of the first pictures."""
    absent = NotThis("no YOLO label files beside the pictures (labels/*.txt, data.yaml)")
    yaml_path, yaml = _find_yaml(request)
    if yaml_path is None and request.folder is not None and not _has_text_labels(request, request.folder):
        return absent
    source, said = _source(request, yaml_path, yaml)
    if source is None:
        return absent
    if isinstance(source, image_folders.Sniffed):
        starts = [islice(pictures_under(request.inventory, part.paths), PROBED_FILES) for part in source.parts]
        firsts = [picture for start in starts for picture in start]
    else:
        base = os.path.join(os.fsencode(request.base), b"")
        rows = index_of(request, source.top).listing.rows[:PROBED_FILES]
        firsts = [storage.join(base, path) for path, _, _ in rows]
    finder = Finder(request.inventory, label_folders, b".txt")
    labels = [path for picture in firsts if (path := finder(picture)) is not None]
    if len(labels) < LEAST_LABELLED * len(firsts) or not any(map(_is_label_file, labels[:5])):
        return absent
    return Sniffed(source, yaml or DataYaml(), yaml_path, said)


def _has_text_labels(request: Request, top: str) -> bool:
    """A cheap look: text files in a folder of labels, or beside pictures, in one of the first folders."""
    for path, folder in islice(request.inventory.walk(os.fsencode(top)), PROBED_FILES):
        if not isinstance(folder, Folder) or not (folder.pictures or b"label" in path.lower()):
            continue
        if any(name.endswith(b".txt") for name, *_ in folder.others):
            return True
    return False


def _find_yaml(request: Request) -> tuple[str | None, DataYaml | None]:
    if request.folder is None:
        paths = [path for item in request.items for path in item.paths]
        named = paths if len(paths) == 1 and paths[0].lower().endswith((".yaml", ".yml")) else []
    else:
        names = list_folder(request.inventory, request.folder)[1]
        named = [os.path.join(request.folder, name) for name in names if name.lower().endswith((".yaml", ".yml"))]
    for path in named[:20]:
        try:
            with storage.open_file(path) as file:
                text = file.read(MOST_YAML).decode("utf-8", "replace")
        except OSError:
            continue
        if (found := parse_data_yaml(text)) is not None:
            return path, found
    return None, _classes_beside(request)


def _classes_beside(request: Request) -> DataYaml | None:
    """Names of classes, one a line, as Darknet (``obj.names``) and labelling tools (``classes.txt``) write them."""
    if request.folder is None:
        return None
    for name in list_folder(request.inventory, request.folder)[1]:
        if name.lower() == "classes.txt" or name.lower().endswith(".names"):
            try:
                with storage.open_file(os.path.join(request.folder, name)) as file:
                    lines = file.read(MOST_YAML).decode("utf-8", "replace").splitlines()
            except OSError:
                continue
            return DataYaml(names={str(at): line.strip() for at, line in enumerate(lines) if line.strip()})
    return None


def _source(
    request: Request, yaml_path: str | None, yaml: DataYaml | None
) -> tuple[image_folders.Sniffed | id_lists.Sniffed | None, str]:
    """The splits: as ``data.yaml`` says, else by the names of folders, else by lists."""
    said = ""
    if yaml_path is not None and yaml is not None:
        found, wrong = _as_told(request, yaml_path, yaml)
        if found is not None and not wrong:
            return found, f", as {request.uri(yaml_path)} says"
        if wrong:
            names = ", ".join(map(display, wrong))
            said = f"; {request.uri(yaml_path)} names {names}, not there: the folders were taken by their names"
    if request.folder is None and yaml_path is not None:
        return None, said
    folders = image_folders.split_folders(request)
    if isinstance(folders, image_folders.Sniffed):
        return folders, said
    lists = id_lists.sniff(request)
    return (lists, said) if isinstance(lists, id_lists.Sniffed) else (None, said)


def _as_told(
    request: Request, yaml_path: str, yaml: DataYaml
) -> tuple[image_folders.Sniffed | id_lists.Sniffed | None, list[str]]:
    """Folders or lists that ``data.yaml`` names, and the names that are not there."""
    here = storage.parent(yaml_path) or "."
    folders: list[Part] = []
    lists: list[tuple[str, str]] = []
    wrong: list[str] = []
    for split, told in yaml.splits.items():
        paths = [(each, _there(request, here, yaml.path, each)) for each in told]
        absent = [each for each, path in paths if path is None]
        if absent:
            wrong += absent if split != "test" else []  # many files name a test set that was never given away
            continue
        there = [path for _, path in paths if path is not None]
        if all(storage.is_folder(path) for path in there):
            folders.append(Part(split, tuple(there), split))
        else:
            lists += [(split, path) for path in there]
    enough = 1 if request.config.within else 2
    if len(folders) >= enough and not lists:
        order = ordered_splits([part.split for part in folders])
        return image_folders.Sniffed(tuple(sorted(folders, key=lambda part: order.index(part.split))), None), wrong
    if len({split for split, _ in lists}) >= enough and not folders:
        return id_lists.Sniffed(tuple(lists), here), wrong
    return None, wrong


def _there(request: Request, here: str, base: str, told: str) -> str | None:
    """Where a path of ``data.yaml`` leads, within what the user named; Roboflow writes one ``..`` too many."""
    if storage.is_remote(told) or "://" in told:
        return None
    bare = told.replace("\\", "/")
    while bare.startswith("../"):
        bare = bare[3:]
    for candidate in (os.path.join(here, base, told), os.path.join(here, told), os.path.join(here, bare)):
        try:
            path = storage.absolute(candidate) if storage.is_remote(candidate) else os.path.normpath(candidate)
            inside = storage.absolute(path).startswith(os.path.join(storage.absolute(here), ""))
        except FileNotFoundError:  # it leads out of the bucket
            continue
        if inside and storage.is_folder(path) and has_pictures(request, path):
            return path
        if inside and path.lower().endswith(".txt") and storage.is_file(path):
            return path
    return None


def label_folders(folder: bytes) -> list[bytes]:
    """Folders in which the label files of the pictures of a folder may lie, the likeliest first.

    >>> label_folders(b"data/images/train")
    [b'data/labels/train', b'data/images/train', b'data/images/labels/train', b'data/images/train/labels']
    """
    parts = folder.split(b"/")
    found = []
    for at in reversed(range(len(parts))):
        if parts[at].lower() in (b"images", b"imgs", b"image", b"img", b"jpegimages"):
            found.append(b"/".join((*parts[:at], b"labels", *parts[at + 1 :])))
            break
    above, _, last = folder.rpartition(b"/")
    beside = (b"/".join(filter(None, (above, b"labels", last))), os.path.join(folder, b"labels"))
    return list(dict.fromkeys((*found, folder, *beside)))


def _is_label_file(path: bytes) -> bool:
    try:
        with storage.open_file(path) as file:
            lines = file.read(4096).splitlines()
    except OSError:
        return False
    first = next((line for line in lines if line.strip()), b"")
    return not first or _row(first) is not None


def _row(line: bytes) -> tuple[str, list[float]] | None:
    """Class number and coordinates of a line; None where it is none."""
    cells = line.split()
    if len(cells) < 5 or not cells[0].replace(b".0", b"").isdigit():
        return None
    try:
        return str(int(float(cells[0]))), [float(cell) for cell in cells[1:]]
    except ValueError:
        return None


def parse_labels(data: bytes, names: dict[str, str]) -> Annotation:
    """Boxes of a label file, in shares of the picture; of a polygon, the box around it."""
    boxes, outside, bad = [], 0, ""
    for line in data.splitlines():
        if not line.strip():
            continue
        row = _row(line)
        if row is None:
            bad = "a line that is no class and box"
            continue
        number, values = row
        if len(values) > 5 and len(values) % 2 == 0:  # a polygon
            xs, ys = values[0::2], values[1::2]
            x, y, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        else:
            width, height = values[2], values[3]
            x, y = values[0] - width / 2, values[1] - height / 2
        # Labels are written with four to six digits: a box at the edge may reach out by the last of them.
        outside += min(x, y) < -0.01 or x + width > 1.01 or y + height > 1.01
        boxes.append(Box(names.get(number, number), x, y, width, height))
    return Annotation(tuple(boxes), outside, bad)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures, and read the label file of each.

    Raises
    ------
    InputError
        As the layout that the splits come from.
    """
    source = sniffed.source
    if isinstance(source, image_folders.Sniffed):
        used = {"labels", os.path.basename(sniffed.yaml_path or "")}
        source = replace(source, unused=tuple(name for name in source.unused if name not in used))
        dataset = image_folders.load(request, source)
        splits = f"one folder of pictures a split: {say_parts(source.parts)}"
    else:
        dataset = id_lists.load(request, source)
        splits = "one list of pictures a split: " + ", ".join(
            f"{split} ({request.uri(path)})" for split, path in source.lists
        )
    samples = dataset.samples
    if samples is None:
        raise InputError(f"{request.shown}: no picture")
    names = sniffed.yaml.names
    reading = read_beside(
        Finder(request.inventory, label_folders, b".txt"),
        samples.path.to_pylist(),
        lambda data: parse_labels(data, names),
    )
    numbers = {box.label for each in reading.annotations if each is not None for box in each.boxes}
    unnamed = sorted((each for each in numbers - set(names.values()) if each.isdigit()), key=int)
    notes = []
    source_of_names = request.uri(sniffed.yaml_path) if sniffed.yaml_path else "the list of classes"
    if names and unnamed:
        notes.append(
            f"{len(unnamed):,} class numbers of label files have no name in {source_of_names} "
            f"({', '.join(unnamed[:5])}{', …' if len(unnamed) > 5 else ''}): they are kept as numbers."
        )
    labelled = [each.boxes[0].label for each in reading.annotations if each is not None and each.boxes]
    said = f"YOLO, {splits}{sniffed.said}; {say_classes(sorted(set(labelled)), 'the label files')}"
    return annotated(dataset, LAYOUT.name, said, reading, files="label files", notes=notes)


def takes(request: Request, sniffed: Sniffed) -> Sequence[str]:
    """Pictures, label files, lists and ``data.yaml``."""
    source = sniffed.source
    own = [sniffed.yaml_path] if sniffed.yaml_path is not None else []
    if isinstance(source, id_lists.Sniffed):
        paths = list(id_lists.takes(request, source))
    else:
        paths = image_folders.takes(request, source)
        lists = id_lists.sniff(request) if request.folder is not None else None  # lists of the same pictures
        own += [path for _, path in lists.lists] if isinstance(lists, id_lists.Sniffed) else []
    labels = {os.fsdecode(folder) for path in paths for folder in label_folders(os.fsencode(path))[:-1]}
    return [*own, *paths, *(path for path in sorted(labels) if storage.is_folder(path))]


LAYOUT = DataLayout("yolo", sniff, load, takes)
