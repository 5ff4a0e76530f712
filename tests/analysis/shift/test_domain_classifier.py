from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.shift.domain_classifier import Input, frequent_codes, tell_splits, thinned


def inputs(*columns):
    return [Input(f"c{i}", column, False) for i, column in enumerate(columns)]


def test_columns_that_differ_only_together():
    random = np.random.default_rng(0)
    first = np.arange(800) < 200
    a, b, c = random.normal(size=(3, 800))
    b = np.where(first, np.sign(a) * np.abs(b), b)
    told = tell_splits(inputs(a, b, c), first, smallest=0.6)
    assert told.low > 0.6
    assert told.p_value < 1e-4
    assert {name for name, _ in told.parts[:2]} == {"c0", "c1"}
    assert tell_splits(inputs(a, b, c), first, smallest=0.6) == told


def test_random_splits_are_not_told_apart():
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(20):
        columns = random.normal(size=(5, 300))
        told = tell_splits(inputs(*columns), np.arange(300) < 60)
        alarms += told.p_value < 0.05
        assert not told.parts
    assert alarms <= 4


def test_copies_across_and_within_splits_tell_nothing():
    random = np.random.default_rng(2)
    some = random.normal(size=(4, 150))
    columns = np.concatenate([some, some[:, :60], some[:, 60:120], some[:, 60:120]], axis=1)
    first = np.arange(columns.shape[1]) >= 150
    assert 0.35 < tell_splits(inputs(*columns), first).area < 0.65


def test_a_shift_of_classes_tells_nothing():
    random = np.random.default_rng(3)
    first = np.arange(1000) < 300
    classes = (random.random(1000) < np.where(first, 0.8, 0.3)).astype(np.int64)
    columns = random.normal(size=(3, 1000)) + 2 * classes
    assert tell_splits(inputs(*columns), first).low > 0.6
    assert tell_splits(inputs(*columns), first, strata=classes).p_value > 0.01


def test_groups_count_once_and_too_few_say_nothing():
    random = np.random.default_rng(4)
    groups = np.repeat(np.arange(80), 10)
    columns = random.normal(size=(6, 80))[:, groups] + 0.1 * random.normal(size=(6, 800))
    first = groups < 25
    assert tell_splits(inputs(*columns), first, groups=groups).p_value > 0.01
    assert tell_splits(inputs(*columns), groups < 10, groups=groups) is None


def test_categories_and_missing_values():
    random = np.random.default_rng(5)
    first = np.arange(600) < 200
    kind = random.integers(0, 100, 600)
    codes = frequent_codes(np.where(kind < 5, -1, kind))
    assert np.isnan(codes[kind < 5]).all()
    assert np.nanmax(codes) == 62
    missing = np.where(first & (random.random(600) < 0.6), np.nan, random.normal(size=600))
    told = tell_splits([Input("kind", codes, True), Input("x", missing, False)], first, smallest=0.6)
    assert told.parts[0][0] == "x"
    assert tell_splits([Input("same", np.ones(600), False)], first) is None


def test_thinning():
    first = np.arange(50_000) < 100
    at = thinned(first, 10_000)
    assert first[at].sum() == 100
    assert len(at) == 2_100
    assert (np.diff(at) > 0).all()
    assert len(thinned(np.arange(50_000) < 25_000, 10_000)) == 20_000


@pytest.mark.parametrize("empty", [[], [Input("gone", np.full(100, np.nan), False)]])
def test_nothing_varies(empty):
    assert tell_splits(empty, np.arange(100) < 50) is None
