"""Texts inside of JSON: a cell ``{"text": "around 1"}`` says "around 1", and a chat says what was said in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

_LOOKS_WRAPPED = r'^\s*(\{\s*"|\[\s*[\["{])'
_MARKS = frozenset(["role", "from", "type", "id"])
"""Keys whose values say who speaks or what a part is, and are no text of it."""


def unwrapped(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    r"""Each text, but of JSON objects and arrays what their values say, one a line, without keys and brackets.

    >>> unwrapped(pa.array(['{"text": "around 1"}', "[1] a note", "{no json"], pa.large_string())).to_pylist()
    ['around 1', '[1] a note', '{no json']
    """
    wrapped = pc.fill_null(pc.match_substring_regex(texts, _LOOKS_WRAPPED), False)
    if not pc.any(wrapped, min_count=0).as_py():
        return texts
    inner = [_said(text) for text in texts.filter(wrapped).to_pylist()]
    return pc.replace_with_mask(texts, wrapped, pa.array(inner, pa.large_string()))


def _said(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return "\n".join(_strings(value))


def _strings(value: object) -> Iterator[str]:
    """The texts and numbers in it, in order; JSON that was read is never deeper than Python's limit."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _MARKS:
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield str(value)
