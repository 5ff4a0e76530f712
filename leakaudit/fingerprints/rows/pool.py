"""The rows of all files as one pool: which columns make a row, what its split and its label are, in SQL."""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.engines.arrow import column_of
from leakaudit.engines.duck import Duck, quote_text
from leakaudit.errors import InputError
from leakaudit.fingerprints.rows.cells import Column, canonical_cells, label_text, pool_columns
from leakaudit.fingerprints.rows.spelling import folded
from leakaudit.model import Dataset, TableFile
from leakaudit.sources.names import resolve_column
from leakaudit.sources.readers.duck_tables import Loaded, narrowed

LABELS_COUNTED = 100_000
"""Distinct labels that are counted, the most frequent ones; a column with more is no set of classes."""


@dataclass(frozen=True, eq=False)
class Pool:
    """All files as tables, and SQL of what matters in each.

    Parameters
    ----------
    starts : tuple of int
        Sample index of the first row of each file, and the number of all rows.
    labels : tuple of Column or None
        The label column as each file has it; `label` is the SQL of its canonical text in `label_cells`.
    split : tuple of str
        SQL of the index of a row's split.
    values : tuple of pyarrow.Table or None
        Of each file that is wide and short: the canonical values of `columns`, see `held_values`.
    """

    tables: tuple[Loaded, ...]
    starts: tuple[int, ...]
    columns: tuple[Column, ...]
    labels: tuple[Column | None, ...]
    label_compared: bool
    split: tuple[str, ...]
    label: tuple[str, ...]
    values: tuple[pa.Table | None, ...]

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each of `columns` is."""
        return {column.name: j for j, column in enumerate(self.columns)}

    @contextmanager
    def cells(
        self, duck: Duck, file: int, columns: Sequence[Column], source: str | None = None, more: Sequence[str] = ()
    ) -> Iterator[str]:
        """A subquery of a file: ``row``, canonical cells as ``n0``, …, and what `split` reads; as long as the context.

        One of each file at a time.

        Parameters
        ----------
        source : str, optional
            Another table with some rows of the file.
        more : sequence of str, optional
            Other columns that are read, as the file's table calls them.
        """
        table = self.tables[file]
        if source is not None and source != table.table:
            yield canonical_cells(columns, file, source)
            return
        read = [*self.split_cells[file], *(column.sql[file] for column in columns), *more]
        values = self.values[file]
        at = {i: self.place[column.name] for i, column in enumerate(columns) if column.name in self.place}
        known = {f"{v}{i}": values.column(f"{v}{j}") for i, j in at.items() for v in "vn"} if values is not None else {}
        with narrowed(duck, table, read, known) as narrow:
            yield canonical_cells(columns, file, narrow, at if values is not None else ())

    @contextmanager
    def all_cells(self, duck: Duck, columns: Sequence[Column]) -> Iterator[list[str]]:
        """`cells` of every file."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.cells(duck, file, columns)) for file in range(len(self.tables))]

    def label_cells(
        self, duck: Duck, file: int, source: str | None = None, more: Sequence[str] = ()
    ) -> AbstractContextManager[str]:
        """`cells` of the label, where the file has one."""
        column = self.labels[file]
        return self.cells(duck, file, [column] if column else [], source, more)

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
    columns = pool_columns(duck, tables, features)
    pool = Pool(
        tables=tuple(tables),
        starts=tuple(int(start) for start in np.cumsum([0, *(table.n_rows for table in tables)])),
        columns=tuple(columns),
        labels=labels,
        label_compared=label is not None and label not in left_out,
        split=tuple(_split_sql(table, dataset) for table in tables),
        label=tuple(
            label_text(column, file, "n0") if column else "NULL::VARCHAR" for file, column in enumerate(labels)
        ),
        values=tuple(held_values(duck, table, file, columns) for file, table in enumerate(tables)),
    )
    spelt = folded(duck, pool)
    if any(column.folded for column in spelt):
        values = tuple(held_values(duck, table, file, spelt) for file, table in enumerate(tables))
        pool = replace(pool, columns=spelt, values=values)
    counts = _count_labels(duck, pool, dataset.splits)
    dotted = _dotted(counts) if pool.label_compared and all(c is not None and c.kind == "text" for c in labels) else ()
    if dotted:
        pool = replace(pool, label=tuple(_without_dot(pool, file, dataset, dotted) for file in range(len(tables))))
        counts = {name: _undotted(found) if name in dotted else found for name, found in counts.items()}
    return pool, left_out, counts


def held_values(duck: Duck, table: Loaded, file: int, columns: Sequence[Column]) -> pa.Table | None:
    """Canonical values ``v0``, ``n0``, ``v1``, … as `canonical_cells` has them, where the table is held.

    Planning the SQL of a canonical cell takes longer than some hundred cells of a column do: columns that are held
    alike go through it as one long column.
    """
    if table.held is None:
        return None
    alike: dict[tuple[object, ...], list[int]] = {}
    for j, column in enumerate(columns):
        kind = table.held.schema.field(column.sql[file]).type
        alike.setdefault((column.kind, column.storage, column.folded, str(kind)), []).append(j)
    values: dict[str, pa.ChunkedArray] = {}
    for those in alike.values():
        cells = [table.held.column(columns[j].sql[file]) for j in those]
        long = pa.chunked_array([chunk for cell in cells for chunk in cell.chunks], cells[0].type)
        duck.connection.register("long", pa.table({"c": long, "rowid": column_of(np.arange(len(long)))}))
        one = replace(columns[those[0]], sql=("c",) * len(columns[those[0]].sql))
        found = duck.connection.sql(
            f"SELECT v0, n0 FROM {canonical_cells([one], file, 'long')} ORDER BY row"
        ).to_arrow_table()
        duck.connection.unregister("long")
        for at, j in enumerate(those):
            part = found.slice(at * table.n_rows, table.n_rows)
            values[f"v{j}"], values[f"n{j}"] = part.column(0), part.column(1)
    return pa.table(values)


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
    with ExitStack() as stack:
        for at in having:
            column = pool.labels[at]
            assert column is not None
            cell = column.sql[at]
            source = stack.enter_context(narrowed(duck, pool.tables[at], [*pool.split_cells[at], cell]))
            # As they stand first: what makes them canonical is then done once for each of few.
            raw = f"(SELECT {pool.split[at]} AS split, {cell}, count(*) AS n, 0 AS rowid FROM {source} GROUP BY ALL)"
            parts.append(f"SELECT split, {pool.label[at]} AS label, n FROM {canonical_cells([column], at, raw)}")
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
