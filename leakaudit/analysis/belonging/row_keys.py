"""Keys that a table holds without a column named like one: in file names, e-mail addresses, and ids of one pattern."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.analysis.belonging.keys import Key, keys_in_names
from leakaudit.analysis.columns.labels import not_classes
from leakaudit.analysis.context import Context
from leakaudit.fingerprints.rows.columns import available, read_columns, read_labels
from leakaudit.fingerprints.rows.table_column import TableColumn
from leakaudit.sources.names import PATH_NAMES, plain, words

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

MOST_ROWS = 5_000_000
"""In larger tables only declared and named columns are groups: names of files take memory."""

HEAD = 200
"""First rows whose texts are tried for each pattern."""

MOSTLY = 0.95
"""Least share of the distinct texts of a column that have its pattern."""

FILE_NAME = r"(?i)^[^\t\n]*[^\t\n/\\.]\.[a-z][a-z0-9]{1,4}$"
E_MAIL = r"(?i)^[^@\s]+@[^@\s]+\.[a-z]{2,}$"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ID = rf"(?i)^(?:[a-z]{{1,12}}[-_#:]?[0-9]{{2,12}}|(?:[a-z]{{1,8}}[-_])?(?:[0-9a-f]{{8,64}}|{_UUID}))$"
"""A register's number (``P012``, ``user_00017``), or hexadecimal digits as sessions have."""

_KINDS = frozenset(
    [
        "product",
        "item",
        "article",
        "sku",
        "code",
        "zip",
        "postcode",
        "postal",
        "plate",
        "flight",
        "route",
        "model",
        "version",
        "icd",
        "gene",
        "ticker",
        "symbol",
        "zone",
        "area",
        "region",
        "city",
        "country",
        "store",
        "shop",
    ]
)  # columns of such names hold kinds of things, which splits share on purpose


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
        if pattern is None:
            continue
        (column,) = read_columns(rows, [tried.name])
        if _pattern(column) != pattern or column.codes is None or column.levels is None:
            continue
        used.append(column.name)
        if pattern == FILE_NAME:
            names = column.levels.take(pa.array(column.codes, mask=column.codes < 0))
            keys = keys_in_names(names.fill_null("."), labels, label_names)
            found += [_known(key, column) for key in keys]
        else:
            found.append(Key(f"column {column.name!r}", column.codes, column.levels))
    return found, tuple(used), labels, label_names


def _known(key: Key, column: TableColumn) -> Key:
    """The key in a column of file names; rows without a name have none."""
    codes = np.where(column.missing, -1, key.codes)
    return replace(key, said=f"{key.said} in column {column.name!r}", codes=codes)


def _pattern(column: TableColumn) -> str | None:
    if column.levels is None or not len(column.levels) or _KINDS & {*words(column.name)}:
        return None
    name = plain(column.name)
    for pattern in (E_MAIL, FILE_NAME, ID):
        fits = pc.match_substring_regex(column.levels, pattern).to_numpy(zero_copy_only=False)
        if fits.mean() >= MOSTLY:
            return pattern if pattern != ID or _one_length(column.levels) else None
    digits = pc.match_substring_regex(column.levels, "[0-9]").to_numpy(zero_copy_only=False)
    return FILE_NAME if name in PATH_NAMES and name != "name" and digits.all() else None


def _one_length(levels: pa.Array) -> bool:
    """Ids of one register are padded to one length; model names and codes of places seldom are."""
    lengths = pc.utf8_length(levels).to_numpy(zero_copy_only=False)
    return len(lengths) > 1 and bool((lengths == lengths[0]).all())


def _classes(context: Context, rows: RowFingerprints) -> tuple[IntArray, list[str]]:
    unknown = np.full(len(rows), -1, dtype=np.int64)
    counts = {name: info.labels for name, info in context.splits.items()}
    if not context.has_labels or not_classes(counts) is not None:
        return unknown, []
    column = read_labels(rows)
    if column is None or column.codes is None or column.levels is None:
        return unknown, []
    return column.codes, column.levels.to_pylist()
