"""Manifests: tables whose rows name pictures, with label, group and time beside them.

Either one table with a split column, or one table a split. Paths are relative to the folder of the manifest, or to its
parent where more of the first ones are found there, or absolute.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leakaudit.errors import InputError, LayoutError
from leakaudit.model import Dataset, Layout, Problem, ordered_splits
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.inventory import node_kind, why
from leakaudit.sources.kinds import is_picture_name, kind_of
from leakaudit.sources.layouts.one_split import ONLY
from leakaudit.sources.layouts.split_column import find_split_column, one_table, read_split_values, say_values
from leakaudit.sources.listing import display, make_samples, uri_of
from leakaudit.sources.names import (
    GROUP_NAMES,
    PATH_NAMES,
    TIME_NAMES,
    guess_column,
    guess_label,
    label_candidates,
    plain,
    resolve_column,
)
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers import head_of, is_text_name
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values, read_rows
from leakaudit.sources.storage import addresses
from leakaudit.sources.table_parts import TableParts, find_table_parts

PROBED = 200
"""Rows of the head whose pictures are looked for."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Settled manifests by split (None: a column says it), the columns that mean something, and what was guessed."""

    heads: tuple[tuple[str | None, Head], ...]
    path_column: str
    base: str
    said: tuple[str, ...]
    unused: tuple[str, ...] = ()


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for a column of paths to pictures."""
    absent = NotThis("no manifest with a column of paths to pictures (--path-column NAME)")
    config = request.config
    found = find_table_parts(request)
    if isinstance(found, TableParts):
        files = [(part.split, path) for part in found.parts for path in part.paths]
        unused = found.unused
    else:
        path = one_table(request)
        if isinstance(path, NotThis) or (request.folder is None and not is_text_name(path) and not config.path_column):
            return absent
        files, unused = [("", path)], ()
    try:
        raw = [head_of(request, path) for _, path in files]
    except InputError:
        if config.path_column:
            raise
        return absent  # said by the layout that reads tables
    settled, said = settle(raw, config)
    column, base = _path_column(settled, request)
    if column is None:
        return absent
    heads = [(split or None, head) for (split, _), head in zip(files, settled, strict=True)]
    if heads[0][0] is None and find_split_column(settled[0], config) is None:
        if not config.within:
            return NotThis(
                f"{display(files[0][1])} names pictures, and no column of it says the split: say --split-column, add "
                "its partner (train=FILE test=FILE), or add --within",
                nearly=True,
            )
        heads = [(ONLY, settled[0])]
    return Sniffed(tuple(heads), column, base, tuple(said), unused)


def _path_column(heads: Sequence[Head], request: Request) -> tuple[str | None, str]:
    """The column of paths in all heads, and the folder that they are relative to."""
    head = heads[0]
    folder = storage.parent(head.path) or "."
    bases = (folder, storage.parent(storage.absolute(folder)))
    told = request.config.path_column
    common = [name for name in head.columns if all(name in each.columns for each in heads)]
    candidates = [resolve_column(told, head.columns, "--path-column")] if told else _likely(common)
    for column in candidates:
        values = [value for value in head.column(column)[:PROBED] if value]
        named = sum(is_picture_name(value) for value in values)
        if not told and named < 0.5 * len(values):
            continue  # most columns of a wide table: no file is looked for
        found = {base: sum(storage.is_file(_at(base, value)) for value in values) for base in bases}
        base = max(bases, key=lambda each: found[each])
        usual = plain(column) in PATH_NAMES or len(head.columns) == 1
        if told or (values and found[base] and named >= (0.5 if usual else 0.9) * len(values)):
            return column, base
        if values and plain(column) in PATH_NAMES and named >= 0.9 * len(values):
            raise LayoutError(
                f"{display(head.path)}: its column {column!r} names pictures, and none of the first {len(values)} is "
                f"in {display(folder)}: mend the paths, say --path-column, or audit its rows (--layout split-files)"
            )
    return None, folder


def _at(base: str, told: str) -> str:
    """Where a picture is that a manifest names; an address is taken in the bucket of the manifest alone."""
    if storage.is_remote(base) and storage.is_remote(told):
        return told if addresses.same_bucket(base, told) else ""
    return os.path.join(base, told)


def _likely(columns: Sequence[str]) -> list[str]:
    usual = [column for name in PATH_NAMES for column in columns if plain(column) == name]
    return [*usual, *(column for column in columns if column not in usual)]


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Find every picture that is named.

    Raises
    ------
    InputError
        A split none of whose pictures is there.
    LayoutError, ConfigError
        As `read_split_values`; a column told and not there.
    """
    config = request.config
    head = sniffed.heads[0][1]
    columns = head.columns
    split_column = find_split_column(head, config) if sniffed.heads[0][0] is None else None
    notes: list[str] = []
    values: dict[str, str] = {}
    if split_column is not None:
        values, notes = read_split_values(count_values(head, split_column), split_column, config)
        splits = ordered_splits(tuple(values.values()))
        table = f"one manifest, {request.uri(head.path)}, whose column {split_column!r} says the split"
        said = f"{table}: {say_values(values)}"
    else:
        splits = ordered_splits([split for split, _ in sniffed.heads if split])
        files = ", ".join(f"{split} ({request.uri(each.path)})" for split, each in sniffed.heads)
        said = f"one manifest a split: {files}"
    meaning = {
        "label": _meaning(config.label, guess_label(columns), columns, "--label"),
        "group": _meaning(config.group, guess_column(columns, GROUP_NAMES), columns, "--group"),
        "time": _meaning(config.time, guess_column(columns, TIME_NAMES), columns, "--time"),
    }
    taken = {sniffed.path_column, split_column}
    used = {what: column for what, column in meaning.items() if column is not None and column not in taken}
    finder = _Finder(request, sniffed.base, splits)
    for split, each in sniffed.heads:
        here = {what: column for what, column in used.items() if column in each.columns}
        wanted = list(dict.fromkeys([sniffed.path_column, *([split_column] if split_column else []), *here.values()]))
        for row, cells in enumerate(_cells(each, wanted)):
            at = split or values.get((cells[split_column or ""] or "").strip())
            if at is not None:
                extra = {what: cells[column] for what, column in here.items()}
                finder.add(cells[sniffed.path_column], at, extra, f"{request.uri(each.path)}#{row}")
    for split in splits:
        if not finder.found[split]:
            raise InputError(f"the split {split} is empty: none of its pictures is in {display(sniffed.base)}")
    order = {split: sorted(finder.found[split].items()) for split in splits}
    rows = [[(path, size, mtime) for path, (size, mtime, _) in order[split]] for split in splits]
    meanings = [extra for split in splits for _, (_, _, extra) in order[split]]
    told = ", ".join(f"{what} from {column!r}" for what, column in used.items()) or "labels are unknown"
    if meaning["label"] is None and (several := label_candidates(columns)):
        told += f" (the label could be {' or '.join(map(repr, several))}: say --label)"
    unused = [f"Not used, beside the manifests: {say_names(sniffed.unused)}."] if sniffed.unused else []
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, "; ".join((said, f"paths from {sniffed.path_column!r}, {told}", *sniffed.said))),
        splits=splits,
        samples=make_samples(
            request.base,
            splits,
            rows,
            **{what: [extra.get(what) for extra in meanings] for what in used},
        ),
        problems=tuple(finder.problems),
        notes=(*notes, *unused),
    )


def _meaning(told: str | None, guessed: str | None, columns: Sequence[str], option: str) -> str | None:
    return guessed if told is None else resolve_column(told, columns, option)


def _cells(head: Head, columns: Sequence[str]) -> Iterator[dict[str, str | None]]:
    for batch in read_rows(head, columns):
        yield from batch.to_pylist()


class _Finder:
    """Looks for the pictures that rows name, and keeps each once a split."""

    def __init__(self, request: Request, base: str, splits: Sequence[str]) -> None:
        self.root = os.path.join(os.fsencode(request.base), b"")
        self.prefix = os.fsencode(request.relative(base))
        self.base = base
        self.request = request
        self.found: dict[str, dict[bytes, tuple[int, int, dict[str, str | None]]]] = {split: {} for split in splits}
        self.problems: list[Problem] = []

    def add(self, told: str | None, split: str, meaning: dict[str, str | None], row: str) -> None:
        """Look for one picture; empty cells are null."""
        if not told or not told.strip():
            self.problems.append(Problem(row, "missing", "this row names no file", split))
            return
        relative = self._relative(told)
        if relative in self.found[split]:
            self.problems.append(Problem(uri_of(relative), "duplicate-path", f"named more than once in {split}", split))
            return
        try:
            if self._is_elsewhere(relative):
                raise FileNotFoundError
            status = storage.stat(storage.join(self.root, relative))
        except (OSError, ValueError) as error:
            self._absent(relative, split, error)
            return
        if not stat.S_ISREG(status.st_mode):
            reason = (
                "a folder, not a picture"
                if stat.S_ISDIR(status.st_mode)
                else f"{node_kind(status.st_mode)}, not opened"
            )
            self.problems.append(Problem(uri_of(relative), "unreadable", reason, split))
        elif kind_of(os.path.basename(relative)) == "media":
            suffix = uri_of(relative.rpartition(b".")[2].lower())
            self.problems.append(
                Problem(uri_of(relative), "unsupported", f"files of type .{suffix} are not read", split)
            )
        else:
            extra = {what: (value or "").strip() or None for what, value in meaning.items()}
            self.found[split][relative] = (status.st_size, status.st_mtime_ns, extra)

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
            address = _at(self.base, told.replace("\\", "/"))
            return os.fsencode(self.request.relative(address) if address else told)
        except FileNotFoundError:  # it leads out of the bucket
            return os.fsencode(told)

    def _is_elsewhere(self, relative: bytes) -> bool:
        """An address that is never asked for: the user did not name that bucket."""
        return storage.is_remote(relative) and not addresses.same_bucket(self.base, os.fsdecode(relative))

    def _absent(self, relative: bytes, split: str, error: OSError | ValueError) -> None:
        path = storage.join(self.root, relative)
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            if self._is_elsewhere(relative):
                reason = "in a bucket that the scan was not told of, not read"
                shown = addresses.shown(os.fsdecode(relative))
                self.problems.append(Problem(shown, "missing", reason, split))
                return
            if storage.lexists(path + b".dvc"):
                self.problems.append(Problem(uri_of(relative), "pointer", "DVC pointer: run dvc pull", split))
                return
            is_remote = b":/" in relative[2:]
            reason = "broken symbolic link" if storage.lexists(path) else "no such file"
            reason = "a remote address, not read" if is_remote else reason
            self.problems.append(Problem(uri_of(relative), "missing", reason, split))
        else:
            self.problems.append(Problem(uri_of(relative), "unreadable", why(error), split))


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The manifests, and the folders in which their first pictures lie."""
    heads = [head for _, head in sniffed.heads]
    named = (value for head in heads for value in head.column(sniffed.path_column)[:PROBED] if value)
    folders = dict.fromkeys(storage.parent(path) for value in named if (path := _at(sniffed.base, value)))
    return [*(head.path for head in heads), *(folder for folder in folders if folder and storage.is_folder(folder))]


LAYOUT = DataLayout("manifest", sniff, load, takes)
