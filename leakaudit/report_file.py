"""Findings read back from a report that was written as JSON, whoever formatted it since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leakaudit.errors import InputError
from leakaudit.model import (
    SEVERITIES,
    Acceptance,
    Breakdown,
    Evidence,
    Excerpt,
    Finding,
    Sample,
    SamplePair,
    TextOverlap,
)

SCHEMA = "leakaudit-report/1"
"""The structure that is read; keys that were added later are passed over."""


@dataclass(frozen=True, slots=True)
class PastReport:
    """What later commands need of a report.

    Parameters
    ----------
    path : str
        Where it was read from.
    version : str
        Of the leakaudit that wrote it.
    root : str
        Of the data set.
    splits : mapping of str to int
        Samples of each split.
    ran : frozenset of str
        Codes of the checks that came to a result.
    findings : tuple of Finding
        In the order of the file.
    """

    path: str
    version: str
    root: str
    splits: dict[str, int]
    ran: frozenset[str]
    findings: tuple[Finding, ...]


def read_report(path: Path) -> PastReport:
    """Read a report that ``scan --json`` or ``scan --format json`` wrote.

    Raises
    ------
    InputError
        The file is not there, is no JSON, or is no leakaudit report.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON ({error}): give a report that `leakaudit scan --json` wrote") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        said = f"its schema is {schema!r}" if schema else "it has no schema"
        raise InputError(
            f"{path} is no leakaudit report ({said}, not {SCHEMA!r}): write one with `leakaudit scan --json`"
        )
    try:
        return PastReport(
            path=str(path),
            version=str(data["tool"]["version"]),
            root=str(data["dataset"]["root"]),
            splits={str(name): int(split["n"]) for name, split in data["dataset"]["splits"].items()},
            ran=frozenset(
                str(outcome["code"])
                for outcome in data["outcomes"]
                if outcome["status"] in ("passed", "failed", "inconclusive")
            ),
            findings=tuple(as_finding(finding) for finding in data["findings"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise InputError(f"{path} is a damaged leakaudit report ({what}): write it again") from error


def as_finding(data: dict[str, Any]) -> Finding:
    """A finding from its JSON object.

    Raises
    ------
    KeyError, TypeError, ValueError
        The object is not one.
    """
    if data["severity"] not in SEVERITIES or not isinstance(data["id"], str):
        raise ValueError(f"{data['id']!r} is no finding")
    accepted = data.get("accepted")
    return Finding(
        id=data["id"],
        code=str(data["code"]),
        slug=str(data["slug"]),
        severity=data["severity"],
        message=str(data["message"]),
        splits=tuple(str(split) for split in data["splits"]),
        n_samples=int(data["n_samples"]),
        effect=dict(data["effect"]),
        evidence=_evidence(data["evidence"]),
        accepted=Acceptance(**accepted) if accepted else None,
    )


def _evidence(data: dict[str, Any]) -> Evidence:
    table = data["breakdown"]
    return Evidence(
        pairs=tuple(_pair(pair) for pair in data["pairs"]),
        n_pairs=int(data["n_pairs"]),
        samples=tuple(_sample(sample) for sample in data["samples"]),
        n_samples=int(data["n_samples"]),
        breakdown=Breakdown(tuple(table["columns"]), tuple(tuple(row) for row in table["rows"])) if table else None,
    )


def _pair(data: dict[str, Any]) -> SamplePair:
    overlap = data.get("overlap")
    read = TextOverlap(str(overlap["column"]), _excerpt(overlap["a"]), _excerpt(overlap["b"])) if overlap else None
    return SamplePair(_sample(data["a"]), _sample(data["b"]), data.get("score"), data.get("note"), read)


def _excerpt(data: dict[str, Any]) -> Excerpt:
    return Excerpt(str(data["text"]), tuple((int(start), int(stop)) for start, stop in data["marks"]))


def _sample(data: dict[str, Any]) -> Sample:
    return Sample(data["uri"], data["split"], data.get("label"), data.get("row"), data.get("reason"))
