"""GitLab's Code Quality report: a JSON array with one object a finding; accepted findings are left out."""

from __future__ import annotations

from itertools import chain, islice
from typing import Any, TextIO

from leakaudit.model import Finding, Report, Severity, finding_id
from leakaudit.render.ci.places import place, places
from leakaudit.render.data.report_json import ascii_only, dump
from leakaudit.render.words.plain import plain

LISTED = 10_000
"""Findings that are written, worst first; the merge-request widget shows far fewer."""

_SEVERITIES: dict[Severity, str] = {"error": "critical", "warning": "minor", "info": "info"}


def write(report: Report, stream: TextIO) -> None:
    """Write the array, one finding a line."""
    open_findings = (finding for finding in report.findings if not finding.accepted)
    issues = [_blindness(report)] if report.verdict.status == "incomplete" else []
    before = "["
    for issue in chain(issues, (_issue(report, finding) for finding in islice(open_findings, LISTED))):
        stream.write(f"{before}\n{ascii_only(dump(issue))}")
        before = ","
    stream.write("[]\n" if before == "[" else "\n]\n")


def _blindness(report: Report) -> dict[str, Any]:
    """What was not looked at, without which an incomplete audit would look like a clean one."""
    return {
        "description": plain(f"incomplete: {report.verdict.reason}"),
        "check_name": "LA001 coverage",
        "fingerprint": finding_id("LA001", "incomplete"),
        "severity": "blocker",
        "location": {"path": plain(place(report, "").path), "lines": {"begin": 1}},
    }


def _issue(report: Report, finding: Finding) -> dict[str, Any]:
    place = places(report, finding, 1)[0]
    row = f" (row {place.row})" if place.row is not None else ""
    return {
        "description": plain(f"{finding.code}: {finding.message}{row}"),
        "check_name": f"{finding.code} {finding.slug}",
        "fingerprint": finding.id,
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": plain(place.path), "lines": {"begin": 1}},
    }
