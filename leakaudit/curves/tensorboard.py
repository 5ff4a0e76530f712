"""TensorBoard event files: one file, the folder of a run, or a log folder with several runs.

All event files of one folder are one run. Folders that are called after a split (``train``, ``validation``, as Keras
writes them) or that ``add_scalars`` made (``Loss_train``) belong to the run above them. The epoch is what was logged as
``epoch`` at the same step (Lightning), else the step.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.names import Split, choose, role, split_of, words
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import Source
from leakaudit.curves.tfrecord import TruncatedError, is_event_file, scalars
from leakaudit.errors import InputError
from leakaudit.history import History

ABOUT = About("tensorboard", "epoch_mean")
DEEPEST = 4
MOST_FILES = 2_000


def sniff(source: Source) -> bool:
    """An event file, or a folder with ``*tfevents*`` in it."""
    if not source.is_dir:
        return is_event_file(source.head)
    return bool(_event_files(source.path))


def read(source: Source, options: Options) -> list[History]:
    """One history a run and validation set."""
    files = [source.path] if not source.is_dir else _event_files(source.path)
    if len(files) > MOST_FILES:
        raise InputError(f"{source.shown}: holds {len(files):,} event files, more than {MOST_FILES:,}: name one run")
    runs: dict[str, list[tuple[Path, Split | None]]] = {}
    for file in files:
        folder = "" if file == source.path else file.parent.relative_to(source.path).as_posix().removeprefix(".")
        above, _, last = folder.rpartition("/")
        split = split_of(last)
        runs.setdefault(above if split else folder, []).append((file, split))
    found: list[History] = []
    failures: list[str] = []
    for run, of_run in sorted(runs.items()):
        log, notes = _log(source, of_run)
        if choose(log.series, {}, log.splits) is None and not options.columns and len(runs) > 1:
            failures.append(run)
            continue
        found += histories(source, replace(ABOUT, notes=notes), options, log, run if len(runs) > 1 else "")
    if not found:
        raise InputError(f"{source.shown}: none of its {len(failures):,} runs logged a loss or an accuracy")
    return found


def _event_files(folder: Path, depth: int = DEEPEST) -> list[Path]:
    """Event files below a folder, sorted; links to folders are not followed."""
    files: list[Path] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return files
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and depth and entry.name != "mlruns":
            files += _event_files(Path(entry.path), depth - 1)
        elif "tfevents" in entry.name and entry.is_file():
            files.append(Path(entry.path))
    return files


def _log(source: Source, files: list[tuple[Path, Split | None]]) -> tuple[Log, tuple[str, ...]]:
    """The scalars of one run; where folders tell the splits, the tags are told apart by them."""
    series: dict[str, dict[float, float]] = {}
    splits: dict[str, Split] = {}
    notes = []
    for path, split in files:
        try:
            with path.open("rb") as file:
                for scalar in scalars(file):
                    known = role(scalar.tag)
                    apart = split is not None and (known is None or known.split is None)
                    name = f"{split}/{scalar.tag}" if apart else scalar.tag
                    if apart and split is not None:
                        splits[name] = split
                    series.setdefault(name, {})[float(scalar.step)] = number(scalar.value)
        except TruncatedError as error:
            notes.append(f"{path.name} is cut off ({error}): what comes before counts")
        except OSError as error:
            raise InputError(f"{source.shown}: {path.name}: {error.strerror or error}") from error
    epoch = next((name for name in series if words(name)[-1:] == ["epoch"]), None)
    epochs = series.pop(epoch) if epoch else {}
    return Log(series, epochs, splits), tuple(notes)


READER = Reader("tensorboard", "TensorBoard event files", sniff, read, ("columns",))
