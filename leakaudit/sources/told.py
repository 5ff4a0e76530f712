"""From names that lists, tables and annotations tell, to samples: what is found, missing, told twice, unnamed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pyarrow as pa

from leakaudit.model import Columns, Dataset, Layout, Problem, TableFile
from leakaudit.sources.base import Request
from leakaudit.sources.kinds import kind_of
from leakaudit.sources.listing import Row, make_samples, say_strays, uri_of
from leakaudit.sources.masks import pair_masks
from leakaudit.sources.parts import say_names
from leakaudit.sources.picture_index import PictureIndex, find

BOXES = pa.list_(pa.struct([("class", pa.string()), *((name, pa.float64()) for name in ("x", "y", "width", "height"))]))
"""Boxes of a picture: left, top, width and height as the annotation tells them."""


class Box(NamedTuple):
    """One object in a picture; the unit is that of the annotation (pixels, or shares of the picture)."""

    label: str
    x: float
    y: float
    width: float
    height: float


class Told(NamedTuple):
    """One picture that is named.

    Parameters
    ----------
    name : str or bytes
    label : str or None
    boxes : tuple of Box
    near : bytes or None
        A folder, relative to `Request.base`, that the name is relative to before all others.
    """

    name: str | bytes
    label: str | None = None
    boxes: tuple[Box, ...] = ()
    near: bytes | None = None


@dataclass(slots=True)
class Found:
    """The samples of all splits.

    Parameters
    ----------
    rows : dict of str to list of (Row, Told)
        By split, sorted by path.
    problems : list of Problem
    several : list of bytes
        Pictures that were taken although another one has the same name.
    """

    rows: dict[str, list[tuple[Row, Told]]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    several: list[bytes] = field(default_factory=list)


def look_up(
    index: PictureIndex, told: Mapping[str, Iterable[Told]], near: Sequence[bytes], near_of_split: bool = True
) -> Found:
    """Find every picture that is told. A picture told twice with two labels is two samples: the labels contradict.

    Parameters
    ----------
    told : mapping of str to iterable of Told
        By split.
    near : sequence of bytes
        Folders that names may be relative to, see `leakaudit.sources.picture_index.find`.
    near_of_split : bool, default True
        Of several pictures of one name, one whose folder says the split is meant.
    """
    found = Found()
    for split, names in told.items():
        labels: dict[bytes, set[str | None]] = {}
        rows: list[tuple[Row, Told]] = []
        for each in names:
            around = near if each.near is None else (each.near, *near)
            paths, _ = find(index, each.name, around, split if near_of_split else None)
            if not paths:
                found.problems.append(_absent(each, around, split))
                continue
            path = paths[0]
            if len(paths) > 1:
                found.several.append(path)
            known = labels.setdefault(path, set())
            if known and (each.label in known or each.label is None):
                found.problems.append(
                    Problem(uri_of(path), "duplicate-path", f"named more than once in {split}", split)
                )
                continue
            known.add(each.label)
            rows.append((index.by_path[path], each))
        rows.sort(key=lambda row: row[0][0])
        found.rows[split] = rows
    return found


def _absent(told: Told, near: Sequence[bytes], split: str) -> Problem:
    name = os.fsencode(told.name) if isinstance(told.name, str) else told.name
    uri = uri_of(os.path.join(near[0], name) if near and name[:1] != b"/" else name)
    if kind_of(name) == "media":
        ending = uri_of(name.rpartition(b".")[2].lower())
        return Problem(uri, "unsupported", f"files of type .{ending} are not read", split)
    return Problem(uri, "missing", "named, and there is no such picture", split)


def told_dataset(
    request: Request,
    layout: str,
    said: str,
    index: PictureIndex,
    found: Found,
    *,
    where: str,
    problems: Sequence[Problem] = (),
    notes: Sequence[str] = (),
) -> Dataset:
    """The data set of the pictures that were found, with notes on those that were not named.

    Parameters
    ----------
    where : str
        Folder in which the pictures lie, for people.
    problems, notes
        Further ones.
    """
    splits = tuple(found.rows)
    flat = [(row, told) for split in splits for row, told in found.rows[split]]
    used = {row[0] for row, _ in flat}
    masks = pair_masks([row[0] for row in index.listing.rows])
    left = [row[0] for row in index.listing.rows if row[0] not in used]
    n_masks = sum(path in masks.mask_of for path in left)
    more = list(notes)
    if n_masks:
        more.append(f"{n_masks:,} masks of pictures are labels, not samples.")
    if len(left) > n_masks:
        more.append(f"{len(left) - n_masks:,} pictures in {where} are named by nothing and were not looked at.")
    if found.several:
        names = [uri_of(path) for path in sorted(set(found.several))]
        more.append(f"Several pictures have the same name, the first by path was taken: {say_names(names)}.")
    named = {problem.uri for problem in found.problems}
    more += say_strays([problem for problem in index.listing.problems if problem.uri not in named])
    more += say_contradictions((row[0], told.label) for row, told in flat)
    label = [told.label for _, told in flat]
    twice = len(flat) - sum(len({row[0] for row, _ in found.rows[split]}) for split in splits)
    if twice:
        more.append(f"{twice:,} pictures are named again with another label: each label is a sample.")
    boxes = any(told.boxes for _, told in flat)
    return Dataset(
        root=request.shown,
        kind="image",
        layout=Layout(layout, said),
        splits=splits,
        samples=make_samples(
            request.base,
            splits,
            [[row for row, _ in found.rows[split]] for split in splits],
            label if any(each is not None for each in label) else None,
        ),
        tables=box_tables({split: [told.boxes for _, told in found.rows[split]] for split in splits}) if boxes else (),
        columns=Columns(ignore=("boxes",)) if boxes else Columns(),
        problems=tuple(sorted((*problems, *found.problems), key=lambda each: (each.uri, each.kind, each.split or ""))),
        n_other_files=index.listing.n_other,
        notes=tuple(more),
    )


def say_contradictions(told: Iterable[tuple[bytes, str | None]]) -> list[str]:
    """A note on pictures that lie in the folder of another class than their label, where folders are named like labels
    and most agree.

    Parameters
    ----------
    told : iterable of (path, label or None)

    >>> say_contradictions([(b"cat/1.jpg", "cat"), (b"dog/2.jpg", "dog"), (b"dog/3.jpg", "cat")])
    ["1 pictures lie in the folder of another class than their label says (dog/3.jpg: 'cat')."]
    """
    labelled = [(path, label) for path, label in told if label is not None]
    classes = {label for _, label in labelled}
    folders = [(path, label, os.fsdecode(path.rpartition(b"/")[0].rpartition(b"/")[2])) for path, label in labelled]
    in_class_folders = [each for each in folders if each[2] in classes]
    wrong = [(path, label) for path, label, folder in in_class_folders if folder != label]
    if not wrong or 2 * len(wrong) > len(in_class_folders):
        return []
    path, label = min(wrong)
    where = "lie in the folder of another class than their label says"
    return [f"{len(wrong):,} pictures {where} ({uri_of(path)}: {label!r})."]


def box_tables(boxes: Mapping[str, Sequence[Sequence[Box]]]) -> tuple[TableFile, ...]:
    """Boxes as a column, one table a split, a row a sample."""
    tables = []
    for split, each in boxes.items():
        cells = [[(box.label, box.x, box.y, box.width, box.height) for box in one] for one in each]
        names = [field.name for field in BOXES.value_type]
        records = [[dict(zip(names, box, strict=True)) for box in one] for one in cells]
        table = pa.table({"boxes": pa.array(records, BOXES)})
        tables.append(TableFile(f"boxes of {split}", split, "arrow", ("boxes",), table=table))
    return tuple(tables)


def usual_class(classes: Iterable[str]) -> str | None:
    """The label of a picture with several objects: the most frequent class, the first by name of equally many.

    >>> usual_class(["dog", "cat", "cat"]), usual_class([])
    ('cat', None)
    """
    counts = Counter(classes)
    return min(counts, key=lambda each: (-counts[each], each)) if counts else None


def say_classes(labels: Iterable[str | None], source: str) -> str:
    """What the labels are, in words."""
    names = sorted({each for each in labels if each is not None})
    if not names:
        return f"{source} hold no class, labels are unknown"
    return f"the label of a picture is the most frequent of its classes in {source}: {say_names(names, 3)}"
