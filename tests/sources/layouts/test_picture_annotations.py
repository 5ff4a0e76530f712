"""Annotations of pictures: what is wrong in them is counted and said, and nothing in them is followed or expanded."""

from __future__ import annotations

import pytest

from leakaudit.config import Config
from leakaudit.errors import InputError, LayoutError
from leakaudit.sources.layouts import load
from leakaudit.sources.readers.data_yaml import parse_data_yaml
from leakaudit.sources.readers.picture_notes import parse_labelme, parse_voc
from leakaudit.sources.readers.small_xml import parse_xml
from picture_sets import CLASSES, NAMES, SETS, N, coco_2017, coco_of, flat, ids, in_folders, pictures, put, voc, yolo


def labels(dataset):
    return None if dataset.samples.label is None else dataset.samples.label.to_pylist()


def said(dataset, words):
    return any(words in note for note in dataset.notes)


# --- YOLO -------------------------------------------------------------------------------------------------------


def test_yolo_says_what_is_wrong_in_label_files(tmp_path):
    yolo(tmp_path, pictures(leaky=False))
    put(tmp_path, "labels/train/p00.txt", "0 0.9 0.5 0.5 0.5\n1 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n")
    put(tmp_path, "labels/train/p01.txt", "")
    put(tmp_path, "labels/train/p02.txt", "7 0.5 0.5 0.1 0.1\nno box\n")
    put(tmp_path, "labels/train/nobody.txt", "0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "labels/train/p03.txt").unlink()
    dataset = load([tmp_path], Config())
    assert labels(dataset)[:5] == ["dog", None, "7", None, CLASSES[4]]
    for words in (
        "1 boxes reach out of their picture",
        "1 label files name no object",
        "1 class numbers of label files have no name in data.yaml (7)",
        "1 label files belong to no picture",
        "1 of 12 pictures have none of the label files",
        "1 label files could not be read in whole or part",
    ):
        assert said(dataset, words), words


def test_yolo_keeps_boxes_and_says_wrong_paths(tmp_path):
    yolo(tmp_path, pictures(leaky=False))
    put(tmp_path, "labels/val/p08.txt", "0 0.1 0.1 0.3 0.1 0.3 0.5 0.1 0.5\n")  # a polygon
    put(tmp_path, "data.yaml", "train: images/train\nval: images/elsewhere\nnames: [cat, dog]\n")
    dataset = load([tmp_path], Config())
    assert "data.yaml names images/elsewhere, not there" in dataset.layout.why
    assert [(table.split, table.columns, len(table.table)) for table in dataset.tables] == [
        ("train", ("boxes",), 8),
        ("val", ("boxes",), 4),
    ]
    (box,) = dataset.tables[1].table["boxes"][0].as_py()
    assert (box["class"], box["x"], box["y"]) == ("cat", 0.1, 0.1)
    assert box["width"] == pytest.approx(0.2)
    assert box["height"] == pytest.approx(0.4)
    assert dataset.columns.ignore == ("boxes",)


def test_two_named_folders_with_label_files(tmp_path):
    yolo(tmp_path, pictures(leaky=False))
    named = [f"train={tmp_path}/images/train", f"val={tmp_path}/images/val"]
    dataset = load(named, Config())
    assert dataset.layout.name == "yolo"
    assert labels(dataset)[:2] == ["0", "1"]  # no data.yaml was named


def test_texts_beside_pictures_are_no_boxes(tmp_path):
    in_folders(tmp_path, pictures(leaky=False), lambda split, label: f"{split}/{label}")
    for i in range(N):
        put(tmp_path, f"{'train' if i < 8 else 'val'}/{CLASSES[i]}/{NAMES[i]}.txt", "a photo of an animal\n")
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "image-folders"
    assert labels(dataset).count("cat") == 6


def test_data_yaml_is_read_strictly():
    text = (
        "# c\ntrain: [a, 'b c']  # two\nval: >\n  folded\nnc: 2\nnames: {0: 'a, b', 1: \"c\"}\nanchors:\n  - [1, 2]\n"
    )
    found = parse_data_yaml(text)
    assert found is not None
    assert found.splits["train"] == ("a", "b c")
    assert found.names == {"0": "a, b", "1": "c"}
    assert parse_data_yaml("names: [a]\n") is None
    assert parse_data_yaml("train: a\nval: b\n") is None
    assert parse_data_yaml("train: a\nnames:\n- cat\n- dog\n").names == {"0": "cat", "1": "dog"}
    assert parse_data_yaml("train: a\nnames: [cat,\n  dog]\n").names == {"0": "cat", "1": "dog"}


# --- COCO -------------------------------------------------------------------------------------------------------


def test_coco_says_what_is_wrong(tmp_path):
    coco_2017(tmp_path, pictures(leaky=False))
    value = coco_of(ids("train"))
    value["images"] += [{"id": 0, "file_name": "p00.png"}, {"id": 99, "file_name": "gone.png"}]
    value["annotations"] += [
        {"id": 90, "image_id": 1, "category_id": 1, "bbox": [50, 50, 40, 4]},
        {"id": 91, "image_id": 1234, "category_id": 1},
        {"id": 91, "image_id": 2, "category_id": 5, "bbox": "no"},
        "not a record",
    ]
    put(tmp_path, "annotations/instances_train2017.json", value)
    put(tmp_path, "train2017/extra.png", pictures(leaky=False)[0])
    dataset = load([tmp_path], Config())
    assert [(problem.uri, problem.kind, problem.split) for problem in dataset.problems] == [
        ("annotations/gone.png", "missing", "train")
    ]
    for words in (
        "2 ids are there twice",
        "1 annotations belong to no image",
        "1 boxes reach out of their picture",
        "1 pictures in",
    ):
        assert said(dataset, words), words


def test_coco_that_is_no_coco(tmp_path):
    coco_2017(tmp_path, pictures(leaky=False))
    put(tmp_path, "annotations/instances_val2017.json", '{"images": 5}')
    with pytest.raises(InputError, match="no list of images"):
        load([tmp_path], Config())


def test_coco_by_named_files(tmp_path):
    coco_2017(tmp_path, pictures(leaky=False))
    files = [f"{split}={tmp_path}/annotations/instances_{split}2017.json" for split in ("train", "val")]
    dataset = load(files, Config())
    assert dataset.layout.name == "coco"
    assert labels(dataset).count("cat") == 6


# --- VOC, LabelMe -----------------------------------------------------------------------------------------------


def test_voc_with_entities_and_without_annotations(tmp_path):
    voc(tmp_path, pictures(leaky=False))
    name = "<object><name>&y;</name></object>"
    bomb = f"<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><annotation>{name}</annotation>"
    put(tmp_path, "Annotations/p00.xml", bomb)
    put(tmp_path, "Annotations/p01.xml", "<annotation><object>")
    (tmp_path / "Annotations/p02.xml").unlink()
    dataset = load([tmp_path], Config())
    assert labels(dataset)[:4] == [None, None, None, CLASSES[3]]
    assert said(dataset, "2 annotations could not be read in whole or part (XML with a document type")
    assert said(dataset, "1 of 12 pictures have none of the annotations")


def test_xml_that_is_refused():
    for data, reason in (
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (b"<a>" * 100, "nested too deeply"),
        (b"no xml", "no XML"),
        (b"", "no XML"),
    ):
        with pytest.raises(ValueError, match=reason):
            parse_xml(data)
    assert parse_xml(b"<a b='1'><c> x </c></a>").value("c") == "x"
    assert parse_voc(b"<annotation/>").boxes == ()


def test_labelme_that_is_odd():
    assert parse_labelme(b"{").bad
    assert parse_labelme(b'{"shapes": 3}').bad
    found = parse_labelme(
        b'{"shapes": [{"label": "a", "points": [[-9, 0], [5, "x"]]}, 7], "imageWidth": 9, "imageHeight": 9}'
    )
    assert [box.label for box in found.boxes] == ["a"]
    assert found.outside == 1
    assert parse_labelme(b'{"shapes": [], "flags": {"cat": true, "dog": false}}').boxes[0].label == "cat"


# --- masks ------------------------------------------------------------------------------------------------------


def test_masks_and_pictures_without_each_other(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"{split}/images")
    for i in range(N):
        if i != 2:
            put(tmp_path, f"{'train' if i < 8 else 'val'}/masks/{NAMES[i]}.png", made[0])
    put(tmp_path, "train/masks/nobody.png", made[1])
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "image-masks"
    assert said(dataset, "11 masks are labels of pictures")
    assert said(dataset, "1 of 12 pictures have no mask (train/images/p02.png)")
    assert said(dataset, "1 masks belong to no picture (train/masks/nobody.png)")


def test_a_class_called_mask_is_a_class(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"{split}/{'mask' if label == 'cat' else 'no_mask'}")
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "image-folders"
    assert labels(dataset).count("mask") == 6


def test_masks_by_named_folders(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"{split}/images")
    in_folders(tmp_path, made, lambda split, label: f"{split}/masks")
    dataset = load([f"train={tmp_path}/train", f"test={tmp_path}/val"], Config())
    assert dataset.layout.name == "image-masks"
    assert [int((dataset.samples.split == at).sum()) for at in (0, 1)] == [8, 4]


def test_pictures_beside_images_with_masks_are_no_samples(tmp_path):
    made = pictures(leaky=False)
    for folder in ("images", "masks", "previews"):
        in_folders(tmp_path, made, lambda split, label, folder=folder: f"{split}/{folder}")
    dataset = load([tmp_path], Config())
    assert len(dataset.samples) == N
    assert said(dataset, "12 pictures in folders beside the images (train/previews/, …) were not looked at")


def test_a_split_without_masks_stays(tmp_path):
    """Held-out masks are often kept back."""
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: split)
    for i in range(8):
        put(tmp_path, f"train_masks/{NAMES[i]}_mask.png", made[0])
    dataset = load([tmp_path], Config())
    assert [int((dataset.samples.split == at).sum()) for at in (0, 1)] == [8, 4]
    assert said(dataset, "4 of 12 pictures have no mask")


def test_folders_of_one_split_each_are_no_classes(tmp_path):
    made = pictures(leaky=False)
    in_folders(tmp_path, made, lambda split, label: f"part_{'one' if split == 'train' else 'two'}")
    put(tmp_path, "train.txt", "".join(f"{name}\n" for name in NAMES[:8]))
    put(tmp_path, "val.txt", "".join(f"{name}\n" for name in NAMES[8:]))
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == "id-lists"
    assert labels(dataset) is None


def test_volumes_of_other_formats_are_named_and_not_read(tmp_path):
    for i in range(12):
        put(tmp_path, f"images{'Tr' if i < 8 else 'Ts'}/case_{i:03d}_0000.mha", b"ObjectType = Image" + bytes(20))
    put(tmp_path, "dataset.json", {"training": [{"image": "./imagesTr/case_000.mha"}], "test": []})
    with pytest.raises(LayoutError, match=r"12 volumes \(imagesTr/case_000_0000.mha"):
        load([tmp_path], Config())


def test_lists_by_name(tmp_path):
    SETS["lists of stems"][0](tmp_path, pictures(leaky=False))
    dataset = load([f"train={tmp_path}/splits/train.txt", f"val={tmp_path}/splits/val.txt"], Config())
    assert dataset.layout.name == "id-lists"
    assert [int((dataset.samples.split == at).sum()) for at in (0, 1)] == [8, 4]


def test_pictures_that_no_list_names_are_said(tmp_path):
    flat(tmp_path, pictures(leaky=False))
    put(tmp_path, "train.txt", "p00\np01\np02\n")
    put(tmp_path, "val.txt", "p08\np09\ngone\n")
    dataset = load([tmp_path], Config())
    assert [(problem.uri, problem.kind) for problem in dataset.problems] == [("gone", "missing")]
    assert said(dataset, "7 pictures in")
