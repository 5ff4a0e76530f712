from __future__ import annotations

import pytest

from leakaudit.errors import ConfigError
from leakaudit.sources.names import (
    canonical,
    distinct,
    guess_label,
    label_candidates,
    resolve_column,
    split_of,
    split_word,
)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("TRAINING", "train"),
        ("trn", "train"),
        ("Valid", "val"),
        ("validation", "val"),
        ("dev", "val"),
        ("Testing", "test"),
        ("hold-out", "test"),
        ("eval", "test"),
        ("cats", None),
        ("tests", None),
    ],
)
def test_usual_split_names(name, split):
    assert split_of(name, {}) == split


def test_told_names_win_over_usual_ones():
    assert split_of("Dev", {"dev": "test"}) == "test"
    assert split_of("part1", {"part1": "training"}) == "train"
    assert canonical("site_a") == "site_a"


@pytest.mark.parametrize(
    ("name", "split"),
    [("adult-train", "train"), ("train2017", "train"), ("DataTest", "test"), ("train_test", None), ("attested", None)],
)
def test_one_word_of_a_name(name, split):
    assert split_word(name) == split


def test_two_names_of_one_split_stay_apart():
    assert distinct([("eval", "test"), ("test", "test"), ("dev", "val")]) == [
        ("eval", "eval"),
        ("test", "test"),
        ("dev", "val"),
    ]


def test_label_guess():
    assert guess_label(["text", "Intent"]) == "Intent"
    assert guess_label(["x", "y"]) == "y"
    assert guess_label(["x", "y", "z"]) is None
    assert guess_label(["survived", "pclass", "class"]) == "survived"
    assert guess_label(["class", "Label"]) == "Label"
    assert guess_label(["text", "class", "category"]) is None
    assert label_candidates(["text", "class", "category", "class_name"]) == ["class", "category"]


def test_unknown_column_names_the_nearest():
    columns = ["survived", "pclass"]
    assert resolve_column("2", columns, "--label") == "pclass"
    with pytest.raises(ConfigError, match=r"--label.*'survivd'.*did you mean 'survived'.*columns: survived, pclass"):
        resolve_column("survivd", columns, "--label")
    with pytest.raises(ConfigError, match="no column '3'"):
        resolve_column("3", columns, "--label")
