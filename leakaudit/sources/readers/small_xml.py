"""A reader of small XML files (annotations of one picture) that expands no entity: a document type is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

DEEPEST = 64
"""Levels; annotations have five."""


@dataclass(slots=True)
class Element:
    """One element: its name without name space, attributes, text and children."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Children of a name."""
        return [child for child in self.children if child.tag == tag]

    def value(self, tag: str) -> str:
        """Text of the first child of a name; "" where there is none."""
        return next((child.text.strip() for child in self.children if child.tag == tag), "")


def parse_xml(data: bytes) -> Element:
    """The root element.

    Raises
    ------
    ValueError
        No XML, nested too deeply, or with a document type, which could hold entities that expand without end or name
        files.
    """
    parser = expat.ParserCreate()
    top = Element("")
    stack = [top]

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) > DEEPEST:
            raise ValueError("XML nested too deeply")
        element = Element(tag.rpartition(":")[2], attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_tag: str) -> None:
        stack.pop()

    def text(more: str) -> None:
        stack[-1].text += more

    def refuse(*_: Any) -> None:
        raise ValueError("XML with a document type or entities, which is not read")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(f"no XML ({error})") from error
    if not top.children:
        raise ValueError("no XML")
    return top.children[0]
