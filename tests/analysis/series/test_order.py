from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.series.likeness import alike, draw_trials, is_of_the_calendar
from leakaudit.analysis.series.order import interleaving

ROWS = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(-1, 3)), max_size=40)


@given(ROWS)
def test_counts_and_gaps_are_those_of_brute_force(rows):
    times = np.array([time for time, _, _ in rows], dtype=float)
    held = np.array([side for _, side, _ in rows], dtype=bool)
    groups = np.array([group for _, _, group in rows], dtype=np.int64)
    found = interleaving(times, held, groups)
    n_apart = n_inside = n_before = 0
    gaps = []
    for time, side, group in rows:
        if not side or group < 0:
            continue
        reference = [t for t, s, g in rows if g == group and not s]
        if not reference:
            n_apart += 1
            continue
        n_before += time < min(reference)
        n_inside += min(reference) <= time < max(reference)
        gaps.append(min(abs(time - t) for t in reference))
    assert (found.n_apart, found.n_inside, found.n_before) == (n_apart, n_inside, n_before)
    assert sorted(found.nearest.tolist()) == sorted(gaps)
    assert found.n_held_out == sum(side and group >= 0 for _, side, group in rows)


def test_expected_changes_are_those_of_random_assignment():
    rng = np.random.default_rng(0)
    groups, times = np.repeat([0, 1], [30, 50]), rng.random(80)
    held = np.arange(80) % 4 == 0
    shuffles = []
    for _ in range(2000):
        drawn = np.concatenate([rng.permutation(held[:30]), rng.permutation(held[30:])])
        shuffles.append(interleaving(times, drawn, groups).n_changes)
    found = interleaving(times, held, groups)
    assert np.mean(shuffles) == pytest.approx(found.expected_changes, abs=0.3)
    assert np.std(shuffles) == pytest.approx(found.deviation, rel=0.08)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.integers(0, 1)), max_size=40, unique_by=lambda r: r[0]))
def test_rows_between_are_those_of_brute_force(rows):
    times, held, groups = (np.array(column, dtype=kind) for column, kind in zip(
        zip(*rows, strict=True) if rows else ((), (), ()), (float, bool, np.int64), strict=True
    ))  # fmt: skip
    expected = 0
    for group in (0, 1):
        sides = [side for _, side, g in sorted(rows) if g == group]
        expected += sum(sides[i] and not sides[i - 1] and not sides[i + 1] for i in range(1, len(sides) - 1))
    assert interleaving(times, held, groups).n_between == expected


def test_rows_at_the_time_of_a_reference_row_are_not_between():
    assert interleaving(np.array([0.0, 1.0, 1.0]), np.array([False, True, False])).n_between == 0
    assert interleaving(np.array([0.0, 1.0, 2.0]), np.array([False, True, False])).n_between == 1


@pytest.mark.parametrize(
    ("held", "not_after", "low", "high"),
    [
        (lambda i: i >= 800, 0, 0, 0.01),
        (lambda i: i < 200, 200, 0, 0.01),
        (lambda i: (i >= 400) & (i < 600), 200, 0, 0.02),
        (lambda i: np.random.default_rng(1).random(len(i)) < 0.2, 195, 0.9, 1.1),
    ],
)
def test_patterns(held, not_after, low, high):
    times = np.arange(1000.0)
    found = interleaving(times, held(times))
    assert found.n_not_after == pytest.approx(not_after, abs=15 if high > 1 else 0)
    assert low <= found.share_of_random <= high
    assert found.step == 1
    assert found.regular == 1


def test_the_order_in_which_rows_stand_says_nothing_where_times_are_equal():
    days, held = np.repeat(np.arange(30.0), 40), np.tile(np.arange(40) >= 32, 30)  # val after train within each day
    assert interleaving(days, held).share_of_random > 0.8


def test_a_series_is_alike_and_independent_rows_are_not():
    rng = np.random.default_rng(0)
    times, held = np.arange(2000.0), rng.random(2000) < 0.2
    trials = draw_trials(times, held)
    assert not held[np.concatenate([trials.near, trials.far])].any()
    assert (np.abs(times[trials.near] - times[trials.anchor]) < np.abs(times[trials.far] - times[trials.anchor])).all()

    def share(values):
        return alike(*(np.abs(values[trials.anchor] - values[other]) for other in (trials.near, trials.far)))

    walk, noise = np.cumsum(rng.normal(size=2000)), rng.normal(size=2000)
    assert share(walk).share > 0.8
    assert share(walk).p_value < 1e-9
    assert share(noise + times / 500).share < 0.55
    assert share(np.zeros(2000)).share == 0.5


def test_p_values_are_uniform_or_larger_without_dependence():
    below = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        held, values = rng.random(400) < 0.25, rng.normal(size=400)
        trials = draw_trials(rng.integers(0, 60, 400).astype(float), held)
        below += alike(*(np.abs(values[trials.anchor] - values[o]) for o in (trials.near, trials.far))).p_value < 0.05
    assert below <= 32  # 20 expected, 99.5 % quantile


def test_columns_that_follow_from_the_time_stamp():
    hours = np.arange(0, 400 * 3600, 3600.0)
    noise = np.random.default_rng(0).normal(size=400)
    assert is_of_the_calendar(hours, np.mod(hours // 3600, 24))
    assert is_of_the_calendar(hours, np.mod(hours // 86_400, 7))
    assert is_of_the_calendar(hours, 5 + hours / 2 + noise)
    assert not is_of_the_calendar(hours, noise)
    assert not is_of_the_calendar(hours, np.cumsum(noise) + 10 * np.sin(hours / 9e4))


def test_same_times_are_counted_beside_what_chance_would_share():
    held = np.array([False] * 6 + [True] * 4)
    found = interleaving(np.array([1, 2, 3, 4, 5, 6, 5, 6, 7, 8], dtype=float), held)
    assert (found.n_same, found.n_same_by_chance, found.repeated) == (2, 0.0, 0.0)
    groups = np.array([0] * 6 + [1] * 4)
    assert interleaving(np.array([1, 2, 3, 4, 5, 6, 5, 6, 7, 8], dtype=float), held, groups).n_same == 0
    days = np.random.default_rng(0).integers(0, 400, 2000).astype(float)
    side = np.random.default_rng(1).random(2000) < 0.3
    counts = [np.bincount(days[at].astype(int), minlength=400) for at in (side, ~side)]
    found = interleaving(days, side)
    assert found.n_same == counts[0][counts[1] > 0].sum()
    assert found.repeated > 0.9
    assert found.n_same_by_chance == pytest.approx((counts[0] * counts[1]).sum(), rel=0.05)
