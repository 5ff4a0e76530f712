"""Pictures of two domains, as CycleGAN has them: ``trainA``, ``trainB``, ``testA``, ``testB``; labels are domains."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.listing import holds_picture
from leakaudit.sources.names import split_of
from leakaudit.sources.parts import Part, in_order, list_folder


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The split folders, and the domain of each folder."""

    folders: image_folders.Sniffed
    domains: dict[str, str]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for two folders a split whose names end in A and B."""
    absent = NotThis("no trainA, trainB, testA, testB")
    if request.folder is None:
        return absent
    folders, _ = list_folder(request.inventory, request.folder)
    parts: dict[str, list[str]] = {}
    domains: dict[str, str] = {}
    for name in folders:
        found = re.fullmatch(r"(.+?)[-_ ]?([AB])", name)
        split = split_of(found[1], request.config.splits) if found else None
        path = os.path.join(request.folder, name)
        if found and split and holds_picture(request.inventory, path):
            parts.setdefault(split, []).append(path)
            domains[path] = found[2]
    enough = 1 if request.config.within else 2
    if len(parts) < enough or any(sorted(domains[path] for path in paths) != ["A", "B"] for paths in parts.values()):
        return absent
    said = [Part(split, tuple(paths), " + ".join(map(os.path.basename, paths))) for split, paths in parts.items()]
    unused = tuple(name for name in folders if os.path.join(request.folder, name) not in domains)
    return Sniffed(image_folders.Sniffed(tuple(in_order(said)), request.folder, unused=unused), domains)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures of each split, labelled with their domain.

    Raises
    ------
    InputError
        A split without a picture.
    """
    dataset = image_folders.load(request, sniffed.folders)
    samples = dataset.samples
    assert samples is not None
    tops = [(os.path.join(os.fsencode(path), b""), domain) for path, domain in sniffed.domains.items()]
    labels = [next((each for top, each in tops if path.startswith(top)), None) for path in samples.path.to_pylist()]
    names = ", ".join(f"{part.split} ({part.called})" for part in sniffed.folders.parts)
    said = f"two folders of pictures a split, one a domain: {names}; the label is the domain, A or B"
    return replace(
        dataset,
        layout=replace(dataset.layout, name=LAYOUT.name, why=said),
        samples=replace(samples, label=pa.array(labels, pa.string())),
    )


def takes(request: Request, sniffed: Sniffed) -> Sequence[str]:
    """The folders."""
    return image_folders.takes(request, sniffed.folders)


LAYOUT = DataLayout("two-domains", sniff, load, takes)
