"""What explains the gap is named; nothing is accused."""

from __future__ import annotations

import math

import pytest

from leakaudit.probe.attribution import MEANINGS, NAMES, Attribution, Term
from leakaudit.probe.significance import Test
from leakaudit.probe.wording import explain, measured


def attribution(values, *, significant=(), regularisers=(), n_leaked=0, width=0.01):
    terms = tuple(
        Term(k, NAMES[k], values.get(k, 0.0), values.get(k, 0.0) - width, values.get(k, 0.0) + width, MEANINGS[k])
        for k in NAMES
    )
    tests = tuple(
        Test(name, 0.1, 0.02, 10, p := 0.001 if name in significant else 0.5, p) for name in ("easy", "leak", "known")
    )
    parts = tuple(Term("b", name, value, None, None, "") for name, value in regularisers)
    return Attribution(sum(values.values()), None, None, terms, parts, tests, 3, 3, 800, 200, n_leaked, val_loss=0.5)


def test_dropout():
    found = explain(attribution({"b": 0.25, "e": -0.2}, regularisers=[("dropout", 0.24), ("augmentation", 0.01)]))
    assert (
        found.headline == "Validation loss is 0.050 below training loss: explained by dropout (0.250 [0.240, 0.260])."
    )
    assert not found.unexplained


def test_several_causes_largest_first():
    values = {"a": 0.05, "b": 0.2, "c": 0.1, "e": -0.1}
    found = explain(attribution(values, significant=["easy"]))
    assert [cause.letter for cause in found.causes] == ["b", "c", "a"]
    assert "explained by regularisation that is on in training only" in found.headline
    assert "an easier validation split (0.100 [0.090, 0.110])" in found.headline


def test_an_easier_split_needs_its_test():
    assert explain(attribution({"c": 0.3})).causes == ()
    assert explain(attribution({"c": 0.3})).headline.endswith("no single cause stands out from chance.")


@pytest.mark.parametrize(
    ("duplicates", "phrase"),
    [
        ({"LA101": 120}, "the 120 duplicates listed under LA101 (0.100"),
        ({"LA101": 1, "LA103": 0}, "the duplicate listed under LA101 (0.100"),
        ({}, "the 30 validation samples that are in training as well (0.100"),
        (
            {"LA103": 5, "LA101": 1200},
            "the 30 validation samples that are in training as well (1,200 under LA101 and 5 under LA103) (",
        ),
    ],
)
def test_duplicates_by_where_they_are_listed(duplicates, phrase):
    found = explain(attribution({"d": 0.1}, significant=["known"], n_leaked=30), duplicates)
    assert phrase in found.headline


def test_a_leak_is_told_where_validation_loss_is_above_training_loss():
    found = explain(attribution({"d": 0.1, "e": -0.5}, significant=["known"]), {"LA102": 7})
    assert found.headline.startswith("Validation loss is 0.400 above training loss, and would be higher without the 7")


def test_what_is_left_says_where_to_look():
    found = explain(attribution({"r": 0.1}, significant=["leak"]))
    assert found.unexplained
    assert "Unexplained: look here: validation samples cost the models 0.100 [0.090, 0.110] less" in found.headline
    assert not explain(attribution({"r": 0.1})).unexplained
    assert not explain(attribution({"r": 0.1}, significant=["leak"], width=0.2)).unexplained
    assert not explain(attribution({"r": -0.1}, significant=["leak"])).unexplained


def test_small_causes_are_not_named():
    found = explain(attribution({"a": 0.005, "o": 0.004}, width=0.0001))
    assert found.causes == ()
    assert found.headline == "Validation loss is level with training loss."


def test_a_healthy_run_and_one_that_could_not_be_judged():
    assert explain(attribution({"e": -0.4})).headline == "Validation loss is 0.400 above training loss."
    empty = Attribution(math.nan, None, None, (), (), (), 0, 0, reason="no model was trained")
    assert explain(empty).headline.endswith("not split: no model was trained.")


def test_nobody_is_accused():
    values = dict.fromkeys("abcdero", 0.2)
    text = explain(attribution(values, significant=["easy", "leak", "known"])).headline.lower()
    assert not any(word in text for word in ("leak ", "cheat", "wrong", "mistake", "fault", "suspicious"))


def test_no_minus_zero():
    assert measured(-1e-9, -1e-9, 1e-9) == "0.000 [0.000, 0.000]"
