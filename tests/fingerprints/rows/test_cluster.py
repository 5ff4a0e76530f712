"""Rows that are not alone, found file by file and lot by lot, are those that one pass finds."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leakaudit.engines.local import Local
from leakaudit.fingerprints.rows import cluster as row_cluster
from leakaudit.fingerprints.rows.cluster import can_travel, nominate_on
from leakaudit.fingerprints.rows.nominate import nominate
from leakaudit.fingerprints.texts import minhash
from leakaudit.fingerprints.texts.minhash import signatures, signatures_on
from leakaudit.model import TableFile
from tables import csv_file, fingerprint, frame


def parquet(path, split, **columns):
    table = pa.table(columns)
    pq.write_table(table, path, row_group_size=7)
    return TableFile(path.name, split, "parquet", tuple(table.column_names), path=str(path))


def numbers(rng, n):
    return {"x": rng.integers(0, 40, n), "y": rng.integers(0, 3, n)}


def check(rows, columns=(0, 1)):
    found = nominate_on(Local(2), rows.pool, columns, "1GB")
    np.testing.assert_array_equal(found, nominate(rows.duck, rows.pool, columns))
    return found


def test_parquet_files_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(row_cluster, "PART_ROWS", 10)
    rng = np.random.default_rng(1)
    files = [parquet(tmp_path / f"{name}.parquet", name, **numbers(rng, n)) for name, n in (("train", 55), ("val", 23))]
    assert 10 < len(check(fingerprint(*files))) < 78


def test_other_formats_beside_them_and_a_column_that_says_the_split(tmp_path):
    text = "x,y,part\n1,2,train\n01,2.0,val\n5,6,other\n5,6,other\nbroken\n7,8,train\n1,2,\n"
    told = {"split": "part", "split_values": {"train": "train", "val": "val"}}
    lone = fingerprint(csv_file(tmp_path / "all.csv", None, text), **told)
    assert check(lone).tolist() == [0, 1]  # rows of no split count for nothing
    mixed = fingerprint(
        csv_file(tmp_path / "train.csv", "train", "x,y\n1,2\n3,4\n"),
        parquet(tmp_path / "val.parquet", "val", x=[1], y=[2]),
    )
    assert check(mixed).tolist() == [0, 2]


@pytest.mark.parametrize(("path", "travels"), [("plain.csv", True), ("a[1].csv", False)])
def test_what_the_workers_cannot_read_stays(tmp_path, path, travels):
    rows = fingerprint(csv_file(tmp_path / path, "train", "x\n1\n2\n"), csv_file(tmp_path / "val.csv", "val", "x\n1\n"))
    assert can_travel(rows.pool) is travels
    assert not can_travel(fingerprint(frame("train", x=[1, 2]), frame("val", x=[1])).pool)


def test_texts_are_signed_alike_in_parts(monkeypatch):
    monkeypatch.setattr(minhash, "_PART_BYTES", 100)
    texts = pa.array(
        [f"document number {i} of {'very ' * (i % 9)}many" for i in range(50)] + ["谢谢你们的帮助"], pa.large_string()
    )
    here, there = signatures(texts), signatures_on(Local(2), texts)
    np.testing.assert_array_equal(here.bands, there.bands)
    np.testing.assert_array_equal(here.low, there.low)
    assert signatures_on(Local(2), texts[:0]).bands.shape == (16, 0)
