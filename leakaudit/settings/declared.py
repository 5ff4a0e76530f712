"""The settings there are: one for every field of `Config`, with its names in files and in the environment."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any

from leakaudit.config import Config
from leakaudit.typed import Hint, has_text_form, hints_of, key_of

PREFIX = "LEAKAUDIT_"

ENV_ALIASES = {"LEAKAUDIT_CACHE": "LEAKAUDIT_CACHE_DIR"}
"""Second names; the first of the pair gives way where both are set."""

ENV_OTHERS = ("LEAKAUDIT_CONFIG", "LEAKAUDIT_DEBUG")
"""Variables that are no setting of an audit: which file to read, and whether a bug shows its traceback."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Parameters
    ----------
    name, key : str
        The field, ``fail_on``, and how a file writes it, ``fail-on``.
    env : str or None
        Environment variable; None where the value is a list of tables, which none can hold.
    hint : type
    default : object
    doc : str
        From the docstring of `Config`, one paragraph; empty under ``python -OO``.
    """

    name: str
    key: str
    env: str | None
    hint: Hint
    default: Any
    doc: str


@cache
def settings() -> tuple[Setting, ...]:
    """Every setting, in the order in which `Config` declares them."""
    hints, docs = hints_of(Config), field_docs(Config)
    return tuple(
        Setting(
            field.name,
            key_of(field.name),
            PREFIX + field.name.upper() if has_text_form(hints[field.name]) else None,
            hints[field.name],
            field.default if field.default_factory is MISSING else field.default_factory(),
            docs.get(field.name, ""),
        )
        for field in fields(Config)
    )


@cache
def by_key() -> dict[str, Setting]:
    """Settings by how a file writes them."""
    return {setting.key: setting for setting in settings()}


def field_docs(cls: type) -> dict[str, str]:
    """What the numpydoc *Parameters* section of a class says of each field, line breaks removed."""
    text = inspect.cleandoc(cls.__doc__ or "").partition("Parameters\n----------\n")[2]
    docs: dict[str, str] = {}
    for entry in re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]:
        head, _, body = entry.partition("\n")
        names, colon, _ = head.partition(" : ")
        if not colon:
            break
        docs |= dict.fromkeys((name.strip() for name in names.split(",")), " ".join(body.split()).replace("``", "`"))
    return docs
