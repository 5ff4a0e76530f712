from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.copies.rows import equal as equal_rows
from leakaudit.checks import la104_duplicate_rows as la104
from leakaudit.config import Config
from leakaudit.model import PAIR_COLUMNS, TableFile
from tables import context, csv_file, frame


def run(*files, **columns):
    return la104.run(context(*files, **columns), la104.CHECK.params)


def test_each_row_is_attributed_to_its_strictest_layer():
    fine = [f"{value:.6f}" for value in np.random.default_rng(0).normal(size=60)]
    cells = {"z": fine, "x": [str(i) for i in range(60)], "y": ["a", "b"] * 30}
    train = frame("train", **cells)
    val = frame("val", z=[*fine[:3], "7"], x=["0", "1.0", "2", "5"], y=["a", "b", "b", "a"])
    outcome = run(train, val, label="y")
    assert outcome.status == "failed"
    assert outcome.reason.startswith("2 of 4 val rows are among the 60 of train")
    measured = outcome.metrics["val against train"]
    layers = ("raw", "canonical", "without_label")
    assert [measured[f"n_{layer}"] for layer in layers] == [1, 2, 3]
    assert [measured[f"share_{layer}"] for layer in layers] == [0.25, 0.5, 0.75]
    assert [(f.message, f.effect["layer"], f.n_samples) for f in outcome.findings] == [
        ("val#0 is the same row as train#0", "raw", 1),
        ("val#1 is the same row as train#1", "canonical", 1),
    ]
    (pair,) = outcome.findings[1].evidence.pairs
    assert pair.a.row == {"z": fine[1], "x": "1.0", "y": "b"}
    assert pair.b.row == {"z": fine[1], "x": "1", "y": "b"}


def test_held_out_rows_are_counted_once():
    outcome = run(frame("train", x=["1"] * 5), frame("val", x=["1", "1", "2"]))
    (finding,) = outcome.findings
    assert finding.n_samples == 2
    assert finding.effect["n_pairs"] == 10
    assert len(finding.evidence.pairs) == 3


def test_nothing_in_common_still_has_its_denominators():
    outcome = run(frame("train", x=["1"] * 5), frame("val", x=["2"]))
    assert outcome.status == "passed"
    assert outcome.pairs is None
    assert outcome.reason == "0 of 1 val rows are among the 5 of train"
    assert outcome.metrics["val against train"]["share_canonical"] == 0


def test_every_pair_of_splits():
    outcome = run(frame("train", x=[1, 2]), frame("val", x=[2, 3]), frame("test", x=[3, 1]))
    assert [finding.splits for finding in outcome.findings] == [("val", "train"), ("test", "train"), ("test", "val")]


def test_all_pairs_are_given_with_train_as_b():
    outcome = run(frame("train", x=["1", "1"], y=["p", "p"]), frame("val", x=["1"], y=["p"]), label="y")
    assert outcome.pairs is not None
    table = pa.Table.from_batches(outcome.pairs())
    assert tuple(table.column_names) == PAIR_COLUMNS
    assert table.to_pylist() == [
        {
            "code": "LA104",
            "split_a": "val",
            "uri_a": "val#0",
            "label_a": "p",
            "split_b": "train",
            "uri_b": f"train#{row}",
            "label_b": "p",
            "score": 1.0,
        }
        for row in (0, 1)
    ]


def test_ids_survive_new_names_and_another_order():
    first = run(frame("train", "a.csv", x=["1", "2", "3"]), frame("val", "b.csv", x=["3", "2"]))
    second = run(frame("train", "c.csv", x=["3", "2", "9"]), frame("val", "d.csv", x=["2.0", "3"]))
    assert {finding.id for finding in first.findings} == {finding.id for finding in second.findings}


def test_groups_beyond_those_listed_are_summed_up(monkeypatch):
    monkeypatch.setattr(equal_rows, "GROUPS_LISTED", 3)
    outcome = run(frame("train", x=list(range(50))), frame("val", x=[*range(50), 7]))
    assert len(outcome.findings) == 4
    assert sum(finding.n_samples for finding in outcome.findings) == 51
    assert outcome.findings[-1].effect["n_groups"] == 47


def test_a_test_file_of_another_type_and_order(tmp_path):
    train = csv_file(tmp_path / "train.csv", "train", "id,b,a\n1,x,5\n2,y,6\n")
    outcome = run(train, frame("test", a=[5.0, 7.0], b=["x ", "y"], id=[7, 8]), id="id")
    assert [finding.message for finding in outcome.findings] == ["test#0 is the same row as train.csv#0"]


def coarse(n: int, seed: int, columns: int = 5, values: int = 4) -> dict[str, list[str]]:
    cells = np.random.default_rng(seed).integers(0, values, (columns, n)).astype(str)
    return {f"x{i}": column.tolist() for i, column in enumerate(cells)}


def test_chance_in_a_coarse_table_is_no_leak():
    outcome = run(frame("train", **coarse(1500, 0)), frame("val", **coarse(500, 1)))
    assert outcome.findings == ()
    assert "as chance gives" in outcome.reason
    measured = outcome.metrics["val against train"]
    assert measured["n_canonical"] > 300
    assert measured["pairs_canonical_by_chance"] == pytest.approx(measured["pairs_canonical"], rel=0.1)


def test_a_table_that_is_too_coarse_is_inconclusive():
    outcome = run(frame("train", **coarse(500, 0, 3, 3)), frame("val", **coarse(200, 1, 3, 3)))
    assert outcome.status == "inconclusive"
    assert "no share of copies in val would show" in outcome.reason


def test_copies_in_a_coarse_table_are_found_where_numbers_allow_it():
    train, val = coarse(3500, 0, 6, 5), coarse(1500, 1, 6, 5)
    leaky = {name: [*cells, *train[name][:120]] for name, cells in val.items()}
    outcome = run(frame("train", **train), frame("val", **leaky))
    (finding,) = outcome.findings
    assert finding.severity == "warning"
    assert 70 <= finding.n_samples <= 150
    assert run(frame("train", **train), frame("val", **val)).findings == ()


def described(n: int, seed: int) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    cells: dict[str, list] = {f"x{i}": rng.integers(0, 12, n).tolist() for i in range(8)}
    return {"number": rng.permutation(10**6)[:n].tolist(), **cells}


def test_copies_that_a_row_number_hides():
    train, val = described(800, 0), described(300, 1)
    for name in list(train)[1:]:
        val[name][:20] = train[name][:20]
    outcome = run(frame("train", **train), frame("val", **val))
    assert outcome.metrics["left out of the reduced layers"] == {"number": "whole numbers, no value twice in a split"}
    assert sum(finding.n_samples for finding in outcome.findings) == 20
    assert {finding.effect["layer"] for finding in outcome.findings} == {"reduced"}
    assert outcome.findings[0].severity == "error"
    assert outcome.pairs is not None
    assert pa.Table.from_batches(outcome.pairs()).num_rows == 20
    kept = run(frame("train", **train), frame("val", **val), config=Config(jobs=1, keep_columns=("number",)))
    assert kept.findings == ()


def customers(n_copied: int, *, same_customer: bool = True) -> tuple:
    """Two coarse columns, customers, and row numbers; the first held-out rows are copies with new row numbers."""
    rng = np.random.default_rng(1)
    cells = {
        "customer": rng.permutation(90_000)[:1_000] + 10_000,
        "plan": rng.integers(0, 4, 1_000),
        "region": rng.integers(0, 5, 1_000),
    }
    train = {name: values[:800].tolist() for name, values in cells.items()}
    val = {name: [*train[name][:n_copied], *values[800 + n_copied :].tolist()] for name, values in cells.items()}
    if not same_customer:
        val["customer"] = cells["customer"][800:].tolist()
    return frame("train", row=list(range(800)), **train), frame("val", row=list(range(5_000, 5_200)), **val)


def test_copies_with_another_row_number_and_the_same_customer():
    outcome = run(*customers(9))
    assert {"row", "customer"} == {*outcome.metrics["left out of the reduced layers"]}
    assert sum(finding.n_samples for finding in outcome.findings) == 9
    assert all(finding.severity == "error" for finding in outcome.findings)
    assert outcome.findings[0].effect["layer"] == "identified"
    assert outcome.findings[0].message.startswith("val#0 is, but for 'row', the same row as train#0")
    assert "9 leaving out 'row', 200 leaving out 'row', 'customer', as chance gives" in outcome.reason
    assert sum(len(batch) for batch in outcome.pairs()) == 9
    assert outcome.metrics["val against train"]["n_identified"] == 9


def test_other_customers_with_the_same_plan_are_no_copies():
    for files in (customers(0), customers(9, same_customer=False)):
        outcome = run(*files)
        assert outcome.findings == ()
        assert "n_identified" not in outcome.metrics["val against train"]


@pytest.mark.realdata
@pytest.mark.parametrize(("ignored", "n"), [((), 23), (("3",), 2586)])
def test_adult(shared_data: Path, ignored, n):
    columns = tuple(f"column_{i + 1}" for i in range(15))
    files = [
        TableFile(name, split, "csv", columns, path=str(shared_data / "tabular" / name), delimiter=", ", header=False)
        for split, name in (("train", "adult-train.csv"), ("test", "adult-test.csv"))
    ]
    outcome = run(*files, label="column_15", config=Config(ignore_columns=ignored))
    # Without its weight Adult is a coarse table: the 2,586 are what chance gives.
    assert sum(finding.n_samples for finding in outcome.findings) == (0 if ignored else 23)
    assert outcome.metrics["test against train"]["n_reduced"] == 2586
    assert outcome.reason.startswith(f"{n:,} of 16,281 test rows are among the 32,561 of train")


def measured(n: int, seed: int, digits: int = 4) -> dict[str, np.ndarray]:
    """Features, and a target that is a quantity."""
    rng = np.random.default_rng(seed)
    cells = {f"x{i}": rng.normal(size=n).round(digits) for i in range(4)}
    return {**cells, "y": (cells["x0"] + 0.1 * rng.normal(size=n)).round(4)}


@pytest.mark.parametrize(("n_copied", "severities"), [(0, set()), (12, {"error"})])
def test_the_same_features_with_another_measured_value(n_copied, severities):
    train, val = measured(400, 0), measured(120, 1)
    for name in train:
        val[name][:n_copied] = train[name][:n_copied]
    val["y"][:n_copied] += 0.01
    outcome = run(frame("train", **train), frame("val", **val), label="y")
    assert {finding.severity for finding in outcome.findings} == severities
    assert sum(finding.n_samples for finding in outcome.findings) == n_copied
    if n_copied:
        assert {finding.effect["layer"] for finding in outcome.findings} == {"without_label"}
        assert outcome.findings[0].message == "val#0 has the features, and not the target, of train#0"
        assert "12 with the same features and another target" in outcome.reason
        assert outcome.metrics["val against train"]["n_other_target"] == 12
        assert sum(len(batch) for batch in outcome.pairs()) == 12


def test_coarse_features_of_a_measured_value_are_chance():
    rng = np.random.default_rng(3)
    sides = {
        split: {"x": rng.integers(0, 5, n), "z": rng.integers(0, 4, n), "y": rng.normal(size=n)}
        for split, n in (("train", 800), ("val", 200))
    }
    outcome = run(*(frame(split, **cells) for split, cells in sides.items()), label="y")
    assert outcome.findings == ()
    assert outcome.status == "passed"


def test_the_same_row_with_and_without_its_target():
    """A held-out split whose label is empty still must not have the features of a row of train."""
    train, val = measured(400, 0), measured(120, 1)
    for name in ("x0", "x1", "x2", "x3"):
        val[name][:5] = train[name][:5]
    empty = pa.nulls(120, pa.float64())
    outcome = run(frame("train", **train), frame("val", **{**val, "y": empty}), label="y")
    assert sum(finding.n_samples for finding in outcome.findings) == 5


def test_what_cannot_be_told_is_one_warning():
    rng = np.random.default_rng(1)
    size = rng.normal(0, 1, 153)
    cells = {f"x{i}": np.round(5 + size * 0.6 + rng.normal(0, 0.22, 153), 1) for i in range(4)}
    order = np.random.default_rng(0).permutation(153)
    train, val = ({name: cell[at] for name, cell in cells.items()} for at in (order[41:], order[:41]))
    assert run(frame("train", **train), frame("val", **val)).findings == ()
    for name in cells:
        val[name][:3] = train[name][:3]
    outcome = run(frame("train", **train), frame("val", **val))
    (finding,) = outcome.findings
    assert (finding.severity, finding.n_samples, finding.effect["cannot_tell"]) == ("warning", 3, True)
    assert "it cannot be told whether by chance" in finding.message
    assert outcome.metrics["val against train"]["decided_by_canonical"] == "model"


def test_every_row_of_a_coarse_table_copied_is_an_error():
    rng = np.random.default_rng(4)
    cells = rng.permutation(np.unique(rng.integers(0, 4, (6_000, 6)), axis=0))[:2_500]
    train = {f"x{i}": column.tolist() for i, column in enumerate(cells.T)}
    outcome = run(frame("train", **train), frame("val", **{name: column[:400] for name, column in train.items()}))
    assert {finding.severity for finding in outcome.findings} == {"error"}
    assert sum(finding.n_samples for finding in outcome.findings) == 400
    assert "copies by the same rows assigned to the splits at random" in outcome.reason
