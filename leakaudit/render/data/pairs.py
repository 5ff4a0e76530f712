"""Every verified pair of all checks between splits, as csv or parquet.

Pairs inside one split are as many as the square of the copies: each copy stands there beside the first one, and what
is still more than `WITHIN_LISTED` is left out, unless every pair is asked for. What is left out is counted.

The columns are `leakaudit.model.PAIR_COLUMNS`. Parquet holds the exact values. In csv, a cell that a spreadsheet would
take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab, a carriage return or a newline, and is no plain
number) gets a leading apostrophe; this is the customary defence against formula injection (OWASP, "CSV Injection").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from leakaudit.errors import ConfigError
from leakaudit.model import PAIR_COLUMNS, Finding, Outcome, Report
from leakaudit.render.atomic import replacing

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = r"^[=+\-@\t\r\n]"
PLAIN_NUMBER = r"^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"

BATCH = 1 << 16
SMALL_BATCHES = 1 << 12
"""Rows that are enough, and batches that are many enough, to be merged and written together."""


WITHIN_LISTED = 1_000_000
"""Pairs inside one split that are written of each check: a file of about 100 MB, which a person can still open."""


@dataclass(slots=True)
class Written:
    """What went into a file: pairs in all, and by code those inside one split that were left out."""

    n: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


def write_pairs(report: Report, path: str | Path, *, every: bool = False) -> Written:
    """Write the pairs to `path`; its ending decides the format.

    Pairs stream through: memory does not grow with their number. A report without pairs gives a file with its header.

    Parameters
    ----------
    report : Report
    path : path
    every : bool, default False
        Also every pair inside one split.

    Returns
    -------
    Written
        How many, and what was left out.

    Raises
    ------
    ConfigError
        The ending is neither ``.csv`` nor ``.parquet``, or the file cannot be written.
    """
    path = Path(path)
    check_ending(path)
    written = Written()
    with replacing(path) as stream:
        (_write_csv if path.suffix.lower() == ".csv" else _write_parquet)(_counted(report, every, written), stream)
    return written


def check_ending(path: Path) -> None:
    """Make sure, before the work starts, that the name of the file says its format.

    Raises
    ------
    ConfigError
        It ends neither in ``.csv`` nor in ``.parquet``.
    """
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"cannot tell the format of the pairs from the name {path}: end it in .csv or .parquet")


def _counted(report: Report, every: bool, written: Written) -> Iterator[pa.RecordBatch]:
    """The batches, counted; by code, what was left out of them."""
    for outcome in sorted(report.outcomes, key=lambda outcome: outcome.code):
        before, cut = written.n, Written()
        for batch in _batches(outcome, every, cut):
            written.n += len(batch)
            yield batch
        left = max(_n_within(outcome.findings) - (written.n - before), cut.left_out.get(outcome.code, 0))
        if left > 0 and outcome.pairs is not None and not every:
            written.left_out[outcome.code] = left


def _n_within(findings: Iterable[Finding]) -> int:
    """Pairs that the findings of one split count, where a check has no others."""
    found = list(findings)
    if any(len(finding.splits) != 1 for finding in found):
        return 0
    return sum(finding.evidence.n_pairs or int(finding.effect.get("n_pairs") or 0) for finding in found)


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.float32() if name == "score" else pa.string()) for name in PAIR_COLUMNS])


def _batches(outcome: Outcome, every: bool, cut: Written) -> Iterator[pa.RecordBatch]:
    """The pairs of a check in batches of about `BATCH` rows; checks may yield one pair at a time."""
    small: list[pa.RecordBatch] = []
    n_rows = 0
    for batch in _within_bounds(outcome, every, cut):
        small.append(batch)
        n_rows += len(batch)
        if n_rows >= BATCH or len(small) >= SMALL_BATCHES:
            yield from _merged(small)
            small, n_rows = [], 0
    if small:
        yield from _merged(small)


def _within_bounds(outcome: Outcome, every: bool, cut: Written) -> Iterator[pa.RecordBatch]:
    """The pairs of a check without those inside one split that are beyond `WITHIN_LISTED`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    pairs = (outcome.all_pairs if every else None) or outcome.pairs
    n_within = 0
    for batch in pairs() if pairs is not None else ():
        if not len(batch):
            continue
        within = pc.fill_null(pc.equal(batch.column("split_a"), batch.column("split_b")), False)
        n = int(pc.sum(within).as_py())
        if not every and n_within + n > WITHIN_LISTED:
            nth = np.cumsum(within.to_numpy(zero_copy_only=False))
            keep = pc.or_(pc.invert(within), pc.less_equal(pa.array(nth), WITHIN_LISTED - n_within))
            batch = batch.filter(keep)  # noqa: PLW2901
            cut.left_out[outcome.code] = n_within + n - WITHIN_LISTED
        n_within += n
        yield batch


def _merged(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    import pyarrow as pa

    # One by one: a batch without a row, or without any label, has columns of no type.
    tables = [pa.table(batch).select(list(PAIR_COLUMNS)).cast(_schema()) for batch in batches if len(batch)]
    merged: list[pa.RecordBatch] = pa.concat_tables(tables).combine_chunks().to_batches() if tables else []
    return merged


def _write_parquet(batches: Iterator[pa.RecordBatch], stream: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, _schema(), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_csv(batches: Iterator[pa.RecordBatch], stream: BinaryIO) -> None:
    import pyarrow.csv as pc

    stream.write(",".join(PAIR_COLUMNS).encode() + b"\n")
    with pc.CSVWriter(stream, _schema(), write_options=pc.WriteOptions(include_header=False)) as writer:
        for batch in batches:
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
