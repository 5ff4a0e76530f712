from __future__ import annotations

import gc
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leakaudit.analysis.copies.rows.equal import n_shared
from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, UserError
from leakaudit.fingerprints.rows.fingerprint import LAYERS, fingerprint_rows
from leakaudit.model import TableFile
from tables import csv_file, dataset, fingerprint, frame


def same_cells(train: list, val: list, a: int = 0, b: int = 0) -> bool:
    """Whether cell a of a train column is the same as cell b of the val column, in the pool of both."""
    rows = fingerprint(frame("train", x=pa.array(train)), frame("val", x=pa.array(val)))
    digests = rows.digests(np.array([a, len(train) + b]))
    return digests[0] == digests[1]


# --- canonical values -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("5", "5.0"),
        ("5", "05"),
        ("5", " 5 "),
        ("5", "+5"),
        ("1e3", "1000"),
        ("-0.0", "0"),
        ("0.1", "0.1000000001"),
        ("0.1", "1e-1"),
        ("4.9999999999", "5"),
        ("0.99999999999", "1"),
        ("inf", "Infinity"),
        ("9007199254740993", "9007199254740993.0"),
        ("12345678901234567890123456789012345678901234567890", "+12345678901234567890123456789012345678901234567890"),
        ("true", "TRUE"),
        ("True", "true "),
        ("a  b", " a b"),
        ("a\u00a0b", "a b"),
        ("ﬁ", "fi"),
        ("e\u0301", "é"),
        ("Ａ", "A"),
        ("a\tb\n", "a b"),
        ("", " "),
    ],
)
def test_equal_by_value(a, b):
    assert same_cells([a], [b])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("9007199254740992", "9007199254740993"),
        ("12345678901234567890123456789012345678901234567890", "12345678901234567890123456789012345678901234567891"),
        ("0.1", "0.10000001"),
        ("1234567891", "1234567892"),
        ("-1", "1"),
        ("inf", "-inf"),
        ("1_000", "1000"),
        ("true", "false"),
        ("a", "A"),
        ("ab", "a b"),
        ("NA", "None"),
        ("1,5", "1.5"),
    ],
)
def test_different_by_value(a, b):
    padding = ["x"] if a == "NA" else []
    assert not same_cells([a, *padding], [b])


def test_missing_values_of_numeric_columns_are_alike_however_spelled():
    spellings = ["", "NA", "NaN", "nan", "null", "None", "?", " n/a ", None]
    rows = fingerprint(frame("train", x=["1.5", *spellings]), frame("val", x=["2"]))
    assert rows.pool.columns[0].kind == "number"
    assert len(set(rows.digests(np.arange(1, 10)))) == 1
    rows = fingerprint(frame("train", x=["word", *spellings]), frame("val", x=["2"]))
    assert rows.pool.columns[0].kind == "text"
    assert len(set(rows.digests(np.arange(1, 10)))) == 8  # null and empty are one


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ([5], ["5.0"]),
        ([5], [5.0]),
        ([0.1], ["0.1"]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([0.1], pa.float32()), [0.1]),
        ([True], ["True"]),
        ([True], [1]),
        ([True, False], ["1", "0"]),
        ([Decimal("5.00")], [5]),
        ([2**53 + 1], ["9007199254740993"]),
        ([float("nan")], [None]),
        ([float("nan"), 1.0], ["NaN", "1"]),
        ([float("inf")], ["inf"]),
        ([date(2020, 1, 2)], ["2020-01-02"]),
        ([date(2020, 1, 2)], [datetime(2020, 1, 2)]),
        (["x"], pa.array(["x"]).dictionary_encode()),
        (["5"], pa.array([5], pa.uint64())),
        ([[1, 2]], ["[1,2]"]),
    ],
)
def test_equal_across_types(train, val):
    assert same_cells(train, val)


def test_what_a_column_holds_is_decided_over_all_files():
    assert not same_cells(["5", "6"], ["5.0", "x"])
    assert same_cells(["5", "6"], ["5", "x"])
    assert not same_cells([True, False], ["1", "7"], 1, 1)


def test_a_value_after_the_head_decides_too():
    train = ["1"] * 3000
    assert same_cells([*train, "2.0"], ["2"], 3000, 0)
    assert not same_cells([*train, "2.0", "x"], ["2"], 3000, 0)


numbers = st.one_of(
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-(10**6), 10**6, places=3),
)


@settings(max_examples=40, deadline=None)
@example(values=[2.2250738585072014e-308, 2.225073858507e-311, 5e-324, -1.23456789012e-290, 9.99999999949e-281])
@example(values=[6.103515625e-05, 0.000244140625, 2.0**-17])
@given(values=st.lists(numbers, min_size=1, max_size=20))
def test_numbers_written_with_nine_digits_stay_equal(values):
    full = [repr(value) if isinstance(value, float) else str(value) for value in values]
    short = [
        f"{value:.9g}" if isinstance(value, float) and value != int(value) else text
        for value, text in zip(values, full, strict=True)
    ]
    rows = fingerprint(frame("train", x=full), frame("val", x=short))
    digests = rows.digests(np.arange(2 * len(values)))
    assert digests[: len(values)] == digests[len(values) :]


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(-(10**40), 10**40), min_size=2, max_size=20, unique=True))
def test_different_integers_stay_different(values):
    rows = fingerprint(frame("train", x=[str(value) for value in values]))
    assert len(set(rows.digests(np.arange(len(values))))) == len(values)


controls = st.one_of(st.none(), st.text(st.sampled_from("\x1b\x1e\x1f[^_ab"), max_size=3))


@settings(max_examples=60, deadline=None)
@given(
    table=st.lists(st.tuples(st.one_of(st.none(), controls), st.one_of(st.none(), controls)), min_size=2, max_size=30)
)
def test_no_two_rows_of_text_are_encoded_alike(table):
    rows = fingerprint(
        frame("train", x=pa.array([a for a, _ in table], pa.string()), y=pa.array([b for _, b in table], pa.string()))
    )
    twins = rows.duck.rows("SELECT idx, raw FROM twins")
    keys = dict(twins)
    for i, a in enumerate(table):
        for j, b in enumerate(table[:i]):
            assert (a == b) == (i in keys and j in keys and keys[i] == keys[j])


def test_null_is_not_the_empty_text_in_the_raw_layer():
    rows = fingerprint(
        frame("train", x=["", "a"], y=["1", "2"]), frame("val", x=pa.array([None], pa.string()), y=["1"])
    )
    assert n_shared(rows, "raw", "val", "train") == 0
    assert n_shared(rows, "canonical", "val", "train") == 1


# --- which columns, which labels ------------------------------------------------------------------------------


def test_layers_are_nested_and_the_label_is_the_last_to_go():
    train = frame("train", x=["1", "2", "3", "4"], y=["a", "b", "a", "a"])
    val = frame("val", x=["1", "2.0", "3"], y=["a", "b", "b"])
    rows = fingerprint(train, val, label="y")
    assert [n_shared(rows, layer, "val", "train") for layer in ("raw", "canonical", "without_label")] == [1, 2, 3]


def test_the_dot_of_adult_is_removed_only_where_the_other_split_lacks_it():
    train, val = frame("train", x=[1, 2], y=["a", "b"]), frame("val", x=[1, 2], y=["a.", "b."])
    rows = fingerprint(train, val, label="y")
    assert rows.label_counts == {"train": {"a": 1, "b": 1}, "val": {"a": 1, "b": 1}}
    assert n_shared(rows, "canonical", "val", "train") == 2
    rows = fingerprint(train, frame("val", x=[1, 2], y=["a.", "b"]), label="y")
    assert rows.label_counts["val"] == {"a.": 1, "b": 1}
    rows = fingerprint(frame("train", x=[1, 2], y=["a.", "b"]), frame("val", x=[1], y=["a."]), label="y")
    assert rows.label_counts["val"] == {"a.": 1}


def test_ignored_columns_by_name_and_position():
    train, val = frame("train", a=[1, 2], id=[1, 2], c=["x", "y"]), frame("val", a=[1], id=[7], c=["x"])
    assert n_shared(fingerprint(train, val), "canonical", "val", "train") == 0
    for told in ("id", "2"):
        rows = fingerprint(train, val, config=Config(ignore_columns=(told,)))
        assert n_shared(rows, "canonical", "val", "train") == 1
        assert rows.left_out == {"id": "ignored"}
    assert n_shared(fingerprint(train, val, id="id"), "canonical", "val", "train") == 1
    assert n_shared(fingerprint(train, val, ignore=("id",)), "canonical", "val", "train") == 1
    with pytest.raises(ConfigError, match="'ib'"):
        fingerprint(train, val, config=Config(ignore_columns=("ib",)))


def test_another_order_of_columns_and_a_column_too_many():
    rows = fingerprint(frame("train", a=[1], b=["x"], extra=[0]), frame("val", b=["x"], a=[1]))
    assert n_shared(rows, "canonical", "val", "train") == 1
    assert rows.left_out == {"extra": "not in every file"}


def test_a_test_split_without_labels_is_still_compared():
    rows = fingerprint(frame("train", x=[1, 2], y=["a", "b"]), frame("test", x=[1]), label="y")
    assert n_shared(rows, "canonical", "test", "train") == 1
    assert not rows.label_compared
    assert rows.label_counts == {"train": {"a": 1, "b": 1}, "test": {}}
    assert [sample.label for sample in rows.describe(np.array([1, 2]))] == ["b", None]


def test_a_split_column_is_no_part_of_a_row():
    table = frame(None, "t.csv", x=["1", "1", "2", "3"], part=["train", "dev ", "dev", "unused"])
    rows = fingerprint(table, split="part", split_values={"train": "train", "dev": "val"})
    assert rows.n_rows == {"train": 1, "val": 2}
    assert n_shared(rows, "canonical", "val", "train") == 1
    assert rows.describe(np.array([1]))[0].split == "val"


def test_nothing_in_common_and_nothing_left():
    with pytest.raises(InputError, match="no column in common"):
        fingerprint(frame("train", a=[1]), frame("val", b=[1]))
    with pytest.raises(InputError, match="no column is left"):
        fingerprint(frame("train", a=[1]), frame("val", a=[1]), ignore=("a",))
    with pytest.raises(InputError, match="beside the label 'y'"):
        fingerprint(frame("train", y=[1]), frame("val", y=[1]), label="y")


# --- files ----------------------------------------------------------------------------------------------------


def test_formats_mix(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1, 2], "b": [0.5, 1.5]}), tmp_path / "train.parquet")
    train = TableFile("train.parquet", "train", "parquet", ("a", "b"), path=str(tmp_path / "train.parquet"))
    val = csv_file(tmp_path / "val.csv", "val", "b,a\n0.50,1\n7,7\nbroken\n")
    (tmp_path / "test.jsonl").write_text(json.dumps({"a": 2.0, "b": 1.5}) + "\n")
    test = TableFile("test.jsonl", "test", "jsonl", ("a", "b"), path=str(tmp_path / "test.jsonl"))
    rows = fingerprint(train, val, test)
    assert rows.n_rows == {"train": 2, "val": 2, "test": 1}
    assert n_shared(rows, "canonical", "val", "train") == n_shared(rows, "canonical", "test", "train") == 1
    assert rows.n_rejected == 1
    assert [problem.uri for problem in rows.problems] == ["val.csv#2"]


def test_described_rows(tmp_path):
    train = csv_file(tmp_path / "train.csv", "train", "a,b,y\n1,x,p\nbad\n2,,q\n")
    val = csv_file(tmp_path / "val.csv", "val", f"a,b,y\n3,{'z' * 600},p.\n")
    rows = fingerprint(train, val, label="y")
    samples = rows.describe(np.array([2, 1, 1]))
    assert [sample.uri for sample in samples] == ["val.csv#0", "train.csv#2", "train.csv#2"]
    assert samples[1].row == {"a": "2", "b": None, "y": "q"}
    assert samples[0].label == "p"
    assert samples[0].row is not None
    assert samples[0].row["y"] == "p."
    assert samples[0].row["b"] == "z" * 500 + "…"
    names = rows.names(np.array([2, 1, 1])).to_pylist()
    assert names[1] == {"split": "train", "uri": "train.csv#2", "label": "q"}
    assert rows.names(np.zeros(0, dtype=np.int64)).num_rows == 0
    assert rows.describe(np.zeros(0, dtype=np.int64)) == []


def test_digests_do_not_depend_on_names_or_positions():
    a = fingerprint(frame("train", "a.csv", x=["1", "2"]), frame("val", "b.csv", x=["2.0"]))
    b = fingerprint(frame("train", "c.csv", x=["2", "9", "1"]), frame("val", "d.csv", x=["2"]))
    assert a.digests(np.array([1, 2])) == b.digests(np.array([0, 3]))
    assert all(len(digest) == 16 for digest in a.digests(np.arange(3)))


def test_degenerate_tables():
    constant = fingerprint(frame("train", x=[1] * 1000), frame("val", x=[1] * 10))
    assert n_shared(constant, "canonical", "val", "train") == 10
    missing = fingerprint(frame("train", x=[float("nan")] * 3), frame("val", x=pa.array([None, None])))
    assert n_shared(missing, "canonical", "val", "train") == 2
    empty = fingerprint(frame("train", x=[1]), frame("val", x=pa.array([], pa.int64())))
    assert empty.n_rows == {"train": 1, "val": 0}


def test_many_columns_with_hostile_names(tmp_path):
    names = ",".join(f'n{i}"; DROP TABLE twins;' for i in range(600))
    row = ",".join(str(i / 7) for i in range(600))
    columns = tuple(names.split(","))
    train = csv_file(tmp_path / "a.csv", "train", f"h\n{row}\n{row}1\n", columns=columns)
    val = csv_file(tmp_path / "b.csv", "val", f"h\n{row}\n", columns=columns)
    rows = fingerprint(train, val)
    assert n_shared(rows, "canonical", "val", "train") == 1
    assert len(rows.describe(np.array([0]))[0].row or {}) == 100


def test_too_little_memory_is_one_line():
    files = [frame(split, x=[f"{i:0200d}" for i in range(50_000)]) for split in ("train", "val")]
    with pytest.raises(UserError, match="memory"):
        fingerprint(*files, config=Config(jobs=1, memory_limit="2MB"))


def test_the_temporary_folder_goes_after_an_error_and_after_use(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(InputError):
        fingerprint(frame("train", x=[1]), TableFile("gone", "val", "csv", ("x",), path=str(tmp_path / "gone")))
    assert not list(tmp_path.iterdir())
    rows = fingerprint(frame("train", x=[1]), frame("val", x=[1]))
    assert list(tmp_path.iterdir())
    del rows
    gc.collect()
    assert not list(tmp_path.iterdir())


# --- real data ------------------------------------------------------------------------------------------------


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("ignored", "expected"), [((), [0, 23, 2586, 26, 2979]), (("3",), [0, 2586, 2586, 2979, 2979])]
)
def test_adult(shared_data: Path, ignored, expected):
    columns = tuple(f"column_{i + 1}" for i in range(15))
    files = [
        TableFile(
            f"{split}.csv",
            split,
            "csv",
            columns,
            path=str(shared_data / "tabular" / f"adult-{split}.csv"),
            delimiter=", ",
            header=False,
        )
        for split in ("train", "test")
    ]
    rows = fingerprint_rows(dataset(*files, label="column_15"), Config(ignore_columns=ignored))
    assert rows.n_rows == {"train": 32_561, "test": 16_281}
    assert rows.label_counts["test"] == {"<=50K": 12_435, ">50K": 3_846}
    assert [n_shared(rows, layer, "test", "train") for layer in LAYERS] == expected
    assert rows.n_rejected == 0
    assert list(rows.beside) == ([] if ignored else ["column_3"])
