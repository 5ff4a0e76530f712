from __future__ import annotations

import pytest

from leakaudit.config import Config
from leakaudit.gate import judge
from leakaudit.model import Coverage, Finding, Outcome, Severity


def outcome(code: str, severity: Severity) -> Outcome:
    finding = Finding(f"{code}-1", code, "slug", severity, "message", ("val", "train"), 1)
    return Outcome(code, "slug", "failed", "why", findings=(finding,))


@pytest.mark.parametrize(
    ("severity", "fail_on", "exit_code"),
    [
        ("error", "error", 1),
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("info", "warning", 0),
        ("info", "info", 1),
        ("error", "never", 0),
    ],
)
def test_findings_fail_from_the_chosen_severity(severity, fail_on, exit_code):
    verdict = judge([outcome("LA101", severity)], Coverage(n_read=10), Config(fail_on=fail_on))
    assert verdict.exit_code == exit_code
    assert verdict.status == ("findings" if exit_code else "clean")


def test_blind_spots_above_the_tolerance_are_incomplete_not_findings():
    verdict = judge([outcome("LA001", "error")], Coverage(n_read=90, n_unreadable=10), Config())
    assert (verdict.status, verdict.exit_code) == ("incomplete", 4)
    assert "10 of 100" in verdict.reason


def test_blind_spots_within_the_tolerance_are_clean():
    assert judge([], Coverage(n_read=9_999, n_unreadable=1), Config()).exit_code == 0


def test_pointers_are_blind_spots():
    assert judge([], Coverage(n_read=10, n_pointers=10), Config()).exit_code == 4


def test_a_leak_outweighs_a_blind_spot():
    verdict = judge([outcome("LA101", "error")], Coverage(n_read=1, n_unreadable=9), Config())
    assert verdict.exit_code == 1


def test_nothing_read_is_never_clean():
    assert judge([], Coverage(n_read=0), Config(blind_tolerance=1.0)).exit_code == 4


def test_a_crashed_check_is_never_clean():
    crashed = Outcome("LA103", "slug", "errored", "boom")
    assert judge([crashed], Coverage(n_read=5), Config()).exit_code == 3
