from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la203_feature_shift as la203
from tables import context, frame


def rows(n, seed, **changes):
    random = np.random.default_rng(seed)
    made = {
        "age": random.normal(40, 10, n),
        "town": random.choice(["Oslo", "Bergen", "Bodø"], n, p=[0.5, 0.3, 0.2]),
        "note": [" ".join(["word"] * k) + f" {i}" for i, k in enumerate(random.integers(5, 15, n))],
        "label": random.choice(["a", "b"], n),
    }
    return made | {name: change(made, random) for name, change in changes.items()}


def run(train, val, **roles):
    where = context(frame("train", **train), frame("val", **val), **({"label": "label"} | roles))
    return la203.run(where, la203.CHECK.params)


def columns(outcome):
    (finding,) = outcome.findings
    return [row[0] for row in finding.evidence.breakdown.rows]


def test_rows_drawn_alike_pass_and_say_what_would_be_found():
    outcome = run(rows(1000, 0), rows(300, 1))
    assert outcome.status == "passed"
    measured = outcome.metrics["val against train"]
    assert (measured["n_columns"], measured["n_held_out"], measured["n_reference"]) == (3, 300, 1000)
    assert 0.3 < measured["detectable"] < 0.5
    assert run(rows(200, 0), rows(30, 1)).status == "inconclusive"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"age": lambda made, _: made["age"] + 8}, "age"),
        ({"age": lambda made, _: 40 + 2 * (made["age"] - 40)}, "spread of age"),
        ({"age": lambda made, r: np.where(r.random(300) < 0.4, np.nan, made["age"])}, "missing values of age"),
        ({"town": lambda made, r: np.where(r.random(300) < 0.4, "Bodø", made["town"])}, "town = Bodø"),
        ({"note": lambda made, _: [f"{text} and a few more" for text in made["note"]]}, "words of note"),
    ],
)
def test_what_differs_is_named(changes, named):
    train = rows(1000, 2)
    if named.startswith("missing"):
        train["age"][0] = np.nan
    outcome = run(train, rows(300, 3, **changes))
    assert named in columns(outcome)
    assert outcome.findings[0].severity == "warning"
    assert outcome.findings[0].n_samples == 300


def test_a_shift_of_classes_is_left_to_la201():
    def make(n, seed, share):
        random = np.random.default_rng(seed)
        ill = random.random(n) < share
        return {
            "x": random.normal(size=n) + 2 * ill,
            "site": np.where(ill ^ (random.random(n) < 0.1), "ward", "home"),
            "label": np.where(ill, "ill", "well"),
        }

    assert run(make(1000, 4, 0.3), make(300, 5, 0.8)).status == "passed"
    assert len(columns(run(make(1000, 4, 0.3), make(300, 5, 0.8), label=None))) >= 2


def test_a_quantity_to_predict_is_compared():
    train, val = rows(600, 6), rows(300, 7)
    train["label"] = np.random.default_rng(8).normal(size=600)
    val["label"] = np.random.default_rng(9).normal(0.9, size=300)
    assert columns(run(train, val)) == ["label"]


def test_a_split_by_groups_has_fewer_independent_rows():
    def make(names, seed):
        random = np.random.default_rng(seed)
        group = np.repeat(np.arange(len(names)), 20)
        return {"subject_id": np.repeat(names, 20), "level": random.normal(size=len(names))[group]}

    alarms = {True: 0, False: 0}
    for seed in range(12):
        train = make([f"s{i}" for i in range(30)], seed)
        val = make([f"s{i}" for i in range(30, 40)], seed + 100)
        alarms[True] += run(train, val, label=None).status == "failed"
        renamed = [{"x": np.arange(len(each["level"])), "level": each["level"]} for each in (train, val)]
        alarms[False] += run(*renamed, label=None, ignore=("x",)).status == "failed"
    assert alarms[True] == 0
    assert alarms[False] >= 5


def test_odd_columns():
    n = 300
    odd = {
        "huge": np.where(np.arange(n) % 7 == 0, np.inf, np.arange(n) % 50 / 7),
        "gone": np.full(n, np.nan),
        "one": ["same"] * n,
        "half": [None, "x"] * (n // 2),
        "flag": [True, False, None] * (n // 3),
        "label": ["a", "b"] * (n // 2),
    }
    other = {**odd, "huge": -odd["huge"]}
    assert run(odd, odd).status == "passed"
    assert "huge" in columns(run(odd, other))


@pytest.mark.parametrize(("n_val", "n_train"), [(50, 1000), (200, 1001)])
def test_false_alarms(n_val, n_train):
    alarms = sum(run(rows(n_train, 2 * seed), rows(n_val, 2 * seed + 1)).status == "failed" for seed in range(25))
    assert alarms <= 1


def test_medians_of_large_numbers_are_told_apart():
    assert la203._distinct(1.1530001e18, 1.1530002e18) == ("1.1530001e+18", "1.1530002e+18")
    assert la203._distinct(3.1, 3.185) == ("3.1", "3.185")
    assert la203._distinct(5.0, 5.0) == ("5", "5")
