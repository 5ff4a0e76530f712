"""The accepted-findings file: written, read, applied; reviewed entries survive what must not matter."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit import accepted, audit
from leakaudit.accepted import Entry
from leakaudit.cli import cli
from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError
from leakaudit.model import Evidence, Finding, Outcome
from leakaudit.report_file import read_report

TODAY = dt.date(2026, 3, 1)


def finding(id_: str = "LA101-0123456789abcdef", **changes) -> Finding:
    made = Finding(id_, id_[:5], "identical-files", "error", "a is b", ("val", "train"), 1)
    return replace(made, **changes)


def outcome(*findings: Finding, status: str = "failed") -> Outcome:
    return Outcome("LA101", "identical-files", status, "compared", findings=findings)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
entries = st.builds(
    Entry,
    id=st.from_regex(r"LA[0-9]{3}-[0-9a-f]{16}", fullmatch=True),
    reason=texts,
    expires=st.none() | st.dates(min_value=dt.date(1000, 1, 1)),
    about=st.just(""),
    groups=st.none() | st.integers(0, 10**6),
)


@given(st.lists(entries, unique_by=lambda entry: entry.id))
def test_what_is_written_is_read(wanted):
    read = accepted.parse(accepted.updated("", (), wanted, "file"), "file")
    assert sorted(read, key=lambda e: e.id) == sorted(wanted, key=lambda e: e.id)


@given(st.lists(entries, unique_by=lambda entry: entry.id, min_size=1), st.data())
def test_entries_come_and_go_and_nothing_else_changes(wanted, data):
    text = accepted.updated("# mine\n", (), wanted, "file")
    dropped = {entry.id for entry in data.draw(st.lists(st.sampled_from(wanted), unique=True))}
    renewed = [replace(wanted[0], reason="again")]
    after = accepted.updated(text, dropped, renewed, "file")
    gone = {*dropped, wanted[0].id}
    expected = [entry for entry in wanted if entry.id not in gone] + renewed
    assert sorted(accepted.parse(after, "file"), key=lambda e: e.id) == sorted(expected, key=lambda e: e.id)
    assert after.startswith("# mine\n")


@given(texts)
def test_comments_beside_findings_never_break_the_file(about):
    entry = Entry("LA101-0123456789abcdef", "why", about=about)
    assert accepted.parse(accepted.updated("", (), [entry], "file"), "file") == (replace(entry, about=""),)


def test_what_a_person_wrote_stays_and_a_shared_line_is_said():
    text = (
        "# who to ask: the curators\n\n[[accepted]] # agreed\nreason = 'old'\nfindings = [\n  'LA101-00', # seen\n]\n"
    )
    after = accepted.updated(text, (), [Entry("LA101-01", "new")], "file")
    assert after.startswith(text)
    assert accepted.updated(text, ["LA101-00"], [], "file") == text.replace("  'LA101-00', # seen\n", "")
    with pytest.raises(ConfigError, match="a line of its own"):
        accepted.updated(text.replace("'LA101-00'", "'LA101-00', 'LA101-02'"), ["LA101-00"], [], "file")


def test_an_accepted_finding_is_marked_and_others_are_not():
    entry = Entry("LA101-0123456789abcdef", "on purpose", dt.date(2026, 3, 1))
    other = finding("LA101-ffffffffffffffff")
    (marked,), use = accepted.apply([outcome(finding(), other)], [entry], TODAY, source="file")
    assert marked.findings[0].accepted
    assert marked.findings[0].accepted.reason == "on purpose"
    assert marked.findings[1].accepted is None
    assert (use.n_findings, use.expired, use.vanished) == (1, (), ())


def test_expired_entries_count_again_and_are_reported():
    entry = Entry("LA101-0123456789abcdef", "for now", dt.date(2026, 2, 28))
    (marked,), use = accepted.apply([outcome(finding())], [entry], TODAY, source="file")
    assert marked.findings[0].accepted is None
    assert use.expired == (entry.id,)


@pytest.mark.parametrize(("status", "vanished"), [("passed", 1), ("inconclusive", 1), ("skipped", 0), ("errored", 0)])
def test_entries_without_a_finding_are_reported_where_the_check_came_to_a_result(status, vanished):
    _, use = accepted.apply([outcome(status=status)], [Entry("LA101-0123456789abcdef", "why")], TODAY, source="file")
    assert len(use.vanished) == vanished


def test_groups_that_are_not_listed_are_accepted_up_to_their_number():
    rest = finding(effect={"n_groups": 5})
    (entry,) = accepted.from_findings([rest], "why", None)
    assert entry.groups == 5
    more = replace(rest, effect={"n_groups": 6})
    assert accepted.apply([outcome(rest)], [entry], TODAY, source="f")[0][0].findings[0].accepted
    assert accepted.apply([outcome(more)], [entry], TODAY, source="f")[0][0].findings[0].accepted is None
    assert accepted.groups_of(replace(rest, evidence=Evidence(breakdown=None, n_samples=1))) == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "end of document"),
        ("a = 1", "unknown key 'a'"),
        ("accepted = 3", "two brackets"),
        ("accepted = [3]", "block 1"),
        ("[[accepted]]\nreason = ''\nfindings = []", "say why"),
        ("[[accepted]]\nreason = 'r'\nfindings = 3", "findings is a list"),
        ("[[accepted]]\nreason = 'r'\nfindings = [3]", "is an id in quotes"),
        ("[[accepted]]\nreason = 'r'\nexpires = '2027-01-01'\nfindings = []", "without quotes"),
        ("[[accepted]]\nreason = 'r'\nexpire = 2027-01-01\nfindings = []", "unknown key 'expire'"),
        ("a = " + "[" * 5000, "accepted.toml"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path, text, said):
    path = tmp_path / "accepted.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        accepted.load(path)


def test_a_missing_or_undecodable_file_is_one_clear_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        accepted.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.toml"):
        accepted.load(tmp_path / "bytes.toml")


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "train.csv").write_text("x,y\n" + "".join(f"{i},{i % 7}\n" for i in range(60)))
    (tmp_path / "val.csv").write_text("x,y\n" + "".join(f"{i},{i % 7}\n" for i in range(57, 90)))
    return tmp_path


def scan(folder: Path, **settings):
    return audit(folder, config=Config(select=("LA104",), **settings))


def test_accepting_all_findings_makes_the_gate_clean_whatever_the_names_and_the_order(tables, run_accept):
    run_accept(tables)
    assert scan(tables).verdict.exit_code == 1
    lines = (tables / "val.csv").read_text().splitlines()
    (tables / "val.csv").unlink()
    (tables / "test.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    (tables / "test.csv").rename(tables / "val.csv")
    report = scan(tables, accepted=tables / "accepted.toml")
    assert report.verdict.exit_code == 0
    assert "accepted" in report.verdict.reason
    assert all(finding.accepted for finding in report.findings)


def test_a_grown_cluster_is_a_new_finding(tables, run_accept):
    run_accept(tables)
    with (tables / "val.csv").open("a") as file:
        file.write("57,1\n")
    report = scan(tables, accepted=tables / "accepted.toml")
    assert report.verdict.exit_code == 1
    assert len(report.verdict.failing) == 1


def test_only_what_is_new_fails_since_a_report(tables):
    report_file = tables / "old.json"
    write(tables, report_file)
    assert scan(tables, new_since=report_file).verdict.exit_code == 0
    with (tables / "val.csv").open("a") as file:
        file.write("3,3\n")
    again = scan(tables, new_since=report_file)
    assert again.verdict.exit_code == 1
    assert len(again.verdict.failing) == 1


def write(folder: Path, path: Path) -> None:
    from leakaudit.render.data.report_json import to_json

    path.write_text(to_json(scan(folder)), encoding="utf-8")


@pytest.fixture
def run_accept(tmp_path):
    def run(folder: Path, *options: str) -> None:
        write(folder, tmp_path / "report.json")
        pretty = json.loads((tmp_path / "report.json").read_text())
        (tmp_path / "report.json").write_text(json.dumps(pretty, indent=4, sort_keys=True))  # re-encoded on the way
        args = ["accept", str(tmp_path / "report.json"), "--reason", "fine", *options]
        cli.main([*args, "--file", str(tmp_path / "accepted.toml")], standalone_mode=False)

    return run


def test_accepting_again_renews_and_pruning_drops_what_is_gone(tables, run_accept):
    run_accept(tables)
    before = accepted.load(tables / "accepted.toml")
    run_accept(tables, "--expires", "2999-01-01")
    renewed = accepted.load(tables / "accepted.toml")
    assert {entry.id for entry in renewed} == {entry.id for entry in before}
    assert all(entry.expires == dt.date(2999, 1, 1) for entry in renewed)
    lines = (tables / "val.csv").read_text().splitlines()
    (tables / "val.csv").write_text("\n".join([lines[0], *lines[4:]]) + "\n")
    run_accept(tables, "--prune")
    assert accepted.load(tables / "accepted.toml") == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": "leakaudit-report/1"}', '{"schema": "other/1"}', "[" * 9999]
)
def test_what_is_no_report_is_said_in_one_line(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(InputError, match=r"leakaudit scan --json|write it again"):
        read_report(tmp_path / "r.json")


def test_a_report_reads_back_as_it_was(tables):
    report = scan(tables)
    write(tables, tables / "r.json")
    past = read_report(tables / "r.json")
    assert past.findings == report.findings
    assert past.splits == {name: split.n for name, split in report.splits.items()}
