"""Data sets of rows made by hand; import as ``from tables import csv_file, dataset``."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.config import Config
from leakaudit.fingerprints.rows.fingerprint import RowFingerprints, fingerprint_rows
from leakaudit.model import Columns, Dataset, Layout, TableFile, ordered_splits


def csv_file(path: Path, split: str | None, text: str | bytes, **told) -> TableFile:
    """Write a csv file; its columns are those of its first line."""
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(raw)
    delimiter = told.get("delimiter", ",")
    columns = told.pop("columns", None) or tuple(raw.decode("utf-8", "replace").splitlines()[0].split(delimiter))
    return TableFile(path.name, split, "csv", columns, path=str(path), **told)


def frame(split: str | None, uri: str | None = None, **columns) -> TableFile:
    table = pa.table(columns)
    return TableFile(uri or split or "all", split, "arrow", tuple(table.column_names), table=table)


def dataset(*files: TableFile, **columns) -> Dataset:
    splits = ordered_splits(
        [file.split for file in files if file.split] or list(columns.get("split_values", {}).values())
    )
    return Dataset("data", "table", Layout("test", "made by hand"), splits, tables=files, columns=Columns(**columns))


def fingerprint(*files: TableFile, config: Config | None = None, **columns) -> RowFingerprints:
    return fingerprint_rows(dataset(*files, **columns), config or Config(jobs=1))


def context(*files: TableFile, config: Config | None = None, **columns) -> Context:
    data = dataset(*files, **columns)
    config = config or Config(jobs=1)
    return Context(data, config, rows=fingerprint_rows(data, config))
