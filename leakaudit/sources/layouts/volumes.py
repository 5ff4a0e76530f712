"""Folders of DICOM or NIfTI files: ``train/patient1/1.dcm``, ``imagesTr/brain_001.nii.gz``. A file is a sample.

The patient that DICOM names (else the study) is the group. Volumes are compared by all their numbers, and looked at
with their slices one below the other.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.errors import InputError, MissingExtraError
from leakaudit.model import Dataset, Layout, Problem, Samples
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.inventory import why
from leakaudit.sources.layouts.image_folders import class_labels
from leakaudit.sources.listing import Listing
from leakaudit.sources.masks import is_mask_folder
from leakaudit.sources.parts import Part, folder_parts, in_order, item_parts, list_folder, say_parts
from leakaudit.sources.readers.array_pictures import LOOKED_AT, Form, channels_of, scale_of
from leakaudit.sources.readers.volumes import (
    MEMBER,
    VolumeInfo,
    VolumeKind,
    begins_as_dicom,
    read_info,
    read_numbers,
    volume_kind,
)
from leakaudit.sources.storage.inside import Slice, slice_path

NNUNET = {"imagesTr": "train", "imagesVa": "val", "imagesVal": "val", "imagesTs": "test"}
"""Folders of nnU-Net and of the Medical Segmentation Decathlon."""

MOST_OPENED = 50
"""Files without an ending that are opened before it is known what lies there."""

_LIBRARIES = {"dicom": "pydicom", "nifti": "nibabel"}


@dataclass(frozen=True, slots=True)
class _Volume:
    """A file that could be looked at."""

    path: bytes
    kind: VolumeKind
    mtime_ns: int
    info: VolumeInfo
    folder: bytes


def sniff(request: Request) -> tuple[Part, ...] | NotThis:
    """Look for split folders with such files in them."""
    nothing = NotThis("no folders of DICOM or NIfTI files named like splits")
    if request.folder is not None:
        folders, _ = list_folder(request.inventory, request.folder)
        parts = folder_parts(request.folder, folders, request.config)
        named = [(NNUNET[name], name) for name in folders if name in NNUNET]
        if len(named) > 1:
            parts = [Part(split, (os.path.join(request.folder, name),), name) for split, name in named]
    elif all(item.is_folder for item in request.items):
        parts = item_parts(request)
    else:
        return nothing
    kinds = [_kinds(request, part) for part in parts]
    if not parts or not all(kinds):
        return nothing
    for kind in sorted(set().union(*kinds)):
        if importlib.util.find_spec(_LIBRARIES[kind]) is None:
            name = {"dicom": "DICOM", "nifti": "NIfTI"}[kind]
            return NotThis(f"{name} files lie here: reading them {MissingExtraError(kind)}", nearly=True)
    if len(parts) < 2 and not request.config.within:
        return NotThis(
            f"volumes of one split only, {parts[0].split}: name another (val=FOLDER), or add --within", nearly=True
        )
    return tuple(in_order(parts))


def _kinds(request: Request, part: Part) -> set[str]:
    """What the first file of each folder of a split is."""
    found: set[str] = set()
    n_opened = 0
    for top in part.paths:
        for path, folder in request.inventory.walk(os.fsencode(top)):
            if isinstance(folder, OSError):
                continue
            for name, *_ in folder.others:
                n_opened += b"." not in name
                if b"." in name or n_opened <= MOST_OPENED:
                    found |= {kind} if (kind := _kind(path, name)) else set()
        if found:
            break
    return found


def _kind(folder: bytes, name: bytes) -> VolumeKind | None:
    """By the name; of files without an ending, as scanners write them, by the first bytes."""
    kind = volume_kind(os.fsdecode(name))
    if kind is None and b"." not in name and name != b"DICOMDIR":
        try:
            return "dicom" if begins_as_dicom(os.fsdecode(folder + name)) else None
        except OSError:
            return None
    return kind


def load(request: Request, parts: Sequence[Part]) -> Dataset:
    """Read the headers of all files, and of some their numbers: what is black and white.

    Raises
    ------
    InputError
        A split without a file that could be read.
    """
    import numpy as np
    import pyarrow as pa

    listings = [Listing(split=part.split) for part in parts]
    volumes = [_list(request, part, listing) for part, listing in zip(parts, listings, strict=True)]
    for part, found, listing in zip(parts, volumes, listings, strict=True):
        if not found:
            first = f": {listing.problems[0].uri}: {listing.problems[0].reason}" if listing.problems else ""
            raise InputError(f"the split {part.split} ({part.called}) has no volume that could be read{first}")
    flat = [volume for found in volumes for volume in found]
    low, high = _scale(flat)
    uris = [request.uri(os.fsdecode(volume.path)) for volume in flat]
    labels, said = class_labels([[volume.folder for volume in found] for found in volumes])
    groups = [volume.info.patient or volume.info.study for volume in flat]
    if labels is not None and any(groups) and _are_people(labels, groups):
        labels, said = None, "each inner folder is of one patient, labels are unknown"
    sizes = [len(found) for found in volumes]
    said = said.replace("pictures", "volumes")
    patients = "; the group is the patient, or else the study" if any(groups) else ""
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(
            LAYOUT.name,
            f"one folder of volumes a split: {say_parts(parts)}; {said.replace('pictures', 'volumes')}{patients}",
        ),
        splits=tuple(part.split for part in parts),
        samples=Samples(
            uri=pa.array(uris, pa.string()),
            path=pa.array([_address(volume, low, high) for volume in flat], pa.binary()),
            split=np.repeat(np.arange(len(sizes), dtype=np.int16), sizes),
            label=None if labels is None else pa.array(labels, pa.string()),
            group=pa.array(groups, pa.string()) if any(groups) else None,
            size=np.full(len(flat), -1, dtype=np.int64),
            mtime_ns=np.array([volume.mtime_ns for volume in flat], dtype=np.int64),
            are_files=False,
        ),
        problems=tuple(problem for listing in listings for problem in listing.problems),
        n_other_files=sum(listing.n_other for listing in listings),
    )


def _list(request: Request, part: Part, listing: Listing) -> list[_Volume]:
    """The files of a split in the order of their paths; masks beside them are none."""
    found = []
    for top in part.paths:
        for path, folder in request.inventory.walk(os.fsencode(top)):
            here = request.uri(os.fsdecode(path).rstrip("/"))
            if isinstance(folder, OSError):
                listing.problems.append(Problem(here, "unreadable", why(folder), part.split))
                continue
            below = path[len(os.path.join(os.fsencode(top), b"")) : -1]
            if any(is_mask_folder(each) for each in os.fsdecode(below).split("/") if each):
                listing.n_other += len(folder.others)
                continue
            for name, kind, reason in folder.problems:
                uri = request.uri(os.fsdecode(path + name))
                listing.problems.append(Problem(uri, kind, reason, part.split))
            for name, _, mtime_ns, _ in folder.others:
                kind_of_file = _kind(path, name)
                if kind_of_file is None:
                    listing.n_other += 1
                    continue
                try:
                    info = read_info(os.fsdecode(path + name), kind_of_file)
                    found.append(_Volume(path + name, kind_of_file, mtime_ns, info, below))
                except (OSError, ValueError) as error:
                    reason = why(error) if isinstance(error, OSError) else str(error)
                    uri = request.uri(os.fsdecode(path + name))
                    listing.problems.append(Problem(uri, "unreadable", reason, part.split))
    return sorted(found, key=lambda volume: volume.path)


def _scale(volumes: Sequence[_Volume]) -> tuple[float, float]:
    """Black and white of all, from some: they must mean the same in every split."""
    step = max(1, len(volumes) // LOOKED_AT)
    lows, highs = [], []
    for volume in volumes[::step]:
        try:
            low, high, _ = scale_of(read_numbers(os.fsdecode(volume.path), volume.kind))
        except (OSError, ValueError, MemoryError):
            continue  # counted when it is fingerprinted
        lows.append(low)
        highs.append(high)
    return (min(lows), max(highs)) if lows else (0.0, 255.0)


def _address(volume: _Volume, low: float, high: float) -> bytes:
    channels = channels_of(volume.info.shape)
    assert channels is not None  # two or three axes, as its reader gives them
    return slice_path(Slice(volume.path, f"{MEMBER}{volume.kind}", str(Form(0, channels, low, high, False)), 0))


def _are_people(labels: Sequence[str | None], groups: Sequence[str | None]) -> bool:
    """Whether each folder holds files of one patient, and no two folders those of the same."""
    pairs = {(label, group) for label, group in zip(labels, groups, strict=True) if label and group}
    return len(pairs) == len({label for label, _ in pairs})


def takes(_request: Request, parts: Sequence[Part]) -> list[str]:
    """The split folders."""
    return [path for part in parts for path in part.paths]


LAYOUT = DataLayout("volumes", sniff, load, takes)
