"""What explains the gap is named; nothing is accused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leakaudit.probe.attribution import MEANINGS, NAMES, Attribution, Term, attribute_gap
from leakaudit.probe.significance import Test
from leakaudit.probe.wording import NO_GAP, explain, measured, shows_no_gap
from probe_losses import make


def attribution(values, *, significant=(), regularisers=(), n_leaked=0, width=0.01):
    terms = tuple(
        Term(k, NAMES[k], values.get(k, 0.0), values.get(k, 0.0) - width, values.get(k, 0.0) + width, MEANINGS[k])
        for k in NAMES
    )
    tests = tuple(
        Test(name, 0.1, 0.02, 10, p := 0.001 if name in significant else 0.5, p) for name in ("easy", "leak", "known")
    )
    parts = tuple(Term("b", name, value, value - 0.01, value + 0.01, "") for name, value in regularisers)
    gap = sum(values.values())
    return Attribution(
        gap, None, None, terms, parts, tests, 3, 3, 800, 200, n_leaked, val_loss=0.5, train_loss=0.6, spread=0.4
    )


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


def test_a_cause_whose_interval_holds_zero_is_not_named():
    for letter in "abdero":
        found = explain(attribution({letter: 0.1}, significant=["easy", "leak", "known"], width=0.11))
        assert found.causes == ()
        assert explain(attribution({letter: 0.1}, significant=["easy", "leak", "known"])).causes[0].letter == letter


def test_a_part_of_the_regularisation_is_named_by_its_own_interval():
    parts = [("dropout", 0.1), ("augmentation", 0.09)]
    found = attribution({"b": 0.19}, regularisers=parts)
    spread = replace(found.regularisers[1], low=-0.01, high=0.2)
    told = explain(replace(found, regularisers=(found.regularisers[0], spread))).headline
    assert "explained by dropout (" in told


def test_an_easier_split_is_named_where_its_check_would_warn():
    found = attribution({"c": 0.1}, significant=["easy"])
    assert [cause.letter for cause in explain(found).causes] == ["c"]
    # 0.1 is a fifth of a standard deviation of 0.5, the least that LA206 warns of
    assert [cause.letter for cause in explain(replace(found, spread=0.5)).causes] == ["c"]
    assert explain(replace(found, spread=0.51)).causes == ()


def test_validation_within_training_comes_first():
    values = {"d": 0.5, "e": -0.5}
    found = replace(attribution(values, significant=["leak"], n_leaked=200), train_loss=0.6)
    told = explain(found, {"LA104": 200}).headline
    assert told.startswith(
        "200 of 200 validation samples are in training as well (listed under LA104): validation loss"
    )
    assert "says nothing of new samples" in told
    assert "no gap is a warning by itself" in told
    assert explain(replace(found, n_leaked=120), {"LA104": 120}).headline.startswith("120 of 200 validation samples")
    assert "says little of new samples" in explain(replace(found, n_leaked=120), {"LA104": 120}).headline
    few = explain(replace(found, n_leaked=20), {"LA104": 20}).headline
    assert "validation samples are in training as well (listed" not in few


def test_validation_that_models_recognise_comes_first_too():
    found = attribution({"r": 0.5, "e": -0.5}, significant=["leak"])
    told = explain(found, {}, n_recognised=190).headline
    assert told.startswith("190 of 200 validation samples are taken for training samples by models (LA403): validation")
    assert explain(found, {}, n_recognised=10).headline.startswith("Validation loss is")


def test_models_that_learn_by_heart_and_show_no_gap():
    found = replace(attribution({"r": 0.3, "e": -0.5}, significant=["leak"]), train_loss=0.6)
    assert shows_no_gap(found)
    assert not shows_no_gap(replace(attribution({"r": 0.3, "e": -0.5}), train_loss=0.6))  # the test says it is chance
    assert not shows_no_gap(replace(found, train_loss=3.0))  # a sixth of the loss is learnt, no more
    assert not shows_no_gap(replace(attribution({"r": 0.2, "e": -0.5}, significant=["leak"]), train_loss=0.6))
    easy = replace(attribution({"c": 0.3, "e": -0.5}, significant=["easy"]), train_loss=0.6)
    assert shows_no_gap(easy)
    assert "or copies that no check lists" not in explain(easy).headline
    both = attribution({"c": 0.3, "r": 0.1}, significant=["easy", "leak"])
    assert (
        "without an easier validation split or copies that no check lists (" in explain(replace(both, gap=0)).headline
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0, 5, 60]), st.sampled_from([0.0, 0.4, 0.9]), st.booleans())
def test_every_sentence_about_a_cause_is_backed_by_its_interval(seed, n_leaked, leak, small):
    """Over simulated models: what is named lies above 0 with its whole interval, and its own test says so."""
    rng = np.random.default_rng(seed)
    n_val = 60
    measured = make(
        seed,
        n=160 if small else 300,
        n_val=n_val,
        seeds=int(rng.integers(1, 4)),
        repeats=int(rng.integers(1, 4)),
        n_leaked=n_leaked,
        leak=leak,
        easy=float(rng.choice([0.0, 0.2, 0.6])),
    )
    wide = rng.normal(0, 0.2, len(measured.loss))
    measured = replace(
        measured, reported_train=measured.reported_train + wide, reported_val=measured.reported_val - wide
    )
    found = attribute_gap(measured, n_boot=80)
    told = explain(found, {"LA104": n_leaked})
    for cause in told.causes:
        term = found.term(cause.letter)
        assert term.low is not None
        assert term.low > 0
    named = {cause.letter for cause in told.causes}
    phrases = {"a": "average over the epoch", "c": "an easier validation split", "o": "not the bare loss"}
    assert {letter for letter, phrase in phrases.items() if phrase in told.headline} <= named
    assert ("Unexplained: look here" in told.headline) == ("r" in named)
    if "c" in named:
        assert found.test("easy").significant
    if named & {"d", "r"}:
        assert found.test("leak").significant or found.test("known").significant
    if NO_GAP in told.headline:
        assert found.term("e").high < 0
