"""MLflow's file store: ``mlruns/<experiment>/<run>/metrics/<name>``, each line ``time value step``.

Reads one run, one experiment or the whole store; slashes in a metric's name are folders.

References
----------
https://mlflow.org/docs/latest/tracking/backend-stores (file store)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from leakaudit.curves.build import About
from leakaudit.curves.log import Log, histories
from leakaudit.curves.names import choose
from leakaudit.curves.numbers import number
from leakaudit.curves.options import Options
from leakaudit.curves.reader import Reader
from leakaudit.curves.source import MAX_BYTES, Source
from leakaudit.errors import InputError
from leakaudit.history import History

ABOUT = About("mlflow", "epoch_mean")
MOST_RUNS = 1_000


def sniff(source: Source) -> bool:
    """A folder with ``metrics`` and ``meta.yaml``, at most two folders down."""
    return source.is_dir and next(_runs(source.path), None) is not None


def read(source: Source, options: Options) -> list[History]:
    """One history a run and validation set; runs without losses are left out unless there is no other."""
    runs = list(_runs(source.path))
    if len(runs) > MOST_RUNS:
        raise InputError(
            f"{source.shown}: holds {len(runs):,} runs, more than {MOST_RUNS:,}: name an experiment or a run"
        )
    found: list[History] = []
    for run in runs:
        series = _series(run / "metrics", source)
        if series and (len(runs) == 1 or choose(series, options.columns) is not None):
            name = run.relative_to(source.path).as_posix() if len(runs) > 1 else ""
            found += histories(source, ABOUT, options, Log(series), name)
    if not found:
        raise InputError(f"{source.shown}: none of its {len(runs):,} runs logged a loss or an accuracy")
    return found


def _runs(folder: Path, depth: int = 2) -> Iterator[Path]:
    if (folder / "metrics").is_dir() and (folder / "meta.yaml").is_file():
        yield folder
        return
    if depth:
        try:
            inner = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir() and entry.name != ".trash")
        except OSError:
            return
        for path in inner:
            yield from _runs(Path(path), depth - 1)


def _series(folder: Path, source: Source) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(f"{source.shown}: {path.name} has more than {MAX_BYTES:,} bytes")
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise InputError(f"{source.shown}: {path.name}: {error.strerror or error}") from error
        points: dict[float, float] = {}
        for index, line in enumerate(lines):
            parts = line.split()
            if len(parts) >= 2:
                points[number(parts[2]) if len(parts) > 2 else float(index)] = number(parts[1])
        if points:
            found[path.relative_to(folder).as_posix()] = {s: v for s, v in points.items() if abs(s) < float("inf")}
    return found


READER = Reader("mlflow", "a folder with metrics/ and meta.yaml (MLflow file store)", sniff, read, ("columns",))
