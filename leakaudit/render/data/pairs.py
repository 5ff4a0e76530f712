"""Every verified pair of all checks, uncapped, as csv or parquet.

The columns are `leakaudit.model.PAIR_COLUMNS`. Parquet holds the exact values. In csv, a cell that a spreadsheet would
take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab, a carriage return or a newline, and is no plain
number) gets a leading apostrophe; this is the customary defence against formula injection (OWASP, "CSV Injection").
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from leakaudit.errors import ConfigError
from leakaudit.model import PAIR_COLUMNS, Report
from leakaudit.render.atomic import replacing

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = r"^[=+\-@\t\r\n]"
PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"

BATCH = 1 << 16
SMALL_BATCHES = 1 << 12
"""Rows that are enough, and batches that are many enough, to be merged and written together."""


def write_pairs(report: Report, path: str | Path) -> None:
    """Write all pairs to `path`; its ending decides the format.

    Pairs stream through: memory does not grow with their number. A report without pairs gives a file with its header.

    Raises
    ------
    ConfigError
        The ending is neither ``.csv`` nor ``.parquet``, or the file cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ConfigError(f"cannot tell the format of the pairs from the name {path}: end it in .csv or .parquet")
    with replacing(path) as stream:
        (_write_csv if ending == ".csv" else _write_parquet)(report, stream)


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.float32() if name == "score" else pa.string()) for name in PAIR_COLUMNS])


def _batches(report: Report) -> Iterator[pa.RecordBatch]:
    """The pairs of all checks in batches of about `BATCH` rows; checks may yield one pair at a time."""
    small: list[pa.RecordBatch] = []
    n_rows = 0
    for outcome in sorted(report.outcomes, key=lambda outcome: outcome.code):
        for batch in outcome.pairs() if outcome.pairs is not None else ():
            small.append(batch)
            n_rows += len(batch)
            if n_rows >= BATCH or len(small) >= SMALL_BATCHES:
                yield from _merged(small)
                small, n_rows = [], 0
    if small:
        yield from _merged(small)


def _merged(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    import pyarrow as pa

    # One by one: a batch without a row, or without any label, has columns of no type.
    tables = [pa.table(batch).select(list(PAIR_COLUMNS)).cast(_schema()) for batch in batches if len(batch)]
    merged: list[pa.RecordBatch] = pa.concat_tables(tables).combine_chunks().to_batches() if tables else []
    return merged


def _write_parquet(report: Report, stream: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, _schema(), compression="zstd") as writer:
        for batch in _batches(report):
            writer.write_batch(batch)


def _write_csv(report: Report, stream: BinaryIO) -> None:
    import pyarrow.csv as pc

    stream.write(",".join(PAIR_COLUMNS).encode() + b"\n")
    with pc.CSVWriter(stream, _schema(), write_options=pc.WriteOptions(include_header=False)) as writer:
        for batch in _batches(report):
            writer.write_batch(_neutral(batch))


def _neutral(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with an apostrophe before every cell that looks like a formula."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type):
            formula = pc.and_not(
                pc.match_substring_regex(column, FORMULA), pc.match_substring_regex(column, PLAIN_NUMBER)
            )
            columns.append(pc.if_else(formula, pc.binary_join_element_wise("'", column, ""), column))
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
