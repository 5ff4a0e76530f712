"""Which inner folders are classes: generic names, unlabelled folders, numbered people and flat splits are not."""

from __future__ import annotations

import pytest

from leakaudit.config import Config
from leakaudit.sources.layouts import load
from leakaudit.sources.layouts.image_folders import class_labels
from picture_sets import put
from shards import picture


def split(*folders: tuple[str, int]) -> list[bytes]:
    return [name.encode() for name, n in folders for _ in range(n)]


def test_a_folder_of_pictures_beside_classes_is_no_class():
    labels, said = class_labels([split(("n01/images", 4), ("n02/images", 4)), split(("images", 3))])
    assert labels == ["n01"] * 4 + ["n02"] * 4 + [None] * 3
    assert "2 class folders (n01, n02)" in said
    assert "but of images" in said


def test_folders_of_unlabelled_samples_have_no_label():
    labels, _ = class_labels([split(("neg", 3), ("pos", 3), ("unsup", 4)), split(("neg", 2), ("pos", 2))])
    assert labels == ["neg"] * 3 + ["pos"] * 3 + [None] * 4 + ["neg"] * 2 + ["pos"] * 2


def test_a_split_without_class_folders_leaves_the_others_theirs():
    labels, said = class_labels([split(("cat", 3), ("dog", 3)), split(("", 4))])
    assert labels == ["cat"] * 3 + ["dog"] * 3 + [None] * 4
    assert "1 of 2 splits have none" in said


@pytest.mark.parametrize(
    ("train", "val", "are_classes"),
    [
        (("101", "102", "103"), ("201", "202"), False),  # speakers, as LibriSpeech has them
        (("n01", "n02", "n03"), ("n01", "n02"), True),
        (("n01", "n02", "n03"), ("n01", "n04"), True),  # a class that train lacks: LA202 says it
        (("cat", "dog"), ("Cat", "Dog"), True),  # another spelling: LA202 says it, too
    ],
)
def test_numbered_folders_that_no_two_splits_share_are_people(train, val, are_classes):
    labels, said = class_labels([split(*((name, 3) for name in train)), split(*((name, 3) for name in val))])
    assert (labels is not None) == are_classes
    assert ("number people or recordings" in said) != are_classes


def test_lists_beside_folders_of_documents_are_no_documents(tmp_path):
    for each in ("train", "test"):
        for at in range(120):
            path = tmp_path / each / ("pos" if at % 2 else "neg") / f"{at}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"the {each} film number {at} was long", encoding="utf-8")
        (tmp_path / each / "urls.txt").write_text("http://example.org\n" * 40, encoding="utf-8")
        (tmp_path / each / "bag.feat").write_text("0 12:1 3:2\n" * 40, encoding="utf-8")
    data = load([tmp_path], Config())
    assert data.layout.name == "text-folders"
    assert [len(table.table) for table in data.tables] == [120, 120]
    assert data.tables[0].row_uris.to_pylist()[0] == "train/neg/0.txt"
    assert any("train/urls.txt, test/urls.txt" in note for note in data.notes)


@pytest.mark.parametrize(
    ("folders", "same_names", "labelled"),
    [
        (("rgb", "depth"), True, False),
        (("hr", "lr"), True, False),
        (("rgb", "thermal"), False, True),
        (("cat", "dog"), True, True),
    ],
)
def test_several_pictures_of_a_scene_are_no_classes(folders, same_names, labelled, tmp_path):
    for each in ("train", "val"):
        for at in range(8):
            for number, folder in enumerate(folders):
                name = at if same_names else at + 100 * number
                put(tmp_path, f"{each}/{folder}/{name}.png", picture(at + 8 * number))
    dataset = load([tmp_path], Config())
    assert (dataset.samples.label is not None) == labelled
