"""Settings that name checks: their codes must exist, and the parameters must be the check's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leakaudit.config import Override
from leakaudit.typed import Place, Value, WrongValue, did_you_mean, shown

_PREFIXES = ("select", "ignore")


def read_code_setting(name: str, value: Value, at: Place) -> Value:
    """The value of a setting, its codes in capitals; settings that name no check are given back as they are.

    Parameters
    ----------
    name : str
        Field of `Config`.
    value : object
        Of the field's type.
    at : tuple of str or int
        Where it stands, for the message.

    Raises
    ------
    WrongValue
        A code or prefix that no check has, or a parameter that the check lacks.
    """
    if not value:
        return value
    if name in _PREFIXES:
        return tuple(_prefix(code, (*at, place)) for place, code in enumerate(value))
    if name == "require":
        return tuple(_known(code.strip().upper(), (*at, place)) for place, code in enumerate(value))
    if name == "overrides":
        return tuple(_override(each, (*at, place)) for place, each in enumerate(value))
    if name == "checks":
        return _parameters(value, at)
    return value


def _prefix(code: str, at: Place) -> str:
    codes = _codes()
    prefix = code.strip().upper()
    if not prefix or not any(each.startswith(prefix) for each in codes):
        raise WrongValue(at, f"no check begins with {shown(code)}{did_you_mean(code, codes)}")
    return prefix


def _known(code: str, at: Place) -> str:
    codes = _codes()
    if code not in codes:
        raise WrongValue(at, f"there is no check {shown(code)}{did_you_mean(code, codes)}")
    return code


def _override(override: Override, at: Place) -> Override:
    if not override.paths:
        raise WrongValue((*at, "paths"), "must name at least one glob")
    return replace(
        override, **{name: read_code_setting(name, getattr(override, name), (*at, name)) for name in _PREFIXES}
    )


def _parameters(value: Mapping[str, Mapping[str, Any]], at: Place) -> dict[str, dict[str, Any]]:
    from leakaudit.checks import CHECKS
    from leakaudit.checks.parameters import as_read

    by_code = {listed.code: listed for listed in CHECKS}
    return {
        code: as_read(by_code[_known(code, (*at, code))].load(), given, (*at, code)) for code, given in value.items()
    }


def _codes() -> list[str]:
    from leakaudit.checks import CHECKS

    return [check.code for check in CHECKS]
