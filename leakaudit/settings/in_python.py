"""Settings as a caller in Python gives them, and messages in the words that a caller in Python understands."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args

from leakaudit.config import Config
from leakaudit.errors import ConfigError, UserError
from leakaudit.typed import did_you_mean, hints_of, origin_of, read, taken_apart


def with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
    """The configuration with some fields set, each looked at as if a file had said it.

    Parameters
    ----------
    config : Config
    settings : mapping of str to object
        Names of fields to their values. A path may be a `Path`, a tuple a list, an override an `Override`.

    Raises
    ------
    ConfigError
        A value that the field cannot have.
    """
    hints = hints_of(Config)
    return replace(config, **{name: _value(value, hints[name], name) for name, value in settings.items()})


def _value(value: Any, hint: Any, name: str) -> Any:  # noqa: ANN401
    inner, _, optional = taken_apart(hint)
    if value is None and optional:
        return None
    if inner is Path and isinstance(value, os.PathLike):
        return Path(value)
    if origin_of(inner) is tuple and is_dataclass(get_args(inner)[0]) and isinstance(value, tuple | list):
        cls = get_args(inner)[0]
        return tuple(each if isinstance(each, cls) else read([each], hint, (name,))[0] for each in value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a number of NumPy
        value = value.item()
    return read(value, hint, (name,))


def misspelt(name: str) -> str | None:
    """The setting that is probably meant; None where no name is near."""
    known = [field.name for field in fields(Config)]
    hint = did_you_mean(name.replace("-", "_"), [*known, "config", "progress", "groups", "cv"])
    return hint.removeprefix("; did you mean ").removesuffix("?").strip("'") if hint else None


def in_python(error: UserError) -> UserError:
    """The same error, its options said as arguments: ``--label`` as ``label=…``."""
    said = translated(str(error))
    if said == str(error):
        return error
    new = type(error).__new__(type(error))
    new.__dict__.update(error.__dict__)
    new.args = (said,)
    return new


_ARGUMENTS = {
    "--within": "within=True",
    "--no-header": "header=False",
    "--header": "header=True",
    "--no-cache": "use_cache=False",
    "--ignore-column": "ignore_columns=…",
    "--keep-column": "keep_columns=…",
    "--split-name": "splits=…",
}
"""Options that are called otherwise as arguments."""

_OPTION = r"(?<![\w-])(?<!scan )--([a-z][a-z-]*[a-z])"


def translated(message: str) -> str:
    """A message with arguments in place of options.

    >>> translated("--label: there is no column 'q' (columns: a, b)")
    "label='q': there is no such column (columns: a, b)"
    >>> translated("name another (train=FILE test=FILE), say --split-column, or add --within")
    'name another (train=FILE test=FILE), say split_column=…, or add within=True'
    >>> translated("--layout split-files; map values (--split-name VALUE=val); --probe cpu needs none")
    "layout='split-files'; map values (splits={'VALUE': 'val'}); probe='cpu' needs none"
    """
    message = re.sub(
        rf"^{_OPTION}: there is no column ('[^']*'|\"[^\"]*\")",
        lambda found: f"{_named(found[1])}={found[2]}: there is no such column",
        message,
    )
    message = re.sub(r"--split-name ([^\s=;,)]+)=([\w-]+)", r"splits={'\1': '\2'}", message)
    message = re.sub(r"--(layout|probe|time-order) ((?!for\b|or\b|and\b|if\b|to\b)[a-z][a-z-]*)", _with_value, message)
    message = re.sub(rf"{_OPTION} ([A-Z]{{2,}})\b", _with_value, message)
    return re.sub(_OPTION, lambda found: _ARGUMENTS.get(found[0], f"{_named(found[1])}=…"), message)


def _with_value(found: re.Match[str]) -> str:
    argument = _ARGUMENTS.get(f"--{found[1]}", f"{_named(found[1])}=…").removesuffix("…")
    return f"{argument}'{found[2]}'"


def _named(option: str) -> str:
    return _ARGUMENTS.get(f"--{option}", option).removesuffix("=…").partition("=")[0].replace("-", "_")


def wrong_name(name: str) -> ConfigError:
    """What to say of a keyword that is neither a setting nor a split."""
    near = misspelt(name)
    hint = f"; did you mean {near!r}?" if near else ""
    return ConfigError(f"there is no setting {name!r}{hint} (a split of another name: {{'{name}': data, …}})")
