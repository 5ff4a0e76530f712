"""Every format of rows: the same rows give the same finding as in csv, and none where no row is shared."""

from __future__ import annotations

import bz2
import json
import lzma
import sqlite3
import zipfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import orc

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import read_head

N_SHARED = 7


def rows(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{i}": rng.normal(50, 9, 120).round(3) for i in range(4)})
    frame["site"] = rng.choice(list("abc"), 120)
    frame["target"] = (frame.x0 > 50).astype(int)
    return frame


def twins(leaky: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """90 train rows and 30 test rows; of the leaky ones seven test rows are train rows."""
    frame = rows()
    if leaky:
        frame.iloc[90 : 90 + N_SHARED] = frame.iloc[5 : 5 + N_SHARED].values
        frame = frame.astype(rows().dtypes)
    return frame.iloc[:90], frame.iloc[90:].reset_index(drop=True)


def n_copies(*paths: object) -> int:
    report = leakaudit.audit(*map(str, paths), select=("LA104",), use_cache=False, jobs=1, probe="off")
    return sum(finding.n_samples for finding in report.findings if finding.code == "LA104")


def write_feather(root, train, test):
    train.to_feather(root / "train.feather")
    test.to_feather(root / "test.feather")


def write_stream(root, train, test):
    for name, frame in (("train", train), ("test", test)):
        table = pa.Table.from_pandas(frame)
        with pa.ipc.new_stream(root / f"{name}.arrow", table.schema) as stream:
            stream.write_table(table, max_chunksize=16)


def write_orc(root, train, test):
    orc.write_table(pa.Table.from_pandas(train), root / "train.orc")
    orc.write_table(pa.Table.from_pandas(test), root / "test.orc")


def write_packed(root, train, test):
    (root / "train.csv.bz2").write_bytes(bz2.compress(train.to_csv(index=False).encode()))
    (root / "test.csv.xz").write_bytes(lzma.compress(test.to_csv(index=False).encode()))


def write_packed_jsonl(root, train, test):
    (root / "train.jsonl.bz2").write_bytes(bz2.compress(train.to_json(orient="records", lines=True).encode()))
    (root / "test.jsonl.xz").write_bytes(lzma.compress(test.to_json(orient="records", lines=True).encode()))


def write_packed_feather(root, train, test):
    import gzip

    write_feather(root, train, test)
    for name in ("train", "test"):
        path = root / f"{name}.feather"
        (root / f"{name}.feather.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()


def write_zips(root, train, test):
    train.to_csv(root / "train.csv.zip", index=False)
    test.to_csv(root / "test.csv.zip", index=False)


def write_one_zip(root, train, test):
    with zipfile.ZipFile(root / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/train.csv", train.to_csv(index=False))
        archive.writestr("data/test.csv", test.to_csv(index=False))
        archive.writestr("data/readme.md", "about")
        archive.writestr("__MACOSX/data/._train.csv", b"\0\1")


def write_sqlite(root, train, test):
    database = sqlite3.connect(root / "data.sqlite")
    train.to_sql("train", database, index=False)
    test.to_sql("hidden", database, index=False)
    database.execute("CREATE VIEW test AS SELECT * FROM hidden")
    database.close()


def write_duckdb(root, train, test):
    with duckdb.connect(str(root / "data.duckdb")) as database:
        database.register("a", pa.Table.from_pandas(train))
        database.register("b", pa.Table.from_pandas(test))
        database.execute("CREATE TABLE train AS FROM a")
        database.execute("CREATE TABLE test AS FROM b")


def write_workbook(root, train, test):
    with pd.ExcelWriter(root / "data.xlsx", engine="openpyxl") as book:
        train.to_excel(book, sheet_name="train", index=False)
        test.to_excel(book, sheet_name="test", index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty")


def write_arff(root, train, test):
    for name, frame in (("train", train), ("test", test)):
        kinds = {"site": "{a,b,c}", "target": "{0,1}"}
        head = "".join(f"@attribute '{column}' {kinds.get(column, 'NUMERIC')}\n" for column in frame)
        (root / f"{name}.arff").write_text(
            f"% a comment\n@relation t\n\n{head}@data\n{frame.to_csv(index=False, header=False)}"
        )


def write_svmlight(root, train, test):
    for name, frame in (("train.svm", train), ("test.svm", test)):
        (root / name).write_text(
            "".join(
                f"{row.target} " + " ".join(f"{i + 1}:{row[i]}" for i in range(4)) + "\n"
                for row in frame.itertuples(index=False)
            )
        )


def write_decimal_commas(root, train, test):
    train.to_csv(root / "train.csv", index=False)
    test.to_csv(root / "test.csv", index=False, sep=";", decimal=",")


def write_pairs(root, train, test):
    for name, frame in (("train", train), ("test", test)):
        frame.drop(columns="target").to_csv(root / f"X_{name}.csv", index=False)
        frame[["target"]].to_csv(root / f"y_{name}.csv", index=False)


def write_flag(root, train, test):
    pd.concat([train.assign(is_test=0), test.assign(is_test=1)]).to_csv(root / "data.csv", index=False)


def write_saved(root, train, test):
    """As ``DatasetDict.save_to_disk`` writes."""
    (root / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    for name, frame in (("train", train), ("test", test)):
        folder = root / name
        folder.mkdir()
        table = pa.Table.from_pandas(frame)
        halves = (table.slice(0, 20), table.slice(20))
        shards = [f"data-0000{at}-of-00002.arrow" for at in range(2)]
        for shard, half in zip(shards, halves, strict=True):
            with pa.ipc.new_stream(folder / shard, half.schema) as stream:
                stream.write_table(half)
        state = {"_data_files": [{"filename": shard} for shard in shards], "_indices_data_files": None}
        (folder / "state.json").write_text(json.dumps(state))
        (folder / "dataset_info.json").write_text(json.dumps({"features": {}}))


WRITERS = [
    write_feather,
    write_stream,
    write_orc,
    write_packed,
    write_packed_jsonl,
    write_packed_feather,
    write_zips,
    write_one_zip,
    write_sqlite,
    write_duckdb,
    write_workbook,
    write_arff,
    write_svmlight,
    write_decimal_commas,
    write_pairs,
    write_flag,
    write_saved,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__.removeprefix("write_"))
def test_a_leak_is_found_in_every_format_and_none_in_its_clean_twin(tmp_path, write):
    for leaky in (True, False):
        root = tmp_path / str(leaky)
        root.mkdir()
        write(root, *twins(leaky))
        assert n_copies(root) == N_SHARED * leaky
        dataset = load([root], Config())
        assert dataset.splits == ("train", "test")
        if write is not write_svmlight:
            assert {"x0", "x1", "x2", "x3", "site", "target"} <= set(dataset.tables[0].columns)
            assert dataset.columns.label == "target"


def test_tables_in_files_are_named_one_by_one(tmp_path):
    write_workbook(tmp_path, *twins(leaky=True))
    book = tmp_path / "data.xlsx"
    assert n_copies(f"train={book}::train", f"test={book}::test") == N_SHARED
    assert n_copies(f"{book}::train", f"{book}::test") == N_SHARED
    dataset = load([f"train={book}::train", f"test={book}::test"], Config())
    assert [table.uri for table in dataset.tables] == ["data.xlsx::train", "data.xlsx::test"]
    for told, message in (
        ([f"train={book}", f"test={book}::test"], "2 tables \\(train, test\\): say which"),
        ([f"train={book}::trian", f"test={book}::test"], "no sheet 'trian'"),
        ([f"train={tmp_path}::train", f"test={book}::test"], "goes between a file and a table"),
    ):
        with pytest.raises(InputError, match=message):
            load(told, Config())


def test_tables_whose_names_say_no_split_are_asked_for(tmp_path):
    train, test = twins(leaky=False)
    database = sqlite3.connect(tmp_path / "data.db")
    train.to_sql("old", database, index=False)
    test.to_sql("new", database, index=False)
    database.close()
    with pytest.raises(LayoutError, match=r"holds 2 tables \(new, old\).*train=.*data.db::new test=.*data.db::old"):
        load([tmp_path], Config())


def test_one_table_in_a_file_is_that_table(tmp_path):
    train, test = twins(leaky=True)
    database = sqlite3.connect(tmp_path / "data.sqlite")
    pd.concat([train.assign(split="train"), test.assign(split="test")]).to_sql("everything", database, index=False)
    database.close()
    assert n_copies(tmp_path) == N_SHARED


def test_sparse_files_have_the_features_of_the_widest(tmp_path):
    (tmp_path / "train.txt").write_text("1 1:0.5 7:2\n-1 2:1\n" * 3)
    (tmp_path / "test.txt").write_text("1 qid:2 1:0.5\n0 qid:1 3:1 # why\n")
    dataset = load([f"train={tmp_path / 'train.txt'}", f"test={tmp_path / 'test.txt'}"], Config())
    names = {"label", "qid", *(f"f{i}" for i in range(1, 8))}
    assert [set(table.columns) for table in dataset.tables] == [names, names]
    assert dataset.columns.label == "label"
    test = pd.read_parquet(dataset.tables[1].path)
    assert test.loc[0, ["f1", "f7"]].tolist() == [0.5, 0.0]
    assert "text" not in names


def test_a_workbook_says_its_cells_as_csv_does(tmp_path):
    when = pd.to_datetime(["2024-01-31", "2024-02-01"])
    frame = pd.DataFrame({"n": [1, 2], "x": [0.5, 1e-7], "day": when, "s": ["a", None], "b": [True, False]})
    frame.to_excel(tmp_path / "train.xlsx", index=False, engine="openpyxl")
    frame.to_excel(tmp_path / "test.xlsx", index=False, engine="openpyxl")
    table = load([tmp_path], Config()).tables[0]
    assert table.columns == ("n", "x", "day", "s", "b")
    first = pd.read_parquet(table.path).iloc[0].to_dict()
    assert first == {"n": "1", "x": "0.5", "day": "2024-01-31", "s": "a", "b": "True"}


def test_a_workbook_without_its_library_is_one_line_with_the_command(tmp_path, monkeypatch):
    import sys

    write_workbook(tmp_path, *twins(leaky=False))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(InputError, match=r"pip install 'leakaudit\[excel\]'"):
        load([f"train={tmp_path / 'data.xlsx'}::train", f"test={tmp_path / 'data.xlsx'}::test"], Config())


# --- labels ---------------------------------------------------------------------------------------------------


def test_the_label_that_a_sample_submission_asks_for_is_that_of_train(tmp_path):
    train, test = twins(leaky=True)
    train.rename(columns={"target": "Revenue"}).to_csv(tmp_path / "train.csv", index=False)
    test.drop(columns="target").to_csv(tmp_path / "test.csv", index=False)
    dataset = load([tmp_path], Config())
    assert dataset.columns.label is None
    pd.DataFrame({"id": range(30), "Revenue": 0}).to_csv(tmp_path / "sample_submission.csv", index=False)
    dataset = load([tmp_path], Config())
    assert dataset.columns.label == "Revenue"
    assert "Revenue" not in dataset.columns.ignore
    assert any("'Revenue' is not in test.csv" in note for note in dataset.notes)
    assert n_copies(tmp_path) == N_SHARED
    told = load([tmp_path], Config(label="site"))
    assert told.columns.label == "site"


def test_a_label_that_train_alone_has_is_checked_within_train(tmp_path):
    train, test = twins(leaky=False)
    train = train.assign(given=train.target * 3.0 + 1)
    train.to_csv(tmp_path / "train.csv", index=False)
    test.assign(given=1.0).drop(columns="target").to_csv(tmp_path / "test.csv", index=False)
    pd.DataFrame({"id": range(30), "target": 0}).to_csv(tmp_path / "gender_submission.csv", index=False)
    report = leakaudit.audit(str(tmp_path), select=("LA301",), use_cache=False, jobs=1, probe="off")
    assert {finding.code for finding in report.findings} == {"LA301"}
    assert any("given" in finding.message for finding in report.findings)


def test_pairs_of_files_must_agree(tmp_path):
    train, test = twins(leaky=False)
    write_pairs(tmp_path, train, test)
    train[["target"]].iloc[:-1].to_csv(tmp_path / "y_train.csv", index=False)
    with pytest.raises(InputError, match=r"X_train.csv has 90 rows and .*y_train.csv 89"):
        load([tmp_path], Config())
    train.assign(id=range(90)).drop(columns="target").to_csv(tmp_path / "X_train.csv", index=False)
    train.assign(id=range(90, 0, -1))[["id", "target"]].to_csv(tmp_path / "y_train.csv", index=False)
    with pytest.raises(InputError, match=r"column 'id' differs"):
        load([tmp_path], Config())


def test_labels_that_are_the_features_again(tmp_path):
    for name, frame in zip(("train", "test"), twins(leaky=False), strict=True):
        frame.to_csv(tmp_path / f"X_{name}.csv", index=False)
        frame.to_csv(tmp_path / f"y_{name}.csv", index=False)
    with pytest.raises(InputError, match="it holds no label"):
        load([tmp_path], Config())


def test_labels_without_a_header_line(tmp_path):
    for name, frame in zip(("train", "test"), twins(leaky=True), strict=True):
        frame.drop(columns="target").to_csv(tmp_path / f"{name}_features.csv", index=False)
        frame["target"].to_csv(tmp_path / f"{name}_labels.csv", index=False, header=False)
    dataset = load([tmp_path], Config())
    assert dataset.columns.label == "y"
    assert n_copies(tmp_path) == N_SHARED


# --- what is broken -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS[:12], ids=lambda write: write.__name__.removeprefix("write_"))
def test_a_file_that_ends_early_is_one_line(tmp_path, write):
    write(tmp_path, *twins(leaky=False))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(InputError) as caught:
        leakaudit.audit(str(tmp_path), select=("LA104",), use_cache=False, jobs=1, probe="off")
    assert "\n" not in str(caught.value)
    assert any(path.name in str(caught.value) for path in tmp_path.iterdir())


@pytest.mark.parametrize("write", [write_feather, write_sqlite, write_zips, write_arff, write_workbook])
def test_a_wrong_extension_changes_nothing(tmp_path, write):
    write(tmp_path, *twins(leaky=True))
    told = []
    for path in sorted(tmp_path.iterdir()):
        path.rename(tmp_path / f"{path.name.partition('.')[0]}.csv")
    files = sorted(tmp_path.glob("*.csv"))
    if len(files) == 1:
        told = [f"train={files[0]}::train", f"test={files[0]}::test"]
    else:
        told = [f"train={tmp_path / 'train.csv'}", f"test={tmp_path / 'test.csv'}"]
    assert n_copies(*told) == N_SHARED


def test_bombs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("leakaudit.sources.readers.packed.UNPACKED_FREELY", 1 << 20)
    monkeypatch.setattr("leakaudit.sources.readers.zip_files.UNPACKED_FREELY", 1 << 20)
    raw = b"a,b\n" + b"0,0\n" * (1 << 20)
    (tmp_path / "train.csv.bz2").write_bytes(bz2.compress(raw))
    (tmp_path / "test.csv.xz").write_bytes(lzma.compress(raw))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", raw)
    for name in ("train.csv.bz2", "test.csv.xz", "bomb.zip"):
        with pytest.raises(InputError, match=rf"{name}.*as a bomb does") as caught:
            load([f"train={tmp_path / name}", f"test={tmp_path / name}"], Config())
        assert "\n" not in str(caught.value)


def test_a_zip_that_lies_about_sizes_is_stopped_while_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr("leakaudit.sources.readers.packed.UNPACKED_FREELY", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.csv", b"a,b\n" + b"0,0\n" * (1 << 20))
    with pytest.raises(InputError, match="as a bomb does"):
        load([f"train={tmp_path / 'bomb.zip'}", f"test={tmp_path / 'bomb.zip'}"], Config())


def test_a_database_is_not_changed_and_its_triggers_do_not_run(tmp_path):
    write_sqlite(tmp_path, *twins(leaky=True))
    path = tmp_path / "data.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE log (said TEXT)")
    database.execute("CREATE TRIGGER t AFTER INSERT ON hidden BEGIN INSERT INTO log VALUES ('ran'); END")
    database.commit()
    database.close()
    before = path.read_bytes()
    path.chmod(0o444)
    assert n_copies(f"train={path}::train", f"test={path}::test") == N_SHARED
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["data.sqlite"]


def test_rows_in_the_journal_of_a_database_are_not_passed_over(tmp_path):
    path = tmp_path / "data.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    twins(leaky=False)[0].to_sql("train", database, index=False)
    database.commit()
    with pytest.raises(InputError, match="still in its journal"):
        load([f"train={path}::train", f"test={path}::train"], Config())
    database.close()


def test_a_view_of_duckdb_reads_no_other_file(tmp_path):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    (tmp_path / "db").mkdir()
    with duckdb.connect(str(tmp_path / "db" / "data.duckdb")) as database:
        database.execute(f"CREATE VIEW train AS FROM read_csv('{tmp_path / 'secret.csv'}')")
        database.execute("CREATE TABLE test AS SELECT 1 AS a, 2 AS b")
    with pytest.raises(InputError, match="cannot be read"):
        load([tmp_path / "db"], Config())


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    from leakaudit.sources import storage

    write_feather(tmp_path, *twins(leaky=False))

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(storage, "open_file", refuse)
    with pytest.raises(InputError, match=r"feather: permission denied"):
        load([tmp_path], Config())


def test_an_encrypted_member_is_said(tmp_path):
    write_one_zip(tmp_path, *twins(leaky=False))
    path: Path = tmp_path / "archive.zip"
    raw = bytearray(path.read_bytes())
    at = raw.find(b"PK\x01\x02")  # the flags of the first entry of the directory
    raw[at + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="encrypted: unpack it first"):
        load([tmp_path], Config())


def test_a_saved_data_set_that_lacks_a_shard(tmp_path):
    write_saved(tmp_path, *twins(leaky=False))
    (tmp_path / "test" / "data-00001-of-00002.arrow").unlink()
    with pytest.raises(InputError, match=r"data-00001-of-00002.arrow is named in state.json and is not there"):
        load([tmp_path], Config())


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__.removeprefix("write_"))
def test_object_storage_gives_the_same_tables(tmp_path, write):
    fsspec = pytest.importorskip("fsspec")
    write(tmp_path, *twins(leaky=True))
    system = fsspec.filesystem("memory")
    system.put(str(tmp_path), "/formats", recursive=True)
    try:
        here, there = load([tmp_path], Config()), load(["memory://formats"], Config())
        assert [(table.uri, table.columns, table.split) for table in there.tables] == [
            (table.uri, table.columns, table.split) for table in here.tables
        ]
        if write in (write_sqlite, write_workbook):
            file = f"memory://formats/{next(tmp_path.iterdir()).name}"
            named = load([f"train={file}::train", f"test={file}::test"], Config())
            assert [table.uri.rpartition("::")[2] for table in named.tables] == ["train", "test"]
        assert n_copies("memory://formats") == N_SHARED
    finally:
        system.rm("/formats", recursive=True)


JSON_FORMS = {
    "under a key": lambda rows: {"version": "1.0", "data": rows},
    "columns by index": lambda rows: {key: {str(at): row[key] for at, row in enumerate(rows)} for key in rows[0]},
    "columns": lambda rows: {key: [row[key] for row in rows] for key in rows[0]},
}


@pytest.mark.parametrize("form", JSON_FORMS)
def test_json_as_people_write_it(form, tmp_path):
    for name in ("train", "test"):
        rows = [{"x": at, "text": f"{name} {at}"} for at in range(5)]
        (tmp_path / f"{name}.json").write_text(json.dumps(JSON_FORMS[form](rows)), encoding="utf-8")
    head = read_head(str(tmp_path / "train.json"), Config())
    assert head.columns == ("x", "text")
    assert head.rows[4] == ("4", "train 4")
    assert load([tmp_path], Config()).splits == ("train", "test")


def test_endings_say_the_split_of_files_of_one_name(tmp_path):
    for ending, n in (("data", 30), ("test", 10)):
        lines = "".join(f"{at}, {at * 1.5}, {'<=50K' if at % 2 else '>50K'}\n" for at in range(n))
        (tmp_path / f"adult.{ending}").write_text(lines, encoding="utf-8")
    (tmp_path / "adult.names").write_text("age: continuous.\n", encoding="utf-8")
    dataset = load([tmp_path], Config())
    assert [(table.split, table.uri) for table in dataset.tables] == [("train", "adult.data"), ("test", "adult.test")]


def test_values_of_a_split_column_that_say_it_in_one_word(tmp_path):
    usage = ["Training"] * 20 + ["PublicTest"] * 5 + ["PrivateTest"] * 5
    rows = "".join(f"{at},{at % 3},{each}\n" for at, each in enumerate(usage))
    (tmp_path / "fer.csv").write_text("x,emotion,Usage\n" + rows, encoding="utf-8")
    assert load([tmp_path], Config()).splits == ("train", "PrivateTest", "PublicTest")


def test_addresses_of_databases(tmp_path):
    path = tmp_path / "data.db"
    with sqlite3.connect(path) as database:
        for name in ("train", "test"):
            database.execute(f"CREATE TABLE {name} (a, b)")
            database.executemany(f"INSERT INTO {name} VALUES (?, ?)", [(at, f"{name} {at}") for at in range(9)])
    database.close()
    assert load([f"sqlite:///{path}"], Config()).splits == ("train", "test")
    named = load([f"train=sqlite:///{path}::test", f"test=sqlite:///{path}::train"], Config())
    assert [(table.split, table.uri.rpartition("::")[2]) for table in named.tables] == [
        ("train", "test"),
        ("test", "train"),
    ]
    with pytest.raises(InputError, match="postgresql://…: the address of a database server") as caught:
        load(["train=postgresql://me:secret@host/db", "test=a.csv"], Config())
    assert "secret" not in str(caught.value)


def test_one_training_file_for_held_out_files_of_several_kinds(tmp_path):
    """As MNLI of GLUE has them."""
    for name in ("train", "dev_matched", "dev_mismatched", "test_matched", "test_mismatched", "diagnostic"):
        rows = "".join(f"{at}\t{name} says {at}\n" for at in range(9))
        (tmp_path / f"{name}.tsv").write_text("index\tsentence\n" + rows, encoding="utf-8")
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "dev_matched", "dev_mismatched", "test_matched", "test_mismatched")
    assert "Not used, beside the split files: diagnostic.tsv." in dataset.notes
