"""The few keys of a YOLO ``data.yaml`` that matter, without a YAML library: a strict reader of a small part of YAML.

Scalars, lists and maps of scalars, in brackets or one a line; anything else (anchors, tags, nested maps) is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KEYS = ("path", "train", "val", "valid", "validation", "test", "names", "nc")


@dataclass(frozen=True, slots=True)
class DataYaml:
    """What a ``data.yaml`` says.

    Parameters
    ----------
    path : str
        What the paths are relative to, as told; "" where it is not.
    splits : dict of str to tuple of str
        Folders or lists of ``train``, ``val`` and ``test``.
    names : dict of str to str
        Class number to name.
    """

    path: str = ""
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


def parse_data_yaml(text: str) -> DataYaml | None:
    """Read the keys that say splits and classes; None where there are neither.

    >>> parse_data_yaml("train: ../train/images\\nval: [a, b]\\nnames:\\n  0: dog\\n  1: 'red cat' # a comment\\n")
    DataYaml(path='', splits={'train': ('../train/images',), 'val': ('a', 'b')}, names={'0': 'dog', '1': 'red cat'})
    """
    values = _top_level(text)
    names = values.get("names", [])
    splits: dict[str, tuple[str, ...]] = {}
    for key in ("train", "val", "valid", "validation", "test"):
        told = tuple(value for _, value in values.get(key, []) if value and value.lower() not in ("null", "~"))
        if told:
            splits.setdefault("val" if key.startswith("val") else key, told)
    if not splits or not (names or "nc" in values):
        return None
    path = next((value for _, value in values.get("path", [])), "")
    return DataYaml(path, splits, {key or str(at): value for at, (key, value) in enumerate(names) if value})


def _top_level(text: str) -> dict[str, list[tuple[str, str]]]:
    """Keys at the margin, each with its (key, value) entries; a scalar is one entry without a key."""
    found: dict[str, list[tuple[str, str]]] = {}
    current: list[tuple[str, str]] | None = None
    open_bracket = ""
    for raw in text.splitlines():
        line = _without_comment(raw)
        if open_bracket:
            open_bracket += " " + line.strip()
            if current is not None and _closed(open_bracket):
                current += _inline(open_bracket)
                open_bracket = ""
            continue
        if not line.strip() or line.strip() == "---":
            continue
        at_margin = re.match(r"([A-Za-z_]\w*)\s*:\s*(.*)$", line)
        if at_margin:
            current = found.setdefault(at_margin[1], []) if at_margin[1] in KEYS else None
            value = at_margin[2].strip()
            if current is not None and value[:1] in ("[", "{") and not _closed(value):
                open_bracket = value
            elif current is not None and value:
                current += _inline(value)
        elif current is not None:
            entry = re.match(r"\s*-\s*(.*)$", line)
            keyed = re.match(r"\s+(['\"]?)(\w+)\1\s*:\s*(.+)$", line)
            if entry:
                current.append(("", _scalar(entry[1])))
            elif keyed:
                current.append((keyed[2], _scalar(keyed[3])))
    return found


def _without_comment(line: str) -> str:
    """A line up to a ``#`` that stands at its beginning or behind a blank, outside of quotes."""
    quote = ""
    for at, character in enumerate(line):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and (at == 0 or line[at - 1] in " [{,:"):
            quote = character
        elif character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def _closed(value: str) -> bool:
    return value.rstrip().endswith("]" if value.startswith("[") else "}")


def _inline(value: str) -> list[tuple[str, str]]:
    if value[:1] not in ("[", "{"):
        return [("", _scalar(value))]
    entries = re.findall(r"""\s*(?:(['"]?)(\w+)\1\s*:\s*)?("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,\]}]+)""", value[1:])
    is_map = value.startswith("{")
    return [(key if is_map else "", _scalar(told)) for _, key, told in entries if told.strip()]


def _scalar(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace("''", "'") if value[0] == "'" else value[1:-1].replace('\\"', '"')
    return value
