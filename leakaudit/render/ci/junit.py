"""JUnit XML, for any CI that shows tests: a check is a test case, its findings are what failed.

A check fails where one of its findings fails the gate; findings that do not are its output. A check that was skipped or
could not decide is a skipped test; blind spots beyond the tolerance fail a case of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree as ET

from leakaudit.model import Finding, Outcome, Report
from leakaudit.render.words import summary
from leakaudit.render.words.plain import escape_character, plain

LISTED = 50
"""Findings of a check that are written out."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold (production 2, Char)."""


def write(report: Report, stream: TextIO) -> None:
    """Write one test suite; ASCII only, other characters as references."""
    suite = ET.Element("testsuite", name="leakaudit")
    said = ET.SubElement(suite, "properties")
    for name, value in (("headline", summary.headline(report).line), ("exit code", str(report.verdict.exit_code))):
        ET.SubElement(said, "property", name=name, value=_text(plain(value)))
    for outcome in sorted(report.outcomes, key=lambda outcome: outcome.code):
        suite.append(_case(report, outcome))
    suite.append(_coverage(report))
    counted = {kind: len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error", "skipped")}
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(counted["failure"]))
    suite.set("errors", str(counted["error"]))
    suite.set("skipped", str(counted["skipped"]))
    suite.set("time", f"{sum(outcome.seconds or 0 for outcome in report.outcomes):.3f}")
    root = ET.Element("testsuites", name="leakaudit")
    root.append(suite)
    ET.indent(root)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ET.tostring(root, encoding="us-ascii").decode("ascii"))
    stream.write("\n")


def _case(report: Report, outcome: Outcome) -> ET.Element:
    case = ET.Element(
        "testcase",
        name=f"{outcome.code} {outcome.slug}",
        classname=_text(f"leakaudit {report.root}"),
        time=f"{outcome.seconds or 0:.3f}",
    )
    failing = [finding for finding in outcome.findings if finding.id in report.verdict.failing]
    others = [finding for finding in outcome.findings if finding.id not in report.verdict.failing]
    if failing:
        _add(case, "failure", failing[0].message, _listed(failing), kind=failing[0].severity)
    elif outcome.status == "errored":
        _add(case, "error", outcome.reason, outcome.reason, kind="errored")
    elif outcome.status in ("skipped", "inconclusive"):
        _add(case, "skipped", outcome.reason, "")
    output = [outcome.reason, *([_listed(others)] if others else [])]
    ET.SubElement(case, "system-out").text = _text("\n".join(output))
    return case


def _coverage(report: Report) -> ET.Element:
    case = ET.Element("testcase", name="coverage", classname=_text(f"leakaudit {report.root}"), time="0.000")
    if report.verdict.status == "incomplete":
        listed = [f"{problem.uri}: {problem.reason}" for problem in report.coverage.problems[:LISTED]]
        _add(case, "failure", report.verdict.reason, "\n".join(map(plain, listed)), kind="incomplete")
    return case


def _add(case: ET.Element, tag: str, message: str, text: str, kind: str | None = None) -> None:
    element = ET.SubElement(case, tag, message=_text(plain(message)))
    if kind:
        element.set("type", kind)
    element.text = _text(text)


def _listed(findings: Sequence[Finding]) -> str:
    lines = [f"{finding.severity}: {plain(finding.message)}{_accepted(finding)}" for finding in findings[:LISTED]]
    more = len(findings) - LISTED
    return "\n".join([*lines, f"… and {more:,} more in the JSON report"] if more > 0 else lines)


def _accepted(finding: Finding) -> str:
    return f" (accepted: {plain(finding.accepted.reason)})" if finding.accepted else ""


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda match: escape_character(match[0]), text)
