import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.probe.folds import assign_folds, rows_to_train_on, strata_of


@given(st.lists(st.integers(0, 12), min_size=2, max_size=80), st.integers(2, 10), st.integers(0, 5))
def test_groups_stay_together_and_every_sample_has_a_fold(groups, n_folds, seed):
    groups = np.array(groups, dtype=np.int64)
    fold = assign_folds(groups, np.zeros(len(groups), dtype=np.int64), n_folds, seed)
    assert fold.shape == groups.shape
    assert fold.min() >= 0
    assert fold.max() < n_folds
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1


@given(st.integers(10, 200), st.integers(2, 10), st.integers(1, 5), st.integers(0, 5))
def test_single_samples_are_dealt_evenly_over_folds_and_classes(n, n_folds, n_classes, seed):
    classes = np.arange(n) % n_classes
    fold = assign_folds(np.arange(n), classes, n_folds, seed)
    sizes = np.bincount(fold, minlength=n_folds)
    assert sizes.max() - sizes.min() <= 1
    for code in range(n_classes):
        counts = np.bincount(fold[classes == code], minlength=n_folds)
        assert counts.max() - counts.min() <= 2


def test_a_large_group_leaves_the_other_folds_to_the_rest():
    groups = np.concatenate([np.zeros(40, dtype=np.int64), np.arange(1, 61)])
    sizes = np.bincount(assign_folds(groups, np.zeros(100, dtype=np.int64), 4, 0))
    assert sorted(sizes.tolist()) == [20, 20, 20, 40]


def test_folds_differ_from_repeat_to_repeat_and_not_from_run_to_run():
    groups, strata = np.arange(50), np.zeros(50, dtype=np.int64)
    first, again, other = (assign_folds(groups, strata, 5, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_fold_models_get_no_more_rows_than_full_models():
    fold = np.arange(100) % 5
    rows = rows_to_train_on(fold, 2, 60, seed=0)
    assert len(rows) == len(np.unique(rows)) == 60
    assert not (fold[rows] == 2).any()
    assert len(rows_to_train_on(fold, 2, 90, seed=0)) == 80


def test_a_quantity_is_stratified_by_bins():
    values = np.random.default_rng(0).normal(size=500)
    strata = strata_of(np.full(500, -1), values)
    assert np.bincount(strata) == pytest.approx(50, abs=1)
    assert (strata_of(np.arange(3), values[:3]) == np.arange(3)).all()
