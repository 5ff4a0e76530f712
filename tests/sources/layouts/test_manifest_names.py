"""Manifests that name pictures by stem, id or name: which column, which picture, and what the other columns are."""

from __future__ import annotations

import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.layouts import load
from picture_sets import CLASSES, NAMES, SPLITS, N, csv_of_stems, flat, in_folders, pictures, put
from shards import picture


def by_split(dataset):
    uris = dataset.samples.uri.to_pylist()
    return {
        split: [uri for uri, code in zip(uris, dataset.samples.split, strict=True) if code == at]
        for at, split in enumerate(dataset.splits)
    }


def test_other_columns_are_kept_in_the_order_of_the_samples(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    rows = [f"{NAMES[i]},{CLASSES[i]},{SPLITS[i]},{20 + i},pt{i // 2}" for i in reversed(range(N))]
    put(tmp_path, "meta.csv", "image_id,label,split,age,patient\n" + "\n".join(rows) + "\n")
    dataset = load([tmp_path], Config())
    assert dataset.kind == "image"
    assert [table.split for table in dataset.tables] == ["train", "val"]
    assert dataset.tables[0].table["age"].to_pylist() == [str(20 + i) for i in range(8)]
    assert dataset.tables[1].table["image_id"].to_pylist() == NAMES[8:]
    assert (dataset.columns.label, dataset.columns.group) == ("label", "patient")
    assert dataset.columns.ignore == ("image_id", "split")


def test_a_manifest_without_other_columns_has_no_tables(tmp_path):
    csv_of_stems(tmp_path, pictures(leaky=False))
    rows = [f"{NAMES[i]},{CLASSES[i]},{SPLITS[i]}" for i in range(N)]
    put(tmp_path, "labels.csv", "image_id,label,split\n" + "\n".join(rows) + "\n")
    assert load([tmp_path], Config()).tables == ()


def test_a_column_of_any_name_that_fits(tmp_path):
    flat(tmp_path, pictures(leaky=False), "deep/er")
    rows = [f"{i % 3},{NAMES[i]},{SPLITS[i]}" for i in range(N)]
    put(tmp_path, "table.csv", "count,scan,split\n" + "\n".join(rows) + "\n")
    dataset = load([tmp_path], Config())
    assert "names from 'scan'" in dataset.layout.why


def test_counts_are_no_ids(tmp_path):
    """A column of small numbers does not name 1.png to 9.png."""
    for i in range(1, 10):
        put(tmp_path, f"plots/{i}.png", pictures(leaky=False)[i])
    rows = [f"{1 + i % 9},{i * 0.37:.2f},{'train' if i < 300 else 'test'}" for i in range(400)]
    put(tmp_path, "data.csv", "count,value,split\n" + "\n".join(rows) + "\n")
    assert load([tmp_path], Config()).kind == "table"


def test_the_same_name_in_several_folders(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"one/{split}")
    in_folders(tmp_path, made, lambda split, label: "other")
    rows = [f"{SPLITS[i]}/{NAMES[i]}.png,{SPLITS[i]}" for i in range(6)] + [
        f"{NAMES[i]},{SPLITS[i]}" for i in range(6, N)
    ]
    put(tmp_path, "list.csv", "file,split\n" + "\n".join(rows) + "\n")
    dataset = load([tmp_path], Config())
    # Folders that are told with the name decide, and else the split that a folder says.
    assert by_split(dataset)["train"] == [f"one/train/{name}.png" for name in NAMES[:8]]
    assert by_split(dataset)["val"] == [f"one/val/{name}.png" for name in NAMES[8:]]
    assert any("12 pictures are in no row" in note for note in dataset.notes)


def test_a_name_that_stays_unclear_is_said(tmp_path):
    made = pictures(leaky=False)
    flat(tmp_path, made, "a")
    flat(tmp_path, made, "b")
    put(tmp_path, "list.csv", "image_id,split\n" + "".join(f"{n},{s}\n" for n, s in zip(NAMES, SPLITS, strict=True)))
    notes = load([tmp_path], Config()).notes
    assert any("Several pictures have the same name, the first by path was taken: a/p00.png" in note for note in notes)


def test_rows_without_picture_and_pictures_without_row(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    rows = [f"{NAMES[i]},{CLASSES[i]},{SPLITS[i]}" for i in range(2, N)] + ["gone,cat,val"]
    put(tmp_path, "labels.csv", "image_id,label,split\n" + "\n".join(rows) + "\n")
    dataset = load([tmp_path], Config())
    assert [(problem.uri, problem.kind, problem.split) for problem in dataset.problems] == [("gone", "missing", "val")]
    assert any("2 pictures are in no row and were not looked at (images/p00.png" in note for note in dataset.notes)


def test_two_labels_for_one_picture_contradict(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    rows = [f"images/{NAMES[i]}.png,{CLASSES[i]},{SPLITS[i]}" for i in range(N)]
    put(tmp_path, "labels.csv", "path,label,split\n" + "\n".join([*rows, "images/p00.png,bird,train"]) + "\n")
    report = leakaudit.audit(tmp_path / "labels.csv", select=("LA110",), cache_dir=tmp_path / "cache")
    assert [(finding.code, finding.n_samples) for finding in report.findings] == [("LA110", 1)]
    put(tmp_path, "labels.csv", "path,label,split\n" + "\n".join([*rows, f"images/p00.png,{CLASSES[0]},train"]) + "\n")
    dataset = load([tmp_path / "labels.csv"], Config())
    assert len(dataset.samples) == N
    assert [problem.kind for problem in dataset.problems] == ["duplicate-path"]


@pytest.mark.parametrize("header", ["filename,class,xmin,ymin,xmax,ymax,split", "filename,caption,split"])
def test_rows_of_boxes_and_captions_are_no_samples(tmp_path, header):
    flat(tmp_path, pictures(leaky=False))
    boxes = "xmin" in header
    rows = []
    for i in range(N):
        for k, label in enumerate((CLASSES[i], CLASSES[i], "background")):
            what = f"{label},1,1,{5 + k},5" if boxes else f"a picture {k} of {label}"
            rows.append(f"{NAMES[i]}.png,{what},{SPLITS[i]}")
    put(tmp_path, "labels.csv", header + "\n" + "\n".join(rows) + "\n")
    dataset = load([tmp_path], Config())
    assert len(dataset.samples) == N
    assert dataset.problems == ()
    assert any("36 rows name 12 pictures: a sample is a picture" in note for note in dataset.notes)
    if boxes:
        assert dataset.samples.label.to_pylist() == CLASSES


def test_a_table_that_names_nothing_here(tmp_path):
    csv_of_stems(tmp_path, pictures(leaky=False))
    rows = [f"x{i},{CLASSES[i]},{SPLITS[i]}" for i in range(N)]
    put(tmp_path, "labels.csv", "image_id,label,split\n" + "\n".join(rows) + "\n")
    with pytest.raises(LayoutError, match="most of what lies here is something else: 12 pictures"):
        load([tmp_path], Config())


def test_a_table_over_few_pictures_of_split_folders(tmp_path):
    """Rows for two of twelve pictures: the folders are the data set, and none of their pictures is left out."""
    in_folders(tmp_path, pictures(leaky=False), lambda split, label: f"{split}/{label}")
    put(tmp_path, "train.csv", "path,label\ntrain/cat/p00.png,cat\n")
    put(tmp_path, "val.csv", "path,label\nval/cat/p08.png,cat\n")
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "image-folders"
    assert len(dataset.samples) == N


def test_the_only_other_column_is_the_label(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    for header in ("id,breed\n", ""):
        for split in ("train", "val"):
            rows = [f"{NAMES[i]}.png,{CLASSES[i]}" for i in range(N) if SPLITS[i] == split]
            put(tmp_path, f"{split}.csv", header + "\n".join(rows) + "\n")
        assert load([tmp_path], Config()).samples.label.to_pylist() == CLASSES
    for split in ("train", "val"):
        rows = [f"{NAMES[i]}.png,a picture of {i}" for i in range(N) if SPLITS[i] == split]
        put(tmp_path, f"{split}.csv", "id,caption\n" + "\n".join(rows) + "\n")
    assert load([tmp_path], Config()).samples.label is None


def test_splits_within_a_json_file(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    inner = {
        split: [name for name, each in zip(NAMES, SPLITS, strict=True) if each == split] for split in ("train", "val")
    }
    put(tmp_path, "info.json", {"name": "animals", "splits": inner})
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "list-json"
    assert len(dataset.samples) == N


@pytest.mark.parametrize(("codes", "is_split"), [("0001200", True), ("0001100", False), ("2222001", False)])
def test_numbers_are_splits_where_they_are_all_there_and_train_is_the_largest(codes, is_split, tmp_path):
    """As CelebA numbers them, with attributes in another table that names the same pictures."""
    for at in range(len(codes)):
        put(tmp_path, f"img/{at:06d}.png", picture(at))
    names = [f"{at:06d}.png" for at in range(len(codes))]
    rows = "".join(f"{name},{code}\n" for name, code in zip(names, codes, strict=True))
    put(tmp_path, "list_eval_partition.csv", "image_id,partition\n" + rows)
    put(tmp_path, "list_attr.csv", "image_id,smiling,young\n" + "".join(f"{name},-1,1\n" for name in names))
    if not is_split:
        with pytest.raises(LayoutError):
            load([tmp_path], Config())
        return
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("train", "val", "test")
    assert "train (from '0'), val (from '1'), test (from '2')" in dataset.layout.why


def test_columns_of_0_and_1_beside_others_are_features(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    rows = "".join(f"{NAMES[i]},{SPLITS[i]},{30 + i},{i % 2},{1 - i % 2}\n" for i in range(N))
    put(tmp_path, "meta.csv", "image,split,age,male,female\n" + rows)
    assert load([tmp_path], Config()).samples.label is None


@pytest.mark.parametrize("as_list", [True, False])
def test_a_label_that_contradicts_the_folder_is_said(as_list, tmp_path):
    in_folders(tmp_path, pictures(leaky=False), lambda split, label: f"{split}/{label}")
    rows = [(f"{SPLITS[i]}/{CLASSES[i]}/{NAMES[i]}.png", "dog" if i == 0 else CLASSES[i]) for i in range(N)]
    if as_list:
        for split in ("train", "val"):
            mine = (f"{name} {label}\n" for name, label in rows if name.startswith(split))
            put(tmp_path, f"{split}.txt", "".join(mine))
    else:
        put(tmp_path, "labels.csv", "filename,label\n" + "".join(f"{name},{label}\n" for name, label in rows))
    said = "1 pictures lie in the folder of another class than their label says (train/cat/p00.png: 'dog')."
    assert said in load([tmp_path], Config()).notes


def test_of_two_tables_over_split_folders_the_one_with_labels_is_read(tmp_path):
    """As ISIC hands out its data: classes in one file, ages in another."""
    in_folders(
        tmp_path, pictures(leaky=False), lambda split, label: {"train": "Training_Input", "val": "Test_Input"}[split]
    )
    names = [NAMES[i] for i in range(N) if SPLITS[i] == "train"]
    classes = [CLASSES[i] for i in range(N) if SPLITS[i] == "train"]
    rows = [f"{name},{float(each == 'cat')},{float(each == 'dog')}" for name, each in zip(names, classes, strict=True)]
    put(tmp_path, "Training_GroundTruth.csv", "image,cat,dog\n" + "\n".join(rows) + "\n")
    put(tmp_path, "Training_Metadata.csv", "image,age\n" + "".join(f"{name},{at}\n" for at, name in enumerate(names)))
    dataset = load([tmp_path], Config())
    found = dict(zip(dataset.samples.uri.to_pylist(), dataset.samples.label.to_pylist(), strict=True))
    assert [found[f"Training_Input/{name}.png"] for name in names] == classes


@pytest.mark.parametrize("shared", [True, False])
def test_ids_that_the_user_names_are_compared(shared, tmp_path):
    flat(tmp_path, pictures(leaky=False))
    scan = [3 if shared and i == 9 else i for i in range(N)]
    rows = "".join(f"{NAMES[i]}.png,{CLASSES[i]},{SPLITS[i]},s{scan[i]}\n" for i in range(N))
    put(tmp_path, "meta.csv", "file,label,split,scan\n" + rows)
    report = leakaudit.audit(tmp_path, id="scan", select=("LA108",), use_cache=False)
    assert [finding.code for finding in report.findings] == (["LA108"] if shared else [])
