"""From what a scan was told to the audits to run: which paths, with which settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leakaudit.accepted import FILE_NAME as ACCEPTED_NAME
from leakaudit.errors import ConfigError, InputError
from leakaudit.settings.config_file import NAME, ConfigFile, read_file
from leakaudit.settings.effective import Effective, Source, effective
from leakaudit.settings.finding import find, paths_of, same_paths
from leakaudit.typed import Value


@dataclass(frozen=True, slots=True)
class Job:
    """One audit: the data set's name in the file (or None), its paths, its settings."""

    name: str | None
    paths: tuple[str, ...]
    effective: Effective


def plan(
    paths: Sequence[str] = (),
    datasets: Sequence[str] = (),
    *,
    config_file: Path | None = None,
    use_file: bool = True,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, tuple[str, Value]] | None = None,
) -> tuple[Job, ...]:
    """What to audit.

    Parameters
    ----------
    paths : sequence of str
        As given. Empty: the data sets of the file, all of them or those named. Where the paths are those of one data
        set of the file, its settings hold.
    datasets : sequence of str
        Names in the file; exclude `paths`.
    config_file : Path, optional
        Default: searched for, upward from the paths, else from the current folder.
    use_file : bool, default True
        False: no file is read.
    environ, options
        As in `leakaudit.settings.effective.effective`.

    Raises
    ------
    InputError
        Neither paths nor a file that names data sets.
    ConfigError
        Both paths and names, an unknown name, or anything wrong in the file, the environment or the options.
    """
    if paths and datasets:
        raise ConfigError("give either paths or --dataset, not both")
    file = (read_file(config_file) if config_file else find(paths)) if use_file else None
    if paths:
        return (_given(tuple(paths), file, environ, options),)
    if file is None or not file.datasets:
        lacking = f"{file.path} names no data sets ([datasets.NAME])" if file else f"no {NAME} was found here or above"
        raise InputError(f"no PATH given, and {lacking}: name a folder, a manifest, or split files")
    names = dict.fromkeys(datasets or file.datasets)
    settled = [_settled(file, name, environ, options) for name in names]  # first: a name may be unknown
    return tuple(Job(name, paths_of(file, name), each) for name, each in zip(names, settled, strict=True))


def _given(
    paths: tuple[str, ...],
    file: ConfigFile | None,
    environ: Mapping[str, str] | None,
    options: Mapping[str, tuple[str, Value]] | None,
) -> Job:
    names = [name for name in file.datasets if same_paths(paths_of(file, name), paths)] if file else []
    name = names[0] if len(names) == 1 else None
    return Job(name, paths, _settled(file, name, environ, options))


def _settled(
    file: ConfigFile | None,
    name: str | None,
    environ: Mapping[str, str] | None,
    options: Mapping[str, tuple[str, Value]] | None,
) -> Effective:
    """As `effective`; an accepted-findings file of the usual name in the current folder counts without being named."""
    found = effective(file, name, environ, options)
    usual = Path(ACCEPTED_NAME)
    if found.config.accepted is not None or not usual.is_file():
        return found
    sources = {**found.sources, ("accepted",): Source("file", f"{ACCEPTED_NAME} is in the current folder")}
    return replace(found, config=replace(found.config, accepted=usual), sources=sources)


def settings_in_force(
    paths: Sequence[str] = (),
    datasets: Sequence[str] = (),
    *,
    config_file: Path | None = None,
    use_file: bool = True,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, tuple[str, Value]] | None = None,
) -> tuple[Effective, ...]:
    """The settings that `plan` would use; with neither paths nor names, those at the top of the file."""
    if paths or datasets:
        jobs = plan(paths, datasets, config_file=config_file, use_file=use_file, environ=environ, options=options)
        return tuple(job.effective for job in jobs)
    file = (read_file(config_file) if config_file else find(())) if use_file else None
    return (_settled(file, None, environ, options),)
