"""Each quick model: the same job gives the same numbers, training samples are learnt, odd data do no harm."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from leakaudit.probe.canary import canary
from leakaudit.probe.learner import Job
from leakaudit.probe.linear import LinearModel
from leakaudit.probe.patches import patch_features
from leakaudit.probe.ridge import PENALTY, Ridge
from leakaudit.probe.trees import Trees

N, TRAIN = 120, np.arange(90)
EVERY, VAL = np.arange(N), np.arange(90, N)


def data(n_classes):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 5)).astype(np.float32)
    z = x[:, 0] + 0.5 * rng.normal(size=N)
    codes = np.digitize(z, np.quantile(z, np.arange(1, n_classes) / n_classes)) if n_classes else np.full(N, -1)
    return x, codes.astype(np.int64), (z - z.mean()) / z.std()


def learner(kind, n_classes):
    x, codes, values = data(n_classes)
    if kind == "trees":
        return Trees(x, np.zeros(5, dtype=bool), codes, n_classes, values)
    if kind == "linear":
        return LinearModel(csr_array(x), codes, n_classes, values, epochs=5)
    return Ridge(x, codes, n_classes, values, "numbers")


@pytest.mark.parametrize("kind", ["trees", "linear", "ridge"])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_job_gives_the_same_numbers_every_time(kind, n_classes):
    model, job = learner(kind, n_classes), Job(TRAIN, EVERY, 3, watched=VAL)
    first, again, other = model.fit(job), model.fit(job), model.fit(Job(TRAIN, EVERY, 4, watched=VAL))
    assert (first.loss == again.loss).all()
    assert (first.loss != other.loss).any()
    assert np.isfinite(first.loss).all()
    assert first.loss.shape == first.score.shape == (N,)
    assert first.train_mode == pytest.approx(first.loss[TRAIN].mean(), rel=1e-4)
    assert (first.predicted is None) == (n_classes == 0)
    if n_classes:
        assert ((first.predicted == model.truth) == (first.score == 1)).all()
        assert first.score[VAL].mean() > 1.2 / n_classes
    else:
        assert first.loss == pytest.approx(np.square(first.score))


@pytest.mark.parametrize("kind", ["trees", "linear"])
def test_curves_have_one_value_an_epoch_and_training_loss_falls(kind):
    model = learner(kind, 2)
    curve = model.fit(Job(TRAIN, EVERY, 0, watched=VAL)).curve
    assert len(curve.epoch) == (5 if kind == "linear" else 100)
    assert curve.train_loss[-1] < curve.train_loss[0]
    assert ((curve.val_accuracy >= 0) & (curve.val_accuracy <= 1)).all()
    assert model.fit(Job(TRAIN, VAL, 0)).curve is None


def test_classes_that_were_not_trained_on_have_a_bounded_loss():
    x, codes, values = data(3)
    model = Trees(x, np.zeros(5, dtype=bool), codes, 3, values)
    fit = model.fit(Job(TRAIN[codes[TRAIN] < 2], EVERY, 0))
    assert fit.loss.max() <= np.log(3 / 1e-3) + 1e-9
    assert (fit.score[codes == 2] == 0).all()


def test_missing_values_constant_columns_and_categories_are_taken():
    x, codes, values = data(2)
    x[::3, 1] = np.nan
    x[:, 2] = 7
    x[:, 3] = np.arange(N) % 4
    model = Trees(x, np.array([False, False, False, True, False]), codes, 2, values)
    assert np.isfinite(model.fit(Job(TRAIN, EVERY, 0)).loss).all()


@pytest.mark.parametrize("n_classes", [0, 3])
def test_ridge_residuals_of_a_fold_are_the_block_residuals_of_the_whole(n_classes):
    """(I − H_kk)⁻¹ r_k, with the penalty of the fold and every feature in use."""
    x, codes, values = data(n_classes)
    model = Ridge(np.repeat(x, 8, axis=1)[:, :40], codes, n_classes, values, "numbers")
    fold, rest = np.arange(0, N, 4), np.setdiff1d(EVERY, np.arange(0, N, 4))
    fit = model.fit(Job(rest, fold, 0))
    design, target = model._whole[0], model._whole[1]
    rng = np.random.default_rng(0)
    used = np.append(np.sort(rng.choice(40, 30, replace=False)), 40)
    rows = design[:, used]
    gram = rows[rest].T @ rows[rest]
    alpha = np.full(31, PENALTY * np.trace(gram) / 31)
    alpha[-1] = 1e-9
    hat = rows @ np.linalg.solve(rows.T @ rows + np.diag(alpha), rows.T)
    residual = target - hat @ target
    block = np.linalg.solve(np.eye(len(fold)) - hat[np.ix_(fold, fold)], residual[fold])
    assert fit.loss == pytest.approx(np.square(block).sum(axis=1), rel=1e-6, abs=1e-9)


def test_patches_answer_alike_to_equal_pictures():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
    pictures[1] = pictures[0]
    pictures[2] = 9
    features = patch_features(pictures)
    assert features.shape == (20, 1_024)
    assert np.isfinite(features).all()
    assert features[0] == pytest.approx(features[1], abs=1e-6)  # a product may sum its last rows in another order
    assert (features == patch_features(pictures)).all()


@pytest.mark.parametrize("n_classes", [0, 3])
def test_gradient_descent_converges_on_ordinary_columns(n_classes):
    x, codes, values = data(n_classes)
    curve = canary(x, codes, n_classes, values, TRAIN, VAL, 0)
    assert curve.train_loss[-1] < curve.train_loss[0]
    assert np.isfinite(curve.val_loss).all()


def test_gradient_descent_that_diverges_is_told_as_infinity():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3_000, 2)).astype(np.float32)
    values = x[:, 0].astype(np.float64)
    x[:2, 1] = 1e30
    curve = canary(x, np.full(3_000, -1), 0, values * 1e150, np.arange(2_500), np.arange(2_500, 3_000), 0)
    assert not np.isnan(curve.train_loss).any()
    assert np.isinf(curve.train_loss[-1])
