"""GitHub Actions' workflow commands: one annotation a check, severity and pair of splits.

GitHub shows ten annotations of a kind for a step and drops the others, so findings of one kind share one. The job
summary (``$GITHUB_STEP_SUMMARY``) is the Markdown format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from leakaudit.model import Report, Severity
from leakaudit.render.ci.places import places
from leakaudit.render.words import summary
from leakaudit.render.words.plain import encodable, plain

_COMMANDS: Mapping[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def write(report: Report, stream: TextIO) -> None:
    """Write one workflow command a line, and the headline as a line of the log."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for check in summary.failed_checks(report):
        for group in check.groups:
            first = group.findings[0]
            place = places(report, first, 1)[0]
            title = f"{check.outcome.code} {check.outcome.slug}"
            more = len(group.findings) - 1
            at = summary.where(group)
            others = f" (and {more:,} more{f': {at}' if at else ''})" if more else ""
            fix = summary.next_step(check)
            text = f"{first.message}{others}{'. Fix: ' + fix if fix else ''}"
            line = _command(_COMMANDS[group.severity], text, file=place.path, title=title)
            stream.write(encodable(line, encoding) + "\n")
    if report.verdict.status == "incomplete":
        stream.write(
            encodable(_command("error", report.verdict.reason, title="leakaudit: incomplete"), encoding) + "\n"
        )
    stream.write(encodable(f"leakaudit: {plain(summary.headline(report).line)}", encoding) + "\n")


def _command(name: str, message: str, **properties: str) -> str:
    """A workflow command; percent signs, line breaks and (in properties) colons and commas are encoded."""
    told = ",".join(f"{key}={_property(plain(value))}" for key, value in properties.items())
    return f"::{name} {told}::{_data(plain(message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
