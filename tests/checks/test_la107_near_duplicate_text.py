from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from leakaudit.checks import la106_duplicate_text, la107_near_duplicate_text
from leakaudit.checks.la107_near_duplicate_text import CHECK
from tables import context, frame

RNG = np.random.default_rng(0)
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in ("ala", "eri", "ono", "uwi") for c in "lmnrstv"]


def sentences(n: int, length: int = 20) -> list[str]:
    return [" ".join(RNG.choice(WORDS, length)) for _ in range(n)]


TRAIN, VAL = sentences(200), sentences(80)


def run(train, val, params=CHECK.params):
    return CHECK.run(context(frame("train", text=train), frame("val", text=val)), params)


def metrics(outcome):
    return outcome.metrics["val against train"]


def test_edited_texts_are_found_and_counted_once():
    near = [TRAIN[0].replace(" ", "  x ", 1), TRAIN[1][:-5], f"Well, {TRAIN[2]}"]
    equal = [TRAIN[3].upper()]
    made = context(frame("train", text=TRAIN), frame("val", text=[*VAL, *near, *equal, TRAIN[4]]))
    outcome = CHECK.run(made, CHECK.params)
    assert sum(finding.n_samples for finding in outcome.findings) == 3
    assert {finding.severity for finding in outcome.findings} == {"error"}
    assert (metrics(outcome)["n_near"], metrics(outcome)["n_samples"]) == (5, 3)
    equal_outcome = la106_duplicate_text.CHECK.run(made, la106_duplicate_text.CHECK.params)
    assert sum(finding.n_samples for finding in equal_outcome.findings) == 1
    pairs = [row for batch in outcome.pairs() for row in batch.to_pylist()]
    assert {row["uri_b"] for row in pairs} == {"train#0", "train#1", "train#2"}
    assert all(0.8 <= row["score"] < 1 for row in pairs)


def test_passages_within_pages_are_found():
    pages = [" ".join(sentences(6)) for _ in range(10)]
    outcome = run([*TRAIN, *pages], [*VAL, pages[0][300:500]])
    (finding,) = outcome.findings
    assert finding.message.startswith("val#80 stands within the text of train#200")
    assert finding.effect["containment"] >= 0.8
    assert "of its runs of 13 words" in finding.evidence.pairs[0].note
    assert metrics(outcome)["n_contained"] == 1


def test_templates_are_quiet_and_copies_within_them_are_found():
    def letter(name: str, said: str) -> str:
        return (
            f"Dear {name}, thank you for writing to the customer care department of our company. {said}. "
            "We hope to have been of help, and remain with kind regards, the customer care team."
        )

    names = sentences(300, 1)
    said = sentences(200, 25)
    train = [letter(name, text) for name, text in zip(names, said, strict=False)]
    clean = [letter(name, text) for name, text in zip(names, sentences(60, 25), strict=False)]
    outcome = run(train, clean)
    assert outcome.status == "passed"
    copied = [letter("Smith", said[0].replace(said[0][8], "q", 1)), *clean]
    assert sum(finding.n_samples for finding in run(train, copied).findings) == 1
    slots = [letter("you", str(1000 + i)) for i in range(100)]
    outcome = run(slots[:70], slots[70:])
    assert [(finding.severity, finding.effect["layer"]) for finding in outcome.findings] == [("info", "template")]
    assert metrics(outcome)["n_boilerplate"] == 30
    assert "30 are boilerplate" in outcome.reason


def test_near_duplicates_of_three_words_or_less_are_left_alone():
    outcome = run([*TRAIN, "international"], [*VAL, "internationals"])
    assert outcome.status == "passed"
    assert metrics(outcome)["n_near"] == 1


def test_thresholds_are_parameters():
    near = [TRAIN[0].replace(" ", "  x ", 1)]
    assert run(TRAIN, near * 20, replace(CHECK.params, jaccard=0.99)).status == "passed"


def test_a_family_of_variations_is_one_finding():
    base = TRAIN[0]
    outcome = run([*TRAIN, f"{base} a", f"{base} b"], [*VAL, f"{base} c", f"{base} d"])
    (finding,) = outcome.findings
    assert (finding.n_samples, finding.effect["n_pairs"]) == (2, 6)


@pytest.mark.parametrize("seed", range(3))
def test_random_splits_of_distinct_texts_are_quiet(seed):
    order = np.random.default_rng(seed).permutation(280)
    every = np.array([*TRAIN, *VAL])[order]
    assert run(every[:230].tolist(), every[230:].tolist()).status == "passed"


def test_documents_of_a_megabyte():
    page = " ".join(np.random.default_rng(1).choice(WORDS, 150_000).tolist())
    assert len(page) > 890_000
    outcome = run([*TRAIN, page], [*VAL, page[:-200] + " the end", page[5000:6000]])
    assert metrics(outcome)["n_near"] == 1
    assert metrics(outcome)["n_contained"] == 1
    assert all(len(pair.overlap.b.text) < 500 for finding in outcome.findings for pair in finding.evidence.pairs)


@pytest.mark.parametrize(
    "letters",
    [
        "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年",
        "กขคงจฉชซญฐณดตถทนบปผพฟมยรลวสหอฮ",
        "אבגדהוזחטיכלמנסעפצקרשת",
    ],
)
def test_other_scripts(letters):
    rng = np.random.default_rng(2)
    gap = " " if letters[0] == "א" else ""
    texts = [
        gap.join("".join(rng.choice(list(letters), 5)) for _ in range(12)) + " " + " ".join(rng.choice(WORDS, 4))
        for _ in range(150)
    ]
    copy = texts[0][:30] + letters[3] + texts[0][30:]
    outcome = run(texts[:100], [*texts[100:], copy])
    assert sum(finding.n_samples for finding in outcome.findings) == 1


def test_tables_without_text_are_skipped():
    assert CHECK.run(context(frame("train", x=[1, 2]), frame("val", x=[3])), CHECK.params).status == "skipped"
    assert la107_near_duplicate_text.CHECK.code == "LA107"
