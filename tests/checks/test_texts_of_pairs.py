"""Tables of several texts: pairs in any order, texts that many rows share, and the clean twin of each."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la106_duplicate_text as la106
from leakaudit.checks import la107_near_duplicate_text as la107
from leakaudit.checks import la108_group_overlap as la108
from leakaudit.checks import la111_duplicates_within_split as la111
from leakaudit.checks import la203_feature_shift as la203
from leakaudit.checks import la204_unseen_categories as la204
from leakaudit.checks import la205_separable_splits as la205
from tables import context, frame

WORDS = [f"{a}{b}{c}" for a in "bdfgkp" for b in ("ala", "eri", "ono", "uwi", "osa") for c in "lmnrstv"]
PAIR = "val against train"


def sentences(n: int, seed: int, least: int = 8, most: int = 14) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(WORDS, random.integers(least, most))) for _ in range(n)]


def pairs(first, second, train_rows, val_rows, **more):
    """A table of two texts, some rows of which are train and some val."""
    cells = {"first": first, "second": second, **more}
    train, val = (
        {name: [column[i] for i in rows] for name, column in cells.items()} for rows in (train_rows, val_rows)
    )
    return context(frame("train", **train), frame("val", **val))


def run(module, made):
    return module.run(made, module.CHECK.params)


def n_found(outcome):
    return sum(finding.n_samples for finding in outcome.findings)


A, B = sentences(300, 0), sentences(300, 1)


def test_swapped_and_crossing_pairs_are_found():
    first, second = [*A], [*B]
    for i in range(10):
        first[200 + i], second[200 + i] = B[i], A[i].upper()  # the other way round
        first[220 + i] = B[20 + i] + "!"  # its first is the second of another
        second[240 + i] = B[40 + i]  # the plain case
    outcome = run(la106, pairs(first, second, range(200), range(200, 300)))
    assert {finding.severity for finding in outcome.findings} == {"error"}
    assert n_found(outcome) == 30
    assert outcome.metrics[PAIR]["n_normalised"] == 30
    assert outcome.metrics[PAIR]["n_reordered"] == 10
    assert "10 with all texts of one row in another order" in outcome.reason
    crossing = [finding for finding in outcome.findings if "other" in finding.effect]
    assert len(crossing) == 20
    assert "'first'" in crossing[0].message
    assert "'second'" in crossing[0].message
    shown = crossing[0].evidence.pairs[0].overlap
    assert shown.a.marks
    assert shown.b.marks
    assert len([row for batch in outcome.pairs() for row in batch.to_pylist()]) == 30


def test_near_copies_are_found_across_columns():
    first = [*A]
    for i in range(10):
        first[200 + i] = B[i].replace(" ", " so ", 1)
    outcome = run(la107, pairs(first, B, range(200), range(200, 300)))
    assert n_found(outcome) == 10
    assert {finding.effect["other"] for finding in outcome.findings} == {"second"}


@pytest.mark.parametrize("seed", range(10))
def test_random_halves_of_pairs_without_copies_are_quiet(seed):
    order = np.random.default_rng(seed).permutation(300)
    made = pairs(A, B, order[:200], order[200:])
    for module in (la106, la107, la203, la204, la205):
        assert not run(module, made).findings, module.__name__


def shared(n_texts: int, rows_each: int, by_text: bool, seed: int = 5):
    premises = [text for text in sentences(n_texts, seed) for _ in range(rows_each)]
    own = sentences(len(premises), seed + 1)
    n = len(premises)
    order = np.arange(n) if by_text else np.random.default_rng(seed).permutation(n)
    held_out = n_texts // 4 * rows_each
    return pairs(premises, own, order[held_out:], order[:held_out])


def test_a_text_that_many_rows_share_is_a_group_and_no_copy():
    made = shared(100, 3, by_text=False)
    (finding,) = run(la108, made).findings
    assert (finding.severity, finding.effect["key"]) == (
        "warning",
        "the text in column 'first', which many rows share",
    )
    assert finding.n_samples > 50
    assert "samples assigned at random would make it" in finding.message
    outcome = run(la106, made)
    assert outcome.status == "passed"
    assert "many rows share a text, which is a group, see LA108" in outcome.reason
    assert run(la107, made).status == "passed"


@pytest.mark.parametrize(("n_texts", "rows_each"), [(100, 3), (60, 20), (40, 150)])
def test_a_split_by_such_texts_gets_no_advice(n_texts, rows_each):
    made = shared(n_texts, rows_each, by_text=True)
    for module in (la106, la107, la108, la203, la204, la205):
        outcome = run(module, made)
        assert not outcome.findings, (module.__name__, outcome.reason)


def test_where_all_texts_are_shared_a_row_is_its_texts_together():
    prompts, answers = sentences(40, 8), sentences(40, 9)
    both = [(i, j) for i in range(40) for j in range(40) if (i + j) % 5 == 0]
    first, second = [prompts[i] for i, _ in both], [answers[j] for _, j in both]
    rows = np.random.default_rng(0).permutation(len(both))
    clean = run(la106, pairs(first, second, rows[:240], rows[240:]))
    assert clean.status == "passed"
    assert "together" in clean.reason
    at = rows[:5]  # train pairs in another spelling
    first += [first[i].upper() for i in at]
    second += [second[i].upper() for i in at]
    leaky = run(la106, pairs(first, second, rows[:240], [*rows[240:], *range(len(both), len(both) + 5)]))
    assert n_found(leaky) == 5


def test_near_copies_of_a_shared_text_are_a_warning():
    premises = [text for text in sentences(80, 3) for _ in range(3)]
    changed = [text.replace(" ", " so ", 1) if i < 30 else text for i, text in enumerate(premises)]
    made = context(
        frame("train", first=premises[:180], second=sentences(180, 4)),
        frame("val", first=[*changed[:30], *premises[180:]], second=sentences(90, 6)),
    )
    outcome = run(la107, made)
    assert {finding.severity for finding in outcome.findings} == {"warning"}
    assert n_found(outcome) == 30


def test_texts_that_three_people_judged():
    texts = sentences(160, 11)
    judged = [(text, f"judge {k}") for text in texts for k in range(3)]
    train, val = judged[:360], judged[360:]
    cells = lambda rows: {"text": [text for text, _ in rows], "judge": [judge for _, judge in rows]}  # noqa: E731
    clean = context(frame("train", **cells(train)), frame("val", **cells(val)))
    for module in (la106, la107, la203, la204, la205):
        assert not run(module, clean).findings, module.__name__
    copied = [(text.upper() + "!", judge) for text, judge in train[:60]]
    leaky = run(la106, context(frame("train", **cells(train)), frame("val", **cells([*val, *copied]))))
    assert n_found(leaky) == 60


def test_persons_of_one_name_are_no_copies():
    random = np.random.default_rng(0)
    given, family = (
        ["Anna", "Jonas", "Mara", "Felix", "Nora", "Emil"],
        ["Berg", "Santos", "Okafor", "Larsen", "Novak"],
    )
    names = [f"{random.choice(family)}, Mrs. {random.choice(given)} {random.choice(given)}" for _ in range(400)]
    made = context(frame("train", name=names[:300], age=range(300)), frame("val", name=names[300:], age=range(100)))
    for module in (la106, la107):
        assert run(module, made).status == "skipped"


def test_many_copies_of_one_text_inside_a_split():
    made = context(frame("train", text=[*A[:50], *([A[0]] * 14)]), frame("val", text=B[:20]))
    (finding,) = run(la111, made).findings
    assert finding.n_samples == 14
    assert len(finding.evidence.pairs) == 12
