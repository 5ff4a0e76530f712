from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.fitted.precision import Precision, measured, precision_of, small_fractions, step_of

VALUES = np.random.default_rng(0).normal(3, 40, 2_000)


@given(st.integers(0, 6), st.integers(0, 10_000))
def test_decimals(k, seed):
    x = np.random.default_rng(seed).normal(0, 10, 400)
    assert precision_of(np.array([float(f"{v:.{k}f}") for v in x])) == Precision("decimals", k)


@pytest.mark.parametrize("s", [4, 6])
def test_significant_digits(s):
    x = np.exp(np.random.default_rng(1).normal(0, 4, 400))
    assert precision_of(np.array([float(f"{v:.{s}g}") for v in x])) == Precision("digits", s)


def test_formats_of_floating_point():
    assert precision_of(VALUES).kind == "double"
    assert precision_of(VALUES.astype(np.float32).astype(np.float64)).kind == "float32"
    assert precision_of(VALUES.astype(np.float32).astype("U").astype(np.float64)).kind == "float32"
    assert precision_of(VALUES.astype(np.float16).astype(np.float64)).kind == "float16"


@pytest.mark.parametrize("x", [[0.0, 0.0], [], [5.0, -3.0]])
def test_whole_numbers(x):
    assert precision_of(np.array(x)) == Precision("decimals", 0)


@given(st.integers(1, 6), st.floats(-1e6, 1e6))
def test_the_error_bounds_the_rounding(k, value):
    rounded = float(f"{value:.{k}f}")
    assert abs(value - rounded) <= Precision("decimals", k).errors(np.array([rounded]))[0] + 1e-10
    rounded = float(f"{value:.{k + 1}g}")
    if abs(value) > 1e-300:
        assert abs(value - rounded) <= Precision("digits", k + 1).errors(np.array([rounded]))[0] * 1.0001


def test_huge_and_tiny_numbers_are_no_trouble():
    assert precision_of(np.array([1e100, -1e99, 3e97])).kind in ("decimals", "digits")
    assert precision_of(np.array([5e-324, 1e-310])).kind in ("digits", "double", "float32")
    assert measured(np.array([1e308, np.nan, -np.inf, 5.0])).tolist() == [False, False, False, True]


def test_step_of_a_scaled_count():
    ages = np.unique(np.random.default_rng(2).integers(18, 91, 500)).astype(np.float64)
    assert step_of((ages - 18) / 72) == pytest.approx(1 / 72)
    assert step_of(np.unique(VALUES)) == 0
    assert step_of(np.array([1.0])) == 0


def test_rates_are_small_fractions():
    assert small_fractions(np.unique(np.arange(8) / 7))
    assert not small_fractions(np.unique(VALUES))
