"""Folds that lie apart get one verdict, whether each is one part of the data or has its own training part."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leakaudit import audit
from leakaudit.config import Config
from leakaudit.errors import InputError
from leakaudit.folds import HELD_OUT, TRAIN, each_fold
from leakaudit.sources.layouts import load
from picture_sets import CLASSES, NAMES, N, pictures, put

K = 3


def flat_folders(root, made):
    for i in range(N):
        put(root, f"fold_{i % K + 1}/{CLASSES[i]}/{NAMES[i]}.png", made[i])


def folders_with_parts(root, made):
    for k in range(K):
        for i in range(N):
            put(root, f"data/fold{k}/{'val' if i % K == k else 'train'}/{CLASSES[i]}/{NAMES[i]}.png", made[i])


def lists(root, made, leak=False):
    for i in range(N):
        put(root, f"images/{NAMES[i]}.png", made[i])
    for k in range(K):
        for part in ("train", "test"):
            names = [i for i in range(N) if (i % K == k) == (part == "test") or (leak and i == k)]
            put(root, f"splits/fold{k + 1}_{part}.txt", "".join(f"{NAMES[i]}.png {CLASSES[i]}\n" for i in names))


def lists_in_folders(root, made):
    for i in range(N):
        put(root, f"images/{NAMES[i]}.png", made[i])
    for k in range(K):
        for part in ("train", "val"):
            names = [i for i in range(N) if (i % K == k) == (part == "val")]
            put(root, f"splits/split_{k + 1}/{part}.txt", "".join(f"{NAMES[i]}.png {CLASSES[i]}\n" for i in names))


def manifest(root, made):
    for i in range(N):
        put(root, f"images/{NAMES[i]}.png", made[i])
    rows = [f"{NAMES[i]},{CLASSES[i]},{i % K}" for i in range(N)]
    put(root, "train_folds.csv", "image_id,label,kfold\n" + "\n".join(rows) + "\n")


LAYOUTS = {each.__name__: each for each in (flat_folders, folders_with_parts, lists, lists_in_folders, manifest)}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("leaky", [True, False], ids=["leaky", "clean"])
def test_folds_of_pictures(name, leaky, tmp_path):
    made = pictures(leaky=False)
    if leaky:
        made[7] = made[3]  # of another fold, whichever way they are dealt
    LAYOUTS[name](tmp_path / "d", made)
    report = audit(tmp_path / "d", select=("LA001", "LA101"), cache_dir=tmp_path / "cache")
    assert "fold" in report.layout.why
    assert {split: (info.n, len(info.labels)) for split, info in report.splits.items()} == {
        TRAIN: (8, 2),
        HELD_OUT: (N, 2),
    }
    assert [(finding.code, finding.n_samples) for finding in report.findings] == ([("LA101", 2)] if leaky else [])
    assert report.verdict.exit_code == int(leaky)
    if leaky:
        assert report.findings[0].message.startswith("in 2 of 3 folds; in fold ")


def test_a_held_out_file_in_its_own_training_list_is_found(tmp_path):
    lists(tmp_path / "d", pictures(leaky=False), leak=True)
    (finding,) = audit(tmp_path / "d", select=("LA101",), cache_dir=tmp_path / "cache").findings
    assert finding.n_samples == K
    assert finding.message.startswith("in each of 3 folds 25.0% of the held-out samples are concerned; in fold 1: ")


@pytest.mark.parametrize("own_parts", [True, False])
def test_folds_of_tables(own_parts, tmp_path):
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(90, 4)).round(4), columns=list("abcd")).assign(y=rng.integers(0, 2, 90))
    data.iloc[61] = data.iloc[2]  # folds 1 and 2
    fold = np.arange(90) % K
    for k in range(K):
        data[fold == k].to_csv(tmp_path / (f"val_fold{k}.csv" if own_parts else f"fold_{k}.csv"), index=False)
        if own_parts:
            data[fold != k].to_csv(tmp_path / f"train_fold{k}.csv", index=False)
    dataset = load([tmp_path], Config())
    assert dataset.splits == ("fold 0", "fold 1", "fold 2")
    assert len(dataset.fold_sets) == (K if own_parts else 0)
    for each in each_fold(dataset):
        assert each.splits == (TRAIN, HELD_OUT)
        assert {table.split for table in each.tables} == {TRAIN, HELD_OUT}
    report = audit(tmp_path, select=("LA104",), cache_dir=tmp_path / "cache")
    assert [(finding.n_samples, finding.effect["n_folds"]) for finding in report.findings] == [(2, 2)]


def test_a_file_that_is_missing_in_one_fold_is_a_blind_spot(tmp_path):
    lists(tmp_path / "d", pictures(leaky=False))
    with (tmp_path / "d/splits/fold3_test.txt").open("a", encoding="utf-8") as file:
        file.write("gone.png cat\n")
    report = audit(tmp_path / "d", select=("LA001", "LA101"), cache_dir=tmp_path / "cache")
    assert report.coverage.n_unreadable == 1
    assert report.verdict.exit_code != 0


def test_a_third_part_of_a_fold_is_held_out_and_said(tmp_path):
    for k in range(K):
        for i in range(N):
            part = ("val", "test", "train", "train")[(i + k) % 4]
            put(tmp_path, f"fold{k}/{part}/{NAMES[i]}.png", pictures(leaky=False)[i])
    dataset = load([tmp_path], Config())
    assert "val and test of a fold are held out together: what they share is not told." in dataset.notes


def test_folds_beside_the_data_are_not_the_data(tmp_path):
    """Predictions of each fold beside split files, and models in folders of folds."""
    rng = np.random.default_rng(4)
    for name, n in (("train", 200), ("test", 90)):
        pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc")).to_csv(tmp_path / f"{name}.csv", index=False)
    for k in range(K):
        pd.DataFrame({"prediction": rng.normal(size=20)}).to_csv(tmp_path / f"oof_fold{k}.csv", index=False)
        put(tmp_path, f"fold_{k}/model.ckpt", b"\x80\x02")
    dataset = load([tmp_path], Config())
    assert (dataset.layout.name, dataset.splits) == ("split-files", ("train", "test"))


def test_folds_that_no_layout_reads_are_refused_by_name(tmp_path):
    for k in range(K):
        put(tmp_path, f"fold_{k}/model.bin", b"\x80\x02")
    with pytest.raises(InputError, match=r"fold_0/model\.bin: binary"):
        load([tmp_path], Config())
