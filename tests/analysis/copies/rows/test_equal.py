from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.analysis.copies.rows import equal as equal_rows
from leakaudit.analysis.copies.rows.equal import (
    n_shared,
    row_overlap,
    row_overlap_within,
    row_pairs,
    row_pairs_within,
    shared_rows,
)
from tables import fingerprint, frame

words = st.lists(st.sampled_from("abcde"), max_size=12)


def pairs_of(chunks):
    return [(int(a), int(b)) for chunk in chunks for a, b in zip(chunk.a, chunk.b, strict=True)]


@settings(max_examples=40, deadline=None)
@given(train=words, val=words)
def test_against_brute_force(train, val):
    train, val = [*train, "only in train"], [*val, "only in val"]
    rows = fingerprint(frame("train", x=train), frame("val", x=val))
    at = len(train)
    expected = [(at + i, j) for (i, a), (j, b) in product(enumerate(val), enumerate(train)) if a == b]
    overlap = row_overlap(rows, "canonical", "val", "train")
    assert pairs_of(row_pairs(rows, "canonical", "val", "train")) == sorted(expected)
    assert overlap.n_pairs == len(expected) == sum(group.n_pairs for group in overlap.groups)
    assert overlap.n_samples == len({a for a, _ in expected}) == n_shared(rows, "canonical", "val", "train")
    assert shared_rows(rows, "canonical", "val", "train").tolist() == sorted({a for a, _ in expected})
    assert overlap.n_groups == len({*train} & {*val}) == len(overlap.groups)
    sizes = [len(group.a) + len(group.b) for group in overlap.groups]
    assert sizes == sorted(sizes, reverse=True)
    for group in overlap.groups:
        shown = set(zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True))
        assert shown <= {(a, b) for a, b in expected if a in group.a}
        assert len(shown) == min(3, group.n_pairs)


@settings(max_examples=40, deadline=None)
@given(train=words)
def test_within_against_brute_force(train):
    train = [*train, "alone"]
    rows = fingerprint(frame("train", x=train), frame("val", x=["a", "a"]))
    expected = [(i, j) for (i, a), (j, b) in combinations(enumerate(train), 2) if a == b]
    overlap = row_overlap_within(rows, "canonical", "train")
    assert pairs_of(row_pairs_within(rows, "canonical", "train")) == expected
    assert overlap.n_pairs == len(expected)
    assert overlap.n_samples == len(train) - len({*train})
    assert all(int(group.b[0]) < int(group.a.min()) for group in overlap.groups)


def test_totals_are_exact_beyond_the_groups_that_are_listed(monkeypatch):
    monkeypatch.setattr(equal_rows, "GROUPS_LISTED", 3)
    rows = fingerprint(frame("train", x=list(range(50)) * 2), frame("val", x=[*range(50), 7, 7]))
    overlap = row_overlap(rows, "canonical", "val", "train")
    assert (overlap.n_groups, overlap.n_samples, overlap.n_pairs) == (50, 52, 104)
    assert [len(group.a) for group in overlap.groups] == [3, 1, 1]
    inside = row_overlap_within(rows, "canonical", "train")
    assert (len(inside.groups), inside.n_groups, inside.n_samples) == (3, 50, 50)


def test_floods_come_in_chunks():
    rows = fingerprint(frame("train", x=[1] * 1000), frame("val", x=[1] * 300))
    chunks = list(row_pairs(rows, "canonical", "val", "train"))
    assert sum(map(len, chunks)) == 300_000
    assert max(map(len, chunks)) == 65_536
    assert sum(map(len, row_pairs_within(rows, "canonical", "train"))) == 1000 * 999 // 2


@pytest.mark.parametrize("layer", ["raw", "canonical", "without_label"])
def test_nothing_shared(layer):
    rows = fingerprint(frame("train", x=[1, 2]), frame("val", x=[3]))
    overlap = row_overlap(rows, layer, "val", "train")
    assert (overlap.groups, overlap.n_groups, overlap.n_samples, overlap.n_pairs) == ((), 0, 0, 0)
    assert row_overlap_within(rows, layer, "train").n_groups == 0
    assert pairs_of(row_pairs(rows, layer, "val", "train")) == pairs_of(row_pairs_within(rows, layer, "train")) == []
