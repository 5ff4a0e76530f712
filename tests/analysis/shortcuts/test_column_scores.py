from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.shortcuts.column_scores import (
    Rows,
    against_rest,
    category_codes,
    number_codes,
    score_codes,
    score_model,
    score_numbers,
)

RANDOM = np.random.default_rng(0)


def rows(classes=None, values=None, groups=None, z=1.96):
    return Rows(classes, values, groups, z)


def test_a_threshold_is_found_wherever_it_lies():
    x = RANDOM.normal(size=700)
    for threshold in (-1.03, 0.0, 0.777):
        score = score_numbers(x, rows((x > threshold).astype(np.int64)))
        assert score.gain > 0.97
    assert score_numbers(x, rows(RANDOM.integers(0, 2, 700))).low < 0.05


def test_more_classes_than_bins():
    classes = RANDOM.integers(0, 60, 6000)
    assert score_numbers(classes + 0.0, rows(classes)).gain == 1
    assert score_codes(category_codes(classes, 60), rows(classes)).gain == 1


def test_quantities_by_ranks():
    x = RANDOM.normal(size=500)
    assert score_numbers(x, rows(values=np.exp(3 * x))).gain > 0.999
    noisy = score_numbers(x, rows(values=x + RANDOM.normal(size=500)))
    assert 0.3 < noisy.low < noisy.gain < noisy.high < 0.6
    assert score_numbers(x, rows(values=RANDOM.normal(size=500))).gain < 0.02


def test_missing_values_are_a_value():
    classes = RANDOM.integers(0, 2, 400)
    x = np.where(classes == 1, np.nan, RANDOM.normal(size=400))
    assert score_numbers(x, rows(classes)).gain == 1
    coarse, fine = number_codes(np.full(5, np.nan))
    assert coarse.tolist() == fine.tolist() == [1] * 5


def test_infinite_values_are_read():
    classes = np.repeat([0, 1], 100)
    x = np.where(classes == 1, np.inf, RANDOM.normal(size=200))
    assert score_numbers(x, rows(classes)).gain == 1
    assert score_numbers(x, rows(values=classes + RANDOM.random(200))) is not None


def test_groups_cannot_be_learnt_by_heart():
    groups = np.repeat(np.arange(40), 25)
    age = RANDOM.permutation(40)[groups] + 0.0
    classes = RANDOM.integers(0, 2, 40)[groups]
    assert score_numbers(age, rows(classes)).gain > 0.9
    assert score_numbers(age, rows(classes, groups=groups)).low < 0.2
    values = RANDOM.normal(size=40)[groups]
    assert score_numbers(age, rows(values=values)).gain > 0.9
    assert score_numbers(age, rows(values=values, groups=groups)).low < 0.2


def test_the_model_uses_columns_together_and_guesses_without_any():
    a, b = RANDOM.normal(size=(2, 800))
    classes = ((a > 0) ^ (b > 0)).astype(np.int64)
    assert score_numbers(a, rows(classes)).gain < 0.3
    assert score_model([a, b], rows(classes)).gain > 0.8
    assert score_model([], rows(classes)).gain == 0
    assert score_model([a, b], rows(values=a * b)).gain > 0.7
    assert score_model([np.where(a > 1, np.nan, a), np.full(800, 3.0)], rows(classes)).gain < 0.3


def test_copies_of_rows_are_not_recognised():
    noise = RANDOM.normal(size=(300, 4))
    classes = np.repeat(RANDOM.integers(0, 2, 300), 3)
    columns = [np.repeat(noise[:, i], 3) for i in range(4)]
    assert score_model(columns, rows(classes)).gain < 0.2


def test_one_class_of_several():
    classes = RANDOM.integers(0, 5, 1000)
    mark = (classes == 3).astype(np.int64)
    score = score_codes(mark, rows(classes))
    assert (score.one_class, score.one_gain) == (3, 1)
    assert score.gain < 0.5
    assert score_codes(mark, against_rest(rows(classes), 3)).gain == 1


@pytest.mark.parametrize("classes", [np.zeros(50, dtype=np.int64), np.arange(50), np.full(50, -1)])
def test_nothing_to_judge(classes):
    assert score_codes(np.zeros(50, dtype=np.int64), rows(classes)) is None
    assert score_numbers(np.arange(50.0), rows(classes)) is None
