from __future__ import annotations

import doctest

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.belonging import name_patterns as names
from leakaudit.analysis.belonging.name_patterns import name_patterns
from leakaudit.analysis.shortcuts.single_feature import LEVELS, bins, levels, tell_classes


def test_guessing_gains_nothing_however_unequal_the_classes():
    rng = np.random.default_rng(0)
    gains, lows, ones = [], [], []
    for _ in range(200):
        classes = rng.choice(3, 300, p=[0.8, 0.15, 0.05])
        told = tell_classes(rng.integers(0, 16, 300), classes)
        gains.append(told.gain)
        lows.append(told.low)
        ones.append(told.one_low)
        assert told.majority == pytest.approx((classes == 0).sum() / told.n_samples)
    assert np.mean(gains) == pytest.approx(0, abs=0.02)
    assert np.mean(np.array(lows) > 0.1) <= 0.03
    assert np.mean(np.array(lows) > 0.2) <= 0.01
    assert np.mean(np.array(ones) > 0.5) <= 0.01


def test_certainty():
    classes = np.arange(200) % 4
    told = tell_classes(classes, classes)
    assert (told.balanced, told.accuracy, told.gain) == (1, 1, 1)
    assert 0.9 < told.low < 1  # fifty hits of fifty are no certainty
    assert told.n_classes == 4


def test_a_rare_class_is_not_lost_behind_the_majority():
    classes = np.array([1] * 40 + [0] * 960)
    codes = np.where(classes == 1, 0, 1)
    codes[40:80] = 0
    told = tell_classes(codes, classes)
    assert told.gain > 0.9
    assert told.accuracy == pytest.approx(0.96)


def test_one_class_of_many():
    classes = np.repeat(np.arange(10), 50)
    told = tell_classes((classes == 7).astype(np.int64), classes)
    assert told.gain < 0.2
    assert told.one_class == 7
    assert told.one_low > 0.8


def test_unknown_and_tiny_classes_are_left_out():
    classes = np.array([0] * 30 + [1] * 30 + [2] * 3 + [-1] * 40)
    told = tell_classes(np.zeros(103, dtype=np.int64), classes)
    assert (told.n_classes, told.n_samples) == (2, 60)
    assert tell_classes(np.zeros(5, dtype=np.int64), np.zeros(5, dtype=np.int64)) is None


def test_bins_and_levels():
    assert bins(np.array([3.0, 1.0, 3.0])).tolist() == [1, 0, 1]
    assert len(np.unique(bins(np.random.default_rng(0).normal(size=1000)))) == 16
    many = levels(np.array([f"{i % 100}" for i in range(300)] + ["0"]))
    assert many[0] == 0
    assert many.max() == LEVELS


@pytest.mark.parametrize(
    ("uris", "classes", "expected"),
    [
        (["a/IMG_12.JPG", "a/img_7.JPG", "b/DSC9.jpg", "b/dsc11.jpg"], ["x", "y"], {"img_#.JPG", "dsc#.jpg"}),
        (["a/cat.1.jpg", "a/cat.2.jpg", "b/dog.1.jpg", "b/dogs.2.jpg"] * 9, ["cat", "dog"], {"#.jpg"}),
        ([f"{i:032x}.png" for i in range(12, 2000, 97)], ["x", "y"], {"#.png"}),
        ([f"{chr(97 + i % 20) * 4}_{i}.png" for i in range(200)], ["x", "y"], {"other"}),
    ],
)
def test_name_patterns(uris, classes, expected):
    assert set(name_patterns(pa.array(uris), classes)) == expected


def test_spells():
    assert doctest.testmod(names).failed == 0
