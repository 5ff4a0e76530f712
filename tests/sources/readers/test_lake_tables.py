"""Delta tables: the rows of the current version, and of no other one."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.sources.layouts import load

deltalake = pytest.importorskip("deltalake", reason="needs deltalake: pip install 'leakaudit[delta]'")


def rows(first, n=30):
    return pa.table(
        {
            "x": [float(at) + 0.125 for at in range(first, first + n)],
            "y": [f"name {at}" for at in range(first, first + n)],
        }
    )


def write(folder, *parts, **settings):
    for part in parts:
        deltalake.write_deltalake(folder, part, mode="append", **settings)
    return deltalake.DeltaTable(folder)


def n_copies(root):
    return sum(finding.n_samples for finding in leakaudit.audit(root, select=("LA104",), use_cache=False).findings)


def test_deleted_rows_are_no_leak(tmp_path):
    write(tmp_path / "train", rows(0), rows(30))
    table = write(tmp_path / "test", rows(100), rows(55, 5))
    assert n_copies(tmp_path) == 5
    table.delete("x < 60")
    assert len(list((tmp_path / "test").glob("*.parquet"))) == 2  # the deleted rows are there still
    assert n_copies(tmp_path) == 0


def test_named_one_by_one(tmp_path):
    write(tmp_path / "50% a b", rows(0))
    write(tmp_path / "other", rows(20))
    dataset = load([f"train={tmp_path / '50% a b'}", f"val={tmp_path / 'other'}"], Config())
    assert dataset.splits == ("train", "val")


def test_what_its_files_do_not_say_by_themselves_is_refused(tmp_path):
    write(tmp_path / "train", rows(0), partition_by=["y"])
    write(tmp_path / "test", rows(20))
    with pytest.raises(InputError, match=r"in partitions by 'y'.*write its current version as parquet"):
        load([tmp_path], Config())


def test_a_damaged_log(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / split, rows(0))
    (log,) = (tmp_path / "test" / "_delta_log").glob("*.json")
    log.write_text("{")
    with pytest.raises(InputError, match="a Delta table that cannot be read"):
        load([tmp_path], Config())


def test_without_its_reader(tmp_path, monkeypatch):
    for split in ("train", "test"):
        write(tmp_path / split, rows(0))
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(InputError, match=r"pip install 'leakaudit\[delta\]'"):
        load([tmp_path], Config())


def test_a_file_that_is_gone(tmp_path):
    for split in ("train", "test"):
        write(tmp_path / split, rows(0))
    next((tmp_path / "test").glob("*.parquet")).unlink()
    with pytest.raises(InputError, match="a Delta table that lacks part-"):
        load([tmp_path], Config())
