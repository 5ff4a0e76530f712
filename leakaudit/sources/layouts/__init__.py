"""All layouts: one file per layout, each with `sniff` and `load`, tried in the order of `LAYOUTS`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence

from leakaudit.config import Config
from leakaudit.errors import ConfigError, LayoutError
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request, read_request
from leakaudit.sources.group_pattern import with_groups
from leakaudit.sources.layouts import (
    image_folders,
    manifest,
    one_split,
    paired_tables,
    parallel_text,
    split_column,
    split_files,
    split_json,
    text_folders,
    voc,
    webdataset,
)
from leakaudit.sources.names import canonical

LAYOUTS: tuple[DataLayout, ...] = (
    voc.LAYOUT,
    image_folders.LAYOUT,
    webdataset.LAYOUT,
    manifest.LAYOUT,
    parallel_text.LAYOUT,
    split_json.LAYOUT,
    paired_tables.LAYOUT,
    split_files.LAYOUT,
    split_column.LAYOUT,
    text_folders.LAYOUT,
    one_split.LAYOUT,
)
"""The first that recognises the data wins; the more a layout asks for, the earlier it stands."""


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
    reasons = []
    for layout in _candidates(config):
        sniffed = layout.sniff(request)
        if not isinstance(sniffed, NotThis):
            dataset = layout.load(request, sniffed)
            _every_name_used(dataset, config)
            return dataset if config.group_pattern is None else with_groups(dataset, config)
        reasons.append(sniffed)
    raise LayoutError(_unrecognised(request, reasons))


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
    tried = "; ".join(dict.fromkeys(each.reason for each in reasons))
    hint = "Name the splits yourself (train=PATH val=PATH), or add --within for one split"
    return f"{request.shown}: no data layout recognised: {tried}. {hint}"
