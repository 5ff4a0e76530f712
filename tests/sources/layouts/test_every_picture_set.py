"""Every way in which pictures lie: the same samples and labels, and the leak that is there, or none."""

from __future__ import annotations

from collections import Counter

import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.sources.layouts import load
from leakaudit.sources.storage import remote
from picture_sets import BOTH, CLASSES, N_TRAIN, NAMES, NONE, SETS, SPLITS, N, pictures


def stems(dataset):
    """Split and stem of every sample."""
    uris = dataset.samples.uri.to_pylist()
    names = [
        uri.rpartition("/")[2].rpartition(".")[0].removesuffix("_0000").removesuffix("_leftImg8bit") for uri in uris
    ]
    return {name: dataset.splits[code] for name, code in zip(names, dataset.samples.split.tolist(), strict=True)}


@pytest.mark.parametrize("name", SETS)
def test_samples_and_labels(name, tmp_path):
    build, layout, labelled = SETS[name]
    build(tmp_path, pictures(leaky=False))
    dataset = load([tmp_path], Config())
    assert dataset.layout.name == layout
    held_out = "test" if layout in ("nnu-net", "numbered-lists") else "val"
    assert dataset.splits == ("train", held_out)
    assert stems(dataset) == {each: split.replace("val", held_out) for each, split in zip(NAMES, SPLITS, strict=True)}
    assert len(dataset.samples) == N
    assert dataset.problems == ()
    assert not any(each.is_blind_spot for each in dataset.unclaimed)
    if labelled == NONE:
        assert dataset.samples.label is None
        return
    wanted = {
        each: label if labelled == BOTH or split == "train" else None
        for each, label, split in zip(NAMES, CLASSES, SPLITS, strict=True)
    }
    if layout == "two-domains":
        wanted = {each: "A" if label == "cat" else "B" for each, label in wanted.items()}
    found = dict(zip(stems(dataset), dataset.samples.label.to_pylist(), strict=True))
    assert found == wanted


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("leaky", [True, False], ids=["leaky", "clean"])
def test_the_leak_that_is_there(name, leaky, tmp_path):
    SETS[name][0](tmp_path / "data", pictures(leaky))
    report = leakaudit.audit(tmp_path / "data", select=("LA001", "LA101"), cache_dir=tmp_path / "cache")
    assert {split: info.n for split, info in report.splits.items()}["train"] == N_TRAIN
    assert [finding.code for finding in report.findings] == (["LA101"] if leaky else [])
    assert report.verdict.exit_code == int(leaky)


@pytest.mark.parametrize("name", SETS)
def test_the_same_in_object_storage(name, tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="needs fsspec: pip install 'leakaudit[remote]'")
    SETS[name][0](tmp_path, pictures(leaky=True))
    here = load([tmp_path], Config())
    memory = fsspec.filesystem("memory")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            memory.pipe_file(f"/sets/{path.relative_to(tmp_path).as_posix()}", path.read_bytes())
    try:
        there = load(["memory://sets"], Config())
    finally:
        memory.store.clear()
        memory.pseudo_dirs[:] = [""]
        remote.forget()
    assert there.layout.name == here.layout.name
    assert there.samples.uri.to_pylist() == here.samples.uri.to_pylist()
    assert there.samples.split.tolist() == here.samples.split.tolist()
    labels = [each.samples.label.to_pylist() if each.samples.label is not None else None for each in (here, there)]
    assert labels[0] == labels[1]
    assert Counter(there.notes).total() == Counter(here.notes).total()


def test_named_manifests_find_ids_and_named_folders_their_metadata(tmp_path):
    """What is named by itself is read as it is read in its folder."""
    SETS["csv a split"][0](tmp_path / "ids", pictures(leaky=False))
    SETS["hub metadata"][0](tmp_path / "hub", pictures(leaky=False))
    ids = load([f"train={tmp_path}/ids/train.csv", f"val={tmp_path}/ids/val.csv"], Config())
    hub = load([f"train={tmp_path}/hub/train", f"val={tmp_path}/hub/val"], Config())
    for dataset in (ids, hub):
        assert dataset.layout.name == "manifest"
        assert dataset.samples.label.to_pylist() == CLASSES


@pytest.mark.parametrize("name", ["masks with lists", "nnU-Net", "yolo"])
def test_the_inside_of_each_split(name, tmp_path):
    """``--within`` reads a known layout as that, not as a heap of pictures and masks."""
    build, layout, _ = SETS[name]
    build(tmp_path, pictures(leaky=False))
    dataset = load([tmp_path], Config(within=True))
    assert dataset.layout.name == layout
    assert len(dataset.samples) == N
