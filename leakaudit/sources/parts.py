"""Which folder or file is which split, by what the user said or by its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.model import ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import Inventory, why
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import canonical, distinct, split_of, split_word

COMPRESSED = (".gz", ".zst", ".gzip", ".zstd", ".bz2", ".xz")


@dataclass(frozen=True, slots=True)
class Part:
    """Folders or files that make up one split.

    Parameters
    ----------
    split : str
    paths : tuple of str
        Sorted.
    called : str
        The name on which the split was recognised, as people read it.
    """

    split: str
    paths: tuple[str, ...]
    called: str


def list_folder(inventory: Inventory, folder: str) -> tuple[list[str], list[str]]:
    """Names of the folders and the files directly in a folder the user named.

    Raises
    ------
    InputError
        It cannot be listed, or holds nothing.
    """
    try:
        folders, files = entries_of(inventory, folder)
    except OSError as error:
        raise InputError(f"{display(folder)}: {why(error)}") from error
    if not folders and not files:
        pointer = ": run dvc pull, only its DVC pointer has content" if storage.lexists(f"{folder}.dvc") else ""
        raise InputError(f"{display(folder)}: an empty folder{pointer}")
    return folders, files


def sub_folders(inventory: Inventory, folder: str) -> list[str]:
    """Sorted names of the folders in a folder; none where it cannot be listed."""
    try:
        return entries_of(inventory, folder)[0]
    except OSError:
        return []


def stem(name: str) -> str:
    """A file name without its extensions of format and compression.

    >>> stem("data-test.jsonl.gz"), stem("train.v2.csv")
    ('data-test', 'train.v2')
    """
    lower = name.lower()
    for ending in COMPRESSED:
        if lower.endswith(ending):
            name = name[: -len(ending)]
            break
    return name.rpartition(".")[0] or name


def folder_parts(folder: str, names: Sequence[str], config: Config) -> list[Part]:
    """The folders among `names` that are called like splits; none, or one a split.

    Whole names go first (``Validation``); where fewer than two are found, one word of the name is enough
    (``train2017``, ``asl_alphabet_test``), if one of them is a training split.
    """
    whole = [(name, split) for name in names if (split := split_of(name, config.splits))]
    by_word = [(name, split) for name in names if (split := split_of(name, config.splits) or split_word(name))]
    found = distinct(whole)
    if len(whole) < 2 <= len(by_word) and "train" in {split for _, split in by_word}:
        found = by_word  # train-clean-100 and train-other-500 are both train, as are DIV2K_train_HR and _LR
    named: dict[str, list[str]] = {}
    for name, split in found:
        named.setdefault(split, []).append(name)
    return [
        Part(split, tuple(os.path.join(folder, name) for name in each), " + ".join(map(display, each)))
        for split, each in named.items()
    ]


def item_parts(request: Request) -> list[Part]:
    """What the user pointed at, by split; several items of one split are put together.

    Raises
    ------
    LayoutError
        An item whose split neither the user nor its name says.
    """
    config = request.config
    merged: dict[str, list[str]] = {}
    called: dict[str, list[str]] = {}
    for item in request.items:
        told = canonical(config.splits.get(item.split, item.split)) if item.split else None
        name = item.name if item.is_folder else stem(item.name)
        split = told or split_of(item.name, config.splits) or split_of(name, config.splits) or split_word(name)
        if split is None:
            raise LayoutError(
                f"{display(item.given)}: its name does not say which split it is; "
                f"say it: train={display(item.given)} (or val=, test=, any name=)"
            )
        merged.setdefault(split, []).extend(item.paths)
        called.setdefault(split, []).append(f"{item.split}=" if item.split else display(item.name))
    return [Part(split, tuple(merged[split]), " + ".join(called[split])) for split in ordered_splits(tuple(merged))]


def absent_data(names: Sequence[str], config: Config) -> list[tuple[str, str]]:
    """Names and splits of which only the DVC pointer is in a folder, of all `names` of folders and files in it."""
    pointed = [name[:-4] for name in names if name.endswith(".dvc") and name[:-4] not in names]
    found = ((name, split_of(name, config.splits) or split_of(stem(name), config.splits)) for name in pointed)
    return [(name, split) for name, split in found if split]


def in_order(parts: Sequence[Part]) -> list[Part]:
    """Train, val, test, then the others by name."""
    order = ordered_splits([part.split for part in parts])
    return sorted(parts, key=lambda part: order.index(part.split))


def say_parts(parts: Sequence[Part]) -> str:
    """Split names, and what they were called where that differs.

    >>> say_parts([Part("train", (), "train"), Part("val", (), "dev")])
    "train, val (from 'dev')"
    """
    return ", ".join(
        part.split if part.called in (part.split, f"{part.split}=") else f"{part.split} (from {part.called!r})"
        for part in in_order(parts)
    )


def say_names(names: Sequence[str], most: int = 5) -> str:
    """A list of names for a sentence, capped, with its total."""
    shown = ", ".join(display(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"
