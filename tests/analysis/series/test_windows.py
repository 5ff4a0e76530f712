from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.series.windows import find_windows, lag_columns, overlapping
from leakaudit.fingerprints.rows.columns import split_codes
from tables import fingerprint, frame


def table(split, windows, name="lag_{}"):
    return frame(split, **{name.format(i): pa.array(column) for i, column in enumerate(windows.T)})


def fingerprinted(train, val, name="lag_{}"):
    rows = fingerprint(table("train", train, name), table("val", val, name))
    return rows, split_codes(rows)


def cut(length, n=600, seed=0, decimals=3):
    series = np.cumsum(np.random.default_rng(seed).normal(size=n)).round(decimals)
    return np.lib.stride_tricks.sliding_window_view(series, length)


def found(rows, splits):
    lags = find_windows(rows, splits)
    return None if lags is None else overlapping(rows, lags, splits == 1, splits == 0)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("stride", [1, 3])
def test_overlaps_of_a_random_split_are_those_of_brute_force(stride, flipped):
    windows = cut(12)[::stride]
    windows = windows[:, ::-1] if flipped else windows
    held = np.random.default_rng(1).random(len(windows)) < 0.3
    rows, splits = fingerprinted(windows[~held], windows[held])
    overlaps = found(rows, splits)
    at, train = np.flatnonzero(held), np.flatnonzero(~held)
    apart = np.abs(at[:, None] - train[None]).min(axis=1) * stride
    assert set(overlaps.held_out - len(train)) == set(np.flatnonzero(apart <= 6))
    assert dict(zip((overlaps.held_out - len(train)).tolist(), overlaps.shift.tolist(), strict=True)) == {
        int(i): int(apart[i]) for i in np.flatnonzero(apart <= 6)
    }


def test_an_embargo_of_one_window_is_clean_and_none_is_not():
    windows = cut(12)
    assert len(found(*fingerprinted(windows[:400], windows[400:]))) == 6
    assert len(found(*fingerprinted(windows[:400], windows[412:]))) == 0


def test_several_quantities_have_to_agree():
    first, second = cut(8), cut(8, seed=1)
    held = np.random.default_rng(1).random(len(first)) < 0.3

    def both(windows, others):
        names = {f"a{i}": pa.array(c) for i, c in enumerate(windows.T)}
        return names | {f"b{i}": pa.array(c) for i, c in enumerate(others.T)}

    def count(others):
        rows = fingerprint(
            frame("train", **both(first[~held], others[~held])), frame("val", **both(first[held], others[held]))
        )
        return found(rows, split_codes(rows))

    assert len(count(second)) > 150
    assert count(np.random.default_rng(5).permutation(second)) is None


@pytest.mark.parametrize(
    "values",
    [
        lambda rng: rng.integers(0, 2, (600, 30)),
        lambda rng: rng.integers(0, 9, (600, 12)) * (rng.random((600, 12)) < 0.1),
        lambda rng: rng.normal(size=(600, 12)),
        lambda rng: np.zeros((600, 12)),
        lambda rng: np.tile(np.arange(12), (600, 1)),
    ],
)
def test_tables_without_windows_are_silent(values):
    made = values(np.random.default_rng(0)).astype(float)
    assert found(*fingerprinted(made[:400], made[400:], "V{}")) is None


def test_lag_columns():
    assert lag_columns(["x(t-3)", "x(t-2)", "x(t-1)"]) is None
    assert lag_columns([f"x(t-{i})" for i in range(9, 0, -1)]).runs[0][0] == "x(t-1)"
    assert lag_columns(["age", "city"]) is None
    assert lag_columns([*(f"q{i}" for i in range(6)), *(f"r{i}" for i in range(10))]).length == 10
