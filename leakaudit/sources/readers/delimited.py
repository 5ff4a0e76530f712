"""csv in all its dialects, and plain text of one sample a line: what is no other format is read as this."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.readers.csv_dialect import NO_DELIMITER, sniff_dialect
from leakaudit.sources.readers.files import TEXT_SUFFIXES, Source, decode, read_bytes, suffix_of
from leakaudit.sources.readers.heads import HEAD_BYTES, MOST_HEAD_BYTES, Head, Reader
from leakaudit.sources.readers.texts import read_text_head

_DELIMITER_OF = {"tsv": "\t", "tab": "\t", "psv": "|"}


def recognises(first: bytes, name: str) -> bool:
    """Anything; what is no text is refused when its head is read."""
    return True


def head(source: Source, config: Config) -> Head:
    """Delimiter, quotes, preamble and first rows.

    Raises
    ------
    InputError
        No text, or no row in it.
    """
    found = read_text_head(source, config)
    text, complete = found.text, found.complete
    suffix = suffix_of(source.name)
    wanted = HEAD_BYTES
    while True:
        dialect = sniff_dialect(
            text, complete=complete, delimiter=config.delimiter, prefer=_DELIMITER_OF.get(suffix, ",")
        )
        if complete or len(dialect.rows) > 1 or wanted >= MOST_HEAD_BYTES:
            break
        wanted *= 4
        data, complete = read_bytes(source.file, source.compression, wanted)
        text = decode(data, found.encoding)
    if not dialect.rows:
        if complete:
            raise InputError(f"{source.shown}: no row in it")
        raise InputError(f"{source.shown}: its first row is longer than {MOST_HEAD_BYTES >> 20} MiB")
    is_prose = suffix in TEXT_SUFFIXES and dialect.delimiter == NO_DELIMITER
    if is_prose:
        dialect = replace(dialect, quote="", rows=[(line,) for line in text.splitlines()[:1000]], why="one text a line")
    width = max(map(len, dialect.rows[:1]), default=1)
    names = ("text",) if is_prose else tuple(f"column_{i + 1}" for i in range(width))
    return Head(
        source.path,
        "csv",
        names,
        cast("list[tuple[str | None, ...]]", dialect.rows),
        why=", ".join(filter(None, (dialect.why, found.said))),
        header=not is_prose,
        encoding=found.encoding,
        compression=source.compression,
        dialect=dialect,
        lone_returns="\n" not in text and "\r" in text,
        file=source.file,
    )


READER = Reader("csv", ("csv", "tsv", "tab", "psv"), recognises, head, unpacks=True)
