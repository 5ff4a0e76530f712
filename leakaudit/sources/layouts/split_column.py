"""One table in which a column says the split of each row.

Values are the usual split names, or what ``config.splits`` maps. Rows with any other value (``unused``) belong to no
split: they are left out, and counted in the notes. Only where the user names the column, and no value of it is a usual
split name, is every value a split of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leakaudit.config import Config
from leakaudit.errors import ConfigError, LayoutError
from leakaudit.model import Dataset
from leakaudit.sources import storage
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display
from leakaudit.sources.names import (
    SPLIT_COLUMN_NAMES,
    SPLIT_NAMES,
    canonical,
    plain,
    resolve_column,
    split_of,
    split_word,
)
from leakaudit.sources.parts import list_folder, say_names
from leakaudit.sources.readers import head_of, is_container_name, tables_in, tables_of_folder
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values
from leakaudit.sources.rows import heads_dataset

MOST_SPLITS = 20
"""More distinct values than this in a column are no splits (ten folds and a hold-out are eleven)."""


_YES = frozenset(("true", "t", "yes", "y", "1", "1.0"))
_NO = frozenset(("false", "f", "no", "n", "0", "0.0"))
"""Values of a column that says yes or no."""


CODES: Mapping[str, str] = {"0": "train", "1": "val", "2": "test"}
CODED_NAMES = ("partition", "split", "datasplit", "evalpartition")
"""Splits as CelebA and those that follow it number them, and names of columns that hold such numbers."""


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The settled table, its split column, and what was guessed."""

    head: Head
    column: str
    said: tuple[str, ...]


def one_table(request: Request) -> str | NotThis:
    """The one table that was named, or the only one in a folder."""
    if request.folder is not None:
        tables = tables_of_folder(request.folder, list_folder(request.inventory, request.folder)[1])
        if len(tables) == 1:
            path = os.path.join(request.folder, tables[0])
            return path if not is_container_name(path) else _one_inside(path, request.config)
        return NotThis(f"{len(tables)} tables in the folder" if tables else "no table in the folder")
    paths = [path for item in request.items for path in item.paths]
    if len(paths) != 1:
        return NotThis("several files")
    if storage.is_folder(paths[0]):
        return NotThis("a folder")
    return paths[0]


def _one_inside(path: str, config: Config) -> str | NotThis:
    """A file that may hold several tables, if it holds one.

    Raises
    ------
    InputError
        It cannot be read.
    """
    names = tables_in(path, config)
    return path if names is None or len(names) == 1 else NotThis(f"{len(names)} tables in {display(path)}")


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for a column with the name and the values of a split."""
    path = one_table(request)
    if isinstance(path, NotThis):
        return NotThis(f"no single table with a split column ({path.reason}; --split-column)")
    heads, said = settle([head_of(request, path)], request.config)
    head = heads[0]
    column = find_split_column(head, request.config)
    if column is None:
        return NotThis(f"{display(path)} has no column that says the split (--split-column NAME)")
    return Sniffed(head, column, tuple(said))


def find_split_column(head: Head, config: Config) -> str | None:
    """The column that says the split: as told, else by a usual name and at least one usual value among its first ones.

    Raises
    ------
    ConfigError
        The column told is not there.
    """
    if config.split_column is not None:
        return resolve_column(config.split_column, head.columns, "--split-column")
    by_plain = {plain(column): column for column in reversed(head.columns)}
    for name in (*SPLIT_COLUMN_NAMES, *(each for each in by_plain if each.endswith("split"))):
        column = by_plain.get(name)
        if column is None:
            continue
        values = {value.strip() for value in head.column(column) if value}
        if len(values) <= MOST_SPLITS and any(split_of(value, config.splits) for value in values):
            return column
        if name in CODED_NAMES and values <= CODES.keys() and _coded(count_values(head, column)):
            return column
    flags = [column for column in head.columns if flag_splits(column)]
    return next((column for column in flags if _flag_values(column, [v for v in head.column(column) if v])), None)


def _coded(counts: Mapping[str, int]) -> dict[str, str]:
    """What 0, 1 and 2 stand for where a column has just these, 0 the most; nothing elsewhere."""
    known = {value: n for value, n in counts.items() if value}
    is_code = known.keys() == CODES.keys() and known["0"] == max(known.values())
    return dict(CODES) if is_code else {}


def flag_splits(column: str) -> tuple[str, str] | None:
    """Which splits yes and no mean in a column that is named after one (``is_train``); None for other names.

    >>> flag_splits("is_train"), flag_splits("IsValid"), flag_splits("train_time")
    (('train', 'test'), ('val', 'train'), None)
    """
    name = plain(column)
    split = SPLIT_NAMES.get(name.removeprefix("is").removeprefix("in").removesuffix("flag").removesuffix("mask"))
    if split is None or (not name.startswith(("is", "in")) and not name.endswith(("flag", "mask"))):
        return None
    return (split, "test" if split == "train" else "train")


def _flag_values(column: str, known: Sequence[str]) -> dict[str, str]:
    """What the values of a column of yes and no stand for; nothing where it is none."""
    splits = flag_splits(column)
    if splits is None or not {value.strip().lower() for value in known} <= _YES | _NO:
        return {}
    return {value: splits[0] if value.strip().lower() in _YES else splits[1] for value in known}


def read_split_values(counts: Mapping[str, int], column: str, config: Config) -> tuple[dict[str, str], list[str]]:
    """What each value of a split column stands for.

    Returns
    -------
    values : dict of str to str
        Value to split.
    notes : list of str
        Values left out, with their rows.

    Raises
    ------
    ConfigError
        A value that the user mapped is not there.
    LayoutError
        Fewer than two splits, unless ``config.within``; or too many values.
    """
    known = sorted(value for value in counts if value)
    absent = [name for name in config.splits if not any(name.lower() == value.lower() for value in known)]
    if absent:
        raise ConfigError(f"--split-name: {column!r} has no value {absent[0]!r} (values: {say_names(known, 10)})")
    values = {value: split for value in known if (split := split_of(value, config.splits))}
    if len(set(values.values())) < 2:
        values = _values_by_word(known, config) or values
    values = values or _flag_values(column, known)
    if not values and plain(column) in CODED_NAMES:
        values = _coded(counts)
    if not values and config.split_column is not None:
        if len(known) > MOST_SPLITS:
            raise LayoutError(
                f"--split-column: {column!r} has {len(known):,} values, at most {MOST_SPLITS} can be splits"
            )
        values = {value: canonical(value) for value in known}
    if len(set(values.values())) < (1 if config.within else 2):
        found = say_names([f"{value!r}" for value in known], 6)
        hint = "map values (--split-name VALUE=val) or add --within"
        raise LayoutError(f"column {column!r} names fewer than two splits ({found}): {hint}")
    left_out = {value: n for value, n in counts.items() if value not in values}
    notes = [
        f"{n:,} rows with {column} = {value!r} are in no split and left out (keep them: --split-name {value}=NAME)."
        if value
        else f"{n:,} rows without a value in {column} are in no split and were left out."
        for value, n in sorted(left_out.items())
    ]
    return values, notes


def _values_by_word(known: Sequence[str], config: Config) -> dict[str, str]:
    """Values of which one word says the split (``PublicTest``); several of one split keep their own names."""
    by_word = {value: split for value in known if (split := split_of(value, config.splits) or split_word(value))}
    splits = list(by_word.values())
    named = {value: split if splits.count(split) == 1 else value for value, split in by_word.items()}
    return named if "train" in named.values() and len(named) > 1 else {}


def say_values(values: Mapping[str, str]) -> str:
    """``train, val (from 'dev')``."""
    return ", ".join(
        split if value == split else f"{split} (from {value!r})" for value, split in sorted(values.items())
    )


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """Read the split column of all rows, and say what its values stand for."""
    counts = count_values(sniffed.head, sniffed.column)
    values, notes = read_split_values(counts, sniffed.column, request.config)
    told = "as told" if request.config.split_column is not None else "by its name and values"
    table = f"one table, {request.uri(sniffed.head.path)}, whose column {sniffed.column!r} ({told}) says the split"
    why = "; ".join((f"{table}: {say_values(values)}", *sniffed.said))
    return heads_dataset(
        request,
        LAYOUT.name,
        why,
        [(None, sniffed.head)],
        split_column=sniffed.column,
        split_values=values,
        notes=notes,
    )


def takes(_request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """The table."""
    return (sniffed.head.path,)


LAYOUT = DataLayout("split-column", sniff, load, takes, lines=True)
