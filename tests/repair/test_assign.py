"""Which unit goes where: as near to the wish as whole units allow, and never farther than scikit-learn's way."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from leakaudit.repair.assign import assign, distance
from leakaudit.repair.strata import strata_of
from leakaudit.repair.units import Links, ranks, same_value, units_of


def make(seed, n, n_groups, n_classes):
    rng = np.random.default_rng(seed)
    group = np.unique(rng.integers(0, n_groups, n), return_inverse=True)[1]
    of_group = rng.dirichlet(np.ones(n_classes) * 2, size=group.max() + 1)
    y = np.array([rng.choice(n_classes, p=of_group[each]) for each in group])
    counts = np.zeros((group.max() + 1, n_classes))
    np.add.at(counts, (group, y), 1)
    return group, y, counts, counts.sum(axis=1).astype(np.int64)


def rank(n):
    return ranks([str(at) for at in range(n)], 0)


@pytest.mark.parametrize("seed", range(10))
def test_no_farther_from_the_wish_than_stratified_group_k_fold(seed):
    group, y, counts, size = make(seed, 600 + 100 * seed, 30 + 10 * seed, 2 + seed % 5)
    theirs = np.empty(len(size), np.int64)
    for fold, (_, test) in enumerate(StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, group)):
        theirs[np.unique(group[test])] = fold
    ours = assign(size, counts, [0.2] * 5, rank(len(size)))
    mine, other = (distance(each, size, counts, [0.2] * 5) for each in (ours, theirs))
    assert mine.strata < other.strata
    assert mine.size <= other.size + 1e-9


def test_as_good_as_every_assignment_there_is():
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 6, (9, 2)).astype(float)
    size = counts.sum(axis=1).astype(np.int64)
    weight = 1 / np.append(counts.sum(axis=0), size.sum())

    def cost(split):
        return sum(
            float(
                ((np.append(counts[split == at].sum(0), size[split == at].sum()) - share / weight) ** 2 @ weight)
                / share
            )
            for at, share in enumerate((0.7, 0.3))
        )

    best = min(cost(np.array(each)) for each in itertools.product((0, 1), repeat=len(size)))
    assert cost(assign(size, counts, [0.7, 0.3], rank(len(size)))) == pytest.approx(best)


def test_what_is_fixed_stays_and_the_others_make_up_for_it():
    counts = np.ones((100, 1))
    size = np.ones(100, np.int64)
    fixed = np.full(100, -1, np.int64)
    fixed[:40] = 1
    got = assign(size, counts, [0.5, 0.5], rank(100), fixed=fixed)
    assert (got[:40] == 1).all()
    assert np.bincount(got).tolist() == [50, 50]


@given(st.integers(0, 2**31), st.permutations(list(range(40))))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_units_changes_nothing(seed, order):
    _, _, counts, size = make(seed % 7, 120, 40, 3)
    order = np.array(order)[np.array(order) < len(size)]
    names = ranks([str(at) for at in range(len(size))], seed)
    one = assign(size, counts, [0.8, 0.2], names)
    other = assign(size[order], counts[order], [0.8, 0.2], names[order])
    assert (one[order] == other).all()


def test_units_are_connected_components():
    links = [Links("a", np.array([0, 4]), np.array([1, 5])), Links("b", np.array([1]), np.array([2]))]
    units = units_of(7, links)
    assert units.of.tolist() == [0, 0, 0, 1, 2, 2, 3]
    assert units.sizes.tolist() == [3, 1, 2, 1]
    assert units.links == {"a": 2, "b": 1}


def test_samples_of_no_group_are_not_one_group():
    assert len(same_value("group", np.array([-1, -1, 2, -1])).a) == 0


def test_numbers_are_cut_into_bins_and_several_labels_counted_each():
    assert strata_of([f"{value:.2f}" for value in np.random.default_rng(0).normal(size=500)]).kind == "quantity"
    several = strata_of(["cat|dog", "dog", "cat", "dog|cat", "cat", None])
    assert (several.kind, several.names) == ("labels", ("cat", "dog"))
    assert np.bincount(several.stratum).tolist() == [4, 3]
    assert strata_of(["a", "b", "a"]).kind == "class"
    assert strata_of([None, " "]).kind == "none"
    assert strata_of([f"name {at}" for at in range(50)]).kind == "none"
