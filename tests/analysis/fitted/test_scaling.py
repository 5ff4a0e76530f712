from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.fitted.rows_seen import fit_sets
from leakaudit.analysis.fitted.scaling import may_be_scaled, scaling_of

SETS = fit_sets(("train", "val"))
WRITTEN = {
    "double": lambda x: x,
    "float32": lambda x: x.astype(np.float32).astype("U").astype(np.float64),
    "6 decimals": lambda x: np.array([float(f"{v:.6f}") for v in x]),
    "4 decimals": lambda x: np.array([float(f"{v:.4f}") for v in x]),
    "%.6g": lambda x: np.array([float(f"{v:.6g}") for v in x]),
}
SCALERS = {
    "standard": lambda x, f: (x - f.mean()) / f.std(),
    "ddof 1": lambda x, f: (x - f.mean()) / f.std(ddof=1),
    "robust": lambda x, f: (x - np.median(f)) / np.subtract(*np.quantile(f, [0.75, 0.25])),
    "min-max to [0, 1]": lambda x, f: (x - f.min()) / np.ptp(f),
    "min-max to [-1, 1]": lambda x, f: 2 * (x - f.min()) / np.ptp(f) - 1,
    "max-abs": lambda x, f: x / np.abs(f).max(),
}


def column(seed, n_val=200):
    """A column whose extremes are in val, and the codes of the splits."""
    x = np.random.default_rng(seed).normal(50, 9, 5 * n_val)
    codes = np.zeros(len(x), dtype=np.int64)
    codes[:n_val] = 1
    x[0], x[1] = x.min() - 1.3, x.max() + 1.7
    return x, codes


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("n_val", [50, 200, 1000])
def test_pooled_and_train_only(scaler, written, n_val):
    x, codes = column(1, n_val)
    for seen, verdict in ((codes >= 0, "fitted on both"), (codes == 0, "fitted on train only")):
        scaled = WRITTEN[written](SCALERS[scaler](x, x[seen]))
        assert may_be_scaled(scaled, codes) or verdict == "fitted on train only"
        found = scaling_of(scaled, codes, SETS)
        assert found.verdict == verdict
        assert found.scaler.startswith(scaler.replace("ddof 1", "standard"))
        if verdict == "fitted on both":
            assert found.p_value < (0.02 if scaler == "max-abs" else 1e-3)
            assert found.strong == (scaler != "max-abs")


def test_in_each_split_by_itself():
    x, codes = column(2)
    for code in (0, 1):
        inside = codes == code
        x[inside] = (x[inside] - x[inside].mean()) / x[inside].std()
    assert scaling_of(x, codes, SETS).verdict == "fitted on each split by itself"


def test_extremes_in_train_cannot_tell():
    x, codes = column(3)
    codes = 1 - codes
    codes[[0, 1]] = 0
    codes[50:] = 0
    found = scaling_of((x - x.min()) / np.ptp(x), codes, SETS)
    assert (found.verdict, found.scaler) == ("cannot tell", "min-max to [0, 1]")


def test_dropped_rows_cannot_tell():
    x, codes = column(4)
    scaled = (x - x.mean()) / x.std()
    found = scaling_of(scaled[50:], codes[50:], SETS)
    assert found.verdict == "cannot tell"


def test_train_and_val_without_test():
    x, codes = column(5)
    codes[400:600] = 2
    seen = codes < 2
    found = scaling_of((x - x[seen].mean()) / x[seen].std(), codes, fit_sets(("train", "val", "test")))
    assert found.fit is not None
    assert found.fit.name == "train + val"


def test_components_are_centred():
    x, codes = column(6)
    found = scaling_of(7.3 * (x - x.mean()), codes, SETS)
    assert (found.scaler, found.verdict) == ("centred", "fitted on both")


def test_a_dummy_variable_that_was_standardised():
    rng = np.random.default_rng(7)
    x, codes = (rng.random(1000) < 0.3).astype(float), (rng.random(1000) < 0.2).astype(np.int64)
    found = scaling_of((x - x.mean()) / x.std(), codes, SETS)
    assert (found.scaler, found.verdict) == ("standard", "fitted on both")


def test_missing_values_are_left_out():
    x, codes = column(8)
    x[::9] = np.nan
    x[4::9] = np.inf
    known = x[np.isfinite(x)]
    assert scaling_of((x - known.mean()) / known.std(), codes, SETS).verdict == "fitted on both"


NATURAL = {
    "balanced ±1": lambda rng, n: rng.permutation(np.resize([-1.0, 1.0], n)),
    "0 and 1": lambda rng, n: (rng.random(n) < 0.5).astype(float),
    "rounded share": lambda rng, n: np.round(rng.random(n), 2),
    "rates": lambda rng, n: rng.binomial(7, 0.4, n) / 7,
    "cycle": lambda rng, n: np.sin(2 * np.pi * rng.integers(0, 1440, n) / 1440),
    "standard normal": lambda rng, n: rng.normal(0, 1, n),
    "normal, 2 decimals": lambda rng, n: np.round(rng.normal(0, 1, n), 2),
    "counts": lambda rng, n: rng.poisson(1, n).astype(float),
    "small integers": lambda rng, n: rng.integers(-1, 2, n).astype(float),
    "hours of whole days": lambda rng, n: rng.permutation(np.resize(np.sin(2 * np.pi * np.arange(10) / 10 + 0.1), n)),
    "weekdays of whole weeks": lambda rng, n: rng.permutation(np.resize(np.cos(2 * np.pi * np.arange(5) / 5), n)),
    "a grid": lambda rng, n: rng.permutation(np.linspace(-1, 1, n)),
    "arcsine": lambda rng, n: rng.beta(0.5, 0.5, n),
    "saturated": lambda rng, n: np.clip(rng.normal(0.5, 0.4, n), 0, 1),
    "bytes / 255": lambda rng, n: rng.integers(0, 256, n) / 255,
}


@pytest.mark.parametrize("natural", NATURAL)
def test_columns_that_nobody_scaled(natural):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n = (60, 250, 1000)[seed % 3]
        codes = (rng.permutation(n) < n // 5).astype(np.int64)
        found = scaling_of(NATURAL[natural](rng, n), codes, SETS)
        assert found.verdict != "fitted on both" or found.p_value > 1e-3


@given(st.integers(0, 10_000), st.floats(1e-3, 1e3), st.floats(-1e4, 1e4))
def test_the_raw_scale_does_not_matter(seed, spread, mean):
    x, codes = column(seed, 20)
    x = x * spread + mean
    assert scaling_of((x - x.mean()) / x.std(), codes, SETS).verdict == "fitted on both"


@pytest.mark.parametrize("x", [[1.0] * 50, [np.nan] * 50, [0.0, 1e308] * 25, [1.0, 2.0]])
def test_nothing_to_judge(x):
    x = np.array(x)
    codes = np.arange(len(x)) % 2
    with np.errstate(over="ignore", invalid="ignore"):
        assert scaling_of(x, codes, SETS).verdict != "fitted on both"
    assert may_be_scaled(x, codes) in (True, False)
