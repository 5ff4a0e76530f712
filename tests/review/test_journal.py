from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.errors import ConfigError, InputError
from leakaudit.review.journal import SCHEMA, Journal, journal_path, read_journal

KEYS = st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3))
MARKS = st.sampled_from(["leak", "fine", "unsure", None])


def test_no_journal_means_no_marks(tmp_path):
    assert read_journal(tmp_path / "none.jsonl").of == {}


def test_it_stands_beside_the_report(tmp_path):
    assert journal_path(tmp_path / "a.json") == tmp_path / "a.json.review.jsonl"


@given(st.lists(st.tuples(KEYS, MARKS), max_size=12), st.data())
def test_a_journal_cut_anywhere_loses_the_last_mark_at_most(tmp_path_factory, marks, data):
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    after = [{}]
    with Journal(path) as journal:
        for key, mark in marks:
            journal.add(key, mark)
            after.append(dict(journal.marks.of))
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1
    cut = data.draw(st.integers(head, len(whole)))
    path.write_bytes(whole[:cut])
    n_whole = whole[:cut].count(b"\n") - 1
    assert read_journal(path).of in (after[n_whole], after[min(n_whole + 1, len(marks))])
    with Journal(path) as journal:
        before = dict(journal.marks.of)
        journal.add(("id", "a", "b"), "leak")
    assert read_journal(path).of == {**before, ("id", "a", "b"): "leak"}


def test_a_mark_is_replaced_and_taken_back(tmp_path):
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add(("f", "a", "b"), "leak")
        journal.add(("f", "a", "b"), "fine")
        journal.add(("f", "c", "d"), "unsure")
        journal.add(("f", "c", "d"), None)
    found = read_journal(path)
    assert found.of == {("f", "a", "b"): "fine"}
    assert found.counts() == {"leak": 0, "fine": 1, "unsure": 0}


def test_lines_that_say_nothing_are_counted(tmp_path):
    path = tmp_path / "j.jsonl"
    lines = [{"schema": SCHEMA}, {"finding": "f", "a": "a", "b": "b", "mark": "fine"}, {"finding": 3}, ["x"]]
    lines += [{"finding": "f", "a": "a", "b": "c", "mark": "nonsense"}, {"finding": "f", "a": "a", "b": "d"}]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    found = read_journal(path)
    assert found.of == {("f", "a", "b"): "fine"}
    assert found.n_damaged == 4


def test_what_is_no_journal_is_left_alone(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("my notes\n")
    with pytest.raises(InputError, match="no journal of a review"):
        Journal(path)
    assert path.read_text() == "my notes\n"
    with pytest.raises(ConfigError, match="cannot write"):
        Journal(tmp_path / "nowhere" / "j.jsonl")
