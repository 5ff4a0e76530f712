"""A real run with Keras: the file is written, the network trains as it would without the callback."""

from __future__ import annotations

import os

import numpy as np
import pytest

import leakaudit
from leakaudit.curves import read as read_history

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

# Keras' own conversion of torch tensors with NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((160, 5)).astype("float32")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0).astype(int)


def trained(callbacks):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(32, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", loss="sparse_categorical_crossentropy")
    history = model.fit(
        X[:128], Y[:128], validation_data=(X[128:], Y[128:]), epochs=3, batch_size=16, verbose=0, callbacks=callbacks
    )
    return model, history.history


def test_a_run(tmp_path):
    from leakaudit.callbacks.keras import LeakauditCallback

    path = tmp_path / "leakaudit.csv"
    model, logs = trained([LeakauditCallback((X[:64], Y[:64]), (X[128:], Y[128:]), path=path)])
    plain, _ = trained([])
    for a, b in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    (history,) = read_history(path)
    np.testing.assert_allclose(history.train_loss, logs["loss"])
    np.testing.assert_allclose(history.val_loss, logs["val_loss"])
    found = leakaudit.attribute(history=path)
    assert found.term("b").value > 0
    assert found.term("o").value < 0  # Keras adds the penalty to the validation loss, too
