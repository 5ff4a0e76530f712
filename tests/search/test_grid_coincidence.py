import numpy as np
import pytest

from leakaudit.search.coincidence import chance_of_pairs
from leakaudit.search.equal_rows import n_equal_pairs
from leakaudit.search.grid_coincidence import expected_pairs
from tables import fingerprint, frame


def n_equal(a, b):
    values, counts = np.unique(b, return_counts=True)
    at = np.minimum(np.searchsorted(values, a), len(values) - 1)
    return counts[at][values[at] == a].sum()


@pytest.mark.parametrize(
    "rounded", [lambda x: np.round(x, 5), lambda x: np.round(1e4 * x) / 4, lambda x: np.rint(1e5 * x)]
)
def test_rounded_numbers_are_equal_as_often_as_they_are_a_step_apart(rounded):
    rng = np.random.default_rng(0)
    a, b = rounded(rng.normal(size=5_000)), rounded(rng.normal(size=20_000))
    assert expected_pairs(a, b) == pytest.approx(n_equal(a, b), rel=0.15)
    inside = np.unique(b, return_counts=True)[1]
    assert expected_pairs(b, None) == pytest.approx((inside * (inside - 1) / 2).sum(), rel=0.15)


def test_copies_are_not_a_step_apart():
    rng = np.random.default_rng(0)
    b = np.round(rng.normal(size=20_000), 5)
    a = np.concatenate([b[:500], np.round(rng.normal(size=4_500), 5)])
    assert expected_pairs(a, b) < 0.7 * n_equal(a, b)


def test_numbers_of_rows_are_never_equal_by_chance():
    ids = np.random.default_rng(0).permutation(10_000).astype(float)
    assert expected_pairs(ids[:2_000], ids[2_000:]) == 0


@pytest.mark.parametrize(
    "values", [[], [1.0], [np.nan, np.nan], [np.inf, 1.0], [0.1234567890123, 1 / 3], [1e300, -1e300]]
)
def test_numbers_on_no_grid(values):
    assert expected_pairs(np.array(values), np.array(values)) == 0
    assert expected_pairs(np.array(values), None) == 0


@pytest.mark.parametrize(("n_copied", "explained"), [(0, True), (1_000, False)])
def test_a_table_of_one_column(n_copied, explained):
    rng = np.random.default_rng(1)
    train, val = (np.round(rng.normal(size=n), 6) for n in (40_000, 10_000))
    val[:n_copied] = train[:n_copied]
    rows = fingerprint(frame("train", x=train.tolist()), frame("val", x=val.tolist()))
    n_pairs = n_equal_pairs(rows, "canonical", "val", "train")
    assert n_pairs > 50
    assert chance_of_pairs(rows, "canonical", "val", "train", n_pairs).explains is explained


def test_a_column_of_texts_has_no_chance():
    texts = [f"some words about {i}" for i in range(300)]
    rows = fingerprint(frame("train", x=texts), frame("val", x=texts[:40]))
    assert not chance_of_pairs(rows, "canonical", "val", "train", 40).explains
