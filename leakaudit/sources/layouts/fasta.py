"""FASTA: sequences of proteins or nucleic acids, each after a line that begins with ``>``. A sequence is a sample."""

from __future__ import annotations

import re

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.text_parts import Records, SplitFile, read_text, recognised, texts_dataset

_SEQUENCE = re.compile(r"[A-Za-z*.\-]+")


def sniff(request: Request) -> tuple[SplitFile, ...] | NotThis:
    """Look for files whose first line begins with ``>`` and whose next one is a sequence."""
    return recognised(request, _is_it, "FASTA")


def _is_it(_name: str, head: str) -> bool:
    lines = [line.strip() for line in head.split("\n")[:20] if line.strip() and not line.startswith(";")]
    return len(lines) > 1 and lines[0].startswith(">") and bool(_SEQUENCE.fullmatch(lines[1]))


def load(request: Request, files: tuple[SplitFile, ...]) -> Dataset:
    """A row a sequence; its name is no part of it."""
    note = "Sequences are compared whole: homologous ones (a shared domain, 90 % identity) were not looked for."
    return texts_dataset(request, LAYOUT.name, "FASTA sequences", files, read, ignore=("name",), notes=(note,))


def read(path: str, encoding: str | None) -> Records:
    """Names and sequences of a file, sequences in capitals and without line breaks."""
    names, sequences = [], []
    for entry in re.split(r"(?m)^>", read_text(path, encoding))[1:]:
        name, _, sequence = entry.partition("\n")
        names.append(name.strip())
        sequences.append(re.sub(r"\s+", "", sequence).upper())
    return {"name": names, "sequence": sequences}


def takes(_request: Request, files: tuple[SplitFile, ...]) -> list[str]:
    """The files."""
    return [file.path for file in files]


LAYOUT = DataLayout("fasta", sniff, load, takes, lines=True)
