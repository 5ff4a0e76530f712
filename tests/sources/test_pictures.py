"""Layouts of pictures: folders, Pascal-VOC, manifests."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError, LayoutError
from leakaudit.sources.layouts import LAYOUTS, load


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def by_split(dataset) -> dict[str, list[str]]:
    uris = dataset.samples.uri.to_pylist()
    return {
        split: [uri for uri, code in zip(uris, dataset.samples.split, strict=True) if code == at]
        for at, split in enumerate(dataset.splits)
    }


def labels(dataset):
    return None if dataset.samples.label is None else dataset.samples.label.to_pylist()


def test_splits_with_classes(tmp_path):
    root = touch(
        tmp_path,
        *(f"Training/{c}/{i}.jpg" for c in ("cat", "dog") for i in range(2)),
        *(f"dev/{c}/deep/{i}.jpg" for c in ("cat", "dog") for i in range(2)),
        "HoldOut/cat/0.jpg",
        "README.md",
        "extra/1.jpg",
        "train.csv",
    )
    dataset = load([root], Config())
    assert dataset.splits == ("train", "val", "test")
    assert by_split(dataset)["val"] == [f"dev/{c}/deep/{i}.jpg" for c in ("cat", "dog") for i in range(2)]
    assert labels(dataset) == ["cat", "cat", "dog", "dog"] * 2 + ["cat"]
    assert dataset.layout.name == "image-folders"
    for words in ("train (from 'Training')", "val (from 'dev')", "test (from 'HoldOut')", "2 class folders"):
        assert words in dataset.layout.why
    assert dataset.notes == ("Not used, beside the split folders: extra, train.csv.",)
    assert dataset.samples.path.to_pylist()[0] == os.fsencode(root / "Training/cat/0.jpg")


def test_splits_without_classes(tmp_path):
    dataset = load([touch(tmp_path, "train/1.jpg", "train/2.jpg", "val/3.jpg")], Config())
    assert labels(dataset) is None
    assert "labels are unknown" in dataset.layout.why


def test_pictures_beside_class_folders_are_no_class_tree(tmp_path):
    dataset = load([touch(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "train/2.jpg", "val/a/3.jpg")], Config())
    assert labels(dataset) is None
    assert "1 pictures lie beside the inner folders" in dataset.layout.why


def test_a_folder_per_picture_is_no_class(tmp_path):
    root = touch(tmp_path, *(f"train/p{i}/x.jpg" for i in range(9)), "val/q/x.jpg", "val/r/x.jpg")
    assert labels(load([root], Config())) is None


def test_wrapped_and_yolo(tmp_path):
    root = touch(
        tmp_path, "images/train/1.jpg", "images/val/2.jpg", "labels/train/1.txt", "labels/val/2.txt", "LICENSE"
    )
    dataset = load([root], Config())
    assert by_split(dataset) == {"train": ["images/train/1.jpg"], "val": ["images/val/2.jpg"]}
    assert dataset.notes == ("Not used, beside the split folders: labels.",)


def test_inner_images_folder_is_no_class(tmp_path):
    root = touch(tmp_path, "train/images/1.jpg", "train/labels/1.txt", "valid/images/2.jpg", "valid/labels/2.txt")
    dataset = load([root], Config())
    assert labels(dataset) is None
    assert dataset.n_other_files == 2


def test_class_first(tmp_path):
    root = touch(tmp_path, *(f"{c}/{s}/{i}.jpg" for c in ("cat", "dog") for s in ("train", "test") for i in range(3)))
    dataset = load([root], Config())
    assert labels(dataset) == ["cat"] * 3 + ["dog"] * 3 + ["cat"] * 3 + ["dog"] * 3
    assert by_split(dataset)["test"][0] == "cat/test/0.jpg"


def test_pictures_and_masks_are_not_classes(tmp_path):
    root = touch(tmp_path, *(f"{c}/{s}/1.jpg" for c in ("photo", "masks") for s in ("train", "test")))
    with pytest.raises(LayoutError, match="several folders hold split folders"):
        load([root], Config())


def test_words_of_folder_names(tmp_path):
    dataset = load([touch(tmp_path, "train2017/1.jpg", "val2017/2.jpg")], Config())
    assert dataset.splits == ("train", "val")
    assert "train (from 'train2017')" in dataset.layout.why


def test_told_names(tmp_path):
    root = touch(tmp_path, "part1/1.jpg", "part2/2.jpg")
    with pytest.raises(LayoutError, match="--split-name"):
        load([root], Config())
    dataset = load([root], Config(splits={"part1": "train", "part2": "val"}))
    assert by_split(dataset) == {"train": ["part1/1.jpg"], "val": ["part2/2.jpg"]}
    with pytest.raises(ConfigError, match="nothing is called 'part3'"):
        load([root], Config(splits={"part1": "train", "part2": "val", "part3": "test"}))


def test_test_and_eval_are_two_splits(tmp_path):
    dataset = load([touch(tmp_path, "train/1.jpg", "test/2.jpg", "eval/3.jpg")], Config())
    assert dataset.splits == ("train", "test", "eval")


def test_items(tmp_path):
    touch(tmp_path, "a/x/1.jpg", "a/x/2.jpg", "a/y/3.jpg", "a/y/4.jpg", "b/x/1.png", "b/y/1.png", "b/note.txt")
    dataset = load([f"train={tmp_path / 'a'}", f"holdout={tmp_path / 'b'}"], Config())
    assert by_split(dataset) == {
        "train": ["a/x/1.jpg", "a/x/2.jpg", "a/y/3.jpg", "a/y/4.jpg"],
        "test": ["b/x/1.png", "b/y/1.png"],
    }
    assert labels(dataset) == ["x", "x", "y", "y", "x", "y"]
    dataset = load([f"train={tmp_path / 'a' / '*' / '*.jpg'}", f"val={tmp_path / 'b'}"], Config())
    assert dataset.splits == ("train", "val")
    with pytest.raises(LayoutError, match=r"its name does not say which split.*train="):
        load([tmp_path / "a", tmp_path / "b"], Config())


def test_an_equals_sign_in_an_existing_path(tmp_path, monkeypatch):
    root = touch(tmp_path / "k=v", "train/1.jpg", "val/2.jpg")
    monkeypatch.chdir(tmp_path)
    assert load(["k=v"], Config()).splits == ("train", "val")
    assert load([f"{root}"], Config()).splits == ("train", "val")


def test_one_split_only(tmp_path):
    root = touch(tmp_path / "one", "train/a/1.jpg", "train/a/2.jpg", "train/b/1.jpg", "train/b/2.jpg")
    with pytest.raises(LayoutError, match=r"only one split folder, 'train'.*--within"):
        load([root], Config())
    assert load([root], Config(within=True)).splits == ("train",)
    root = touch(tmp_path / "none", *(f"data/{c}/{i}.jpg" for c in "ab" for i in range(3)))
    with pytest.raises(LayoutError, match="--within"):
        load([root], Config())
    dataset = load([root], Config(within=True))
    assert dataset.splits == ("all",)
    assert labels(dataset) == ["a"] * 3 + ["b"] * 3


def test_empty_split(tmp_path):
    root = touch(tmp_path, "train/1.jpg", "val/readme.txt")
    with pytest.raises(InputError, match=r"the split val .*is empty"):
        load([root], Config())
    (root / "val" / "clip.mp4").write_bytes(b"x")
    with pytest.raises(InputError, match=r"the split val .*clip.mp4: files of type .mp4"):
        load([root], Config())


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(InputError, match="an empty folder"):
        load([tmp_path], Config())
    with pytest.raises(InputError, match="no such file or folder"):
        load([tmp_path / "nowhere"], Config())
    with pytest.raises(InputError, match="no path given"):
        load([], Config())
    with pytest.raises(InputError, match="ftp:// is not read"):
        load(["ftp://host/data"], Config())
    with pytest.raises(InputError, match="no file matches"):
        load([f"train={tmp_path}/*.jpg"], Config())
    touch(tmp_path, "notes.txt")
    with pytest.raises(LayoutError) as caught:
        load([tmp_path], Config())
    message = str(caught.value)
    assert "\n" not in message
    for words in ("1 .txt", "no picture or table", "train=PATH val=PATH", "--within"):
        assert words in message


def test_forced_layout(tmp_path):
    root = touch(tmp_path, "train/1.jpg", "val/2.jpg")
    assert load([root], Config(layout="image-folders")).layout.name == "image-folders"
    with pytest.raises(LayoutError):
        load([root], Config(layout="pascal-voc"))
    with pytest.raises(ConfigError, match="did you mean 'image-folders'"):
        load([root], Config(layout="image-folder"))
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)


def test_dvc_pointer_of_a_folder(tmp_path):
    touch(tmp_path, "data.dvc")
    with pytest.raises(InputError, match="run dvc pull"):
        load([tmp_path / "data"], Config())


def test_dvc_pointer_of_a_split(tmp_path):
    touch(tmp_path, "train/1.jpg", "val.dvc")
    with pytest.raises(LayoutError, match=r"of the split val only the pointer val.dvc is there: run dvc pull"):
        load([tmp_path], Config())
    touch(tmp_path, "test/1.jpg")
    problems = load([tmp_path], Config()).problems
    assert [(problem.uri, problem.kind, problem.split) for problem in problems] == [("val", "pointer", "val")]
    touch(tmp_path / "rows", "train.csv", "test.csv.dvc")
    with pytest.raises(LayoutError, match=r"the pointer test.csv.dvc is there"):
        load([tmp_path / "rows"], Config())


# --- Pascal-VOC -----------------------------------------------------------------------------------------------


@pytest.fixture
def voc(tmp_path) -> Path:
    root = touch(tmp_path, *(f"VOC/JPEGImages/{i}.jpg" for i in range(6)), "VOC/Annotations/0.xml", "LICENSE")
    lists = root / "VOC" / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("0\n1\n1\n\n9\n")
    (lists / "val.txt").write_text("2  1\n3 -1\n")
    (lists / "trainval.txt").write_text("0\n1\n2\n3\n")
    (lists / "cat_train.txt").write_text("0 1\n1 -1\n")
    return root


def test_voc(voc):
    dataset = load([voc], Config())
    assert dataset.layout.name == "pascal-voc"
    assert by_split(dataset) == {
        "train": ["VOC/JPEGImages/0.jpg", "VOC/JPEGImages/1.jpg"],
        "val": ["VOC/JPEGImages/2.jpg", "VOC/JPEGImages/3.jpg"],
    }
    assert [(problem.uri, problem.kind, problem.split) for problem in dataset.problems] == [
        ("VOC/JPEGImages/1", "duplicate-path", "train"),
        ("VOC/JPEGImages/9", "missing", "train"),
    ]
    assert "trainval.txt is the union" in dataset.layout.why
    assert dataset.notes == (
        f"2 pictures in {voc}/VOC/JPEGImages are in no list and were not looked at.",
        "3 of 4 pictures have none of the annotations: their label is unknown.",
        "1 annotations could not be read in whole or part (no XML (syntax error: line 1, column 0)).",
    )


def test_voc_with_trainval_alone(voc):
    lists = voc / "VOC" / "ImageSets" / "Main"
    (lists / "train.txt").unlink()
    (lists / "val.txt").unlink()
    (lists / "test.txt").write_text("4\n")
    dataset = load([voc / "VOC"], Config())
    assert dataset.splits == ("train", "test")
    assert "train is trainval.txt" in dataset.layout.why
    (lists / "test.txt").write_text("77\n")
    with pytest.raises(InputError, match="names no picture"):
        load([voc], Config())


# --- manifests ------------------------------------------------------------------------------------------------

ROWS = [
    ("img/0.png", "train", "cat", "p1"),
    ("img/1.png", "train", "dog", "p1"),
    ("./img/1.png", "train", "dog", "p1"),
    ("img/1.png", "validation", "dog", "p2"),
    ("img/2.png", "validation", "", "p2"),
    ("img/gone.png", "train", "cat", "p3"),
    ("img/3.png", "unused", "cat", "p3"),
    ("", "train", "cat", "p3"),
]
HEADER = ("file_name", "split", "label", "patient_id")


def write_manifest(path: Path, rows=ROWS, header=HEADER) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row[i] for row in rows] for i, name in enumerate(header)}), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows))
    else:
        with path.open("w", newline="") as file:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([header, *rows])
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_manifest(tmp_path, suffix):
    touch(tmp_path, *(f"img/{i}.png" for i in range(4)))
    path = write_manifest(tmp_path / f"meta.{suffix}")
    dataset = load([path], Config())
    assert dataset.layout.name == "manifest"
    assert by_split(dataset) == {"train": ["img/0.png", "img/1.png"], "val": ["img/1.png", "img/2.png"]}
    assert labels(dataset) == ["cat", "dog", "dog", None]
    assert dataset.samples.group.to_pylist() == ["p1", "p1", "p2", "p2"]
    assert [(problem.uri, problem.kind) for problem in dataset.problems] == [
        ("img/1.png", "duplicate-path"),
        ("img/gone.png", "missing"),
        (f"meta.{suffix}#7", "missing"),
    ]
    assert "1 rows with split = 'unused'" in dataset.notes[0]
    for words in ("paths from 'file_name'", "label from 'label'", "group from 'patient_id'", "val (from 'validation')"):
        assert words in dataset.layout.why


def test_manifest_by_position_and_absolute_paths(tmp_path):
    touch(tmp_path / "pics", *(f"{i}.png" for i in range(4)))
    path = tmp_path / "lists" / "odd.csv"
    path.parent.mkdir()
    rows = [(str(tmp_path / "pics" / f"{i}.png"), "ab"[i % 2], ("one", "two")[i // 2]) for i in range(4)]
    write_manifest(path, rows, ("where", "kind", "half"))
    dataset = load(
        [path], Config(path_column="1", split_column="half", label="2", splits={"one": "train", "two": "val"})
    )
    assert [len(uris) for uris in by_split(dataset).values()] == [2, 2]
    assert labels(dataset) == ["a", "b", "a", "b"]
    assert all(Path(os.fsdecode(each)).is_file() for each in dataset.samples.path.to_pylist())
    with pytest.raises(ConfigError, match="--path-column"):
        load([path], Config(path_column="nope"))


def test_two_manifests(tmp_path):
    touch(tmp_path, *(f"img/{i}.png" for i in range(4)))
    write_manifest(tmp_path / "train.csv", [("img/0.png", "a"), ("img/1.png", "b")], ("image", "label"))
    write_manifest(tmp_path / "test.csv", [("img/2.png", "a"), ("img/1.png", "b")], ("image", "label"))
    dataset = load([tmp_path], Config())
    assert by_split(dataset) == {"train": ["img/0.png", "img/1.png"], "test": ["img/1.png", "img/2.png"]}
    assert load([tmp_path / "train.csv", tmp_path / "test.csv"], Config()).splits == ("train", "test")


def test_lists_of_paths_alone(tmp_path):
    touch(tmp_path, *(f"img/{i}.png" for i in range(4)))
    (tmp_path / "train.txt").write_text("img/0.png\nimg/1.png\n")
    (tmp_path / "val.txt").write_text("img/2.png\nimg/3.png\n")
    dataset = load([tmp_path / "train.txt", tmp_path / "val.txt"], Config())
    assert by_split(dataset) == {"train": ["img/0.png", "img/1.png"], "val": ["img/2.png", "img/3.png"]}


def test_manifest_without_any_picture(tmp_path):
    path = write_manifest(tmp_path / "meta.csv")
    with pytest.raises(LayoutError, match=r"'file_name' names pictures, and none"):
        load([path], Config())
    with pytest.raises(InputError, match="the split train is empty"):
        load([path], Config(path_column="file_name"))


def test_manifest_without_split(tmp_path):
    touch(tmp_path, "img/0.png", "img/1.png")
    path = write_manifest(tmp_path / "meta.csv", [("img/0.png", "a"), ("img/1.png", "b")], ("path", "label"))
    with pytest.raises(LayoutError, match="no column of it says the split"):
        load([path], Config())
    assert by_split(load([path], Config(within=True))) == {"all": ["img/0.png", "img/1.png"]}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_manifest_naming_odd_things(tmp_path):
    touch(tmp_path, "a.png", "b.png", "c.mp4", "d.png.dvc")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "dir.png").mkdir()
    names = ["a.png", "pipe.png", "dir.png", "c.mp4", "d.png", "http://x.org/e.png", r"sub\f.png"]
    rows = [*((name, "train") for name in names), ("b.png", "val")]
    dataset = load([write_manifest(tmp_path / "m.csv", rows, ("path", "split"))], Config())
    assert by_split(dataset) == {"train": ["a.png"], "val": ["b.png"]}
    assert [problem.kind for problem in dataset.problems] == [
        "unreadable",
        "unreadable",
        "unsupported",
        "pointer",
        "missing",
        "missing",
    ]
