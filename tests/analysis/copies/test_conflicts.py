from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.copies import conflicts
from leakaudit.analysis.copies.conflicts import (
    Labelled,
    conflicting_overlap,
    conflicting_within,
    conflicts_within,
    label_counts,
)

members = st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 2)), max_size=15)


def labelled(pairs, start=0):
    codes, labels = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
    return Labelled(np.arange(start, start + len(pairs)), codes, labels)


def conflict(a, b):
    return a[0] == b[0] and a[1] != b[1] and min(a[1], b[1]) >= 0


@given(a=members, b=members)
def test_across_against_brute_force(a, b):
    overlap = conflicting_overlap(labelled(a, 100), labelled(b), "val", "train")
    expected = [(100 + i, j) for (i, x), (j, y) in product(enumerate(a), enumerate(b)) if conflict(x, y)]
    assert overlap.n_pairs == len(expected) == sum(group.n_pairs for group in overlap.groups)
    assert overlap.n_samples == len({i for i, _ in expected})
    assert sorted(i for group in overlap.groups for i in group.a.tolist()) == sorted({i for i, _ in expected})
    assert sorted(j for group in overlap.groups for j in group.b.tolist()) == sorted({j for _, j in expected})
    assert overlap.n_groups == len({a[i - 100][0] for i, _ in expected})
    for group in overlap.groups:
        shown = set(zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True))
        assert shown
        assert shown <= set(expected)


@given(a=members)
def test_within_against_brute_force(a):
    overlap = conflicting_within(labelled(a), "train")
    expected = [(i, j) for (i, x), (j, y) in combinations(enumerate(a), 2) if conflict(x, y)]
    by_code = {code: Counter(label for c, label in a if c == code and label >= 0) for code, _ in a}
    extra = {code: sum(n.values()) - max(n.values()) for code, n in by_code.items() if n}
    assert overlap.n_pairs == len(expected) == sum(group.n_pairs for group in overlap.groups)
    assert overlap.n_samples == sum(extra.values()) == sum(len(group.a) for group in overlap.groups)
    assert overlap.n_groups == sum(n > 0 for n in extra.values())
    for group in overlap.groups:
        shown = {tuple(sorted(pair)) for pair in zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True)}
        assert shown
        assert shown <= set(expected)


def test_totals_are_exact_beyond_the_groups_that_are_listed(monkeypatch):
    monkeypatch.setattr(conflicts, "GROUPS_LISTED", 2)
    a, b = labelled([(i, 0) for i in range(9)]), labelled([(i, 1) for i in range(9)], 9)
    overlap = conflicting_overlap(a, b, "val", "train")
    assert (len(overlap.groups), overlap.n_groups, overlap.n_samples) == (2, 9, 9)
    both = Labelled(*(np.concatenate((getattr(a, name), getattr(b, name))) for name in ("index", "code", "label")))
    inside = conflicting_within(both, "train")
    assert (len(inside.groups), inside.n_groups, inside.n_samples, inside.n_pairs) == (2, 9, 9, 9)


def test_label_counts():
    count = label_counts(labelled([(3, 1), (1, 0), (3, 1), (3, -1)]))
    assert count(3) == {1: 2, -1: 1}
    assert count(2) == {}


@given(a=members)
def test_inside_a_split_there_are_as_many_pairs_as_samples_that_disagree(a):
    overlap = conflicting_within(labelled(a), "train")
    found = [pair for chunk in conflicts_within(labelled(a)) for pair in zip(chunk.a, chunk.b, strict=True)]
    assert len(found) == overlap.n_samples
    kept = {(i, int(group.b[0])) for group in overlap.groups for i in group.a.tolist()}
    assert set(found) == {(min(pair), max(pair)) for pair in kept}
