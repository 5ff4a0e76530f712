"""Layouts of rows: split files, a split column, JSON, parallel text, one split, data frames."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, LayoutError, UserError
from leakaudit.sources.layouts import load
from leakaudit.sources.objects.frames import from_frames

TRAIN = "id,text,label\n1,hello there,a\n2,good bye,b\n3,well then,a\n"
TEST = "id,text,label\n4,oh no,b\n5,good day,a\n"


def write(root: Path, **files: str | bytes) -> Path:
    """Files by name, a double underscore for the dot."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def told(dataset):
    return [(table.uri, table.split, table.format) for table in dataset.tables]


def test_split_files_in_a_folder(tmp_path):
    root = write(tmp_path, train__csv=TRAIN, test__csv=TEST, sample_submission__csv="id,label\n1,a\n", notes__md="x")
    dataset = load([root], Config())
    assert dataset.kind == "table"
    assert told(dataset) == [("train.csv", "train", "csv"), ("test.csv", "test", "csv")]
    assert dataset.tables[0].columns == ("id", "text", "label")
    assert dataset.columns.label == "label"
    assert dataset.notes == ("Not used, beside the split files: sample_submission.csv.",)
    for words in ("train (train.csv)", "the first line names the columns", "','", "label column 'label' (by its name)"):
        assert words in dataset.layout.why


def test_named_files(tmp_path):
    root = write(tmp_path, a__csv=TRAIN, b__csv=TEST)
    dataset = load([f"train={root / 'a.csv'}", f"val={root / 'b.csv'}"], Config(label="text", id="1"))
    assert told(dataset) == [("a.csv", "train", "csv"), ("b.csv", "val", "csv")]
    assert (dataset.columns.label, dataset.columns.id) == ("text", "id")
    with pytest.raises(LayoutError, match="only one split"):
        load([f"train={root / 'a.csv'}"], Config())
    with pytest.raises(LayoutError, match="does not say which split"):
        load([root / "a.csv", root / "b.csv"], Config())


@pytest.mark.parametrize(
    ("first", "second"), [("adult-train", "adult-test"), ("X_train", "X_val"), ("trainData", "devData")]
)
def test_words_of_file_names(tmp_path, first, second):
    root = tmp_path
    (root / f"{first}.csv").write_text(TRAIN)
    (root / f"{second}.csv").write_text(TEST)
    assert load([root], Config()).splits[0] == "train"
    (root / "other.csv").write_text(TEST)
    with pytest.raises(LayoutError, match=rf"beside other tables \(other.csv\): say which: .*train={first}.csv"):
        load([root], Config())


def test_dev_and_val_files_are_two_splits(tmp_path):
    root = write(tmp_path, train__csv=TRAIN, dev__csv=TEST, val__csv=TEST)
    assert load([root], Config()).splits == ("train", "val", "dev")


def test_two_sets_of_split_files(tmp_path):
    root = write(tmp_path, en_train__csv=TRAIN, en_test__csv=TEST, de_train__csv=TRAIN, de_test__csv=TEST)
    with pytest.raises(LayoutError, match="several sets of split files"):
        load([root], Config())


def test_shards(tmp_path):
    for split, n in (("train", 2), ("test", 1)):
        for i in range(n):
            pq.write_table(pa.table({"x": [i], "y": ["a"]}), tmp_path / f"{split}-0000{i}-of-0000{n}.parquet")
    dataset = load([tmp_path], Config())
    assert [(table.split, table.format) for table in dataset.tables] == [("train", "parquet")] * 2 + [
        ("test", "parquet")
    ]
    write(tmp_path / "f" / "train", a__csv=TRAIN, b__csv=TRAIN)
    write(tmp_path / "f" / "val", a__csv=TEST)
    assert [uri for uri, _, _ in told(load([tmp_path / "f"], Config()))] == ["train/a.csv", "train/b.csv", "val/a.csv"]
    dataset = load([f"train={tmp_path / 'f/train/*.csv'}", f"val={tmp_path / 'f/val'}"], Config())
    assert [split for _, split, _ in told(dataset)] == ["train", "train", "val"]


def test_compressed_files(tmp_path):
    zst = pa.compress(TEST.encode(), codec="zstd", asbytes=True)
    root = write(tmp_path, train__csv__gz=gzip.compress(TRAIN.encode()), test__csv__zst=zst)
    dataset = load([root], Config())
    assert [table.compression for table in dataset.tables] == ["gzip", "zstd"]
    assert dataset.tables[1].columns == ("id", "text", "label")
    write(tmp_path, test__csv__zst=zst[:9], train__csv__gz=b"\x1f\x8b nothing")
    with pytest.raises(InputError, match="damaged gzip"):
        load([root], Config())


def test_headerless_files(tmp_path):
    train = "39, State-gov, <=50K\n50, Private, >50K\n38, Private, <=50K\n"
    root = write(tmp_path, train__csv=train, test__csv="25, Private, <=50K.\n38, State-gov, >50K.\n")
    dataset = load([root], Config(ignore_columns=("1",)))
    table = dataset.tables[0]
    assert (table.header, table.delimiter, table.columns) == (False, ", ", ("column_1", "column_2", "column_3"))
    assert dataset.columns.label == "column_3"
    assert dataset.columns.ignore == ("column_1",)
    assert "no header line" in dataset.layout.why
    assert "the last one of a table without header line" in dataset.layout.why
    with pytest.raises(LayoutError, match=r"no column in common \(39, State-gov"):
        load([root], Config(header=True))


def test_header_in_one_file_only(tmp_path):
    root = write(tmp_path, train__csv="a,b,c\n1,2.5,x\n2,3.5,y\n", test__csv="3,4.5,x\n4,5.5,y\n")
    dataset = load([root], Config())
    assert [table.header for table in dataset.tables] == [True, False]
    assert dataset.tables[1].columns == ("a", "b", "c")
    assert "no header line in test.csv" in dataset.layout.why
    write(tmp_path, test__csv="3,4.5\n4,5.5\n")
    with pytest.raises(LayoutError, match="seems to have no header line and 2 columns"):
        load([root], Config())


def test_equal_first_lines_of_words_are_a_header(tmp_path):
    header = "first,second\n"
    root = write(tmp_path, train__csv=header + "one,first\ntwo,first\n", test__csv=header + "six,ten\n")
    assert [table.header for table in load([root], Config()).tables] == [True, True]


def test_encodings(tmp_path):
    text = "text,label\nein Müller fährt über die Straße,a\nzwei,b\n"
    for name, codec, expected in (
        ("bom", "utf-8-sig", "utf-8"),
        ("latin", "latin-1", "latin-1"),
        ("wide", "utf-16", "utf-16"),
        ("western", "cp1252", "cp1252"),
    ):
        body = text.replace("zwei", "„zwei“") if codec == "cp1252" else text
        root = write(tmp_path / name, train__csv=body.encode(codec), test__csv=body.encode(codec))
        dataset = load([root], Config())
        assert {table.encoding for table in dataset.tables} == {expected}
        assert dataset.tables[0].columns == ("text", "label")
    with pytest.raises(ConfigError, match="no encoding 'klingon'"):
        load([root], Config(encoding="klingon"))
    with pytest.raises(InputError, match=r"not in ascii as told"):
        load([root], Config(encoding="ascii"))


def test_odd_headers(tmp_path):
    root = write(tmp_path, train__csv=",a,a\n0,1.5,x\n1,2.5,y\n", test__csv=",a,a\n0,3.5,x\n")
    assert load([root], Config()).tables[0].columns == ("column_1", "a", "a_2")


def test_columns_in_common(tmp_path):
    root = write(tmp_path, train__csv=TRAIN, test__csv="label,id,extra\na,7,1\nb,8,2\n")
    dataset = load([root], Config())
    assert dataset.columns.ignore == ("text", "extra")
    assert dataset.notes == ("Columns that are not in every split are no part of the comparison: text, extra.",)
    write(tmp_path, test__csv="p,q\n1,2\n3,4\n")
    with pytest.raises(LayoutError, match=r"have no column in common"):
        load([root], Config())
    write(tmp_path, test__csv="id,text\n1,good\n3,bad\n")
    dataset = load([root], Config(label="label"))
    assert dataset.columns.label is None
    assert any("'label' is not in every split" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "split test: .*an empty file"),
        (b"\n\n", "an empty file"),
        (b"id,text,label\n", r"the split test .* is empty"),
        (b"id,text\x00,label\n1,2,3\n", "binary"),
        (b"\x80\x04\x95pickled", "never loaded"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"PAR1 nothing", "damaged parquet"),
        (b"BZh91", "bzip2"),
    ],
)
def test_unusable_files(tmp_path, content, message):
    root = write(tmp_path, train__csv=TRAIN, test__csv=content)
    with pytest.raises(InputError, match=message) as caught:
        load([root], Config())
    assert "\n" not in str(caught.value)
    assert "test.csv" in str(caught.value)


def test_jsonl_and_json(tmp_path):
    lines = '{"q": "one", "a": 1}\n{"q": "two", "b": [1, 2]}\n'
    root = write(tmp_path / "lines", train__jsonl=lines, test__ndjson=lines)
    dataset = load([root / "train.jsonl", root / "test.ndjson"], Config())
    assert [table.format for table in dataset.tables] == ["jsonl", "jsonl"]
    assert dataset.tables[0].columns == ("q", "a", "b")
    records = json.dumps([{"q": "one", "a": 1}, {"q": "two", "a": None}])
    root = write(tmp_path / "array", train__json=records, test__json=records)
    table = load([root], Config()).tables[0]
    assert table.format == "arrow"
    assert table.table.to_pydict() == {"q": ["one", "two"], "a": ["1", None]}
    for bad, message in (("[1, {}]", "different kinds"), ("[", "not JSON"), ("5", "neither an array"), ("[]", "empty")):
        write(root, test__json=bad)
        with pytest.raises(InputError, match=message):
            load([root], Config())
    write(root, test__json="[" * 100_000)
    with pytest.raises(InputError, match=r"nested too deeply|not JSON"):
        load([root], Config())


def test_json_of_splits(tmp_path):
    root = write(tmp_path, data__json=json.dumps({"train": [["a b", "x"]], "dev": [["c", "y"]], "oos": [["d", "z"]]}))
    dataset = load([root / "data.json"], Config())
    assert told(dataset) == [("data.json:train", "train", "arrow"), ("data.json:dev", "val", "arrow")]
    assert dataset.columns.label == "column_2"
    assert "oos (1)" in dataset.notes[0]
    assert load([root], Config(splits={"oos": "ood"})).splits == ("train", "val", "ood")
    write(tmp_path, data__json=json.dumps({"train": [["a b", "x"]], "val": []}))
    with pytest.raises(InputError, match=r"the split val .* is empty"):
        load([root], Config())


SPLIT_TABLE = "x,part,y\n" + "".join(
    f"{i},{p},{'ab'[i % 2]}\n" for i, p in enumerate(["train"] * 4 + ["test"] * 2 + ["unused", ""])
)


def test_split_column(tmp_path):
    root = write(tmp_path, data__csv=SPLIT_TABLE.replace("part", "published_split"))
    dataset = load([root / "data.csv"], Config())
    assert dataset.splits == ("train", "test")
    assert dataset.columns.split == "published_split"
    assert dataset.columns.split_values == {"train": "train", "test": "test"}
    assert dataset.tables[0].split is None
    assert [note.partition(" belong")[0].partition(" are")[0] for note in dataset.notes] == [
        "1 rows without a value in published_split",
        "1 rows with published_split = 'unused'",
    ]
    assert load([root], Config(splits={"unused": "val"})).splits == ("train", "val", "test")


def test_split_column_told(tmp_path):
    path = write(tmp_path, data__csv=SPLIT_TABLE.replace("train", "one").replace("test", "two")) / "data.csv"
    with pytest.raises(LayoutError, match="no column of it says the split"):
        load([path], Config())
    dataset = load([path], Config(split_column="2"))
    assert dataset.columns.split_values == {"one": "one", "two": "two", "unused": "unused"}
    dataset = load([path], Config(split_column="part", splits={"one": "train", "two": "val"}))
    assert dataset.splits == ("train", "val")
    with pytest.raises(ConfigError, match="has no value 'three'"):
        load([path], Config(split_column="part", splits={"three": "train"}))
    with pytest.raises(ConfigError, match="--split-column: there is no column"):
        load([path], Config(split_column="parts"))


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("is_train", ("True", "False"), {"True": "train", "False": "test"}),
        ("is_test", ("0", "1"), {"0": "train", "1": "test"}),
        ("IsValid", ("no", "yes"), {"no": "train", "yes": "val"}),
    ],
)
def test_a_flag_says_the_split(tmp_path, name, values, expected):
    rows = "".join(f"{at},{values[at % 2]}\n" for at in range(8))
    root = write(tmp_path, data__csv=f"x,{name}\n{rows}")
    for config in (Config(), Config(split_column=name)):
        dataset = load([root], config)
        assert dataset.columns.split == name
        assert dict(dataset.columns.split_values) == expected


def test_a_column_of_other_values_or_another_name_is_no_flag(tmp_path):
    for header in ("is_train", "train_time", "interval", "is_long"):
        values = ("3.5", "2") if header == "is_train" else ("1", "0")
        rows = "".join(f"{at},{values[at % 2]}\n" for at in range(8))
        root = write(tmp_path, data__csv=f"x,{header}\n{rows}")
        with pytest.raises(LayoutError, match="no column of it says the split"):
            load([root], Config())


def test_a_split_column_goes_before_a_flag(tmp_path):
    root = write(tmp_path, data__csv="is_train,split\n1,train\n1,dev\n0,test\n")
    assert load([root], Config()).columns.split == "split"


def test_files_of_old_versions_are_not_read_as_rows(tmp_path):
    root = write(tmp_path, train__csv=TRAIN, test__csv=TEST)
    (root / "metadata").mkdir()
    (root / "metadata" / "version-hint.text").write_text("1")
    with pytest.raises(InputError, match="rows that were deleted"):
        load([root], Config())


def test_split_column_beyond_the_head(tmp_path):
    rows = "".join(f"{i},{'train' if i < 200_000 else 'test'},{i % 7}\n" for i in range(210_000))
    path = write(tmp_path, data__csv="x,split,y\n" + rows) / "data.csv"
    assert load([path], Config()).splits == ("train", "test")
    table = pa.table({"x": range(10), "split": ["train"] * 8 + ["val"] * 2})
    pq.write_table(table, tmp_path / "data.parquet")
    assert load([tmp_path / "data.parquet"], Config()).splits == ("train", "val")


def test_parallel_text(tmp_path):
    write(tmp_path / "train", **{"seq__in": "a b\nc d\n", "label": "x\ny\n"})
    write(tmp_path / "valid", **{"seq__in": "e\r\nf\u2028g", "label": "x\ny", "extra": "1\n"})
    dataset = load([tmp_path], Config())
    assert told(dataset) == [("train", "train", "arrow"), ("valid", "val", "arrow")]
    assert dataset.tables[1].table.to_pydict() == {"label": ["x", "y"], "seq.in": ["e", "f\u2028g"]}
    assert dataset.columns.label == "label"
    assert load([f"train={tmp_path / 'train'}", f"val={tmp_path / 'valid'}"], Config()).splits == ("train", "val")
    write(tmp_path / "valid", label="x\n")
    with pytest.raises(InputError, match=r"as many lines as each other \(label 1, seq.in 2\)"):
        load([tmp_path], Config())
    write(tmp_path / "valid", label="", **{"seq__in": ""})
    with pytest.raises(InputError, match=r"the split val .*is empty"):
        load([tmp_path], Config())


def test_lines_of_text(tmp_path):
    root = write(tmp_path, train__txt='First, a line.\nThen "another\n', test__txt="One.\nTwo, three.\n")
    dataset = load([root / "train.txt", root / "test.txt"], Config())
    table = dataset.tables[0]
    assert (table.columns, table.header, table.quote) == (("text",), False, "")


def test_one_table(tmp_path):
    path = write(tmp_path, data__csv=TRAIN) / "data.csv"
    with pytest.raises(LayoutError, match=r"no column of it says the split.*--within"):
        load([path], Config())
    dataset = load([path], Config(within=True))
    assert dataset.splits == ("all",)
    assert told(dataset) == [("data.csv", "all", "csv")]
    with pytest.raises(ConfigError, match="did you mean 'label'"):
        load([path], Config(within=True, label="labl"))


def test_a_row_longer_than_the_head(tmp_path):
    long = "x" * (3 << 20)
    root = write(tmp_path, train__csv=f'id,text\n1,"{long}"\n2,b\n', test__csv="id,text\n3,c\n4,d\n")
    dataset = load([root], Config())
    assert dataset.tables[0].columns == ("id", "text")


junk = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    st.text('{}[]":,\n \\ud8001aetrulns', max_size=60).map(str.encode),
    st.sampled_from([TRAIN.encode(), b'{"a": 1}\n', gzip.compress(TRAIN.encode())]).flatmap(
        lambda data: st.integers(0, len(data)).map(lambda at: data[:at] + b"\xff" + data[at + 1 :])
    ),
)


@settings(deadline=None, max_examples=150)
@given(junk, junk, st.sampled_from(["csv", "jsonl", "json", "parquet", "txt", "csv.gz"]), st.booleans())
def test_junk_is_an_error_of_the_user_or_data(tmp_path_factory, first, second, suffix, within):
    root = tmp_path_factory.getbasetemp() / "junk"
    root.mkdir(exist_ok=True)
    files = [root / f"train.{suffix}", root / f"test.{suffix}"]
    files[0].write_bytes(first)
    files[1].write_bytes(second)
    for paths in (files, files[:1], [f"val={files[1]}", f"train={files[0]}"]):
        try:
            dataset = load(paths, Config(within=within))
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:
            assert dataset.layout.why


def test_a_first_line_longer_than_the_head(tmp_path):
    line = json.dumps({"text": "x" * (2 << 20)}) + "\n"
    root = write(tmp_path, train__jsonl=line * 2, test__jsonl=line)
    assert load([root / "train.jsonl", root / "test.jsonl"], Config()).tables[0].columns == ("text",)


# --- data frames ----------------------------------------------------------------------------------------------


def test_frames():
    train = pd.DataFrame({"x": [1, 2], "mixed": ["a", 1], "c": pd.Categorical(["u", "v"]), "y": [0, 1], 5: [None, "s"]})
    dataset = from_frames({"training": train, "val": pa.Table.from_pandas(train[["x", "y"]])}, Config(label="y"))
    assert dataset.splits == ("train", "val")
    assert dataset.layout.name == "frames"
    assert dataset.columns.label == "y"
    assert dataset.tables[0].columns == ("x", "mixed", "c", "y", "5")
    assert dataset.tables[0].table.column("mixed").to_pylist() == ["a", "1"]
    assert dataset.tables[0].table.column("c").to_pylist() == ["u", "v"]
    assert dataset.columns.ignore == ("mixed", "c", "5")


def test_frames_that_speak_arrow():
    class Frame:
        def __init__(self, table):
            self.table = table

        def __arrow_c_stream__(self, requested_schema=None):
            return self.table.__arrow_c_stream__(requested_schema)

    frame = Frame(pa.table({"x": [1]}))
    assert from_frames({"train": frame, "test": frame}, Config()).tables[1].columns == ("x",)


def test_one_frame():
    frame = pd.DataFrame({"x": [1, 2, 3], "split": ["train", "train", "dev"]})
    dataset = from_frames({"data": frame}, Config())
    assert dataset.columns.split_values == {"train": "train", "dev": "val"}
    with pytest.raises(LayoutError, match="one data frame only"):
        from_frames({"train": frame[["x"]]}, Config())
    assert from_frames({"train": frame[["x"]]}, Config(within=True)).splits == ("train",)


def test_frames_that_are_none():
    frame = pd.DataFrame({"x": [1]})
    with pytest.raises(InputError, match="list is no data frame"):
        from_frames({"train": frame, "val": [1, 2]}, Config())
    with pytest.raises(InputError, match="the split val is empty"):
        from_frames({"train": frame, "val": frame.iloc[:0]}, Config())
    with pytest.raises(LayoutError, match="are the split 'train'"):
        from_frames({"train": frame, "training": frame}, Config())
    with pytest.raises(LayoutError, match="no data frame given"):
        from_frames({}, Config())
    with pytest.raises(InputError, match="two columns are called 'x'"):
        from_frames({"train": pd.DataFrame([[1, 2]], columns=["x", "x"]), "val": frame}, Config())
