"""One split alone, for ``--within``: a folder of pictures, or a table."""

from __future__ import annotations

import os
from dataclasses import dataclass

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.layouts import image_folders
from leakaudit.sources.layouts.split_column import one_table
from leakaudit.sources.listing import display, holds_picture
from leakaudit.sources.parts import Part
from leakaudit.sources.readers import head_of
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.rows import heads_dataset

ONLY = "all"
"""Name of the one split."""


@dataclass(frozen=True, slots=True)
class Table:
    """The settled table, and what was guessed about it."""

    head: Head
    said: tuple[str, ...]


def sniff(request: Request) -> image_folders.Sniffed | Table | NotThis:
    """Anything that holds samples will do, if the user wants the inside of one split."""
    within = request.config.within
    if request.folder is not None and holds_picture(request.inventory, request.folder):
        if not within:
            return NotThis(
                "pictures without splits: no folder is called train, val, test, …; name the splits (train=FOLDER "
                "val=FOLDER, --split-name FOLDER=val), or add --within to audit the inside of one set",
                nearly=True,
                unless_below=True,
            )
        return image_folders.Sniffed((Part(ONLY, (request.folder,), ONLY),))
    path = one_table(request)
    if isinstance(path, NotThis):
        return NotThis(f"no single set of pictures or rows ({path.reason})")
    if not within:
        return NotThis(
            f"{display(os.path.basename(path))} is one table, and no column of it says the split: add its partner "
            "(train=FILE test=FILE), say --split-column, or add --within to audit the inside of one set",
            nearly=True,
        )
    heads, said = settle([head_of(request, path)], request.config)
    return Table(heads[0], tuple(said))


def load(request: Request, sniffed: image_folders.Sniffed | Table) -> Dataset:
    """Everything in one split."""
    if isinstance(sniffed, image_folders.Sniffed):
        return image_folders.load(request, sniffed)
    why = "; ".join((f"one table, {request.uri(sniffed.head.path)}, as one split (--within)", *sniffed.said))
    return heads_dataset(request, LAYOUT.name, why, [(ONLY, sniffed.head)])


def takes(request: Request, sniffed: image_folders.Sniffed | Table) -> list[str]:
    """The folder of pictures, or the table."""
    if isinstance(sniffed, image_folders.Sniffed):
        return image_folders.takes(request, sniffed)
    return [sniffed.head.path]


LAYOUT = DataLayout("one-split", sniff, load, takes, lines=True, fallback=True)
