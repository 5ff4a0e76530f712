from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.copies.texts.rows import document_overlap, equal_documents, members_of, row_pairs_of
from leakaudit.model import Pairs

DOCUMENTS = st.lists(st.integers(-1, 6), max_size=20)


def sides(of_a, of_b):
    document = np.array([*of_a, *of_b], dtype=np.int64)
    a, b = np.arange(len(of_a)), np.arange(len(of_a), len(document))
    return members_of(document, a), members_of(document, b), document


@given(DOCUMENTS, DOCUMENTS)
def test_equal_documents_as_rows(of_a, of_b):
    a, b, document = sides(of_a, of_b)
    overlap = document_overlap(equal_documents(a, b), a, b, "val", "train")
    expected = {(i, len(of_a) + j) for i, x in enumerate(of_a) for j, y in enumerate(of_b) if x == y >= 0}
    found = [
        pair
        for chunk in row_pairs_of(equal_documents(a, b), a, b)
        for pair in zip(chunk.a.tolist(), chunk.b.tolist(), strict=True)
    ]
    assert len(found) == len(expected)
    assert set(found) == expected
    assert overlap.n_pairs == len(expected)
    assert overlap.n_samples == len({i for i, _ in expected}) == sum(len(group.a) for group in overlap.groups)
    assert overlap.n_groups == len({document[i] for i, _ in expected})
    for group in overlap.groups:
        shown = set(zip(group.shown.a.tolist(), group.shown.b.tolist(), strict=True))
        assert shown <= expected
        assert len(shown) == min(3, group.n_pairs)


def test_linked_documents_are_one_group_the_best_pair_first():
    a, b, _ = sides([0, 0, 1, 5], [2, 3, 3, 4])
    pairs = Pairs(np.array([0, 1, 1, 9]), np.array([3, 2, 3, 3]), np.array([0.85, 0.8, 0.95, 1], dtype=np.float32))
    overlap = document_overlap(pairs, a, b, "val", "train")
    (group,) = overlap.groups
    assert (group.a.tolist(), group.b.tolist(), group.n_pairs) == ([0, 1, 2], [4, 5, 6], 7)
    assert group.shown.score.tolist() == sorted(group.shown.score.tolist(), reverse=True)
    assert (group.shown.a[0], group.shown.b[0]) == (2, 5)
    assert overlap.n_samples == 3
