"""Lines of a given width for a terminal: broken at spaces, uris shortened in the middle, nothing wider than told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from leakaudit.render.words.plain import encodable, plain

Part = str | tuple[str, str]
"""A text, or a text and its style."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What fits: the width in columns, and the encoding of the output."""

    width: int
    encoding: str

    def fit(self, text: str) -> str:
        """The text as this output can show it, on one line."""
        return encodable(plain(text), self.encoding)

    def line(self, *parts: Part, indent: int = 0) -> Text:
        """One line, not broken."""
        line = Text(" " * indent)
        for part in parts:
            text, style = part if isinstance(part, tuple) else (part, "")
            line.append(self.fit(text), style)
        return line

    def wrapped(self, *parts: Part, indent: int = 0, hanging: int | None = None) -> Iterator[Text]:
        """A paragraph, broken at spaces; its later lines start at column `hanging`."""
        hanging = indent if hanging is None else hanging
        whole = self.line(*parts)
        start = indent
        for piece in whole.divide(breaks(whole.plain, self.width - indent, self.width - hanging)):
            piece.rstrip()
            yield Text(" " * start).append_text(piece)
            start = hanging

    def cut(self, text: str, width: int) -> str:
        """The text in at most `width` columns, its end replaced by dots where it is longer."""
        text = self.fit(text)
        dots = self.fit("…")
        return text if cell_len(text) <= width else head(text, width - cell_len(dots)) + dots

    def elided(self, uri: str, width: int) -> str:
        """The uri in at most `width` columns: the middle goes, the file name stays as long as it can."""
        text = self.fit(uri)
        if cell_len(text) <= width:
            return text
        dots = self.fit("…")
        name = text[text.rfind("/") + 1 :]
        tail = f"/{name}" if len(name) < len(text) else name
        head_room = width - cell_len(dots) - cell_len(tail)
        if len(tail) < len(text) and head_room >= MIN_HEAD:
            return head(text, head_room) + dots + tail
        half = (width - cell_len(dots)) // 3
        return head(text, half) + dots + head(text[::-1], width - cell_len(dots) - half)[::-1]


MIN_HEAD = 4
"""Columns of the folder that must remain for it to be worth showing."""


def head(text: str, width: int) -> str:
    """The longest beginning of the text that takes at most `width` columns."""
    taken = 0
    for at, character in enumerate(text):
        taken += cell_len(character)
        if taken > width:
            return text[:at]
    return text


def breaks(text: str, first: int, rest: int) -> list[int]:
    """Offsets at which to break a text at spaces, so that its lines take at most `first`, then `rest` columns."""
    offsets: list[int] = []
    at, room, used = 0, max(first, 1), 0
    for word in text.split(" "):
        width = cell_len(word)
        if used and used + width > room:
            offsets.append(at)
            room, used = max(rest, 1), 0
        while width > room:  # one word longer than a line: cut it, rather than let the terminal do so
            piece = len(head(text[at : at + len(word)], room)) or 1
            offsets.append(at + piece)
            at, word = at + piece, word[piece:]  # noqa: PLW2901
            width, room = cell_len(word), max(rest, 1)
        at += len(word) + 1
        used += width + 1
    return offsets
