"""Pictures with masks: the masks are labels, not samples.

Folders ``images`` and ``masks`` (labels, annotations, gt …) in or around the split folders, or masks beside their
pictures by the end of their name (``a.jpg`` and ``a_mask.png``). Splits are told from the folders.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

from leakaudit.model import Dataset, Layout, Problem, ordered_splits
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.beside import picture_tops
from leakaudit.sources.inventory import Folder
from leakaudit.sources.layouts.image_folders import STRAY_PICTURES
from leakaudit.sources.listing import Row, display, make_samples, uri_of
from leakaudit.sources.masks import MaskPairs, is_image_folder, is_mask_folder, pair_masks
from leakaudit.sources.names import canonical, distinct, split_of, split_word
from leakaudit.sources.parts import item_parts, say_names
from leakaudit.sources.picture_index import PROBED, index_of

LEAST_MASKED = 0.1
"""Share of the pictures that have a mask: in a data set of masks nearly all have, in others a few names look so."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Pictures by split, the masks of all, what the splits were called, and the folder with everything."""

    rows: dict[str, list[Row]]
    pairs: MaskPairs
    called: dict[str, tuple[str, ...]]
    tops: tuple[str, ...]
    problems: tuple[Problem, ...]
    n_other: int
    n_without_split: int = 0
    beside: tuple[int, str] = (0, "")


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for pictures that are masks of others, and for folders that say their splits."""
    absent = NotThis("no masks of pictures (images/ and masks/, or a.jpg and a_mask.png)")
    if request.folder is None:
        if not all(item.is_folder for item in request.items):
            return absent
        return _of_items(request, absent)
    if not _could_be(request, request.folder):
        return absent
    index = index_of(request, request.folder)
    base = os.fsencode(request.relative(request.folder))
    start = len(base) + 1 if base else 0
    pairs = pair_masks([row[0][start:] for row in index.listing.rows])
    pairs = MaskPairs(
        {row_of(base, mask): row_of(base, picture) for mask, picture in pairs.mask_of.items()},
        [row_of(base, mask) for mask in pairs.orphans],
    )
    masks = {*pairs.mask_of, *pairs.orphans}
    pictures = [row for row in index.listing.rows if row[0] not in masks]
    if len(set(pairs.mask_of.values())) < max(LEAST_MASKED * len(pictures), 1):
        return absent
    pictures, n_beside, beside = _beside_the_images(pictures, pairs)
    names = {folder: _split_folder(folder[start:], request) for folder in {_folder_of(row[0]) for row in pictures}}
    found = distinct(sorted({each for each in names.values() if each is not None}))
    named = dict(zip(sorted({each for each in names.values() if each is not None}), found, strict=True))
    rows: dict[str, list[Row]] = {}
    called: dict[str, set[str]] = {}
    n_without = 0
    for row in pictures:
        told = names[_folder_of(row[0])]
        if told is None:
            n_without += 1
            continue
        name, split = named[told]
        rows.setdefault(split, []).append(row)
        called.setdefault(split, set()).add(name)
    if len(rows) < (1 if request.config.within else 2) or n_without > STRAY_PICTURES * len(pictures):
        return absent
    order = ordered_splits(tuple(rows))
    return Sniffed(
        {split: rows[split] for split in order},
        pairs,
        {split: tuple(sorted(called[split])) for split in order},
        tuple(picture_tops(request, index, request.folder)),
        tuple(index.listing.problems),
        index.listing.n_other,
        n_without,
        (n_beside, beside),
    )


def _beside_the_images(pictures: Sequence[Row], pairs: MaskPairs) -> tuple[list[Row], int, str]:
    """The pictures without those of other folders beside ``images``: a second annotator's masks, previews, heat maps.

    Returns
    -------
    kept : list of Row
    n_left_out : int
    example : str
        A folder that was left out.
    """
    masked = {_folder_of(picture) for picture in pairs.mask_of.values()}
    around = {folder[: folder[:-1].rfind(b"/") + 1] for folder in masked if _named_images(folder)}
    folders = {_folder_of(row[0]) for row in pictures}
    left_out = {
        folder
        for folder in folders
        if folder not in masked and not _named_images(folder) and folder[: folder[:-1].rfind(b"/") + 1] in around
    }
    kept = [row for row in pictures if _folder_of(row[0]) not in left_out]
    return kept, len(pictures) - len(kept), uri_of(min(left_out)) if left_out else ""


def _named_images(folder: bytes) -> bool:
    """Whether the innermost folder is named like one of pictures."""
    return is_image_folder(os.fsdecode(folder[:-1].rpartition(b"/")[2]))


def row_of(base: bytes, path: bytes) -> bytes:
    """A path below a folder as one relative to `Request.base`."""
    return os.path.join(base, path) if base else path


def _could_be(request: Request, folder: str) -> bool:
    """A cheap look: a folder named like one of masks with pictures, or names that end like masks."""
    for path, each in request.inventory.walk(os.fsencode(folder)):
        if isinstance(each, Folder) and each.pictures:
            parts = os.fsdecode(path[len(os.fsencode(folder)) :]).strip("/").split("/")
            if any(map(is_mask_folder, parts)):
                return True
            # A picture and its mask stand next to each other by name: the first names tell.
            if pair_masks(nsmallest(PROBED, (name for name, _, _ in each.pictures))).mask_of:
                return True
    return False


def _folder_of(path: bytes) -> bytes:
    return path[: path.rfind(b"/") + 1]


def _split_folder(folder: bytes, request: Request) -> tuple[str, str] | None:
    """Name and split of the first folder that is called like a split, whole names before words of names."""
    parts = [os.fsdecode(part) for part in folder.split(b"/") if part]
    for part in parts:
        if split := split_of(part, request.config.splits):
            return part, split
    for part in parts:
        if split := split_word(part):
            return split, split
    return None


def _of_items(request: Request, absent: NotThis) -> Sniffed | NotThis:
    if len(request.items) < 2 and not request.config.within:
        return absent
    rows: dict[str, list[Row]] = {}
    called: dict[str, tuple[str, ...]] = {}
    pairs = MaskPairs()
    problems: list[Problem] = []
    tops: list[str] = []
    n_other = 0
    for part in item_parts(request):
        split = canonical(part.split)
        for path in part.paths:
            if not _could_be(request, path):
                return absent
            index = index_of(request, path)
            mine = pair_masks([row[0] for row in index.listing.rows])
            masks = {*mine.mask_of, *mine.orphans}
            rows.setdefault(split, []).extend(row for row in index.listing.rows if row[0] not in masks)
            pairs.mask_of |= mine.mask_of
            pairs.orphans += mine.orphans
            problems += [replace(each, split=split) for each in index.listing.problems]
            n_other += index.listing.n_other
            tops.append(path)
        called[split] = (part.called,)
        rows[split].sort()
    n_pictures = sum(map(len, rows.values()))
    if len(set(pairs.mask_of.values())) < max(LEAST_MASKED * n_pictures, 1) or not all(rows.values()):
        return absent
    return Sniffed(rows, pairs, called, tuple(tops), tuple(problems), n_other)


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """The pictures as samples; masks are counted."""
    splits = tuple(sniffed.rows)
    masked = set(sniffed.pairs.mask_of.values())
    pictures = [row[0] for rows in sniffed.rows.values() for row in rows]
    without = [path for path in pictures if path not in masked]
    notes = [f"{len(sniffed.pairs.mask_of):,} masks are labels of pictures, not samples."]
    if without:
        notes.append(f"{len(without):,} of {len(pictures):,} pictures have no mask ({_first(without)}).")
    if sniffed.pairs.orphans:
        notes.append(f"{len(sniffed.pairs.orphans):,} masks belong to no picture ({_first(sniffed.pairs.orphans)}).")
    if sniffed.beside[0]:
        notes.append(
            f"{sniffed.beside[0]:,} pictures in folders beside the images ({sniffed.beside[1]}, …) were not looked at."
        )
    if sniffed.n_without_split:
        notes.append(f"{sniffed.n_without_split:,} pictures lie in no split folder and were not looked at.")
    names = ", ".join(
        split if called in ((split,), (f"{split}=",)) else f"{split} (from {say_names(called)!r})"
        for split, called in sniffed.called.items()
    )
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(
            LAYOUT.name, f"pictures with masks, splits from the names of folders: {names}; labels are unknown"
        ),
        splits=splits,
        samples=make_samples(request.base, splits, [sniffed.rows[split] for split in splits]),
        problems=sniffed.problems,
        n_other_files=sniffed.n_other + len(sniffed.pairs.mask_of) + len(sniffed.pairs.orphans),
        notes=tuple(notes),
    )


def _first(paths: Sequence[bytes]) -> str:
    return display(uri_of(min(paths)))


def takes(_request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """The folders that hold pictures or masks."""
    return sniffed.tops


LAYOUT = DataLayout("image-masks", sniff, load, takes)
