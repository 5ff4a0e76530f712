from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.fitted.synthesis import copies_by_class, rows_between
from tables import fingerprint, frame


def smote(known, n, rng):
    near = np.argsort(((known[:, None] - known[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    first = rng.integers(len(known), size=n)
    second = near[first, rng.integers(5, size=n)]
    return known[first] + rng.random((n, 1)) * (known[second] - known[first])


def oversampled(seed, d=6, n=60, n_new=180):
    rng = np.random.default_rng(seed)
    known = rng.normal(0, 1, (n, d)) * np.arange(1, d + 1) + 10
    points = np.concatenate([known, smote(known, n_new, rng)])
    return points, np.arange(len(points)) >= n, rng.random(len(points)) < 0.2


WRITTEN = {
    "double": lambda x: x,
    "float32": lambda x: x.astype(np.float32).astype(np.float64),
    "scaled": lambda x: (x - x.mean(axis=0)) / x.std(axis=0),
    "4 decimals": lambda x: np.round(x, 4),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_mixtures_are_found_and_originals_are_not(written):
    points, is_new, held_out = oversampled(1)
    found = rows_between(WRITTEN[written](points), ~held_out, np.flatnonzero(held_out))
    new = np.flatnonzero(is_new & held_out)
    assert np.isin(found.middle, new).mean() > 0.9
    assert len(np.intersect1d(found.middle, new)) > 0.85 * len(new)
    assert (~held_out)[found.first].all()
    ends = points[found.first], points[found.second]
    made = ends[0] + found.share[:, None] * (ends[1] - ends[0])
    assert np.allclose(made, points[found.middle], atol=1e-3)
    assert ((found.share > 0) & (found.share < 1)).all()


def test_mixtures_in_train_only_are_none():
    points, is_new, _ = oversampled(2)
    held_out = ~is_new & (np.arange(len(points)) % 5 == 0)
    train = np.concatenate(
        [points[~is_new & ~held_out], smote(points[~is_new & ~held_out], 150, np.random.default_rng(3))]
    )
    whole = np.concatenate([train, points[held_out]])
    in_train = np.arange(len(whole)) < len(train)
    assert len(rows_between(whole, in_train, np.flatnonzero(~in_train))) == 0


@pytest.mark.parametrize(
    "points",
    [
        np.random.default_rng(0).normal(0, 1, (300, 1)),
        np.random.default_rng(0).normal(0, 1, (300, 1)) * [1.0, 2.0, -3.0],
        np.random.default_rng(0).integers(0, 4, (300, 5)).astype(float),
        np.random.default_rng(0).integers(0, 100, (300, 3)).astype(float),
        np.round(np.random.default_rng(0).normal(0, 1, (300, 3)), 1),
        np.zeros((300, 4)),
        np.repeat(np.random.default_rng(0).normal(0, 1, (60, 4)), 5, axis=0),
    ],
    ids=["one column", "one direction", "coarse", "counts", "one decimal", "constant", "copies"],
)
def test_where_everything_lies_on_lines_nothing_is_told(points):
    in_reference = np.arange(300) >= 60
    assert len(rows_between(points, in_reference, np.arange(60))) == 0


def test_too_few_rows():
    assert len(rows_between(np.zeros((2, 3)), np.array([True, False]), np.array([1]))) == 0
    assert len(rows_between(np.zeros((0, 3)), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))) == 0


def test_copies_by_class():
    rows = fingerprint(
        frame("train", x=[1, 2, 3, 3, 3, 4], y=["a", "a", "b", "b", "b", "b"]),
        frame("val", x=[3, 3, 9, 1], y=["b", "b", "b", "b"]),
        label="y",
    )
    copies = copies_by_class(rows, "val", "train")
    assert (copies["a"].n, copies["a"].n_distinct, copies["a"].n_held_out, copies["a"].share) == (2, 2, 0, 0.0)
    assert (copies["b"].n, copies["b"].n_distinct, copies["b"].n_copied, copies["b"].share) == (8, 4, 2, 0.5)
