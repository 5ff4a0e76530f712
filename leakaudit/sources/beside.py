"""Labels from small files beside the pictures: one annotation file a picture, found by its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from leakaudit.model import Columns, Dataset
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import Folder, Inventory
from leakaudit.sources.picture_index import PictureIndex, bare
from leakaudit.sources.storage.members import Range, read_ranges
from leakaudit.sources.told import Box, box_tables, usual_class

PROBED_FILES = 200
"""Pictures of which an annotation file is looked for before a layout is chosen."""
BATCH = 512
"""Annotation files that are read at once; those of objects are asked for together."""
MOST_BYTES = 16 << 20
"""An annotation of one picture that is larger is none."""


@dataclass(slots=True)
class Annotation:
    """What an annotation file says of its picture.

    Parameters
    ----------
    boxes : tuple of Box
        Also objects without a box (zero width): their class counts.
    outside : int
        Boxes that reach out of the picture.
    bad : str
        Why it could not be read; "" where it could.
    """

    boxes: tuple[Box, ...] = ()
    outside: int = 0
    bad: str = ""


@dataclass(slots=True)
class Reading:
    """What the annotation files of all samples say.

    Parameters
    ----------
    annotations : list of Annotation or None
        Aligned with the samples; None without a file.
    n_orphans : int
        Annotation files without a picture.
    """

    annotations: list[Annotation | None] = field(default_factory=list)
    n_orphans: int = 0


def pictures_under(inventory: Inventory, tops: Iterable[str]) -> Iterator[bytes]:
    """Paths of the pictures under folders, one after the other."""
    for top in tops:
        for path, folder in inventory.walk(os.fsencode(top)):
            if isinstance(folder, Folder):
                yield from (path + name for name, _, _ in sorted(folder.pictures))


def names_in(inventory: Inventory, folder: bytes, ending: bytes) -> frozenset[bytes] | set[bytes]:
    """Names of the files of an ending in a folder; none where it cannot be listed."""
    try:
        found = inventory.folder(folder)
    except OSError:
        return frozenset()
    return {name for name, *_ in found.others if name.endswith(ending)}


class Finder:
    """Looks for the annotation file of each picture; names of a folder are read from the inventory once."""

    def __init__(self, inventory: Inventory, places: Callable[[bytes], Sequence[bytes]], ending: bytes) -> None:
        self.inventory, self.places, self.ending = inventory, places, ending
        self._folders: dict[bytes, tuple[bytes, ...]] = {}
        self._names: dict[bytes, frozenset[bytes]] = {}

    def __call__(self, picture: bytes) -> bytes | None:
        """The file of a picture, or None."""
        folder = picture[: max(picture.rfind(b"/"), 0)]
        places = self._folders.get(folder)
        if places is None:
            places = self._folders[folder] = tuple(self.places(folder))
        name = bare(picture[picture.rfind(b"/") + 1 :]) + self.ending
        return next((os.path.join(place, name) for place in places if name in self._in(place)), None)

    def _in(self, folder: bytes) -> frozenset[bytes]:
        found = self._names.get(folder)
        if found is None:
            found = self._names[folder] = frozenset(names_in(self.inventory, folder, self.ending))
        return found

    @property
    def looked_in(self) -> dict[bytes, frozenset[bytes]]:
        """Names of all annotation files by folder, of the folders that were looked in."""
        return self._names


def read_beside(finder: Finder, pictures: Sequence[bytes], parse: Callable[[bytes], Annotation]) -> Reading:
    """Read the annotation file of every picture."""
    files = [finder(picture) for picture in pictures]
    known: dict[bytes, Annotation] = {}
    wanted = list(dict.fromkeys(path for path in files if path is not None))
    for at in range(0, len(wanted), BATCH):
        batch = wanted[at : at + BATCH]
        for path, data in zip(batch, _read(batch), strict=True):
            known[path] = Annotation(bad="cannot be read") if data is None else parse(data)
    n_there = sum(map(len, finder.looked_in.values()))
    return Reading([None if path is None else known[path] for path in files], max(n_there - len(wanted), 0))


def _read(paths: Sequence[bytes]) -> list[bytes | None]:
    if any(map(storage.is_remote, paths)):
        found = read_ranges([Range(path, 0, -1) for path in paths])
        return [None if isinstance(each, OSError) else each.data for each in found]
    return [_read_file(path) for path in paths]


def _read_file(path: bytes) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    return data if len(data) <= MOST_BYTES else None


def annotated(
    dataset: Dataset, name: str, said: str, reading: Reading, *, files: str, notes: Sequence[str] = ()
) -> Dataset:
    """A data set of pictures with the labels and boxes of their annotation files.

    Parameters
    ----------
    files : str
        What the annotation files are called in sentences: "label files".
    """
    samples = dataset.samples
    assert samples is not None
    classes = [None if each is None else usual_class(box.label for box in each.boxes) for each in reading.annotations]
    boxes = [() if each is None else each.boxes for each in reading.annotations]
    n_without = sum(each is None for each in reading.annotations)
    bad = [each.bad for each in reading.annotations if each is not None and each.bad]
    more = [*dataset.notes, *notes]
    if n_without:
        more.append(f"{n_without:,} of {len(classes):,} pictures have none of the {files}: their label is unknown.")
    if n_empty := sum(each is not None and not each.boxes and not each.bad for each in reading.annotations):
        more.append(f"{n_empty:,} {files} name no object: the label of these pictures is unknown.")
    if reading.n_orphans:
        more.append(f"{reading.n_orphans:,} {files} belong to no picture.")
    if bad:
        more.append(f"{len(bad):,} {files} could not be read in whole or part ({bad[0]}).")
    if outside := sum(each.outside for each in reading.annotations if each is not None):
        more.append(f"{outside:,} boxes reach out of their picture.")
    known = any(each is not None for each in classes)
    cells = {
        split: [boxes[at] for at in (samples.split == code).nonzero()[0].tolist()]
        for code, split in enumerate(dataset.splits)
    }
    return replace(
        dataset,
        layout=replace(dataset.layout, name=name, why=said),
        samples=replace(samples, label=pa.array(classes, pa.string()) if known else None),
        tables=box_tables(cells),
        columns=Columns(ignore=("boxes",)),
        notes=tuple(more),
    )


def picture_tops(request: Request, index: PictureIndex, top: str) -> list[str]:
    """The folders directly below a folder that hold its pictures; the folder itself where some lie in it."""
    base = os.fsencode(request.relative(top))
    start = len(base) + 1 if base else 0
    firsts = {path[start:].partition(b"/")[0] if b"/" in path[start:] else b"" for path in index.by_path}
    return [top] if b"" in firsts else [os.path.join(top, os.fsdecode(name)) for name in sorted(firsts)]
