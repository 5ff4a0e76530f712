"""The three tests against brute force, and how often they reject where there is nothing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from leakaudit.probe import significance
from leakaudit.probe.null import independent_models, null_of_gain
from leakaudit.probe.significance import (
    Test,
    easy_test,
    gain_in_probability,
    holm,
    known_test,
    leak_test,
    together,
)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_agrees_with_its_definition(p):
    """Step down: the k-th smallest is compared with alpha / (m − k + 1), and all before it must be rejected."""
    adjusted = holm(p)
    for alpha in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[i] * (len(p) - rank) > alpha:
                break
            rejected.add(i)
        assert {i for i, value in enumerate(adjusted) if value <= alpha} == rejected


def test_tests_that_could_not_be_done_do_not_count():
    done = Test("easy", 0.1, 0.05, None, 0.04)
    not_done = Test("leak", reason="too few")
    assert together((done, not_done))[0].p_holm == 0.04
    assert together((done, not_done))[1].p_holm is None
    both = together((done, Test("leak", 0.1, 0.05, 9, 0.03)))
    assert [test.p_holm for test in both] == [0.06, 0.06]
    assert not both[0].significant
    assert both[1].statistic == 2.0


def test_the_detectable_effect_is_found_in_four_of_five_cases():
    (leak,) = together((Test("leak", 0.0, 1.0, 10_000, 0.5),))
    effects = leak.detectable + np.random.default_rng(0).standard_normal(100_000)
    assert (effects > stats.norm.ppf(0.95)).mean() == pytest.approx(0.8, abs=0.01)


def test_the_permutation_test_agrees_with_all_permutations():
    rng = np.random.default_rng(3)
    h, groups, held_out = rng.exponential(size=10), np.arange(10), np.arange(10) < 4
    h[held_out] -= 0.5

    def statistic(chosen):
        a, b = np.delete(h, chosen), h[list(chosen)]
        return (a.mean() - b.mean()) / np.sqrt(a.var() / len(a) + b.var() / len(b))

    observed = abs(statistic((0, 1, 2, 3)))
    exact = np.mean([abs(statistic(c)) >= observed - 1e-12 for c in combinations(range(10), 4)])
    found = easy_test(h, held_out, groups, n_permutations=20_000)
    assert found.p == pytest.approx(exact, abs=0.015)
    assert found.statistic == pytest.approx(statistic((0, 1, 2, 3)))


def test_groups_move_as_a_whole():
    """Sixty copies of each of ten samples are ten samples: no evidence."""
    rng = np.random.default_rng(0)
    ten = rng.exponential(size=10)
    h, groups = np.repeat(ten, 60), np.repeat(np.arange(10), 60)
    held_out = groups < 3
    single = easy_test(ten, np.arange(10) < 3, np.arange(10))
    assert easy_test(h, held_out, groups).p == pytest.approx(single.p, abs=0.05)
    assert easy_test(h, held_out, np.arange(600)).p < 0.01 < single.p


def test_groups_on_both_sides_stay_where_they_are():
    h, held_out = np.arange(8.0), np.arange(8) >= 4
    groups = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    assert "fewer than two" in easy_test(h, held_out, groups).reason
    groups = np.array([0, 1, 2, 3, 0, 4, 5, 6])
    assert 0 < easy_test(h, held_out, groups).p <= 1


def test_losses_that_do_not_vary():
    assert "do not vary" in easy_test(np.ones(50), np.arange(50) < 10, np.arange(50)).reason
    assert easy_test(np.ones(50), np.arange(50) < 10, np.arange(50)).p is None


@pytest.mark.parametrize(("n_train", "n_val"), [(800, 200), (1001, 200), (200, 50)])
def test_false_alarms_of_the_easy_test(n_train, n_val):
    rng = np.random.default_rng(1)
    held_out = np.arange(n_train + n_val) >= n_train
    groups = np.arange(n_train + n_val)
    rejected = [
        easy_test(rng.lognormal(0, 1.5, len(groups)), held_out, groups, n_permutations=199, seed=i).p <= 0.05
        for i in range(300)
    ]
    assert np.mean(rejected) <= 0.085  # 0.05 + 2.8 standard errors


def simulated(rng, seeds, repeats, n=600, n_val=120, folds=5, common=0.05, single=0.4, of_seed=1.0):
    """Losses of exchangeable models, each with a level of its own and chance in each sample.

    `of_seed` is the share of the variance of full models that they do not have in common.
    """
    level = rng.exponential(0.6, n)
    fold = np.stack([rng.permutation(n) % folds for _ in range(repeats)])
    h = level + single * rng.standard_normal((repeats, n))
    h += np.stack([rng.normal(0, common, folds)[row] for row in fold])
    shared = single * rng.standard_normal(n) + rng.normal(0, common)
    own = single * rng.standard_normal((seeds, n)) + rng.normal(0, common, (seeds, 1))
    loss = level + np.sqrt(1 - of_seed) * shared + np.sqrt(of_seed) * own
    return h, loss, fold, np.arange(n) < n_val


@pytest.mark.parametrize(("common", "single"), [(0.05, 0.4), (0.1, 0.05), (0.0, 0.5)])
@pytest.mark.parametrize(("seeds", "repeats"), [(1, 2), (3, 3), (1, 4)])
def test_false_alarms_of_the_leak_test(seeds, repeats, common, single):
    rng = np.random.default_rng(7)
    rejected = []
    for _ in range(300):
        h, loss, fold, held_out = simulated(rng, seeds, repeats, common=common, single=single)
        effect = (h.mean(axis=0) - loss.mean(axis=0))[held_out].mean()
        rejected.append(leak_test(effect, null_of_gain(h, fold, seeds, held_out)).p <= 0.05)
    assert np.mean(rejected) <= 0.085


@pytest.mark.parametrize("of_seed", [1.0, 0.5, 0.05])
def test_full_models_share_their_rows(of_seed):
    rng = np.random.default_rng(7)
    rejected = []
    for _ in range(300):
        h, loss, fold, held_out = simulated(rng, 3, 3, of_seed=of_seed)
        worth = independent_models(loss, h, fold, held_out)
        assert 1 <= worth <= 3 + 1e-9
        effect = (h.mean(axis=0) - loss.mean(axis=0))[held_out].mean()
        rejected.append(leak_test(effect, null_of_gain(h, fold, worth, held_out)).p <= 0.05)
    assert np.mean(rejected) <= 0.085


def test_the_leak_test_needs_two_repeats():
    h, _, fold, held_out = simulated(np.random.default_rng(0), 2, 1)
    assert null_of_gain(h, fold, 2, held_out) is None
    assert leak_test(0.3, None, "once").p is None
    assert "every sample" in leak_test(0.0, null_of_gain(np.ones((2, 600)), np.tile(fold, (2, 1)), 1, held_out)).reason


@given(st.integers(0, 10_000))
def test_known_is_welchs_test_where_nobody_shares_a_group(seed):
    rng = np.random.default_rng(seed)
    gain, leaked = rng.standard_normal(40), np.arange(40) < rng.integers(2, 30)
    found = known_test(gain, leaked, np.arange(40))
    expected = stats.ttest_ind(gain[leaked], gain[~leaked], equal_var=False, alternative="greater")
    assert found.p == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)


def test_known_counts_groups_and_says_why_it_cannot_be_done():
    gain, leaked = np.r_[1.0, 1.1, 0.9, np.zeros(20) + np.arange(20) / 100], np.arange(23) < 3
    assert known_test(gain, leaked, np.arange(23)).p < 0.01
    assert "two independent" in known_test(gain, leaked, np.r_[0, 0, 0, np.arange(1, 21)]).reason
    assert "no validation sample" in known_test(gain, np.zeros(23, bool), np.arange(23)).reason
    assert "none is left" in known_test(gain, np.ones(23, bool), np.arange(23)).reason
    assert "does not vary" in known_test(np.zeros(23), leaked, np.arange(23)).reason


def test_the_gain_in_probability_is_bounded_and_blind_to_how_many_models_there_are():
    rng = np.random.default_rng(0)
    loss, h = rng.exponential(5, (1, 200_000)), rng.exponential(5, (3, 200_000))
    gain = gain_in_probability(loss, h)
    assert np.abs(gain).max() <= 1
    assert gain.mean() == pytest.approx(0, abs=0.005)
    assert np.isfinite(gain_in_probability(np.array([[1e9]]), np.array([[-1e9]]))).all()


def test_chunks_do_not_matter(monkeypatch):
    rng = np.random.default_rng(0)
    h, held_out, groups = rng.exponential(size=100), np.arange(100) < 30, np.arange(100)
    whole = easy_test(h, held_out, groups)
    monkeypatch.setattr(significance, "_CELLS", 150)
    assert easy_test(h, held_out, groups) == whole
