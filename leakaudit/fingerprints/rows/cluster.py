"""`leakaudit.fingerprints.rows.nominate` over the workers of a cluster.

The same hash of the same cells is made where files are read, and shuffled so that equal ones meet; only the numbers of
the rows that are not alone come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.engines.base import Kernel
from leakaudit.engines.duck import absolute, engine_can_name, open_duck
from leakaudit.fingerprints.rows.cells import Column, canonical_cells, install
from leakaudit.fingerprints.rows.nominate import hashed_cells, repeated
from leakaudit.sources.readers.duck_tables import read_table
from leakaudit.sources.storage.copies import is_local_copy

if TYPE_CHECKING:
    from leakaudit.engines.base import Engine
    from leakaudit.fingerprints.rows.pool import Pool
    from leakaudit.model import IntArray, TableFile

PART_ROWS = 1 << 20
"""Rows of a parquet file that one task reads. Other files are read as a whole: where a row begins is not known."""


def can_travel(pool: Pool) -> bool:
    """Whether workers can read all of it: data frames lie in this process's memory, copies of objects on its disk."""
    paths = [table.file.path for table in pool.tables]
    return all(path is not None and engine_can_name(path) and not is_local_copy(path) for path in paths)


def nominate_on(engine: Engine, pool: Pool, columns: Sequence[int], memory_limit: str) -> IntArray:
    """As `leakaudit.fingerprints.rows.nominate.nominate`, for all rows of a pool that `can_travel`."""
    make = Kernel.of(
        hash_part,
        files=[replace(table.file, path=absolute(table.file.path or "")) for table in pool.tables],
        starts=pool.starts,
        columns=[pool.columns[j] for j in columns],
        splits={file: pool.split[file] for file in range(len(pool.tables)) if pool.split_varies[file]},
        memory_limit=memory_limit,
    )
    n_rows = pool.starts[-1]
    found = engine.shuffle(make, Kernel.of(repeated_rows), _parts(pool), columns=("hash", "index"), n_rows=n_rows)
    return np.sort(np.concatenate([np.zeros(0, np.int64), *(table.column("index").to_numpy() for table in found)]))


def hash_part(
    part: pa.Table,
    *,
    files: Sequence[TableFile],
    starts: Sequence[int],
    columns: Sequence[Column],
    splits: Mapping[int, str],
    memory_limit: str,
) -> pa.Table:
    """Kernel of `nominate_on`: the hash of some cells of every row that belongs to a split, and its sample index.

    Parameters
    ----------
    part : pyarrow.Table
        One row: ``file``, and its rows from ``first`` to before ``last``.
    splits : mapping of int to str
        SQL of the split of a row, for files whose rows belong to several or none.
    """
    file, first, last = (part.column(name)[0].as_py() for name in ("file", "first", "last"))
    duck = open_duck(Config(jobs=1, memory_limit=memory_limit), [files[file]])
    try:
        install(duck)
        read_table(duck, files[file], "part")
        which = f"WHERE row >= {first} AND row < {last}"
        if file in splits:
            which += f" AND ({splits[file]}) IS NOT NULL"
        relation = canonical_cells(columns, file, "part")
        found = duck.connection.sql(hashed_cells(len(columns), relation, ", row", which)).to_arrow_table()
    finally:
        duck.close()
    hashes = found.column(0).to_numpy().view(np.int64)
    return pa.table({"hash": hashes, "index": found.column(1).to_numpy() + starts[file]})


def repeated_rows(rows: pa.Table) -> pa.Table:
    """Kernel of `nominate_on`: of rows with all that have the same hash, those that are not alone."""
    hashes = rows.column("hash").to_numpy().view(np.uint64)
    return pa.table({"index": rows.column("index").to_numpy()[repeated(hashes, threads=1)]})


def _parts(pool: Pool) -> Iterator[pa.Table]:
    for file, table in enumerate(pool.tables):
        step = PART_ROWS if table.file.format == "parquet" else max(table.n_rows, 1)
        for first in range(0, table.n_rows, step):
            yield pa.table({"file": [file], "first": [first], "last": [first + step]})
