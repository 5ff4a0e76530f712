"""CoNLL, CoNLL-U and BIO files: a token a line, a blank line after each sentence. A sentence is a sample.

The text of a sentence is its tokens with a space between; its tags are joined likewise and are no part of what it is.
"""

from __future__ import annotations

import re

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.text_parts import Records, SplitFile, read_text, recognised, texts_dataset

SUFFIXES = (".conll", ".conllu", ".conllx", ".bio", ".iob", ".iob2", ".bioes", ".ner", ".pos", ".conll03")
_TAG = re.compile(r"O|[BIESLUM]-\S+")
_COLUMNS_OF_UD = 10


def sniff(request: Request) -> tuple[SplitFile, ...] | NotThis:
    """Look for files of tokens and tags, by their ending or by their first lines."""
    return recognised(request, _is_it, "CoNLL")


def _is_it(name: str, head: str) -> bool:
    lines = head.split("\n")[:400]
    cells = [_cells(line) for line in lines[:-1] if line.strip() and not line.startswith("#")]
    if not cells or not any(not line.strip() for line in lines):
        return False
    widths = {len(each) for each in cells}
    if len(widths) > 1 or min(widths) < 2:
        return False
    if name.lower().removesuffix(".gz").endswith(SUFFIXES):
        return True
    if widths == {_COLUMNS_OF_UD} and all(each[0][:1].isdigit() for each in cells):
        return True
    return all(_TAG.fullmatch(each[-1]) for each in cells)


def _cells(line: str) -> list[str]:
    """Tokens may hold spaces where tabs stand between the columns."""
    return line.split("\t") if "\t" in line else line.split()


def load(request: Request, files: tuple[SplitFile, ...]) -> Dataset:
    """A row a sentence: its text and its tags."""
    return texts_dataset(
        request, LAYOUT.name, "CoNLL, a sentence a sample", files, read, texts=("text",), ignore=("tags",)
    )


def read(path: str, encoding: str | None) -> Records:
    """Sentences and tags of a file; comments and document marks are no sentence."""
    texts, tags = [], []
    for block in re.split(r"\n[ \t]*\n", read_text(path, encoding)):
        rows = [_cells(line) for line in block.split("\n") if line.strip() and not line.startswith("# ")]
        rows = [row for row in rows if len(row) > 1 and row[0] != "-DOCSTART-"]
        if not rows:
            continue
        is_ud = all(len(row) == _COLUMNS_OF_UD for row in rows) and rows[0][0][:1].isdigit()
        if is_ud:  # multi-word tokens (1-2) and empty nodes (1.1) stand beside their words
            rows = [row for row in rows if row[0].isdigit()]
        texts.append(" ".join(row[1 if is_ud else 0] for row in rows))
        tags.append(" ".join(row[3 if is_ud else -1] for row in rows))
    return {"text": texts, "tags": tags}


def takes(_request: Request, files: tuple[SplitFile, ...]) -> list[str]:
    """The files."""
    return [file.path for file in files]


LAYOUT = DataLayout("conll", sniff, load, takes, lines=True)
