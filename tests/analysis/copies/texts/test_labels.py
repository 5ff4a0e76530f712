from __future__ import annotations

from leakaudit.analysis.copies.texts.corpus import only_texts
from leakaudit.checks.la110_conflicting_labels import CHECK as LA110
from leakaudit.checks.la111_duplicates_within_split import CHECK as LA111
from tables import context, frame

TEXTS = [f"the keeper of house number {i} has {i * 3} keys to hand" for i in range(40)]
LABELS = ["calm", "lively"] * 20


def made(train_texts, train_labels, val_texts, val_labels, **more):
    return context(
        frame("train", text=train_texts, label=train_labels, **{name: cells[0] for name, cells in more.items()}),
        frame("val", text=val_texts, label=val_labels, **{name: cells[1] for name, cells in more.items()}),
        label="label",
    )


def test_the_same_text_with_two_labels():
    data = made(
        [*TEXTS, "It’s fine, really, though the second night was louder than promised!"],
        [*LABELS, "calm"],
        ["one more text here", "it s FINE really though the second night was louder than promised"],
        ["calm", "lively"],
    )
    outcome = LA110.run(data, LA110.params)
    (finding,) = [f for f in outcome.findings if f.splits == ("val", "train")]
    assert (finding.severity, finding.n_samples) == ("error", 1)
    assert "has the same text as" in finding.message
    assert finding.effect["n_labels"] == 2
    assert sum(map(len, outcome.pairs())) == 1


def test_near_texts_with_two_labels_are_a_warning():
    base = "please do not send the parcel to the old address in the village any more"
    data = made([*TEXTS, base], [*LABELS, "calm"], ["one more text here", base.replace("not ", "")], ["calm", "lively"])
    (finding,) = LA110.run(data, LA110.params).findings
    assert (finding.severity, finding.n_samples) == ("warning", 1)
    assert "is a near-duplicate of" in finding.message


def test_copies_of_a_text_inside_a_split():
    data = made(
        [*TEXTS, TEXTS[0].upper(), f"{TEXTS[2]}."], [*LABELS, "calm", "lively"], ["one more text here"], ["calm"]
    )
    outcome = LA111.run(data, LA111.params)
    assert [(f.splits, f.n_samples) for f in outcome.findings] == [(("train",), 1)]
    assert sum(map(len, outcome.pairs())) == 1
    conflict = [f for f in LA110.run(data, LA110.params).findings if f.splits == ("train",)]
    assert [(f.severity, f.n_samples) for f in conflict] == [("warning", 1)]


def test_other_features_tell_equal_texts_apart():
    data = made(
        [*TEXTS, TEXTS[0]],
        [*LABELS, "lively"],
        ["one more"],
        ["calm"],
        size=([*range(40), 3], [7]),
        kind=(["a", "b"] * 20 + ["a"], ["b"]),
    )
    assert only_texts(data) is None
    assert LA110.run(data, LA110.params).status == "passed"


def test_texts_without_a_word_keep_their_identity():
    data = made(
        [*TEXTS, "?!", "?!", "!!"], [*LABELS, "calm", "calm", "calm"], ["one more text here", ""], ["calm", "calm"]
    )
    assert sum(f.n_samples for f in LA111.run(data, LA111.params).findings) == 1
