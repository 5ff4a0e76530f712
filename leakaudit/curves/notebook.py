"""Jupyter notebooks: what their cells printed, and the tables that fastai and Hugging Face show in them.

One history a cell that trained. Nothing is run; only stored outputs are read.

References
----------
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from leakaudit.curves.console.reader import holds, of_text
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.errors import InputError
from leakaudit.history import History


def sniff(source: Source) -> bool:
    """JSON with ``cells`` and ``nbformat``."""
    value = source.json
    return isinstance(value, dict) and isinstance(value.get("cells"), list) and "nbformat" in value


def read(source: Source, options: Options) -> list[History]:
    """One history a cell and validation set.

    Raises
    ------
    InputError
        No cell holds the output of a training.
    """
    printed = [(name, text) for name, text in _printed((source.json or {})["cells"]) if holds(text)]
    if not printed:
        raise InputError(
            f"{source.shown}: no output of its cells holds a training history (losses or accuracies by epoch); "
            "a notebook whose outputs were cleared holds none"
        )
    found: list[History] = []
    for name, text in printed:
        found += of_text(source, options, text, name if len(printed) > 1 else "")
    return found


def _printed(cells: list[Any]) -> Iterator[tuple[str, str]]:
    """The name of each code cell and all that it printed."""
    for at, cell in enumerate(cells, 1):
        outputs = cell.get("outputs") if isinstance(cell, dict) else None
        if not isinstance(outputs, list):
            continue
        parts = [_text(output) for output in outputs if isinstance(output, dict)]
        if text := "".join(filter(None, parts)):
            yield f"cell {at}", text


def _text(output: Mapping[str, Any]) -> str:
    if "text" in output:
        return _joined(output["text"])
    data = output.get("data")
    if not isinstance(data, dict):
        return ""
    if (html := _joined(data.get("text/html"))) and "<table" in html:
        return "\n" + _tables(html) + "\n"
    return _joined(data.get("text/plain")) + "\n"


def _joined(text: object) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""


class _Rows(HTMLParser):
    """The rows of all tables as cells."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th", "tr")

    def handle_data(self, data: str) -> None:
        if self.inside and self.rows and self.rows[-1]:
            self.rows[-1][-1] += " ".join(data.split())


def _tables(html: str) -> str:
    """Tables as lines with tabs between the cells; a data frame's index, whose name is empty, is called so."""
    parser = _Rows()
    parser.feed(html)
    return "\n".join("\t".join(cell or "index" for cell in row) for row in parser.rows if row)


READER = Reader(
    "notebook", "a Jupyter notebook whose cells printed losses", sniff, read, ("columns", "train_set", "val_sets")
)
