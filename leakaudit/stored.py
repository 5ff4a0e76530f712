"""Outcomes of a scan of pictures, kept in the cache: scanning unchanged files again costs their listing and one read.

The key stands for everything that outcomes depend on: names, sizes, modification times, splits and labels of all files,
the settings, and the code. What could change without a trace in these (a file that could not be read, a file written
within the time stamp's resolution) is never stored.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leakaudit.model import (
    Coverage,
    DifficultyPart,
    LossHistogram,
    Outcome,
    ProbeCurve,
    ProbePair,
    ProbeReport,
    ProbeTerm,
    ProbeTest,
    Problem,
    Sample,
    SplitDifficulty,
    SplitInfo,
    Unclaimed,
)
from leakaudit.report_file import as_finding

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.model import Dataset

NOT_IN_KEY = frozenset(
    {
        *("engine", "engine_address", "jobs", "cache_dir", "use_cache", "memory_limit", "previews", "timings"),
        *("fail_on", "require", "overrides", "unsupported_tolerance"),
    }
)
"""Settings that change no outcome (`blind_tolerance` does: it is the severity of LA001)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a scan.

    Parameters
    ----------
    outcomes, splits, coverage
        As in `Report`; pairs are not kept.
    with_pairs : frozenset of str
        Codes of the checks whose outcome can list pairs.
    notes : tuple of str
        What was worth saying about this scan alone, such as an unusable cache; scans with notes are not stored.
    probe : ProbeReport or None
        One that was interrupted is not stored.
    """

    outcomes: tuple[Outcome, ...]
    splits: Mapping[str, SplitInfo]
    coverage: Coverage
    with_pairs: frozenset[str]
    notes: tuple[str, ...] = ()
    probe: ProbeReport | None = None


def place(dataset: Dataset, config: Config) -> Path | None:
    """The file that holds the outcomes of this data set, or None where they must not be stored."""
    from leakaudit.fingerprints.cache.store import RACY_NS, cache_folder

    samples = dataset.samples
    if not config.use_cache or config.timings or samples is None or not len(samples):
        return None
    if samples.size is None or samples.mtime_ns is None:
        return None
    if int(samples.mtime_ns.max()) > time.time_ns() - RACY_NS:
        return None
    return cache_folder(config) / "results" / f"{_key(dataset, config)}.json"


def load(path: Path) -> Stored | None:
    """What was stored there, or None where nothing usable is."""
    try:
        data = json.loads(path.read_bytes())
        stored = Stored(
            tuple(_outcome(entry) for entry in data["outcomes"]),
            {name: SplitInfo(**info) for name, info in data["splits"].items()},
            _coverage(data["coverage"]),
            frozenset(data["with_pairs"]),
            probe=_probe(data["probe"]) if data["probe"] else None,
        )
        os.utime(path)
    except (OSError, ValueError, KeyError, TypeError):  # absent, or damaged in whatever way
        return None
    return stored


def save(path: Path, stored: Stored) -> None:
    """Store, whole or not at all; a full disk is no reason to fail a scan."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    text = json.dumps({field.name: _plain(getattr(stored, field.name)) for field in fields(stored)})
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)


def _key(dataset: Dataset, config: Config) -> str:
    import pyarrow as pa
    from blake3 import blake3

    samples = dataset.samples
    assert samples is not None
    columns = {field.name: getattr(samples, field.name) for field in fields(samples)}
    columns = {name: column for name, column in columns.items() if column is not None and name != "are_files"}
    sink = pa.BufferOutputStream()
    for table in (pa.table(columns), *(file.table for file in dataset.tables if file.table is not None)):
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    settings = [(field.name, getattr(config, field.name)) for field in fields(config) if field.name not in NOT_IN_KEY]
    told = (
        dataset.root,
        dataset.kind,
        dataset.layout,
        dataset.splits,
        dataset.columns,
        dataset.problems,
        dataset.n_other_files,
        dataset.unclaimed,
        settings,
        _code(),
    )
    return blake3(repr(told).encode("utf-8", "surrogatepass")).update(sink.getvalue()).hexdigest(length=20)


def _code() -> str:
    """Stands for the version of the code, in an editable installation, too."""
    from PIL import __version__ as pillow

    from leakaudit import __version__

    package = Path(__file__).parent
    newest = max(path.stat().st_mtime_ns for path in package.rglob("*.py"))
    return f"{__version__}/{newest}/pillow-{pillow}"


def _plain(value: object) -> object:
    """Plain lists, dicts and scalars of dataclasses, in a form that `load` reads back."""
    if is_dataclass(value) and not isinstance(value, type):
        held = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: _plain(entry) for name, entry in held if not callable(entry)}
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [_plain(entry) for entry in (sorted(value) if isinstance(value, frozenset | set) else value)]
    return value.item() if hasattr(value, "item") else value


def _outcome(data: dict[str, Any]) -> Outcome:
    findings = tuple(as_finding(entry) for entry in data.pop("findings"))
    return Outcome(**{**data, "pairs": None, "all_pairs": None, "sampled": tuple(data["sampled"])}, findings=findings)


def _coverage(data: dict[str, Any]) -> Coverage:
    tuples: dict[str, Any] = {name: tuple(data[name]) for name in ("not_applicable", "sampled")}
    tuples["problems"] = tuple(Problem(**entry) for entry in data["problems"])
    tuples["unclaimed"] = tuple(Unclaimed(**entry) for entry in data["unclaimed"])
    return Coverage(**{**data, **tuples})


def _probe(data: dict[str, Any]) -> ProbeReport:
    def each(name: str, cls: Any) -> tuple[Any, ...]:  # noqa: ANN401  a dataclass of flat values and lists of numbers
        entries = data[name]
        return tuple(cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in e.items()}) for e in entries)

    kinds = {"terms": ProbeTerm, "regularisers": ProbeTerm, "tests": ProbeTest, "curves": ProbeCurve}
    kinds |= {"hardest": Sample, "memorised": Sample}
    read: dict[str, Any] = {name: each(name, cls) for name, cls in kinds.items()}
    read |= {name: tuple(data[name]) for name in ("splits", "classes", "sampled", "notes")}
    read["confusion"] = tuple(tuple(row) for row in data["confusion"])
    losses = data["losses"]
    read["losses"] = LossHistogram(**{k: tuple(v) for k, v in losses.items()}) if losses else None
    read["difficulty"] = tuple(_difficulty(entry) for entry in data["difficulty"])
    read["others"] = tuple(_pair(entry) for entry in data["others"])
    return ProbeReport(**{**data, **read})


def _difficulty(data: dict[str, Any]) -> SplitDifficulty:
    parts = {name: tuple(DifficultyPart(**part) for part in data[name]) for name in ("classes", "groups")}
    return SplitDifficulty(**{**data, **parts, "quantiles": tuple(data["quantiles"])})


def _pair(data: dict[str, Any]) -> ProbePair:
    read: dict[str, Any] = {name: tuple(data[name]) for name in ("splits", "sampled", "notes")}
    read["terms"] = tuple(ProbeTerm(**term) for term in data["terms"])
    read["tests"] = tuple(ProbeTest(**test) for test in data["tests"])
    return ProbePair(**{**data, **read})
