"""Split folders of pictures with an annotation file a picture: Pascal-VOC XML, or LabelMe JSON.

The files lie beside their pictures or in a folder ``annotations`` (``xml``, ``json``, ``labels``) beside or within
theirs. The label of a picture is the most frequent class of its objects.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from leakaudit.model import Dataset
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import PROBED_FILES, Annotation, Finder, annotated, pictures_under, read_beside
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.parts import say_parts
from leakaudit.sources.readers.picture_notes import parse_labelme, parse_voc
from leakaudit.sources.told import say_classes

LEAST_ANNOTATED = 0.5
"""Share of the first pictures with a file of annotations."""
FOLDERS = (b"annotations", b"Annotations", b"annotation", b"xml", b"xmls", b"json", b"jsons", b"labels")
_FORMATS: tuple[tuple[bytes, str, Callable[[bytes], Annotation], bytes], ...] = (
    (b".xml", "Pascal-VOC", parse_voc, b"<annotation"),
    (b".json", "LabelMe", parse_labelme, b'"shapes"'),
)


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The split folders, and which of the formats lies beside the pictures."""

    folders: image_folders.Sniffed
    format: int


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for annotation files of the first pictures of split folders."""
    absent = NotThis("no annotation file a picture (VOC xml, LabelMe json) in split folders")
    folders = image_folders.split_folders(request)
    if isinstance(folders, NotThis):
        return absent
    firsts = [
        each for part in folders.parts for each in islice(pictures_under(request.inventory, part.paths), PROBED_FILES)
    ]
    for at, (ending, _, _, sign) in enumerate(_FORMATS):
        finder = Finder(request.inventory, note_folders, ending)
        found = [path for picture in firsts if (path := finder(picture)) is not None]
        if found and len(found) >= LEAST_ANNOTATED * len(firsts) and _has(found[0], sign):
            return Sniffed(folders, at)
    return absent


def _has(path: bytes, sign: bytes) -> bool:
    try:
        with storage.open_file(path) as file:
            return sign in file.read(1 << 16)
    except OSError:
        return False


def note_folders(folder: bytes) -> list[bytes]:
    """Folders in which the annotations of the pictures of a folder may lie, the likeliest first."""
    above, _, last = folder.rpartition(b"/")
    around = [os.path.join(above, name) for name in FOLDERS]
    return [
        folder,
        *(os.path.join(folder, name) for name in FOLDERS),
        *around,
        *(os.path.join(each, last) for each in around),
    ]


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures, and read the annotations of each.

    Raises
    ------
    InputError
        As `image_folders.load`.
    """
    ending, name, parse, _ = _FORMATS[sniffed.format]
    dataset = image_folders.load(request, sniffed.folders)
    assert dataset.samples is not None
    reading = read_beside(Finder(request.inventory, note_folders, ending), dataset.samples.path.to_pylist(), parse)
    classes = {box.label for each in reading.annotations if each is not None for box in each.boxes}
    said = (
        f"one folder of pictures a split: {say_parts(sniffed.folders.parts)}; "
        f"{say_classes(sorted(classes), f'the {name} files')}"
    )
    return annotated(dataset, LAYOUT.name, said, reading, files=f"{name} files")


def takes(request: Request, sniffed: Sniffed) -> Sequence[str]:
    """The split folders, and those of the annotations."""
    paths = image_folders.takes(request, sniffed.folders)
    notes = {os.fsdecode(folder) for path in paths for folder in note_folders(os.fsencode(path))}
    return [*paths, *(path for path in sorted(notes) if storage.is_folder(path))]


LAYOUT = DataLayout("picture-annotations", sniff, load, takes)
