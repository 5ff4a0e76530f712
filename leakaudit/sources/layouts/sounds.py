"""Folders of sounds: ``train/cat/1.wav``, with the same rules for splits and classes as folders of pictures."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Layout, Problem
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.inventory import Inventory, why
from leakaudit.sources.kinds import data_kind
from leakaudit.sources.layouts.image_folders import class_labels
from leakaudit.sources.listing import Listing, Row, make_samples
from leakaudit.sources.parts import Part, folder_parts, in_order, item_parts, list_folder, say_parts


def sniff(request: Request) -> tuple[Part, ...] | NotThis:
    """Look for split folders with sounds in them."""
    nothing = NotThis("no folders of sounds named like splits")
    if request.folder is None:
        paths = [path for item in request.items for path in item.paths]
        if not all(_holds_sound(request.inventory, path) for path in paths):
            return nothing
        parts = item_parts(request)
    else:
        folders, _ = list_folder(request.inventory, request.folder)
        parts = [
            part
            for part in folder_parts(request.folder, folders, request.config)
            if _holds_sound(request.inventory, part.paths[0])
        ]
        if not parts and request.config.within and _holds_sound(request.inventory, request.folder):
            parts = [Part("all", (request.folder,), "all")]
    if not parts:
        return nothing
    if len(parts) < 2 and not request.config.within:
        return NotThis(
            f"sounds of one split only, {parts[0].split}: name another (val=FOLDER), or add --within", nearly=True
        )
    return tuple(in_order(parts))


def _holds_sound(inventory: Inventory, path: str) -> bool:
    if not storage.is_folder(path):
        return data_kind(os.fsencode(path)) == "sound"
    for _, folder in inventory.walk(os.fsencode(path)):
        if not isinstance(folder, OSError) and any(data_kind(name) == "sound" for name, *_ in folder.others):
            return True
    return False


def load(request: Request, parts: Sequence[Part]) -> Dataset:
    """List the sounds of every split.

    Raises
    ------
    InputError
        A split without a sound that could be listed.
    """
    listings = [_list_part(request, part) for part in parts]
    for part, listing in zip(parts, listings, strict=True):
        if not listing.rows:
            raise InputError(f"the split {part.split} ({part.called}) is empty: no sounds in it")
    inner = [
        [_below(request, part, row) for row in listing.rows] for part, listing in zip(parts, listings, strict=True)
    ]
    labels, said = class_labels(inner)
    said = said.replace("pictures", "sounds")
    splits = tuple(part.split for part in parts)
    return Dataset(
        root=request.shown,
        kind="file",
        layout=Layout(LAYOUT.name, f"one folder of sounds a split: {say_parts(parts)}; {said}; {how_compared()}"),
        splits=splits,
        samples=make_samples(request.base, splits, [listing.rows for listing in listings], labels),
        problems=tuple(problem for listing in listings for problem in listing.problems),
        n_other_files=sum(listing.n_other for listing in listings),
    )


def how_compared() -> str:
    """What of sounds is compared: that hangs on what is installed."""
    if importlib.util.find_spec("soundfile") is None:
        return "compared by their bytes (by what they hold, too: pip install 'leakaudit[audio]')"
    return "compared by their bytes and by what they hold"


def _list_part(request: Request, part: Part) -> Listing:
    found = Listing(split=part.split)
    for path in part.paths:
        if storage.is_folder(path):
            _list_folder(request, path, found)
            continue
        relative = os.fsencode(request.relative(path))
        try:
            status = storage.stat(path)
            found.rows.append((relative, status.st_size, status.st_mtime_ns))
        except OSError as error:
            found.problems.append(Problem(request.uri(path), "unreadable", why(error), part.split))
    found.rows.sort()
    found.problems.sort(key=lambda each: (each.uri, each.kind))
    return found


def _list_folder(request: Request, top: str, found: Listing) -> None:
    for path, folder in request.inventory.walk(os.fsencode(top)):
        prefix = os.fsencode(request.relative(os.fsdecode(path)))
        prefix = prefix + b"/" if prefix and not prefix.endswith(b"/") else prefix
        if isinstance(folder, OSError):
            known = isinstance(folder, FileExistsError)
            found.add(
                prefix[:-1] or b".", "unreadable", why(folder) if known else f"folder cannot be listed: {why(folder)}"
            )
            continue
        for name, size, mtime_ns, _ in folder.others:
            if data_kind(name) == "sound":
                found.rows.append((prefix + name, size, mtime_ns))
            else:
                found.n_other += 1
        found.n_other += folder.n_skipped + len(folder.pictures)
        for name, kind, reason in folder.problems:
            found.add(prefix + name, kind, reason)


def _below(request: Request, part: Part, row: Row) -> bytes:
    """The folder of a sound relative to its split folder."""
    folder = row[0][: row[0].rfind(b"/") + 1]
    for path in part.paths:
        top = os.fsencode(f"{relative}/" if (relative := request.relative(path)) else "")
        if storage.is_folder(path) and folder.startswith(top):
            return folder[len(top) : -1]
    return b""


def takes(_request: Request, parts: Sequence[Part]) -> list[str]:
    """The split folders."""
    return [path for part in parts for path in part.paths]


LAYOUT = DataLayout("sounds", sniff, load, takes)
