"""Time series of the UCR archive (``.ts``): ``@`` lines, then a series a line with its class after the last colon."""

from __future__ import annotations

from leakaudit.errors import InputError
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display
from leakaudit.sources.text_parts import Records, SplitFile, read_text, recognised, texts_dataset

MOST_VALUES = 100_000
"""Values of one series that become columns."""


def sniff(request: Request) -> tuple[SplitFile, ...] | NotThis:
    """Look for files with ``@problemName`` or ``@classLabel`` and ``@data``."""
    return recognised(request, _is_it, "UCR time-series (.ts)")


def _is_it(name: str, head: str) -> bool:
    lower = head.lower()
    marks = ("@problemname", "@classlabel", "@univariate", "@timestamps")
    return name.lower().endswith((".ts", ".tsf")) and any(mark in lower for mark in marks)


def load(request: Request, files: tuple[SplitFile, ...]) -> Dataset:
    """A row a series, a column a value, those that shorter series lack missing."""
    width = max(len(read(file.path, request.config.encoding)) for file in files)

    def padded(path: str, encoding: str | None) -> Records:
        columns = dict(read(path, encoding))
        n = len(next(iter(columns.values()), ()))
        missing = {f"t{at}": [None] * n for at in range(width) if f"t{at}" not in columns}
        return {**columns, **(missing if len(columns) < width else {})}

    return texts_dataset(request, LAYOUT.name, "time series of the UCR archive", files, padded)


def read(path: str, encoding: str | None) -> Records:
    """Values ``t0`` … (dimension after dimension) and ``label`` of each series.

    Raises
    ------
    InputError
        A value that is no number, or no series at all.
    """
    text = read_text(path, encoding)
    head, _, data = text.partition("@data") if "@data" in text else text.partition("@DATA")
    labelled = any(line.lower().split()[:2] == ["@classlabel", "true"] for line in head.split("\n") if line.strip())
    rows: list[list[float | None]] = []
    labels: list[str] = []
    for number, line in enumerate(line for line in data.split("\n") if line.strip()):
        parts = line.strip().split(":")
        if labelled:
            labels.append(parts.pop().strip())
        try:
            row = [
                None if cell.strip() in ("?", "NaN", "") else float(cell) for part in parts for cell in part.split(",")
            ]
        except ValueError as error:
            raise InputError(f"{display(path)}: series {number + 1} holds {str(error).split(': ')[-1]}") from error
        if len(row) > MOST_VALUES:
            raise InputError(f"{display(path)}: series {number + 1} is longer than {MOST_VALUES:,} values")
        rows.append(row)
    width = max(map(len, rows), default=0)
    columns: dict[str, list[object]] = {
        f"t{at}": [row[at] if at < len(row) else None for row in rows] for at in range(width)
    }
    return {**columns, **({"label": list(labels)} if labelled else {})}


def takes(_request: Request, files: tuple[SplitFile, ...]) -> list[str]:
    """The files."""
    return [file.path for file in files]


LAYOUT = DataLayout("time-series", sniff, load, takes, lines=True)
