from __future__ import annotations

import doctest

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.belonging import keys as group_keys
from leakaudit.analysis.belonging.keys import Key, determines, key_of, keys_in_names, within_labels
from leakaudit.analysis.columns.group_names import columns_named_like_groups

UNKNOWN = -1


def values_of(names, said, labels=None):
    codes = np.full(len(names), UNKNOWN) if labels is None else np.array(labels)
    label_names = [] if labels is None else [str(i) for i in range(max(labels) + 1)]
    for key in keys_in_names(pa.array(names), codes, label_names):
        if key.said == said:
            return [None if code < 0 else key.values[code].as_py() for code in key.codes.tolist()]
    return None


@pytest.mark.parametrize(
    ("said", "names", "expected"),
    [
        ("the name up to its first separator", ["a/p1_x_1.png", "a/P1_y_2.png", "b/p2-7.png"], ["p1", "p1", "p2"]),
        (
            "the name up to its second separator",
            ["p1_s1_1.png", "p1_s1_2.png", "p1_s2_1.png"],
            ["p1_s1"] * 2 + ["p1_s2"],
        ),
        (
            "the name up to its last number",
            ["pat12fr1.png", "pat12fr2.png", "pat3fr1.png"],
            ["pat12fr"] * 2 + ["pat3fr"],
        ),
        ("the last field of the name", ["a_0108_01.png", "0109_01.png", "0109_02.png"], ["01", "01", "02"]),
        ("the date in the name", ["IMG_20210503_1.jpg", "x-2021-05-03.jpg", "20210504120000.jpg"], None),
        ("the folder", ["c/v1/1.png", "c/v1/2.png", "c/v2/1.png"], ["v1", "v1", "v2"]),
    ],
)
def test_patterns(said, names, expected):
    found = values_of(names, said)
    if said == "the date in the name":
        names = ["a_20210503_1.jpg", "b_20210503_2.jpg", "c20210504120000.jpg", "d_20211350.jpg"]
        found, expected = values_of(names, said), ["20210503", "20210503", "20210504", None]
    assert found == expected


def test_a_name_without_a_separator_is_the_start_of_one_with_it():
    names = ["a/0.jpg", "b/0-with-mask.jpg", "a/12.jpg", "b/12-with-mask.jpg", "a/7.jpg"]
    assert values_of(names, "the start of the name, up to a separator if there is one") == ["0", "0", "12", "12", "7"]
    bare = ["a/p1.jpg", "b/p1left.jpg", "b/p1right.jpg", "a/p2.jpg"]
    assert values_of(bare, "the start of the name, up to the end of its first number") == ["p1", "p1", "p1", "p2"]


def test_prefixes_of_cameras_are_no_keys():
    names = [f"{('IMG_', 'DSC', 'DSC_', 'P10')[i % 4]}{1000 + 7 * i}.JPG" for i in range(400)]
    assert keys_in_names(pa.array(names), np.full(400, UNKNOWN), []) == []


def test_running_numbers_and_words_are_no_keys():
    assert keys_in_names(pa.array([f"train/{i:05d}.png" for i in range(50)]), np.full(50, UNKNOWN), []) == []
    words = [f"{breed}/{breed}_x.png" for breed in ("beagle", "boxer", "pug") for _ in range(5)]
    assert keys_in_names(pa.array(words), np.full(15, UNKNOWN), []) == []


def test_equal_partitions_are_one_key():
    names = [f"p{i // 4:02d}_{i}.png" for i in range(40)]
    keys = keys_in_names(pa.array(names), np.full(40, UNKNOWN), [])
    assert len({key.codes.tobytes() for key in keys}) == len(keys)


def test_camera_numbers_that_run_through_the_classes():
    names, labels = [], []
    for person in range(6):
        for digit in range(10):
            names.append(f"{digit}/IMG_{1000 + 10 * person + digit}.JPG")
            labels.append(digit)
    names, labels = zip(*sorted(zip(names, labels, strict=True)), strict=True)
    found = values_of(names, "number in the name less class", list(labels))
    assert found == [str(1000 + 10 * ((int(name[6:10]) - 1000) // 10)) for name in names]


def test_numbers_that_have_nothing_to_do_with_the_class_make_no_runs():
    rng = np.random.default_rng(0)
    names = [f"{i}.png" for i in range(500)]
    assert values_of(names, "number in the name less class", rng.integers(0, 10, 500).tolist()) is None


def test_empty_and_hostile_names():
    assert keys_in_names(pa.array([], pa.string()), np.zeros(0, dtype=np.int64), []) == []
    odd = ["a/\\xff1_2.png", "b/\n1_2.png", "", ".png", "x", "a/1_2"] * 2
    for key in keys_in_names(pa.array(odd), np.full(12, UNKNOWN), []):
        assert len(key.codes) == 12


def test_key_of_leaves_missing_and_empty_cells_out():
    key = key_of("x", pa.array(["a", None, " ", "b", "a"]))
    assert key.codes.tolist() == [0, -1, -1, 1, 0]


def test_within_labels():
    key = Key("k", np.array([0, 0, 1, -1, 0]), pa.array(["01", "02"]))
    inside = within_labels(key, np.array([0, 1, 0, 0, -1]))
    assert [None if c < 0 else inside.values[c].as_py() for c in inside.codes.tolist()] == [
        "01",
        "01",
        "02",
        None,
        None,
    ]
    assert len({*inside.codes.tolist()}) == 4


def test_determines():
    fine = Key("session", np.array([0, 0, 1, 2, -1]), pa.array(["a", "b", "c"]))
    coarse = Key("patient", np.array([0, 0, 0, 1, 1]), pa.array(["p", "q"]))
    assert determines(fine, coarse)
    assert not determines(coarse, fine)


def test_columns_that_say_groups():
    assert columns_named_like_groups(["patient_id", "Subject", "user id", "speakerNo", "camera_id"]) == [
        "patient_id",
        "Subject",
        "user id",
        "speakerNo",
        "camera_id",
    ]
    told = [
        "customer",
        "client_id",
        "account no",
        "household",
        "subj",
        "SMILES",
        "protein_id",
        "anon_user_id",
        "clip_id",
    ]
    assert columns_named_like_groups([*told, "new_customer", "order", "n_users", "total"]) == told
    assert not columns_named_like_groups(["camera", "scene", "group", "age_group", "id", "video_length", "subjective"])
    assert doctest.testmod(group_keys).failed == 0
