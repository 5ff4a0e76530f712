"""Files of rows as tables of a DuckDB connection; a parquet file stays where it is, and is read through a view.

Their columns are ``c0``, ``c1``, … in the order of `TableFile.columns`, so that no name that the user's data chose ever
reaches SQL, and their ``rowid`` counts the rows that were kept, in file order.
"""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
import pyarrow as pa

from leakaudit.engines.duck import Duck, absolute, engine_can_name, first_line, quote_text
from leakaudit.errors import InputError, LeakauditError, UserError
from leakaudit.model import PROBLEMS_LISTED, Problem, TableFile
from leakaudit.sources.readers.numbers import number_sql

if TYPE_CHECKING:
    from leakaudit.model import IntArray

Storage: TypeAlias = Literal["text", "boolean", "integer", "float", "float32", "date", "time", "time_ns", "time_tz"]
"""How the cells of a column are held. Decimals, durations, binary and nested values are held as text."""

VIEWED_COLUMNS = 1000
"""Columns up to which a parquet file is a view: planning takes time by the number of columns, at every query."""

LONGEST_LINE = 1 << 24
"""Bytes of one csv row that DuckDB reads; a file with a longer one is read here, more slowly."""

_BATCH_ROWS = 1 << 15
_BATCH_BYTES = 1 << 24
_READ_ERRORS = (OSError, EOFError, ValueError, zlib.error, csv.Error, pa.ArrowException)


WIDE = 128
HELD_CELLS = 10_000_000
"""Columns of a wide table, and cells up to which one is held as Arrow, too: every statement over a few columns is then
planned for these alone."""


@dataclass(frozen=True, eq=False, slots=True)
class Loaded:
    """A file of rows that is a table now.

    Parameters
    ----------
    file : TableFile
    table : str
        Name in SQL; needs no quotes.
    storage : tuple of Storage
        One a column.
    n_rows : int
        Rows in the table.
    n_rejected : int
        Rows of the file that are not: too few or too many cells, broken quotes, text not in the encoding, no JSON
        object.
    rejected : ndarray of int64, sorted
        Data rows (0-based) of the file that were rejected. Exact except in csv files that have broken rows, blank
        lines and cells of several lines, all at once.
    problems : tuple of Problem
        One a rejected row, at most `PROBLEMS_LISTED`.
    held : pyarrow.Table or None
        The rows of a wide and short table, with their ``rowid``.
    """

    file: TableFile
    table: str
    storage: tuple[Storage, ...]
    n_rows: int
    n_rejected: int
    rejected: IntArray
    problems: tuple[Problem, ...]
    held: pa.Table | None = None

    def file_rows(self, kept: IntArray) -> IntArray:
        """From ``rowid`` to the 0-based data row of the file, which counts rejected rows, too."""
        before = self.rejected - np.arange(len(self.rejected))
        return kept + np.searchsorted(before, kept, side="right")


@dataclass(frozen=True, slots=True)
class _Rejected:
    row: int
    line: int | None
    reason: str


def read_table(duck: Duck, file: TableFile, table: str) -> Loaded:
    """Read a file into a new table.

    Parameters
    ----------
    file : TableFile
    table : str
        Name of the table; a plain word.

    Raises
    ------
    InputError
        The file cannot be read at all, or has other columns than `TableFile.columns`.
    UserError
        It does not fit into `Config.memory_limit` and the temporary folder.
    """
    import duckdb

    try:
        if file.format == "csv":
            rejected, n_rejected = _load_csv(duck, file, table)
            _read_marks(duck, file, table)
        elif file.format == "jsonl":
            rejected, n_rejected = _load_jsonl(duck, file, table)
        else:
            _load_typed(duck, file, table)
            rejected, n_rejected = [], 0
        storage = tuple(_storage(kind) for kind in _types(duck, table)[: len(file.columns)])
    except duckdb.OutOfMemoryException as error:
        raise UserError(f"{file.uri}: needs more memory than memory_limit, or a larger temporary folder") from error
    except (duckdb.Error, *_READ_ERRORS) as error:
        if isinstance(error, LeakauditError):
            raise
        raise InputError(f"{file.uri}: cannot be read as {file.format}: {first_line(error)}") from error
    problems = tuple(
        Problem(f"{file.uri}#{bad.row}", "unreadable", _where(bad), file.split) for bad in rejected[:PROBLEMS_LISTED]
    )
    rows = np.array([bad.row for bad in rejected], dtype=np.int64)
    n_rows = duck.count(f"SELECT count(*) FROM {table}")
    held = None
    if len(file.columns) > WIDE and n_rows * len(file.columns) <= HELD_CELLS:
        held = _held(duck, table, n_rows)
    return Loaded(file, table, storage, n_rows, n_rejected, rows, problems, held)


def damaged_file(duck: Duck, files: Iterable[TableFile]) -> InputError | None:
    """What to tell about the first Parquet file that cannot be read to its end; None where all can.

    Parquet files are read where they lie, some columns at a time, so that a broken page shows only when a check comes
    to it. Asked after a failure only: it reads everything.
    """
    import duckdb

    for file in files:
        if file.format != "parquet" or file.path is None or not engine_can_name(file.path):
            continue
        source = f"read_parquet({quote_text(absolute(file.path))}, hive_partitioning = false)"
        try:
            duck.connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM {source}").fetchall()
        except duckdb.OutOfMemoryException:
            return None
        except duckdb.Error as error:
            return InputError(f"{file.uri}: a damaged parquet file ({first_line(error)}): copy or write it again")
    return None


def _held(duck: Duck, table: str, n_rows: int) -> pa.Table:
    """All rows in order. As a relation they would be planned more than once, which takes long for many columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it copies, which is meant
        held: pa.Table = duck.connection.execute(f"FROM {table}").to_arrow_table()
    if "rowid" in held.column_names:  # a view of a parquet file, which numbers its rows itself
        held = held.drop_columns(["rowid"])
    return held.append_column("rowid", pa.array(np.arange(n_rows)))


@contextmanager
def narrowed(
    duck: Duck, table: Loaded, cells: Iterable[str], known: Mapping[str, pa.ChunkedArray] | None = None
) -> Iterator[str]:
    """What to read these columns (``c7``, …) from: the table, or of a wide one a relation that has nothing else.

    What is `known` of a wide one beside its cells becomes columns of the relation.

    The relation is there as long as the context is; one of each table at a time.
    """
    if table.held is None:
        yield table.table
        return
    narrow = f"narrow_{table.table}"
    held = table.held.select([*dict.fromkeys(cells), "rowid"])
    if known:
        held = pa.table({**dict(zip(held.column_names, held.columns, strict=True)), **known})
    duck.connection.register(narrow, held)
    try:
        yield narrow
    finally:
        duck.connection.unregister(narrow)


def _where(bad: _Rejected) -> str:
    return f"line {bad.line:,}: {bad.reason}" if bad.line is not None else bad.reason


def _types(duck: Duck, relation: str) -> list[str]:
    return [str(row[0]) for row in duck.rows(f"SELECT column_type FROM (DESCRIBE SELECT * FROM {relation})")]


def _storage(kind: str) -> Storage:
    if kind == "BOOLEAN":
        return "boolean"
    if kind.endswith("INT") or kind.endswith("INTEGER"):
        return "integer"
    if kind in ("DOUBLE", "FLOAT"):
        return "float" if kind == "DOUBLE" else "float32"
    times: dict[str, Storage] = {"DATE": "date", "TIMESTAMP_NS": "time_ns", "TIMESTAMP WITH TIME ZONE": "time_tz"}
    return times.get(kind, "time" if kind.startswith("TIMESTAMP") else "text")


def _names(n: int) -> list[str]:
    return [f"c{i}" for i in range(n)]


# --- parquet and Arrow: types as they are ---------------------------------------------------------------------


def _load_typed(duck: Duck, file: TableFile, table: str) -> None:
    names = _names(len(file.columns))
    if file.table is not None:
        _register(duck, table + "_source", file.table)
        source = table + "_source"
    elif file.path is not None and engine_can_name(file.path):
        source = f"read_parquet({quote_text(absolute(file.path))}, hive_partitioning = false)"
    else:
        _insert(duck, file, table, _parquet_batches(file))
        return
    found = _types(duck, source)
    if len(found) != len(names):
        raise InputError(f"{file.uri}: has {len(found):,} columns where {len(names):,} were expected")
    cells = ", ".join(f"{_plain(name, kind)} AS {name}" for name, kind in zip(names, found, strict=True))
    numbered = file.path is not None and "file_row_number" not in map(str.lower, file.columns)
    if numbered and len(names) <= VIEWED_COLUMNS:
        numbers = f"{source.removesuffix(')')}, file_row_number = true)"
        columns = ", ".join((*names, "number"))
        duck.connection.execute(f"CREATE VIEW {table} AS SELECT {cells}, number AS rowid FROM {numbers} t({columns})")
        return
    duck.connection.execute(f"CREATE TABLE {table} AS SELECT {cells} FROM {source} AS t({', '.join(names)})")
    if file.table is not None:
        duck.connection.unregister(source)


def _plain(name: str, kind: str) -> str:
    """A column as one of the storages."""
    if kind == "BLOB":
        return f"octet_length({name})::VARCHAR || ' bytes, md5 ' || md5({name})"
    if re.search(r"[\[(]", kind) and not kind.startswith(("DECIMAL", "ENUM")):
        return f"to_json({name})::VARCHAR"
    return f"{name}::VARCHAR" if _storage(kind) == "text" else name


def _register(duck: Duck, name: str, table: pa.Table) -> None:
    """Make an Arrow table readable from SQL under `_names`; types that DuckDB lacks become the nearest that it has."""
    fields = [
        pa.field(name, pa.float32() if pa.types.is_float16(kind) else kind)
        for name, kind in zip(_names(table.num_columns), table.schema.types, strict=True)
    ]
    duck.connection.register(name, table.rename_columns([f.name for f in fields]).cast(pa.schema(fields)))


def _parquet_batches(file: TableFile) -> Iterator[pa.Table]:
    import pyarrow.parquet as pq

    assert file.path is not None
    with Path(file.path).open("rb") as source, pq.ParquetFile(source) as parquet:
        yield parquet.schema_arrow.empty_table()
        for batch in parquet.iter_batches():
            yield pa.Table.from_batches([batch])


def _insert(duck: Duck, file: TableFile, table: str, batches: Iterator[pa.Table]) -> None:
    """Create the table from the first batch, and add the others in order."""
    names = _names(len(file.columns))
    made = False
    for batch in batches:
        if batch.num_columns != len(names):
            raise InputError(f"{file.uri}: has {batch.num_columns:,} columns where {len(names):,} were expected")
        _register(duck, "batch", batch)
        kinds = _types(duck, "batch")
        cells = ", ".join(_plain(name, kind) for name, kind in zip(names, kinds, strict=True))
        if made:
            duck.connection.execute(f"INSERT INTO {table} SELECT {cells} FROM batch")
        else:
            duck.connection.execute(
                f"CREATE TABLE {table} AS SELECT * FROM (SELECT {cells} FROM batch) t({', '.join(names)})"
            )
            made = True
        duck.connection.unregister("batch")


def _read_marks(duck: Duck, file: TableFile, table: str) -> None:
    """Write the columns whose every cell is a number with decimal commas, or with commas between thousands, as numbers.

    The head said which columns may be; one cell that is something else, and the column stays the text that it is.
    """
    names = {f"c{file.columns.index(column)}": mark for column, mark in file.decimal_marks.items()}
    if not names:
        return
    told = {name: number_sql(name, mark) for name, mark in names.items()}
    fits = duck.rows(f"SELECT {', '.join(f'coalesce(bool_and({fit}), true)' for fit, _ in told.values())} FROM {table}")
    cells = [f"{told[name][1]} AS {name}" for name, fit in zip(names, fits[0], strict=True) if fit]
    if cells:
        duck.connection.execute(f"CREATE TABLE {table}_marked AS SELECT * REPLACE ({', '.join(cells)}) FROM {table}")
        duck.connection.execute(f"DROP TABLE {table}")
        duck.connection.execute(f"ALTER TABLE {table}_marked RENAME TO {table}")


# --- csv: every cell as text ----------------------------------------------------------------------------------


def _load_csv(duck: Duck, file: TableFile, table: str) -> tuple[list[_Rejected], int]:
    import duckdb

    assert file.path is not None
    if not engine_can_name(file.path):
        return _load_csv_here(duck, file, table)
    names = _names(len(file.columns))
    cells = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    quote = quote_text(file.quote)
    # A blank line is a missing value to DuckDB where there is one column only, and no row elsewhere; here never a row.
    rows = "WHERE c0 IS NOT NULL" if len(names) == 1 else ""
    sql = f"""
        CREATE TABLE {table} AS SELECT * FROM read_csv(
            {quote_text(absolute(file.path))}, auto_detect = false, columns = {{{cells}}}, hive_partitioning = false,
            delim = {quote_text(file.delimiter)}, quote = {quote}, escape = {quote},
            header = {str(file.header).lower()}, skip = {file.skip_rows},
            encoding = {quote_text(file.encoding)}, compression = {quote_text(file.compression)},
            allow_quoted_nulls = false, store_rejects = true, rejects_limit = 0,
            rejects_table = '{table}_errors', rejects_scan = '{table}_scans',
            max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE}) {rows}"""
    try:
        duck.connection.execute(sql)
        if not duck.count(f"SELECT count(*) FROM {table}_errors WHERE error_type = 'LINE SIZE OVER MAXIMUM'"):
            return _csv_rejects(duck, file, table)
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error:  # mixed line ends, an encoding that DuckDB lacks; what is truly wrong is met again
        pass
    for name in (table, f"{table}_errors", f"{table}_scans"):
        duck.connection.execute(f"DROP TABLE IF EXISTS {name}")
    return _load_csv_here(duck, file, table)


def _csv_rejects(duck: Duck, file: TableFile, table: str) -> tuple[list[_Rejected], int]:
    # Positions count from 1; both they and csv_line begin with the blank lines before the row.
    errors = duck.rows(
        f"""SELECT line, first(error_type::VARCHAR ORDER BY column_idx), first(error_message ORDER BY column_idx),
                min(line_byte_position - 1 + coalesce(len(csv_line) - len(ltrim(csv_line, chr(13) || chr(10))), 0))
            FROM {table}_errors GROUP BY line ORDER BY line"""
    )
    for name in (f"{table}_errors", f"{table}_scans"):
        duck.connection.execute(f"DROP TABLE {name}")
    if not errors:
        return [], 0
    records = [int(str(error[0])) for error in errors]
    positions = [int(str(error[3])) for error in errors]
    physical, blank, n_lines = _lines(file, positions)
    rejected = []
    for at, (record, error) in enumerate(zip(records, errors, strict=True)):
        known = physical[at] if physical else None
        before = blank[at] if known == record else 0  # blank lines before it may be inside of cells otherwise
        row = max(0, record - 1 - file.header - file.skip_rows - before)
        rejected.append(_Rejected(row, known, _csv_reason(str(error[1]), str(error[2]))))
    n_rejected = len(rejected)
    if any(error[1] == "UNQUOTED VALUE" for error in errors):  # an open quote swallows the lines that follow
        n_columns = len(file.columns)
        inside = " + ".join(f"coalesce(len(c{i}) - len(replace(c{i}, chr(10), '')), 0)" for i in range(n_columns))
        kept = duck.count(f"SELECT count(*) + sum({inside}) FROM {table}")
        n_rejected = max(n_rejected, n_lines - file.header - file.skip_rows - kept)
    return rejected, n_rejected


def _csv_reason(kind: str, message: str) -> str:
    numbers = re.findall(r"\d+", message)
    if kind in ("MISSING COLUMNS", "TOO MANY COLUMNS") and len(numbers) == 2:
        return f"{numbers[1]} cells where {numbers[0]} were expected"
    return {
        "UNQUOTED VALUE": "a quote that is not closed where its cell ends",
        "INVALID ENCODING": "not in the encoding of the file",
        "INVALID UNICODE": "not in the encoding of the file",
    }.get(kind, first_line(ValueError(message)))


def _lines(file: TableFile, positions: Sequence[int]) -> tuple[list[int], list[int], int]:
    """Line numbers at byte positions, blank lines before each, and how many lines are not blank; reads the file again.

    Nothing where lines do not end in ``\\n`` or DuckDB decodes the file first (its positions then mean other bytes).
    """
    assert file.path is not None
    if file.encoding.lower() not in ("utf-8", "utf8", "latin-1"):
        return [], [], 0
    numbers, blanks = [], []
    line, blank, start = 0, 0, 0
    wanted = iter(sorted(positions))
    position = next(wanted, None)
    with _open(file) as source:
        for text in source:
            line += 1
            while position is not None and position < start + len(text):
                numbers.append(line)
                blanks.append(blank)
                position = next(wanted, None)
            blank += not text.strip(b"\r\n")
            start += len(text)
    known = file.encoding.lower() != "latin-1" and line > 1 and len(numbers) == len(positions)
    return (numbers, blanks, line - blank) if known else ([], [], line - blank)


def _open(file: TableFile) -> IO[bytes]:
    assert file.path is not None
    if file.compression == "gzip":
        return cast("IO[bytes]", gzip.open(file.path, "rb"))
    if file.compression == "zstd":
        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(Path(file.path).open("rb"), "r"), "zstd"))
    return Path(file.path).open("rb")


def _load_csv_here(duck: Duck, file: TableFile, table: str) -> tuple[list[_Rejected], int]:
    """Read a csv file that DuckDB cannot, with the parser of the standard library."""
    rejected: list[_Rejected] = []
    limit = csv.field_size_limit(2**31 - 1)
    try:
        _insert(duck, file, table, _csv_batches(file, rejected))
    finally:
        csv.field_size_limit(limit)
    return rejected, len(rejected)


def _csv_batches(file: TableFile, rejected: list[_Rejected]) -> Iterator[pa.Table]:
    width = len(file.columns)
    schema = pa.schema([(name, pa.string()) for name in _names(width)])
    yield schema.empty_table()
    encoding = "utf-8-sig" if file.encoding.lower() in ("utf-8", "utf8") else file.encoding
    with _open(file) as raw, io.TextIOWrapper(raw, encoding, errors="surrogateescape", newline="") as text:
        for _ in range(file.skip_rows):
            text.readline()
        reader = csv.reader(
            text,
            delimiter=file.delimiter[0],
            skipinitialspace=file.delimiter.endswith(" "),
            quotechar=file.quote or None,
            quoting=csv.QUOTE_MINIMAL if file.quote else csv.QUOTE_NONE,
        )
        if file.header:
            next(reader, None)
        kept: list[list[str]] = []
        size, row, line = 0, 0, reader.line_num
        for cells in reader:
            line, start = reader.line_num, line
            if not cells:
                continue
            if len(cells) != width:
                reason = f"{len(cells)} cells where {width} were expected"
                rejected.append(_Rejected(row, start + 1 + file.skip_rows, reason))
            elif not _encodable(cells):
                rejected.append(_Rejected(row, start + 1 + file.skip_rows, "not in the encoding of the file"))
            else:
                kept.append(cells)
                size += sum(map(len, cells))
            row += 1
            if len(kept) == _BATCH_ROWS or size > _BATCH_BYTES:
                yield _text_table(kept, schema)
                kept, size = [], 0
        if kept:
            yield _text_table(kept, schema)


def _encodable(cells: Sequence[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _text_table(rows: Sequence[Sequence[str]], schema: pa.Schema) -> pa.Table:
    columns = [pa.array([cell or None for cell in column], pa.string()) for column in zip(*rows, strict=True)]
    return pa.table(columns, schema=schema)


# --- JSON lines -----------------------------------------------------------------------------------------------


def _load_jsonl(duck: Duck, file: TableFile, table: str) -> tuple[list[_Rejected], int]:
    """Strings as they are, null as missing, everything else as JSON writes it; a line that is no object is rejected."""
    pointers = ", ".join(quote_text("/" + name.replace("~", "~0").replace("/", "~1")) for name in file.columns)
    names = _names(len(file.columns))
    connection = duck.connection
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} VARCHAR' for name in names)})")
    cells = ", ".join(f"v[{i + 1}]" for i in range(len(names)))
    is_row = "CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"
    rejected = []
    row = 0
    for lines, numbers in _line_batches(file):
        connection.register("batch", pa.table({"line": lines}))
        connection.execute(
            f"""INSERT INTO {table} SELECT {cells} FROM
                (SELECT json_extract_string(line, [{pointers}]) AS v FROM batch WHERE {is_row})"""
        )
        bad = duck.rows(
            f"""SELECT number, line IS NULL, coalesce(json_valid(line), false) FROM
                (SELECT line, row_number() OVER () - 1 AS number FROM batch)
                WHERE NOT {is_row} ORDER BY number"""
        )
        connection.unregister("batch")
        for at, undecodable, valid in bad:
            reason = "not UTF-8" if undecodable else "not an object" if valid else "not JSON"
            rejected.append(_Rejected(row + int(str(at)), numbers[int(str(at))], reason))
        row += len(lines)
    return rejected, len(rejected)


def _line_batches(file: TableFile) -> Iterator[tuple[pa.Array, list[int]]]:
    """Lines that are not blank, with their numbers; one that is not UTF-8 is null."""
    lines: list[str | None] = []
    numbers: list[int] = []
    size = 0
    with _open(file) as source:
        for number, raw in enumerate(source, start=1):
            text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if not text.strip():
                continue
            try:
                lines.append(text.decode())
            except UnicodeDecodeError:
                lines.append(None)
            numbers.append(number)
            size += len(raw)
            if len(lines) == _BATCH_ROWS or size > _BATCH_BYTES:
                yield pa.array(lines, pa.string()), numbers
                lines, numbers, size = [], [], 0
    if lines:
        yield pa.array(lines, pa.string()), numbers
