"""SARIF, JUnit, GitHub, GitLab, Markdown: valid for the tools that read them, and names from the data stay text."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from leakaudit.model import Acceptance, Evidence, Finding, Report, Sample, Verdict
from leakaudit.render import FORMATS
from leakaudit.render.ci.github import _command
from leakaudit.render.ci.markdown import escaped
from leakaudit.render.ci.places import place
from reports import HOSTILE, REPORTS

CI_FORMATS = ("sarif", "junit", "github", "gitlab", "markdown")
SARIF_SCHEMA = Path(os.environ.get("LEAKAUDIT_SARIF_SCHEMA", ".cache/sarif-2.1.0.json"))


def written(name: str, report: Report) -> str:
    stream = StringIO()
    FORMATS[name](report, stream)
    return stream.getvalue()


def finding(message: str = "a is b", uri: str = "val/a.png", **changes) -> Finding:
    evidence = Evidence(samples=(Sample(uri, "val"),), n_samples=1)
    made = Finding("LA101-0123456789abcdef", "LA101", "identical-files", "error", message, ("val", "train"), 1)
    return replace(made, evidence=evidence, **changes)


def with_finding(made: Finding, **changes) -> Report:
    report = next(iter(REPORTS.values()))()
    outcomes = [replace(o, findings=(made,) if o.code == made.code else ()) for o in report.outcomes]
    verdict = Verdict("findings", 1, "1 finding", frozenset({made.id} if not made.accepted else ()))
    return replace(report, outcomes=tuple(outcomes), verdict=verdict, **changes)


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_is_valid_by_the_official_schema(report):
    if not SARIF_SCHEMA.is_file():
        pytest.skip("the official SARIF schema is not here: `make test-assets` fetches it")
    schema = json.loads(SARIF_SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    errors = [error.message for error in validator.iter_errors(json.loads(written("sarif", REPORTS[report]())))]
    assert errors == []


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_has_a_result_for_every_finding_and_a_rule_for_every_result(report):
    made = REPORTS[report]()
    (run,) = json.loads(written("sarif", made))["runs"]
    assert [result["partialFingerprints"]["leakaudit/v1"] for result in run["results"]] == [f.id for f in made.findings]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"]
    assert run["invocations"][0]["exitCode"] == made.verdict.exit_code


def test_accepted_findings_are_suppressed_in_sarif_and_absent_from_gitlab():
    report = with_finding(finding(accepted=Acceptance("on purpose", "2027-01-01", "file")))
    (result,) = json.loads(written("sarif", report))["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "on purpose (until 2027-01-01)"
    assert json.loads(written("gitlab", report)) == []
    assert "::error" not in written("github", report)
    case = ET.fromstring(written("junit", report)).find(".//testcase[@name='LA101 identical-files']")
    assert case is not None
    assert case.find("failure") is None


@pytest.mark.parametrize("report", REPORTS)
def test_junit_counts_what_it_holds(report):
    made = REPORTS[report]()
    suite = ET.fromstring(written("junit", made)).find("testsuite")
    assert suite is not None
    assert int(suite.get("tests", "")) == len(suite.findall("testcase")) == len(made.outcomes) + 1
    for tag, counter in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(suite.get(counter, "")) == len(suite.findall(f"testcase/{tag}"))


def test_junit_fails_what_fails_the_gate_and_nothing_else():
    made = finding()
    report = with_finding(made)
    assert len(ET.fromstring(written("junit", report)).findall(".//failure")) == 1
    tolerated = replace(report, verdict=Verdict("clean", 0, "tolerated"))
    assert ET.fromstring(written("junit", tolerated)).findall(".//failure") == []
    blind = replace(report, verdict=Verdict("incomplete", 4, "half could not be read"))
    (failure,) = ET.fromstring(written("junit", blind)).findall(".//failure")
    assert failure.get("message") == "half could not be read"


@pytest.mark.parametrize("report", REPORTS)
def test_gitlab_issues_have_what_the_widget_needs(report):
    made = REPORTS[report]()
    issues = json.loads(written("gitlab", made))
    blind = made.verdict.status == "incomplete"
    assert [issue["fingerprint"] for issue in issues][blind:] == [found.id for found in made.findings]
    assert blind == bool(issues and issues[0]["severity"] == "blocker")
    for issue in issues:
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["path"]
        assert issue["location"]["lines"]["begin"] == 1


@pytest.mark.parametrize("report", REPORTS)
def test_github_lines_are_commands_or_one_headline(report):
    lines = written("github", REPORTS[report]()).splitlines()
    assert not lines[-1].startswith("::")
    for line in lines[:-1]:
        assert re.fullmatch(r"::(error|warning|notice) (file=[^,:]+,)?title=[^,:]+::.+", line)


@given(st.text())
def test_a_name_cannot_forge_a_workflow_command(name):
    line = _command("error", name, file=name, title="t")
    assert len(line.splitlines()) == 1
    head, _, _ = line.removeprefix("::error ").partition("::")
    assert re.fullmatch(r"file=[^,:]*,title=t", head)


@given(st.text())
def test_markdown_shows_any_text_as_it_is(text):
    html = MarkdownIt("gfm-like", {"linkify": False}).enable("table").render(f"- {escaped(text)}")
    assert re.fullmatch(r"<ul>\n<li>[^<>]*</li>\n</ul>\n", re.sub(r"<!-- -->", "", html))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", CI_FORMATS)
def test_hostile_names_stay_text(form, name):
    report = with_finding(finding(message=f"{name} is byte-identical to {name}", uri=name), root=name)
    text = written(form, report)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if form == "junit":
        assert "<script>" not in text
        ET.fromstring(text)
    elif form in ("sarif", "gitlab"):
        json.loads(text)
        assert text.isascii()
    elif form == "markdown":
        html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
        assert "<script>" not in html
        assert "<b>" not in html
    else:
        assert all(line.startswith("::") for line in text.splitlines()[:-1])


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text))
def test_every_format_writes_every_name(name):
    report = with_finding(finding(message=name, uri=name))
    for form in CI_FORMATS:
        assert written(form, report)


def test_places_are_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = next(iter(REPORTS.values()))()
    inside = replace(report, root=str(tmp_path / "data"), kind="image")
    assert place(inside, "val/a b#1.png").uri == "data/val/a%20b%231.png"
    table = replace(report, root="data/", kind="table")
    found = place(table, "val.csv#17")
    assert (found.path, found.row) == ("data/val.csv", 17)
    outside = replace(report, root="/elsewhere", kind="image")
    assert place(outside, "a.png").uri == "file:///elsewhere/a.png"
    assert place(replace(report, root="", kind="image"), "c:d.png").uri == "c%3Ad.png"
