"""Folds of a cross-validation that lie apart: a folder, a table or a list each.

Either each is one part of the data (``fold_1/``, ``fold_2.csv``), held out once against all others, or each has its own
training and held-out part (``fold1/train``, ``fold1_train.txt fold1_test.txt``, ``train_fold0.csv val_fold0.csv``).
What a fold holds is read by the layouts, as if the user had named its parts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leakaudit.errors import InputError, UserError
from leakaudit.model import Dataset, Layout, Samples, TableFile
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, Item, Request
from leakaudit.sources.claims import Recognised, recognise, weight_of
from leakaudit.sources.listing import display, entries_of
from leakaudit.sources.names import distinct, split_of, split_word
from leakaudit.sources.parts import folder_parts, say_names, stem
from leakaudit.sources.readers import is_text_name

LAYOUT_NAME = "folds"
MOST_FOLDS = 20
MOST_PLACES = 50
"""Folders directly below the one that was named in which folds are looked for."""

_FOLD = re.compile(r"(?<![a-z])(?:k[-_ ]?)?(?:fold|cv|kfold)s?[-_ ]?(\d{1,2})(?!\d)", re.IGNORECASE)
_SPLIT = re.compile(r"(?<![a-z])split[-_ ]?(\d{1,2})(?!\d)", re.IGNORECASE)
"""A ``split1`` is a fold only where it has a training part of its own: else it may be a shard."""


@dataclass(frozen=True, slots=True)
class Fold:
    """One fold: what people call it, and the paths of its parts by split; of one without parts "" is the split."""

    called: str
    paths: dict[str, str]


def find_folds(request: Request) -> list[Fold]:
    """Folds in the folder that was named, or in one below it; none where there are not two of one kind."""
    config = request.config
    if request.folder is None or config.within or config.split_column or config.layout not in (None, LAYOUT_NAME):
        return []
    try:
        folders, files = entries_of(request.inventory, request.folder)
    except OSError:
        return []
    if len(folder_parts(request.folder, folders, config)) > 1:
        return []
    places = [(request.folder, folders, files)]
    for name in folders[:MOST_PLACES]:
        with suppress(OSError):
            place = os.path.join(request.folder, name)
            places.append((place, *entries_of(request.inventory, place)))
    for place, inner, names in places:
        found = _folders(request, place, inner) or _files(request, place, names)
        if 2 <= len(found) <= MOST_FOLDS:
            return found
    return []


def _numbered(names: Sequence[str], pattern: re.Pattern[str]) -> dict[int, list[str]]:
    """Names by the number of their fold."""
    found: dict[int, list[str]] = {}
    for name in names:
        if match := pattern.search(name):
            found.setdefault(int(match[1]), []).append(name)
    return found


def _folders(request: Request, place: str, names: Sequence[str]) -> list[Fold]:
    for pattern in (_FOLD, _SPLIT):
        found = _numbered(names, pattern)
        if len(found) < 2 or any(len(each) > 1 for each in found.values()):
            continue
        folds = []
        for number, (name,) in sorted(found.items()):
            path = os.path.join(place, name)
            folds.append(Fold(f"fold {number}", _parts_of(request, path) or {"": path}))
        alone = sum("" in fold.paths for fold in folds)
        if alone == 0 or (alone == len(folds) and pattern is _FOLD):
            return folds
    return []


def _parts_of(request: Request, folder: str) -> dict[str, str]:
    """Folders or files of a fold by split; none where it has no training part and another one."""
    try:
        folders, files = entries_of(request.inventory, folder)
    except OSError:
        return {}
    parts = {part.split: part.paths[0] for part in folder_parts(folder, folders, request.config)}
    return parts if _is_fold(parts) else _split_files(request, folder, files)


def _split_files(request: Request, folder: str, names: Sequence[str]) -> dict[str, str]:
    """Tables or lists by the split in their names."""
    told = request.config.splits
    named = [
        (name, split)
        for name in names
        if is_text_name(name) and (split := split_of(stem(name), told) or split_word(stem(name)))
    ]
    parts = {split: os.path.join(folder, name) for name, split in named}
    return parts if _is_fold(parts) and len(parts) == len(distinct(named)) else {}


def _is_fold(parts: dict[str, str]) -> bool:
    return "train" in parts and len(parts) > 1


def _files(request: Request, place: str, names: Sequence[str]) -> list[Fold]:
    found = _numbered([name for name in names if is_text_name(name)], _FOLD)
    if len(found) < 2:
        found = _numbered([name for name in names if is_text_name(name)], _SPLIT)
    if len(found) < 2:
        return []
    folds = [Fold(f"fold {number}", _split_files(request, place, each)) for number, each in sorted(found.items())]
    if all(fold.paths for fold in folds):
        return folds
    # Files that differ in the number alone.
    rest = {_FOLD.sub("{}", name) for each in found.values() for name in each}
    if len(rest) > 1 or any(len(each) > 1 for each in found.values()) or "{}" not in next(iter(rest)):
        return []
    return [Fold(f"fold {number}", {"": os.path.join(place, name)}) for number, (name,) in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class FoldsFound:
    """Folds, and what is recognised in them: in all at once where each is one part, else in each.

    Parameters
    ----------
    takes : tuple of str
        Files and folders.
    weight : int
        Samples in them, about.
    """

    folds: tuple[Fold, ...]
    recognised: tuple[Recognised, ...]
    takes: tuple[str, ...]
    weight: int


def recognise_folds(request: Request, layouts: Sequence[DataLayout]) -> FoldsFound | None:
    """Folds that lie apart in a folder; None where there are none.

    Raises
    ------
    InputError
        No layout recognises what a fold holds.
    """
    folds = find_folds(request)
    if not folds:
        return None
    if "" in folds[0].paths:
        each = [_recognised(request, {fold.called: fold.paths[""] for fold in folds}, layouts)]
    else:
        each = [_recognised(request, fold.paths, layouts) for fold in folds]
    takes = tuple(path for one in each for path in one.takes)
    lines = each[0].layout.lines
    return FoldsFound(tuple(folds), tuple(each), takes, weight_of(request.inventory, takes, lines=lines))


def load_folds(request: Request, found: FoldsFound) -> Dataset:
    """The data set of all folds.

    Raises
    ------
    InputError
        A fold that cannot be read.
    """
    names = say_names([fold.called for fold in found.folds], 3)
    n_folds = len(found.folds)
    if len(found.recognised) == 1:
        one = found.recognised[0]
        dataset = one.layout.load(one.request, one.sniffed)
        why = f"{n_folds} folds ({names}), each held out once against the others; {dataset.layout.why}"
        return replace(dataset, layout=Layout(LAYOUT_NAME, why), folds=True)
    sets = []
    for fold, each in zip(found.folds, found.recognised, strict=True):
        try:
            sets.append(each.layout.load(each.request, each.sniffed))
        except UserError as error:
            raise InputError(f"{fold.called}: {error}") from error
    return _together(request, found.folds, sets)


def _recognised(request: Request, paths: dict[str, str], layouts: Sequence[DataLayout]) -> Recognised:
    """The parts as if the user had named each."""
    items = tuple(Item(split, path, (path,), is_folder=storage.is_folder(path)) for split, path in paths.items())
    found, reasons = recognise(replace(request, items=items), layouts)
    if found is None:
        first = next((each.reason for each in reasons if each.nearly), reasons[0].reason)
        raise InputError(f"{say_names([display(path) for path in paths.values()], 2)}: folds, but {first}")
    return found


def _together(request: Request, folds: Sequence[Fold], sets: Sequence[Dataset]) -> Dataset:
    """The held-out samples of all folds, with the data set of each."""
    first = sets[0]
    held_out = [[name for name in each.splits if name != "train"] for each in sets]
    names = say_names([fold.called for fold in folds], 3)
    why = f"{len(folds)} folds ({names}), each with its own training part; of the first: {first.layout.why}"
    notes = dict.fromkeys(note for each in sets for note in each.notes)
    if any(len(each) > 1 for each in held_out):
        several = next(each for each in held_out if len(each) > 1)
        notes[f"{' and '.join(several)} of a fold are held out together: what they share is not told."] = None
    called = tuple(fold.called for fold in folds)
    return Dataset(
        root=request.shown,
        kind=first.kind,
        layout=Layout(LAYOUT_NAME, why),
        splits=called,
        samples=_held_out_samples(sets),
        tables=_held_out_tables(called, sets),
        columns=first.columns,
        problems=tuple({problem.uri: problem for each in sets for problem in each.problems}.values()),
        n_other_files=max(each.n_other_files for each in sets),
        notes=tuple(notes),
        folds=True,
        fold_sets=tuple(sets),
    )


def _held_out_samples(sets: Sequence[Dataset]) -> Samples | None:
    """Each held-out picture once, in the first fold that holds it out."""
    kept = []
    seen: set[bytes] = set()
    for code, each in enumerate(sets):
        if each.samples is None:
            return None
        there = np.flatnonzero(each.samples.split != each.splits.index("train"))
        paths = each.samples.path.take(pa.array(there)).to_pylist()
        rows = np.array(
            [at for at, path in zip(there.tolist(), paths, strict=True) if path not in seen], dtype=np.int64
        )
        seen.update(paths)
        kept.append(_taken(each.samples, rows, code))
    return _joined(kept)


def _taken(samples: Samples, rows: npt.NDArray[np.int64], code: int) -> Samples:
    at = pa.array(rows)
    return replace(
        samples,
        uri=samples.uri.take(at),
        path=samples.path.take(at),
        split=np.full(len(rows), code, dtype=np.int16),
        label=None if samples.label is None else samples.label.take(at),
        group=None if samples.group is None else samples.group.take(at),
        time=None if samples.time is None else samples.time.take(at),
        size=None if samples.size is None else samples.size[rows],
        mtime_ns=None if samples.mtime_ns is None else samples.mtime_ns[rows],
    )


def _joined(each: Sequence[Samples]) -> Samples:
    def arrays(columns: list[pa.Array | None]) -> pa.Array | None:
        known = [column for column in columns if column is not None]
        return pa.concat_arrays(known) if len(known) == len(columns) else None

    def numbers(columns: list[npt.NDArray[np.int64] | None]) -> npt.NDArray[np.int64] | None:
        known = [column for column in columns if column is not None]
        return np.concatenate(known) if len(known) == len(columns) else None

    return Samples(
        uri=pa.concat_arrays([one.uri for one in each]),
        path=pa.concat_arrays([one.path for one in each]),
        split=np.concatenate([one.split for one in each]),
        label=arrays([one.label for one in each]),
        group=arrays([one.group for one in each]),
        time=arrays([one.time for one in each]),
        size=numbers([one.size for one in each]),
        mtime_ns=numbers([one.mtime_ns for one in each]),
        are_files=each[0].are_files,
    )


def _held_out_tables(called: Sequence[str], sets: Sequence[Dataset]) -> tuple[TableFile, ...]:
    if sets[0].samples is not None:  # the columns of pictures are with the folds
        return ()
    return tuple(
        replace(table, split=fold)
        for fold, each in zip(called, sets, strict=True)
        for table in each.tables
        if table.split != "train"
    )
