"""SARIF 2.1.0 (OASIS Standard, 27 March 2020), for code scanning: a rule a check, a result a finding.

Accepted findings are results with a suppression, so that a viewer shows them as dealt with. What was not looked at is a
notification of the invocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TextIO

from leakaudit.model import Acceptance, CheckInfo, Finding, Report, Severity
from leakaudit.render.ci.places import Place, places
from leakaudit.render.data.report_json import ascii_only, dump
from leakaudit.render.words import summary
from leakaudit.render.words.plain import plain

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RESULTS = 25_000
"""Results that are written, worst first: GitHub refuses a run with more ("SARIF results exceed limits")."""

LOCATIONS = 100
"""Places of a result: as many as GitHub keeps."""

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def write(report: Report, stream: TextIO) -> None:
    """Write the report, one result a line; ASCII only, with nothing lost."""
    codes = [check.code for check in _rules(report)]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "leakaudit",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [_rule(check) for check in _rules(report)],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "root": plain(report.root),
            "verdict": report.verdict.status,
            "headline": plain(summary.headline(report).line),
        },
    }
    head = dump({"$schema": SCHEMA, "version": "2.1.0"})[:-1]
    stream.write(ascii_only(f'{head}, "runs": [{dump(run)[:-1]}, "results": ['))
    before = "\n"
    for line in _results(report, codes):
        stream.write(before + ascii_only(line))
        before = ",\n"
    stream.write("\n]}]}\n")


def _rules(report: Report) -> list[CheckInfo]:
    return [report.checks[code] for code in sorted(report.checks)]


def _rule(check: CheckInfo) -> dict[str, Any]:
    names = ("Why it matters", "How it decides", "What it cannot see", "Fix")
    sections = [(name, check.sections[name]) for name in names if name in check.sections]
    return {
        "id": check.code,
        "name": "".join(word.capitalize() for word in check.slug.split("-")),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.sections.get("What it does", check.title)},
        "help": {
            "text": "\n\n".join(f"{name}\n\n{text}" for name, text in sections) or check.title,
            "markdown": "\n\n".join(f"**{name}**\n\n{text.replace('``', '`')}" for name, text in sections)
            or check.title,
        },
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": ["data-leakage"]},
    }


def _results(report: Report, codes: list[str]) -> Iterator[str]:
    for finding in islice(report.findings, RESULTS):
        yield dump(_result(report, finding, codes))


def _result(report: Report, finding: Finding, codes: list[str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": {"text": plain(finding.message)},
        "locations": [_location(place) for place in places(report, finding, LOCATIONS)],
        "partialFingerprints": {"leakaudit/v1": finding.id},
        "properties": {
            "splits": [plain(split) for split in finding.splits],
            "samples": finding.n_samples,
            "effect": dict(finding.effect),
        },
    }
    if finding.code in codes:
        result["ruleIndex"] = codes.index(finding.code)
    if finding.accepted:
        result["suppressions"] = [_suppression(finding.accepted)]
    return result


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": place.uri}, "region": {"startLine": 1}}
    if place.row is None:
        return {"physicalLocation": physical}
    # A row is no line: a header, blank lines and quoted line breaks lie between, so it is named beside the file.
    return {"physicalLocation": physical, "logicalLocations": [{"name": f"row {place.row}", "kind": "element"}]}


def _suppression(accepted: Acceptance) -> dict[str, Any]:
    until = f" (until {accepted.expires})" if accepted.expires else ""
    return {"kind": "external", "status": "accepted", "justification": plain(accepted.reason) + until}


def _invocation(report: Report) -> dict[str, Any]:
    errored = [outcome for outcome in report.outcomes if outcome.status == "errored"]
    notes = [("error", f"{outcome.code}: {outcome.reason}") for outcome in errored]
    notes += [("warning", f"{code} did not run: {why}") for code, why in sorted(report.coverage.skipped_checks.items())]
    if report.coverage.n_blind:
        notes.append(("warning", f"{report.coverage.n_blind} samples could not be looked at"))
    unlisted = len(report.findings) - RESULTS
    if unlisted > 0:
        notes.append(("warning", f"{unlisted} more findings are in the JSON report"))
    return {
        "executionSuccessful": report.verdict.exit_code in (0, 1),
        "exitCode": report.verdict.exit_code,
        "exitCodeDescription": plain(report.verdict.reason),
        "toolExecutionNotifications": [{"level": level, "message": {"text": plain(text)}} for level, text in notes],
    }
