"""LA003, LA201 and LA202 decide on counts alone: tested on contexts that hold nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.stats import binom

from leakaudit.checks import la003_split_too_small as la003
from leakaudit.checks import la201_class_shift as la201
from leakaudit.checks import la202_missing_or_unseen_class as la202
from leakaudit.checks.labels import not_classes
from leakaudit.model import SplitInfo, split_pairs


@dataclass
class Counted:
    """The part of a Context that these checks read."""

    labels: dict[str, dict[str, int]]
    splits: dict[str, SplitInfo] = field(init=False)

    def __post_init__(self):
        self.splits = {name: SplitInfo(sum(counts.values()), counts) for name, counts in self.labels.items()}

    @property
    def pairs_of_splits(self):
        return split_pairs(tuple(self.labels))


def run(module, **labels):
    return module.run(Counted(labels), module.CHECK.params)


def test_la003_names_the_interval():
    outcome = run(la003, train={"a": 1000}, val={"a": 72})
    (finding,) = outcome.findings
    assert finding.effect["half_width"] == pytest.approx(0.0705, abs=1e-4)
    assert "n = 72" in outcome.reason


def test_la003_141_samples_are_enough():
    assert run(la003, train={"a": 1000}, val={"a": 141}).status == "passed"


def test_la201_finds_a_shift_and_names_the_class():
    outcome = run(la201, train={"a": 500, "b": 500}, val={"a": 150, "b": 50})
    (finding,) = outcome.findings
    assert finding.effect["moved_share"] == pytest.approx(0.25)
    assert finding.evidence.breakdown.rows[0][0] in ("a", "b")
    assert finding.effect["low"] >= 0.2


def test_la201_a_significant_but_small_shift_is_no_finding():
    outcome = run(la201, train={"a": 500_000, "b": 500_000}, val={"a": 51_000, "b": 49_000})
    assert outcome.metrics["val against train"]["p_adjusted"] < 1e-6
    assert outcome.status == "passed"


def test_la201_too_few_samples_are_inconclusive():
    assert run(la201, train={"a": 50, "b": 50}, val={"a": 9, "b": 11}).status == "inconclusive"


def test_la201_false_alarms_on_random_splits():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(10))
    alarms = 0
    for _ in range(200):
        train, val = rng.multinomial(800, shares), rng.multinomial(200, shares)
        named = [{str(i): int(n) for i, n in enumerate(counts) if n} for counts in (train, val)]
        alarms += run(la201, train=named[0], val=named[1]).status == "failed"
    assert alarms <= 4


def test_la202_unseen_is_an_error_and_missing_a_warning():
    outcome = run(la202, train={"a": 500, "b": 400}, val={"a": 90, "c": 3})
    assert [(finding.severity, finding.n_samples) for finding in outcome.findings] == [("error", 3), ("warning", 0)]
    assert "class that train lacks: c" in outcome.findings[0].message


@pytest.mark.parametrize(
    ("n_alone", "n_elsewhere", "severity", "said"),
    [(4, 36, "info", "58%"), (5, 10, "warning", "1%"), (8, 8, "error", "")],
)
def test_la202_rare_classes_are_a_warning_only_where_random_splits_seldom_part_them(
    n_alone, n_elsewhere, severity, said
):
    train = {"a": 500, "b": 400 - n_elsewhere, **{f"elsewhere {i}": 1 for i in range(n_elsewhere)}}
    outcome = run(la202, train=train, val={"a": 100 - n_alone, **{f"alone {i}": 1 for i in range(n_alone)}})
    finding = outcome.findings[0]
    assert finding.severity == severity
    chance = binom.sf(n_alone - 1, n_alone + n_elsewhere, 0.1)
    assert finding.effect["chance"] == pytest.approx(chance, abs=1e-6)
    assert (f"a random split does this in {said} of cases" in finding.message) == bool(said)


@pytest.mark.parametrize("check", [la201, la202])
def test_labels_of_one_split_alone_are_not_compared(check):
    outcome = run(check, train={"a": 50, "b": 40}, val={})
    assert (outcome.status, outcome.findings) == ("skipped", ())


def test_la201_says_what_its_rule_goes_by():
    outcome = run(la201, train={"a": 500, "b": 500}, val={"a": 60, "b": 40})
    assert outcome.status == "passed"
    assert outcome.reason.startswith("class shares of val and train are 0.17 apart (0.00 to 0.41; a finding begins")


@pytest.mark.parametrize(("n", "n_unseen"), [(150, 1), (50, 2), (2_000, 19)])
def test_la202_chance_on_fewer_than_the_score_is_known_to_is_information(n, n_unseen):
    alone = {f"alone {i}": 1 for i in range(n_unseen)}
    elsewhere = {f"elsewhere {i}": 1 for i in range(9 * n_unseen)}
    outcome = run(la202, train={"a": 5 * n, **elsewhere}, val={"a": n - n_unseen, **alone})
    assert [finding.severity for finding in outcome.findings] == ["info"]
    assert "a random split does this in" in outcome.findings[0].message


def test_la202_chance_is_the_share_of_random_splits():
    random = np.random.default_rng(0)
    samples = np.repeat(np.arange(30), [400, 300, *[2] * 14, *[1] * 14])
    seen = []
    for _ in range(4000):
        order = random.permutation(samples)
        sides = [dict(zip(*np.unique(side, return_counts=True), strict=True)) for side in (order[:150], order[150:])]
        seen.append(len({*sides[0]} - {*sides[1]}))
    named = [{str(label): int(n) for label, n in side.items()} for side in sides]
    for n_unseen in (1, 3, 5):
        expected = np.mean(np.array(seen) >= n_unseen)
        assert la202.chance_of_unseen(*named, n_unseen) == pytest.approx(expected, abs=0.03)


def test_la202_a_rare_class_may_be_absent_by_chance():
    assert run(la202, train={"a": 990, "b": 10}, val={"a": 100}).status == "passed"


def test_la202_judges_against_train_only():
    outcome = run(la202, train={"a": 500, "b": 500}, val={"a": 10, "b": 10}, test={"a": 10, "b": 10})
    assert set(outcome.metrics) == {"val against train", "test against train"}


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ([str(i / 7) for i in range(100)], "quantity"),
        ([str(i) for i in range(100)], "quantity"),
        ([f"user{i}" for i in range(100)], "names samples"),
        (["a", "b"] * 50, None),
        ([str(i % 10) for i in range(100)], None),
        ([str(i % 150) for i in range(3000)], None),
        (["nan", "inf", "a"] * 30, None),
    ],
)
def test_labels_that_are_no_classes_are_told_apart(labels, why):
    counts = {label: labels.count(label) for label in labels}
    reason = not_classes({"train": counts})
    assert (reason is None) if why is None else (why in reason)


@pytest.mark.parametrize("module", [la201, la202])
def test_quantities_are_skipped_with_the_reason(module):
    quantities = {str(i / 7): 1 for i in range(50)}
    outcome = run(module, train=quantities, val=quantities)
    assert outcome.status == "skipped"
    assert "quantity" in outcome.reason


def test_la202_of_many_classes_some_are_missing_by_chance():
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.full(30, 20.0))
    fired = 0
    for _ in range(200):
        train, val = (np.unique(random.choice(30, n, p=shares), return_counts=True) for n in (500, 100))
        sides = {
            name: dict(zip(map(str, labels), counts.tolist(), strict=True))
            for name, (labels, counts) in (("train", train), ("val", val))
        }
        fired += any(finding.n_samples == 0 for finding in run(la202, **sides).findings)
    assert fired <= 10, "5 % of random splits"
