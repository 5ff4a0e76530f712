"""All rows of a file, a few columns at a time: for manifests, and for counting the values of a split column.

Tables themselves are read by an engine; this streams what a layout must know before.
"""

from __future__ import annotations

import itertools
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.listing import display
from leakaudit.sources.readers.csv_dialect import Dialect, parse
from leakaudit.sources.readers.files import open_bytes, read_bytes
from leakaudit.sources.readers.heads import MOST_HEAD_BYTES, Head, cell_of, cell_of_arrow

if TYPE_CHECKING:
    from collections import Counter


def read_rows(head: Head, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Some columns of all rows as text, batch by batch.

    Raises
    ------
    InputError
        The file cannot be read to its end.
    """
    schema = pa.schema([(name, pa.string()) for name in columns])
    if head.table is not None:
        yield from head.table.rename_columns(list(head.columns)).select(list(columns)).to_batches()
    elif head.stream is not None:
        for batch in batches_of(head):
            cells = [[cell_of_arrow(value) for value in batch.column(name).to_pylist()] for name in columns]
            yield pa.record_batch([pa.array(each, pa.string()) for each in cells], schema=schema)
    elif head.format == "parquet":
        import pyarrow.parquet as pq

        try:
            with storage.open_file(head.opened) as source, pq.ParquetFile(source) as file:
                for batch in file.iter_batches(columns=list(columns)):
                    cells = [[cell_of_arrow(value) for value in batch.column(name).to_pylist()] for name in columns]
                    yield pa.record_batch([pa.array(each, pa.string()) for each in cells], schema=schema)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{display(head.path)}: a damaged parquet file") from error
    elif head.format == "jsonl":
        yield from _read_jsonl(head, columns, schema)
    else:
        yield from _read_csv(head, columns)


def batches_of(head: Head) -> Iterator[pa.RecordBatch]:
    """All rows of a file that this process reads, under the names that `settle` gave its columns.

    Raises
    ------
    InputError
        The file cannot be read to its end.
    """
    assert head.stream is not None
    skip = int(head.grid and head.header)
    for batch in head.stream():
        rows = batch.slice(min(skip, batch.num_rows))
        skip -= batch.num_rows - rows.num_rows
        columns = rows.columns
        if head.fill is not None:  # features that only other files have
            known = dict(zip(rows.schema.names, columns, strict=True))
            absent = pa.array([float(head.fill)] * rows.num_rows, pa.float64())
            columns = [known.get(name, absent) for name in head.columns]
        yield pa.RecordBatch.from_arrays(columns, names=list(head.columns))


def _read_jsonl(head: Head, columns: Sequence[str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    def batch(records: list[dict[str, Any]]) -> pa.RecordBatch:
        cells = [pa.array([cell_of(record.get(name)) for record in records], pa.string()) for name in columns]
        return pa.record_batch(cells, schema=schema)

    records: list[dict[str, Any]] = []
    try:
        with open_bytes(head.opened, head.compression) as file:
            for line in file:
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    continue  # counted by the engine that reads the rows
                if isinstance(record, dict):
                    records.append(record if head.nested is None else head.nested.flat(record))
                if len(records) == 1 << 16:
                    yield batch(records)
                    records = []
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{display(head.path)}: cannot be read to its end") from error
    if records:
        yield batch(records)


def _read_csv(head: Head, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows of a csv file as text, those of another width than the header left out.

    Raises
    ------
    InputError
        It cannot be read to its end in its encoding.
    """
    dialect = head.dialect
    assert dialect is not None
    try:
        if len(dialect.delimiter) > 1 or head.lone_returns:
            yield _parse_all(head, dialect, columns)
        else:
            yield from _stream_csv(head, dialect, columns)
    except UnicodeDecodeError as error:
        raise InputError(f"{display(head.path)}: not in {head.encoding} as its head is; say --encoding") from error
    except (pa.ArrowException, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{display(head.path)}: cannot be read to its end ({str(error).splitlines()[0]})") from error


def _parse_all(head: Head, dialect: Dialect, columns: Sequence[str]) -> pa.RecordBatch:
    data, _ = read_bytes(head.opened, head.compression)
    text = data.decode(head.encoding).removeprefix("\ufeff")
    ends = itertools.islice(re.finditer(r"\r\n|\n|\r", text), max(dialect.skip_rows - 1, 0), dialect.skip_rows)
    start = next((end.end() for end in ends), 0)
    rows, _, _ = parse(text[start:], dialect.delimiter, dialect.quote, complete=True, most=len(text) + 1)
    good = [row for row in rows[head.header :] if len(row) == len(head.columns)]
    arrays = [pa.array([row[head.columns.index(name)] for row in good], pa.string()) for name in columns]
    return pa.record_batch(arrays, schema=pa.schema([(name, pa.string()) for name in columns]))


def _stream_csv(head: Head, dialect: Dialect, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.csv as pacsv

    names = list(head.columns)
    with open_bytes(head.opened, head.compression) as source:
        reader = pacsv.open_csv(
            source if isinstance(source, pa.NativeFile) else pa.PythonFile(source, mode="r"),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=MOST_HEAD_BYTES,
                skip_rows=dialect.skip_rows,
                skip_rows_after_names=int(head.header),
                column_names=names,
                encoding="utf-8" if head.encoding == "utf-8-sig" else head.encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=bool(dialect.quote),
                invalid_row_handler=lambda row: "skip",
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in names}, include_columns=list(columns)
            ),
        )
        with reader:
            yield from reader


def count_values(head: Head, column: str) -> Counter[str]:
    """How often each value of a column occurs in the whole file; cells stripped, missing ones as the empty string."""
    from collections import Counter

    import pyarrow.compute as pc

    counts: Counter[str] = Counter()
    for batch in read_rows(head, (column,)):
        for entry in pc.value_counts(batch.column(0)).to_pylist():
            counts[(entry["values"] or "").strip()] += entry["counts"]
    return counts
