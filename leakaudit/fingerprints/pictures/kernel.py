"""`leakaudit.fingerprints.pictures.chunk` as a kernel: files as a table, and what was found as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from leakaudit.fingerprints.cache.record import RECORD
from leakaudit.fingerprints.pictures.chunk import Failure, Scanned, crashed, fingerprint_chunk
from leakaudit.fingerprints.pictures.contents import Listed
from leakaudit.fingerprints.pictures.isolated import adopt

_SCANNED = pa.schema(
    [
        ("record", pa.binary(RECORD.itemsize)),
        ("place", pa.int64()),
        ("settled", pa.bool_()),
        ("kind", pa.string()),  # of a failure; the reason may quote a file name, which need not be text
        ("reason", pa.binary()),
        ("content", pa.binary()),
    ]
)


def files_table(files: Sequence[Listed]) -> pa.Table:
    """Files as they were listed."""
    paths, sizes, times = zip(*files, strict=True)
    return pa.table(
        {
            "path": pa.array(paths, pa.binary()),
            "size": pa.array(sizes, pa.int64()),
            "mtime_ns": pa.array(times, pa.int64()),
        }
    )


def fingerprint_files(files: pa.Table, *, known_contents: str | None, told: dict[str, Any] | None = None) -> pa.Table:
    """Read, decode and fingerprint the files of `files_table`; for `scanned_of`.

    Parameters
    ----------
    known_contents : str or None
        Folder of the cache, where it may know the content of a file under another name.
    told : dict, optional
        As from `leakaudit.fingerprints.pictures.isolated.told`, in a worker of this machine.
    """
    if told is not None:
        adopt(told)
    cache = Path(known_contents) if known_contents else None
    return _table_of(fingerprint_chunk(_listed(files), known_contents=cache))


def crashed_files(files: pa.Table) -> pa.Table:
    """Answer for a file that ends the process that decodes it."""
    return _table_of(crashed(_listed(files)))


def scanned_of(table: pa.Table) -> Scanned:
    """What `fingerprint_files` found."""
    (batch,) = table.combine_chunks().to_batches()
    records = np.frombuffer(batch.column(0).buffers()[1], dtype=RECORD)[batch.column(0).offset :][: len(batch)]
    failed = np.flatnonzero(batch.column(3).is_valid().to_numpy(zero_copy_only=False)).tolist()
    kinds, reasons, contents = (batch.column(at).take(pa.array(failed, pa.int64())).to_pylist() for at in (3, 4, 5))
    return Scanned(
        records,
        batch.column(1).to_numpy(),
        batch.column(2).to_numpy(zero_copy_only=False),
        {
            at: Failure(kind, reason.decode("utf-8", "surrogatepass"), content)
            for at, kind, reason, content in zip(failed, kinds, reasons, contents, strict=True)
        },
    )


def _listed(files: pa.Table) -> list[Listed]:
    return [Listed(*file) for file in zip(*(column.to_pylist() for column in files.columns), strict=True)]


def _table_of(scanned: Scanned) -> pa.Table:
    n = len(scanned)
    failures = [scanned.failures.get(at) for at in range(n)]
    buffer = pa.py_buffer(np.ascontiguousarray(scanned.records).view(np.uint8).reshape(-1))
    columns = [
        pa.Array.from_buffers(_SCANNED.field("record").type, n, [None, buffer]),
        pa.array(scanned.places),
        pa.array(scanned.settled),
        pa.array([failure and failure.kind for failure in failures], pa.string()),
        pa.array([failure and failure.reason.encode("utf-8", "surrogatepass") for failure in failures], pa.binary()),
        pa.array([failure and failure.content for failure in failures], pa.binary()),
    ]
    return pa.Table.from_arrays(columns, schema=_SCANNED)
