"""From losses to terms, whoever measured them; and the two functions of the user."""

from __future__ import annotations

import math

import numpy as np
import pytest

import leakaudit
from leakaudit.errors import ConfigError, InputError
from leakaudit.own_model.levels import Level, from_levels

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((200, 3)), RNG.exponential(size=200)
TRAIN, VAL = (X[:150], Y[:150]), (X[150:], Y[150:])


def train_mode(x, y):
    return y + 0.3


def eval_mode(x, y):
    return y


def both(**more):
    return leakaudit.attribute(train=TRAIN, val=VAL, loss_train_mode=train_mode, loss_eval_mode=eval_mode, **more)


def test_functions_give_the_three_terms():
    found = both(reported_train=2.0, reported_val=0.7)
    assert found.term("a").value == pytest.approx(2.0 - Y[:150].mean() - 0.3)
    assert found.term("b").value == pytest.approx(0.3)
    assert found.term("b").low == pytest.approx(0.3)  # every sample differs by the same
    assert found.term("o").value == pytest.approx(Y[150:].mean() - 0.7)
    assert found.gap == pytest.approx(1.3)
    assert math.fsum([*(t.value for t in found.terms), found.remainder.value]) == pytest.approx(1.3)
    assert (found.n_train, found.n_val) == (150, 50)
    with pytest.raises(KeyError):
        found.term("c")


def test_what_was_not_reported_is_not_measured():
    found = both()
    assert [term.letter for term in found.terms] == ["b"]
    assert found.gap == pytest.approx(found.term("b").value + found.remainder.value)
    assert sum("is not measured" in limit for limit in found.limits) == 2


def test_batches_give_the_same_as_arrays():
    batches = [(X[i : i + 40], Y[i : i + 40]) for i in range(0, 150, 40)]
    found = leakaudit.attribute(train=batches, val=VAL, loss_train_mode=train_mode, loss_eval_mode=eval_mode)
    assert found.term("b") == both().term("b")


def test_losses_by_part_of_a_sample_are_averaged():
    found = leakaudit.attribute(
        train=TRAIN, val=VAL, loss_train_mode=lambda x, y: x**2, loss_eval_mode=lambda x, y: y.tolist()
    )
    assert found.term("b").value == pytest.approx((X[:150] ** 2).mean() - Y[:150].mean())


def test_print_says_what_to_do():
    text = str(both(reported_train=2.0, reported_val=0.7))
    assert "below training loss: to" in text or "below training loss: explained" in text
    assert "leakaudit scan" in text
    assert "a timing" in text
    assert "needs folds" in text


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (lambda x, y: y.mean(), r"one loss per sample .*\(150,\).*gave shape \(\)"),
        (lambda x, y: y[:5], r"gave shape \(5,\)"),
        (lambda x, y: y * np.nan, r"150 of 150 samples is not finite"),
    ],
)
def test_losses_that_cannot_be_used(losses, message):
    with pytest.raises(InputError, match=message):
        leakaudit.attribute(train=TRAIN, val=VAL, loss_train_mode=losses, loss_eval_mode=eval_mode)


def test_batches_that_cannot_be_used():
    arguments = {"loss_train_mode": train_mode, "loss_eval_mode": eval_mode}
    with pytest.raises(InputError, match="pair"):
        leakaudit.attribute(train=[{"x": 1}], val=VAL, **arguments)
    with pytest.raises(InputError, match="iterated again"):
        leakaudit.attribute(train=iter([TRAIN]), val=VAL, **arguments)
    with pytest.raises(InputError, match="no validation samples"):
        leakaudit.attribute(train=TRAIN, val=[], **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs train"),
        ({"train": TRAIN, "val": VAL}, "a torch module or a Keras model"),
        ({"train": TRAIN, "val": VAL, "model": object()}, "a torch module or a Keras model"),
        ({"train": TRAIN, "val": VAL, "loss_train_mode": train_mode}, "both loss_train_mode"),
        ({"train": TRAIN, "val": VAL, "history": "x.csv"}, "instead of"),
    ],
)
def test_arguments_that_do_not_say_what_to_measure(arguments, message):
    with pytest.raises(ConfigError, match=message):
        leakaudit.attribute(**arguments)


def test_a_network_that_is_better_on_validation_is_sent_to_the_data():
    levels = [Level("", np.linspace(1.4, 1.6, 50)), Level("dropout", np.linspace(1.0, 1.2, 50))]
    found = from_levels(levels, np.linspace(0.2, 0.4, 50), reported_train=None, reported_val=None)
    assert "an easier validation split or leakage" in found.advice[1]
    single = from_levels(
        [Level("", np.ones(1)), Level("dropout", np.ones(1))], np.ones(1), reported_train=1, reported_val=1
    )
    assert single.term("b").low is None


def test_regularisation_is_named_where_validation_loss_is_the_higher_one():
    levels = [Level("", np.linspace(0.9, 1.1, 50)), Level("dropout", np.linspace(0.6, 0.8, 50))]
    found = from_levels(levels, np.linspace(1.1, 1.3, 50), reported_train=1.0, reported_val=1.2)
    assert found.advice[0] == (
        "Validation loss is 0.2000 above training loss, as is usual; without regularisation it would be 0.5000 above."
    )
    assert "of it dropout" in str(found)
    plain = from_levels(
        [Level("", np.linspace(0.9, 1.1, 50))], np.linspace(1.1, 1.3, 50), reported_train=1.0, reported_val=1.2
    )
    assert plain.advice[0] == "Validation loss is 0.2000 above training loss, as is usual."
