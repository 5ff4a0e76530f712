"""What the user may decide, in one frozen object that every layer below the command line reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import accumulate
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from leakaudit.model import Severity
from leakaudit.typed import Range

TimeOrder = Literal["group", "global"]
FailOn = Literal["error", "warning", "info", "never"]
EngineName = Literal["local", "spark", "ray"]
ProbeMode = Literal["off", "auto", "cpu", "gpu", "fast"]


@dataclass(frozen=True, slots=True)
class Override:
    """Other settings of the gate for some of the samples.

    A finding is judged by them when every one of its held-out samples lies under the paths; one that says nothing of
    its samples, or lists only some of them, is not. It stays in the report either way.

    Parameters
    ----------
    paths : tuple of str
        Globs over sample names as the report shows them, ``/``-separated: ``*`` and ``?`` within a folder, ``**``
        across folders, ``[ab]`` for one of several characters. Upper and lower case differ on every system.
    select : tuple of str
        Codes or prefixes of checks whose findings count here; empty: all.
    ignore : tuple of str
        Codes or prefixes of checks whose findings do not count here.
    fail_on : {"error", "warning", "info", "never"} or None
        The least severity that fails the gate here; None: as everywhere.
    """

    paths: tuple[str, ...]
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: FailOn | None = None

    def covers(self, uris: frozenset[str]) -> bool:
        """Whether there are names at all and every one matches one of the paths; ``#row`` is no part of a name."""
        names = set(map(_without_row, uris))
        return bool(names) and all(any(_matches(name, glob) for glob in self.paths) for name in names)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of an audit, with their defaults.

    Parameters
    ----------
    within : bool, default False
        Audit the inside of each split even where there is only one; without it, one split alone is an error.
    splits : mapping of str to str, default {}
        Folder, file or column value to split name, where the usual names do not serve (``--split-name part1=train``).
    layout : str or None
        Force the layout of this name instead of recognising one.
    path_column : str or None
        Column of the manifest with the file paths: a name, or a 1-based position. None: guessed from usual names, and
        said.
    split_column : str or None
        Column that says the split, likewise.
    label : str or None
        Column with the label, likewise.
    group : str or None
        Column with the person, patient, camera or recording. A declared group in two splits is an error.
    time : str or None
        Column with the time.
    time_order : {"group", "global"}, default "group"
        Whether each group has a time of its own, so that rows are compared within it, or all rows lie on one time. A
        split that holds out the last row of every user is in order within users, and not over all of them.
    id : str or None
        Column that only names the row. The same id in two splits is an error.
    ignore_columns : tuple of str
        Columns that are no part of a row's identity: names, or 1-based positions.
    keep_columns : tuple of str
        Columns that are part of a row's identity even if they seem to number, weigh or mark rows only: names, or
        1-based positions.
    header : bool or None
        Whether csv files have a header line; None: decided from the cells, and said.
    delimiter : str or None
        Between the cells of csv files; None: sniffed, and said.
    encoding : str or None
        Of csv files; None: sniffed, and said.
    group_pattern : str or None
        Regular expression (RE2 syntax) with one named group, ``(?P<key>...)``, that finds the person, patient, camera
        or recording in the name of a picture; with a ``/`` in it, in its path. What it finds is a declared group.
    select : tuple of str
        Codes or prefixes (``LA1``) of checks to run; empty: all.
    ignore : tuple of str
        Codes or prefixes of checks to leave out; the longer of two prefixes decides, and this one in a tie.
    require : tuple of str
        Codes of checks that must come to a decision; one that was skipped, crashed, or is inconclusive makes the audit
        incomplete.
    checks : mapping of str to mapping
        Code to parameters of that check, by name, where the defaults do not serve.
    overrides : tuple of Override
        Other settings of the gate for findings about some of the samples; of several that cover a finding, a later one
        has the last word.
    fail_on : {"error", "warning", "info", "never"}, default "error"
        The least severity that fails the gate.
    accepted : Path or None
        File of accepted findings: they are shown, and fail nothing. None: nothing is accepted; the command line takes
        ``leakaudit-accepted.toml`` from the working folder where there is one.
    new_since : Path or None
        An earlier report (JSON): what it already found fails nothing.
    blind_tolerance : float, default 0.001
        Share of the samples of any one split, and of all, that may be unreadable before LA001 is an error and the
        audit counts as incomplete. One in a thousand is below what changes a score visibly at usual validation sizes
        (binomial standard error of an accuracy of 0.9 on 10,000 samples: 0.003).
    unsupported_tolerance : float, default 1
        Share of files of a type that is not read, among samples and such files, above which the audit counts as
        incomplete. 1: never, LA002 names them; 0: one is too many.
    probe : {"off", "auto", "cpu", "gpu", "fast"}, default "off"
        Whether a quick model is trained that cross-checks the loss, and where: auto takes the GPU where there is one;
        fast fits ridge regressions without training. Off, because a scan should take the time that its files take.
    probe_budget : float, default 180
        Seconds that the probe may take by estimate; what does not fit is left out, and said.
    engine : {"local", "spark", "ray"}, default "local"
        Where the heavy work runs: this machine, or a cluster. The findings are the same.
    engine_address : str or None
        Of the cluster: Spark's master (``local[4]``, ``spark://host:7077``, ``yarn``) or Ray's address (``auto``,
        ``host:6379``). None: the session that the process has, else one on this machine.
    jobs : int or None
        Workers; None: the cores this process may use.
    cache_dir : Path or None
        Where fingerprints are kept; None: the user's cache folder. Never inside the data.
    use_cache : bool, default True
        Whether fingerprints are read from the cache and written to it.
    memory_limit : str, default "auto"
        What DuckDB may hold before it spills to a temporary folder, such as ``1GB``; auto: half of what the machine or
        the container has, at most 2 GB.
    timings : bool, default False
        Put wall seconds into outcomes (reports are then no longer byte-identical from run to run).
    previews : bool, default False
        Make small previews of the pictures in the evidence (HTML needs them).
    """

    within: bool = False
    splits: Mapping[str, str] = field(default_factory=dict)
    layout: str | None = None
    path_column: str | None = None
    split_column: str | None = None
    label: str | None = None
    group: str | None = None
    time: str | None = None
    time_order: TimeOrder = "group"
    id: str | None = None
    ignore_columns: tuple[str, ...] = ()
    keep_columns: tuple[str, ...] = ()
    header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    group_pattern: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    fail_on: FailOn = "error"
    accepted: Path | None = None
    new_since: Path | None = None
    blind_tolerance: Annotated[float, Range(0, 1)] = 0.001
    unsupported_tolerance: Annotated[float, Range(0, 1)] = 1.0
    probe: ProbeMode = "off"
    probe_budget: Annotated[float, Range(1)] = 180.0
    engine: EngineName = "local"
    engine_address: str | None = None
    jobs: Annotated[int, Range(1)] | None = None
    cache_dir: Path | None = None
    use_cache: bool = True
    memory_limit: str = "auto"
    timings: bool = False
    previews: bool = False

    def selects(self, code: str) -> bool:
        """Whether the check of this code is to run: the longest matching prefix decides, `ignore` wins a tie."""
        return _selects(code, self.select, self.ignore)

    def too_blind(self, n_blind: int, n_samples: int) -> bool:
        """Whether so many of these samples may not go unseen: LA001 and the gate ask the same question."""
        return n_blind > self.blind_tolerance * n_samples

    def fails(self, severity: Severity) -> bool:
        """Whether a finding of this severity fails the gate."""
        return _fails(severity, self.fail_on)

    def counts(self, code: str, severity: Severity, uris: frozenset[str]) -> bool:
        """Whether a finding fails the gate, overrides heeded.

        Parameters
        ----------
        code, severity
            Of the finding.
        uris : frozenset of str
            Names of all its held-out samples; empty where they are not known, and no override then applies.
        """
        covering = [override for override in self.overrides if override.covers(uris)]
        fail_on = next((each.fail_on for each in reversed(covering) if each.fail_on is not None), self.fail_on)
        deciding = next((each for each in reversed(covering) if each.select or each.ignore), None)
        chosen = deciding is None or _selects(code, deciding.select, deciding.ignore)
        return chosen and _fails(severity, fail_on)


class Settings(TypedDict, total=False):
    """The fields of `Config` as keyword arguments, for functions that take some of them; a list serves as a tuple."""

    within: bool
    splits: Mapping[str, str]
    layout: str | None
    path_column: str | None
    split_column: str | None
    label: str | None
    group: str | None
    time: str | None
    time_order: TimeOrder
    id: str | None
    ignore_columns: tuple[str, ...] | list[str]
    keep_columns: tuple[str, ...] | list[str]
    header: bool | None
    delimiter: str | None
    encoding: str | None
    group_pattern: str | None
    select: tuple[str, ...] | list[str]
    ignore: tuple[str, ...] | list[str]
    require: tuple[str, ...] | list[str]
    checks: Mapping[str, Mapping[str, Any]]
    overrides: tuple[Override, ...] | list[Override]
    fail_on: FailOn
    accepted: str | Path | None
    new_since: str | Path | None
    blind_tolerance: float
    unsupported_tolerance: float
    probe: ProbeMode
    probe_budget: float
    engine: EngineName
    engine_address: str | None
    jobs: int | None
    cache_dir: str | Path | None
    use_cache: bool
    memory_limit: str
    timings: bool
    previews: bool


def _selects(code: str, select: tuple[str, ...], ignore: tuple[str, ...]) -> bool:
    chosen = max((len(p) for p in select if code.startswith(p)), default=-1 if select else 0)
    left_out = max((len(p) for p in ignore if code.startswith(p)), default=-1)
    return chosen > left_out


def _fails(severity: Severity, fail_on: FailOn) -> bool:
    rank = ("error", "warning", "info", "never")
    return rank.index(severity) <= rank.index(fail_on) and fail_on != "never"


def _matches(name: str, glob: str) -> bool:
    """Whether a ``/``-separated name matches a glob as a whole.

    >>> _matches("scans/a/1.png", "scans/**"), _matches("scans/a/1.png", "scans/*"), _matches("1.png", "scans/**")
    (True, False, False)
    >>> _matches("a/b/c.png", "**/*.png"), _matches("c.png", "**/*.png"), _matches("a/b", "a/**/b")
    (True, True, True)
    """
    words = name.split("/")
    matched = [True, *(False for _ in words)]  # at i: the parts so far match the first i words
    for part in glob.split("/"):
        if part == "**":
            matched = list(accumulate(matched, or_))
        else:
            pairs = zip(matched, words, strict=False)
            matched = [False, *(before and fnmatchcase(word, part) for before, word in pairs)]
    return matched[-1]


def _without_row(uri: str) -> str:
    """The file of a table row: ``a.csv#12`` is in ``a.csv``."""
    file, _, row = uri.rpartition("#")
    return file if file and row.isdigit() else uri
