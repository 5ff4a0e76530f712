"""Digests of the rows that are not alone, one for each identity layer, in a table of DuckDB.

A row that a hash nominates is read with all its columns, and gets 128-bit digests of an injective encoding; no other
row does. The rows read are kept as they are, so that looking one up again costs no pass over its file.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.engines.arrow import column_of
from leakaudit.engines.duck import Duck
from leakaudit.fingerprints.rows.cells import BLOCK, blocks, canonical_cells, canonical_text, encoded, raw
from leakaudit.fingerprints.rows.identity import CONSTANT
from leakaudit.fingerprints.rows.pool import Pool

if TYPE_CHECKING:
    from leakaudit.model import IntArray

Layer: TypeAlias = Literal["raw", "canonical", "identified", "reduced", "without_label", "reduced_without_label"]
"""What makes two rows the same: cells as they stand; canonical values; these without the columns that only number,
weigh or mark rows (`leakaudit.fingerprints.rows.identity`), but for one of them; without all of these; and the last
two, but for *identified*, again without the label."""

LAYERS: tuple[Layer, ...] = ("raw", "canonical", "reduced", "without_label", "reduced_without_label")

KEPT = 0.1
"""Share of the rows of a parquet file up to which those that are looked up again are kept in a table of their own."""

MOST_IDENTIFIED = 1_000_000
"""Rows equal in the reduced layer up to which the columns that it leaves out are looked at, one by one."""

MARKS = 8
"""Of these columns so many, the first of the table: more identifiers than that are none."""

_DIGESTS = "idx BIGINT, split SMALLINT, raw UHUGEINT, canonical UHUGEINT, without_label UHUGEINT"


def find_twins(
    duck: Duck, pool: Pool, nominated: IntArray, beside: Mapping[str, str], advance: Callable[[int], None]
) -> tuple[dict[int, IntArray], str | None]:
    """Make the view ``twins``: ``idx``, ``split``, a digest for each of `LAYERS`, and the canonical ``label``.

    It holds the rows whose features in the layer that leaves out most occur more than once.

    Parameters
    ----------
    nominated : ndarray of int64
        Ascending sample indices, all rows that are not alone among them.
    beside : mapping of str to str
        Columns that the reduced layers leave out, and why.

    Returns
    -------
    kept : dict of int to ndarray of int64
        Files to rows that are kept in a table ``kept0``, ``kept1``, …
    identified : str or None
        The column left out in which more rows of two splits agree, that agree in the reduced layer, than in any other;
        then there is a digest ``identified`` of both.
    """
    kept: dict[int, IntArray] = {}
    reduces = any(column.name in beside for column in pool.columns)
    more = ", reduced UHUGEINT, reduced_without_label UHUGEINT" if reduces else ""
    duck.connection.execute(f"CREATE TABLE digested ({_DIGESTS}{more}, label VARCHAR)")
    for file, start in enumerate(pool.starts[:-1]):
        inside = nominated[(nominated >= start) & (nominated < pool.starts[file + 1])] - start
        table = pool.tables[file]
        if len(inside) and table.held is None and table.file.format == "parquet" and len(inside) <= KEPT * table.n_rows:
            with wanted(duck, inside):
                duck.connection.execute(
                    f"CREATE TABLE kept{file} AS SELECT * FROM {table.table} WHERE rowid IN (SELECT row FROM wanted)"
                )
            kept[file] = inside
        if len(inside):
            source = f"kept{file}" if file in kept else table.table
            _digest(duck, pool, file, start, source, inside, beside if reduces else ())
        advance(1)
    coarsest = "reduced_without_label" if reduces else "without_label"
    duck.connection.execute(
        f"""CREATE TABLE found AS SELECT * FROM digested
            WHERE {coarsest} IN (SELECT {coarsest} FROM digested GROUP BY 1 HAVING count(*) > 1) ORDER BY idx"""
    )
    duck.connection.execute("DROP TABLE digested")
    identified = _identify(duck, pool, kept, beside) if reduces else None
    same = "" if reduces else ", canonical AS reduced, without_label AS reduced_without_label"
    duck.connection.execute(f"CREATE VIEW twins AS SELECT *{same} FROM found")
    return kept, identified


def _identify(duck: Duck, pool: Pool, kept: Mapping[int, IntArray], beside: Mapping[str, str]) -> str | None:
    """Give ``found`` the digest ``identified``, and say of which column: see `find_twins`.

    A copy has a new row number, but often the same customer, weight or time of day.
    """
    columns = [c for c in pool.columns if c.name in beside and not beside[c.name].startswith(CONSTANT)]
    ((n_rows,),) = duck.rows("SELECT count(*) FROM found")
    if len(beside) < 2 or not columns or not 0 < int(str(n_rows)) <= MOST_IDENTIFIED:
        return None
    columns = columns[:MARKS]
    names = [f"m{i}" for i in range(len(columns))]
    duck.connection.execute(f"CREATE TABLE marked (idx BIGINT, {', '.join(f'{name} UHUGEINT' for name in names)})")
    (found,) = duck.arrays("SELECT idx FROM found ORDER BY idx")
    for file, start in enumerate(pool.starts[:-1]):
        inside = found[(found >= start) & (found < pool.starts[file + 1])] - start
        if len(inside):
            source = f"kept{file}" if file in kept else pool.tables[file].table
            marks = ", ".join(f"md5_number({canonical_text(c, file, f'n{i}')})" for i, c in enumerate(columns))
            with wanted(duck, inside):
                duck.connection.execute(
                    f"""INSERT INTO marked SELECT {start} + row, {marks} FROM {canonical_cells(columns, file, source)}
                        WHERE row IN (SELECT row FROM wanted)"""
                )
    n_met = {
        name: duck.rows(
            f"""SELECT coalesce(sum(n), 0)::BIGINT FROM (
                    SELECT count(*) AS n FROM found JOIN marked USING (idx) WHERE {name} IS NOT NULL
                    GROUP BY reduced, {name} HAVING count(DISTINCT split) > 1)"""
        )[0][0]
        for name in names
    }
    best = max(names, key=lambda name: int(str(n_met[name])))
    if n_met[best]:
        # A row without a mark is alone.
        digest = f"md5_number(concat_ws('/', reduced, coalesce({best}::VARCHAR, 'row ' || idx)))"
        duck.connection.execute(
            f"""CREATE OR REPLACE TABLE found AS
                SELECT found.*, {digest} AS identified FROM found JOIN marked USING (idx) ORDER BY idx"""
        )
    duck.connection.execute("DROP TABLE marked")
    return columns[names.index(best)].name if n_met[best] else None


@contextmanager
def wanted(duck: Duck, rows: IntArray) -> Iterator[None]:
    """A relation ``wanted`` with these numbers as ``row``."""
    duck.connection.register("wanted", pa.table({"row": column_of(rows)}))
    try:
        yield
    finally:
        duck.connection.unregister("wanted")


def row_digests(duck: Duck, pool: Pool, file: int, source: str, beside: Collection[str] = ()) -> str:
    """A relation of ``row`` and md5 texts of its features, ``raw``, ``canonical`` and ``reduced``, for ``wanted`` rows.

    Parameters
    ----------
    source : str
        The table of the file, or that of the rows of it that are kept.
    """
    for number, block in enumerate(blocks(len(pool.columns))):
        columns = pool.columns[block]
        texts = [(canonical_text(c, file, f"n{i}"), c.kind == "text") for i, c in enumerate(columns)]
        reduced = [text for text, c in zip(texts, columns, strict=True) if c.name not in beside]
        raws = [(raw(c, file), c.kind == "text") for c in columns]
        digests = f"md5({encoded(raws)}) AS raw, md5({encoded(texts)}) AS canonical, md5({encoded(reduced)}) AS reduced"
        asked = f"SELECT row, {number} AS block, {digests} FROM"
        which = "WHERE row IN (SELECT row FROM wanted)"
        if len(pool.columns) <= BLOCK:
            return f"({asked} {canonical_cells(columns, file, source)} {which})"
        # Several blocks by way of a table: planned together they would take longer than one by one.
        add = "INSERT INTO parts" if number else "CREATE OR REPLACE TABLE parts AS"
        with pool.cells(duck, file, columns, source) as cells:
            duck.connection.execute(f"{add} {asked} {cells} {which}")
    joined = [f"md5(string_agg({name}, '' ORDER BY block)) AS {name}" for name in ("raw", "canonical", "reduced")]
    return f"(SELECT row, {', '.join(joined)} FROM parts GROUP BY row)"


def with_label(layer: str, label: str, pool: Pool) -> str:
    """The digest of the features, with the label where it is compared."""
    return f"d.{layer} || {encoded([(label, True)])}" if pool.label_compared else f"d.{layer}"


def _digest(
    duck: Duck, pool: Pool, file: int, start: int, source: str, rows: IntArray, beside: Collection[str]
) -> None:
    column = pool.labels[file]
    label = pool.label[file]
    with wanted(duck, rows):
        relation = row_digests(duck, pool, file, source, beside)
        digests = [
            with_label("raw", raw(column, file) if column else "NULL", pool),
            with_label("canonical", label, pool),
            "d.canonical",
        ]
        digests += [with_label("reduced", label, pool), "d.reduced"] if beside else []
        numbers = ", ".join(f"md5_number({digest})" for digest in digests)
        with pool.label_cells(duck, file, source) as labels:
            duck.connection.execute(
                f"""INSERT INTO digested
                    SELECT {start} + row, {pool.split[file]}, {numbers}, {label}
                    FROM {labels} l JOIN {relation} d USING (row)"""
            )


def is_among(rows: IntArray, kept: IntArray) -> bool:
    """Whether every one of some ascending rows is among other ascending rows."""
    at = np.minimum(np.searchsorted(kept, rows), len(kept) - 1)
    return bool(len(kept)) and bool((kept[at] == rows).all())
