"""Pairs of rows for ``--pairs``, without a Python object for every row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
from leakaudit.model import PAIR_COLUMNS, Pairs


def row_pair_batches(rows: RowFingerprints, code: str, chunks: Iterable[Pairs]) -> Iterator[pa.RecordBatch]:
    """Every pair of the chunks as record batches with the columns of `PAIR_COLUMNS`."""
    for chunk in chunks:
        if not len(chunk):
            continue
        codes = pa.repeat(pa.scalar(code, pa.string()), len(chunk))
        a, b = (rows.names(side).combine_chunks().columns for side in (chunk.a, chunk.b))
        arrays = [codes, *(c.combine_chunks() for c in (*a, *b)), pa.array(chunk.score, pa.float32())]
        yield pa.RecordBatch.from_arrays(arrays, names=list(PAIR_COLUMNS))
