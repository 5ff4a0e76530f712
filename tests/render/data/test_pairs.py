from __future__ import annotations

import csv
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leakaudit.errors import ConfigError
from leakaudit.model import PAIR_COLUMNS, Outcome, Report, Sample, SamplePair
from leakaudit.render.data import pairs as pairs_of_report
from leakaudit.render.data.pairs import write_pairs
from reports import HOSTILE, clean_report, image_report, pair_batches


def report_of(*pairs):
    outcome = Outcome("LA101", "identical-files", "failed", "some", pairs=pair_batches("LA101", list(pairs)))
    return replace(clean_report(), outcomes=(outcome,))


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_holds_every_pair_of_every_check(tmp_path):
    path = tmp_path / "pairs.csv"
    write_pairs(image_report(), path)
    rows = read_csv(path)
    assert tuple(rows[0]) == PAIR_COLUMNS
    assert [row["code"] for row in rows] == ["LA101"] * 6 + ["LA103"] * 20 + ["LA111"]
    assert rows[0]["uri_a"] == "val/cat/0000.jpg"
    assert rows[0]["split_b"] == "train"
    assert float(rows[6]["score"]) == pytest.approx(0.995)
    assert {f"test/{name}" for name in HOSTILE} <= {row["uri_a"] for row in rows}


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet"])
def test_batches_without_rows_or_labels(tmp_path, name):
    """Their columns have no type."""
    unlabelled = [["LA107"], ["val"], ["val.csv#1"], None, ["train"], ["train.csv#2"], None, [1.0]]
    batches = [
        pa.RecordBatch.from_arrays([pa.array(column or [None] * n) for column in columns], names=list(PAIR_COLUMNS))
        for n, columns in ((0, [[]] * 8), (1, unlabelled))
    ]
    pair = pair_batches("LA107", [SamplePair(Sample("a", "val", "x"), Sample("b", "train", "y"), 0.5)])
    outcome = Outcome("LA107", "near-duplicate-text", "failed", "some", pairs=lambda: iter([*pair(), *batches]))
    write_pairs(replace(clean_report(), outcomes=(outcome,)), tmp_path / name)
    rows = read_csv(tmp_path / name) if name.endswith("csv") else pq.read_table(tmp_path / name).to_pylist()
    assert [(row["uri_a"], row["label_a"] or None) for row in rows] == [("a", "x"), ("val.csv#1", None)]


def test_parquet_holds_exact_values(tmp_path):
    path = tmp_path / "PAIRS.PARQUET"
    pair = SamplePair(Sample("=1+1", "test", "-1"), Sample("@x", "train", None), 0.5)
    write_pairs(report_of(pair), path)
    table = pq.read_table(path)
    assert tuple(table.column_names) == PAIR_COLUMNS
    assert table.to_pylist()[0]["uri_a"] == "=1+1"
    assert table.to_pylist()[0]["label_b"] is None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-1", "-1"),
        ("+1.5e-3", "+1.5e-3"),
        ("a=b", "a=b"),
        ('say "hi", you\nthere', 'say "hi", you\nthere'),
    ],
)
def test_csv_formulas_are_neutral(tmp_path, value, written):
    path = tmp_path / "pairs.csv"
    write_pairs(report_of(SamplePair(Sample(value, "test", value), Sample("b", "train"), 1.0)), path)
    row = read_csv(path)[0]
    assert (row["uri_a"], row["label_a"], row["label_b"]) == (written, written, "")


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.parquet"])
def test_no_pairs_still_have_a_header(tmp_path, name):
    path = tmp_path / name
    write_pairs(clean_report(), path)
    if name.endswith("csv"):
        assert path.read_text() == ",".join(PAIR_COLUMNS) + "\n"
    else:
        assert pq.read_table(path).num_rows == 0
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_unknown_ending(tmp_path):
    with pytest.raises(ConfigError, match=r"\.csv or \.parquet"):
        write_pairs(clean_report(), tmp_path / "pairs.txt")


def test_unwritable_place(tmp_path):
    with pytest.raises(ConfigError, match="cannot write"):
        write_pairs(clean_report(), tmp_path / "absent" / "pairs.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ConfigError, match="cannot write"):
        write_pairs(clean_report(), tmp_path / "folder.csv")


def test_an_old_file_survives_a_failure(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("old")

    def broken():
        yield from ()
        raise RuntimeError("half way")

    report = replace(clean_report(), outcomes=(Outcome("LA101", "identical-files", "failed", "x", pairs=broken),))
    with pytest.raises(RuntimeError, match="half way"):
        write_pairs(report, path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights on Windows")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_pairs(clean_report(), tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").is_file()


def within_and_across(n: int) -> Report:
    within = [SamplePair(Sample(f"a{i}", "train"), Sample(f"b{i}", "train"), 1.0) for i in range(n)]
    across = [SamplePair(Sample(f"a{i}", "val"), Sample(f"b{i}", "train"), 1.0) for i in range(n)]
    both = [pair for two in zip(within, across, strict=True) for pair in two]
    outcome = Outcome("LA110", "conflicting-labels", "failed", "", {}, (), pair_batches("LA110", both))
    return replace(clean_report(), outcomes=(outcome,))


@pytest.mark.parametrize(("every", "n_within", "left_out"), [(False, 4, {"LA110": 5}), (True, 9, {})])
def test_pairs_inside_one_split_end_somewhere_those_between_splits_do_not(
    every, n_within, left_out, tmp_path, monkeypatch
):
    monkeypatch.setattr(pairs_of_report, "WITHIN_LISTED", 4)
    written = write_pairs(within_and_across(9), tmp_path / "pairs.parquet", every=every)
    table = pq.read_table(tmp_path / "pairs.parquet")
    assert table["split_a"].to_pylist().count("train") == n_within
    assert table["split_a"].to_pylist().count("val") == 9
    assert (written.n, written.left_out) == (n_within + 9, left_out)
