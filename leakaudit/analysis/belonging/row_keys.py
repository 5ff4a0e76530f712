"""Keys that a table holds without a column named like one: in file names, e-mail addresses, and ids of one pattern."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.belonging.keys import Key, keys_in_names
from leakaudit.analysis.columns.identifiers import Pattern, pattern_of
from leakaudit.analysis.columns.labels import not_classes
from leakaudit.analysis.context import Context
from leakaudit.fingerprints.rows.columns import available, read_columns, read_labels
from leakaudit.fingerprints.rows.table_column import TableColumn

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

MOST_ROWS = 5_000_000
"""In larger tables only declared and named columns are groups: names of files take memory."""

HEAD = 200
"""First rows whose texts are tried for each pattern."""


def hidden_keys(context: Context) -> tuple[list[Key], tuple[str, ...], IntArray, list[str]]:
    """Keys that text columns without a telling name hold, whatever they may mean.

    Returns
    -------
    keys : list of Key
        Over all n rows; codes of e-mail addresses and ids, and every key in file names as
        `leakaudit.analysis.belonging.keys.keys_in_names` finds them in the names of pictures.
    columns : tuple of str
        Where they are from.
    labels : ndarray of int64, shape (n,)
        Class of every row; -1 where unknown, or where labels are no classes.
    label_names : list of str
    """
    rows = context.rows
    labels, label_names = _classes(context, rows)
    found: list[Key] = []
    used: list[str] = []
    if len(rows) > MOST_ROWS:
        return found, (), labels, label_names
    roles = context.dataset.columns
    taken = {roles.label, roles.time, roles.split, *roles.ignore}
    texts = [column.name for column in rows.pool.columns if column.kind == "text" and column.name not in taken]
    if roles.id is not None and roles.id in available(rows):
        texts.append(roles.id)  # says which row it is, and perhaps whose
    head = read_columns(rows, texts, np.arange(min(HEAD, len(rows)), dtype=np.int64))
    for tried in head:
        pattern = _pattern(tried)
        if pattern not in ("e-mail", "file name", "number"):
            continue
        (column,) = read_columns(rows, [tried.name])
        if _pattern(column) != pattern or column.codes is None or column.levels is None:
            continue
        used.append(column.name)
        if pattern == "file name":
            names = column.levels.take(pa.array(column.codes, mask=column.codes < 0))
            keys = keys_in_names(names.fill_null("."), labels, label_names)
            found += [_known(key, column) for key in keys]
        else:
            found.append(Key(f"column {column.name!r}", column.codes, column.levels))
    return found, tuple(used), labels, label_names


def row_key(context: Context, name: str) -> Key:
    """The values of one column as a key."""
    (column,) = read_columns(context.rows, [name])
    if column.levels is not None and column.codes is not None:
        return Key(f"column {name!r}", column.codes, column.levels)
    assert column.numbers is not None
    values, codes = np.unique(column.numbers[~column.missing], return_inverse=True)
    every = np.full(len(column), -1, dtype=np.int64)
    every[~column.missing] = codes.reshape(-1)
    return Key(f"column {name!r}", every, pa.array([f"{value:.15g}" for value in values.tolist()], pa.string()))


def _known(key: Key, column: TableColumn) -> Key:
    """The key in a column of file names; rows without a name have none."""
    codes = np.where(column.missing, -1, key.codes)
    return replace(key, said=f"{key.said} in column {column.name!r}", codes=codes)


def _pattern(column: TableColumn) -> Pattern | None:
    return None if column.levels is None else pattern_of(column.name, column.levels)


def _classes(context: Context, rows: RowFingerprints) -> tuple[IntArray, list[str]]:
    unknown = np.full(len(rows), -1, dtype=np.int64)
    counts = {name: info.labels for name, info in context.splits.items()}
    if not context.has_labels or not_classes(counts) is not None:
        return unknown, []
    column = read_labels(rows)
    if column is None or column.codes is None or column.levels is None:
        return unknown, []
    return column.codes, column.levels.to_pylist()
