import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.probe.budget import Plan
from leakaudit.probe.duplicates import Relations, components
from leakaudit.probe.pool import draw_pool


def related(n, copies=(), declared=None):
    keys = np.arange(n)
    for a, b in copies:
        keys[a] = keys[b]
    leaked = np.zeros(n, dtype=bool)
    leaked[[a for a, _ in copies]] = True
    return Relations(keys, declared, leaked, {"LA104": len(copies)})


def test_copies_of_drawn_validation_samples_are_kept():
    train, val = np.arange(1_000), np.arange(1_000, 1_200)
    relations = related(1_200, [(1_000 + i, i) for i in range(100)])
    pool = draw_pool(train, val, relations, Plan(200, 50, 2, 2, 5, 1.0))
    assert len(pool) == 250
    assert pool.held_out.sum() == 50
    drawn = pool.indices[pool.held_out]
    assert pool.leaked.sum() == (drawn < 1_100).sum() > 10
    for at in np.flatnonzero(pool.leaked):
        twins = pool.indices[pool.groups == pool.groups[at]]
        assert pool.indices[at] - 1_000 in twins


def test_everything_is_taken_where_the_plan_says_so():
    pool = draw_pool(np.arange(60), np.arange(60, 80), related(80), Plan(60, 20, 3, 3, 4, 1.0))
    assert (pool.indices == np.arange(80)).all()
    assert not pool.leaked.any()
    assert len(np.unique(pool.groups)) == 80


def test_declared_groups_join_samples():
    declared = np.where(np.arange(80) < 70, np.arange(80) % 7, -1)
    relations = related(80, declared=declared)
    pool = draw_pool(np.arange(60), np.arange(60, 80), relations, Plan(60, 20, 3, 3, 4, 1.0))
    assert len(np.unique(pool.groups)) == 7 + 10


@given(
    st.lists(st.integers(-1, 4), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=10),
)
def test_components_are_those_of_a_slow_search(key, pairs):
    n = len(key)
    pairs = [(a, b) for a, b in pairs if a < n and b < n]
    slow = list(range(n))
    linked = pairs + [(i, j) for i in range(n) for j in range(i) if key[i] == key[j] >= 0]
    for _ in range(n):
        for a, b in linked:
            slow[a] = slow[b] = min(slow[a], slow[b])
    a, b = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    found = components(n, [np.array(key)], [(a, b)])
    same = np.array(slow)
    assert ((found[:, None] == found[None]) == (same[:, None] == same[None])).all()
