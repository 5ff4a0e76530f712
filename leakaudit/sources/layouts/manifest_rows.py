"""The pictures that the rows of manifests name: looked for as paths first, then by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leakaudit.model import Problem
from leakaudit.sources import storage
from leakaudit.sources.base import Request
from leakaudit.sources.inventory import Folder, node_kind, why
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.layouts import id_lists
from leakaudit.sources.layouts.manifest_paths import Sniffed, base_of, near_folders, place_of
from leakaudit.sources.listing import Row, say_strays, uri_of
from leakaudit.sources.masks import pair_masks
from leakaudit.sources.parts import say_names
from leakaudit.sources.picture_index import find
from leakaudit.sources.readers.heads import Head
from leakaudit.sources.storage import addresses
from leakaudit.sources.told import usual_class


class Entry(NamedTuple):
    """A row that names a picture: the picture, what the row means for it, and where the row is."""

    row: Row
    meaning: Mapping[str, str | None]
    number: int


class Finder:
    """Looks for the pictures that rows name: as paths first, then by name."""

    def __init__(self, request: Request, sniffed: Sniffed, splits: Sequence[str]) -> None:
        self.root = os.path.join(os.fsencode(request.base), b"")
        self.request, self.index, self.folders = request, sniffed.index, sniffed.folders
        self.first = sniffed.heads[0][1]
        self.first_base = self.base = sniffed.base
        self.prefix = self.start_of_path = b""
        self.near: tuple[bytes, ...] = ()
        self.found: dict[str, dict[bytes, list[Entry]]] = {split: {} for split in splits}
        self._problems: list[tuple[int, Problem]] = []
        self._row = 0
        self.several: set[bytes] = set()
        self.n_by_name = self.n_outside = 0
        self.manifest, self.start = "", 0
        self._listed: dict[bytes, dict[bytes, Row]] = {}
        self._listed_in: dict[bytes, list[str]] = {}
        if sniffed.lists is not None:
            in_lists = id_lists.gather(request, sniffed.lists)[1]
            self._problems = [(-1, problem) for problem in in_lists.problems]
            for split, rows in in_lists.rows.items():
                for row, _ in rows:
                    self._listed_in.setdefault(row[0], []).append(split)
        parts = sniffed.folders.parts if sniffed.folders is not None else ()
        self._tops = [(os.fsencode(f"{request.relative(path)}/"), part.split) for part in parts for path in part.paths]

    def open(self, head: Head, start: int) -> None:
        """The rows that follow, numbered from `start`, are those of this manifest: paths are relative to its folder, or
        to the parent of it where those of the first manifest are.
        """
        self.base = base_of(head, self.first, self.first_base)
        self.prefix = os.fsencode(self.request.relative(self.base))
        self.start_of_path = os.path.join(self.prefix, b"")
        self.near = near_folders(self.request, head, self.base)
        self.manifest, self.start = self.request.uri(head.path), start

    def add(self, told: str | None, split: str | None, meaning: dict[str, str | None], number: int) -> None:
        """Look for one picture; `split` is None where its folder says it."""
        self._row = number
        if not told or not told.strip():
            uri = f"{self.manifest}#{number - self.start}"
            self._problem(Problem(uri, "missing", "this row names no file", split))
            return
        row = self._look(told, split)
        if row is None:
            return
        splits = [split] if split is not None else self._listed_in.get(row[0], [])
        if split is None and not self._listed_in:
            splits = [each for top, each in self._tops if row[0].startswith(top)][:1]
        if not splits:
            self.n_outside += 1
        for each in splits:
            self.found[each].setdefault(row[0], []).append(Entry(row, meaning, number))

    def label_rows(self, labels: Mapping[int, str | None]) -> None:
        """Give the rows labels that several columns say together."""
        for found in self.found.values():
            for path, entries in found.items():
                found[path] = [
                    entry._replace(meaning={**entry.meaning, "label": labels.get(entry.number)}) for entry in entries
                ]

    def _problem(self, problem: Problem) -> None:
        self._problems.append((self._row, problem))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order of the rows."""
        return tuple(problem for _, problem in sorted(self._problems, key=lambda each: each[0]))

    def add_unnamed(self) -> None:
        """Pictures of the split folders, or of the lists, that no row names: samples without a label."""
        for path, splits in self._listed_in.items():
            for split in splits:
                if path not in self.found[split] and self.index is not None:
                    self.found[split][path] = [Entry(self.index.by_path[path], {}, -1)]
        for top, split in self._tops:
            rows = [] if self.index is None else self.index.listing.rows
            for row in rows:
                if row[0].startswith(top) and row[0] not in self.found[split]:
                    self.found[split][row[0]] = [Entry(row, {}, -1)]

    def _look(self, told: str, split: str | None) -> Row | None:
        if (
            self.index is not None
            and (row := self.index.by_path.get(self.start_of_path + os.fsencode(told))) is not None
        ):
            return row  # as it is written, which nearly all are
        relative = self._relative(told)
        row = self._row_of(relative)
        if row is None and self.index is not None:
            paths, exact = find(self.index, told, self.near, split)
            if paths:
                self.n_by_name += not exact
                if len(paths) > 1:
                    self.several.add(paths[0])
                row = self.index.by_path[paths[0]]
        return row or self._status_of(relative, split)

    def _row_of(self, relative: bytes) -> Row | None:
        """A picture as the inventory lists it: its folder is read once, and no file is looked at."""
        if self.index is not None and relative in self.index.by_path:
            return self.index.by_path[relative]
        folder, _, name = relative.rpartition(b"/")
        known = self._listed.get(folder)
        if known is None:
            path = storage.join(self.root, folder) if folder or relative[:1] != b"/" else b"/"
            try:
                if self._is_elsewhere(relative):
                    raise FileNotFoundError
                listed: Folder | None = self.request.inventory.folder(path)
            except (OSError, ValueError):
                listed = None
            prefix = folder + b"/" if folder or relative[:1] == b"/" else b""
            pictures = () if listed is None else listed.pictures
            known = {each: (prefix + each, size, mtime_ns) for each, size, mtime_ns in pictures}
            self._listed[folder] = known
        return known.get(name)

    def _status_of(self, relative: bytes, split: str | None) -> Row | None:
        """What is no picture by its name, and what is not there."""
        try:
            if self._is_elsewhere(relative):
                raise FileNotFoundError
            status = storage.stat(storage.join(self.root, relative))
        except (OSError, ValueError) as error:
            self._absent(relative, split, error)
            return None
        if not stat.S_ISREG(status.st_mode):
            is_folder = stat.S_ISDIR(status.st_mode)
            reason = "a folder, not a picture" if is_folder else f"{node_kind(status.st_mode)}, not opened"
            self._problem(Problem(uri_of(relative), "unreadable", reason, split))
        elif kind_of(os.path.basename(relative)) == "media":
            suffix = uri_of(relative.rpartition(b".")[2].lower())
            self._problem(Problem(uri_of(relative), "unsupported", f"files of type .{suffix} are not read", split))
        else:
            return (relative, status.st_size, status.st_mtime_ns)
        return None

    def in_order(self, boxes: bool) -> tuple[dict[str, list[Entry]], bool]:
        """The samples of each split by path, and whether a picture has several rows as a rule."""
        named = [entries for found in self.found.values() for entries in found.values()]
        is_long = boxes or sum(len(entries) > 1 for entries in named) > len(named) / 2
        order: dict[str, list[Entry]] = {}
        for split, found in self.found.items():
            order[split] = []
            for path, entries in sorted(found.items()):
                if is_long:
                    label = usual_class(each for entry in entries if (each := entry.meaning.get("label")) is not None)
                    order[split].append(entries[0]._replace(meaning={**entries[0].meaning, "label": label}))
                    continue
                kept: dict[str | None, Entry] = {}
                for entry in entries:
                    label = entry.meaning.get("label")
                    if kept and (label in kept or label is None):
                        reason = f"named more than once in {split}"
                        problem = Problem(uri_of(path), "duplicate-path", reason, split)
                        self._problems.append((entry.number, problem))
                    else:
                        kept[label] = entry
                order[split] += kept.values()
        return order, is_long

    def notes(self, samples: Sequence[Entry], is_long: bool) -> list[str]:
        """What a person must know of rows and pictures that do not go one to one."""
        said = []
        used = {entry.row[0] for entry in samples}
        if is_long:
            n_rows = sum(len(entries) for found in self.found.values() for entries in found.values())
            said.append(f"{n_rows:,} rows name {len(samples):,} pictures: a sample is a picture.")
        elif n_twice := len(samples) - sum(map(len, self.found.values())):
            said.append(f"{n_twice:,} pictures are named again with another label: each label is a sample.")
        if self.several:
            names = [uri_of(path) for path in sorted(self.several)]
            said.append(f"Several pictures have the same name, the first by path was taken: {say_names(names)}.")
        if n_unlabelled := sum(entry.number < 0 for entry in samples):
            said.append(f"{n_unlabelled:,} pictures are in no row: they have no label.")
        if self.n_outside:
            where = "no list" if self._listed_in else "no split folder"
            said.append(f"{self.n_outside:,} rows name pictures that are in {where}; they were left out.")
        if self.index is not None:
            there = set(self.index.by_path)
        else:
            there = {row[0] for rows in self._listed.values() for row in rows.values()}
        left = there - used
        n_masks = len(left & pair_masks(sorted(there)).mask_of.keys()) if left else 0
        if n_masks:
            said.append(f"{n_masks:,} masks of pictures are labels, not samples.")
        if len(left) > n_masks:
            example = uri_of(min(left))
            said.append(f"{len(left) - n_masks:,} pictures are in no row and were not looked at ({example}, …).")
        if self.index is not None:
            named = {problem.uri for problem in self.problems}
            said += say_strays([problem for problem in self.index.listing.problems if problem.uri not in named])
        return said

    def _relative(self, told: str) -> bytes:
        if storage.is_remote(self.base):
            return self._relative_address(told.strip())
        path = os.fsencode(told.strip())
        relative: bytes = os.path.normpath(os.path.join(self.prefix, path))
        if b"\\" in relative and os.sep == "/" and not storage.lexists(os.path.join(self.root, relative)):
            relative = os.path.normpath(relative.replace(b"\\", b"/"))  # written on Windows
        return relative.replace(b"\\", b"/") if os.sep == "\\" else relative

    def _relative_address(self, told: str) -> bytes:
        try:
            address = place_of(self.base, told.replace("\\", "/"))
            return os.fsencode(self.request.relative(address) if address else told)
        except FileNotFoundError:  # it leads out of the bucket
            return os.fsencode(told)

    def _is_elsewhere(self, relative: bytes) -> bool:
        """An address that is never asked for: the user did not name that bucket."""
        return storage.is_remote(relative) and not addresses.same_bucket(self.base, os.fsdecode(relative))

    def _absent(self, relative: bytes, split: str | None, error: OSError | ValueError) -> None:
        path = storage.join(self.root, relative)
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            if self._is_elsewhere(relative):
                reason = "in a bucket that the scan was not told of, not read"
                shown = addresses.shown(os.fsdecode(relative))
                self._problem(Problem(shown, "missing", reason, split))
                return
            if storage.lexists(path + b".dvc"):
                self._problem(Problem(uri_of(relative), "pointer", "DVC pointer: run dvc pull", split))
                return
            is_remote = b":/" in relative[2:]
            reason = "broken symbolic link" if storage.lexists(path) else "no such file"
            reason = "a remote address, not read" if is_remote else reason
            self._problem(Problem(uri_of(relative), "missing", reason, split))
        else:
            self._problem(Problem(uri_of(relative), "unreadable", why(error), split))
