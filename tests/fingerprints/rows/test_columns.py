from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.copies.rows.equal import n_shared
from leakaudit.fingerprints.rows.columns import available, raw_numbers, read_columns, read_labels, split_codes
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


@pytest.mark.parametrize("wide", [1, 10**9], ids=["held", "not held"])
def test_a_wide_table_has_the_values_and_twins_of_a_narrow_one(tmp_path, monkeypatch, wide):
    """Cells that go through SQL as one long column, against the same cells one column at a time."""
    monkeypatch.setattr("leakaudit.sources.readers.duck_tables.WIDE", wide)
    random = np.random.default_rng(0)
    kinds = [
        lambda n: random.integers(0, 3, n).astype(str),
        lambda n: np.round(random.normal(size=n), 2).astype(str),
        lambda n: random.choice(["05", "5.0", "", "1e400", "9007199254740993", "NA"], n),
        lambda n: random.choice(["a ", "a", "Ａ", "NA", ""], n),
        lambda n: random.choice(["true", "FALSE", ""], n),
    ]
    names = [f"k{i}" for i in range(70)] + ["y"]

    def text(n, copied=()):
        cells = [kinds[i % 5](n) for i in range(70)] + [random.choice(["p", "q"], n)]
        return [",".join(row) for row in zip(*cells, strict=True)] + list(copied)

    train = text(40)
    val = text(12, train[:3])
    files = [
        csv_file(tmp_path / f"{split}.csv", split, "\n".join([",".join(names), *rows]))
        for split, rows in (("train", train), ("val", val))
    ]
    rows = fingerprint(*files, label="y")
    assert (rows.pool.tables[0].held is None) == (wide > 1)
    assert n_shared(rows, "raw", "val", "train") == n_shared(rows, "canonical", "val", "train") == 3
    for i, column in enumerate(read_columns(rows, names[:-1])):
        cells = [row.split(",")[i] for row in (*train, *val)]
        if column.numbers is None:
            assert column.codes is not None
            assert column.levels is not None
            tidy = [" ".join(unicodedata.normalize("NFKC", cell).split()) for cell in cells]
            levels = [*column.levels.to_pylist(), None]
            assert [levels[code] for code in column.codes.tolist()] == [cell or None for cell in tidy]
        elif column.kind == "number":
            expected = [np.nan if cell in ("", "NA") else float(f"{float(cell):.9g}") for cell in cells]
            # Whole numbers keep all their digits; text beyond the range of a double is no number to SQL.
            expected = [float(c) if c.isdigit() else e for c, e in zip(cells, expected, strict=True)]
            np.testing.assert_array_equal(column.numbers, expected)
    (some,) = read_columns(rows, ["k3"], np.array([0, 41]))
    (every,) = read_columns(rows, ["k3"])
    assert some.codes is not None
    assert some.levels is not None
    assert every.codes is not None
    assert every.levels is not None
    for at, row in enumerate((0, 41)):
        code, whole = int(some.codes[at]), int(every.codes[row])
        assert (code < 0) == (whole < 0)
        assert code < 0 or some.levels[code] == every.levels[whole]
