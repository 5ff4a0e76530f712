"""What the user may decide, in one frozen object that every layer below the command line reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from leakaudit.model import Severity

FailOn = Literal["error", "warning", "info", "never"]


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
    path_column, split_column, label, group, time, id : str or None
        Column of the manifest or table that holds it: a name, or a 1-based position. None: guessed from usual names,
        and said.
    ignore_columns : tuple of str
        Columns that are no part of a row's identity: names, or 1-based positions.
    header : bool or None
        Whether csv files have a header line; None: decided from the cells, and said.
    delimiter, encoding : str or None
        Of csv files; None: sniffed, and said.
    select, ignore : tuple of str
        Codes or prefixes (``LA1``) of checks to run (empty: all) and to leave out.
    fail_on : {"error", "warning", "info", "never"}, default "error"
        The least severity that fails the gate.
    blind_tolerance : float, default 0.001
        Share of samples that may be unreadable before LA001 is an error and the audit counts as incomplete. One in
        a thousand is below what changes a score visibly at usual validation sizes (binomial standard error of an
        accuracy of 0.9 on 10,000 samples: 0.003).
    jobs : int or None
        Workers; None: the cores this process may use.
    cache_dir : Path or None
        Where fingerprints are kept; None: the user's cache folder. Never inside the data.
    use_cache : bool, default True
    memory_limit : str, default "2GB"
        What DuckDB may hold before it spills to a temporary folder.
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
    id: str | None = None
    ignore_columns: tuple[str, ...] = ()
    header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: FailOn = "error"
    blind_tolerance: float = 0.001
    jobs: int | None = None
    cache_dir: Path | None = None
    use_cache: bool = True
    memory_limit: str = "2GB"
    timings: bool = False
    previews: bool = False

    def selects(self, code: str) -> bool:
        """Whether the check of this code is to run: the longest matching prefix decides, `ignore` wins a tie."""
        chosen = max((len(p) for p in self.select if code.startswith(p)), default=-1 if self.select else 0)
        left_out = max((len(p) for p in self.ignore if code.startswith(p)), default=-1)
        return chosen > left_out

    def fails(self, severity: Severity) -> bool:
        """Whether a finding of this severity fails the gate."""
        rank = ("error", "warning", "info", "never")
        return rank.index(severity) <= rank.index(self.fail_on) and self.fail_on != "never"
