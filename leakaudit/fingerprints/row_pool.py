"""The rows of all files as one pool: which columns make a row, what its split and its label are, in SQL."""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from leakaudit.config import Config
from leakaudit.engines.duck import Duck, quote_text
from leakaudit.engines.tables import Loaded
from leakaudit.errors import InputError
from leakaudit.fingerprints.cells import Column, canonical_cells, label_text, pool_columns
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.names import resolve_column

LABELS_COUNTED = 100_000
"""Distinct labels that are counted, the most frequent ones; a column with more is no set of classes."""


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """All files as tables, and SQL of what matters in each.

    Parameters
    ----------
    starts : tuple of int
        Sample index of the first row of each file, and the number of all rows.
    labels : tuple of Column or None
        The label column as each file has it; `label` is the SQL of its canonical text in `with_label`.
    split : tuple of str
        SQL of the index of a row's split.
    """

    tables: tuple[Loaded, ...]
    starts: tuple[int, ...]
    columns: tuple[Column, ...]
    labels: tuple[Column | None, ...]
    label_compared: bool
    split: tuple[str, ...]
    label: tuple[str, ...]

    def with_label(self, file: int) -> str:
        """The table of a file, and its canonical label as ``n0``."""
        column = self.labels[file]
        return canonical_cells([column] if column else [], file, self.tables[file].table)

    @property
    def split_cells(self) -> tuple[tuple[str, ...], ...]:
        """Columns of each file that `split` reads."""
        return tuple(tuple(re.findall(r"\bc\d+\b", sql.partition("::")[0])) for sql in self.split)

    @property
    def split_varies(self) -> tuple[bool, ...]:
        """Whether the rows of a file belong to several splits, or to none."""
        return tuple(table.file.split is None for table in self.tables)


def make_pool(
    duck: Duck, dataset: Dataset, config: Config, tables: Sequence[Loaded]
) -> tuple[Pool, dict[str, str], dict[str, dict[str, int]]]:
    """Decide which columns make a row, what they hold, and what the labels are.

    Returns
    -------
    pool : Pool
    left_out : dict of str to str
        Columns that are no part of a row, and why.
    label_counts : dict of str to dict of str to int
        Canonical labels of each split, at most `LABELS_COUNTED` in all.

    Raises
    ------
    InputError
        No column is left that could be compared.
    ConfigError
        A column to ignore is not there.
    """
    features, left_out = _identity(dataset, config)
    label = dataset.columns.label
    if label is not None and any(label not in table.file.columns for table in tables):
        left_out = {**left_out, label: "not in every file"}
    labels = _label_columns(duck, tables, label)
    pool = Pool(
        tables=tuple(tables),
        starts=tuple(int(start) for start in np.cumsum([0, *(table.n_rows for table in tables)])),
        columns=tuple(pool_columns(duck, tables, features)),
        labels=labels,
        label_compared=label is not None and label not in left_out,
        split=tuple(_split_sql(table, dataset) for table in tables),
        label=tuple(
            label_text(column, file, "n0") if column else "NULL::VARCHAR" for file, column in enumerate(labels)
        ),
    )
    counts = _count_labels(duck, pool, dataset.splits)
    dotted = _dotted(counts) if pool.label_compared and all(c is not None and c.kind == "text" for c in labels) else ()
    if dotted:
        pool = replace(pool, label=tuple(_without_dot(pool, file, dataset, dotted) for file in range(len(tables))))
        counts = {name: _undotted(found) if name in dotted else found for name, found in counts.items()}
    return pool, left_out, counts


# --- which columns make a row ---------------------------------------------------------------------------------


def _identity(dataset: Dataset, config: Config) -> tuple[list[str], dict[str, str]]:
    """Feature columns in the order of the first file, and why the others are left out."""
    files = dataset.tables
    known = list(dict.fromkeys(name for file in files for name in file.columns))
    roles = dataset.columns
    left_out = {name: "ignored" for name in roles.ignore if name in known}
    for told in config.ignore_columns:
        name = told if told in known else resolve_column(told, files[0].columns, "--ignore-column")
        left_out[name] = "ignored"
    if roles.id is not None:
        left_out[roles.id] = "names the row"
    if roles.split is not None:
        left_out[roles.split] = "says the split"
    for name in known:
        if name != roles.label and any(name not in file.columns for file in files):
            left_out.setdefault(name, "not in every file")
    features = [name for name in known if name not in left_out and name != roles.label]
    if not features:
        raise InputError(_nothing_to_compare(files, left_out, roles.label))
    return features, left_out


def _nothing_to_compare(files: Sequence[TableFile], left_out: Mapping[str, str], label: str | None) -> str:
    if "not in every file" in left_out.values():
        uris = " and ".join(file.uri for file in files[:2])
        return f"{uris} have no column in common to compare: their headers differ (--header, --no-header)"
    return f"no column is left to compare beside the label {label!r}" if label else "no column is left to compare"


# --- splits and labels ----------------------------------------------------------------------------------------


def _split_sql(table: Loaded, dataset: Dataset) -> str:
    """The index of the split of a row; null for a row that belongs to none."""
    if table.file.split is not None:
        return f"{dataset.splits.index(table.file.split)}::SMALLINT"
    name = dataset.columns.split
    if name is None or name not in table.file.columns:
        raise InputError(f"{table.file.uri}: nothing says the split of its rows")
    value = f"trim(c{table.file.columns.index(name)}::VARCHAR)"
    values = dataset.columns.split_values or {split: split for split in dataset.splits}
    codes = {each: dataset.splits.index(split) for each, split in values.items() if split in dataset.splits}
    if not codes:
        return "NULL::SMALLINT"
    cases = " ".join(f"WHEN {quote_text(each)} THEN {code}" for each, code in sorted(codes.items()))
    return f"(CASE {value} {cases} END)::SMALLINT"


def _label_columns(duck: Duck, tables: Sequence[Loaded], label: str | None) -> tuple[Column | None, ...]:
    """The label column as each file has it: what it holds is decided over all files that have one."""
    having = [at for at, table in enumerate(tables) if label in table.file.columns]
    if label is None or not having:
        return (None,) * len(tables)
    column = pool_columns(duck, [tables[at] for at in having], [label])[0]
    sql, storage = [""] * len(tables), [column.storage[0]] * len(tables)
    for at, name, held in zip(having, column.sql, column.storage, strict=True):
        sql[at], storage[at] = name, held
    spread = replace(column, sql=tuple(sql), storage=tuple(storage))
    return tuple(spread if at in having else None for at in range(len(tables)))


def _count_labels(duck: Duck, pool: Pool, splits: Sequence[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {name: {} for name in splits}
    having = [file for file, column in enumerate(pool.labels) if column is not None]
    if not having:
        return counts
    parts = []
    for at in having:
        column = pool.labels[at]
        assert column is not None
        cell = column.sql[at]
        # As they stand first: what makes them canonical is then done once for each of few.
        counted_raw = f"""(SELECT {pool.split[at]} AS split, {cell}, count(*) AS n, 0 AS rowid
            FROM {pool.tables[at].table} GROUP BY ALL)"""
        parts.append(f"SELECT split, {pool.label[at]} AS label, n FROM {canonical_cells([column], at, counted_raw)}")
    counted = duck.rows(
        f"""SELECT split, label, sum(n) AS n FROM ({" UNION ALL ".join(parts)})
            WHERE split IS NOT NULL AND label IS NOT NULL
            GROUP BY ALL ORDER BY n DESC, label, split LIMIT {LABELS_COUNTED}"""
    )
    for code, text, n in sorted(counted, key=lambda row: str(row[1])):
        counts[splits[int(str(code))]][str(text)] = int(str(n))
    return counts


def _dotted(counts: Mapping[str, Mapping[str, int]]) -> frozenset[str]:
    """Splits whose labels all end in a dot, where the other splits have the same labels without it, as in UCI Adult."""
    dotted = {name for name, labels in counts.items() if labels and all(label.endswith(".") for label in labels)}
    others = {label for name, labels in counts.items() if name not in dotted for label in labels}
    return frozenset(name for name in dotted if others & {*_undotted(counts[name])} and not others & {*counts[name]})


def _without_dot(pool: Pool, file: int, dataset: Dataset, dotted: Iterable[str]) -> str:
    codes = ", ".join(str(dataset.splits.index(name)) for name in sorted(dotted))
    label = pool.label[file]
    return f"CASE WHEN ({pool.split[file]}) IN ({codes}) THEN regexp_replace({label}, '[.]$', '') ELSE {label} END"


def _undotted(counts: Mapping[str, int]) -> dict[str, int]:
    return {label.removesuffix("."): n for label, n in counts.items()}
