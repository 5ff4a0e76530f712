from __future__ import annotations

from dataclasses import replace

import pytest

from leakaudit import accepted
from leakaudit.errors import ConfigError
from leakaudit.model import Evidence, Finding, Sample, SamplePair
from leakaudit.report_file import PastReport
from leakaudit.review.journal import Marks
from leakaudit.review.pairs import n_passed_over, review_pairs
from leakaudit.review.result import result, save_accepted, save_removals, sentences


def finding(id_, n, *, n_pairs=None, n_samples=None, splits=("test", "train")):
    pairs = tuple(
        SamplePair(Sample(f"{id_}/a{i}", splits[0], "x"), Sample(f"{id_}/b{i}", splits[-1], "x")) for i in range(n)
    )
    evidence = Evidence(pairs=pairs, n_pairs=n_pairs or n)
    return Finding(f"LA101-{id_}", "LA101", "slug", "error", f"about {id_}", splits, n_samples or n, {}, evidence)


def pairs_of(*findings):
    return review_pairs(PastReport("r.json", "1", ".", {}, frozenset(), findings))


def marked(pairs, *said):
    return Marks({each.key: mark for each, mark in zip(pairs, said, strict=True) if mark})


def test_a_finding_is_fine_when_all_its_pairs_are():
    pairs = pairs_of(finding("p", 2), finding("q", 2), finding("r", 1))
    found = result(pairs, marked(pairs, "fine", "fine", "fine", "unsure", None))
    assert [each.id for each in found.fine] == ["LA101-p"]
    assert found.revoked == {"LA101-q"}
    assert found.removals == ()


def test_pairs_that_are_not_listed_stop_an_acceptance():
    cut = finding("cut", 2, n_pairs=9, n_samples=5)
    seen = finding("seen", 2, n_pairs=9, n_samples=2)
    pairs = pairs_of(cut, seen)
    found = result(pairs, marked(pairs, "fine", "fine", "fine", "fine"))
    assert found.fine == (seen,)
    assert found.partly == (cut,)
    assert any("not accepted" in sentence for sentence in sentences(found, None, None))


def test_what_is_removed_and_from_which_side():
    pairs = pairs_of(finding("p", 2, n_pairs=5), finding("w", 1, splits=("train",)))
    marks = marked(pairs, "leak", "fine", "leak")
    assert [(sample.uri, id_) for sample, id_ in result(pairs, marks).removals] == [
        ("p/b0", "LA101-p"),
        ("w/a0", "LA101-w"),
    ]
    held_out = result(pairs, marks, "held-out")
    assert [sample.uri for sample, _ in held_out.removals] == ["p/a0", "w/a0"]
    assert held_out.fine == ()
    assert held_out.n_partly_removed == 1


def test_only_copies_that_nobody_accepted_are_gone_through():
    shift = replace(finding("s", 1), code="LA109")
    old = replace(finding("o", 1), accepted=accepted.load)
    report = PastReport("r", "1", ".", {}, frozenset(), (shift, old, finding("p", 1)))
    assert [each.finding.id for each in review_pairs(report)] == ["LA101-p"]
    assert n_passed_over(report) == 1


def test_the_accepted_file_keeps_what_it_held_and_forgets_what_is_no_longer_fine(tmp_path):
    path = tmp_path / "accepted.toml"
    path.write_text('[[accepted]]\nreason = "mine"\nfindings = ["LA101-q", "LA102-other"]\n')
    pairs = pairs_of(finding("p", 1), finding("q", 1))
    save_accepted(path, result(pairs, marked(pairs, "fine", "leak")))
    assert {entry.id: entry.reason for entry in accepted.load(path)} == {
        "LA101-q": "mine",
        "LA102-other": "mine",
        "LA101-p": "reviewed: fine",
    }
    save_accepted(path, result(pairs, marked(pairs, "leak", "leak")))
    assert [entry.id for entry in accepted.load(path)] == ["LA101-q", "LA102-other"]


def test_the_removals_are_csv_without_formulas_and_over_nothing_else(tmp_path):
    path = tmp_path / "remove.csv"
    hostile = replace(
        finding("p", 1),
        evidence=Evidence(pairs=(SamplePair(Sample("a", "test"), Sample('=x,"y\n', "train")),), n_pairs=1),
    )
    pairs = pairs_of(hostile)
    save_removals(path, result(pairs, marked(pairs, "leak")))
    assert path.read_text() == 'split,uri,finding\ntrain,"\'=x,""y\n",LA101-p\n'
    save_removals(path, result(pairs, marked(pairs, None)))
    assert path.read_text() == "split,uri,finding\n"
    path.write_text("my,table\n")
    with pytest.raises(ConfigError, match="no list of removals"):
        save_removals(path, result(pairs, marked(pairs, "leak")))
    assert path.read_text() == "my,table\n"
