"""What is found in every fixture, line by line: a change that moves a verdict shows in the diff of one file.

``LEAKAUDIT_GOLDEN=write pytest tests/test_golden.py`` writes the file anew, for a change that is meant. Scores are left
out, because they vary with the decoder of pictures in the last digits; whatever decides a verdict is in.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agreement import assert_formats_agree
from leakaudit import audit
from leakaudit.checks import CHECKS

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).resolve().parent / "golden" / "reports.json"
SETS = ["demo", *(f"{check.code}/{name}" for check in CHECKS for name in ("clean", "leaky"))]
WRITES = os.environ.get("LEAKAUDIT_GOLDEN") == "write"


def summary(report):
    return {
        "layout": f"{report.layout.name}: {report.layout.why}",
        "splits": {split: info.n for split, info in report.splits.items()},
        "notes": list(report.notes),
        "coverage": f"{report.coverage.n_read} read, {report.coverage.n_blind} blind, "
        f"{report.coverage.n_other_files} others",
        "verdict": f"{report.verdict.exit_code}: {report.verdict.reason}",
        "outcomes": {outcome.code: outcome.status for outcome in report.outcomes},
        "findings": [
            f"{finding.severity} {finding.code} {' against '.join(finding.splits)}: {finding.n_samples}"
            for finding in report.findings
        ],
    }


@pytest.mark.parametrize("name", SETS)
def test_reports_are_as_they_were_and_every_format_says_the_same(name, tmp_path):
    report = audit(ROOT / "fixtures" / name, cache_dir=tmp_path / "cache")
    found = summary(report)
    assert_formats_agree(report, tmp_path)
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if WRITES:
        golden[name] = found
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert golden[name] == found
