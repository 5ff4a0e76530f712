"""The commented configuration that ``leakaudit init`` writes for a data set."""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from leakaudit.model import Dataset
from leakaudit.settings.effective import Effective
from leakaudit.settings.finding import common_folder, split_apart
from leakaudit.settings.toml_text import comment, toml
from leakaudit.typed import key_of

WIDTH = 100

_HEAD = """\
#:schema ./leakaudit.schema.json
# The line above is for editors; the file it names: leakaudit config --schema > leakaudit.schema.json
#
# Settings of leakaudit. Options go over the environment (LEAKAUDIT_FAIL_ON and the like), that goes over
# this file. `leakaudit config` shows what holds, and where each value comes from.

# The least severity that fails, exit code 1: error, warning, info, never.
fail-on = "error"

# Share of samples that may be unreadable before the audit counts as incomplete, exit code 4.
blind-tolerance = 0.001

# Checks by code or prefix (`leakaudit checks` lists them): only these; all but these.
# select = ["LA1"]
# ignore = ["LA003"]

# Checks that must come to a decision, else exit code 4.
# require = {require}

# Parameters of one check, as in `leakaudit explain {code}`.
# [checks.{code}]
# {parameter}

# Findings whose held-out samples all lie under these paths do not count for these checks.
# [[overrides]]
# paths = ["val/known/**"]
# ignore = ["{code}"]
"""

_EXAMPLES = {
    "image": {"require": '["LA101", "LA103"]', "code": "LA103", "parameter": "candidates = 16"},
    "slices": {"require": '["LA102", "LA103"]', "code": "LA103", "parameter": "candidates = 16"},
    "file": {"require": '["LA101"]', "code": "LA201", "parameter": "alpha = 0.05"},
    "table": {"require": '["LA104"]', "code": "LA201", "parameter": "alpha = 0.05"},
}


def starter(dataset: Dataset, paths: Sequence[str], folder: Path, told: Effective, name: str | None = None) -> str:
    """The text of the file.

    Parameters
    ----------
    dataset : Dataset
        As loaded from `paths`.
    paths : sequence of str
    folder : Path
        Where the file will be; the paths in it are relative to it.
    told : Effective
        What the user said; it is written as settings, and what was guessed as comments.
    name : str, optional
        Of the data set; default: after its folder.
    """
    are_files = dataset.samples is None or dataset.samples.are_files
    lines = [_HEAD.format(**_EXAMPLES[dataset.kind if are_files else "slices"])]
    lines.append(f"[datasets.{_name(name, paths)}]")
    lines.append(f"paths = {toml([_relative(path, folder) for path in paths])}")
    lines += textwrap.wrap(
        f"Recognised: {comment(dataset.layout.why)}.", WIDTH, initial_indent="# ", subsequent_indent="# "
    )
    settled = {str(at[0]) for at, source in told.sources.items() if source.origin == "option"}
    for key, value, why in _guesses(dataset):
        if key not in settled:
            lines.append(f"# {key_of(key)} = {toml(value)}  # {comment(why)}")
    lines += [f"{key_of(key)} = {toml(told.value((key,)))}" for key in sorted(settled - {"checks"})]
    return "\n".join(lines) + "\n"


def folder_for(paths: Sequence[str]) -> Path:
    """The folder beside the data; the current folder where the data are the current folder or around it."""
    here = Path.cwd()
    folder = Path(common_folder(paths))
    if here.is_relative_to(folder):
        return Path()
    single = split_apart(paths[0])[1]
    beside = folder.parent if len(paths) == 1 and Path(single).is_dir() else folder
    return beside.relative_to(here) if beside.is_relative_to(here) else beside


def _name(name: str | None, paths: Sequence[str]) -> str:
    raw = name or Path(common_folder(paths)).name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", raw)[:64].strip("-_") or "data"


def _relative(path: str, folder: Path) -> str:
    split, rest = split_apart(path)
    try:
        rest = os.path.relpath(rest, folder)
    except ValueError:  # another drive
        rest = str(Path(rest).absolute())
    return split + rest.replace(os.sep, "/")


def _guesses(dataset: Dataset) -> Iterator[tuple[str, object, str]]:
    """(field, value, how it is known)."""
    yield "layout", dataset.layout.name, "recognised at every scan; written, it is no longer guessed"
    yield "splits", {"part1": dataset.splits[0]}, f"where a name says no split; recognised: {_sizes(dataset)}"
    if dataset.samples is not None:
        yield from _guesses_of_pictures(dataset)
    else:
        yield from _guesses_of_rows(dataset)


def _sizes(dataset: Dataset) -> str:
    if dataset.samples is None:
        return ", ".join(dataset.splits)
    counts = [int((dataset.samples.split == at).sum()) for at in range(len(dataset.splits))]
    return ", ".join(f"{name} {count:,}" for name, count in zip(dataset.splits, counts, strict=True))


def _guesses_of_pictures(dataset: Dataset) -> Iterator[tuple[str, object, str]]:
    samples = dataset.samples
    assert samples is not None
    known = [name for name in ("label", "group", "time") if getattr(samples, name) is not None]
    if "group" not in known:
        yield "group_pattern", "^(?P<key>[^_]+)_", "person, patient, camera in file names: up to the first '_'"


def _guesses_of_rows(dataset: Dataset) -> Iterator[tuple[str, object, str]]:
    from leakaudit.analysis.columns.group_names import columns_named_like_groups
    from leakaudit.sources.names import TIME_NAMES, guess_column

    columns = list(dict.fromkeys(name for table in dataset.tables for name in table.columns))
    if dataset.columns.split:
        yield "split_column", dataset.columns.split, "by its name and values"
    if dataset.columns.label:
        yield "label", dataset.columns.label, "by its name or place"
    for column in columns_named_like_groups(columns)[:1]:
        yield "group", column, "by its name; declared, a group in two splits is an error"
    if time := dataset.columns.time or guess_column(columns, TIME_NAMES):
        yield "time", time, "by its name"
    ids = [name for name in columns if re.fullmatch(r"(?i)(row_?)?(id|index|uuid)", name)]
    if ids:
        yield "id", ids[0], "by its name; it only names the row"
