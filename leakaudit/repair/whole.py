"""A data set without its splits, and with other ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.errors import InputError
from leakaudit.model import Dataset, TableFile, ordered_splits

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.model import IntArray

ALL = "all"
"""The one split of a whole data set."""

LEFT_OUT = -1


@dataclass(frozen=True, eq=False, slots=True)
class Whole:
    """All samples of a data set, in one split.

    Parameters
    ----------
    dataset : Dataset
        With the one split `ALL`; rows of tables are in one Arrow table, in the order of the samples.
    names : tuple of str
        What each sample is called; distinct.
    was : ndarray of int64, shape (n,)
        Index of the split it was in, in `splits`.
    splits : tuple of str
        The splits that there were; one only where there were none.
    files : tuple of TableFile
        Of tables: the files that the rows are from.
    file, row : ndarray of int64, shape (n,)
        Of tables: which file, and which row of it (0-based).
    split_column : str or None
        Of tables: the column that said the split.
    """

    dataset: Dataset
    names: tuple[str, ...]
    was: IntArray
    splits: tuple[str, ...]
    files: tuple[TableFile, ...]
    file: IntArray
    row: IntArray
    split_column: str | None = None

    def __len__(self) -> int:
        return len(self.names)

    @property
    def table(self) -> pa.Table | None:
        """The columns of the samples, where there are any."""
        return self.dataset.tables[0].table if self.dataset.tables else None

    def column(self, name: str) -> pa.Array | None:
        """A column as text, without white space around it; empty cells are null."""
        if self.table is None or name not in self.table.column_names:
            return None
        text = pc.utf8_trim_whitespace(self.table.column(name).combine_chunks().cast(pa.string()))
        return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)

    @property
    def labels(self) -> list[str | None]:
        """The label of each sample as text."""
        roles, samples = self.dataset.columns, self.dataset.samples
        known = self.column(roles.label) if roles.label is not None else None
        if samples is not None and samples.label is not None:
            known = samples.label
        labels: list[str | None] = known.to_pylist() if known is not None else [None] * len(self)
        return labels


def whole(dataset: Dataset, config: Config) -> Whole:
    """All samples of a data set; rows that its split column gives to no split are left out, as they are of a scan.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    if dataset.samples is not None:
        return _of_pictures(dataset)
    tables, files, rows, was = [], [], [], []
    for number, table in enumerate(dataset.tables):
        cells, at = read_rows(table, config)
        split = np.full(len(at), dataset.splits.index(table.split) if table.split is not None else LEFT_OUT)
        if table.split is None:
            split = _split_of_cells(cells, dataset)
        keep = split != LEFT_OUT
        tables.append(cells.filter(pa.array(keep)))
        files.append(np.full(int(keep.sum()), number, np.int64))
        rows.append(at[keep])
        was.append(split[keep])
    table = stacked(tables)
    file, row = np.concatenate(files), np.concatenate(rows)
    names = tuple(f"{dataset.tables[f].uri}#{r}" for f, r in zip(file.tolist(), row.tolist(), strict=True))
    said = dataset.columns.split
    if said in table.column_names:
        table = table.drop_columns([said])
    one = TableFile(ALL, ALL, "arrow", tuple(table.column_names), table=table, row_uris=_numbers(len(table)))
    columns = replace(dataset.columns, split=None, split_values={})
    pooled = replace(dataset, splits=(ALL,), tables=(one,), columns=columns, folds=False, fold_sets=())
    return Whole(pooled, names, np.concatenate(was).astype(np.int64), dataset.splits, dataset.tables, file, row, said)


def with_splits(whole: Whole, split: IntArray, names: Sequence[str]) -> Dataset:
    """The data set with these splits.

    Parameters
    ----------
    split : ndarray of int64, shape (n,)
        Index into `names`; `LEFT_OUT` for samples that are in none.
    names : sequence of str
    """
    order = ordered_splits(names)
    place = np.array([order.index(name) for name in names] + [-1], np.int64)
    at = place[split]
    dataset, samples = whole.dataset, whole.dataset.samples
    tables: tuple[TableFile, ...] = ()
    if whole.table is not None:
        one = dataset.tables[0]
        assert one.row_uris is not None
        tables = tuple(
            replace(one, uri=name, split=name, table=whole.table.take(here), row_uris=one.row_uris.take(here))
            for number, name in enumerate(order)
            if len(here := np.flatnonzero(at == number))
        )
    if samples is not None:
        samples = replace(samples, split=at.astype(np.int16))
    return replace(dataset, splits=order, samples=samples, tables=tables)


def _of_pictures(dataset: Dataset) -> Whole:
    samples = dataset.samples
    assert samples is not None
    was = samples.split.astype(np.int64)
    tables: tuple[TableFile, ...] = ()
    if dataset.tables:
        every = stacked([table.table for table in dataset.tables if table.table is not None])
        by_split = np.concatenate([np.flatnonzero(was == dataset.splits.index(t.split or "")) for t in dataset.tables])
        table = every.take(np.argsort(by_split))
        tables = (TableFile(ALL, ALL, "arrow", tuple(table.column_names), table=table, row_uris=samples.uri),)
    pooled = replace(
        dataset,
        splits=(ALL,),
        samples=replace(samples, split=np.zeros(len(samples), np.int16)),
        tables=tables,
        columns=replace(dataset.columns, split=None, split_values={}),
        folds=False,
        fold_sets=(),
    )
    none = np.zeros(0, np.int64)
    return Whole(pooled, tuple(samples.uri.to_pylist()), was, dataset.splits, (), none, none)


def _numbers(n: int) -> pa.Array:
    return pa.array(np.arange(n)).cast(pa.string())


def read_rows(file: TableFile, config: Config) -> tuple[pa.Table, IntArray]:
    """The rows of a file as they are compared, and their numbers in the file."""
    from leakaudit.engines.duck import open_duck
    from leakaudit.sources.readers.duck_tables import read_table

    if file.format == "arrow" and file.table is not None:
        return file.table, np.arange(len(file.table))
    duck = open_duck(config, (file,))
    try:
        loaded = read_table(duck, file, "rows")
        cells = duck.connection.sql("SELECT * FROM rows ORDER BY rowid").to_arrow_table()
    finally:
        duck.close()
    cells = cells.select(range(len(file.columns))).rename_columns(list(file.columns))
    return cells, loaded.file_rows(np.arange(loaded.n_rows))


def _split_of_cells(cells: pa.Table, dataset: Dataset) -> IntArray:
    roles = dataset.columns
    assert roles.split is not None
    texts = pc.utf8_trim_whitespace(cells.column(roles.split).cast(pa.string())).to_pylist()
    place = {value: dataset.splits.index(split) for value, split in roles.split_values.items()}
    return np.array([place.get(text, LEFT_OUT) for text in texts], np.int64)


def stacked(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one under the other; a column of two types is text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    kinds: dict[str, set[pa.DataType]] = {}
    for table in tables:
        for name, kind in zip(table.column_names, table.schema.types, strict=True):
            kinds.setdefault(name, set()).add(kind)
    try:
        alike = [
            table.cast(
                pa.schema(
                    [
                        pa.field(name, kind if len(kinds[name]) == 1 else pa.string())
                        for name, kind in zip(table.column_names, table.schema.types, strict=True)
                    ]
                )
            )
            for table in tables
        ]
        return pa.concat_tables(alike, promote_options="permissive").combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError(f"the files have columns of types that cannot be put into one table: {error}") from error
