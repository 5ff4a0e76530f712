"""Files that are no tables, by their first bytes: each is refused in one line that says what it is and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from leakaudit.sources.readers.files import suffix_of


@dataclass(frozen=True, slots=True)
class NoTable:
    """What a file is, by a pattern of its first bytes; where `suffixes` are given, one of them is needed, too."""

    pattern: re.Pattern[bytes]
    is_what: str
    suffixes: tuple[str, ...] = ()


def _begins(*marks: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, marks)))


_TEXT_START = rb"(?:\xef\xbb\xbf)?\s*"

NO_TABLES: tuple[NoTable, ...] = (
    NoTable(_begins(b"version https://git-lfs.github.com/spec/"), "a Git LFS pointer: run git lfs pull"),
    # Protocol 2 to 5 begin with a mark and their number; joblib and older protocols with an opcode. Never loaded.
    NoTable(re.compile(rb"\x80[\x02-\x05]"), "a pickle, which is never loaded: save it as csv or parquet"),
    NoTable(
        re.compile(rb"[(\]}cl]"),
        "a pickle, which is never loaded: save it as csv or parquet",
        ("pkl", "pickle", "joblib", "p"),
    ),
    NoTable(_begins(b"%PDF"), "a PDF, which is no table: export its tables as csv"),
    NoTable(_begins(b"\x89HDF"), "an HDF5 file, which is not read as a table: save it as csv or parquet"),
    NoTable(_begins(b"\x93NUMPY"), "a NumPy array, which is not read as a table: save it as csv or parquet"),
    NoTable(
        re.compile(
            rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP|.{4}ftyp", flags=re.DOTALL
        ),
        "a picture or a video, not a table: name the folder that it lies in",
    ),
    NoTable(re.compile(rb"RIFF.{4}WAVE|fLaC|OggS|ID3[\x02-\x04]|\xff\xfb", re.DOTALL), "a sound, not a table"),
    NoTable(
        re.compile(_TEXT_START + rb"(?:<!doctype html|<html|<head|<!-- *saved from)", re.IGNORECASE),
        "an HTML page, not a table (a download that failed, or a login page?): fetch the file itself",
    ),
    NoTable(
        re.compile(_TEXT_START + rb"<\?xml", re.IGNORECASE), "an XML document, not a table: export it as csv or jsonl"
    ),
    NoTable(
        re.compile(rb"(?:\s*#[^\n]*\n|\s*\n)*\s*@(?:problemname|timestamps|univariate|classlabel)\b", re.IGNORECASE),
        "a UCR time series file (.ts), which is not read: save it as a table with one series a row",
    ),
    NoTable(
        re.compile(rb">[^\n]*\n[A-Z*\-]{20,}\r?\n"),
        "a FASTA file of sequences, which is not read as a table: save it as csv with a column for the sequence",
    ),
    NoTable(
        re.compile(rb"[>;]"),
        "a FASTA file of sequences, which is not read as a table: save it as csv with a column for the sequence",
        ("fasta", "fa", "faa", "fna", "ffn"),
    ),
    NoTable(
        re.compile(rb"(?:# [^\n]*\n)*1\t[^\t\n]+\t[^\n]*\t[^\n]*\n2\t", re.DOTALL),
        "a CoNLL-U file, whose lines are words: save it as csv with a sentence a row",
        ("conllu", "conll"),
    ),
    NoTable(
        re.compile(rb"\S"),
        "a CoNLL file, whose lines are words: save it as csv with a sentence a row",
        ("conll", "conllu", "iob", "bio", "iob2"),
    ),
    # A record: its length as eight bytes, a checksum, then a tf.train.Example, which begins with the tag 0x0A.
    NoTable(
        re.compile(rb".{3}\0{5}.{4}\x0a", re.DOTALL),
        "a TFRecord file, which is not read: save its records as parquet or jsonl",
    ),
    NoTable(_begins(b"Obj\x01"), "an Avro file, which is not read: save it as parquet"),
    NoTable(_begins(b"7z\xbc\xaf\x27\x1c", b"Rar!"), "a 7z or rar archive, which is not read: unpack it"),
    NoTable(_begins(b"RDX2\n", b"RDX3\n", b"X\n\0\0\0"), "an R data file, which is not read: save it as csv"),
)
"""Tried in this order, before the readers."""


def what_it_is(first: bytes, name: str) -> str | None:
    """What a file is that is no table, and what to do; None where a reader may try.

    Parameters
    ----------
    first : bytes
        Its first bytes, after decompression.
    name : str
    """
    suffix = suffix_of(name)
    for each in NO_TABLES:
        if (not each.suffixes or suffix in each.suffixes) and each.pattern.match(first):
            return each.is_what
    return None
