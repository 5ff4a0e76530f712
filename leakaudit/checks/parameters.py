"""Parameters of a check that the user set, instead of its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Annotated, Any

from leakaudit.checks.base import Check
from leakaudit.typed import Hint, Place, Range, Value, WrongValue, did_you_mean, hints_of, read, shown


def with_parameters(check: Check, given: Mapping[str, Any], at: Place = ()) -> Value:
    """The check's `Params` with some of them changed.

    Parameters
    ----------
    check : Check
    given : mapping of str to object
        By name, as in the check's documentation; a table of parameters within them (``blank`` of LA004) is a mapping.
    at : tuple of str or int
        Where they stand, for the message.

    Raises
    ------
    WrongValue
        An unknown name, a wrong type, a number of the wrong sign.
    """
    return _changed(check.params, given, at)


def as_read(check: Check, given: Mapping[str, Any], at: Place = ()) -> dict[str, Any]:
    """Only what was given, each value read by its type. Raises as `with_parameters`."""
    return _picked(_changed(check.params, given, at), given)


def hint_of(params: Value, name: str) -> Hint:
    """Type hint of a parameter, with all that its default says about its range.

    A number that is not negative may not become so, and a count of at least one may not become zero.
    """
    hint, default = hints_of(type(params))[name], getattr(params, name)
    if isinstance(default, bool) or not isinstance(default, int | float) or default < 0:
        return hint
    return Annotated[hint, Range(1 if isinstance(default, int) and default >= 1 else 0)]


def _changed(params: Value, given: object, at: Place) -> Value:
    if not isinstance(given, Mapping):
        raise WrongValue(at, f"must be a table of parameters, not {shown(given)}")
    known = [field.name for field in fields(params)]
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            said = did_you_mean(name, known) or f" ({', '.join(known)})"
            raise WrongValue((*at, name), f"there is no parameter {shown(name)}{said}")
        current = getattr(params, name)
        here = (*at, name)
        values[name] = (
            _changed(current, value, here) if is_dataclass(current) else read(value, hint_of(params, name), here)
        )
    return replace(params, **values)


def _picked(params: Value, given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _picked(getattr(params, name), value) if isinstance(value, Mapping) else getattr(params, name)
        for name, value in given.items()
    }
