"""Classes, quantities and names of samples, told from how often each label occurs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leakaudit.analysis.columns.label_kind import not_classes

SIGNS = (210, 2220, 2250, 1410, 1980, 1860, 420, 1440, 1410, 1470, 2010, 1320, 2100, 2160, 780, 630, 420, 1110, 1200)
SIGNS += (210, 360, 330, 390, 510, 270, 1500, 600, 240, 540, 270, 450, 780, 240, 690, 420, 1200, 390, 210, 2070, 300)
"""Pictures of the first classes of a set of traffic signs, which are numbered."""

PRODUCTS = (10, 40, 50, 60, 1140, 1160, 1180, 1280, 1281, 1300, 1301, 1302, 1320, 1560, 1920, 1940, 2060, 2220, 2280)
PRODUCTS += (2403, 2462, 2522, 2582, 2583, 2585, 2705, 2905)
LONG_TAIL = (500 * 0.95 ** np.arange(100)).astype(int) + 2


def labels(values):
    return {"train": {str(value): n for value, n in Counter(np.asarray(values).tolist()).items()}}


def of(rng, name):
    return {
        "rentals an hour": np.floor(rng.gamma(1.2, 150, 17_000)).astype(int),
        "ages": np.clip(rng.normal(38, 13, 20_000).round(), 17, 90).astype(int),
        "prices": rng.choice(np.arange(1, 400) * 500, 16_000),
        "weights in kilograms": rng.normal(75, 12, 12_000).round().astype(int),
        "differences": rng.normal(0, 12, 700).round().astype(int),
        "heights": rng.normal(1.75, 0.1, 5_000).round(2),
        "1,000 classes": rng.permutation(np.repeat(np.arange(1000), 50)),
        "classes of a long tail, by frequency": np.repeat(np.arange(100), LONG_TAIL),
        "classes of no order": rng.choice(120, 30_000, p=rng.dirichlet(np.ones(120))),
        "traffic signs": np.repeat(np.arange(len(SIGNS)), SIGNS),
        "codes of products": rng.choice(PRODUCTS, 9_000),
        "digits": rng.integers(0, 10, 500),
        "stars": rng.choice([1, 2, 3, 4, 5], 300, p=[0.1, 0.1, 0.2, 0.3, 0.3]),
    }[name]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "name", ["rentals an hour", "ages", "prices", "weights in kilograms", "differences", "heights"]
)
def test_quantities_are_no_classes(name, seed):
    said = not_classes(labels(of(np.random.default_rng(seed), name)))
    assert said is not None
    assert said.startswith("the label is a quantity: ")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "name",
    [
        "1,000 classes",
        "classes of a long tail, by frequency",
        "classes of no order",
        "traffic signs",
        "codes of products",
        "digits",
        "stars",
    ],
)
def test_numbers_of_classes_are_classes(name, seed):
    assert not_classes(labels(of(np.random.default_rng(seed), name))) is None


def test_what_names_samples_is_no_class():
    names = {f"sample {i}": 1 for i in range(50)}
    assert not_classes({"train": names}) == "the label names samples, not classes: 50 distinct values in 50 samples"
    assert not_classes({"train": {"cat": 3, "dog": 2}, "val": {}}) is None
