import numpy as np
import pytest

from leakaudit.analysis.series.later import later_by, later_within, lies_in_time
from leakaudit.checks import la203_feature_shift as la203
from leakaudit.checks import la204_unseen_categories as la204
from leakaudit.checks import la205_separable_splits as la205
from leakaudit.checks import la302_identifier_reveals_target as la302
from tables import context, frame


def drifting(n=800, seed=0):
    random = np.random.default_rng(seed)
    days = np.arange(n)
    return {
        "date": np.array([str(np.datetime64("2021-03-01") + int(day)) for day in days]),
        "price": (days / 20 + random.normal(size=n)).round(2),
        "model": np.array([f"m{(day // 40) + random.integers(0, 3)}" for day in days]),
    }


def parted(columns, held_out, **roles):
    sides = (("train", ~held_out), ("test", held_out))
    frames = (frame(name, **{key: each[at].tolist() for key, each in columns.items()}) for name, at in sides)
    return context(*frames, **roles)


@pytest.fixture(scope="module")
def last_quarter():
    columns = drifting()
    return parted(columns, np.arange(800) >= 600, label="price")


def test_a_split_in_time_is_told_by_its_dates(last_quarter):
    assert later_by(last_quarter, "test", "train").startswith("column 'date'")
    at_random = parted(drifting(), np.random.default_rng(1).random(800) < 0.25)
    assert later_by(at_random, "test", "train") is None
    undated = {name: values for name, values in drifting().items() if name != "date"}
    assert later_by(parted(undated, np.arange(800) >= 600), "test", "train") is None


@pytest.mark.parametrize("check", [la203, la204, la205])
def test_what_differs_between_splits_in_time_is_drift(check):
    where = parted(drifting(), np.arange(800) >= 600)
    (finding,) = check.run(where, check.CHECK.params).findings
    assert finding.severity == "info"
    assert "test comes after train by column 'date'" in finding.message
    assert finding.effect["fix"].startswith("Keep the split by time")
    undated = {name: values for name, values in drifting().items() if name != "date"}
    (finding,) = check.run(parted(undated, np.arange(800) >= 600), check.CHECK.params).findings
    assert finding.severity == "warning"
    assert "fix" not in finding.effect


def test_rows_in_the_order_of_their_dates_are_not_to_be_shuffled(last_quarter):
    assert lies_in_time(last_quarter, "train").startswith("column 'date'")
    assert not la302.run(last_quarter, la302.CHECK.params).findings
    order = np.argsort(drifting()["price"])
    by_price = {name: values[order] for name, values in drifting().items()}
    where = parted(by_price, np.arange(800) % 4 == 0, label="price")
    assert lies_in_time(where, "train") is None
    assert {finding.effect["by"] for finding in la302.run(where, la302.CHECK.params).findings} == {"row order"}


def purchases(seed=0):
    random = np.random.default_rng(seed)
    user = np.repeat(np.arange(60), 8)
    start = np.repeat(random.integers(1_600_000_000, 1_640_000_000, 60), 8)
    at = np.sort(random.integers(0, 9_000_000, (60, 8)), axis=1).reshape(-1)
    return {"user_id": user, "item": random.integers(0, 200, 480), "timestamp": start + at}


def test_the_last_row_of_every_user():
    from leakaudit.checks import la108_group_overlap as la108

    last = np.arange(480) % 8 == 7
    where = parted(purchases(), last)
    assert later_within(where, "user_id", "test", "train").startswith("column 'timestamp'")
    (finding,) = la108.run(where, la108.CHECK.params).findings
    assert finding.severity == "info"
    assert "as when the last of each are held out" in finding.message
    (finding,) = la108.run(parted(purchases(), np.arange(480) % 8 == 3), la108.CHECK.params).findings
    assert finding.severity == "warning"
    told = parted(purchases(), last, group="user_id")
    assert [each.severity for each in la108.run(told, la108.CHECK.params).findings] == ["error"]
