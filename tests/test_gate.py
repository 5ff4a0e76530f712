from __future__ import annotations

from dataclasses import replace

import pytest

from leakaudit.config import Config, Override
from leakaudit.gate import judge, worst
from leakaudit.model import Coverage, Evidence, Finding, Outcome, Sample, SamplePair, Severity, SplitInfo

PASSED = Outcome("LA101", "slug", "passed", "why")


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
    assert judge([PASSED], Coverage(n_read=9_999, n_unreadable=1), Config()).exit_code == 0


SPLITS = {"train": SplitInfo(99_960, {}), "test": SplitInfo(960, {})}


@pytest.mark.parametrize(("blind_in", "exit_code"), [({"test": 40}, 4), ({"train": 40}, 0), ({}, 0)])
def test_one_split_may_not_lose_more_than_the_tolerance_either(blind_in, exit_code):
    coverage = Coverage(n_read=100_920, n_unreadable=40, blind_in=blind_in)
    verdict = judge([PASSED], coverage, Config(), SPLITS)
    assert verdict.exit_code == exit_code
    assert ("40 of 1,000 samples of test were not looked at" in verdict.reason) == bool(exit_code)


@pytest.mark.parametrize("outcomes", [[], [Outcome("LA106", "slug", "skipped", "no column of running text")]])
def test_where_no_check_ran_nothing_is_clean(outcomes):
    verdict = judge(outcomes, Coverage(n_read=10, not_applicable=("LA103",)), Config())
    assert (verdict.status, verdict.exit_code) == ("incomplete", 4)
    assert "nothing was examined" in verdict.reason
    assert "LA103" in verdict.reason
    assert all(outcome.reason in verdict.reason for outcome in outcomes)
    undecided = Outcome("LA203", "slug", "inconclusive", "too few rows")
    assert judge([*outcomes, undecided], Coverage(n_read=10), Config()).exit_code == 0


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


# --- overrides, required checks, further tolerances ----------------------------------------------------------


def leak(*uris: str, n_samples: int | None = None, splits: tuple[str, ...] = ("val", "train")) -> Outcome:
    pairs = tuple(SamplePair(Sample(uri, splits[0]), Sample("train/0.png", splits[-1])) for uri in uris)
    evidence = Evidence(pairs=pairs, n_pairs=n_samples or len(pairs))
    finding = Finding("LA103-1", "LA103", "slug", "error", "m", splits, n_samples or len(pairs), evidence=evidence)
    return Outcome("LA103", "slug", "failed", "why", findings=(finding,))


TOLERANT = Config(overrides=(Override(("scans/**",), ignore=("LA103",)),))


@pytest.mark.parametrize(
    ("outcome", "exit_code"),
    [
        (leak("scans/1.png", "scans/a/2.png"), 0),
        (leak("scans/1.png", "other/2.png"), 1),
        (leak("scans/1.png", n_samples=2), 1),  # the other one is not listed
        (leak(), 1),
        (leak("scans/1.png", "scans/2.png", splits=("val",)), 1),  # inside a split the other side counts, too
    ],
)
def test_overrides_forgive_only_what_lies_under_their_paths(outcome, exit_code):
    verdict = judge([outcome], Coverage(n_read=10), TOLERANT)
    assert verdict.exit_code == exit_code
    assert judge([outcome], Coverage(n_read=10), Config()).exit_code == 1
    if not exit_code:
        assert "1 set aside by overrides" in verdict.reason


def test_overrides_do_not_touch_blind_spots():
    everything = Config(overrides=(Override(("**",), fail_on="never"),))
    assert judge([outcome("LA001", "error")], Coverage(n_read=90, n_unreadable=10), everything).exit_code == 4


@pytest.mark.parametrize("status", ["skipped", "inconclusive"])
def test_a_required_check_must_decide(status):
    undecided = Outcome("LA201", "slug", status, "why")
    assert judge([PASSED, undecided], Coverage(n_read=5), Config()).exit_code == 0
    verdict = judge([PASSED, undecided], Coverage(n_read=5), Config(require=("LA201",)))
    assert (verdict.status, verdict.exit_code) == ("incomplete", 4)
    assert f"LA201 ({status})" in verdict.reason


def test_a_required_check_that_did_not_run_is_undecided():
    assert "LA103 (not run)" in judge([PASSED], Coverage(n_read=5), Config(require=("LA103",))).reason
    assert judge([replace(PASSED, code="LA103")], Coverage(n_read=5), Config(require=("LA103",))).exit_code == 0


def test_files_of_unsupported_types_have_their_own_tolerance():
    coverage = Coverage(n_read=8, n_unsupported=2)
    assert judge([PASSED], coverage, Config()).exit_code == 0
    assert judge([PASSED], coverage, Config(unsupported_tolerance=0.2)).exit_code == 0
    verdict = judge([PASSED], coverage, Config(unsupported_tolerance=0.1))
    assert verdict.exit_code == 4
    assert "2 of 10" in verdict.reason


def test_the_worst_of_several_audits():
    assert [worst(codes) for codes in ([0, 4], [4, 3], [3, 1, 0], [])] == [4, 3, 1, 0]
