from __future__ import annotations

import numpy as np

from leakaudit.checks import la204_unseen_categories as la204
from tables import context, frame


def rows(n, seed, town=("Oslo", "Bergen", "Bodø")):
    random = np.random.default_rng(seed)
    return {
        "town": random.choice(town, n),
        "street": [f"street {random.integers(3 * n)}" for _ in range(n)],
        "x": random.normal(size=n),
    }


def run(train, *, val, test=None, **roles):
    files = [frame("train", **train), frame("val", **val), *([frame("test", **test)] if test else [])]
    where = context(*files, **roles)
    return la204.run(where, la204.CHECK.params)


def test_rare_values_that_chance_leaves_unseen_pass():
    outcome = run(rows(800, 0), val=rows(200, 1))
    assert outcome.status == "passed"
    measured = outcome.metrics["val against train"]
    assert measured["n_columns"] == 2
    assert measured["street: n_unseen"] > 100
    assert measured["street: p_adjusted"] > 0.01


def test_a_new_town_is_found_and_shown():
    val = rows(200, 2)
    val["town"][:9] = "Narvik"
    outcome = run(rows(800, 3), val=val)
    (finding,) = outcome.findings
    assert (finding.severity, finding.n_samples, finding.effect["column"]) == ("warning", 9, "town")
    assert finding.evidence.breakdown.rows[0][:2] == ("Narvik", 9)
    assert [sample.uri for sample in finding.evidence.samples] == ["val#0"]


def test_few_rows_of_many_pass():
    val = rows(3000, 4)
    val["town"][:5] = "Narvik"
    assert run(rows(9000, 5), val=val).status == "passed"
    val["town"][:30] = "Narvik"
    assert run(rows(9000, 5), val=val).status == "failed"


def test_every_held_out_split_is_compared_with_train_only():
    val, test = rows(200, 6), rows(200, 7)
    test["town"][:] = "Narvik"
    outcome = run(rows(800, 8), val=val, test=test)
    assert [finding.splits for finding in outcome.findings] == [("test", "train")]


def test_homes_of_patients_who_were_held_out_are_no_surprise():
    def of(patients):
        return {
            "patient_id": [f"p{i}" for i in patients for _ in range(15)],
            "home": [f"home {i}" for i in patients for _ in range(15)],
            "x": list(range(15 * len(patients))),
        }

    train, val = of(range(40)), of(range(40, 52))
    found = run(train, val=val)
    assert (found.status, found.findings) == ("skipped", ())  # no other column holds categories
    renamed = [{"home": each["home"], "x": each["x"]} for each in (train, val)]
    assert run(renamed[0], val=renamed[1]).status == "failed"


def test_spelling_by_white_space_is_the_same_value():
    train, val = rows(300, 9), rows(100, 10)
    val["town"] = np.array([f" {town} " for town in val["town"]])
    assert run(train, val=val).metrics["val against train"].get("town: n_unseen") is None


def test_identifiers_that_repeat_are_no_categories():
    def of(files, name):
        return {name: np.repeat(files, 3), "x": np.arange(3 * len(files))}

    train, val = [f"scan_{i:03d}.png" for i in range(60)], [f"scan_{i:03d}.png" for i in range(60, 80)]
    for name in ("filename", "source text"):
        outcome = run(of(train, name), val=of(val, name))
        assert (outcome.status, outcome.findings) == ("skipped", ())
    # a few sources with many rows each are kinds, whatever they look like
    sources = [np.repeat(["a.csv", "b.csv", "c.csv"], 60), np.repeat(["a.csv", "d.csv"], 30)]
    frames = [{"source": each, "x": np.arange(len(each))} for each in sources]
    assert [found.effect["column"] for found in run(frames[0], val=frames[1]).findings] == ["source"]


def test_every_column_of_groups_that_is_kept_together_is_left_aside():
    def of(patients):
        each = np.repeat(patients, 40)
        return {
            "patient_id": np.array([f"p-{i}" for i in each]),
            "site_id": np.array([f"s-{i // 2}" for i in each]),
            "x": np.arange(len(each)),
        }

    assert run(of(np.arange(40)), val=of(np.arange(40, 60))).findings == ()
