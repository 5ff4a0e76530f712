"""What changed between two reports."""

from __future__ import annotations

import io
import json

import pytest

from leakaudit.comparison import compare_reports
from leakaudit.model import Evidence, Finding, Sample, SamplePair
from leakaudit.render.comparison import write
from leakaudit.report_file import PastReport


def finding(id_: str, *held_out: str, code: str = "LA101", **changes) -> Finding:
    pairs = tuple(SamplePair(Sample(uri, "val"), Sample("train/1.png", "train")) for uri in held_out)
    told = {
        "severity": "error",
        "message": f"{id_} <b>",
        "splits": ("val", "train"),
        "n_samples": len(held_out),
        "evidence": Evidence(pairs=pairs, n_pairs=len(pairs)),
    }
    return Finding(id=id_, code=code, slug="s", **{**told, **changes})


def report(*findings: Finding, ran=("LA101", "LA201")) -> PastReport:
    return PastReport("r.json", "1", "data", {}, frozenset(ran), findings)


def kinds(found) -> list[tuple[str, str]]:
    return [(change.kind, change.finding.id) for change in found.changes]


def test_the_same_findings_are_no_change():
    found = compare_reports(report(finding("a", "x"), finding("b", "y")), report(finding("b", "y"), finding("a", "x")))
    assert (kinds(found), found.n_unchanged) == ([], 2)


def test_a_cluster_that_gained_a_sample_grew_and_is_not_told_twice():
    found = compare_reports(report(finding("a", "x")), report(finding("b", "x", "y"), finding("c", "z")))
    assert kinds(found) == [("appeared", "c"), ("grew", "b")]


def test_a_cluster_that_lost_a_sample_shrank():
    found = compare_reports(report(finding("a", "x", "y")), report(finding("b", "y")))
    assert kinds(found) == [("shrank", "b")]


def test_vanished_is_said_only_of_checks_that_ran():
    old = report(finding("a", "x"), finding("b", "y", code="LA102"), ran=("LA101", "LA102"))
    found = compare_reports(old, report(ran=("LA101",)))
    assert kinds(found) == [("vanished", "a")]
    assert found.not_run == ("LA102",)


def test_findings_without_samples_are_matched_by_their_subject():
    def shift(id_: str, column: str, n: int) -> Finding:
        return finding(id_, code="LA201", n_samples=n, effect={"column": column, "d": n / 10}, evidence=Evidence())

    found = compare_reports(report(shift("a", "age", 5), shift("b", "sex", 5)), report(shift("c", "age", 9)))
    assert kinds(found) == [("grew", "c"), ("vanished", "b")]


def test_more_groups_that_are_not_listed_is_growth():
    def rest(n: int) -> Finding:
        return finding("rest", n_samples=n, effect={"n_groups": n}, evidence=Evidence())

    assert kinds(compare_reports(report(rest(3)), report(rest(4)))) == [("grew", "rest")]


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_format_writes_all_kinds(form):
    old = report(finding("a", "x"), finding("b", "y", "y2"), finding("gone", "q"))
    new = report(finding("a2", "x", "x2"), finding("b2", "y"), finding("new", "w"))
    stream = io.StringIO()
    write(compare_reports(old, new), stream, form=form, limit=None)
    text = stream.getvalue()
    for word in ("appeared", "grew", "shrank", "vanished"):
        assert word in text.lower()
    if form == "json":
        assert [change["kind"] for change in json.loads(text)["changes"]] == ["appeared", "grew", "shrank", "vanished"]
    if form == "markdown":
        assert "<b>" not in text
