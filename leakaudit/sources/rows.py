"""From files of rows to a data set: columns in common, the meaning of columns, empty splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.model import Columns, Dataset, Layout, TableFile, ordered_splits
from leakaudit.sources.base import Request
from leakaudit.sources.label_guess import Cells, LabelGuess, guess_label_column
from leakaudit.sources.names import resolve_column
from leakaudit.sources.parts import say_names
from leakaudit.sources.readers.engine_files import table_file
from leakaudit.sources.readers.heads import Head, cell_of

CELLS_LOOKED_AT = 1_000
"""First rows of each file by whose cells a guess is made."""


def heads_dataset(
    request: Request,
    layout: str,
    said: str,
    heads: Sequence[tuple[str | None, Head]],
    *,
    split_column: str | None = None,
    split_values: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    label: tuple[str, str] | None = None,
) -> Dataset:
    """A data set of settled files.

    Parameters
    ----------
    request : Request
    layout : str
        Name of the layout.
    said : str
        What was recognised; what the columns mean is added.
    heads : sequence of (split or None, Head)
    split_column, split_values
        Where a column says the split row by row.
    notes : sequence of str
    label : (column, reason), optional
        The label that the layout knows; it may be absent from held-out splits. What the user told goes first.

    Raises
    ------
    InputError
        A split without a row.
    LayoutError
        No column in common.
    ConfigError
        A column that the user named and that is not there.
    """
    for split in dict.fromkeys(split for split, _ in heads):
        mine = [head for each, head in heads if each == split]
        if all(head.is_empty for head in mine):
            raise InputError(f"the split {split} ({say_names([head.path for head in mine], 2)}) is empty: no row in it")
    tables: list[TableFile] = []
    for split, head in heads:
        if not head.is_empty:
            tables.append(table_file(request, head, split))
    headerless = all(not head.header for _, head in heads)
    formats = "; ".join(dict.fromkeys(head.why for _, head in heads if head.why))
    return tables_dataset(
        request.shown,
        layout,
        f"{said}; {formats}" if formats else said,
        tables,
        request.config,
        headerless=headerless,
        split_column=split_column,
        split_values=split_values,
        notes=notes,
        known_label=label,
        cells=lambda name: [
            c for _, head in heads if name in head.columns for c in head.column(name)[:CELLS_LOOKED_AT]
        ],
    )


def tables_dataset(
    root: str,
    layout: str,
    said: str,
    tables: Sequence[TableFile],
    config: Config,
    *,
    headerless: bool = False,
    split_column: str | None = None,
    split_values: Mapping[str, str] | None = None,
    n_other_files: int = 0,
    notes: Sequence[str] = (),
    known_label: tuple[str, str] | None = None,
    cells: Cells | None = None,
) -> Dataset:
    """A data set of tables: which columns they share, and what the columns mean.

    Parameters as in `heads_dataset`; `cells` of the first rows, where the tables are not in memory.
    """
    every = list(dict.fromkeys(name for table in tables for name in table.columns))
    common = [name for name in every if all(name in table.columns for table in tables)]
    partial = [name for name in every if name not in common]
    if not common:
        first = tables[0]
        apart = (table for table in tables if not set(table.columns) & set(first.columns))
        other = next(apart, tables[-1])
        raise LayoutError(
            f"{first.uri} and {other.uri} have no column in common ({say_names(first.columns, 4)} against "
            f"{say_names(other.columns, 4)}): say --header or --no-header if the first line was misread"
        )
    more = list(notes)
    lacking = [table.uri for table in tables if known_label is not None and known_label[0] not in table.columns]
    if lacking and known_label is not None and config.label in (None, known_label[0]):
        partial = [name for name in partial if name != known_label[0]]
        more.append(
            f"The label {known_label[0]!r} is not in {say_names(lacking, 3)}: checks of labels look at the other "
            "splits alone."
        )
    if partial:
        more.append(f"Columns that are not in every split are no part of the comparison: {say_names(partial, 8)}.")
    told = {
        option: resolve_column(column, every, f"--{option}")
        for option, column in (
            ("label", config.label),
            ("group", config.group),
            ("time", config.time),
            ("id", config.id),
        )
        if column is not None
    }
    for option, column in list(told.items()):
        if column in partial:
            more.append(f"The {option} column {column!r} is not in every split and was left out.")
            del told[option]
    columns = [name for name in common if name != split_column]
    guess = LabelGuess(told.get("label"), "as told" if "label" in told else "no label column known (say --label)")
    if config.label is None:
        if known_label is not None:
            guess = LabelGuess(*known_label)
        else:
            guess = guess_label_column(columns, cells or _cells_in_memory(tables), headerless=headerless)
    label = guess.label
    label_said = f"label column {label!r} ({guess.why})" if label else guess.why
    if split_values:
        splits = ordered_splits(tuple(split_values.values()))
    else:
        splits = ordered_splits([table.split for table in tables if table.split])
    ignored = [resolve_column(column, every, "--ignore-column") for column in config.ignore_columns]
    return Dataset(
        root=root,
        kind="table",
        layout=Layout(layout, f"{said}; {label_said}"),
        splits=splits,
        tables=tuple(sorted(tables, key=lambda table: splits.index(table.split) if table.split else 0)),
        columns=Columns(
            label=label,
            group=told.get("group"),
            time=told.get("time"),
            split=split_column,
            id=told.get("id"),
            ignore=tuple(dict.fromkeys((*ignored, *(name for name in partial if name != label)))),
            split_values=dict(split_values or {}),
        ),
        n_other_files=n_other_files,
        notes=tuple(more),
    )


def _cells_in_memory(tables: Sequence[TableFile]) -> Cells:
    """Cells of the first rows of the tables that are in memory."""

    def cells(name: str) -> list[str | None]:
        columns = [table.table.column(name) for table in tables if table.table is not None and name in table.columns]
        return [cell_of(value) for column in columns for value in column.slice(0, CELLS_LOOKED_AT).to_pylist()]

    return cells


def say_files(heads: Sequence[tuple[str | None, Head]], request: Request) -> str:
    """``train (train.csv), test (a.csv + b.csv)``."""
    by_split: dict[str, list[str]] = {}
    for split, head in heads:
        by_split.setdefault(split or "all", []).append(request.uri(head.path))
    return ", ".join(f"{split} ({say_names(files, 2)})" for split, files in by_split.items())
