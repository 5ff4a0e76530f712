"""Which layout accounts for the data: several may recognise them, and what none of them takes is counted and said.

A layout *takes* files and folders: samples, and what goes with them (lists, labels, masks). How much, is counted in
samples, roughly: a picture is one, a table has as many rows as its bytes suggest. The layout that takes most is the
one; of those that take the same, the one that asks for most evidence, which stands first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leakaudit.errors import InputError, LayoutError, UserError
from leakaudit.model import Unclaimed
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, Item, NotThis, Request
from leakaudit.sources.inside import inside
from leakaudit.sources.inventory import Folder, Inventory, Tally, files_of
from leakaudit.sources.kinds import DataKind, data_kind
from leakaudit.sources.listing import display, entries_of, uri_of
from leakaudit.sources.names import split_of, split_word
from leakaudit.sources.parts import say_names, stem

if TYPE_CHECKING:
    pass

BYTES_A_SAMPLE: Mapping[str, int] = {"table": 200, "array": 1_000, "archive": 50_000}
"""Bytes of a sample where one file holds many; of all other kinds a file is a sample. Only weighs readings against each
other: a row of a csv file has 50 to 500 bytes, a small picture in an array some thousand."""

SAMPLE_KINDS: tuple[DataKind, ...] = ("picture", "sound", "video", "volume", "array", "table", "text", "archive")
"""What could have been samples; pickles are refused by name wherever they lie, documents and code are none."""

FILES_OF_SAMPLES: tuple[DataKind, ...] = ("picture", "sound", "video", "volume", "array")
"""Kinds whose files are data wherever they lie, while a table or a text may be a list of names or a read-me."""

LEAST_SET = 10
"""Fewer files of a kind are no data set: two splits of five cannot be compared. A plot or a logo is no blind spot."""

LEAST_SHARE = 0.5
"""A reading must take at least this share of what could be samples: else it is somebody else's data."""

COMPANIONS = frozenset(("annotations", "labels", "masks", "imagesets", "splits", "metadata"))
"""Folders that say something of samples beside them: what is around them is the data set."""

DEEPEST, MOST_ROOTS = 6, 400
"""Levels below the folder that was named, and folders in them, that are tried for a data set."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A layout that recognises the data.

    Parameters
    ----------
    request : Request
        Of the folder in which it does.
    sniffed : object
        What its `load` needs.
    takes : tuple of str
        Files and folders.
    weight : int
        Samples in them, about.
    """

    layout: DataLayout
    request: Request
    sniffed: Any
    takes: tuple[str, ...]
    weight: int


def recognise(request: Request, layouts: Sequence[DataLayout]) -> tuple[Recognised | None, list[NotThis]]:
    """The layout that takes most, and why the others do not recognise the data.

    Raises
    ------
    InputError
        None recognises them, and a file could not be read by one that would have.
    LayoutError, ConfigError
        As a layout says.
    """
    reasons: list[NotThis] = []
    best: Recognised | None = None
    unreadable: InputError | None = None
    for layout in layouts:
        try:
            sniffed = layout.sniff(request)
        except LayoutError:
            raise
        except InputError as error:
            unreadable = unreadable or error
            continue
        if isinstance(sniffed, NotThis):
            reasons.append(sniffed)
            continue
        takes = tuple(inside(path)[0] for path in layout.takes(request, sniffed))  # a table in a file is the file
        weight = weight_of(request.inventory, takes, lines=layout.lines)
        if layout.fallback and best is not None and best.weight >= LEAST_SHARE * weight:
            continue
        if best is None or weight > best.weight:
            best = Recognised(layout, request, sniffed, takes, weight)
    if best is None and unreadable is not None and not any(each.nearly for each in reasons):
        raise unreadable
    return best, reasons


def below(request: Request, layouts: Sequence[DataLayout]) -> list[Recognised]:
    """What is recognised in folders below the one that was named: all on the first level on which anything is."""
    assert request.folder is not None
    level = [request.folder]
    n_tried = 0
    for _ in range(DEEPEST):
        level = [os.path.join(folder, name) for folder in level for name in _folders(request.inventory, folder)]
        found: list[Recognised] = []
        for folder in level:
            if not _may_be_root(request, folder):
                continue
            n_tried += 1
            if n_tried > MOST_ROOTS:
                return found
            here = replace(request, items=(Item(None, folder, (folder,), is_folder=True),), heads=request.heads)
            with suppress(UserError):  # what cannot be read down there is counted, as all that nobody takes
                recognised, _ = recognise(here, layouts)
                found += [recognised] if recognised is not None else []
        if found:
            return found
    return []


def outermost(paths: Iterable[str]) -> list[str]:
    """Files and folders that lie in no other of them, each once, sorted.

    >>> outermost(["b/c", "a.csv", "b", "bc"])
    ['a.csv', 'b', 'bc']
    """
    kept: list[str] = []
    within = ""
    # A slash sorts before all that may follow a folder's name, so that what lies in a folder comes right after it.
    for path in sorted(set(paths), key=lambda each: each.replace(os.sep, "/").split("/")):
        if within and f"{path}/".startswith(within):
            continue
        kept.append(path)
        within = f"{path.rstrip('/')}/"
    return kept


def unclaimed(request: Request, takes: Iterable[str]) -> tuple[Unclaimed, ...]:
    """What could have held samples and is taken by nobody, by kind; nothing where the user named files."""
    if request.whole is None:
        return ()
    taken = {os.fsencode(storage.absolute(path)) for path in outermost(takes)}
    top = os.path.join(os.fsencode(request.whole), b"")
    base = os.path.join(os.fsencode(storage.absolute(request.whole)), b"")
    inside = tuple(each + b"/" for each in taken)
    counts: dict[DataKind, Tally] = {}
    for path, folder in request.inventory.walk(os.fsencode(request.whole)):
        relative = path[len(top) :]
        if not isinstance(folder, Folder) or (base + relative).startswith(inside):
            continue
        for kind, name, size in files_of(folder):
            if kind in SAMPLE_KINDS and base + relative + name not in taken:
                counts.setdefault(kind, Tally()).add(relative + name, size)
    return tuple(
        Unclaimed(
            kind,
            counts[kind].n,
            counts[kind].n_bytes,
            uri_of(counts[kind].example),
            is_blind_spot=kind in FILES_OF_SAMPLES and counts[kind].n >= LEAST_SET,
        )
        for kind in SAMPLE_KINDS
        if kind in counts
    )


def is_minority(recognised: Recognised, left: Sequence[Unclaimed]) -> bool:
    """Whether most of what must be samples is not what was recognised."""
    weight = sum(_samples_in(each.kind, each.n, each.n_bytes) for each in left if each.is_blind_spot)
    return recognised.weight < LEAST_SHARE * (recognised.weight + weight)


def say_unclaimed(left: Sequence[Unclaimed]) -> str:
    """``40 pictures and 2 arrays (images/p000.jpg, …)``."""
    counts = [f"{each.n:,} {each.kind}{'' if each.n == 1 else 's'}" for each in left]
    said = counts[0] if len(counts) == 1 else f"{', '.join(counts[:-1])} and {counts[-1]}"
    return f"{said} ({say_names([each.example for each in left], 3)})"


def say_inventory(request: Request) -> str:
    """What lies in the folder that was named, for a person whose data were not recognised."""
    if request.whole is None:
        return ""
    tallies = request.inventory.tally(os.fsencode(request.whole))
    endings: dict[str, int] = {}
    for _, folder in request.inventory.walk(os.fsencode(request.whole)):
        if isinstance(folder, Folder):
            for kind, name, _ in files_of(folder):
                if kind not in ("document", "other"):
                    ending = os.fsdecode(name).rpartition(".")[2].lower()
                    endings[ending] = endings.get(ending, 0) + 1
    counts = sorted(endings.items(), key=lambda each: (-each[1], each[0]))
    said = ", ".join(f"{n:,} .{display(ending)}" for ending, n in counts[:5])
    n_other = sum(tally.n for kind, tally in tallies.items() if kind in ("document", "other"))
    absent = [word for kind, word in (("picture", "picture"), ("table", "table")) if kind not in tallies]
    parts = [part for part in (said, f"{n_other:,} other files" if n_other else "") if part]
    return (", ".join(parts) or "no file") + (f", no {' or '.join(absent)}" if absent else "")


def weight_of(inventory: Inventory, takes: Iterable[str], *, lines: bool) -> int:
    """Samples in files and folders, about; in text files one a line where `lines`."""
    return sum(_weight(inventory, path, lines) for path in outermost(takes))


def _weight(inventory: Inventory, path: str, lines: bool) -> int:
    """Samples in a file or under a folder, about."""
    tallies: dict[DataKind, Tally] = {}
    if storage.is_folder(path):
        tallies = inventory.tally(os.fsencode(path))
    else:
        with suppress(OSError):
            tallies = {data_kind(os.fsencode(path)): Tally(1, storage.stat(path).st_size)}
    if lines and "text" in tallies:  # a text a line
        tallies = {**tallies, "table": Tally(0, tallies["text"].n_bytes)}
    return sum(_samples_in(kind, each.n, each.n_bytes) for kind, each in tallies.items() if kind in SAMPLE_KINDS)


def _samples_in(kind: str, n: int, n_bytes: int) -> int:
    return max(n, n_bytes // BYTES_A_SAMPLE[kind]) if kind in BYTES_A_SAMPLE else n


def _folders(inventory: Inventory, folder: str) -> Iterator[str]:
    try:
        yield from entries_of(inventory, folder)[0]
    except OSError:
        return


def _may_be_root(request: Request, folder: str) -> bool:
    """Whether something in a folder is named like a split, or could be a list or a table of samples: a cheap look."""
    try:
        folders, files = entries_of(request.inventory, folder)
    except OSError:
        return False
    told = request.config.splits
    if COMPANIONS.intersection(map(str.lower, folders)):
        return True
    return any(split_of(name, told) or split_word(name) for name in folders) or any(
        data_kind(os.fsencode(name)) in ("table", "text", "array", "archive") or split_word(stem(name))
        for name in files
    )
