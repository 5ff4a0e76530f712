"""Files whose lines belong together, one beside the other: ``train.en`` and ``train.de``, ``train_text.txt`` and
``train_labels.txt``. A line of all of them is a sample.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.errors import InputError
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display
from leakaudit.sources.parts import COMPRESSED, say_names
from leakaudit.sources.text_parts import Records, SplitFile, head_of_text, read_text, split_files, texts_dataset

_LANGUAGES = [
    "ar",
    "bg",
    "bn",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "eu",
    "fa",
    "fi",
    "fr",
    "ga",
    "gl",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ja",
    "ka",
    "kk",
    "km",
    "kn",
    "ko",
    "lt",
    "lv",
    "mk",
    "ml",
    "mn",
    "mr",
    "ms",
    "my",
    "ne",
    "nl",
    "no",
    "pa",
    "pl",
    "ps",
    "pt",
    "ro",
    "ru",
    "si",
    "sk",
    "sl",
    "so",
    "sq",
    "sr",
    "sv",
    "sw",
    "ta",
    "te",
    "th",
    "tl",
    "tr",
    "uk",
    "ur",
    "uz",
    "vi",
    "xh",
    "yo",
    "zh",
    "zu",
    "src",
    "tgt",
    "trg",
]
_TEXTS = ("text", "texts", "sentence", "sentences", "source", "input", "inputs", "src", "tgt", "target", "x")
_LABELS = ("label", "labels", "y", "class", "classes", "tag", "tags")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """For each split the files beside each other, by the name of their column."""

    splits: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def sniff(request: Request) -> Sniffed | NotThis:
    """Look for files of one split that differ in a language, or in what they hold (text, labels)."""
    absent = NotThis("no files of lines beside each other (train.en train.de; train_text.txt train_labels.txt)")
    if request.folder is None:
        return absent
    sets: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for file in split_files(request):
        named = _column(os.path.basename(file.path))
        if named is None:
            continue
        column, kind, rest = named
        family = re.sub(r"\W+", "", file.template.replace(column, ""))
        sets.setdefault((kind, family if rest else ""), {}).setdefault(file.split, {})[column] = file.path
    least = 1 if request.config.within else 2
    for splits in sets.values():
        columns = set.intersection(*(set(files) for files in splits.values()))
        if len(splits) < least or len(columns) < 2 or not all(set(files) == columns for files in splits.values()):
            continue
        paths = [path for files in splits.values() for path in files.values()]
        heads = {path: head_of_text(path, request.config.encoding) for path in paths}
        texts = [path for files in splits.values() for column, path in files.items() if column not in _LABELS]
        if None not in heads.values() and not all(_are_numbers(heads[path] or "") for path in texts):
            return Sniffed(tuple((split, tuple(sorted(files.items()))) for split, files in splits.items()))
    return absent


def _are_numbers(head: str) -> bool:
    """Whether the lines are rows of numbers: features, and no texts."""
    lines = [line for line in head.split("\n")[:-1] if line.strip()] or [head]
    return all(len(re.findall(r"\d+", line)) > 1 and not re.search(r"[^-+\d.,;:eE \t\r]", line) for line in lines)


def _column(name: str) -> tuple[str, str, str] | None:
    """The column that a file is, whether it is one of languages or of texts and labels, and what else its name says."""
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    stem, _, suffix = name.rpartition(".")
    if suffix.lower() in _LANGUAGES and stem:
        return suffix.lower(), "languages", stem
    words = re.split(r"[._\-]", stem.lower())
    if suffix.lower() in ("txt", "text") and words[-1] in (*_TEXTS, *_LABELS):
        return words[-1], "texts", stem
    return None


def load(request: Request, sniffed: Sniffed) -> Dataset:
    """A row a line.

    Raises
    ------
    InputError
        Files of one split with different numbers of lines.
    """
    beside = {files[0][1]: files for _, files in sniffed.splits}
    firsts = [SplitFile(split, files[0][1], "") for split, files in sniffed.splits]

    def read(path: str, encoding: str | None) -> Records:
        columns = {_called(name): _lines(file, encoding) for name, file in beside[path]}
        counts = {name: len(lines) for name, lines in columns.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{name} {n:,}" for name, n in counts.items())
            raise InputError(f"{display(path)}: the files beside it must have as many lines ({said})")
        return columns

    names = say_names([name for name, _ in sniffed.splits[0][1]], 4)
    texts = [name for name, _ in sniffed.splits[0][1] if name not in _LABELS]
    said = f"files of lines beside each other ({names})"
    return texts_dataset(request, LAYOUT.name, said, firsts, read, texts=[_called(name) for name in texts])


def _called(column: str) -> str:
    return "label" if column in _LABELS else "text" if column in ("text", "texts", "sentence", "sentences") else column


def _lines(path: str, encoding: str | None) -> Sequence[str]:
    lines = read_text(path, encoding).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def takes(_request: Request, sniffed: Sniffed) -> list[str]:
    """The files."""
    return [path for _, files in sniffed.splits for _, path in files]


LAYOUT = DataLayout("line-files", sniff, load, takes, lines=True)
