from __future__ import annotations

from types import SimpleNamespace

import pytest

from leakaudit.analysis.copies.texts import equal as texts
from leakaudit.analysis.copies.texts.corpus import Telling
from leakaudit.checks.la106_duplicate_text import CHECK
from tables import context, frame

WORDS = [
    *("anchor", "bridge", "candle", "door", "ember", "forest", "garden", "harbour"),
    *("island", "jacket", "kettle", "ladder", "meadow", "needle", "orchard"),
]


def sentence(i: int) -> str:
    return " ".join(WORDS[(i * k + k * k) % len(WORDS)] for k in range(2, 9)) + f" {i}"


def run(train, val, params=CHECK.params, **more):
    return CHECK.run(context(frame("train", text=train), frame("val", text=val), **more), params)


def metrics(outcome):
    return outcome.metrics["val against train"]


TRAIN = [sentence(i) for i in range(60)]
VAL = [sentence(i) for i in range(100, 130)]


def test_case_punctuation_and_width_do_not_hide_a_copy():
    copies = [TRAIN[0].upper(), f"«{TRAIN[1]}»", TRAIN[2].replace(" ", " - "), TRAIN[3].replace("a", "ａ") + "!"]
    outcome = run(TRAIN, [*VAL, *copies])
    assert outcome.status == "failed"
    assert {finding.severity for finding in outcome.findings} == {"error"}
    assert sum(finding.n_samples for finding in outcome.findings) == 4
    found = metrics(outcome)
    assert (found["n_normalised"], found["n_exact"], found["n_samples"], found["n_pairs"]) == (4, 0, 4, 4)
    overlap = outcome.findings[0].evidence.pairs[0].overlap
    assert overlap.column == "text"
    assert overlap.a.marks


def test_whole_rows_are_left_to_la104():
    outcome = run(TRAIN, [*VAL, TRAIN[0], f" {TRAIN[1]}", TRAIN[2].upper()])
    found = metrics(outcome)
    assert (found["n_normalised"], found["n_exact"]) == (3, 1)
    assert (found["n_identical_rows_left_out"], found["n_samples"]) == (2, 1)


def test_the_rest_of_the_row_does_not_matter():
    made = context(
        frame("train", text=TRAIN, n=range(60), label=["a", "b"] * 30),
        frame("val", text=[*VAL, TRAIN[4]], n=range(31), label=["b"] * 31),
        label="label",
    )
    outcome = CHECK.run(made, CHECK.params)
    assert [finding.n_samples for finding in outcome.findings] == [1]


def test_a_text_many_times_over_is_one_finding():
    outcome = run([*TRAIN, TRAIN[0].title()], [*VAL, TRAIN[0].upper(), f"{TRAIN[0]}?!"])
    (finding,) = outcome.findings
    assert (finding.n_samples, finding.effect["n_pairs"]) == (2, 4)
    batches = list(outcome.pairs())
    assert sum(map(len, batches)) == 4


@pytest.mark.parametrize("short", ["Yes!", "thank you", "谢谢", "what??"])
def test_short_texts_are_counted_and_no_finding(short):
    outcome = run([*TRAIN, short], [*VAL, f"{short} ".upper() + "."])
    assert outcome.status == "passed"
    assert metrics(outcome)["n_untelling"] == 1
    assert "1 too short or too common to tell" in outcome.reason


def test_set_phrases_are_no_finding_and_long_texts_are():
    phrase, long = "how are you doing today", " ".join(sentence(7).split() * 2)
    train = [*TRAIN, *([phrase] * 12), *([f"{long}"] * 12)]
    outcome = run(train, [*VAL, phrase.upper(), long.upper()])
    assert [finding.n_samples for finding in outcome.findings] == [1]
    assert metrics(outcome)["n_untelling"] == 1
    strict = run(train, [*VAL, phrase.upper(), long.upper()], Telling(phrase_words=0))
    assert sum(finding.n_samples for finding in strict.findings) == 2


def test_a_row_counts_once_when_two_columns_match():
    other = [f"{text} replied" for text in TRAIN]
    made = context(
        frame("train", question=TRAIN, answer=other),
        frame(
            "val", question=[*VAL, TRAIN[0].upper(), "new one here 1"], answer=[*VAL, other[0].upper(), other[1] + "?"]
        ),
    )
    outcome = CHECK.run(made, CHECK.params)
    assert sum(finding.n_samples for finding in outcome.findings) == 2
    assert metrics(outcome)["n_normalised"] == 2


def test_tables_without_text_are_skipped():
    outcome = CHECK.run(context(frame("train", x=[1, 2, 3]), frame("val", x=[4, 5])), CHECK.params)
    assert (outcome.status, outcome.reason) == ("skipped", "no column of running text")


def test_nothing_but_empty_texts_in_one_split():
    outcome = run(TRAIN, [None, "", "😀😀", "?!"] * 5)
    assert outcome.status == "passed"
    assert metrics(outcome)["n_normalised"] == 0


def test_rows_that_la104_puts_down_to_chance_hide_no_copied_text(monkeypatch):
    monkeypatch.setattr(texts, "chance_of_pairs", lambda *_: SimpleNamespace(explains=True))
    found = metrics(run(TRAIN, [*VAL, TRAIN[0], TRAIN[1]]))
    assert (found["n_identical_rows_left_out"], found["n_samples"]) == (0, 2)
