import numpy as np
import pytest

from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.probe.codes import recognise

N_TRAIN, N_VAL = 500, 120


def features(seed, n_copied=0, noise=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N_TRAIN + N_VAL, 8)).astype(np.float32)
    x[N_TRAIN : N_TRAIN + n_copied] = x[:n_copied] + noise * rng.normal(size=(n_copied, 8))
    return x


def found(x, workers=1):
    n = len(x)
    seen = recognise(x, np.arange(n) >= N_TRAIN, np.arange(n), workers=workers)
    return seen, np.array(benjamini_hochberg(seen.p.tolist())) <= 0.05


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_copies_are_recognised_and_their_twins_named(noise):
    seen, sure = found(features(0, 30, noise))
    assert seen.learnt > 0.99
    assert sure[:30].all()
    assert (seen.twin[:30] == np.arange(30)).all()
    assert sure[30:].sum() <= 3


def test_clean_splits_raise_no_alarm():
    assert not any(found(features(seed))[1].any() for seed in range(1, 7))


def test_equal_rows_by_nature_are_no_surprise():
    coarse = np.random.default_rng(0).integers(0, 3, size=(N_TRAIN + N_VAL, 5)).astype(np.float32)
    seen, sure = found(coarse)
    assert not sure.any()
    assert seen.learnt < 0.9


def test_the_same_data_give_the_same_answer_whatever_the_workers():
    first, again = found(features(0, 30))[0], found(features(0, 30), workers=3)[0]
    assert (first.p == again.p).all()
    assert (first.votes == again.votes).all()
