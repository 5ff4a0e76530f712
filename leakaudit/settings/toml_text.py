"""Values as TOML writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

from leakaudit.typed import key_of

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml(value: object) -> str:
    """One line of TOML that reads back as the value; dataclasses become tables, None inside of them is left out.

    >>> toml(("LA1", 'say "x"')), toml({"part 1": "train"}), toml(0.001), toml(True)
    ('["LA1", "say \\\\"x\\\\""]', '{ "part 1" = "train" }', '0.001', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if is_dataclass(value) and not isinstance(value, type):
        held = {key_of(field.name): getattr(value, field.name) for field in fields(value)}
        return toml({key: each for key, each in held.items() if each is not None and each != ()})
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_key(str(key))} = {toml(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    return _quoted(value.as_posix() if isinstance(value, Path) else str(value))


def toml_key(key: str) -> str:
    """A key, quoted where it must be."""
    return key if _BARE.fullmatch(key) else _quoted(key)


def comment(text: str) -> str:
    """Text of others as it may stand in a comment: one line without control characters."""
    return "".join(character if character.isprintable() else _escape(character) for character in " ".join(text.split()))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(character if character.isprintable() else _escape(character) for character in escaped)}"'


def _escape(character: str) -> str:
    code = ord(character)
    if 0xD800 <= code < 0xE000:  # half of a pair: no text in UTF-8 holds one
        return f"\\\\u{code:04x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
