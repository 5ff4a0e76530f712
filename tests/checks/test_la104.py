from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from leakaudit.checks import la104_duplicate_rows as la104
from leakaudit.config import Config
from leakaudit.model import PAIR_COLUMNS, TableFile
from leakaudit.search import equal_rows
from tables import context, csv_file, frame


def run(*files, **columns):
    return la104.run(context(*files, **columns), la104.CHECK.params)


def test_each_row_is_attributed_to_its_strictest_layer():
    train = frame("train", x=["1", "2", "3", "4"], y=["a", "b", "a", "a"])
    val = frame("val", x=["1", "2.0", "3", "5"], y=["a", "b", "b", "a"])
    outcome = run(train, val, label="y")
    assert outcome.status == "failed"
    assert outcome.reason == "2 of 4 val rows are among the 4 of train, 3 ignoring the label"
    assert outcome.metrics["val against train"] == {
        "n_held_out": 4,
        "n_reference": 4,
        "n_raw": 1,
        "n_canonical": 2,
        "n_without_label": 3,
        "share_raw": 0.25,
        "share_canonical": 0.5,
        "share_without_label": 0.75,
    }
    assert [(f.message, f.effect["layer"], f.n_samples) for f in outcome.findings] == [
        ("val#0 is the same row as train#0", "raw", 1),
        ("val#1 is the same row as train#1", "canonical", 1),
    ]
    (pair,) = outcome.findings[1].evidence.pairs
    assert (pair.a.row, pair.b.row) == ({"x": "2.0", "y": "b"}, {"x": "2", "y": "b"})


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


@pytest.mark.realdata
@pytest.mark.parametrize(("ignored", "n"), [((), 23), (("3",), 2586)])
def test_adult(shared_data: Path, ignored, n):
    columns = tuple(f"column_{i + 1}" for i in range(15))
    files = [
        TableFile(name, split, "csv", columns, path=str(shared_data / "tabular" / name), delimiter=", ", header=False)
        for split, name in (("train", "adult-train.csv"), ("test", "adult-test.csv"))
    ]
    outcome = run(*files, label="column_15", config=Config(ignore_columns=ignored))
    assert sum(finding.n_samples for finding in outcome.findings) == n
    assert outcome.reason.startswith(f"{n:,} of 16,281 test rows are among the 32,561 of train")
