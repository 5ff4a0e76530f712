"""Tar shards of WebDataset: ``train-000000.tar train-000001.tar val-000000.tar``, or ``train/000000.tar``.

The split is in the name of the shard or of its folder. The label is the ``.cls`` member of a sample, or a field of its
``.json`` member. Shards are never unpacked; a picture is read as a range of bytes, here and in object storage.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from leakaudit.errors import ConfigError, InputError
from leakaudit.model import Dataset, Layout, Problem, Samples
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import entries_of, uri_of
from leakaudit.sources.names import (
    GROUP_NAMES,
    LABEL_NAMES,
    TIME_NAMES,
    distinct,
    guess_column,
    guess_label,
    plain,
    split_of,
    split_word,
)
from leakaudit.sources.parts import Part, folder_parts, in_order, item_parts, list_folder, say_names, say_parts
from leakaudit.sources.readers.tar_shards import Picture, Shard, read_shard
from leakaudit.sources.storage.members import member_path

if TYPE_CHECKING:
    pass

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
"""Compressed shards are recognised, and counted as not read."""

REMOTE_SHARDS = 8
"""Shards of object storage that are listed at the same time: one connection reads at some tens of MB/s."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Shards by split, and names beside them that were not used."""

    parts: tuple[Part, ...]
    unused: tuple[str, ...] = ()


def is_shard(name: str) -> bool:
    """Whether the extension is one of a tar file."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for tar files whose names, or whose folders' names, say the split."""
    if request.folder is None:
        parts = _named(request)
        unused: tuple[str, ...] = ()
    else:
        folders, files = list_folder(request.inventory, request.folder)
        parts, unused = _in_folder(request, request.folder, folders, files)
    if not parts:
        return NotThis("no tar shards named like splits (train-000000.tar val-000000.tar)")
    if len(parts) < 2 and not request.config.within:
        return NotThis(
            f"tar shards of one split only, {parts[0].split}: name another (val=PATTERN), or add --within", nearly=True
        )
    return Sniffed(tuple(in_order(parts)), unused)


def _named(request: Request) -> list[Part]:
    parts = []
    paths = [path for item in request.items for path in item.paths]
    if not all(_holds_shards(request, path) if storage.is_folder(path) else is_shard(path) for path in paths):
        return []
    for part in item_parts(request):
        shards = [shard for path in part.paths for shard in _shards_of(request, path)]
        parts.append(Part(part.split, tuple(shards), part.called))
    return parts


def _holds_shards(request: Request, folder: str) -> bool:
    return any(map(is_shard, entries_of(request.inventory, folder)[1]))


def _shards_of(request: Request, path: str) -> list[str]:
    if not storage.is_folder(path):
        return [path]
    return [os.path.join(path, name) for name in entries_of(request.inventory, path)[1] if is_shard(name)]


def _in_folder(
    request: Request, folder: str, folders: Sequence[str], files: Sequence[str]
) -> tuple[list[Part], tuple[str, ...]]:
    """Shards by the folders they lie in, or else by their names."""
    config = request.config
    by_folder = [
        Part(part.split, tuple(shard for path in part.paths for shard in _shards_of(request, path)), part.called)
        for part in folder_parts(folder, folders, config)
        if all(_holds_shards(request, path) for path in part.paths)
    ]
    shards = [name for name in files if is_shard(name)]
    if by_folder:
        used = {os.path.basename(os.path.dirname(path)) for part in by_folder for path in part.paths}
        return by_folder, (*(name for name in folders if name not in used), *shards)
    named: dict[tuple[str, str], list[str]] = {}
    for name in shards:
        base = re.sub(r"[-_.]?\d+(?:-of-\d+)?$", "", re.sub(r"(?i)(?:\.tar\.\w+|\.t\w+)$", "", name))
        split = split_of(name, config.splits) or split_of(base, config.splits) or split_word(base)
        if split is not None:
            named.setdefault((base, split), []).append(name)
    splits = [split for _, split in distinct(list(named))]
    parts: dict[str, list[str]] = {}
    for names, split in zip(named.values(), splits, strict=True):
        parts.setdefault(split, []).extend(names)
    used = {name for names in parts.values() for name in names}
    found = [
        Part(split, tuple(os.path.join(folder, name) for name in names), say_names(names, 2))
        for split, names in parts.items()
    ]
    return found, (*folders, *(name for name in shards if name not in used))


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures of all shards.

    Raises
    ------
    InputError
        A split without a picture.
    ConfigError
        A field told that no sample has.
    """
    config = request.config
    told = {"label": config.label, "group": config.group, "time": config.time}
    by_split = [list(_read(request, part, _keeper(told))) for part in sniffed.parts]
    for part, shards in zip(sniffed.parts, by_split, strict=True):
        if not any(shard.pictures for shard in shards):
            problem = next((problem for shard in shards for problem in shard.problems), None)
            reason = f": {problem.uri}: {problem.reason}" if problem else ""
            raise InputError(f"the split {part.split} ({say_names(part.paths, 2)}) has no picture{reason}")
    columns = _columns(told, by_split)
    splits = tuple(part.split for part in sniffed.parts)
    every = [shard for shards in by_split for shard in shards]
    n_pictures = sum(len(shard.pictures) for shard in every)
    what = ", ".join(f"{name} from {_said(column)}" for name, column in columns.items()) or "labels are unknown"
    notes = [f"Not used, beside the shards: {say_names(sniffed.unused)}."] if sniffed.unused else []
    said = f"{n_pictures:,} pictures in {len(every):,} tar shards: {say_parts(sniffed.parts)}; {what}"
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, said),
        splits=splits,
        samples=_samples(request, by_split, columns),
        problems=tuple(_problems(every)),
        n_other_files=sum(shard.n_other for shard in every),
        notes=tuple(notes),
    )


def _keeper(told: dict[str, str | None]) -> Callable[[str], bool]:
    """Which fields are kept in memory: those told, and those with usual names."""
    labels = {name for likely in LABEL_NAMES for names in likely for name in names}
    usual = labels.union(GROUP_NAMES, TIME_NAMES)

    @cache
    def keep(name: str) -> bool:
        return name in told.values() or plain(name) in usual

    return keep


def _read(request: Request, part: Part, keep: Callable[[str], bool]) -> Iterator[Shard]:
    def read(path: str) -> Shard:
        return read_shard(path, request.uri(path), part.split, keep)

    if any(map(storage.is_remote, part.paths)):
        with ThreadPoolExecutor(REMOTE_SHARDS) as pool:
            yield from pool.map(read, part.paths)
    else:
        yield from map(read, part.paths)


def _columns(told: dict[str, str | None], by_split: Sequence[Sequence[Shard]]) -> dict[str, str]:
    """The field of the samples for label, group and time."""
    pictures = (picture for shards in by_split for shard in shards for picture in shard.pictures)
    names = tuple(dict.fromkeys(name for picture in pictures for name in picture.fields))
    guessed = {
        "label": "cls" if "cls" in names else guess_label(names),
        "group": guess_column(names, GROUP_NAMES),
        "time": guess_column(names, TIME_NAMES),
    }
    for name, column in told.items():
        if column and column not in names:
            raise ConfigError(f"--{name}: no sample has a field {column!r} (usual ones: {', '.join(names) or 'none'})")
    return {name: column for name in told if (column := told[name] or guessed[name])}


def _said(column: str) -> str:
    return ".cls members" if column == "cls" else f"the field {column!r} of .json members"


def _samples(request: Request, by_split: Sequence[Sequence[Shard]], columns: dict[str, str]) -> Samples:
    import numpy as np
    import pyarrow as pa

    rows: list[tuple[int, str, bytes, Picture, int]] = []
    for split, shards in enumerate(by_split):
        mine = []
        for shard in shards:
            uri, file = request.uri(shard.path), os.fsencode(shard.path)
            for picture in shard.pictures:
                path = member_path(file, picture.start, picture.size, picture.name)
                mine.append((split, f"{uri}/{uri_of(picture.name)}", path, picture, shard.mtime_ns))
        rows += sorted(mine, key=lambda row: row[1])
    meaning = {
        name: pa.array([row[3].fields.get(column) for row in rows], pa.string()) for name, column in columns.items()
    }
    return Samples(
        uri=pa.array([row[1] for row in rows], pa.string()),
        path=pa.array([row[2] for row in rows], pa.binary()),
        split=np.array([row[0] for row in rows], dtype=np.int16),
        size=np.array([row[3].size for row in rows], dtype=np.int64),
        mtime_ns=np.array([row[4] for row in rows], dtype=np.int64),
        **meaning,
    )


def _problems(shards: Sequence[Shard]) -> list[Problem]:
    return sorted((problem for shard in shards for problem in shard.problems), key=lambda each: (each.uri, each.kind))


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The shards."""
    return [path for part in sniffed.parts for path in part.paths]


LAYOUT = DataLayout("webdataset", sniff, load, takes)
