"""Folders that ``datasets.Dataset.save_to_disk`` wrote: Arrow streams beside files that describe them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.listing import display

STATE = "state.json"
DESCRIPTIONS = ("dataset_info.json", "dataset_dict.json")


NEW_SPLIT, NEW_SPLIT_MARK = "split.json", b'"leakaudit-split"'
"""What ``leakaudit split`` writes beside a new split, and what stands at its beginning."""


def without_descriptions(folder: str, names: Sequence[str]) -> list[str]:
    """Names of the files directly in a folder without those that describe its data set, which are no rows of it."""
    none = {*DESCRIPTIONS}
    if any(name.endswith(".arrow") for name in names):
        none.add(STATE)
    if NEW_SPLIT in names and _is_new_split(os.path.join(folder, NEW_SPLIT)):
        none.add(NEW_SPLIT)
    return [name for name in names if name not in none]


def _is_new_split(path: str) -> bool:
    try:
        with storage.open_file(path) as file:
            return NEW_SPLIT_MARK in file.read(64)
    except OSError:
        return False  # said by whoever reads it


def saved_shards(folder: str, names: Sequence[str]) -> list[str] | None:
    """Names of the data files of a saved data set, in order; None for another folder.

    Parameters
    ----------
    folder : str
    names : sequence of str
        Of the files directly in it.

    Raises
    ------
    InputError
        A data file is not there, or the rows are chosen by an index that was never written out.
    """
    if STATE not in names or not any(name.endswith(".arrow") for name in names):
        return None
    try:
        with storage.open_file(os.path.join(folder, STATE)) as file:
            state = json.loads(file.read(1 << 24))
        shards = [str(each["filename"]) for each in state["_data_files"]]
    except OSError as error:
        raise InputError(f"{display(folder)}: {why(error)}") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # a state.json of something else
    if state.get("_indices_data_files"):
        raise InputError(f"{display(folder)}: a selection of rows that was saved as an index: flatten_indices() first")
    absent = [shard for shard in shards if shard not in names]
    if absent:
        raise InputError(f"{display(folder)}: {display(absent[0])} is named in {STATE} and is not there")
    return shards
