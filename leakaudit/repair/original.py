"""The rows of a new split as they stood in the user's files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.repair.whole import LEFT_OUT, read_rows, stacked

if TYPE_CHECKING:
    from leakaudit.model import IntArray, TableFile
    from leakaudit.repair.split import NewSplit


def write_rows(new: NewSplit, folder: Path) -> None:
    """One file a split, in the form of the files that the rows are from; folds are one file with a column ``fold``."""
    files = new.whole.files
    forms = {file.format for file in files}
    form = forms.pop() if len(forms) == 1 else "arrow"
    folds = all(name.startswith("fold") for name in new.names)
    if form == "jsonl" and not folds:
        _write_lines(new, folder)
        return
    table = _rows(new)
    if folds:
        inside = np.flatnonzero(new.of != LEFT_OUT)
        fold = pa.array([new.names[at] for at in new.of[inside].tolist()])
        name = "fold"
        while name in table.column_names:
            name += "_"
        _write(table.take(inside).append_column(name, fold), folder / "data", form, files[0])
        return
    for number, split in enumerate(new.names):
        _write(table.take(np.flatnonzero(new.of == number)), folder / split, form, files[0])


def _rows(new: NewSplit) -> pa.Table:
    """All rows in the order of the samples, as they are in their files, without a column that said the split."""
    whole = new.whole
    parts = []
    for number, file in enumerate(whole.files):
        parts.append(_original(file).take(whole.row[whole.file == number]))
    table = stacked(parts)
    was = whole.split_column
    return table.drop_columns([was]) if was in table.column_names else table


def _original(file: TableFile) -> pa.Table:
    if file.format == "parquet" and file.path is not None:
        import pyarrow.parquet as pq

        with Path(file.path).open("rb") as source:
            return pq.read_table(source)
    cells, numbers = read_rows(replace(file, decimal_marks={}), Config())
    if len(numbers) and numbers[-1] + 1 != len(cells):  # rejected rows: what follows keeps its number
        at = np.zeros(int(numbers[-1]) + 1, np.int64)
        at[numbers] = np.arange(len(cells))
        cells = cells.take(at)
    return cells


def _write(table: pa.Table, path: Path, form: str, like: TableFile) -> None:
    if form == "csv":
        import pyarrow.csv as pc

        delimiter = like.delimiter if len(like.delimiter) == 1 else like.delimiter.strip() or " "  # ", " is a comma
        text = table.cast(pa.schema([pa.field(name, pa.string()) for name in table.column_names]))
        options = pc.WriteOptions(include_header=like.header, delimiter=delimiter, quoting_style="needed")
        suffix = ".tsv" if like.delimiter == "\t" else ".csv"
        pc.write_csv(text, path.with_name(path.name + suffix), options)
        return
    import pyarrow.parquet as pq

    pq.write_table(table, path.with_name(path.name + ".parquet"))


def _write_lines(new: NewSplit, folder: Path) -> None:
    """Lines of JSON as they are, byte by byte."""
    whole = new.whole
    outs = [(folder / f"{name}.jsonl").open("wb") for name in new.names]
    try:
        for number, file in enumerate(whole.files):
            mine = whole.file == number
            split_of = _by_row(whole.row[mine], new.of[mine])
            for row, line in enumerate(_lines(file)):
                at = split_of[row] if row < len(split_of) else LEFT_OUT
                if at != LEFT_OUT:
                    outs[at].write(line.rstrip(b"\r\n") + b"\n")
    finally:
        for out in outs:
            out.close()


def _by_row(rows: IntArray, of: IntArray) -> Sequence[int]:
    found = np.full(int(rows.max(initial=-1)) + 1, LEFT_OUT, np.int64)
    found[rows] = of
    listed: list[int] = found.tolist()
    return listed


def _lines(file: TableFile) -> Iterator[bytes]:
    """The lines that are rows: blank ones are none."""
    import gzip

    if file.path is None or file.compression == "zstd":
        raise InputError(f"{file.uri}: lines of JSON in this packing are not written anew: unpack the file first")
    with gzip.open(file.path) if file.compression == "gzip" else Path(file.path).open("rb") as source:
        for line in source:
            if line.strip():
                yield line
