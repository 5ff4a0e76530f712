"""LA304 to LA307 on whole tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from leakaudit.checks import la304_pooled_scaling as la304
from leakaudit.checks import la305_pooled_imputation as la305
from leakaudit.checks import la306_synthetic_oversampling_before_split as la306
from leakaudit.checks import la307_pooled_target_encoding as la307
from leakaudit.checks.fitted_report import undecided_or_passed
from tables import context, frame

ALL = (la304, la305, la306, la307)


def tables(columns, split, names=("train", "val"), **told):
    columns = {name: np.asarray(x) for name, x in columns.items()}
    files = [frame(name, **{k: pa.array(x[split == i]) for k, x in columns.items()}) for i, name in enumerate(names)]
    return context(*files, **told)


def run(check, data):
    return check.run(data, check.CHECK.params)


def measured(seed=0, n=600):
    rng = np.random.default_rng(seed)
    columns = {f"x{i}": rng.normal(50, 9, n) for i in range(4)}
    return columns, (rng.permutation(n) < n // 5).astype(int), rng


# --- LA304 -----------------------------------------------------------------------------------------------------


def standardised(columns, seen):
    return {name: (x - x[seen].mean()) / x[seen].std() for name, x in columns.items()}


def test_la304_says_what_was_fitted_on_which_rows():
    columns, split, _ = measured()
    both = standardised({"x0": columns["x0"], "x1": columns["x1"]}, split >= 0)
    train = standardised({"x2": columns["x2"]}, split == 0)
    outcome = run(la304, tables({**both, **train, "x3": columns["x3"]}, split))
    (finding,) = outcome.findings
    assert finding.splits == ("val", "train")
    assert finding.n_samples == 120
    assert finding.effect["fitted_on"] == "train + val"
    assert finding.severity == "warning"
    assert {row[0] for row in finding.evidence.breakdown.rows} == {"x0", "x1"}
    assert outcome.metrics["n_fitted_on_both"] == 2
    assert outcome.metrics["n_fitted_on_train_only"] == 1
    assert outcome.metrics["n_no_sign"] == 1
    assert outcome.metrics["column x0"]["verdict"] == "fitted on both"
    assert abs(outcome.metrics["column x0"]["mean_pooled"]) < 1e-12 < abs(outcome.metrics["column x0"]["mean_train"])
    assert outcome.metrics["column x2"]["verdict"] == "fitted on train only"


@pytest.mark.parametrize(
    ("seen", "held_out", "name"),
    [
        ((0, 1), ["val"], "train + val"),
        ((0, 2), ["test"], "train + test"),
        ((0, 1, 2), ["val", "test"], "train + val + test"),
    ],
)
def test_la304_in_three_splits(seen, held_out, name):
    columns, split, rng = measured(1)
    split = rng.choice([0, 1, 2], len(split), p=[0.6, 0.2, 0.2])
    outcome = run(la304, tables(standardised(columns, np.isin(split, seen)), split, ("train", "val", "test")))
    assert [finding.splits for finding in outcome.findings] == [(each, "train") for each in held_out]
    assert {finding.effect["fitted_on"] for finding in outcome.findings} == {name}


def test_la304_rows_of_no_split_may_have_been_seen():
    columns, split, rng = measured(2)
    words = np.where(rng.random(len(split)) < 0.1, "unused", np.where(split == 0, "train", "val"))
    everything = standardised(columns, split >= 0)
    table = frame(None, **everything, part=words)
    data = context(table, split="part", split_values={"train": "train", "val": "val"})
    (finding,) = run(la304, data).findings
    assert finding.effect["fitted_on"] == "all rows of the file"


def test_la304_id_does_not_depend_on_the_order_of_rows():
    columns, split, rng = measured(3)
    scaled = standardised(columns, split >= 0)
    order = rng.permutation(len(split))
    ids = [
        [finding.id for finding in run(la304, tables({k: x[o] for k, x in scaled.items()}, split[o])).findings]
        for o in (np.arange(len(split)), order)
    ]
    assert ids[0] == ids[1]


def test_la304_too_few_rows_and_no_numbers():
    columns, split, _ = measured(4, 20)
    assert run(la304, tables(standardised(columns, split >= 0), split)).status == "inconclusive"
    outcome = run(la304, tables({"a": np.resize(["p", "q"], 50)}, np.arange(50) % 2))
    assert (outcome.status, outcome.reason) == ("skipped", "no column of numbers that is a feature")


@pytest.mark.parametrize("check", [la304, la305, la307])
def test_without_a_column_of_numbers_nothing_was_examined(check):
    outcome = run(
        check, tables({"a": np.resize(["p", "q"], 50), "label": np.resize(["u", "v"], 50)}, np.arange(50) % 2)
    )
    assert outcome.status == "skipped"


def test_what_cannot_be_told_of_a_column_is_not_decided():
    assert undecided_or_passed({"a": "fitted on train only", "b": "no sign of it"}) == "passed"
    assert undecided_or_passed({"a": "fitted on train only", "b": "cannot tell"}) == "inconclusive"
    assert undecided_or_passed({}) == "passed"


def test_la304_max_abs_needs_columns_that_agree():
    rng = np.random.default_rng(5)
    split = (np.arange(500) < 100).astype(int)
    columns = {f"x{i}": rng.gamma(3, 2, 500) for i in range(6)}
    for x in columns.values():
        x[7] = x.max() * 1.1
    scaled = {name: x / x.max() for name, x in columns.items()}
    assert run(la304, tables(scaled, split)).status == "failed"
    assert run(la304, tables({"x0": scaled["x0"], "x1": columns["x1"]}, split)).status != "failed"


# --- LA305 -----------------------------------------------------------------------------------------------------


def test_la305_names_the_rows_and_the_value():
    columns, split, rng = measured(6)
    gap = rng.random(len(split)) < 0.1
    columns["x0"] = np.where(gap, columns["x0"][~gap].mean(), columns["x0"])
    columns["x1"] = np.where(gap, columns["x1"][~gap & (split == 0)].mean(), columns["x1"])
    outcome = run(la305, tables(columns, split))
    (finding,) = outcome.findings
    assert finding.n_samples == int((gap & (split == 1)).sum())
    assert finding.evidence.breakdown.rows[0][:3] == ("x0", "all rows", "mean")
    assert outcome.metrics["column x1"]["verdict"] == "fitted on train only"
    assert outcome.metrics["n_columns_with_a_spike"] == 2


@pytest.mark.parametrize("by", ["label", "ward"])
def test_la305_within_classes_and_categories(by):
    columns, split, rng = measured(7)
    key = rng.choice(["p", "q"], len(split))
    gap = rng.random(len(split)) < 0.1
    x = columns["x0"] + 9 * (key == "q")
    for each in ("p", "q"):
        x[gap & (key == each)] = x[~gap & (key == each)].mean()
    outcome = run(la305, tables({**columns, "x0": x, by: key}, split, label="label" if by == "label" else None))
    (finding,) = outcome.findings
    assert finding.evidence.breakdown.rows[0][1] in (f"{by} = p", f"{by} = q")
    assert finding.n_samples == int((gap & (split == 1)).sum())


# --- LA306 -----------------------------------------------------------------------------------------------------


def mixtures(seed, pooled):
    rng = np.random.default_rng(seed)
    points, ill = rng.normal(0, 1, (400, 5)), np.arange(400) < 80
    points[ill] += 1
    split = (rng.random(400) < 0.2).astype(int)
    known = points[ill] if pooled else points[ill & (split == 0)]
    near = np.argsort(((known[:, None] - known[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    first = rng.integers(len(known), size=240)
    second = near[first, rng.integers(5, size=240)]
    new = known[first] + rng.random((240, 1)) * (known[second] - known[first])
    whole, label = np.concatenate([points, new]), np.where([*ill, *([True] * 240)], "ill", "well")
    split = (rng.random(640) < 0.2).astype(int) if pooled else np.concatenate([split, np.zeros(240, dtype=int)])
    return {**{f"x{i}": whole[:, i] for i in range(5)}, "y": label}, split


def test_la306_shows_the_ends():
    columns, split = mixtures(8, pooled=True)
    data = tables(columns, split, label="y")
    (finding,) = run(la306, data).findings
    assert finding.effect["class"] == "ill"
    assert finding.effect["share"] > 0.5
    assert finding.effect["share_of_control"] == 0
    assert len(finding.evidence.pairs) == 5
    pair = finding.evidence.pairs[0]
    assert (pair.a.split, pair.b.split) == ("val", "train")
    assert "of the way from there to" in pair.note
    assert run(la306, data).findings[0].id == finding.id


def test_la306_train_only_is_quiet():
    columns, split = mixtures(9, pooled=False)
    assert run(la306, tables(columns, split, label="y")).status == "passed"


def test_la306_interpolation_of_everything_is_no_oversampling():
    rng = np.random.default_rng(10)
    steps = np.repeat(rng.normal(0, 1, (101, 5)), 6, axis=0)
    t = np.resize(np.arange(6) / 6, 600)[:, None]
    walk = steps[:600] + t * (steps[6:606] - steps[:600])
    columns = {**{f"x{i}": walk[:, i] for i in range(5)}, "y": np.resize(["p", "q"], 600)}
    outcome = run(la306, tables(columns, (rng.random(600) < 0.2).astype(int), label="y"))
    assert outcome.status in ("passed", "inconclusive")


def test_la306_copies_in_one_class_and_in_all():
    rng = np.random.default_rng(11)
    x, y = rng.normal(0, 1, 500), np.where(np.arange(500) < 100, "ill", "well")
    extra = rng.integers(100, size=300)
    whole = {"x": np.concatenate([x, x[extra]]), "y": np.concatenate([y, y[extra]])}
    (finding,) = run(la306, tables(whole, (rng.random(800) < 0.2).astype(int), label="y")).findings
    assert finding.effect["kind"] == "copies"
    assert finding.effect["balanced"]
    coarse = {"x": rng.integers(0, 10, 800), "y": whole["y"]}
    assert run(la306, tables(coarse, (rng.random(800) < 0.2).astype(int), label="y")).status == "passed"


def test_la306_quantities_are_skipped():
    columns, split, rng = measured(12)
    assert run(la306, tables({**columns, "y": rng.normal(0, 1, 600)}, split, label="y")).status == "skipped"


# --- LA307 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", ["classes", "words", "quantity", "three classes"])
def test_la307_targets_of_every_kind(label):
    columns, split, rng = measured(13)
    city = rng.integers(0, 12, 600)
    y = rng.normal(0, 1, 12)[city] + rng.normal(0, 1, 600)
    told = {
        "classes": (y > 0).astype(int),
        "words": np.where(y > 0, "yes", "no"),
        "quantity": y,
        "three classes": np.digitize(y, [-0.5, 0.5]).astype(str),
    }[label]
    encoded = (y if label == "quantity" else y > (0.5 if label == "three classes" else 0)).astype(float)
    mean = np.bincount(city, weights=encoded, minlength=12) / np.bincount(city, minlength=12)
    outcome = run(la307, tables({**columns, "city": mean[city], "y": told}, split, label="y"))
    (finding,) = outcome.findings
    assert finding.n_samples == 120
    assert finding.effect["method"] in ("plain", "scaled")
    assert finding.evidence.breakdown.rows[0][0] == "city"
    seen = split == 0
    mean = np.bincount(city[seen], weights=encoded[seen], minlength=12) / np.bincount(city[seen], minlength=12)
    outcome = run(la307, tables({**columns, "city": mean[city], "y": told}, split, label="y"))
    assert outcome.status == "passed"
    assert outcome.metrics["n_fitted_on_train_only"] == 1


# --- all four --------------------------------------------------------------------------------------------------


def test_odd_columns_are_no_trouble():
    n = 80
    rng = np.random.default_rng(14)
    columns = {
        "constant": np.full(n, 3.0),
        "missing": np.full(n, np.nan),
        "infinite": np.where(rng.random(n) < 0.1, np.inf, rng.normal(0, 1, n)),
        "huge": rng.normal(0, 1, n) * 1e300,
        "tiny": rng.normal(0, 1, n) * 1e-310,
        "long": rng.integers(2**60, 2**62, n),
        "one value": np.where(np.arange(n) == 3, 1.5, np.nan),
        "y": np.resize(["a", "b"], n),
    }
    data = tables(columns, (np.arange(n) % 4 == 0).astype(int), label="y")
    assert {run(check, data).status for check in ALL} <= {"passed", "inconclusive"}


def test_false_alarms_on_random_splits():
    alarms = 0
    for seed in range(10):
        columns, split, rng = measured(seed, (250, 600)[seed % 2])
        n = len(split)
        columns |= {
            "standard": rng.normal(0, 1, n),
            "share": rng.random(n),
            "spike": np.where(rng.random(n) < 0.2, 0.0, rng.normal(0, 1, n)),
            "level": rng.normal(0.5, 0.1, 9)[rng.integers(0, 9, n)],
            "y": rng.choice(["a", "b"], n, p=[0.7, 0.3]),
        }
        data = tables(columns, split, label="y")
        alarms += sum(len(run(check, data).findings) for check in ALL)
    assert alarms == 0


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "label"),
    [("titanic.csv", "survived"), ("winequality-red.csv", "11"), ("pollution.csv", None), ("taxis.csv", "payment")],
)
def test_public_tables_are_clean(shared_data: Path, name, label):
    header = None if name.startswith("wine") else 0
    data = pd.read_csv(shared_data / "tabular" / name, header=header).rename(columns=str)
    for seed in range(2):
        held_out = np.random.default_rng(seed).permutation(len(data)) < (50, 300)[seed]
        files = [
            frame(split, **{k: pa.array(v, from_pandas=True) for k, v in data[rows].items()})
            for split, rows in (("train", ~held_out), ("val", held_out))
        ]
        made = context(*files, label=label)
        for check in ALL:
            if label is not None or "label" not in check.CHECK.needs:
                assert not run(check, made).findings


def test_a_set_that_was_published_scaled_is_found():
    from sklearn.datasets import load_diabetes

    raw = load_diabetes(as_frame=True).frame
    split = (np.random.default_rng(0).random(len(raw)) < 0.2).astype(int)
    outcome = run(la304, tables({name: raw[name] for name in raw}, split, label="target"))
    assert outcome.metrics["n_fitted_on_both"] == 10
