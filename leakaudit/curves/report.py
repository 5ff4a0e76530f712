"""Paths in, one report out: read, diagnose, compare."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from leakaudit.curves import read
from leakaudit.curves.compare import CONFIDENCE, compare
from leakaudit.curves.diagnose import diagnose
from leakaudit.curves.options import Options
from leakaudit.curves.settings import Settings
from leakaudit.history import CurvesReport


def curves_report(
    paths: Sequence[tuple[str, str | os.PathLike[str]]],
    version: str,
    options: Options | None = None,
    settings: Settings | None = None,
) -> CurvesReport:
    """Diagnose the histories at several paths.

    Parameters
    ----------
    paths : sequence of (group, path)
        Group "" where runs are not grouped.
    version : str
        Of leakaudit, for the report.
    options, settings : optional
        How to read and how to judge.

    Raises
    ------
    InputError, ConfigError
        As `leakaudit.curves.read`.
    """
    histories = [replace(history, group=group) for group, path in paths for history in read(path, options)]
    diagnoses = tuple(diagnose(history, settings) for history in histories)
    comparisons, notes = compare(diagnoses)
    return CurvesReport(version, diagnoses, comparisons, notes, CONFIDENCE)
