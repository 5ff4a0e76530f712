"""ARFF, the format of Weka: a header that declares the attributes, then rows of csv, or sparse rows in braces."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.readers.csv_dialect import sniff_encoding
from leakaudit.sources.readers.files import Source, open_bytes
from leakaudit.sources.readers.heads import HEAD_BYTES, HEAD_ROWS, Head, Reader, unique_names
from leakaudit.sources.readers.sqlite_files import BATCH_ROWS, text_batch

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(.+)", re.IGNORECASE | re.DOTALL)
_CELL = re.compile(rf"\s*({_QUOTED}|[^,'\"]*?)\s*(?:,|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Attributes:
    """The columns of a file, and what a sparse row means by not naming each of them."""

    names: tuple[str, ...]
    absent: tuple[str, ...]


def recognises(first: bytes, name: str) -> bool:
    """By ``@relation``, after comments."""
    return re.match(rb"(?:\xef\xbb\xbf)?(?:\s*%[^\n]*\n|\s)*@relation\b", first, re.IGNORECASE) is not None


def head(source: Source, config: Config) -> Head:
    """Attributes and first rows.

    Raises
    ------
    InputError
        No attributes, or a row that does not fit them.
    """
    with open_bytes(source.file, source.compression) as file:
        try:
            encoding = sniff_encoding(file.read(HEAD_BYTES), config.encoding)[0]
        except (LookupError, ValueError) as error:
            raise InputError(f"{source.shown}: {error}") from error
    attributes = _attributes(source, _lines(source, encoding))
    rows = [tuple(row) for row in itertools.islice(_rows(source, encoding), HEAD_ROWS)]
    return Head(
        source.path,
        "stream",
        attributes.names,
        rows,
        "ARFF",
        is_empty=not rows,
        stream=lambda: _batches(source, encoding, attributes.names),
    )


def _lines(source: Source, encoding: str) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    import io

    try:
        with open_bytes(source.file, source.compression) as raw, io.TextIOWrapper(raw, encoding) as text:
            for number, line in enumerate(text, 1):
                said = line.strip().removeprefix("\ufeff")
                if said and not said.startswith("%"):
                    yield number, said
    except UnicodeDecodeError as error:
        raise InputError(f"{source.shown}: not in {encoding} as its head is; say --encoding") from error
    except (OSError, EOFError) as error:
        raise InputError(f"{source.shown}: cannot be read to its end ({error})") from error


def _attributes(source: Source, lines: Iterator[tuple[int, str]]) -> Attributes:
    """Read the header, up to ``@data``."""
    names: list[str] = []
    absent: list[str] = []
    for number, line in lines:
        word = line.split(None, 1)[0].lower()
        if word == "@data":
            if not names:
                raise InputError(f"{source.shown}: an ARFF file without attributes")
            return Attributes(unique_names(names), tuple(absent))
        if word == "@relation":
            continue
        match = _ATTRIBUTE.match(line)
        if match is None:
            raise InputError(f"{source.shown}: line {number} is no attribute of ARFF: {line[:40]!r}")
        kind = match[2].strip()
        if kind.lower().startswith("relational"):
            raise InputError(f"{source.shown}: line {number}: relational attributes (bags of rows) are not read")
        names.append(_plain(match[1]))
        absent.append(_absent(kind))
    raise InputError(f"{source.shown}: an ARFF file without @data")


def _absent(kind: str) -> str:
    """What a sparse row means where it does not name an attribute: 0, or the first of the nominal values."""
    if not kind.startswith("{"):
        return "0"
    first = _CELL.match(kind.strip("{} \t"))
    return _plain(first[1]) if first else ""


def _plain(cell: str) -> str:
    """A name or a value without its quotes."""
    if len(cell) > 1 and cell[0] in "'\"" and cell[-1] == cell[0]:
        return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), cell[1:-1])
    return cell


def _cells(text: str) -> list[str | None] | None:
    """Values between commas, ``?`` as missing; None where quotes are broken."""
    cells: list[str | None] = []
    at = 0
    while True:
        match = _CELL.match(text, at)
        if match is None:
            return None
        cells.append(None if match[1] == "?" else _plain(match[1]))
        at = match.end()
        if at >= len(text):
            if text.endswith(","):
                cells.append("")
            return cells


def _rows(source: Source, encoding: str) -> Iterator[list[str | None]]:
    lines = _lines(source, encoding)
    attributes = _attributes(source, lines)
    width = len(attributes.names)
    for number, line in lines:
        if line.startswith("{"):
            row = _sparse(line, attributes)
        else:
            row = _cells(re.sub(r",\s*\{[^{}]*\}\s*\Z", "", line) if line.endswith("}") else line)
        if row is None or len(row) != width:
            reason = f"{len(row):,} cells where {width:,} were expected" if row is not None else "broken"
            raise InputError(f"{source.shown}: line {number:,}: {reason}")
        yield row


def _sparse(line: str, attributes: Attributes) -> list[str | None] | None:
    """``{1 X, 3 Y}``: values by the number of their attribute, counted from 0."""
    row: list[str | None] = list(attributes.absent)
    inner = line[1 : line.rindex("}")].strip() if "}" in line else None
    if inner is None:
        return None
    at = 0
    item = re.compile(rf"\s*(\d+)\s+({_QUOTED}|[^,'\"\s]+)\s*(?:,|\Z)", re.DOTALL)
    while at < len(inner):
        match = item.match(inner, at)
        if match is None or int(match[1]) >= len(row):
            return None
        row[int(match[1])] = None if match[2] == "?" else _plain(match[2])
        at = match.end()
    return row


def _batches(source: Source, encoding: str, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    rows = _rows(source, encoding)
    schema = pa.schema([(name, pa.string()) for name in names])
    yield text_batch([], schema)
    while batch := list(itertools.islice(rows, BATCH_ROWS)):
        yield text_batch(batch, schema)


READER = Reader("ARFF", ("arff",), recognises, head, unpacks=True)
