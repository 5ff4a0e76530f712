"""The same of Keras models: constants of standardisation are no batch normalisation, augmentation is named."""

from __future__ import annotations

import os

import numpy as np
import pytest

import leakaudit

pytest.importorskip("torch")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

# Keras' own conversion of torch tensors with NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

X = np.random.default_rng(0).random((16, 8, 8, 3)).astype("float32")
Y = np.arange(16) % 2


@pytest.fixture(scope="module")
def pictures():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Normalization(mean=0.5, variance=0.1),
            layers.RandomFlip(seed=1),
            layers.GaussianNoise(0.5, seed=2),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3, seed=3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    return model


def test_layers_are_named_one_by_one(pictures):
    found = leakaudit.lint_model(pictures, X)
    assert found.remarks == ()
    assert [layer.kind for layer in found.regularisers] == ["augmentation", "noise", "dropout"]


def test_they_are_switched_off_one_by_one(pictures):
    found = leakaudit.attribute(pictures, (X, Y), (X, Y))
    names = [part.name.split(" (")[0] for part in found.regularisers]
    assert names == ["dropout", "noise", "augmentation"]
    assert all("call" not in vars(layer) for layer in pictures.layers)
    assert found.val_in_training is not None


def test_training_true_in_validation(pictures):
    found = leakaudit.lint_model(pictures, X, predict=lambda x: pictures(x, training=True))
    assert [remark.rule for remark in found.remarks] == ["dropout-in-validation"]
    assert leakaudit.lint_model(pictures, X, predict=lambda x: pictures(x, training=False)).remarks == ()


def test_dropout_after_the_output_and_before_batch_normalisation():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(2),
            layers.Dropout(0.3),
        ]
    )
    found = leakaudit.lint_model(model)
    assert [remark.rule for remark in found.remarks] == ["dropout-before-batch-norm", "dropout-after-output"]
    assert len(found.limits) == 1


def test_layers_of_a_subclass_have_no_order():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.out, self.first, self.drop = keras.layers.Dense(2), keras.layers.Dense(8), keras.layers.Dropout(0.3)

        def call(self, x, training=None):
            return self.out(self.drop(self.first(x), training=training))

    model = Own()
    found = leakaudit.lint_model(model, X.reshape(16, -1))
    assert found.remarks == ()
    assert "subclass" in found.limits[0]


def test_recurrent_dropout_is_dropout():
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.LSTM(4, dropout=0.6, seed=1), keras.layers.Dense(2)])
    assert [remark.rule for remark in leakaudit.lint_model(model).remarks] == ["dropout-rate"]
    model.compile("sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).random((16, 4, 3)).astype("float32")
    assert [part.name for part in leakaudit.attribute(model, (x, Y), (x, Y)).regularisers] == ["dropout"]
