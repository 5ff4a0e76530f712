import numpy as np
import pytest

from leakaudit.analysis.copies.rows.chance import chance_of_pairs
from leakaudit.analysis.copies.rows.equal import n_equal_pairs
from tables import fingerprint, frame


def explains(train, val):
    rows = fingerprint(frame("train", x=np.asarray(train).tolist()), frame("val", x=np.asarray(val).tolist()))
    n_pairs = n_equal_pairs(rows, "canonical", "val", "train")
    assert n_pairs
    return chance_of_pairs(rows, "canonical", "val", "train", n_pairs).explains


def test_numbers_of_rows_are_never_equal_by_chance():
    ids = np.random.default_rng(0).permutation(10_000).astype(float)
    assert not explains(ids[:8_000], ids[6_000:])


def test_values_that_are_frequent_by_themselves():
    rng = np.random.default_rng(2)
    returns = np.round(np.where(rng.random(7_000) < 0.08, 0, rng.standard_t(3, 7_000)), 6)
    sums = np.round(np.round(rng.lognormal(0, 1, 4_000), 1) / rng.choice([1.037, 1.061, 1.083], 4_000), 6)
    for values in (returns, sums):
        assert explains(values[1_000:], values[:1_000])
    assert not explains(returns[1_000:], np.concatenate([returns[:900], returns[-300:]]))


def test_numbers_of_all_digits_are_not_equal_by_chance():
    rng = np.random.default_rng(4)
    values = rng.normal(size=5_000)
    values[2_500:] = values[rng.integers(0, 2_500, 2_500)]  # repeated before they were split
    values = rng.permutation(values)
    values[rng.choice(5_000, 50, replace=False)] = 0
    assert not explains(values[1_000:], values[:1_000])
    ticks = rng.integers(1, 5, 5_000) / rng.choice([397.0, 401.0, 409.0], 5_000)
    assert explains(ticks[1_000:], ticks[:1_000])


def test_heaped_numbers():
    rng = np.random.default_rng(5)
    for seed in range(5):
        values = np.rint(rng.normal(900, 150, 400))
        values = np.where(rng.random(400) < 0.6, np.rint(values / 50) * 50, values)
        assert explains(values[80:], values[:80]), seed


def test_two_columns_of_numbers_of_which_one_gives_the_grid_of_the_other():
    rng = np.random.default_rng(6)
    year = rng.integers(0, 3, 4_000)
    wage = np.round(
        np.maximum(np.rint(rng.lognormal(2.5, 0.5, 4_000) * 2) / 2, 1) * np.array([1, 1.117, 1.259])[year], 4
    )
    train, val = (frame(name, year=year[at].tolist(), wage=wage[at].tolist()) for name, at in PARTS)
    rows = fingerprint(train, val)
    n_pairs = n_equal_pairs(rows, "canonical", "val", "train")
    assert chance_of_pairs(rows, "canonical", "val", "train", n_pairs).explains


def test_a_column_of_a_handful_of_values_beside_a_column_of_numbers():
    rng = np.random.default_rng(7)
    for _ in range(10):
        temperature, day = np.round(rng.normal(37.5, 0.4, 100), 2).tolist(), np.sort(rng.integers(0, 2, 100)).tolist()
        train, val = frame("train", d=day[20:], t=temperature[20:]), frame("val", d=day[:20], t=temperature[:20])
        rows = fingerprint(train, val)
        n_pairs = n_equal_pairs(rows, "canonical", "val", "train")
        assert chance_of_pairs(rows, "canonical", "val", "train", n_pairs).explains


def test_one_copied_number_of_a_row_is_a_copy():
    rng = np.random.default_rng(8)
    for label in ([0] * 200, rng.integers(0, 5, 200).tolist(), [i * i % 97 for i in range(200)]):
        val = {"x": [*range(150, 200), 3], "y": [*label[150:], label[3]]}
        rows = fingerprint(frame("train", x=list(range(150)), y=label[:150]), frame("val", **val), label="y")
        assert not chance_of_pairs(rows, "canonical", "val", "train", 1).explains


PARTS = (("train", slice(800, None)), ("val", slice(800)))


def test_few_rounded_numbers():
    rng = np.random.default_rng(3)
    found = [explains(x[20:], x[:20]) for x in np.rint(rng.normal(900, 150, (40, 100))) if len({*x[:20]} & {*x[20:]})]
    assert np.mean(found) > 0.95


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


def of_two_columns(train, val):
    rows = fingerprint(*(frame(name, x=x.tolist(), y=y.tolist()) for name, (x, y) in (("train", train), ("val", val))))
    return chance_of_pairs(rows, "canonical", "val", "train", n_equal_pairs(rows, "canonical", "val", "train"))


def test_a_pair_or_two_of_coarse_measurements_cannot_be_told_from_chance():
    rng = np.random.default_rng(0)
    coarse = np.round(np.cumsum(rng.normal(size=(2, 1_000)), axis=1), 1)
    coarse[1] = np.round(coarse[0] * 2 + rng.normal(0, 5, 1_000), 2)
    at = rng.permutation(1_000)
    apart = at[np.unique(coarse[:, at], axis=1, return_index=True)[1]]  # no two rows alike
    train, val = coarse[:, apart[250:]], coarse[:, apart[:250]]
    two = val.copy()
    two[:, :2] = train[:, :2]
    assert of_two_columns(train, two).unsure
    ten = val.copy()
    ten[:, :10] = train[:, :10]
    found = of_two_columns(train, ten)
    assert not found.unsure
    assert not found.explains


def test_one_row_of_measurements_of_many_digits_is_a_copy():
    rng = np.random.default_rng(1)
    train, val = rng.normal(size=(2, 750)), rng.normal(size=(2, 250))
    val[:, 0] = train[:, 0]
    found = of_two_columns(train, val)
    assert not found.unsure
    assert not found.explains
