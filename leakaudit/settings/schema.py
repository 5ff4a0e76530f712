"""The JSON Schema of configuration files, made from the declarations, for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from leakaudit.checks import CHECKS
from leakaudit.checks.parameters import hint_of
from leakaudit.settings.declared import field_docs, settings
from leakaudit.typed import Hint, Value, hints_of, key_of, origin_of, taken_apart

FILE_NAME = "leakaudit-config-1.json"
"""In this package, and in ``docs/schema`` of the repository."""

CODES = ("select", "ignore", "require")


def config_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``leakaudit.toml`` and of the table ``[tool.leakaudit]``.

    What is wrong for the schema is wrong for leakaudit; not the other way round, as codes are also checked against the
    checks there are, and texts against their meaning.
    """
    declared = {setting.key: {"$ref": f"#/$defs/{setting.key}"} for setting in settings()}
    paths = {
        "description": "What is audited, relative to this file: a folder, a manifest, split files, or name=path pairs.",
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
    }
    dataset = {
        "description": "One data set: its paths, and settings that go over those at the top.",
        "type": "object",
        "properties": {"paths": paths, **declared},
        "required": ["paths"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:leakaudit:config:1",
        "title": "leakaudit configuration",
        "description": "leakaudit.toml, or the table [tool.leakaudit] of pyproject.toml.",
        "type": "object",
        "properties": {
            **declared,
            "datasets": {
                "description": "Named data sets, for `leakaudit scan` without a path and `--dataset NAME`.",
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
                "additionalProperties": {"$ref": "#/$defs/a-data-set"},
            },
        },
        "additionalProperties": False,
        "$defs": {**{setting.key: _setting(setting.name) for setting in settings()}, "a-data-set": dataset},
    }


def schema_text() -> str:
    """`config_schema` as the committed file holds it."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _setting(name: str) -> dict[str, Any]:
    setting = next(setting for setting in settings() if setting.name == name)
    body = _checks() if name == "checks" else _of(setting.hint, name)
    said: dict[str, Any] = {"description": setting.doc} if setting.doc else {}
    is_plain = isinstance(setting.default, bool | int | float | str)
    return {**said, **body, **({"default": setting.default} if is_plain else {})}


def _checks() -> dict[str, Any]:
    tables = {
        check.code: {"description": f"{check.slug}: {check.info.title}.", **_parameters(check.params)}
        for check in (listed.load() for listed in CHECKS)
        if fields(check.params)
    }
    return {"type": "object", "properties": tables, "additionalProperties": False}


def _parameters(params: Value) -> dict[str, Any]:
    docs = field_docs(type(params))
    properties = {}
    for field in fields(params):
        current = getattr(params, field.name)
        said = {"description": docs[field.name]} if docs.get(field.name) else {}
        if is_dataclass(current):
            properties[field.name] = {**said, **_parameters(current)}
        else:
            plain = {"default": current} if isinstance(current, bool | int | float | str) else {}
            properties[field.name] = {**said, **_of(hint_of(params, field.name)), **plain}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _of(hint: Hint, name: str = "") -> dict[str, Any]:
    """What may stand where a type hint is; `name` is that of a setting."""
    inner, limits, _ = taken_apart(hint)
    origin, args = origin_of(inner), get_args(inner)
    if origin is Literal:
        return {"enum": list(args)}
    if inner in (int, float):
        found: dict[str, Any] = {"type": "integer" if inner is int else "number"}
        bounds = {"minimum": limits.least, "maximum": limits.most}
        return found | {key: bound for key, bound in bounds.items() if bound is not None}
    if origin is tuple:
        items = {"type": "string", "examples": [check.code for check in CHECKS]} if name in CODES else _of(args[0])
        return {"type": "array", "items": items}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(args[1])}
    if is_dataclass(inner):
        return _record(inner)
    named = {bool: "boolean", str: "string", Path: "string"}.get(inner)
    return {"type": named} if named else {}


def _record(cls: Value) -> dict[str, Any]:
    hints, docs = hints_of(cls), field_docs(cls)
    properties = {key_of(name): {"description": docs.get(name, ""), **_of(hint, name)} for name, hint in hints.items()}
    needed = [key_of(field.name) for field in fields(cls) if field.default is field.default_factory is MISSING]
    return {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }
