from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.fitted import target_encoding
from leakaudit.analysis.fitted.rows_seen import fit_sets
from leakaudit.analysis.fitted.target_encoding import encoding_of, equal_values, may_be_encoded

SETS = fit_sets(("train", "val"))
K = 15


@pytest.fixture(autouse=True, params=[30_000, 60], ids=["few rows", "screened"])
def _screened(request, monkeypatch):
    """Whether so many rows are looked at as a whole, or a sample of them first: the answer is the same."""
    monkeypatch.setattr(target_encoding, "SCREENED", request.param)


def encode(how, city, y, seen):
    n, s = (np.bincount(city[seen], weights=w, minlength=K) for w in (np.ones(seen.sum()), y[seen]))
    mean, overall = s / n, y[seen].mean()
    within = np.bincount(city[seen], weights=(y[seen] - mean[city[seen]]) ** 2, minlength=K) / n
    total = y[seen].var()
    if how == "leave-one-out":
        return np.where(seen, (s[city] - y) / (n[city] - 1), mean[city])
    weight = {
        "plain": 1.0,
        "scaled": 1.0,
        "m-estimate": n / (n + 7.5),
        "empirical Bayes": total * n / (total * n + within),
        "sigmoid": 1 / (1 + np.exp(-(n - 40) / 30)),
    }[how]
    values = (weight * mean + (1 - weight) * overall)[city]
    return (values - values.mean()) / values.std() if how == "scaled" else values


def cities(seed, n_val=200, target="classes"):
    rng = np.random.default_rng(seed)
    n = 5 * n_val
    city = rng.choice(K, n, p=rng.dirichlet(np.full(K, 4.0)))
    y = rng.normal(0, 1, K)[city] + rng.normal(0, 1, n)
    y = (y > 0.3).astype(float) if target == "classes" else y
    return city, y, (rng.permutation(n) < n_val).astype(np.int64), rng


@pytest.mark.parametrize("how", ["plain", "m-estimate", "empirical Bayes", "sigmoid", "scaled"])
@pytest.mark.parametrize("target", ["classes", "numbers"])
@pytest.mark.parametrize("digits", [None, 5])
def test_pooled_and_train_only(how, target, digits):
    city, y, codes, _ = cities(3, target=target)
    for seen, verdict in ((codes >= 0, "fitted on both"), (codes == 0, "fitted on train only")):
        x = encode(how, city, y, seen)
        x = x if digits is None else np.round(x, digits)
        assert may_be_encoded(x, codes)
        found = encoding_of(x, codes, y, SETS, city)
        assert found.verdict == verdict
        assert found.log_chance < -6
        assert (found.n_apart > 0) == (verdict == "fitted on both")


def test_the_category_is_not_needed():
    city, y, codes, _ = cities(4)
    found = encoding_of(encode("plain", city, y, codes >= 0), codes, y, SETS)
    assert (found.method, found.verdict) == ("plain", "fitted on both")


@pytest.mark.parametrize("target", ["classes", "numbers"])
def test_leave_one_out(target):
    city, y, codes, _ = cities(5, 600, target)
    for seen, verdict in ((codes >= 0, "fitted on both"), (codes == 0, "fitted on train only")):
        x = encode("leave-one-out", city, y, seen)
        found = encoding_of(x, codes, y, SETS, city)
        assert (found.method, found.verdict) == ("leave-one-out", verdict)


@pytest.mark.parametrize("target", ["classes", "numbers"])
@pytest.mark.parametrize("digits", [None, 4])
def test_leave_one_out_of_some_rows_is_not_screened_out(target, digits):
    city, y, codes, rng = cities(8, 2_000, target)
    x = encode("leave-one-out", city, y, codes >= 0)
    changed = rng.random(len(x)) < 0.03  # fewer than may differ
    x[changed] = rng.random(int(changed.sum()))
    x = x if digits is None else np.round(x, digits)
    found = encoding_of(x, codes, y, SETS, city)
    assert (found.method, found.verdict) == ("leave-one-out", "fitted on both")


def test_a_sample_rules_out_what_is_no_encoding(monkeypatch):
    city, y, codes, rng = cities(9, 2_000)
    monkeypatch.setattr(target_encoding, "SCREENED", 1_000)
    monkeypatch.setattr(target_encoding, "_leave_one_out", None)
    assert encoding_of(np.round(rng.normal(size=len(y)), 1), codes, y, SETS, city) is None


def test_equal_values_are_found_once_for_all_targets():
    city, y, codes, _ = cities(4)
    known = np.arange(len(y)) >= 3
    x = np.where(known, encode("plain", city, y, known), np.nan)
    for target in (y, 1 - y):
        alone, shared = (encoding_of(x, codes, target, SETS, None, equal) for equal in (None, equal_values(x)))
        assert (alone.method, alone.verdict, alone.log_chance) == (shared.method, shared.verdict, shared.log_chance)


def test_leave_one_out_without_the_category():
    city, y, codes, _ = cities(6, 600)
    found = encoding_of(encode("leave-one-out", city, y, codes >= 0), codes, y, SETS)
    assert (found.method, found.verdict) == ("leave-one-out", "fitted on both")


def test_groups_are_the_same_over_all_sets():
    city, y, codes, _ = cities(6, 600)
    x = encode("leave-one-out", city, y, codes >= 0)
    held_out = np.argsort(-x, kind="stable")[:300]  # the largest values are in val only
    codes[:] = 0
    codes[held_out] = 1
    for key in (None, city):
        found = encoding_of(x, codes, y, SETS, key)
        assert len(found.reference.n) == len(found.pooled.n)


def test_cross_fitted_training_rows_are_right():
    city, y, codes, rng = cities(7)
    x = encode("plain", city, y, codes == 0)
    fold = rng.integers(0, 5, len(x))
    for each in range(5):
        inside = (fold == each) & (codes == 0)
        x[inside] = encode("plain", city, y, (codes == 0) & (fold != each))[inside]
    for key in (None, city):
        found = encoding_of(x, codes, y, SETS, key)
        assert found is None or found.verdict != "fitted on both"


NATURAL = {
    "rates": lambda rng, city, y: rng.normal(0.4, 0.1, K)[city],
    "rounded rates": lambda rng, city, y: np.round(rng.normal(0.4, 0.1, K), 1)[city],
    "the target": lambda rng, city, y: y + 0.5,
    "calibrated": lambda rng, city, y: np.round(
        (np.bincount(city, weights=y, minlength=K) / np.maximum(np.bincount(city, minlength=K), 1))[city]
        + rng.normal(0, 0.02, K)[city],
        2,
    ),
    "own mean of something else": lambda rng, city, y: np.bincount(city, weights=rng.random(len(y)), minlength=K)[city],
    "two values": lambda rng, city, y: np.where(y + rng.normal(0, 1, len(y)) > 0.5, 0.25, 0.75),
}


@pytest.mark.parametrize("natural", NATURAL)
def test_columns_of_other_origin(natural):
    for seed in range(40):
        city, y, codes, rng = cities(seed, (50, 200)[seed % 2])
        x = NATURAL[natural](rng, city, y)
        for key in (None, city):
            found = encoding_of(x, codes, y, SETS, key)
            assert found is None or found.verdict != "fitted on both" or found.log_chance > -6


@pytest.mark.parametrize("x", [[], [np.nan] * 60, [0.5] * 60, [0.5, 1e308] * 30, [0.5, 0.25] * 30])
def test_nothing_to_judge(x):
    x = np.array(x, dtype=np.float64)
    codes = (np.arange(len(x)) % 3 == 0).astype(np.int64)
    may_be_encoded(x, codes)
    assert encoding_of(x, codes, np.ones(len(x)), SETS) is None
    found = encoding_of(x, codes, codes.astype(float), SETS)
    assert found is None or found.verdict != "fitted on both"
