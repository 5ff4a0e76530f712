"""Folds of a cross-validation get one verdict, and every held-out row is counted once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leakaudit import Config, audit
from leakaudit.sources.layouts import load

N, N_FOLDS, N_COPIES = 400, 5, 12


def table(leaky, column="fold", values=range(N_FOLDS)):
    rng = np.random.default_rng(8)
    data = pd.DataFrame({f"x{i}": rng.normal(50, 9, N).round(3) for i in range(4)})
    data["y"] = (data.x0 + rng.normal(0, 5, N) > 50).astype(int)
    data[column] = np.array(list(values))[rng.permutation(np.arange(N) % N_FOLDS)]
    if leaky:
        first, last = (np.flatnonzero(data[column] == value)[:N_COPIES] for value in (values[0], values[-1]))
        data.loc[last, data.columns.drop(column)] = data.loc[first, data.columns.drop(column)].to_numpy()
    return data.astype({"y": int})


@pytest.mark.parametrize("leaky", [True, False])
def test_one_verdict_over_all_folds(leaky, tmp_path):
    table(leaky).to_csv(tmp_path / "data.csv", index=False)
    report = audit(tmp_path, cache_dir=tmp_path / "cache")
    assert report.layout.name == "folds"
    assert {name: info.n for name, info in report.splits.items()} == {"train": 320, "held out": N}
    found = [(f.code, f.severity, f.n_samples) for f in report.findings if f.severity != "info"]
    assert found == ([("LA104", "error", 2 * N_COPIES)] if leaky else [])
    assert not {"LA003", "LA111"} & {outcome.code for outcome in report.outcomes}
    if leaky:
        (finding,) = report.findings
        assert finding.effect["n_folds"] == 2
        assert finding.effect["share_high"] == pytest.approx(N_COPIES / 80)
        assert report.verdict.exit_code == 1


def test_a_copy_in_every_fold_is_told_as_a_range_of_shares(tmp_path):
    data = table(leaky=False)
    rows = [np.flatnonzero(data.fold == fold) for fold in range(N_FOLDS)]
    for fold in range(N_FOLDS):
        n = 2 + fold
        source = rows[(fold + 1) % N_FOLDS][20 : 20 + n]
        data.loc[rows[fold][:n], ["x0", "x1", "x2", "x3", "y"]] = data.loc[
            source, ["x0", "x1", "x2", "x3", "y"]
        ].to_numpy()
    data.to_csv(tmp_path / "data.csv", index=False)
    (finding,) = audit(tmp_path, cache_dir=tmp_path / "cache", select=("LA104",)).findings
    assert finding.n_samples == 2 * sum(2 + fold for fold in range(N_FOLDS))
    low, high = finding.effect["share_low"], finding.effect["share_high"]
    assert finding.message.startswith(
        f"in each of 5 folds {low:.1%} to {high:.1%} of the held-out samples are concerned"
    )


@pytest.mark.parametrize(
    ("column", "values", "layout"),
    [
        ("kfold", range(N_FOLDS), "folds"),
        ("Fold", ["fold1", "fold2", "fold3", "fold4", "fold5"], "folds"),
        ("fold", ["train", "train", "train", "val", "test"], "split-column"),
    ],
)
def test_folds_are_told_by_name_and_values(column, values, layout, tmp_path):
    table(leaky=False, column=column, values=values).to_csv(tmp_path / "data.csv", index=False)
    assert load([tmp_path], Config()).layout.name == layout


def test_numbers_that_are_no_folds_are_not_taken_for_them(tmp_path):
    data = table(leaky=False)
    data["fold"] = np.arange(N) % 90
    data.to_csv(tmp_path / "data.csv", index=False)
    with pytest.raises(Exception, match="no column of it says the split"):
        load([tmp_path], Config())


def test_folds_of_the_training_part_beside_a_split_column_are_not_the_split(tmp_path):
    data = table(leaky=False)
    data["split"] = ["train"] * 300 + ["test"] * 100
    data.to_csv(tmp_path / "data.csv", index=False)
    assert load([tmp_path], Config()).splits == ("train", "test")
