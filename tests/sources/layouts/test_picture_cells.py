"""Pictures and sounds in cells: what is listed, what is found in them, and that no row group is read twice."""

from __future__ import annotations

import io
import json
import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow import feather

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.fingerprints.pictures import contents as pictures_contents
from leakaudit.fingerprints.pictures.contents import as_now, contents
from leakaudit.fingerprints.pictures.files import FileContent, Unreadable
from leakaudit.fingerprints.pictures.previews import previews
from leakaudit.model import Report
from leakaudit.sources.layouts import load
from leakaudit.sources.readers import cells
from shards import picture


def photo(seed: int) -> bytes:
    """A JPEG large enough to be decoded at reduced scale."""
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8))
    file = io.BytesIO()
    coarse.resize((320, 240), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def as_png(data: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(data)).save(file, "PNG")
    return file.getvalue()


def hub(path: Path, pictures: list[bytes | None], labels: list[int] | None = None, rows_a_group: int = 4) -> None:
    """A file as ``datasets`` writes it, with the names of its classes."""
    labels = labels if labels is not None else [at % 2 for at in range(len(pictures))]
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["dog", "cat"]}}
    table = pa.table(
        {
            "image": pa.array(
                [{"bytes": data, "path": f"{path.stem}_{at}.jpg"} for at, data in enumerate(pictures)],
                pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            ),
            "label": pa.array(labels, pa.int64()),
            "caption": [f"picture {at}" for at in range(len(pictures))],
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows_a_group)


def two_splits(root: Path, held_out: list[bytes | None], train: list[bytes | None] | None = None) -> Path:
    hub(root / "data" / "train-00000-of-00001.parquet", train or [picture(at) for at in range(10)])
    hub(root / "data" / "validation-00000-of-00001.parquet", held_out)
    return root


def ids(report: Report) -> set[str]:
    return {finding.id for finding in report.findings if finding.code.startswith("LA1")}


def audit(*paths: object, **settings: object) -> Report:
    return leakaudit.audit(*map(os.fspath, paths), use_cache=False, **settings)  # type: ignore[arg-type]


# --- what is listed -----------------------------------------------------------------------------------------------


def test_rows_of_hub_shards_are_samples_with_the_names_of_their_classes(tmp_path):
    dataset = load([two_splits(tmp_path, [picture(20), picture(21)])], Config())
    assert dataset.layout.name == "picture-cells"
    assert (dataset.kind, dataset.splits) == ("image", ("train", "val"))
    assert dataset.samples is not None
    assert dataset.samples.uri.to_pylist()[9:11] == [
        "data/train-00000-of-00001.parquet#9",
        "data/validation-00000-of-00001.parquet#0",
    ]
    assert dataset.samples.label.to_pylist()[:3] == ["dog", "cat", "dog"]
    assert [(table.split, table.columns, table.table.num_rows) for table in dataset.tables] == [
        ("train", ("label", "caption"), 10),
        ("val", ("label", "caption"), 2),
    ]


def test_cells_hold_the_bytes_that_were_put_there_in_any_order(tmp_path):
    train = [picture(at) for at in range(10)]
    samples = load([two_splits(tmp_path, [picture(20)], train)], Config()).samples
    assert samples is not None
    paths = samples.path.to_pylist()[:10]
    for order in (list(range(10)), [9, 0, 5, 4, 5, 1]):
        found = list(contents([as_now(paths[at]) for at in order]))
        assert all(isinstance(each, FileContent) for each in found)
        # One is valid until the next is asked for, where they are read in order.
    in_turn = [bytes(each.data) for each in contents([as_now(path) for path in paths])]  # type: ignore[union-attr]
    assert in_turn == train
    mixed = [bytes(each.data) for each in contents([as_now(paths[at]) for at in (9, 0, 5, 4)])]  # type: ignore[union-attr]
    assert mixed == [train[at] for at in (9, 0, 5, 4)]


def test_a_group_is_read_once_for_all_its_cells(tmp_path, monkeypatch):
    read: list[int] = []
    batches = cells._batches

    def counted(path, column, group, most_rows=None):
        read.append(group)
        return batches(path, column, group, most_rows)

    samples = load([two_splits(tmp_path, [picture(20)])], Config()).samples
    assert samples is not None
    monkeypatch.setattr(cells, "_batches", counted)
    list(contents([as_now(path) for path in samples.path.to_pylist()]))
    assert read == [0, 1, 2, 0]


def test_several_columns_of_pictures_the_first_is_looked_at_and_the_other_is_said(tmp_path):
    for split, first in (("train", 0), ("test", 30)):
        both = {name: [picture(first + at + by) for at in range(4)] for name, by in (("left", 0), ("right", 10))}
        pq.write_table(pa.table({**both, "label": [0, 1, 0, 1]}), tmp_path / f"{split}.parquet")
    dataset = load([tmp_path], Config())
    assert "'left'" in dataset.layout.why
    assert any("right" in note and "not looked at" in note for note in dataset.notes)


def test_named_files_without_bytes_are_those_files(tmp_path):
    for split, first in (("train", 0), ("test", 30)):
        (tmp_path / split).mkdir()
        names = [f"{split}/{at}.png" for at in range(4)]
        for at, name in enumerate(names):
            (tmp_path / name).write_bytes(picture(first + at if (split, at) != ("test", 0) else 2))
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        column = pa.array([{"bytes": None, "path": name} for name in names], kind)
        features = json.dumps({"info": {"features": {"image": {"_type": "Image"}}}})
        table = pa.table({"image": column}).replace_schema_metadata({"huggingface": features})
        pq.write_table(table, tmp_path / f"{split}.parquet")
    report = audit(f"train={tmp_path}/train.parquet", f"test={tmp_path}/test.parquet")
    assert [finding.code for finding in report.findings if finding.code == "LA101"] == ["LA101"]


@pytest.mark.parametrize("compression", ["uncompressed", "lz4"])
def test_feather_and_streams_of_arrow(tmp_path, compression):
    pictures = [picture(at) for at in range(6)]
    train, test = (pa.table({"image": rows, "label": ["a", "b", "a"]}) for rows in (pictures[:3], pictures[3:]))
    feather.write_feather(train, tmp_path / "train.feather", compression=compression, chunksize=2)
    with pa.ipc.new_stream(str(tmp_path / "test.arrow"), test.schema) as stream:
        stream.write_table(test, max_chunksize=2)
    dataset = load([f"train={tmp_path}/train.feather", f"test={tmp_path}/test.arrow"], Config())
    assert dataset.samples is not None
    found = [bytes(each.data) for each in contents([as_now(path) for path in dataset.samples.path.to_pylist()])]  # type: ignore[union-attr]
    assert found == pictures


def test_a_folder_as_datasets_saves_it(tmp_path):
    for split, first in (("train", 0), ("test", 30)):
        table = pa.table({"image": [picture(first), picture(first + 1), picture(2)], "label": ["a", "b", "a"]})
        (tmp_path / split).mkdir()
        with pa.ipc.new_stream(str(tmp_path / split / "data-00000-of-00001.arrow"), table.schema) as stream:
            stream.write_table(table)
        (tmp_path / split / "state.json").write_text("{}")
    report = audit(tmp_path)
    assert (report.layout.name, report.kind) == ("picture-cells", "image")
    assert "LA101" in {finding.code for finding in report.findings}


def test_a_column_says_the_split(tmp_path):
    splits = ["train"] * 6 + ["test"] * 3 + ["unused"]
    pictures = [picture(at) for at in range(10)]
    pictures[7] = pictures[2]
    pq.write_table(pa.table({"image": pictures, "split": splits, "label": list("ab" * 5)}), tmp_path / "data.parquet")
    report = audit(tmp_path)
    assert {name: info.n for name, info in report.splits.items()} == {"train": 6, "test": 3}
    (finding,) = [finding for finding in report.findings if finding.code == "LA101"]
    assert "data.parquet#7" in finding.message
    assert "data.parquet#2" in finding.message


def test_one_table_without_splits_says_what_to_do(tmp_path):
    pq.write_table(pa.table({"image": [picture(1), picture(2)]}), tmp_path / "data.parquet")
    with pytest.raises(LayoutError, match="--split-column"):
        load([tmp_path], Config())


def test_bytes_that_are_no_pictures_are_no_pictures(tmp_path):
    for split in ("train", "test"):
        pq.write_table(pa.table({"digest": [b"\1\2\3", b"\4\5\6"], "y": [0, 1]}), tmp_path / f"{split}.parquet")
    assert load([tmp_path], Config()).layout.name == "split-files"


# --- what is found ------------------------------------------------------------------------------------------------


def test_copies_are_found_as_in_files_with_the_same_ids(tmp_path):
    train = [photo(at) for at in range(12)]
    held_out = [photo(100), train[3], as_png(train[5]), photo(101)]
    two_splits(tmp_path / "cells", held_out, train)
    for split, pictures in (("train", train), ("val", held_out)):
        for at, data in enumerate(pictures):
            folder = tmp_path / "files" / split / ("dog", "cat")[at % 2]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{at}.jpg").write_bytes(data)
    in_cells, in_files = audit(tmp_path / "cells", jobs=2), audit(tmp_path / "files", jobs=2)
    assert {"LA101", "LA102"} <= {finding.code for finding in in_cells.findings}
    assert ids(in_cells) == ids(in_files)
    previewed = audit(tmp_path / "cells", previews=True, jobs=2).previews
    assert previewed
    assert all(data[:2] in (b"\xff\xd8", b"\x89P") for data in previewed.values())


def test_without_copies_nothing_is_found(tmp_path):
    report = audit(two_splits(tmp_path, [picture(at) for at in range(50, 54)]))
    assert not {finding.code for finding in report.findings} & {"LA001", "LA101", "LA102", "LA103", "LA110"}


def test_a_second_scan_reads_no_cell_again(tmp_path, monkeypatch):
    root = two_splits(tmp_path / "data", [picture(50), picture(51), picture(3)])
    for file in root.rglob("*.parquet"):
        os.utime(file, ns=(10**18, 10**18))
    config = Config(cache_dir=tmp_path / "cache", jobs=1)
    first = leakaudit.audit(root, config=config)
    monkeypatch.setattr(pictures_contents, "cell_contents", lambda _cells: pytest.fail("a cell was read again"))
    again = leakaudit.audit(root, config=replace(config, select=("LA101", "LA102", "LA111")))
    assert [f.id for f in again.findings if f.code == "LA101"] == [f.id for f in first.findings if f.code == "LA101"]
    assert any(f.code == "LA101" for f in again.findings)


@pytest.mark.parametrize("side", [160, 64])
def test_previews_of_cells(tmp_path, side):
    samples = load([two_splits(tmp_path, [photo(1)], [photo(at) for at in range(2, 8)])], Config()).samples
    assert samples is not None
    made = previews(samples.path.take([6, 0, 3]), Config(use_cache=False, jobs=2), side=side)
    assert [max(Image.open(io.BytesIO(data)).size) for data in made] == [side] * 3


# --- hostile cells ------------------------------------------------------------------------------------------------


def test_empty_cells_and_cells_that_are_no_picture_are_counted(tmp_path):
    held_out = [picture(20), None, b"", b"no picture at all", picture(21)[:200]]
    report = audit(two_splits(tmp_path, held_out))
    reasons = {problem.uri.rpartition("#")[2]: problem.reason for problem in report.coverage.problems}
    assert reasons["1"] == reasons["2"] == "an empty cell: no picture in it"
    assert "no known signature" in reasons["3"]
    assert "PNG" in reasons["4"]
    assert report.verdict.exit_code == 4


def test_a_file_that_is_cut_short_is_said(tmp_path):
    root = two_splits(tmp_path, [picture(20)])
    file = next(root.rglob("validation*"))
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match="validation-00000"):
        load([root], Config())


def test_a_damaged_page_loses_its_cells_and_no_others(tmp_path):
    root = two_splits(tmp_path, [picture(at) for at in range(20, 28)])
    file = next(root.rglob("validation*"))
    data = bytearray(file.read_bytes())
    column = pq.read_metadata(file).row_group(0).column(0)
    stop = column.data_page_offset + column.total_compressed_size
    start = (column.dictionary_page_offset or column.data_page_offset) + 8
    data[start : min(start + 200, stop)] = bytes(min(200, stop - start))
    file.write_bytes(data)
    samples = load([root], Config()).samples
    assert samples is not None
    found = list(contents([as_now(path) for path in samples.path.to_pylist()[-8:]]))
    assert any(isinstance(each, Unreadable) for each in found[:4])
    assert all(isinstance(each, FileContent) for each in found[4:])


# --- sounds -------------------------------------------------------------------------------------------------------


def sound(seed: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.random.default_rng(seed).integers(-3000, 3000, 400, dtype=np.int16).tobytes())
    return file.getvalue()


@pytest.mark.parametrize("leaks", [True, False])
def test_sounds_in_cells_are_compared_by_their_bytes(tmp_path, leaks):
    for split, first in (("train", 0), ("test", 30)):
        sounds = [sound(first + at) for at in range(6)]
        if leaks and split == "test":
            sounds[1] = sound(4)
        pq.write_table(pa.table({"audio": sounds, "label": list("ababab")}), tmp_path / f"{split}.parquet")
    report = audit(tmp_path)
    assert report.kind == "file"
    assert ("LA101" in {finding.code for finding in report.findings}) == leaks
