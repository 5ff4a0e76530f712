"""Objects and lists in cells as columns of their own, so that no braces and field names pass for a text.

An object becomes a column a field, with a dotted name (``answer.text``). A list of texts becomes one text, a line each.
A list of turns of a conversation (objects with a role and a content) becomes a column a role (``messages.user``), its
turns joined by newlines; a list of other objects becomes a column a field. A list of numbers stays one value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A value as JSON has it."""

MOST_FIELDS = 200
"""An object with more fields than this, over the records of the head, is a mapping from keys to values: it stays one
value. Records of real APIs stay below 100."""

DEEPEST = 20
"""Objects inside of each other that are followed."""

_ROLES = ("role", "from", "speaker")
_CONTENTS = ("content", "value", "text")


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns the records of a file become.

    Parameters
    ----------
    columns : tuple of str
    whole : frozenset of str
        Top-level fields that stay one value.
    """

    columns: tuple[str, ...]
    whole: frozenset[str] = frozenset()

    def flat(self, record: Mapping[str, Value]) -> dict[str, Value]:
        """A record by column. What a conversation says in a role that the head did not show joins its last column."""
        found = flatten(record, self.whole)
        unknown = [name for name in found if name not in self.columns]
        for name in unknown:
            siblings = [each for each in self.columns if each.rpartition(".")[0] == name.rpartition(".")[0]]
            if "." in name and siblings and isinstance(found[name], str) and _turn_keys(record.get(name.split(".")[0])):
                found[siblings[-1]] = "\n".join(filter(None, (found.get(siblings[-1]), found[name])))
        return {name: found.get(name) for name in self.columns}


def shape_of(records: Sequence[Mapping[str, Value]]) -> Shape | None:
    """How records are laid flat; None where all of their cells are plain values or lists of numbers."""
    if not any(needs_columns(value) for record in records for value in record.values()):
        return None
    fields: dict[str, set[str]] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, dict | list):
                fields.setdefault(key, set()).update(name for name, _ in _parts(key, value, 0))
    whole = frozenset(key for key, names in fields.items() if len(names) > MOST_FIELDS)
    return Shape(tuple(dict.fromkeys(name for record in records for name in flatten(record, whole))), whole)


def needs_columns(value: Value) -> bool:
    """Whether a cell is an object, or a list with a text or an object in it."""
    if isinstance(value, dict):
        return True
    return isinstance(value, list) and any(isinstance(each, str) or needs_columns(each) for each in value)


def flatten(record: Mapping[str, Value], whole: frozenset[str] = frozenset()) -> dict[str, Value]:
    """The cells of a record by dotted name.

    >>> flatten({"id": 1, "question": {"text": "why?"}, "box": [0.5, 1]})
    {'id': 1, 'question.text': 'why?', 'box': [0.5, 1]}
    >>> flatten({"messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "so"}]})
    {'messages.user': 'why?', 'messages.assistant': 'so'}
    """
    found: dict[str, Value] = {}
    for key, value in record.items():
        for name, cell in [(key, value)] if key in whole else _parts(key, value, 0):
            unique, number = name, 1
            while unique in found:  # {"a": {"b": 1}, "a.b": 2}
                number += 1
                unique = f"{name}_{number}"
            found[unique] = cell
    return found


def _parts(name: str, value: Value, depth: int) -> Iterator[tuple[str, Value]]:
    if depth > DEEPEST or not needs_columns(value):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _parts(f"{name}.{key}", each, depth + 1)
    elif all(isinstance(each, dict) for each in value if each is not None):
        yield from _objects(name, [each for each in value if each], depth)
    else:
        yield name, "\n".join(_texts(value, depth))


def _objects(name: str, items: Sequence[Mapping[str, Value]], depth: int) -> Iterator[tuple[str, Value]]:
    keys = _turn_keys(items)
    if keys is not None:
        role, content = keys
        said: dict[str, list[str]] = {}
        for item in items:
            said.setdefault(str(item.get(role)), []).extend(_texts(item.get(content), depth))
        yield from ((f"{name}.{who}", "\n".join(texts)) for who, texts in said.items())
        items = [{key: each for key, each in item.items() if key not in (role, content)} for item in items]
    for key in dict.fromkeys(key for item in items for key in item):
        yield from _parts(f"{name}.{key}", [item[key] for item in items if key in item], depth + 1)


def _turn_keys(items: Value) -> tuple[str, str] | None:
    """The fields that say who and what, where these are turns of a conversation."""
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        return None
    role = next((key for key in _ROLES if all(isinstance(item.get(key), str) for item in items)), None)
    content = next((key for key in _CONTENTS if all(key in item for item in items)), None)
    return None if role is None or content is None else (role, content)


def _texts(value: Value, depth: int) -> Iterator[str]:
    """What is said in a value, piece by piece."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth <= DEEPEST:
        is_part = isinstance(value.get("text"), str)  # {"type": "text", "text": "why?"}: the type is no text
        for key, each in value.items():
            if not (is_part and key == "type"):
                yield from _texts(each, depth + 1)
    elif isinstance(value, list) and depth <= DEEPEST:
        for each in value:
            yield from _texts(each, depth + 1)
    elif value is not None:
        yield json.dumps(value, default=str)
