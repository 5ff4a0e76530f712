"""The sections of a check's docstring as blocks that a template can show: paragraphs, lists, definitions, code.

A small part of what numpydoc knows, on purpose: the docstrings are this project's own, and their markup is plain.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Literal

Span = tuple[Literal["text", "code", "em", "link"], str]


@dataclass(frozen=True, slots=True)
class Block:
    """One block: `items` are a paragraph (one item), list items, or lines of code (one span each)."""

    kind: Literal["p", "ul", "pre"]
    items: tuple[tuple[Span, ...], ...]


_INLINE = re.compile(
    r"``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|(?<!\w)\*(?P<em>[^*\s][^*]*)\*|(?P<link>https?://[^\s<>\"]+[\w/])"
)
_ITEM = re.compile(r"^(?:[-*•]|\d+\.|\.\. \[\w+\])\s+")


def blocks(text: str) -> list[Block]:
    """Split a section into blocks.

    >>> [block.kind for block in blocks("Two lists::\\n\\n    code\\n\\n- one\\n- two")]
    ['p', 'pre', 'ul']
    """
    found: list[Block] = []
    for paragraph in _paragraphs(text):
        lines = paragraph.splitlines()
        if _ITEM.match(lines[0]):
            found.append(Block("ul", tuple(spans(item) for item in _items(lines))))
        elif all(line.startswith(("    ", "|")) for line in lines):
            code = textwrap.dedent(paragraph).splitlines()
            found.append(Block("pre", tuple((("text", line),) for line in code)))
        else:
            start = next((i for i, line in enumerate(lines) if _ITEM.match(line)), len(lines))
            found.append(Block("p", (spans(" ".join(line.strip() for line in lines[:start]).replace("::", ":")),)))
            if start < len(lines):
                found.append(Block("ul", tuple(spans(item) for item in _items(lines[start:]))))
    return found


def _paragraphs(text: str) -> list[str]:
    return [part.strip("\n").rstrip() for part in re.split(r"\n[ \t]*\n", text) if part.strip()]


def _items(lines: list[str]) -> list[str]:
    """List items, each with its continuation lines joined."""
    items: list[str] = []
    for line in lines:
        if _ITEM.match(line):
            items.append(_ITEM.sub("", line))
        else:
            items[-1] += " " + line.strip()
    return items


def spans(text: str) -> tuple[Span, ...]:
    """Inline markup of a paragraph: code, emphasis, links.

    >>> spans("see ``x`` at https://a.org/b.")
    (('text', 'see '), ('code', 'x'), ('text', ' at '), ('link', 'https://a.org/b'), ('text', '.'))
    """
    found: list[Span] = []
    at = 0
    for match in _INLINE.finditer(text):
        if match.start() > at:
            found.append(("text", text[at : match.start()]))
        if (code := match["code"] or match["name"]) is not None:
            found.append(("code", code))
        elif match["em"] is not None:
            found.append(("em", match["em"]))
        else:
            found.append(("link", match["link"]))
        at = match.end()
    if at < len(text):
        found.append(("text", text[at:]))
    return tuple(found)
