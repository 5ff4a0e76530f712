from __future__ import annotations

import numpy as np

from leakaudit.checks import la205_separable_splits as la205
from pictures import picture_context, records
from tables import context, frame


def rows(n, seed):
    random = np.random.default_rng(seed)
    made = {name: random.normal(size=n) for name in "abc"}
    made["kind"] = random.choice(["oak", "ash", None], n)
    made["label"] = random.choice(["yes", "no"], n)
    return made


def run(train, val, **roles):
    where = context(frame("train", **train), frame("val", **val), **({"label": "label"} | roles))
    return la205.run(where, la205.CHECK.params)


def test_splits_drawn_alike_pass():
    outcome = run(rows(900, 0), rows(300, 1))
    assert outcome.status == "passed"
    assert 0.4 < outcome.metrics["val against train"]["auc"] < 0.6


def test_columns_that_differ_together_are_named():
    val = rows(300, 2)
    val["b"] = np.where(val["a"] > 0, np.abs(val["b"]), -np.abs(val["b"]))
    (finding,) = run(rows(900, 3), val).findings
    assert {row[0] for row in finding.evidence.breakdown.rows[:2]} == {"a", "b"}
    assert finding.effect["low"] >= 0.6
    assert "when shuffled" in finding.message
    assert finding.id == run(rows(900, 3), val).findings[0].id


def test_identifiers_and_row_numbers_are_not_looked_at():
    train, val = rows(900, 4), rows(300, 5)
    train["key"], val["key"] = np.arange(900), np.arange(5000, 5300)
    outcome = run(train, val)
    assert outcome.status == "passed"
    assert outcome.metrics["val against train"]["n_columns"] == 4


def test_copies_of_training_rows_do_not_look_like_another_population():
    train, val = rows(600, 6), rows(300, 7)
    for name, column in val.items():
        column[:200] = train[name][:200]
    assert run(train, val).findings == ()


def test_small_splits_are_inconclusive():
    assert run(rows(300, 8), rows(15, 9)).status == "inconclusive"
    assert run(rows(300, 8), rows(22, 9)).status == "inconclusive"


def test_texts_are_read_by_their_length():
    def texts(n, longer):
        return {
            "text": [" ".join(["word"] * (6 + i % 9 + longer)) + f" {i}" for i in range(n)],
            "label": ["a", "b"] * (n // 2),
        }

    (finding,) = run(texts(600, 0), texts(200, 5)).findings
    assert finding.effect["column"] == "length of text"


def test_pictures_by_their_statistics():
    made = records(600)
    names, splits = [f"{i}.jpg" for i in range(600)], ["val"] * 150 + ["train"] * 450
    assert la205.run(picture_context(made, names, splits, None, None), la205.CHECK.params).findings == ()
    made["luma"][:150] = made["luma"][:150] * 0.7
    (finding,) = la205.run(picture_context(made, names, splits, None, None), la205.CHECK.params).findings
    assert finding.effect["column"] in {"brightness", "contrast"}
