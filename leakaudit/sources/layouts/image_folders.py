"""Folders of pictures: ``root/<split>/<class>/picture``, without classes, or ``root/<class>/<split>/picture``.

A split folder is recognised by its name. One wrapping folder is looked through (``root/images/train/…``). The label is
the first folder under the split, where nearly all pictures lie in at least two such folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace

from leakaudit.errors import InputError
from leakaudit.model import Dataset, Layout, Problem
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.inventory import why
from leakaudit.sources.kinds import is_picture_name
from leakaudit.sources.listing import (
    Listing,
    display,
    entries_of,
    holds_picture,
    list_pictures,
    make_samples,
    total,
    uri_of,
)
from leakaudit.sources.name_lists import labels_of_names
from leakaudit.sources.names import plain
from leakaudit.sources.parts import (
    Part,
    absent_data,
    folder_parts,
    in_order,
    item_parts,
    list_folder,
    say_names,
    say_parts,
    sub_folders,
)
from leakaudit.sources.picture_index import bare, index_of
from leakaudit.sources.told import Told

STRAY_PICTURES = 0.01
"""Share of pictures that may lie beside the class folders before folder names are not taken for labels: a stray file or
two in a clean tree is common, a folder of mixed pictures and folders is no class tree."""

PICTURES_PER_CLASS = 2.0
"""Fewer pictures a folder than this on average means a folder per sample, not per class."""

_PICTURE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "pictures", "photos", "pics")
_DATA_FOLDERS = ("data", "dataset", "datasets", "raw", "processed", "original", "augmented", "resized", "cropped")
_NO_CLASSES = (
    *_PICTURE_FOLDERS,
    *_DATA_FOLDERS,
    "labels",
    "label",
    "masks",
    "mask",
    "annotations",
    "depth",
    "gt",
    "targets",
)


_VIEWS = frozenset(
    [
        "rgb",
        "depth",
        "hr",
        "lr",
        "gt",
        "ir",
        "nir",
        "thermal",
        "infrared",
        "input",
        "output",
        "target",
        "image",
        "images",
        "imgs",
        "label",
        "labels",
        "normals",
        "flow",
        "disparity",
        "semantic",
        "instance",
    ]
)
"""Names of folders of several pictures of each scene, as `leakaudit.sources.names.plain` makes them."""

LEAST_NAMED = 0.9
"""Share of the pictures of a split that a list beside them must give a known class, to be their labels."""
MOST_LISTS, MOST_LIST_BYTES = 5, 64 << 20

_UNLABELLED = ("unsup", "unsupervised", "unlabeled", "unlabelled", "unknownlabel", "nolabel")
"""Names of folders whose samples have no label, as their makers say."""

LEAST_SHARED = 0.5
"""Of the inner folders of a split, at least this share is in the first split, too, where they are classes named by
numbers. People and recordings are numbered as well, and a good split shares none."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What was recognised.

    Parameters
    ----------
    parts : tuple of Part
    base : str or None
        The folder that holds the split (or class) folders; None where the user named each.
    class_first : bool
        ``<class>/<split>`` instead of ``<split>/<class>``.
    unused : tuple of str
        Names beside them that were not used.
    absent : tuple of (name, split)
        Splits of which only the DVC pointer is there.
    """

    parts: tuple[Part, ...]
    base: str | None = None
    class_first: bool = False
    unused: tuple[str, ...] = ()
    absent: tuple[tuple[str, str], ...] = ()


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for split folders with pictures in them."""
    if request.folder is None:
        return _sniff_items(request)
    folders, files = list_folder(request.inventory, request.folder)
    enough = 1 if request.config.within else 2
    parts = folder_parts(request.folder, folders, request.config)
    if _hold_pictures(request, parts):
        if len(parts) >= enough:
            found = _in_folder(request.folder, parts, folders, files)
            return replace(found, absent=tuple(absent_data((*folders, *files), request.config)))
        for name, split in absent_data((*folders, *files), request.config):
            return NotThis(
                f"of the split {split} only the pointer {display(name)}.dvc is there: run dvc pull", nearly=True
            )
        return NotThis(
            f"only one split folder, {parts[0].called!r}: add --within to audit the inside of it, "
            "or name the others: train=FOLDER val=FOLDER, or --split-name FOLDER=val",
            nearly=True,
            unless_below=True,
        )
    return _sniff_wrapped(request, request.folder, folders, enough)


def _sniff_items(request: Request) -> Sniffed | NotThis:
    paths = [path for item in request.items for path in item.paths]
    pictures = [
        holds_picture(request.inventory, path) if storage.is_folder(path) else is_picture_name(path) for path in paths
    ]
    if not any(pictures):
        return NotThis("no pictures in what was named")
    if not all(item.is_folder or all(map(is_picture_name, item.paths)) for item in request.items):
        return NotThis("some of the paths hold pictures and others do not", nearly=True)
    if len(request.items) == 1 and request.items[0].split is None:
        return NotThis("a single picture is no data set", nearly=True)
    parts = item_parts(request)
    if len(parts) < 2 and not request.config.within:
        return NotThis(f"only one split, {parts[0].split}: name another (val=PATH), or add --within", nearly=True)
    return Sniffed(tuple(parts))


def _sniff_wrapped(request: Request, root: str, folders: Sequence[str], enough: int) -> Sniffed | NotThis:
    """One level down: a wrapping folder, or class folders with the splits inside."""
    candidates: dict[str, list[Part]] = {}
    for name in folders:
        inner = os.path.join(root, name)
        parts = folder_parts(inner, sub_folders(request.inventory, inner), request.config)
        if len(parts) >= enough and _hold_pictures(request, parts):
            candidates[name] = parts
    if not candidates:
        told = f" or {', '.join(request.config.splits)}" if request.config.splits else ""
        return NotThis(
            f"no folders of pictures named like splits (train, val, test, …{told}; --split-name FOLDER=SPLIT)"
        )
    preferred = [name for name in candidates if name.lower() in _PICTURE_FOLDERS] or list(candidates)
    if len(preferred) == 1:
        name = preferred[0]
        inner = os.path.join(root, name)
        beside = [other for other in folders if other != name]
        found = _in_folder(inner, candidates[name], *entries_of(request.inventory, inner))
        return Sniffed(found.parts, inner, unused=(*found.unused, *beside))
    without = [
        name
        for name in folders
        if name not in candidates and holds_picture(request.inventory, os.path.join(root, name))
    ]
    several_sets = any(name.lower() in _NO_CLASSES or _holds_classes(request, candidates[name]) for name in candidates)
    if without or several_sets:
        return NotThis(
            f"several folders hold split folders ({say_names(list(candidates))}): name one, or the splits: "
            f"leakaudit scan {display(os.path.join(root, next(iter(candidates))))}, or train=FOLDER val=FOLDER",
            nearly=True,
        )
    merged: dict[str, list[Part]] = {}
    for parts in candidates.values():
        for part in parts:
            merged.setdefault(part.split, []).append(part)
    together = [
        Part(
            split,
            tuple(path for part in each for path in part.paths),
            " / ".join(sorted({part.called for part in each})),
        )
        for split, each in merged.items()
    ]
    return Sniffed(tuple(in_order(together)), root, class_first=True)


def _hold_pictures(request: Request, parts: Sequence[Part]) -> bool:
    return any(holds_picture(request.inventory, path) for part in parts for path in part.paths)


def _holds_classes(request: Request, parts: Sequence[Part]) -> bool:
    """Whether a split folder holds two folders of pictures: it is then part of a data set, not of a class."""
    return any(
        sum(holds_picture(request.inventory, os.path.join(path, name)) for name in sub_folders(request.inventory, path))
        > 1
        for part in parts
        for path in part.paths
    )


def _in_folder(base: str, parts: Sequence[Part], folders: Sequence[str], files: Sequence[str]) -> Sniffed:
    used = {os.path.basename(path) for part in parts for path in part.paths}
    tables = [name for name in files if name.lower().endswith((".csv", ".tsv", ".jsonl", ".parquet"))]
    return Sniffed(tuple(in_order(parts)), base, unused=(*(name for name in folders if name not in used), *tables))


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """List the pictures of every split.

    Raises
    ------
    InputError
        A split without a picture.
    """
    listings = [_list_part(request, part) for part in sniffed.parts]
    for part, listing in zip(sniffed.parts, listings, strict=True):
        if not listing.rows:
            raise InputError(_empty(part, listing))
    inner = []
    for part, listing in zip(sniffed.parts, listings, strict=True):
        folders = (
            [sniffed.base or ""] if sniffed.class_first else [path for path in part.paths if storage.is_folder(path)]
        )
        tops = [os.fsencode(f"{top}/") if (top := request.relative(folder)) else b"" for folder in folders]
        lie_in = [row[0][: row[0].rfind(b"/") + 1] for row in listing.rows]
        below = {folder: _below(folder, tops) for folder in set(lie_in)}
        inner.append([below[folder] for folder in lie_in])
    labels, said = class_labels(inner)
    if labels is not None and _are_views(labels, listings):
        names = say_names(sorted({each for each in labels if each is not None}))
        labels, said = None, f"the inner folders ({names}) hold several pictures of each scene, labels are unknown"
    if labels is not None and None in labels:
        labels, beside = _with_lists(request, sniffed, listings, labels)
        said += f"; of {', '.join(beside)}" if beside else ""
    splits = tuple(part.split for part in sniffed.parts)
    problems, n_other = total(listings)
    absent = [(request.uri(os.path.join(sniffed.base or "", name)), split) for name, split in sniffed.absent]
    where = f" in {display(sniffed.base)}" if sniffed.base not in (None, request.root) else ""
    order = "class folders with a folder a split inside" if sniffed.class_first else "one folder of pictures a split"
    if len(sniffed.parts) == 1:
        order = "pictures of one split (--within)"
    notes = []
    if sniffed.unused:
        notes.append(f"Not used, beside the split folders: {say_names(sniffed.unused)}.")
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(LAYOUT.name, f"{order}{where}: {say_parts(sniffed.parts)}; {said}"),
        splits=splits,
        samples=make_samples(request.base, splits, [listing.rows for listing in listings], labels),
        problems=(*problems, *(Problem(uri, "pointer", "DVC pointer: run dvc pull", split) for uri, split in absent)),
        n_other_files=n_other + sum("." in name for name in sniffed.unused),
        notes=tuple(notes),
    )


def _are_views(labels: Sequence[str | None], listings: Sequence[Listing]) -> bool:
    """Whether inner folders hold several pictures of the same scenes (``rgb`` and ``depth``, ``hr`` and ``lr``).

    All are named so, and nearly all file names are in each. Classes may be numbered alike, but are not called so.
    """
    rows = [row for listing in listings for row in listing.rows]
    names: dict[str, set[tuple[int, bytes]]] = {}
    splits = [at for at, listing in enumerate(listings) for _ in listing.rows]
    for label, row, split in zip(labels, rows, splits, strict=True):
        if label is None or plain(label) not in _VIEWS:
            return False
        names.setdefault(label, set()).add((split, bare(row[0].rpartition(b"/")[2])))
    first, *others = names.values()
    return all(len(first & each) >= LEAST_NAMED * max(len(first), len(each)) for each in others)


def _with_lists(
    request: Request, sniffed: Sniffed, listings: Sequence[Listing], labels: Sequence[str | None]
) -> tuple[list[str | None], list[str]]:
    """Labels of splits without class folders from a list beside their pictures (``val/val_annotations.txt``), where it
    names nearly all of them and only classes that the folders of the others name.
    """
    classes = {label for label in labels if label is not None}
    found, said = list(labels), []
    at = 0
    for part, listing in zip(sniffed.parts, listings, strict=True):
        n = len(listing.rows)
        if not any(labels[at : at + n]):
            for path in _lists_near(request, sniffed, part):
                try:
                    told = labels_of_names(path)
                except InputError:  # no list
                    continue
                names = (row[0].rpartition(b"/")[2] for row in listing.rows)
                mine = [told.get(name, told.get(bare(name))) for name in names]
                texts = [None if each is None or uri_of(each) not in classes else uri_of(each) for each in mine]
                if sum(each is not None for each in texts) >= LEAST_NAMED * n:
                    found[at : at + n] = texts
                    said.append(f"{part.split} from {request.uri(path)}")
                    break
        at += n
    return found, said


def _lists_near(request: Request, sniffed: Sniffed, part: Part) -> list[str]:
    """Small lists and tables in the folder of a split, and in the one around it."""
    found = []
    for folder in (*part.paths[:1], *([sniffed.base] if sniffed.base else [])):
        with suppress(OSError):
            for name in entries_of(request.inventory, folder)[1]:
                path = os.path.join(folder, name)
                if name.lower().endswith((".txt", ".csv", ".tsv")) and storage.stat(path).st_size <= MOST_LIST_BYTES:
                    found.append(path)
    return found[:MOST_LISTS]


def _list_part(request: Request, part: Part) -> Listing:
    found = Listing()
    for path in part.paths:
        relative = request.relative(path)
        if storage.is_folder(path):
            listing = list_pictures(request.inventory, request.base, relative, part.split)
            found.rows += listing.rows
            found.problems += listing.problems
            found.n_other += listing.n_other
        else:
            try:
                status = storage.stat(path)
                found.rows.append((os.fsencode(relative), status.st_size, status.st_mtime_ns))
            except OSError as error:
                found.problems.append(Problem(request.uri(path), "unreadable", why(error), part.split))
    found.rows.sort()
    return found


def _below(folder: bytes, tops: Sequence[bytes]) -> bytes:
    """A folder relative to its split folder, or to the folder that holds the classes; empty for that itself."""
    return next((folder[len(top) : -1] for top in tops if folder.startswith(top)), b"")


def class_labels(inner: Sequence[Sequence[bytes]]) -> tuple[list[str | None] | None, str]:
    """Labels from the folders in which the pictures of each split lie.

    Parameters
    ----------
    inner : sequence (splits) of sequences (pictures) of bytes
        Folder of each picture below its split folder, ``/``-separated; empty for the split folder itself.

    Returns
    -------
    labels : list of str or None, over all pictures; or None
    said : str
        What was taken for labels, in words.
    """
    levels = {folder: folder.split(b"/") if folder else [] for part in inner for folder in set(part)}
    by_split = [[levels[folder] for folder in sorted(set(part))] for part in inner]
    depth = 0
    while all(
        all(len(each) > depth + 1 for each in part) and len({each[depth] for each in part}) == 1 for part in by_split
    ):
        depth += 1
    heads = {folder: each[depth] if len(each) > depth else None for folder, each in levels.items()}
    flat = [heads[folder] for part in inner for folder in part]
    beside = [sum(heads[folder] is None for folder in part) for part in inner]
    if sum(beside) == len(flat):
        return None, "no class folders, labels are unknown"
    # A split that lies flat has no labels, as a test set that is handed out; that says nothing of the others.
    n_outside = sum(n for n, part in zip(beside, inner, strict=True) if n < len(part))
    if n_outside > STRAY_PICTURES * len(flat):
        return (
            None,
            f"{n_outside:,} pictures lie beside the inner folders, whose names are therefore not taken for labels",
        )
    by_part = [{heads[folder] for folder in set(part)} - {None} for part in inner]
    n_flat = sum(not names for names in by_part)
    no_classes = _no_classes(by_part)
    heads = {folder: None if each in no_classes else each for folder, each in heads.items()}
    flat = [heads[folder] for part in inner for folder in part]
    names = {each: uri_of(each) for each in heads.values() if each is not None}
    if _are_numbered(by_part):
        said = say_names(sorted(names.values()), 3)
        return None, f"the {len(names):,} inner folders ({said}) number people or recordings, labels are unknown"
    if len(names) < 2:
        return None, f"one inner folder only ({next(iter(names.values()))}), labels are unknown"
    if len(flat) < PICTURES_PER_CLASS * len(names):
        return (
            None,
            f"{len(names):,} inner folders for {len(flat):,} pictures are not taken for classes, labels are unknown",
        )
    said = f"labels are the names of the {len(names):,} class folders ({say_names(sorted(names.values()), 3)})"
    if n_flat:
        said += f", {n_flat} of {len(inner)} splits have none"
    if no_classes:
        said += f", but of {say_names(sorted(map(uri_of, no_classes)), 3)}"
    return [None if each is None else names[each] for each in flat], said


def _no_classes(by_part: Sequence[Set[bytes | None]]) -> set[bytes]:
    """Inner folders whose name is no class: of unlabelled samples, or the one folder of pictures of a split beside
    others that have classes (``train/n01/images``, ``val/images``).
    """
    every = {name for names in by_part for name in names if name is not None}
    found = {name for name in every if plain(uri_of(name)) in _UNLABELLED}
    alone = {name for names in by_part if len(names) == 1 for name in names if name is not None}
    found |= {name for name in alone if uri_of(name).lower() in _NO_CLASSES}
    return found if len(every - found) > 1 else set()


def _are_numbered(by_part: Sequence[Set[bytes | None]]) -> bool:
    """Whether inner folders are numbered, and of each held-out split most are not in the first one: who was recorded,
    and not what is seen.
    """
    first, *others = (names for names in by_part if names)
    numbered = all(name is not None and re.search(rb"\d", name) for names in by_part for name in names)
    return numbered and bool(others) and all(len(each & first) < LEAST_SHARED * len(each) for each in others)


def _empty(part: Part, listing: Listing) -> str:
    where = say_names(part.paths, 2)
    if listing.problems:
        first = listing.problems[0]
        return f"the split {part.split} ({where}) has no picture that could be read: {first.uri}: {first.reason}"
    return f"the split {part.split} ({where}) is empty: no pictures in it"


def split_folders(request: Request) -> Sniffed | NotThis:
    """Folders of pictures that are splits, as `sniff` finds them; not by class before split."""
    try:
        found = sniff(request)
    except InputError:
        return NotThis("not readable")
    if isinstance(found, NotThis) or found.class_first:
        return NotThis("no split folders of pictures")
    return found


def over_folders(request: Request, folders: Sniffed, told: Sequence[Told]) -> dict[str, list[Told]]:
    """All pictures of split folders, with what one file of annotations tells of those of their names."""
    by_name: dict[bytes, list[Told]] = {}
    for each in told:
        name = os.fsencode(each.name).replace(b"\\", b"/")
        by_name.setdefault(name[name.rfind(b"/") + 1 :], []).append(each)
    found: dict[str, list[Told]] = {}
    for part in folders.parts:
        for path in part.paths:
            for row in index_of(request, path).listing.rows:
                candidates = by_name.get(row[0][row[0].rfind(b"/") + 1 :], [])
                fits = [each for each in candidates if row[0].endswith(os.fsencode(each.name))] or candidates
                one = fits[0] if fits else Told("")
                found.setdefault(part.split, []).append(Told(row[0], one.label, one.boxes, b""))
    return found


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The split folders, whatever lies in them."""
    return [path for part in sniffed.parts for path in part.paths]


LAYOUT = DataLayout("image-folders", sniff, load, takes)
