"""fastText: one text a line, its labels before it as ``__label__name``; ``cooking.train`` and ``cooking.test``."""

from __future__ import annotations

from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.text_parts import Records, SplitFile, read_text, recognised, texts_dataset

PREFIX = "__label__"


def sniff(request: Request) -> tuple[SplitFile, ...] | NotThis:
    """Look for files whose first lines begin with a label."""
    return recognised(request, _is_it, "fastText (__label__)")


def _is_it(_name: str, head: str) -> bool:
    lines = [line for line in head.split("\n")[:50] if line.strip()]
    return bool(lines) and all(line.startswith(PREFIX) for line in lines[: max(1, len(lines) - 1)])


def load(request: Request, files: tuple[SplitFile, ...]) -> Dataset:
    """A row a line: the text, and its labels joined by spaces."""
    return texts_dataset(request, LAYOUT.name, "fastText lines (__label__ and a text)", files, read, texts=("text",))


def read(path: str, encoding: str | None) -> Records:
    """Texts and labels of a file; blank lines are none."""
    texts, labels = [], []
    for line in read_text(path, encoding).split("\n"):
        words = line.split()
        if not words:
            continue
        n_labels = next((at for at, word in enumerate(words) if not word.startswith(PREFIX)), len(words))
        labels.append(" ".join(word.removeprefix(PREFIX) for word in words[:n_labels]))
        texts.append(" ".join(words[n_labels:]))
    return {"text": texts, "label": labels}


def takes(_request: Request, files: tuple[SplitFile, ...]) -> list[str]:
    """The files."""
    return [file.path for file in files]


LAYOUT = DataLayout("fasttext", sniff, load, takes, lines=True)
