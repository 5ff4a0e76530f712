from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.config import Config
from leakaudit.engines.duck import open_duck
from leakaudit.errors import InputError
from leakaudit.model import TableFile
from leakaudit.sources.readers.duck_tables import WIDE, narrowed, read_table
from tables import csv_file


def load(file):
    duck = open_duck(Config(jobs=2), [file])
    loaded = read_table(duck, file, "t")
    names = ", ".join(f"c{i}" for i in range(len(file.columns)))
    return loaded, duck.rows(f"SELECT {names} FROM t ORDER BY rowid")


def reasons(loaded):
    return [(problem.uri, problem.reason) for problem in loaded.problems]


# --- csv ------------------------------------------------------------------------------------------------------


def test_cells_stay_as_they_stand(tmp_path):
    text = 'a,b\n 1 ,"x, ""y""\nz"\n,""\n007,é\n'
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", text))
    assert rows == [(" 1 ", 'x, "y"\nz'), (None, ""), ("007", "é")]
    assert loaded.storage == ("text", "text")
    assert loaded.n_rejected == 0


def test_ragged_rows_are_counted_with_row_and_line(tmp_path):
    text = 'a,b\n1,2\n3\n\n"4\n4",5\n6,7,8\n9,10\n'
    loaded, rows = load(csv_file(tmp_path / "t.csv", "val", text))
    assert rows == [("1", "2"), ("4\n4", "5"), ("9", "10")]
    assert loaded.n_rejected == 2
    assert reasons(loaded)[0] == ("t.csv#1", "line 3: 1 cells where 2 were expected")
    assert reasons(loaded)[1][1] == "line 7: 3 cells where 2 were expected"
    assert {problem.split for problem in loaded.problems} == {"val"}


def test_row_numbers_count_rejected_rows(tmp_path):
    text = "a,b\n0,0\nbad\n2,2\nbad\nbad\n5,5\n\n6,6\n"
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", text))
    assert loaded.file_rows(np.arange(len(rows))).tolist() == [int(row[0]) for row in rows]


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.sampled_from(["good", "short", "long", "blank"]), min_size=1, max_size=40))
def test_row_numbers_of_any_mixture(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    number, lines, good, bad = 0, [], [], []
    for kind in rows:
        lines.append({"good": f"{number},x", "short": "x", "long": "x,x,x", "blank": ""}[kind])
        (good if kind == "good" else bad if kind != "blank" else []).append(number)
        number += kind != "blank"
    loaded, found = load(csv_file(path, "train", "\n".join(["a,b", *lines]) + "\n"))
    assert loaded.file_rows(np.arange(len(found))).tolist() == good == [int(row[0]) for row in found]
    assert loaded.rejected.tolist() == bad
    assert loaded.n_rejected == len(bad)


def test_an_open_quote_counts_every_line_that_it_swallows(tmp_path):
    text = "a,b\n" + "1,2\n" * 10 + '3,"open\n' + "1,2\n" * 99
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", text))
    assert len(rows) + loaded.n_rejected == 110
    assert loaded.problems[0].reason == "line 12: a quote that is not closed where its cell ends"


def test_text_in_another_encoding_is_rejected(tmp_path):
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", b"a,b\n1,\xff\xfe\n2,y\n"))
    assert rows == [("2", "y")]
    assert reasons(loaded) == [("t.csv#0", "line 2: not in the encoding of the file")]


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_line_ends_and_byte_order_mark(ends, tmp_path):
    text = "\ufeffa,b" + ends + "1,2" + ends + "3" + ends + "4,5"
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", text.encode(), columns=("a", "b")))
    assert rows == [("1", "2"), ("4", "5")]
    assert loaded.problems[0].reason.startswith("line 3")


def test_mixed_line_ends_are_read(tmp_path):
    loaded, rows = load(csv_file(tmp_path / "t.csv", "train", 'a,b\n1,2\r\n"x\r\ny",4\n5\n6,7', columns=("a", "b")))
    assert rows == [("1", "2"), ("x\r\ny", "4"), ("6", "7")]
    assert reasons(loaded) == [("t.csv#2", "line 5: 1 cells where 2 were expected")]


def test_control_characters_and_nul(tmp_path):
    _, rows = load(csv_file(tmp_path / "t.csv", "train", b"a,b\n\x00x,\x1f\n\x1b,\x1e\x01\n"))
    assert rows == [("\x00x", "\x1f"), ("\x1b", "\x1e\x01")]


def test_cells_of_a_megabyte_and_more(tmp_path):
    big, bigger = "x" * (1 << 20), "y" * (17 << 20)
    _, rows = load(csv_file(tmp_path / "t.csv", "train", f"a,b\n1,{big}\n2,z\n"))
    assert rows == [("1", big), ("2", "z")]
    _, rows = load(csv_file(tmp_path / "u.csv", "train", f"a,b\n1,{bigger}\n2,z\n"))
    assert rows == [("1", bigger), ("2", "z")]


def test_one_column_has_no_rows_in_blank_lines(tmp_path):
    _, rows = load(csv_file(tmp_path / "t.csv", "train", 'a\nx\n\ny\n""\n\n'))
    assert rows == [("x",), ("y",), ("",)]


def test_delimiter_of_two_characters_without_header(tmp_path):
    text = '39, State-gov, <=50K\n50, "a, b", 1,000\n\n'
    file = csv_file(tmp_path / "t.csv", "train", text, columns=("c1", "c2", "c3"), delimiter=", ", header=False)
    assert load(file)[1] == [("39", "State-gov", "<=50K"), ("50", "a, b", "1,000")]


def test_lines_before_the_header(tmp_path):
    file = csv_file(tmp_path / "t.csv", "train", "# made\n# by hand\na,b\n1,2\n3\n", columns=("a", "b"), skip_rows=2)
    loaded, rows = load(file)
    assert rows == [("1", "2")]
    assert reasons(loaded) == [("t.csv#1", "line 5: 1 cells where 2 were expected")]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_files(compression, tmp_path):
    raw = b"a,b\n1,2\n3\n4,5\n"
    packed = gzip.compress(raw) if compression == "gzip" else pa.compress(raw, "zstd", asbytes=True)
    file = csv_file(tmp_path / "t", "train", packed, columns=("a", "b"), compression=compression)
    loaded, rows = load(file)
    assert rows == [("1", "2"), ("4", "5")]
    assert reasons(loaded) == [("t#1", "line 3: 1 cells where 2 were expected")]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
def test_other_encodings(encoding, tmp_path):
    raw = "a,b\né,1\n".encode(encoding)
    file = csv_file(tmp_path / "t.csv", "train", raw, columns=("a", "b"), encoding=encoding)
    assert load(file)[1] == [("é", "1")]


@pytest.mark.parametrize("name", ["a[1]*.csv", "x{1,2}.csv", "it's \"; DROP TABLE t; --.csv", "~.csv", "日本.csv"])
def test_hostile_file_names(name, tmp_path):
    (tmp_path / "a1.csv").write_text("a,b\nwrong,wrong\n")
    assert load(csv_file(tmp_path / name, "train", "a,b\n1,2\n"))[1] == [("1", "2")]
    table = pa.table({"a": ["1"], "b": ["2"]})
    pq.write_table(table, tmp_path / f"{name}.parquet")
    file = TableFile(name, "train", "parquet", ("a", "b"), path=str(tmp_path / f"{name}.parquet"))
    assert load(file)[1] == [("1", "2")]


def test_two_thousand_columns_with_hostile_names(tmp_path):
    names = tuple(f'x"; DROP TABLE t; --{i}' for i in range(2000))
    text = "header\n" + ",".join(map(str, range(2000))) + "\n"
    _, rows = load(csv_file(tmp_path / "t.csv", "train", text, columns=names))
    assert rows == [tuple(map(str, range(2000)))]


def test_damaged_compression_is_one_line(tmp_path):
    raw = gzip.compress(b"a,b\n" + b"1,2\n" * 100_000)[:-200]
    file = csv_file(tmp_path / "t.gz", "train", raw, columns=("a", "b"), compression="gzip")
    with pytest.raises(InputError, match=r"^t.gz: cannot be read as csv: .+$"):
        load(file)


def test_a_file_that_is_gone_is_one_line(tmp_path):
    for kind in ("csv", "jsonl", "parquet"):
        with pytest.raises(InputError, match=r"^gone: cannot be read as"):
            load(TableFile("gone", "train", kind, ("a",), path=str(tmp_path / "gone")))


# --- JSON lines, parquet, Arrow -------------------------------------------------------------------------------


def test_json_lines(tmp_path):
    lines = [
        {"a": 1.10, "b": "x\ny"},
        {"a": None, 'b/"~': {"z": [1, None]}},
        {"a": 9007199254740993, "b": True},
    ]
    text = "\n".join(map(json.dumps, lines)) + '\n\n[1]\nbroken\n{"a": "end"}'
    (tmp_path / "t.jsonl").write_bytes(text.encode() + b'\n{"a": "\xff"}\n')
    file = TableFile("t.jsonl", "train", "jsonl", ("a", "b", 'b/"~'), path=str(tmp_path / "t.jsonl"))
    loaded, rows = load(file)
    assert rows == [
        ("1.1", "x\ny", None),
        (None, None, '{"z":[1,null]}'),
        ("9007199254740993", "true", None),
        ("end", None, None),
    ]
    assert reasons(loaded) == [
        ("t.jsonl#3", "line 5: not an object"),
        ("t.jsonl#4", "line 6: not JSON"),
        ("t.jsonl#6", "line 8: not UTF-8"),
    ]
    assert loaded.file_rows(np.arange(4)).tolist() == [0, 1, 2, 5]


def test_native_types_are_kept_and_nested_ones_become_text(tmp_path):
    table = pa.table(
        {
            "i": pa.array([2**62], pa.int64()),
            "f": pa.array([0.1], pa.float32()),
            "b": [True],
            "d": [date(2020, 1, 2)],
            "s": [{"x": 1, "y": ["é", None]}],
            "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())),
            "blob": [b"\x00\xff"],
            "null": pa.array([None]),
            "cat": pa.array(["u"]).dictionary_encode(),
            "dec": pa.array([10**20], pa.decimal128(30, 2)),
            "tz": pa.array([0], pa.timestamp("ms", "Europe/Berlin")),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    file = TableFile("t.parquet", "train", "parquet", tuple(table.column_names), path=str(tmp_path / "t.parquet"))
    duck = open_duck(Config(jobs=1), [file])
    loaded = read_table(duck, file, "t")
    assert loaded.storage[:4] == ("integer", "float32", "boolean", "date")
    assert loaded.storage[4:] == ("text",) * 6 + ("time_tz",)
    (row,) = duck.rows("SELECT c0, c4, c5, c6, c7, c8, c9, c10::VARCHAR FROM t")
    assert row == (
        2**62,
        '{"x":1,"y":["é",null]}',
        '{"k":1}',
        f"2 bytes, md5 {hashlib.md5(bytes([0, 255])).hexdigest()}",
        None,
        "u",
        "100000000000000000000.00",
        "1970-01-01 00:00:00+00",
    )
    arrow = TableFile("frame", "train", "arrow", tuple(table.column_names), table=table)
    assert read_table(duck, arrow, "u").storage == loaded.storage


def test_half_floats_and_repeated_names_in_arrow():
    table = pa.table([pa.array([1.5], pa.float16()), pa.array(["x"])], names=["a", "a"])
    assert load(TableFile("frame", "train", "arrow", ("a", "a_2"), table=table))[1] == [(1.5, "x")]


def test_rows_of_large_files_keep_their_order(tmp_path):
    table = pa.table({"a": pa.array(np.arange(300_000))})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=10_000)
    file = TableFile("t.parquet", "train", "parquet", ("a",), path=str(tmp_path / "t.parquet"))
    assert [row[0] for row in load(file)[1]] == list(range(300_000))


def test_other_columns_than_expected(tmp_path):
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="2 columns where 1"):
        load(TableFile("t", "train", "parquet", ("a",), path=str(tmp_path / "t.parquet")))


def test_a_wide_parquet_file_numbers_its_rows_once(tmp_path):
    columns = {f"x{at}": np.arange(5) * at for at in range(WIDE + 1)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet")
    file = TableFile("wide.parquet", "train", "parquet", tuple(columns), path=str(tmp_path / "wide.parquet"))
    duck = open_duck(Config(jobs=1), [file])
    loaded = read_table(duck, file, "t")
    with narrowed(duck, loaded, ["c2"]) as relation:
        assert duck.rows(f"SELECT c2, rowid FROM {relation} ORDER BY rowid") == [(2 * at, at) for at in range(5)]
