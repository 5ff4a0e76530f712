"""Pipes, broken links and links in a circle block no layout, and each says them."""

from __future__ import annotations

import os

import pytest

from leakaudit.config import Config
from leakaudit.sources.layouts import load
from picture_sets import SETS, pictures, put

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX file types")

NAMED = ("csv of stems", "kaggle", "lists of stems", "numbered lists", "split.json", "coco flat", "cvat")


def stray(folder, ending):
    os.mkfifo(folder / f"pipe{ending}")
    (folder / f"gone{ending}").symlink_to("nowhere")
    (folder / "loop").symlink_to("..")


def said(dataset):
    return [*(f"{problem.uri}: {problem.reason}" for problem in dataset.problems), *dataset.notes]


@pytest.mark.parametrize("name", NAMED)
def test_beside_pictures_that_are_named_they_are_said(name, tmp_path):
    SETS[name][0](tmp_path, pictures(leaky=False))
    stray(min(tmp_path.rglob("*.png")).parent, ".png")
    dataset = load([tmp_path], Config())
    assert len(dataset.samples) == 12
    if name != "kaggle":  # there, all that lies in a split folder is a sample
        assert not dataset.problems
    for words in ("pipe.png: a named pipe, not opened", "gone.png: broken symbolic link"):
        assert any(words in each for each in said(dataset)), words


def test_lost_documents_are_problems(tmp_path):
    for split in ("train", "test"):
        for at in range(20):
            put(tmp_path, f"{split}/{('pos', 'neg')[at % 2]}/{at}.txt", f"the {split} text number {at} of some words")
    stray(tmp_path / "train/pos", ".txt")
    lost = {
        (problem.uri.rpartition("/")[2], problem.kind, problem.split) for problem in load([tmp_path], Config()).problems
    }
    assert {("pipe.txt", "unreadable", "train"), ("gone.txt", "missing", "train")} <= lost


def test_lost_shards_are_problems_and_old_links_beside_tables_are_not(tmp_path):
    for split in ("train", "test"):
        put(tmp_path, f"{split}/part-0.csv", "a,b\n" + "".join(f"{at},{at * 7}\n" for at in range(30)))
    stray(tmp_path / "train", ".csv")
    (tmp_path / "old.csv").symlink_to("nowhere")
    lost = {(problem.uri, problem.kind, problem.split) for problem in load([tmp_path], Config()).problems}
    assert lost == {("train/pipe.csv", "unreadable", "train"), ("train/gone.csv", "missing", "train")}
