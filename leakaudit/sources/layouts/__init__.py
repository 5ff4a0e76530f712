"""All layouts: one file per layout, each with `sniff` and `load`, tried in the order of `LAYOUTS`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import replace

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.model import Dataset, Unclaimed
from leakaudit.sources.base import DataLayout, NotThis, Request, read_request
from leakaudit.sources.claims import (
    Recognised,
    below,
    is_minority,
    recognise,
    say_inventory,
    say_unclaimed,
    unclaimed,
)
from leakaudit.sources.fold_sets import FoldsFound, load_folds, recognise_folds
from leakaudit.sources.group_pattern import with_groups
from leakaudit.sources.layouts import (
    arrays,
    coco,
    conll,
    fasta,
    fasttext,
    folds,
    id_lists,
    image_folders,
    image_masks,
    label_exports,
    line_files,
    list_json,
    manifest,
    nnunet,
    numbered_lists,
    one_split,
    paired_tables,
    parallel_text,
    picture_cells,
    picture_notes,
    sound_lists,
    sounds,
    split_column,
    split_files,
    split_json,
    squad,
    text_folders,
    time_series,
    two_domains,
    voc,
    volumes,
    webdataset,
    yolo,
)
from leakaudit.sources.listing import display
from leakaudit.sources.names import canonical

LAYOUTS: tuple[DataLayout, ...] = (
    yolo.LAYOUT,
    coco.LAYOUT,
    label_exports.LAYOUT,
    picture_notes.LAYOUT,
    voc.LAYOUT,
    nnunet.LAYOUT,
    image_masks.LAYOUT,
    two_domains.LAYOUT,
    numbered_lists.LAYOUT,
    id_lists.LAYOUT,
    list_json.LAYOUT,
    manifest.LAYOUT,
    image_folders.LAYOUT,
    webdataset.LAYOUT,
    sound_lists.LAYOUT,
    sounds.LAYOUT,
    volumes.LAYOUT,
    arrays.LAYOUT,
    picture_cells.LAYOUT,
    parallel_text.LAYOUT,
    squad.LAYOUT,
    conll.LAYOUT,
    fasttext.LAYOUT,
    fasta.LAYOUT,
    time_series.LAYOUT,
    line_files.LAYOUT,
    split_json.LAYOUT,
    paired_tables.LAYOUT,
    split_files.LAYOUT,
    folds.LAYOUT,
    split_column.LAYOUT,
    text_folders.LAYOUT,
    one_split.LAYOUT,
)
"""Of layouts that take equally much, the first wins: the more a layout asks for, the earlier it stands."""


def load(paths: Sequence[str | os.PathLike[str]], config: Config) -> Dataset:
    """Recognise how the data lie, and list their samples.

    Only names and the heads of files are looked at before a layout is chosen, and nothing is guessed silently:
    `Dataset.layout.why` says what was recognised and by what evidence.

    Parameters
    ----------
    paths : sequence of str or path
        A folder, a manifest, split files, or ``name=path`` pairs whose path is a folder, a file or a pattern.
    config : Config

    Raises
    ------
    InputError
        A path that cannot be used, or an empty split.
    LayoutError
        No layout recognised, or one split only without ``config.within``; says what was looked for and the option that
        would say it.
    ConfigError
        A column, layout or split that is not there.
    """
    request = read_request(paths, config)
    layouts = _candidates(config)
    apart, no_folds = _folds_apart(request)
    try:
        found, reasons = recognise(request, layouts)
    except LayoutError:
        if apart is None:
            raise
        found, reasons = None, []
    if apart is not None and (found is None or apart.weight >= found.weight):
        return _finished(request, load_folds(request, apart), unclaimed(request, apart.takes))
    if found is None and request.folder is not None:
        found = _below(request, layouts, reasons)
    if found is None:
        raise no_folds or LayoutError(_unrecognised(request, reasons))
    left = unclaimed(request, found.takes)
    if config.layout is None and is_minority(found, left):
        raise LayoutError(_minority(request, found, left))
    return _finished(request, found.layout.load(found.request, found.sniffed), left)


def _folds_apart(request: Request) -> tuple[FoldsFound | None, InputError | None]:
    """Folds in folders or files of their own, or why they are none after all."""
    try:
        return recognise_folds(request, LAYOUTS), None
    except InputError as error:
        return None, error


def _finished(request: Request, dataset: Dataset, left: tuple[Unclaimed, ...]) -> Dataset:
    """The data set with what was left beside it, and groups as the user told them."""
    config = request.config
    _every_name_used(dataset, config)
    if left:
        dataset = replace(dataset, unclaimed=left, notes=(*dataset.notes, *_left_to_say(dataset, left)))
    if config.group_pattern is None:
        return dataset
    sets = tuple(with_groups(each, config) for each in dataset.fold_sets)
    return replace(with_groups(dataset, config), fold_sets=sets)


def _left_to_say(dataset: Dataset, left: Sequence[Unclaimed]) -> list[str]:
    """A note on what was not looked at, but for what the layout itself said of names beside its own."""
    said = any(note.startswith("Not used, beside") for note in dataset.notes)
    unsaid = [each for each in left if each.is_blind_spot or not said]
    return [f"Beside it lie {say_unclaimed(unsaid)}: they were not looked at."] if unsaid else []


def _below(request: Request, layouts: Sequence[DataLayout], reasons: Sequence[NotThis]) -> Recognised | None:
    """The one data set in a folder below the one that was named; none where something here is nearly one.

    Raises
    ------
    LayoutError
        Several: the user must say which.
    """
    found = below(request, layouts)
    nearly = any(each.nearly and not each.unless_below for each in reasons)
    if len(found) > 1 and not nearly:
        ways = [f"{display(each.request.folder or '')} ({each.layout.name})" for each in found]
        raise LayoutError(
            f"{request.shown}: {len(found)} data sets lie here: {', '.join(ways[:4])}"
            f"{f' and {len(ways) - 4:,} more' if len(ways) > 4 else ''}. Name one of these folders: "
            f"leakaudit scan {display(found[0].request.folder or '')}"
        )
    if len(found) != 1 or nearly or is_minority(found[0], unclaimed(request, found[0].takes)):
        return None
    return found[0]


def _minority(request: Request, found: Recognised, left: Sequence[Unclaimed]) -> str:
    """What was recognised is the smaller part: it may be somebody's logs, not the data."""
    folder = display(found.request.folder or request.shown)
    return (
        f"{request.shown}: {found.layout.name} were recognised in {folder}, but most of what lies here is something "
        f"else: {say_unclaimed([each for each in left if each.is_blind_spot])}. Say which is meant: name the splits of "
        f"the data (train=FOLDER val=FOLDER), or --layout {found.layout.name} for what was recognised"
    )


def _every_name_used(dataset: Dataset, config: Config) -> None:
    for name, split in config.splits.items():
        if canonical(split) not in dataset.splits:
            raise ConfigError(f"--split-name: nothing is called {name!r} (splits: {', '.join(dataset.splits)})")


def _candidates(config: Config) -> tuple[DataLayout, ...]:
    if config.layout is None:
        return LAYOUTS
    names = [layout.name for layout in LAYOUTS]
    if config.layout not in names:
        near = difflib.get_close_matches(config.layout, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"--layout: there is no layout {config.layout!r}{hint} (layouts: {', '.join(names)})")
    return tuple(layout for layout in LAYOUTS if layout.name == config.layout)


def _unrecognised(request: Request, reasons: Sequence[NotThis]) -> str:
    nearly = [each.reason for each in reasons if each.nearly]
    if nearly:
        return f"{request.shown}: {nearly[0]}"
    hint = "Name the splits yourself (train=PATH val=PATH), or add --within for one split"
    there = say_inventory(request)
    if request.config.layout is not None or not there:
        tried = "; ".join(dict.fromkeys(each.reason for each in reasons))
        return f"{request.shown}: no data layout recognised: {tried}. {hint}"
    return f"{request.shown}: no data layout recognised in what lies here ({there}). {hint}"
