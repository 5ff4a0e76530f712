"""The head of a file of text: decompressed, its encoding found, decoded."""

from __future__ import annotations

from dataclasses import dataclass

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError
from leakaudit.sources.readers.csv_dialect import sniff_encoding
from leakaudit.sources.readers.files import Source, decode, read_bytes
from leakaudit.sources.readers.heads import HEAD_BYTES, MOST_HEAD_BYTES


@dataclass(frozen=True, slots=True)
class TextHead:
    """The first part of a text, whether that is all, its encoding, and what was guessed about that."""

    text: str
    complete: bool
    encoding: str
    said: str


def read_text_head(source: Source, config: Config) -> TextHead:
    """Decode the first MiB of a file, or as much as holds a line.

    Raises
    ------
    InputError
        It cannot be read, is empty, binary, or not in its encoding.
    ConfigError
        There is no encoding of the name told.
    """
    wanted = HEAD_BYTES
    data, complete = read_bytes(source.file, source.compression, wanted)
    while not complete and b"\n" not in data and wanted < MOST_HEAD_BYTES:
        wanted *= 4
        data, complete = read_bytes(source.file, source.compression, wanted)
    if not data.strip():
        raise InputError(f"{source.shown}: an empty file")
    try:
        encoding, said = sniff_encoding(data, config.encoding)
        text = decode(data, encoding)
    except LookupError as error:
        raise ConfigError(f"--encoding: there is no encoding {config.encoding!r}") from error
    except UnicodeDecodeError as error:
        told = "as told" if config.encoding else "as it seemed"
        raise InputError(f"{source.shown}: not in {error.encoding} {told}; say --encoding") from error
    except ValueError as error:
        raise InputError(f"{source.shown}: {error}") from error
    if not text.strip() or "\0" in text:
        raise InputError(f"{source.shown}: {'binary, not text: it holds NUL' if chr(0) in text else 'an empty file'}")
    said = f"encoding {encoding} {said}" if said and config.encoding is None and encoding != "utf-8-sig" else ""
    return TextHead(text, complete, encoding, said)
