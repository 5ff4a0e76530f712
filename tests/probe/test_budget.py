from hypothesis import given
from hypothesis import strategies as st

from leakaudit.probe.budget import FEWER_FOLDS, LEAST_POOL, MOST_FOLDS, Cost, plan


@given(
    st.integers(40, 200_000),
    st.integers(20, 200_000),
    st.floats(1e-6, 1e-2),
    st.integers(1, 16),
    st.floats(1, 1_000),
)
def test_a_plan_is_possible_and_in_time_unless_the_pool_is_as_small_as_it_may_be(n_train, n_val, row, workers, budget):
    cost = Cost(row, 0.1, 20_000)
    made = plan(n_train, n_val, cost, budget=budget, workers=workers)
    assert 1 <= made.n_train <= n_train
    assert 1 <= made.n_val <= n_val
    assert 2 <= made.folds <= MOST_FOLDS
    assert made.n_train + made.n_val <= 20_000
    assert made.seconds <= budget or made.n_train + made.n_val <= LEAST_POOL + 1 or made.folds <= FEWER_FOLDS
    assert made.repeats >= 2
    assert made.seeds >= 2


@given(st.integers(40, 5_000), st.integers(20, 5_000))
def test_fold_models_have_as_many_rows_as_full_models_to_within_five_per_cent(n_train, n_val):
    made = plan(n_train, n_val, Cost(1e-6, 0.0, 20_000), budget=180, workers=2)
    pool = made.n_train + made.n_val
    assert pool * (1 - 1 / made.folds) >= 0.95 * made.n_train


def test_everything_is_looked_at_where_there_is_time():
    made = plan(8_000, 2_000, Cost(1e-5, 0.1, 20_000), budget=180, workers=2)
    assert (made.n_train, made.n_val, made.seeds, made.repeats, made.folds) == (8_000, 2_000, 3, 3, 5)
    assert made.models == 18


def test_small_splits_get_more_repeats_where_they_are_cheap():
    assert plan(400, 100, Cost(1e-5, 0.1, 20_000), budget=180, workers=2).repeats == 6
    assert plan(400, 100, Cost(1e-5, 1.0, 20_000), budget=180, workers=2).repeats == 3
    assert plan(4_000, 1_000, Cost(1e-5, 0.1, 20_000), budget=180, workers=2).repeats == 3


def test_large_splits_get_two_repeats_where_three_would_be_long():
    assert plan(16_000, 4_000, Cost(2e-4, 1.0, 20_000), budget=180, workers=2).repeats == 2
    assert plan(16_000, 4_000, Cost(2e-5, 0.1, 20_000), budget=180, workers=2).repeats == 3


def test_less_time_means_fewer_models_then_fewer_samples():
    slow = Cost(8 / 2_800, 0.1, 10_000)
    assert plan(7_000, 1_750, slow, budget=1_000, workers=2).repeats == 3
    fewer = plan(8_000, 2_000, slow, budget=180, workers=2)
    assert (fewer.repeats, fewer.n_train) == (2, 8_000)
    least = plan(8_000, 2_000, slow, budget=30, workers=2)
    assert least.seconds <= 30
    assert least.n_train < 8_000


def test_a_tiny_validation_split_gets_a_training_split_to_match():
    made = plan(100_000, 50, Cost(1e-6, 0.0, 20_000), budget=180, workers=2)
    assert made.n_val == 50
    assert made.n_train == 450
