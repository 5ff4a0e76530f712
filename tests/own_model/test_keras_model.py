"""A Keras network on the torch backend: regularisers found, nothing changed."""

from __future__ import annotations

import os

import numpy as np
import pytest

import leakaudit
from leakaudit.errors import InputError

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

# Keras' own conversion of torch tensors with NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((96, 5)).astype("float32"), RNG.integers(0, 3, 96)


def network(loss="sparse_categorical_crossentropy", **dense):
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(16, activation="relu", **dense),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", loss=loss)
    model.fit(X, Y if "sparse" in str(loss) else np.eye(3)[Y], verbose=0)
    return model


def values(model):
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in model.variables]


def test_regularisers_in_order_and_nothing_changed():
    model = network(kernel_regularizer=keras.regularizers.L2(0.05))
    before, rates = values(model), [layer.rate for layer in model.layers if hasattr(layer, "rate")]
    reported = model.evaluate(X, Y, verbose=0)
    found = leakaudit.attribute(model, (X, Y), (X[:40], Y[:40]), reported_train=2.0, reported_val=reported)
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)
    assert rates == [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [0.5]
    assert [part.name for part in found.regularisers] == ["dropout", "batch-norm mode", "penalties"]
    parts = {part.name: part.value for part in found.regularisers}
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    assert parts["penalties"] == pytest.approx(0.05 * (kernel**2).sum(), rel=1e-5)
    assert parts["dropout"] > 0
    assert leakaudit.attribute(model, (X, Y), (X[:40], Y[:40]), reported_train=2.0, reported_val=reported) == found


def test_penalties_inside_the_reported_validation_loss_are_o():
    model = network(kernel_regularizer=keras.regularizers.L2(0.05))
    reported = model.evaluate(X, Y, verbose=0)
    found = leakaudit.attribute(model, (X, Y), (X, Y), reported_val=reported)
    penalty = next(part.value for part in found.regularisers if part.name == "penalties")
    assert found.term("o").value == pytest.approx(-penalty, rel=1e-4)
    assert found.remainder.value == pytest.approx(0, abs=1e-6)


def test_label_smoothing():
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.2)
    model = network(smoothed)
    targets = np.eye(3)[Y]
    found = leakaudit.attribute(model, (X, targets), (X, targets))
    parts = {part.name: part.value for part in found.regularisers}
    outputs = model.predict(X, verbose=0)
    plain = keras.losses.CategoricalCrossentropy()
    assert parts["label smoothing"] == pytest.approx(
        float(smoothed(targets, outputs) - plain(targets, outputs)), rel=1e-4
    )
    assert smoothed.label_smoothing == 0.2
    assert smoothed.reduction == "sum_over_batch_size"


def test_nothing_is_changed_by_an_error():
    model = network()
    before = values(model)
    with pytest.raises(InputError, match="pair"):
        leakaudit.attribute(model, (X, Y), [{"x": X}])
    for old, new in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_without_a_loss():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    with pytest.raises(InputError, match="not compiled with a single loss"):
        leakaudit.attribute(model, (X, Y), (X, Y))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = leakaudit.attribute(model, (X, Y), [(X[:50], Y[:50]), (X[50:], Y[50:])], loss=loss)
    assert found.regularisers == ()
    assert found.n_val == 96
