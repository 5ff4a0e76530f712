"""A few rows of every file: enough to see which columns tell rows apart, and which only number them."""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.rows.cells import Column, blocks
from leakaudit.fingerprints.rows.pool import Pool

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

SAMPLED = 10_000
"""Rows of each file that are looked at: a share is then known to 0.5 % (one standard error)."""

LEAST_SAMPLED, CELLS_SAMPLED = 2_000, 2_000_000
"""Of tables with many columns fewer rows are looked at, down to the first, so that the cells are no more than these."""

COLUMNS_SAMPLED = 512
"""Columns that are looked at: of wider tables the first, the last, and as many in between, evenly spread."""

RUNS = 4
"""Runs of consecutive rows that make the sample of a longer file, spread evenly over it."""


@dataclass(frozen=True, eq=False, slots=True)
class RowSample:
    """Hashes of canonical cells of some rows.

    Parameters
    ----------
    columns : tuple of int
        Columns that are looked at, as indices into `Pool.columns`, ascending.
    hashes : ndarray of uint64, shape (k, m)
        Equal for equal cells; one row of it for each of `columns`.
    missing : ndarray of bool, shape (k, m)
    label : ndarray of uint64, shape (m,), or None
        Of the canonical label, where every file has one.
    split : ndarray of int64, shape (m,)
    whole : bool
        These are all rows.
    """

    columns: tuple[int, ...]
    hashes: npt.NDArray[np.uint64]
    missing: npt.NDArray[np.bool_]
    label: npt.NDArray[np.uint64] | None
    split: IntArray
    whole: bool

    def __len__(self) -> int:
        return len(self.split)

    def of(self, column: int) -> npt.NDArray[np.uint64]:
        """Hashes of one of `columns`."""
        cells: npt.NDArray[np.uint64] = self.hashes[self.columns.index(column)]
        return cells


def sample_rows(duck: Duck, pool: Pool, *, random: bool = False) -> RowSample:
    """At most `SAMPLED` rows of each file, of those that belong to a split.

    Parameters
    ----------
    random : bool, default False
        Draw every row by itself with a fixed seed, which takes a pass over the files; otherwise in runs.
    """
    chosen = _chosen(len(pool.columns))
    hashes, missing, labels, splits = [], [], [], []
    for file, label in enumerate(pool.labels):
        parts, gone = [], []
        # The label comes first: its SQL calls it n0.
        first = [label] if label is not None else []
        marks = [pool.split[file], f"hash({pool.label[file]})"]
        for block in blocks(len(chosen)):
            columns = [pool.columns[j] for j in chosen[block]]
            names = [f"n{i + len(first)}" for i in range(len(columns))]
            cells = [f"hash({name})" for name in names] + [f"{name} IS NULL" for name in names]
            split, labelled, *found = _read(duck, pool, file, [*first, *columns], [*marks, *cells], random)
            parts += found[: len(names)]
            gone += found[len(names) :]
        hashes.append(np.stack(parts).astype(np.uint64))
        missing.append(np.stack(gone).astype(bool))
        labels.append(labelled.astype(np.uint64))
        splits.append(split.astype(np.int64))
    return RowSample(
        chosen,
        np.concatenate(hashes, axis=1),
        np.concatenate(missing, axis=1),
        np.concatenate(labels) if pool.label_compared else None,
        np.concatenate(splits),
        all(table.n_rows <= _size(pool) for table in pool.tables),
    )


def sample_values(duck: Duck, pool: Pool, columns: Sequence[Column], expressions: Sequence[str]) -> list[np.ndarray]:
    """SQL over the canonical cells ``n0``, ``n1``, … of some columns, for the rows of the sample, in its order."""
    parts = [_read(duck, pool, file, columns, expressions) for file in range(len(pool.tables))]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _read(
    duck: Duck, pool: Pool, file: int, columns: Sequence[Column], expressions: Sequence[str], random: bool = False
) -> list[np.ndarray]:
    table = pool.tables[file]
    rows = _drawn(table.n_rows, _size(pool)) if random else _runs(table.n_rows, _size(pool))
    which = f"row IN ({rows})" if random else rows
    named = ", ".join(f"({sql}) AS x{i}" for i, sql in enumerate(expressions))
    with pool.cells(duck, file, columns) as relation:
        return duck.arrays(
            f"SELECT {named} FROM {relation} WHERE ({which}) AND ({pool.split[file]}) IS NOT NULL ORDER BY row"
        )


def _chosen(n: int) -> tuple[int, ...]:
    if n <= COLUMNS_SAMPLED:
        return tuple(range(n))
    ends = COLUMNS_SAMPLED // 4
    between = np.linspace(ends, n - ends - 1, COLUMNS_SAMPLED - 2 * ends).astype(int).tolist()
    return (*range(ends), *between, *range(n - ends, n))


def _size(pool: Pool) -> int:
    return min(SAMPLED, max(LEAST_SAMPLED, CELLS_SAMPLED // min(len(pool.columns), COLUMNS_SAMPLED)))


def _runs(n: int, size: int) -> str:
    """SQL that is true of the rows of the sample."""
    if n <= size:
        return "true"
    length = size // RUNS
    starts = [at * (n - length) // (RUNS - 1) for at in range(RUNS)]
    return " OR ".join(f"row BETWEEN {start} AND {start + length - 1}" for start in starts)


def _drawn(n: int, size: int) -> str:
    drawn = np.random.default_rng(0).choice(n, min(size, n), replace=False)
    return ", ".join(map(str, np.sort(drawn).tolist())) or "-1"
