"""Whether a report on objects says what the report on the same data in files says."""

from __future__ import annotations

from leakaudit.model import Report


def said(report: Report) -> dict[str, object]:
    """Everything in a report that does not hang on names of files."""
    return {
        "splits": {name: (info.n, dict(info.labels)) for name, info in report.splits.items()},
        "findings": sorted((each.id, each.code, each.severity, each.n_samples) for each in report.findings),
        "statuses": {outcome.code: outcome.status for outcome in report.outcomes},
        "verdict": report.verdict.status,
    }


def codes(report: Report) -> dict[str, int]:
    """Held-out samples concerned, by check."""
    found: dict[str, int] = {}
    for each in report.findings:
        found[each.code] = found.get(each.code, 0) + each.n_samples
    return found
