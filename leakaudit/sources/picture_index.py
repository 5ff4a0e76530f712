"""Finding the pictures that lists, tables and annotations name: by path, by name, by name without ending.

Made from the inventory once for a folder: no name costs a look at the disk.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field

from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import Folder
from leakaudit.sources.kinds import data_kind, kind_of
from leakaudit.sources.listing import Listing, Row, list_pictures
from leakaudit.sources.masks import is_mask_folder
from leakaudit.sources.names import split_of, split_word

PROBED = 200
"""Names at the beginning of a list that are looked for before a layout is chosen."""


@dataclass(slots=True)
class PictureIndex:
    """All pictures under a folder.

    Parameters
    ----------
    listing : Listing
        Paths relative to `Request.base`.
    by_path : dict of bytes to Row
    by_name, by_stem : dict of bytes to list of bytes
        Paths of the pictures of a name, with and without its ending.
    """

    listing: Listing
    by_path: dict[bytes, Row]
    by_name: dict[bytes, list[bytes]] = field(default_factory=dict)
    by_stem: dict[bytes, list[bytes]] = field(default_factory=dict)


def index_of(request: Request, folder: str) -> PictureIndex:
    """The index of the pictures under a folder, made once."""
    found = request.indexes.get(folder)
    if not isinstance(found, PictureIndex):
        found = request.indexes[folder] = make_index(_listing(request, folder))
    return found


def _listing(request: Request, folder: str) -> Listing:
    """Pictures under a folder, which may lie beside or around the one that uris are relative to."""
    relative = request.relative(folder)
    if not (os.path.isabs(relative) or storage.is_remote(relative)):
        return list_pictures(request.inventory, request.base, relative)
    listing = list_pictures(request.inventory, relative)
    top = os.path.join(os.fsencode(relative), b"")
    listing.rows = [(top + path, size, mtime_ns) for path, size, mtime_ns in listing.rows]
    return listing


def has_pictures(request: Request, folder: str) -> bool:
    """Whether a picture lies under a folder, without an index of all."""
    walk = request.inventory.walk(os.fsencode(folder))
    return any(isinstance(each, Folder) and each.pictures for _, each in walk)


def make_index(listing: Listing) -> PictureIndex:
    """The index of what is listed."""
    index = PictureIndex(listing, {row[0]: row for row in listing.rows})
    for path, _, _ in listing.rows:
        name = path[path.rfind(b"/") + 1 :]
        index.by_name.setdefault(name, []).append(path)
        index.by_stem.setdefault(bare(name), []).append(path)
    return index


def bare(name: bytes) -> bytes:
    """A name without the ending of a picture or a sound: ``a.b.jpg`` becomes ``a.b``, ``a.b`` stays."""
    stem, dot, _ = name.rpartition(b".")
    return stem if dot and stem and (kind_of(name) == "picture" or data_kind(name) == "sound") else name


def find(
    index: PictureIndex, told: str | bytes, near: Sequence[bytes] = (b"",), split: str | None = None
) -> tuple[list[bytes], bool]:
    """The pictures that a name may mean; whether it is their path, from one of the folders `near`.

    A name that lies in several folders is decided by the folders that are told with it, then by the split, and masks
    come last.

    Parameters
    ----------
    told : str or bytes
        A path, a name or a stem, ``/`` or ``\\\\`` between folders.
    near : sequence of bytes
        Folders relative to `Request.base` that paths may be relative to; empty for that itself.
    split : str, optional

    Returns
    -------
    paths : list of bytes
        Empty where there is none, one where it is clear.
    exact : bool
    """
    told = (os.fsencode(told) if isinstance(told, str) else told).strip()
    if not told:
        return [], False
    for spelt in dict.fromkeys((told, told.replace(b"\\", b"/"))):
        for folder in near:
            path = posixpath.normpath(posixpath.join(folder, spelt))
            if path in index.by_path:
                return [path], True
    parts = [part for part in told.replace(b"\\", b"/").split(b"/") if part not in (b"", b".", b"..")]
    if not parts:
        return [], False
    name = parts[-1]
    paths = index.by_name.get(name) or index.by_stem.get(name) or index.by_stem.get(bare(name)) or []
    return narrowed(paths, parts[:-1], split), False


def narrowed(paths: Sequence[bytes], folders: Sequence[bytes], split: str | None) -> list[bytes]:
    """Of several pictures of one name: those in the folders that were told, in the split, that are no masks."""
    if len(paths) < 2:
        return list(paths)
    kept = list(paths)
    if folders:
        shared = [_shared_tail(path.split(b"/")[:-1], folders) for path in kept]
        kept = [path for path, n in zip(kept, shared, strict=True) if n == max(shared)]
    kept = [path for path in kept if not in_mask_folder(path)] or kept
    if split is not None:
        kept = [path for path in kept if split_of_path(path) == split] or kept
    return kept


def in_mask_folder(path: bytes) -> bool:
    """Whether a folder of the path is named like one of masks."""
    return any(is_mask_folder(os.fsdecode(part)) for part in path.split(b"/")[:-1])


def split_of_path(path: bytes) -> str | None:
    """The split that the first folder says that is named like one."""
    folders = [os.fsdecode(part) for part in path.split(b"/")[:-1]]
    whole = (split_of(each, {}) for each in folders)
    return next((split for split in whole if split), None) or next(
        (split for each in folders if (split := split_word(each))), None
    )


def _shared_tail(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    n = 0
    while n < min(len(one), len(other)) and one[-1 - n] == other[-1 - n]:
        n += 1
    return n
