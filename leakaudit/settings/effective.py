"""The settings in force, and where each comes from: options over environment over file over defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from leakaudit.config import Config
from leakaudit.errors import ConfigError
from leakaudit.settings.codes import read_code_setting
from leakaudit.settings.config_file import ConfigFile
from leakaudit.settings.declared import ENV_ALIASES, ENV_OTHERS, PREFIX, settings
from leakaudit.typed import Place, Text, Value, WrongValue, did_you_mean, read

Origin = Literal["default", "file", "environment", "option"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from.

    Parameters
    ----------
    origin : {"default", "file", "environment", "option"}
    where : str
        ``leakaudit.toml:3``, ``LEAKAUDIT_FAIL_ON``, ``--fail-on``; empty for defaults.
    """

    origin: Origin
    where: str = ""


@dataclass(frozen=True, slots=True)
class Effective:
    """The settings of one audit.

    Parameters
    ----------
    config : Config
    sources : mapping of tuple to Source
        By field, as ``("fail_on",)``; parameters of checks one by one, as ``("checks", "LA103", "candidates")``.
    file : ConfigFile or None
        That was read.
    dataset : str or None
        Name in the file.
    """

    config: Config
    sources: Mapping[Place, Source]
    file: ConfigFile | None = None
    dataset: str | None = None

    def value(self, at: Place) -> Value:
        """The value of a place of `sources`."""
        found: Any = getattr(self.config, str(at[0]))
        for key in at[1:]:
            found = found[key]
        return found


def effective(
    file: ConfigFile | None = None,
    dataset: str | None = None,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, tuple[str, Any]] | None = None,
) -> Effective:
    """Put the settings together.

    Parameters
    ----------
    file : ConfigFile, optional
    dataset : str, optional
        A data set of the file: its settings go over those at the top of the file, key by key.
    environ : mapping of str to str, optional
        ``os.environ``; None: no variable is looked at.
    options : mapping of field to (option, value), optional
        What the command line says, such as ``{"fail_on": ("--fail-on", "warning")}``.

    Raises
    ------
    ConfigError
        A variable or option with a wrong value.
    """
    found: dict[Place, tuple[Any, Source]] = {
        (setting.name,): (setting.default, Source("default")) for setting in settings() if setting.name != "checks"
    }
    found |= _of_file(file, dataset)
    found |= _of_environment(environ or {})
    for name, (option, value) in (options or {}).items():
        found |= _flat(name, value, Source("option", option))
    config = Config(**_nested({at: value for at, (value, _) in found.items()}))
    return Effective(config, {at: source for at, (_, source) in found.items()}, file, dataset)


def unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that looks like a misspelt setting; others may belong to somebody else."""
    names = [setting.env for setting in settings() if setting.env] + [*ENV_ALIASES, *ENV_OTHERS]
    known = [name.removeprefix(PREFIX) for name in names]
    for name in sorted(environ):
        word = name.removeprefix(PREFIX)
        if word != name and word not in known and (near := did_you_mean(word, known)):
            yield f"the environment variable {name} is no setting and has no effect (after {PREFIX}{near[1:]})"


def _of_file(file: ConfigFile | None, dataset: str | None) -> dict[Place, tuple[Any, Source]]:
    if file is None:
        return {}
    given = dict(file.settings)
    if dataset is not None:
        if dataset not in file.datasets:
            hint = did_you_mean(dataset, list(file.datasets)) or f" (it has: {', '.join(file.datasets) or 'none'})"
            raise ConfigError(f"{file.path}: there is no data set {dataset!r}{hint}")
        given |= file.datasets[dataset].settings
    found = {}
    for at, each in given.items():
        value = each.value
        if isinstance(value, Path):
            value = file.path.parent / value.expanduser()
        found[at] = (value, Source("file", f"{file.path}:{each.line}"))
    return found


def _of_environment(environ: Mapping[str, str]) -> dict[Place, tuple[Any, Source]]:
    """An empty variable is as good as none."""
    aliases = {known: alias for alias, known in ENV_ALIASES.items()}
    found: dict[Place, tuple[Any, Source]] = {}
    for setting in settings():
        names = [name for name in (setting.env, aliases.get(setting.env or "")) if name and environ.get(name)]
        if names:
            found |= _read_text(setting.name, environ[names[0]], Source("environment", names[0]))
    return found


def from_option(name: str, option: str, text: str) -> Value:
    """The value of a setting as an option spells it out, ``LA103.candidates=8``. Raises `ConfigError`."""
    flat = _read_text(name, text, Source("option", option))
    return _nested({at: value for at, (value, _) in flat.items()}).get(name, {})


def _read_text(name: str, text: str, source: Source) -> dict[Place, tuple[Any, Source]]:
    setting = next(setting for setting in settings() if setting.name == name)
    try:
        value = read_code_setting(name, read(Text(text), setting.hint), ())
    except WrongValue as error:
        raise ConfigError(f"{source.where}: {error}") from error
    return _flat(name, value, source)


def _flat(name: str, value: Value, source: Source) -> dict[Place, tuple[Any, Source]]:
    def leaves(at: Place, inner: Value) -> Iterator[tuple[Place, Any]]:
        if at[0] == "checks" and isinstance(inner, Mapping):
            for key, each in inner.items():
                yield from leaves((*at, key), each)
        else:
            yield at, inner

    return {at: (each, source) for at, each in leaves((name,), value)}


def _nested(flat: Mapping[Place, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for at, value in flat.items():
        inner = values
        for key in at[:-1]:
            inner = inner.setdefault(str(key), {})
        inner[str(at[-1])] = value
    return values


def load_config(path: str | Path, dataset: str | None = None, **named: Any) -> Config:
    """The settings of a configuration file, for `leakaudit.audit`, which reads none by itself.

    Parameters
    ----------
    path : str or Path
        The file; or the data (a folder, or any other file), to find the one that belongs to them.
    dataset : str, optional
        A data set of the file, ``[datasets.NAME]``.
    **named
        Fields of `Config` that go over the file.

    Raises
    ------
    ConfigError
        No file found, an unreadable one, a wrong key or value in it. The environment is not looked at.

    Examples
    --------
    >>> config = load_config("leakaudit.toml")                  # doctest: +SKIP
    >>> report = leakaudit.audit("data/", config=config)        # doctest: +SKIP
    """
    from leakaudit.settings.config_file import NAME, read_file
    from leakaudit.settings.finding import find

    path = Path(path)
    is_config = path.suffix == ".toml" and not path.is_dir()
    file = read_file(path) if is_config else find([path])
    if file is None:
        raise ConfigError(f"{path}: no {NAME} found there or in the folders above")
    return replace(effective(file, dataset).config, **named)
