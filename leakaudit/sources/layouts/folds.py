"""One table in which a column says the fold of each row (``fold``, ``kfold``). Every fold is held out once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from leakaudit.config import Config
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.layouts.split_column import find_split_column, one_table
from leakaudit.sources.names import plain
from leakaudit.sources.readers import head_of
from leakaudit.sources.readers.heads import Head, settle
from leakaudit.sources.readers.stream import count_values
from leakaudit.sources.rows import heads_dataset

NAMES = ("fold", "folds", "kfold", "kfolds", "foldid", "foldno", "foldnumber", "foldindex", "cvfold", "cv", "skfold")
"""Usual names of the column, in lower case without punctuation."""

MOST_FOLDS = 20
LEAST_SHARE = 0.1
"""A fold has at least this part of the rows that folds of equal size would have: numbers of another kind do not."""

_FOLD = re.compile(r"(?i)(?:fold)?[ _\-]*(\d{1,2})(?:\.0)?")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """The settled table, its column of folds with the values of all rows, and what was guessed."""

    head: Head
    column: str
    counts: Mapping[str, int]
    said: tuple[str, ...]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for a column that is named like folds and holds few small numbers, each often."""
    absent = NotThis("no table with a column of folds (fold, kfold)")
    path = one_table(request)
    if isinstance(path, NotThis) or request.config.split_column is not None or request.config.within:
        return absent
    heads, said = settle([head_of(request, path)], request.config)
    head = heads[0]
    column = fold_column(head, request.config)
    if column is None or find_split_column(head, request.config) is not None:  # folds of the training part alone
        return absent
    counts = count_values(head, column)
    return Sniffed(head, column, counts, tuple(said)) if folds_of(counts) else absent


def folds_of(counts: Mapping[str, int]) -> dict[str, str]:
    """What people call the folds that the values of a column stand for; empty where they are none."""
    folds = [value for value in counts if value]
    least = LEAST_SHARE * sum(counts.values()) / max(len(folds), 1)
    if not 2 <= len(folds) <= MOST_FOLDS or not all(_FOLD.fullmatch(value) for value in folds):
        return {}
    if min(counts[value] for value in folds) < least:
        return {}
    return {value: f"fold {value}" if value.isdigit() else value for value in folds}


def say_folds(column: str, counts: Mapping[str, int], folds: Mapping[str, str]) -> str:
    """``whose column 'fold' (by its name and values) says the fold: 5 folds of 20 rows, each held out once …``."""
    sizes = [counts[value] for value in folds]
    spread = f"{min(sizes):,}" if min(sizes) == max(sizes) else f"{min(sizes):,} to {max(sizes):,}"
    said = f"whose column {column!r} (by its name and values) says the fold: {len(folds)} folds of {spread} rows"
    return f"{said}, each held out once against the others"


def rows_in_no_fold(column: str, counts: Mapping[str, int]) -> list[str]:
    """A note on rows without a fold, where there are some."""
    without = counts.get("", 0)
    return [f"{without:,} rows without a value in {column} are in no fold and were left out."] if without else []


def fold_column(head: Head, config: Config) -> str | None:
    """The column by its name and the values of the first rows; not where the user says that it is something else."""
    told = {config.label, config.group, config.time, config.id, *config.ignore_columns}
    for column in head.columns:
        values = {value.strip() for value in head.column(column) if value}
        if plain(column) in NAMES and column not in told and values and all(map(_FOLD.fullmatch, values)):
            return column
    return None


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """One split a fold; rows without one are left out and counted."""
    values = folds_of(sniffed.counts)
    notes = rows_in_no_fold(sniffed.column, sniffed.counts)
    why = f"one table, {request.uri(sniffed.head.path)}, {say_folds(sniffed.column, sniffed.counts, values)}"
    found = heads_dataset(
        request,
        LAYOUT.name,
        "; ".join((why, *sniffed.said)),
        [(None, sniffed.head)],
        split_column=sniffed.column,
        split_values=values,
        notes=notes,
    )
    return replace(found, folds=True)


def takes(_request: Request, sniffed: Sniffed) -> tuple[str, ...]:
    """The table."""
    return (sniffed.head.path,)


LAYOUT = DataLayout("folds", sniff, load, takes, lines=True)
