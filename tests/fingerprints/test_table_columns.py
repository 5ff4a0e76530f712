from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from leakaudit.fingerprints.table_columns import available, raw_numbers, read_columns, read_labels, split_codes
from tables import csv_file, fingerprint, frame


def pool(tmp_path):
    train = csv_file(tmp_path / "train.csv", "train", "n,s,y\n1,b,p\n2.50, a,q\nbad\n,,p\n")
    val = frame("val", n=[3.0, None], s=["a ", "c"], y=["q.", "p."], extra=[1, 2])
    return fingerprint(train, val, label="y")


def test_values_are_canonical_over_all_files(tmp_path):
    rows = pool(tmp_path)
    number, text = read_columns(rows, ["n", "s"])
    assert (number.kind, text.kind) == ("number", "text")
    assert number.numbers is not None
    np.testing.assert_array_equal(number.numbers, [1, 2.5, np.nan, 3, np.nan])
    assert text.codes is not None
    assert text.levels is not None
    assert text.codes.tolist() == [1, 0, -1, 0, 2]
    assert text.levels.to_pylist() == ["a", "b", "c"]
    assert text.missing.tolist() == [False, False, True, False, False]
    assert len(number) == len(text) == 5


def test_only_the_rows_that_are_asked_for(tmp_path):
    rows = pool(tmp_path)
    (text,) = read_columns(rows, ["s"], np.array([1, 4]))
    assert text.levels is not None
    assert (text.codes.tolist(), text.levels.to_pylist()) == ([0, 1], ["a", "c"])
    (none,) = read_columns(rows, ["n"], np.zeros(0, dtype=np.int64))
    assert len(none) == 0


def test_labels_are_spelt_alike(tmp_path):
    labels = read_labels(pool(tmp_path))
    assert labels is not None
    assert labels.levels is not None
    assert [labels.levels[code].as_py() for code in labels.codes] == ["p", "q", "p", "q", "p"]
    assert read_labels(fingerprint(frame("train", x=[1]))) is None


def test_columns_that_every_file_has_and_splits(tmp_path):
    rows = pool(tmp_path)
    assert available(rows) == ("n", "s", "y")
    assert split_codes(rows).tolist() == [0, 0, 0, 1, 1]
    table = frame(None, "t.csv", x=[1, 2, 3], part=["train", "other", "dev"])
    parted = fingerprint(table, split="part", split_values={"train": "train", "dev": "val"})
    assert split_codes(parted).tolist() == [0, -1, 1]


def test_times_are_seconds_whatever_their_zone():
    zoned = pa.array([datetime(2020, 1, 1, 12, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin"))
    rows = fingerprint(frame("train", t=zoned), frame("val", t=pa.array([datetime(2020, 1, 1, 12)])))
    (times,) = read_columns(rows, ["t"])
    assert times.numbers is not None
    assert times.numbers.tolist() == [1577880000.0] * 2


def test_wide_tables_are_read_in_order_and_numbers_to_the_last_bit():
    cells = {f"c{i}": [i + 1 / 3, -i / 7] for i in range(150)}
    rows = fingerprint(frame("train", **cells))
    names = [f"c{i}" for i in range(149, -1, -1)]
    assert [column.name for column in read_columns(rows, names)] == names
    assert [values.tolist() for values in raw_numbers(rows, names)] == [cells[name] for name in names]


def test_parquet_is_read_like_a_table(tmp_path):
    import pyarrow.parquet as pq

    from leakaudit.model import TableFile

    values = np.arange(300_000) % 977
    pq.write_table(pa.table({"x": values, "file_row_number": values}), tmp_path / "named.parquet")
    pq.write_table(pa.table({"x": values}), tmp_path / "t.parquet", row_group_size=10_000)
    files = [
        TableFile("t", "train", "parquet", ("x",), path=str(tmp_path / "t.parquet")),
        TableFile("n", "val", "parquet", ("x", "file_row_number"), path=str(tmp_path / "named.parquet")),
    ]
    (column,) = read_columns(fingerprint(*files), ["x"])
    assert column.numbers is not None
    np.testing.assert_array_equal(column.numbers, np.concatenate((values, values)))
