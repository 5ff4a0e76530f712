from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.columns.profiles import profile_columns, rows_sampled
from tables import context, fingerprint, frame

N = 400
RNG = np.random.default_rng(0)
CELLS = {
    "id": list(range(N)),
    "key": [f"k{i:04d}" for i in range(N)],
    "text": [f"a sentence with the number {i}" for i in range(N)],
    "colour": RNG.choice(["red", "green"], N).tolist(),
    "size": RNG.normal(size=N).tolist(),
    "yes": (RNG.random(N) < 0.5).tolist(),
    "one": [1] * N,
    "when": pa.array(np.datetime64("2020-01-01") + np.arange(N)),
    "dropped": [0] * N,
    "y": RNG.choice(["p", "q"], N).tolist(),
}
ROLES = {
    "id": "identifier",
    "key": "identifier",
    "text": "prose",
    "colour": "category",
    "size": "number",
    "yes": "category",
    "one": "constant",
    "when": "time",
    "dropped": "ignored",
    "y": "label",
}


@pytest.fixture(scope="module")
def made():
    return context(frame("train", **CELLS), frame("val", **CELLS), label="y", ignore=("dropped",))


def test_roles_come_from_what_columns_hold():
    # One split alone: the other would hold every identifier twice.
    rows = fingerprint(frame("train", **CELLS), label="y", ignore=("dropped",))
    from leakaudit.model import Columns

    profiles = profile_columns(rows, Columns(label="y", ignore=("dropped",)))
    assert {profile.name: profile.role for profile in profiles} == ROLES
    assert all(profile.n == N and not profile.n_missing and profile.why for profile in profiles)


def test_what_the_user_says_comes_first():
    from leakaudit.model import Columns

    rows = fingerprint(frame("train", **CELLS), label="y")
    told = Columns(label="y", group="colour", time="size", id="text")
    roles = {profile.name: profile.role for profile in profile_columns(rows, told)}
    assert (roles["colour"], roles["size"], roles["text"]) == ("group", "time", "identifier")


def test_samples_are_drawn_from_each_split(made):
    indices, splits = rows_sampled(made, 50)
    assert np.bincount(splits).tolist() == [50, 50]
    assert (np.diff(indices) > 0).all()
    assert ((indices >= N) == (splits == 1)).all()
    again, _ = rows_sampled(made, 50)
    assert again is indices
    every, _ = rows_sampled(made)
    assert every.tolist() == list(range(2 * N))
