"""What the checks of the probe say beyond their fixtures."""

import numpy as np
import pandas as pd
import pytest

from leakaudit import audit

CODES = ("LA206", "LA401", "LA402", "LA403", "LA404", "LA405", "LA406")


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    monkeypatch.setattr("leakaudit.probe.trees.ROUNDS", 30)


def table(n_train, n_val, seed=0, noise=1.0, n_copied=0, jitter=0.0):
    rng = np.random.default_rng(seed)
    n = n_train + n_val
    x = rng.normal(size=(n, 5))
    label = x[:, 0] + x[:, 1] + noise * rng.normal(size=n) > 0
    x[n_train : n_train + n_copied] = x[:n_copied] + jitter * rng.normal(size=(n_copied, 5))
    label[n_train : n_train + n_copied] = label[:n_copied]
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(5)]).assign(label=np.where(label, "yes", "no"))
    return frame[:n_train], frame[n_train:]


def outcomes(train, val, **kwargs):
    settings = {"label": "label", "select": CODES, "probe": "cpu", "jobs": 1, **kwargs}
    report = audit(train=train, val=val, **settings)
    return {outcome.code: outcome for outcome in report.outcomes}


def test_copies_that_no_check_lists_are_unexplained_and_named():
    found = outcomes(*table(500, 150, noise=2.0, n_copied=60, jitter=0.01))
    (low,) = found["LA401"].findings
    assert "is unexplained: look at the samples it knows best" in low.message
    assert low.effect["known"] == 0
    assert low.effect["rest"] > 0
    assert found["LA402"].status == "passed"
    (memorised,) = found["LA403"].findings
    assert memorised.n_samples == pytest.approx(60, abs=3)
    pair = memorised.evidence.pairs[0]
    assert int(pair.a.uri.split("#")[1]) == int(pair.b.uri.split("#")[1])


def test_copies_that_are_listed_are_the_control_of_la403():
    found = outcomes(*table(500, 150, noise=2.0, n_copied=60))
    assert found["LA403"].status != "failed"
    metrics = found["LA403"].metrics["val"]
    assert metrics["n_recognised_known"] == metrics["n_known"] == 60


def test_a_harder_validation_split_is_told_as_harder():
    train, _ = table(400, 20, noise=0.2)
    _, val = table(20, 200, seed=1, noise=2.0)
    found = outcomes(train, val)
    (finding,) = found["LA206"].findings
    assert "val is harder than train" in finding.message
    assert finding.effect["difference"] < 0
    assert found["LA401"].status != "failed"


def test_few_samples_are_inconclusive_with_what_would_show():
    found = outcomes(*table(80, 25))
    assert found["LA401"].status == "inconclusive"
    assert "would show" in found["LA401"].reason


def test_a_shift_that_would_hide_a_leak_is_not_passed():
    train, val = table(400, 150)
    names = sorted(set(val["label"]))
    assert len(names) == 2
    val["label"] = [names[1 - names.index(label)] for label in val["label"]]
    found = outcomes(train, val)
    assert found["LA401"].status == "inconclusive"
    assert "the splits differ in what train teaches" in found["LA401"].reason


def test_what_the_models_do_not_learn_hides_leaks_and_is_said():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.integers(0, 2, 900)})
    frame["label"] = np.where(rng.random(900) < 0.3 + 0.4 * frame["x"], "yes", "no")
    found = outcomes(frame[:600], frame[600:])
    assert found["LA401"].status == "inconclusive"


def test_findings_have_ids_of_what_is_affected():
    first, other = (outcomes(*table(400, 120, seed=seed, noise=2.0, n_copied=40)) for seed in (0, 1))
    ids = {outcome.findings[0].id for outcome in (first["LA401"], other["LA401"], first["LA402"])}
    assert len(ids) == 3
