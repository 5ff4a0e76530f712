from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.columns.profiles import profile_columns
from leakaudit.analysis.series.axes import declared_axis, inferred_axes
from tables import dataset, fingerprint, frame

N = 60
RNG = np.random.default_rng(0)
DAYS = (np.datetime64("2024-01-01") + np.arange(N)).astype(str)


def rows_of(**columns):
    half = N // 2
    return (
        frame("train", **{name: pa.array(values[:half]) for name, values in columns.items()}),
        frame("val", **{name: pa.array(values[half:]) for name, values in columns.items()}),
    )


def axes(**columns):
    files = rows_of(x=RNG.normal(size=N), **columns)
    return inferred_axes(fingerprint(*files), dataset(*files).columns)


@pytest.mark.parametrize(
    "column",
    [
        {"year_built": RNG.integers(1900, 2020, N)},
        {"year": RNG.integers(1990, 2020, N)},
        {"month": RNG.integers(1, 13, N), "day": RNG.integers(1, 29, N)},
        {"phone": RNG.integers(10**9, 2 * 10**9, N)},
        {"id": np.arange(N) + 10**7},
        {"birth_date": DAYS},
        {"dob": DAYS},
        {"version": [f"1.{i}.3" for i in range(N)]},
        {"opens": [f"{8 + i % 9}:30" for i in range(N)]},
        {"code": RNG.integers(10**7, 10**8, N)},
        {"note": [f"seen on {day}" for day in DAYS]},
    ],
)
def test_columns_that_are_no_time_axis(column):
    assert axes(**column) == []


def test_what_an_axis_is_made_of_is_said():
    (axis,) = axes(year=[2024] * N, month=["Jan"] * 31 + ["Feb"] * 29, day=[*range(1, 32), *range(1, 30)])
    assert axis.said == "columns 'year', 'month' and 'day'"
    assert axis.show(float(axis.values[-1])) == "2024-02-29"
    (axis,) = axes(when=[f"{day} 08:15" for day in DAYS[:-1]] + ["later"])
    assert axis.said == "column 'when' (dates as year, month, day, 1 values left out)"
    assert np.isnan(axis.values[-1])
    assert axis.to_the_minute


def test_declared_axes_are_taken_as_they_are():
    files = rows_of(year=RNG.integers(1990, 2020, N), stamp=[20240101 + i % 28 for i in range(N)])
    rows = fingerprint(*files)
    assert not declared_axis(rows, "year").calendar
    assert declared_axis(rows, "stamp").calendar


def test_texts_that_are_dates_have_the_role_of_a_time():
    files = rows_of(day=DAYS, word=[f"w{i % 5}" for i in range(N)], clock=[f"{i % 24}:00" for i in range(N)])
    roles = {column.name: column.role for column in profile_columns(fingerprint(*files), dataset(*files).columns)}
    assert roles == {"day": "time", "word": "category", "clock": "category"}
