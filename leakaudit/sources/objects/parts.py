"""What one split is once its object is understood: rows, slices of an array, or pictures in cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from leakaudit.model import TableFile


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Rows of a split, in memory or, where they are many, in a temporary parquet file.

    Parameters
    ----------
    columns : tuple of str
    n : int
        Rows.
    table : pyarrow.Table or None
    path : str or None
        Of the parquet file, where there is no table.
    label : str or None
        The column that was given as y.
    texts : tuple of str
        Columns that are texts because they were given as such.
    what : str
        In words: "data frame", "array".
    notes : tuple of str
        Sentences worth saying about how the object was read.
    """

    columns: tuple[str, ...]
    n: int
    table: pa.Table | None = None
    path: str | None = None
    label: str | None = None
    texts: tuple[str, ...] = ()
    what: str = "data frame"
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, table: pa.Table, *, label: str | None = None, texts: tuple[str, ...] = (), what: str = "data frame"
    ) -> Rows:
        """Rows of a table in memory."""
        return cls(tuple(table.column_names), table.num_rows, table, label=label, texts=texts, what=what)

    def file(self, uri: str, split: str | None) -> TableFile:
        """As the fingerprints read it."""
        if self.table is not None:
            return TableFile(uri, split, "arrow", self.columns, table=self.table)
        return TableFile(uri, split, "parquet", self.columns, path=self.path)


@dataclass(frozen=True, eq=False, slots=True)
class Stack:
    """An array of three axes or more: each slice along the first is a sample.

    Parameters
    ----------
    file : str
        A ``.npy`` file with its numbers.
    shape : tuple of int
    dtype : str
        As NumPy writes it.
    labels : pyarrow.Array or None
        One each.
    label_file : str or None
        A ``.npy`` file with them.
    notes : tuple of str
    """

    file: str
    shape: tuple[int, ...]
    dtype: str
    labels: pa.Array | None = None
    label_file: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Samples."""
        return self.shape[0]


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Pictures (or sounds) in a column, and what stands beside them.

    Parameters
    ----------
    paths : tuple of str
        Arrow files, as ``datasets`` writes them.
    n : int
        Rows.
    are_files : bool, default True
        The cells are files as somebody else wrote them; else they were packed here, and say no more than their pixels.
    names : sequence of str or None
        Of the files, where the cells only name them.
    notes : tuple of str
    """

    paths: tuple[str, ...]
    n: int
    are_files: bool = True
    names: Sequence[str] | None = None
    notes: tuple[str, ...] = ()


Part: TypeAlias = Rows | Stack | Cells
