"""Numbers in columns that blanks divide, as Fortran, MATLAB and UCI write them.

Lines of two numbers with one blank or tab between them are left to `delimited`, as are those that tabs divide.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources import storage
from leakaudit.sources.inventory import why
from leakaudit.sources.readers.files import Source
from leakaudit.sources.readers.heads import HEAD_BYTES, HEAD_ROWS, Head, Reader

BATCH_CELLS = 1 << 20

LEAST_COLUMNS = 3
"""Of numbers that single blanks divide; two may be a name and a label."""

_NUMBER = rb"(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?|[+-]?(?i:nan|inf))"
_LINE = re.compile(rb"[ \t]*" + _NUMBER + rb"(?:[ \t]+" + _NUMBER + rb")+[ \t\r]*")
_CUT_LINE = re.compile(rb"[ \t]*" + _NUMBER + rb"(?:[ \t]+" + _NUMBER + rb"){2,}[ \t]+\S*")
_RUN = re.compile(rb"^[ \t]|[ \t]{2}")


def recognises(first: bytes, _name: str) -> bool:
    """Every line is numbers, as many in each: three or more, or several blanks between two."""
    lines = first.split(b"\n")
    complete = [line for line in lines[:-1] if line.strip()]
    if not complete:  # one line is longer than the head
        return _CUT_LINE.fullmatch(first) is not None and _RUN.search(first) is not None
    if not all(_LINE.fullmatch(line) for line in complete):
        return False
    widths = {len(line.split()) for line in complete}
    return len(widths) == 1 and (
        any(_RUN.search(line) for line in complete) or (min(widths) >= LEAST_COLUMNS and b"\t" not in first)
    )


def head(source: Source, _config: Config) -> Head:
    """Columns ``column_1`` …, all of numbers.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        with storage.open_file(source.file) as file:
            data = file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{source.shown}: {why(error)}") from error
    if len(data) == HEAD_BYTES and b"\n" in data:
        data = data[: data.rfind(b"\n")]
    lines = [line.split() for line in data.splitlines() if line.strip()][:HEAD_ROWS]
    width = len(lines[0])
    columns = tuple(f"column_{at + 1}" for at in range(width))
    rows = [tuple(cell.decode("ascii", "replace") for cell in line) for line in lines if len(line) == width]
    return Head(
        source.path,
        "stream",
        columns,
        rows,
        "numbers in columns that blanks divide",
        header=False,
        stream=lambda: _batches(source, columns),
    )


def _batches(source: Source, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    step = max(1, BATCH_CELLS // len(columns))
    n_read = 0
    try:
        with storage.open_file(source.file) as file:
            lines = (line.replace(b"D", b"e").replace(b"d", b"e") for line in file if line.strip())
            while batch := list(itertools.islice(lines, step)):
                cells = np.loadtxt(batch, dtype=np.float64, ndmin=2, comments=None, encoding="ascii")
                width = cells.shape[1]
                if width != len(columns):
                    raise InputError(f"{source.shown}: lines of {width:,} numbers, the first has {len(columns):,}")
                yield pa.RecordBatch.from_arrays([pa.array(each) for each in cells.T], names=list(columns))
                n_read += len(batch)
    except OSError as error:
        raise InputError(f"{source.shown}: {why(error)}") from error
    except ValueError as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise InputError(
            f"{source.shown}: not numbers in columns to its end ({said}, behind row {n_read:,})"
        ) from error


READER = Reader("number columns", (), recognises, head)
