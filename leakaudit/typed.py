"""Plain values (of a TOML file, an environment variable, an option) read by the type hints of a dataclass.

A setting is declared once, as a field with a type; what may stand in a file, how it is written in the environment, and
what its JSON Schema says follow from the hint.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from leakaudit.errors import ConfigError

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands: keys, and positions in lists."""

Hint: TypeAlias = Any
"""A type hint; they have no type in common."""

Value: TypeAlias = Any
"""What a setting can hold: whatever its hint says."""

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class WrongValue(ConfigError):  # noqa: N818  reads as what it is: the value is wrong
    """A value that its hint does not allow.

    Parameters
    ----------
    at : tuple of str or int
        Where it stands.
    message : str
        What is wrong, without the place.
    """

    def __init__(self, at: Place, message: str) -> None:
        super().__init__(f"{dotted(at)}: {message}" if at else message)
        self.at = at
        self.message = message


class Text(str):
    """A value as an environment variable or an option holds it, still to be read by its type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Range:
    """Limits of a number, both allowed: ``Annotated[float, Range(0, 1)]``."""

    least: float | None = None
    most: float | None = None


def hints_of(cls: type) -> dict[str, Any]:
    """Field name to type hint, `Range` and the like kept."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def origin_of(hint: object) -> Value:
    """``tuple`` of ``tuple[str, ...]``; None of a plain class."""
    return get_origin(hint)


def taken_apart(hint: Hint) -> tuple[Hint, Range, bool]:
    """The hint without ``Annotated`` and ``None``; its limits; whether None is allowed.

    >>> taken_apart(Annotated[int, Range(1)] | None)
    (<class 'int'>, Range(least=1, most=None), True)
    """
    limits, optional = Range(), False
    while True:
        if origin_of(hint) is Annotated:
            hint, *extras = get_args(hint)
            limits = next((extra for extra in extras if isinstance(extra, Range)), limits)
        elif origin_of(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
            optional = True
            rest = tuple(arg for arg in get_args(hint) if arg is not type(None))
            hint = rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007  built from a tuple
        else:
            return hint, limits, optional


def key_of(name: str) -> str:
    """A field as a file writes it: ``fail_on`` is ``fail-on``."""
    return name.replace("_", "-")


def dotted(at: Place) -> str:
    """``overrides[2].paths``, counted from 1 as people count."""
    said = ""
    for part in at:
        word = f"[{part + 1}]" if isinstance(part, int) else part if len(part) <= 60 else f"{part[:57]}…"
        said += f".{word}" if said and isinstance(part, str) else word
    return said


def did_you_mean(word: str, known: list[str]) -> str:
    """``; did you mean 'fail-on'?``, or nothing where no known word is near.

    >>> did_you_mean("fail_on", ["fail-on", "select"])
    "; did you mean 'fail-on'?"
    """
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower()[:100], by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def shown(value: object) -> str:
    """A value in a message: never longer than a line can bear."""
    try:
        text = repr(str(value) if isinstance(value, Text) else value)
    except ValueError:  # an integer of more digits than Python cares to print
        return "of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}…"


# --- what a hint means ----------------------------------------------------------------------------------------


def described(hint: Hint) -> str:
    """What is expected, in words."""
    inner, limits, _ = taken_apart(hint)
    origin, args = origin_of(inner), get_args(inner)
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if inner in (int, float):
        least, most = limits.least, limits.most
        number = "a whole number" if inner is int else "a number"
        if least is not None and most is not None:
            return f"{number} from {least:g} to {most:g}"
        return f"{number} of at least {least:g}" if least is not None else number
    if origin is tuple:
        return f"a list of {_PLURALS.get(args[0], 'values')}"
    if origin is not None and issubclass(origin, Mapping):
        return "a table"
    return {bool: "true or false", str: "a text", Path: "a path"}.get(inner, "a table")


_PLURALS: Mapping[Any, str] = {str: "texts", int: "whole numbers", float: "numbers"}


def has_text_form(hint: Hint) -> bool:
    """Whether an environment variable can hold it: lists of tables cannot be written in one."""
    inner, _, _ = taken_apart(hint)
    return not (is_dataclass(inner) or (origin_of(inner) is tuple and is_dataclass(get_args(inner)[0])))


# --- reading --------------------------------------------------------------------------------------------------


def read(value: Value, hint: Hint, at: Place = ()) -> Value:
    """The value as its hint says.

    Parameters
    ----------
    value : object
        As a TOML file gives it, or `Text`.
    hint : type
        bool, int, float, str, Path, a ``Literal``, a tuple, a mapping with text keys, a dataclass, any of them with
        ``| None`` or `Range`.
    at : tuple of str or int
        Where it stands, for the message.

    Raises
    ------
    WrongValue
        Another type, a number beyond its limits, an unknown key, a missing one.
    """
    inner, _, _ = taken_apart(hint)
    if inner is Any:
        return value
    if isinstance(value, Text):
        value = _from_text(value, hint, at)
    if origin_of(inner) is Literal:
        return _literal(value, get_args(inner), at)
    if inner in (int, float):
        return _number(value, hint, at)
    if origin_of(inner) is not None or is_dataclass(inner):
        return _many(value, hint, at)
    _expect(isinstance(value, str if inner in (str, Path) else inner), value, hint, at)
    if inner in (str, Path) and "\0" in value:
        raise WrongValue(at, "a text with a NUL character means nothing here")
    return inner(value)


def _many(value: Value, hint: Hint, at: Place) -> Value:
    inner, _, _ = taken_apart(hint)
    args = get_args(inner)
    if origin_of(inner) is tuple:
        _expect(isinstance(value, list | tuple), value, hint, at)
        return tuple(read(each, args[0], (*at, place)) for place, each in enumerate(value))
    _expect(isinstance(value, Mapping), value, hint, at)
    if is_dataclass(inner):
        return _record(value, inner, at)
    return {key: read(each, args[1], (*at, key)) for key, each in value.items()}


def _expect(right: bool, value: object, hint: Hint, at: Place) -> None:
    if not right:
        raise WrongValue(at, f"must be {described(hint)}, not {_kind(value)}")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    names = {int: "the number ", float: "the number ", str: "the text ", dict: "a table", list: "a list"}
    name = names.get(type(value), "")
    return name if isinstance(value, dict | list) else f"{name}{shown(value)}"


def _literal(value: object, allowed: tuple[object, ...], at: Place) -> object:
    for each in allowed:
        if type(value) is type(each) and value == each:
            return each
    hint = did_you_mean(str(value), [str(each) for each in allowed])
    raise WrongValue(at, f"must be one of {', '.join(map(str, allowed))}, not {_kind(value)}{hint}")


def _number(value: Value, hint: Hint, at: Place) -> int | float:
    inner, limits, _ = taken_apart(hint)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _expect(is_number and (inner is float or isinstance(value, int)), value, hint, at)
    number: int | float = value
    if inner is int:
        _expect(abs(value) < 1 << 63, value, hint, at)
    if inner is float:
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    beyond = (limits.least is not None and value < limits.least) or (limits.most is not None and value > limits.most)
    _expect(not beyond and (not isinstance(number, float) or math.isfinite(number)), value, hint, at)
    return number


def _record(value: Mapping[str, Any], cls: Value, at: Place) -> Value:
    hints = {key_of(name): hint for name, hint in hints_of(cls).items()}
    for key in value:
        if key not in hints:
            raise WrongValue((*at, key), f"unknown key{did_you_mean(key, list(hints))}")
    for field in fields(cls):
        if field.default is MISSING and field.default_factory is MISSING and key_of(field.name) not in value:
            raise WrongValue(at, f"the key {key_of(field.name)!r} is missing")
    return cls(**{key.replace("-", "_"): read(each, hints[key], (*at, key)) for key, each in value.items()})


# --- text -----------------------------------------------------------------------------------------------------


def _from_text(text: Text, hint: Hint, at: Place) -> Value:
    """``true``, ``8``, ``LA1,LA2``, ``part1=train,part2=val``, ``LA103.candidates=8``: as a file would give them."""
    inner, _, _ = taken_apart(hint)
    word = text.strip()
    if inner is bool:
        if word.lower() in (*_YES, *_NO):
            return word.lower() in _YES
        raise WrongValue(at, f"must be true or false, not {shown(text)}")
    if inner in (int, float):
        try:
            return inner(word)
        except ValueError:
            raise WrongValue(at, f"must be {described(hint)}, not {shown(text)}") from None
    if origin_of(inner) is tuple:
        return [Text(part.strip()) for part in text.split(",") if part.strip()]
    if origin_of(inner) is not None and origin_of(inner) is not Literal:
        return _table(text, at, nested=get_args(inner)[1] is not str)
    return str(text)


def _table(text: str, at: Place, *, nested: bool) -> dict[str, Any]:
    """``a=1,b=2`` as a table; with `nested`, dots before the ``=`` open a table inside."""
    table: dict[str, Any] = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        key, equals, value = part.rpartition("=")
        if not equals or not key.strip():
            raise WrongValue(at, f"{shown(part)} is not NAME=VALUE")
        *outer, last = (word.strip() for word in (key.split(".") if nested else [key]))
        inner = table
        for word in outer:
            inner = inner.setdefault(word, {})
            if not isinstance(inner, dict):
                raise WrongValue(at, f"{shown(part)}: {word!r} already has a value")
        inner[last] = Text(value.strip())
    return table
