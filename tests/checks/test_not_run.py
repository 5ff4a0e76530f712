"""*Passed* means that something was examined: checks that find nothing to look at are not run, and say why."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la204_unseen_categories as la204
from leakaudit.checks import la301_feature_reveals_target as la301
from leakaudit.checks import la302_identifier_reveals_target as la302
from tables import context, frame


def numbers(n, seed, label):
    random = np.random.default_rng(seed)
    return {"x": random.normal(size=n), "z": random.integers(0, 4, n), "y": label}


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (la301, "no class has enough rows, or no column varies"),
        (la302, "no column is an identifier, and no class has enough rows to be told by their order"),
        (la204, "no column holds categories that could be unseen"),
    ],
)
def test_nothing_to_look_at_is_not_run(check, reason):
    few = [f"c{i}" for i in range(12)]
    where = context(
        frame("train", **numbers(24, 0, few * 2)),
        frame("test", **numbers(12, 1, few)),
        label="y",
    )
    outcome = check.run(where, check.CHECK.params)
    assert (outcome.status, outcome.reason) == ("skipped", reason)


@pytest.mark.parametrize("check", [la301, la302])
def test_two_large_classes_are_looked_at(check):
    where = context(
        frame("train", **numbers(200, 0, ["a", "b"] * 100)),
        frame("test", **numbers(80, 1, ["a", "b"] * 40)),
        label="y",
    )
    assert check.run(where, check.CHECK.params).status == "passed"


def test_a_column_of_categories_is_looked_at():
    towns = ["Oslo", "Bergen", "Bodø", "Moss"]
    where = context(frame("train", town=towns * 50), frame("test", town=towns * 20))
    outcome = la204.run(where, la204.CHECK.params)
    assert outcome.status == "passed"
    assert "0 values in 1 category column that train lacks" in outcome.reason
