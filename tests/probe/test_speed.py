"""A plan holds on a slow machine: measured on a few samples first, where it is worth it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from leakaudit import audit
from leakaudit.probe import kinds, run, speed
from leakaudit.probe.budget import Cost


@pytest.mark.parametrize(("ratio", "factor"), [(0.1, 1), (3.0, 1), (3.1, 4), (4.1, 8), (16.0, 16), (900.0, 16)])
def test_ratios_are_coarse_and_rounded_up(ratio, factor):
    assert speed.step(ratio) == factor


def test_the_second_fit_is_timed_and_compared_with_what_was_expected(monkeypatch):
    clock, rows = [0.0], []

    def fit(job):
        rows.append(len(job.train))
        clock[0] += 100.0 if len(rows) % 2 else 10.0  # the first one imports things

    monkeypatch.setattr(speed, "perf_counter", lambda: clock[0])
    learner = SimpleNamespace(fit=fit, in_processes=False)
    assert speed.slowness(learner, 1_000, Cost(5e-3, 0.5, 10_000), workers=1) == 4
    assert rows == [speed.ROWS // 4, speed.ROWS]


def table(n=2_400):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    frame["label"] = np.where(frame["a"] + rng.normal(size=n) > 0, "yes", "no")
    return {"train": frame[: n * 3 // 4], "val": frame[n * 3 // 4 :]}


def scan(**kwargs):
    return audit(**table(), label="label", select=("LA401",), probe="cpu", jobs=1, use_cache=False, **kwargs)


@pytest.fixture
def long_plan(monkeypatch):
    monkeypatch.setattr("leakaudit.probe.trees.ROUNDS", 5)
    monkeypatch.setattr(kinds, "TREE_SECONDS", 2e-4)


@pytest.mark.usefixtures("long_plan")
def test_a_slow_machine_does_less_and_says_so(monkeypatch):
    monkeypatch.setattr(run, "slowness", lambda *_: 1)
    usual = scan(probe_budget=60)
    monkeypatch.setattr(run, "slowness", lambda *_: 4)
    slow = scan(probe_budget=60)
    assert slow.probe.n_train < usual.probe.n_train
    assert any("4 times more slowly" in note and "60 s" in note for note in slow.probe.notes)
    assert not any("slowly" in note for note in usual.probe.notes)


def test_a_short_plan_is_not_measured(monkeypatch):
    monkeypatch.setattr(run, "slowness", lambda *_: pytest.fail("measured"))
    monkeypatch.setattr("leakaudit.probe.trees.ROUNDS", 5)
    assert scan().probe.reason == ""
