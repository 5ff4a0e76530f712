"""Consoles as libraries print them in this moment, read against what the libraries return."""

from __future__ import annotations

import contextlib
import io
import os

import numpy as np
import pytest

from leakaudit.curves import read

RNG = np.random.default_rng(0)
X = RNG.standard_normal((160, 5)).astype("float32")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0).astype(int)


def only(tmp_path, text):
    path = tmp_path / "console.txt"
    path.write_text(text, encoding="utf-8", newline="")
    (found,) = read(path)
    return found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("verbose", [1, 2])
def test_keras(tmp_path, capsys, verbose):
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = model.fit(
        X[:96], Y[:96], validation_data=(X[96:128], Y[96:128]), epochs=4, batch_size=32, verbose=verbose
    ).history
    loss, accuracy = model.evaluate(X[128:], Y[128:], verbose=verbose)
    found = only(tmp_path, capsys.readouterr().out)
    assert found.format == "keras-console"
    for name, logged in (("train_loss", "loss"), ("val_loss", "val_loss"), ("train_accuracy", "accuracy")):
        np.testing.assert_allclose(getattr(found, name), fitted[logged], atol=6e-5)
    np.testing.assert_allclose(found.val_accuracy, fitted["val_accuracy"], atol=6e-5)
    assert found.test_loss[-1] == pytest.approx(loss, abs=6e-5)
    assert found.test_accuracy[-1] == pytest.approx(accuracy, abs=6e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn(tmp_path):
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.neural_network import MLPClassifier

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        network = MLPClassifier((8,), max_iter=5, verbose=True, random_state=0).fit(X, Y)
    np.testing.assert_allclose(only(tmp_path, printed.getvalue()).train_loss, network.loss_curve_, atol=1e-7)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        trees = GradientBoostingClassifier(n_estimators=8, verbose=1, random_state=0).fit(X, Y)
    np.testing.assert_allclose(only(tmp_path, printed.getvalue()).train_loss, trees.train_score_, atol=6e-5)
