"""nnU-Net: ``imagesTr`` and ``imagesTs`` with masks in ``labelsTr``.

Pictures are read here, and volumes in NIfTI by `volumes`; others are recognised and named, and not read.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.kinds import data_kind
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.layouts.volumes import NNUNET as _SPLITS
from leakaudit.sources.listing import entries_of, holds_picture
from leakaudit.sources.parts import Part, list_folder, say_names
from leakaudit.sources.readers.volumes import volume_kind

_LABELS = ("labelsTr", "labelsTs", "labelsVa", "labelsVal")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The split folders, and the folders of masks."""

    folders: image_folders.Sniffed
    labels: tuple[str, ...]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for the folders by their names."""
    absent = NotThis("no imagesTr and imagesTs (nnU-Net)")
    if request.folder is None:
        return absent
    folders, _ = list_folder(request.inventory, request.folder)
    there = [name for name in _SPLITS if name in folders]
    if "imagesTr" not in there:
        return absent
    volumes = [
        os.path.join(name, each)
        for name in there
        for each in entries_of(request.inventory, os.path.join(request.folder, name))[1]
        if data_kind(os.fsencode(each)) == "volume"
    ]
    if volumes and all(volume_kind(name) == "nifti" for name in volumes):
        return NotThis("volumes, which another layout reads")
    if volumes:
        return NotThis(
            f"an nnU-Net data set of {len(volumes):,} volumes ({say_names(volumes, 1)}), which are not read: export "
            "slices as pictures (train/… test/…), or name what else is to be looked at",
            nearly=True,
        )
    parts = [
        Part(_SPLITS[name], (path,), name)
        for name in there
        if holds_picture(request.inventory, path := os.path.join(request.folder, name))
    ]
    if len(parts) < (1 if request.config.within else 2):
        return absent
    labels = tuple(name for name in _LABELS if name in folders)
    unused = tuple(name for name in folders if name not in (*there, *labels))
    return Sniffed(image_folders.Sniffed(tuple(parts), request.folder, unused=unused), labels)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures; masks are labels, not samples.

    Raises
    ------
    InputError
        A split without a picture.
    """
    dataset = image_folders.load(request, sniffed.folders)
    called = ", ".join(f"{part.split} ({part.called})" for part in sniffed.folders.parts)
    notes = [*dataset.notes]
    if sniffed.labels:
        notes.append(f"The masks in {', '.join(sniffed.labels)} are labels of pictures, not samples.")
    said = f"nnU-Net: {called}; labels are unknown"
    return replace(dataset, layout=replace(dataset.layout, name=LAYOUT.name, why=said), notes=tuple(notes))


def takes(request: Request, sniffed: Sniffed) -> Sequence[str]:
    """The folders of pictures and of masks."""
    labels = [os.path.join(request.folder or "", name) for name in sniffed.labels]
    return [*image_folders.takes(request, sniffed.folders), *labels]


LAYOUT = DataLayout("nnu-net", sniff, load, takes)
