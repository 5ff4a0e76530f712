"""What stands in a configuration file: read, checked, and every value with its line."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leakaudit.errors import ConfigError
from leakaudit.settings.codes import read_code_setting
from leakaudit.settings.declared import by_key
from leakaudit.settings.lines import line_of, lines_of
from leakaudit.typed import Place, Value, WrongValue, did_you_mean, read, shown

NAME, PYPROJECT = "leakaudit.toml", "pyproject.toml"

MOST_BYTES = 1 << 20
"""A larger file is no configuration: nobody writes a megabyte of settings by hand."""

_TABLE: Place = ("tool", "leakaudit")
_DATASET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""What may become a part of a file name (``--html report.html`` writes ``report-NAME.html``) on every system."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it stands."""

    value: Value
    line: int


@dataclass(frozen=True, slots=True)
class NamedDataset:
    """A table ``[datasets.NAME]``.

    Parameters
    ----------
    paths : tuple of str
        As written; relative to the folder of the file.
    settings : mapping
        As in `ConfigFile`.
    """

    paths: tuple[str, ...]
    settings: Mapping[Place, Given]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that was read; every value in it is valid.

    Parameters
    ----------
    path : Path
    settings : mapping of tuple to Given
        By field of `Config`, as ``("fail_on",)``; parameters of checks one by one, as
        ``("checks", "LA103", "candidates")``.
    datasets : mapping of str to NamedDataset
        In the order of the file.
    """

    path: Path
    settings: Mapping[Place, Given]
    datasets: Mapping[str, NamedDataset] = field(default_factory=dict)


def read_file(path: Path, *, or_none: bool = False) -> ConfigFile | None:
    """Read and check a whole file.

    Parameters
    ----------
    path : Path
        ``pyproject.toml`` (by its name), else a file like ``leakaudit.toml``.
    or_none : bool, default False
        None for a ``pyproject.toml`` that has no table for leakaudit, instead of an error.

    Raises
    ------
    ConfigError
        Unreadable, no TOML, an unknown key, a wrong type: one line with file, line and the nearest known key.
    """
    in_pyproject = path.name == PYPROJECT
    raw = _bytes(path)
    if or_none and b"leakaudit" not in raw:
        return None
    text = _text(path, raw)
    table: Value = _parsed(path, text)
    for key in _TABLE if in_pyproject else ():
        inner = table.get(key) if isinstance(table, dict) else None
        if inner is None:
            if or_none:
                return None
            raise ConfigError(f"{path}: there is no table [tool.leakaudit] in it")
        table = inner
    lines = _Lines(text, _TABLE if in_pyproject else ())
    try:
        return ConfigFile(path, _settings(table, (), lines, "datasets"), _datasets(table, lines))
    except WrongValue as error:
        raise ConfigError(f"{path}:{lines[error.at]}: {error}") from error


class _Lines:
    """Lines by place in our table; the text is cut up when one is first asked for."""

    def __init__(self, text: str, table: Place) -> None:
        self._text, self._table = text, table
        self._lines: dict[Place, int] | None = None

    def __getitem__(self, at: Place) -> int:
        if self._lines is None:
            self._lines = lines_of(self._text)
        return line_of(self._lines, (*self._table, *at))


def _bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for a writer
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe or device"
            raise ConfigError(f"{path}: {what}, not a file (--no-config does without)")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError(f"{path}: cannot be read: {reason} (--no-config does without)") from error
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{path}: more than a megabyte is no configuration")
    return raw


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8, which TOML is written in") from error


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error
    except ValueError as error:
        said = re.fullmatch(r"(.*?) \(at (?:line (\d+), column \d+|end of document)\)", str(error), flags=re.DOTALL)
        line = said[2] if said and said[2] else str(text.count("\n") + (not text.endswith("\n")))
        reason = (said[1] if said else str(error)).rstrip(".")
        raise ConfigError(f"{path}:{line}: no valid TOML: {reason[:1].lower()}{reason[1:]}") from error


def _settings(table: Value, at: Place, lines: _Lines, *beside: str) -> dict[Place, Given]:
    """All settings of a table; `beside` are further keys that it may have."""
    if not isinstance(table, dict):
        raise WrongValue(at, "must be a table")
    known = by_key()
    found: dict[Place, Given] = {}
    for key, value in table.items():
        here = (*at, key)
        if key in beside:
            continue
        if key not in known:
            raise WrongValue(here, f"unknown key{did_you_mean(key, [*known, *beside])}")
        setting = known[key]
        whole = read_code_setting(setting.name, read(value, setting.hint, here), here)
        for inner, each in _one_by_one((setting.name,), whole):
            found[inner] = Given(each, lines[(*at, key, *inner[1:])])
    return found


def _one_by_one(name: Place, value: Value) -> Iterator[tuple[Place, Any]]:
    """Parameters of checks each on its own, because each may come from elsewhere; any other value whole."""
    if name[0] == "checks" and isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _one_by_one((*name, key), inner)
    else:
        yield name, value


def _datasets(table: Value, lines: _Lines) -> dict[str, NamedDataset]:
    datasets = table.get("datasets", {})
    if not isinstance(datasets, dict):
        raise WrongValue(("datasets",), "must be tables, one for each data set: [datasets.NAME]")
    found = {}
    for name, inner in datasets.items():
        at: Place = ("datasets", name)
        if not _DATASET_NAME.fullmatch(name):
            raise WrongValue(
                at, f"{shown(name)} is no name for a data set: letters, digits, '-', '_' and '.', at most 64"
            )
        settings = _settings(inner, at, lines, "paths")
        paths = read(inner.get("paths", ()), tuple[str, ...], (*at, "paths"))
        if not paths or not all(paths):
            raise WrongValue(at, "the key 'paths' must name at least one path")
        found[name] = NamedDataset(paths, settings)
    return found
