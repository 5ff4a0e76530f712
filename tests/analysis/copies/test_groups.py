from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.copies import groups
from leakaudit.analysis.copies.groups import (
    PAIRS_SHOWN,
    equal_codes,
    equal_copies,
    equal_overlap,
    equal_pairs,
    equal_within,
    linked_overlap,
)
from leakaudit.model import Pairs

small_codes = st.lists(st.integers(-1, 6), min_size=0, max_size=40)


def sides(n: int, data) -> tuple[np.ndarray, np.ndarray]:
    side = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), dtype=int)
    return side == 0, side == 1


@given(st.lists(st.binary(min_size=16, max_size=16) | st.just(b"\0" * 16), max_size=30), st.data())
def test_equal_codes_are_equal_digests(digests, data):
    valid = np.array(data.draw(st.lists(st.booleans(), min_size=len(digests), max_size=len(digests))), dtype=bool)
    codes = equal_codes(np.array(digests, dtype="V16"), valid)
    for i in range(len(digests)):
        assert (codes[i] == -1) == (not valid[i])
        for j in range(i):
            if valid[i] and valid[j]:
                assert (codes[i] == codes[j]) == (digests[i] == digests[j])


@given(small_codes, st.data())
def test_equal_overlap_and_pairs_agree_with_brute_force(values, data):
    codes = np.array(values, dtype=np.int64)
    in_a, in_b = sides(len(values), data)
    brute = {
        (i, j) for i in np.flatnonzero(in_a) for j in np.flatnonzero(in_b) if codes[i] >= 0 and codes[i] == codes[j]
    }
    overlap = equal_overlap(codes, in_a, in_b, "val", "train")
    assert overlap.n_pairs == len(brute) == sum(group.n_pairs for group in overlap.groups)
    assert overlap.n_samples == len({i for i, _ in brute})
    assert overlap.n_groups == len({codes[i] for i, _ in brute})
    found = [(i, j) for chunk in equal_pairs(codes, in_a, in_b) for i, j in zip(chunk.a, chunk.b, strict=True)]
    assert sorted(found) == sorted(brute)
    for group in overlap.groups:
        assert {(i, j) for i in group.a for j in group.b} <= brute
        assert set(zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True)) <= brute


@given(small_codes, st.data())
def test_equal_within_counts_extra_copies(values, data):
    codes = np.array(values, dtype=np.int64)
    inside, _ = sides(len(values), data)
    members = defaultdict(list)
    for i in np.flatnonzero(inside & (codes >= 0)):
        members[codes[i]].append(i)
    overlap = equal_within(codes, inside, "train")
    assert overlap.n_samples == sum(len(m) - 1 for m in members.values())
    assert overlap.n_groups == sum(len(m) > 1 for m in members.values())
    assert all(group.b[0] < min(group.a) for group in overlap.groups)


@given(small_codes)
def test_copies_are_the_first_of_each_code_with_every_other(values):
    codes = np.array(values, dtype=np.int64)
    found = [(a, b) for chunk in equal_copies(codes, codes != 3) for a, b in zip(chunk.a, chunk.b, strict=True)]
    first = {}
    for at, code in enumerate(values):
        first.setdefault(code, at)
    wanted = [(first[code], at) for at, code in enumerate(values) if code not in (-1, 3) and first[code] != at]
    assert sorted(found) == sorted(wanted)


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(8, 15)), max_size=20))
def test_linked_groups_are_connected_components(edges):
    ordered = sorted(edges)
    a = np.array([i for i, _ in ordered], dtype=np.int64)
    b = np.array([j for _, j in ordered], dtype=np.int64)
    overlap = linked_overlap(Pairs(a, b, np.linspace(0.5, 1, len(a), dtype=np.float32)), "val", "train")
    components: list[set[int]] = []
    for edge in ordered:
        touched = [component for component in components if component & set(edge)]
        components = [c for c in components if c not in touched] + [set(edge).union(*touched)]
    found = [{*group.a.tolist(), *group.b.tolist()} for group in overlap.groups]
    assert sorted(map(sorted, found)) == sorted(map(sorted, components))
    assert sum(group.n_pairs for group in overlap.groups) == len(ordered) == overlap.n_pairs
    assert overlap.n_samples == len({i for i, _ in ordered})


def test_totals_stay_exact_beyond_the_cap(monkeypatch):
    monkeypatch.setattr(groups, "GROUPS_LISTED", 3)
    codes = np.repeat(np.arange(10), 2)
    in_a = np.arange(20) % 2 == 0
    overlap = equal_overlap(codes, in_a, ~in_a, "val", "train")
    assert (len(overlap.groups), overlap.n_groups, overlap.n_samples, overlap.n_pairs) == (3, 10, 10, 10)


@pytest.mark.parametrize("n", [2, 13, 14, 40])
def test_what_is_shown_of_a_group_is_capped_alike(n):
    codes = np.zeros(n, dtype=np.int64)
    (group,) = equal_within(codes, np.ones(n, dtype=bool), "train").groups
    assert len(group.shown.a) == len(group.shown.b) == len(group.shown.score) == min(n - 1, PAIRS_SHOWN)
    assert (len(group.a), group.n_pairs) == (n - 1, n * (n - 1) // 2)
