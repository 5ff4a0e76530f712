"""The layouts of the public data sets, with the counts that their makers state."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leakaudit.config import Config
from leakaudit.errors import LayoutError
from leakaudit.sources.layouts import load

pytestmark = pytest.mark.realdata


def sizes(dataset) -> dict[str, int]:
    return dict(zip(dataset.splits, np.bincount(dataset.samples.split).tolist(), strict=True))


def test_mnist_folders_and_manifests_agree(unpacked):
    root = unpacked("mnist-png")
    root = root if (root / "train").is_dir() else root / "mnist-png"
    folders = load([root], Config(layout="image-folders"))
    assert sizes(folders) == {"train": 60_000, "test": 10_000}
    assert folders.notes == ("Not used, beside the split folders: test.csv, train.csv.",)
    assert len(set(folders.samples.label.to_pylist())) == 10
    manifests = load([root], Config())  # the tables account for all pictures, and for themselves
    assert manifests.layout.name == "manifest"
    assert manifests.samples.uri.equals(folders.samples.uri)
    assert manifests.samples.label.equals(folders.samples.label)
    assert np.array_equal(manifests.samples.mtime_ns, folders.samples.mtime_ns)


@pytest.mark.parametrize(
    ("name", "layout", "counts", "n_labels"),
    [
        ("cifar10-half", "image-folders", {"train": 25_000, "test": 5_000}, 5),
        ("bccd", "pascal-voc", {"train": 205, "val": 87, "test": 72}, 3),
        # Pictures without label file have no label; of the class numbers one is named, four others come up.
        ("ships-yolo", "yolo", {"train": 405, "val": 99, "test": 63}, 6),
    ],
)
def test_pictures(unpacked, name, layout, counts, n_labels):
    dataset = load([unpacked(name)], Config())
    assert dataset.layout.name == layout
    assert sizes(dataset) == counts
    assert len(set(dataset.samples.label.to_pylist() if dataset.samples.label is not None else ())) == n_labels
    assert not dataset.problems


def test_sign_digits(unpacked):
    with pytest.raises(LayoutError, match="--within"):
        load([unpacked("sign-digits")], Config())
    dataset = load([unpacked("sign-digits")], Config(within=True))
    assert sizes(dataset) == {"all": 2_062}
    assert sorted(set(dataset.samples.label.to_pylist())) == list("0123456789")


def test_omniglot(unpacked):
    root = unpacked("omniglot-small")
    root = root if (root / "small1").is_dir() else root / "omniglot-small"
    dataset = load([f"train={root / 'small1'}", f"test={root / 'small2'}"], Config())
    assert sizes(dataset) == {"train": 2_720, "test": 3_120}
    assert {"Greek", "Latin"} <= set(dataset.samples.label.to_pylist())


def test_imagededup(unpacked):
    dataset = load([unpacked("imagededup-tests")], Config(within=True))
    assert len(dataset.samples) == 33
    assert Counter(problem.kind for problem in dataset.problems) == {"unsupported": 1}


def test_adult(shared_data):
    folder = shared_data / "tabular"
    dataset = load([folder / "adult-train.csv", folder / "adult-test.csv"], Config(ignore_columns=("3",)))
    assert [(table.split, table.delimiter, table.header) for table in dataset.tables] == [
        ("train", ", ", False),
        ("test", ", ", False),
    ]
    assert dataset.columns.label == "column_15"
    assert dataset.columns.ignore == ("column_3",)
    with pytest.raises(LayoutError, match=r"test=adult-test.csv train=adult-train.csv"):
        load([folder], Config())


def test_parkinsons(shared_data):
    dataset = load([shared_data / "tabular" / "parkinsons-with-split.csv"], Config())
    assert dataset.splits == ("train", "test")
    assert dataset.columns.split == "published_split"
    assert dataset.notes[0].startswith("101 rows with published_split = 'unused'")


@pytest.mark.parametrize(
    ("name", "header", "label"),
    [
        ("winequality-red", False, "column_12"),
        ("winequality-white", False, "column_12"),
        ("diamonds", True, None),
        ("titanic", True, "survived"),
        ("taxis", True, None),
    ],
)
def test_one_table(shared_data, name, header, label):
    dataset = load([shared_data / "tabular" / f"{name}.csv"], Config(within=True))
    assert dataset.tables[0].header == header
    assert dataset.columns.label == label


@pytest.mark.parametrize(
    ("name", "layout", "columns", "label"),
    [
        ("banking77", "split-files", ("text", "category"), "category"),
        ("snips", "parallel-text", ("label", "seq.in", "seq.out"), "label"),
        ("clinc150", "split-json", ("column_1", "column_2"), "column_2"),
        ("gsm8k", "split-files", ("question", "answer"), None),
    ],
)
def test_texts(shared_data, name, layout, columns, label):
    dataset = load([shared_data / "text" / name], Config())
    assert dataset.layout.name == layout
    assert dataset.tables[0].columns == columns
    assert dataset.columns.label == label
    if layout == "parallel-text":
        assert [table.table.num_rows for table in dataset.tables] == [13_084, 700, 700]
    if layout == "split-json":
        assert [table.table.num_rows for table in dataset.tables] == [15_000, 3_000, 4_500]
