from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.fitted.imputation import imputation_of, imputation_within, may_be_imputed
from leakaudit.analysis.fitted.rows_seen import fit_sets

SETS = fit_sets(("train", "val"))


def gappy(seed, n_val=200):
    rng = np.random.default_rng(seed)
    n = 5 * n_val
    return rng.normal(50, 9, n), (rng.permutation(n) < n_val).astype(np.int64), rng.random(n) < 0.1, rng


@pytest.mark.parametrize("statistic", ["mean", "median"])
@pytest.mark.parametrize("digits", [None, 4])
@pytest.mark.parametrize("n_val", [50, 200, 1000])
def test_pooled_and_train_only(statistic, digits, n_val):
    x, codes, gap, _ = gappy(n_val + 3, n_val)
    for seen, verdict in ((codes >= 0, "fitted on both"), (codes == 0, "fitted on train only")):
        filled = np.where(gap, getattr(np, statistic)(x[seen & ~gap]), x)
        filled = filled if digits is None else np.round(filled, digits)
        assert may_be_imputed(filled, codes)
        found = imputation_of(filled, codes, SETS)
        assert (found.verdict, found.statistic) == (verdict, statistic)
        assert found.rows.sum() >= gap.sum()
        assert abs(found.pooled - found.reference) > 0
    assert found.p_value < 0.05


@pytest.mark.parametrize("pooled", [True, False])
def test_within_classes(pooled):
    x, codes, gap, rng = gappy(5)
    classes = rng.integers(0, 3, len(x))
    x = x + 20 * classes
    filled = x.copy()
    for each in range(3):
        inside = classes == each
        filled[gap & inside] = x[~gap & inside & (codes <= (1 if pooled else 0))].mean()
    assert imputation_of(filled, codes, SETS) is None
    found = imputation_within(filled, codes, SETS, classes, 3)
    assert found.verdict == ("fitted on both" if pooled else "fitted on train only")
    if pooled:
        assert found.rows.sum() == gap.sum()


def test_integers_are_never_found_by_their_median():
    for seed in range(20):
        x, codes, gap, _ = gappy(seed)
        x = np.rint(x)
        found = imputation_of(np.where(gap, np.median(x[~gap]), x), codes, SETS)
        assert found is None or found.verdict != "fitted on both" or found.p_value > 0.5


def test_the_mean_of_integers_is_found():
    x, codes, gap, _ = gappy(7)
    x = np.rint(x)
    found = imputation_of(np.where(gap, x[~gap].mean(), x), codes, SETS)
    assert (found.verdict, found.statistic) == ("fitted on both", "mean")


NATURAL = {
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.3, 0.0, rng.gamma(2, 3, n)),
    "symmetric about zero": lambda rng, n: np.where(rng.random(n) < 0.1, 0.0, rng.normal(0, 1, n)),
    "sentinel": lambda rng, n: np.where(rng.random(n) < 0.1, 99.0, rng.normal(50, 9, n)),
    "censored": lambda rng, n: np.minimum(rng.normal(50, 9, n), 60.0),
    "round mean": lambda rng, n: np.where(rng.random(n) < 0.1, 50.0, rng.normal(50, 9, n)),
    "no spike": lambda rng, n: rng.normal(50, 9, n),
    "copied value": lambda rng, n: np.where(rng.random(n) < 0.05, rng.normal(50, 9), rng.normal(50, 9, n)),
}


@pytest.mark.parametrize("natural", NATURAL)
def test_spikes_of_other_origin(natural):
    n_found = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        n = (250, 1000)[seed % 2]
        codes = (rng.permutation(n) < n // 5).astype(np.int64)
        found = imputation_of(NATURAL[natural](rng, n), codes, SETS)
        n_found += found is not None and found.verdict == "fitted on both" and found.p_value < 0.01
    assert n_found == 0


def test_scaling_afterwards_changes_nothing():
    x, codes, gap, _ = gappy(9)
    filled = np.where(gap, x[~gap].mean(), x)
    found = imputation_of((filled - 3.7) / 41, codes, SETS)
    assert (found.verdict, found.statistic) == ("fitted on both", "mean")


@pytest.mark.parametrize("x", [[], [np.nan] * 60, [1.0] * 60, [0.0] * 30 + [1e308, np.inf] * 15])
def test_nothing_to_judge(x):
    x = np.array(x, dtype=np.float64)
    codes = np.arange(len(x)) % 2
    assert not may_be_imputed(x, codes)
    assert imputation_of(x, codes, SETS) is None
