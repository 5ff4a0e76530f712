"""SQuAD: paragraphs with questions about them, in one JSON file a split. A question with its context is a sample."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace

from leakaudit.errors import InputError
from leakaudit.model import Dataset
from leakaudit.sources.base import DataLayout, NotThis, Request
from leakaudit.sources.listing import display
from leakaudit.sources.text_parts import Records, SplitFile, read_text, recognised, texts_dataset


def sniff(request: Request) -> tuple[SplitFile, ...] | NotThis:
    """Look for JSON objects that speak of paragraphs and questions."""
    return recognised(request, _is_it, "SQuAD")


def _is_it(_name: str, head: str) -> bool:
    return head.lstrip().startswith("{") and all(f'"{key}"' in head for key in ("paragraphs", "context", "qas"))


def load(request: Request, files: tuple[SplitFile, ...]) -> Dataset:
    """A row a question: title, context, question and first answer."""
    said = "SQuAD, a question a sample"
    named = [replace(file, split=_split(file)) for file in files]
    texts, ignore = ("context", "question"), ("id", "title", "answer")
    return texts_dataset(request, LAYOUT.name, said, named, read, texts=texts, ignore=ignore)


def _split(file: SplitFile) -> str:
    """``dev`` keeps its name: everybody calls the held-out part of SQuAD so."""
    is_dev = re.match(r"dev(?![a-z])", os.path.basename(file.path).lower())
    return "dev" if file.split == "val" and is_dev else file.split


def read(path: str, encoding: str | None) -> Records:
    """All questions of a file.

    Raises
    ------
    InputError
        No JSON, or not in the form of SQuAD.
    """
    columns: dict[str, list[object]] = {name: [] for name in ("id", "title", "context", "question", "answer")}
    try:
        for article in json.loads(read_text(path, encoding))["data"]:
            for paragraph in article["paragraphs"]:
                for asked in paragraph["qas"]:
                    answers = asked.get("answers") or [{}]
                    columns["id"].append(str(asked.get("id", "")))
                    columns["title"].append(article.get("title"))
                    columns["context"].append(paragraph["context"])
                    columns["question"].append(asked["question"])
                    columns["answer"].append(answers[0].get("text"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"no {error} in it" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{display(path)}: not in the form of SQuAD: {what}") from error
    return columns


def takes(_request: Request, files: tuple[SplitFile, ...]) -> list[str]:
    """The files."""
    return [file.path for file in files]


LAYOUT = DataLayout("squad", sniff, load, takes, lines=True)
