from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.fitted.rows_seen import columns_to_judge, decide, fit_sets, numbers
from tables import context, frame

TRIO = fit_sets(("train", "val", "test"))


def test_every_union_of_three_splits():
    names = [each.name for each in TRIO]
    assert names == ["train", "train + val", "train + test", "train + val + test", "val", "test"]
    assert fit_sets(("train", "val"), unassigned=True)[2].codes == (0, 1, -1)


def test_many_splits_are_not_all_combined():
    sets = fit_sets(("train", *(f"fold{i}" for i in range(9))))
    assert len(sets) == 1 + 9 + 1 + 9


@pytest.mark.parametrize(
    ("fits", "verdict", "name"),
    [
        ([1, 0, 0, 0, 0, 0], "fitted on train only", "train"),
        ([0, 1, 0, 0, 0, 0], "fitted on both", "train + val"),
        ([0, 0, 0, 1, 0, 0], "fitted on both", "train + val + test"),
        ([0, 1, 0, 1, 0, 0], "fitted on both", "train + val"),
        ([1, 1, 0, 0, 0, 0], "cannot tell", None),
        ([1, 1, 1, 1, 1, 1], "fitted on each split by itself", None),
        ([1, 0, 0, 0, 1, 0], "fitted on each split by itself", None),
        ([0, 1, 0, 0, 1, 0], "fitted on both", "train + val"),
        ([0, 0, 0, 0, 1, 0], "cannot tell", None),
        ([0, 0, 0, 0, 0, 0], "no sign of it", None),
    ],
)
def test_verdicts(fits, verdict, name):
    found, fit = decide(TRIO, [bool(each) for each in fits])
    assert found == verdict
    assert (fit.name if fit else None) == name


def test_columns_are_read_as_the_file_has_them():
    x = np.random.default_rng(0).normal(0, 1, 90)
    x[3] = np.nan
    data = context(
        frame("train", x=x[:60], y=["1.50"] * 30 + ["2.25"] * 30, z=["a"] * 60),
        frame("val", x=x[60:], y=["3"] * 30, z=["b"] * 30),
    )
    assert numbers(data) == ["x", "y"]
    read = {name: (values, codes) for name, values, codes in columns_to_judge(data, numbers(data), lambda *_: True)}
    assert np.array_equal(read["x"][0], x, equal_nan=True)
    assert set(read["y"][0]) == {1.5, 2.25, 3.0}
    assert read["x"][1].tolist() == [0] * 60 + [1] * 30
    assert not [*columns_to_judge(data, ["x"], lambda *_: False)]


def test_rows_of_no_split_are_read_too():
    data = context(
        frame(None, x=np.arange(30) / 7, s=["train"] * 10 + ["val"] * 10 + ["none"] * 10),
        split="s",
        split_values={"train": "train", "val": "val"},
    )
    ((_, values, codes),) = columns_to_judge(data, ["x"], lambda values, _: len(values) == 20)
    assert len(values) == 30
    assert np.bincount(codes + 1).tolist() == [10, 10, 10]
