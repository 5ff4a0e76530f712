from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leakaudit.checks import la105_near_duplicate_rows as la105
from tables import context, frame

N_TRAIN, N_VAL, N_COPIES = 600, 200, 12


def table(n: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    numbers = {f"x{i}": rng.normal(10**i, 3.0, n) for i in range(4)}
    return {**numbers, "kind": rng.choice(["a", "b", "c"], n), "y": rng.choice(["p", "q"], n)}


def run(change, seed=0):
    train, val = table(N_TRAIN, seed), table(N_VAL, seed + 1)
    copies = {name: column[:N_COPIES].copy() for name, column in train.items()}
    change(copies, np.random.default_rng(seed + 2))
    held_out = {name: np.concatenate((column, copies[name])) for name, column in val.items()}
    made = context(frame("train", **train), frame("val", **held_out), label="y")
    return la105.run(made, la105.CHECK.params)


def jitter(size):
    def change(copies, rng):
        for i in range(4):
            copies[f"x{i}"] *= 1 + size * rng.normal(size=N_COPIES)

    return change


def rounding(digits):
    def change(copies, rng):
        for i in range(4):
            copies[f"x{i}"] = copies[f"x{i}"].round(digits)

    return change


def masked(copies, rng):
    copies["x2"] = rng.normal(100, 3.0, N_COPIES)


def nothing(copies, rng):
    for name, column in table(N_COPIES, 99).items():
        copies[name] = column


@pytest.mark.parametrize(
    ("change", "ways"),
    [
        (jitter(1e-6), {"fine-jitter"}),
        (jitter(1e-5), {"fine-jitter"}),
        (jitter(3e-4), {"jitter"}),
        (rounding(1), {"rounded", "jitter"}),
        (rounding(3), {"rounded", "jitter", "fine-jitter"}),
        (masked, {"one-column"}),
    ],
)
def test_every_way_is_found(change, ways):
    outcome = run(change)
    assert outcome.status == "failed"
    assert {finding.effect["way"] for finding in outcome.findings} <= ways
    assert {finding.severity for finding in outcome.findings} == {"warning"}
    assert sum(finding.n_samples for finding in outcome.findings) == pytest.approx(N_COPIES, abs=1)
    assert outcome.pairs is not None
    named = {row["uri_a"]: row["uri_b"] for row in pa.Table.from_batches(outcome.pairs()).to_pylist()}
    assert sum(named.get(f"val#{N_VAL + i}") == f"train#{i}" for i in range(N_COPIES)) >= N_COPIES - 1


def test_the_changed_column_is_named():
    (finding,) = run(masked).findings
    assert finding.effect["column"] == "x2"


@pytest.mark.parametrize("seed", range(3))
def test_clean_splits_are_quiet(seed):
    assert run(nothing, seed).status == "passed"


def test_equal_rows_are_the_business_of_another_check():
    outcome = run(lambda _copies, _rng: None)
    assert outcome.findings == ()


def test_near_twins_on_every_side_are_usual():
    rng = np.random.default_rng(0)
    cells = {f"x{i}": np.repeat(rng.normal(size=400), 2) * (1 + 1e-5 * rng.normal(size=800)) for i in range(4)}
    order = rng.permutation(800)
    train = {name: column[order[:600]] for name, column in cells.items()}
    val = {name: column[order[600:]] for name, column in cells.items()}
    outcome = la105.run(context(frame("train", **train), frame("val", **val)), la105.CHECK.params)
    assert outcome.metrics["val against train"]["n_fine-jitter"] > 100
    assert outcome.findings == ()


def test_dense_tables_do_not_flood():
    rng = np.random.default_rng(0)
    train, val = ({"a": rng.integers(0, 12, n), "b": rng.integers(0, 12, n)} for n in (3000, 1000))
    outcome = la105.run(context(frame("train", **train), frame("val", **val)), la105.CHECK.params)
    assert outcome.findings == ()
    assert outcome.status == "inconclusive"


def correlated(n: int, seed: int) -> dict[str, np.ndarray]:
    """Eight columns of two factors, of different sizes."""
    rng = np.random.default_rng(7)
    weights, scale = rng.normal(size=(2, 8)), 10.0 ** rng.integers(-2, 3, 8)
    rng = np.random.default_rng(seed)
    cells = (rng.normal(size=(n, 2)) @ weights + rng.normal(size=(n, 8))) * scale
    return {f"x{i}": column for i, column in enumerate(cells.T)}


def noisy(n_copied: int, size: float, seed: int):
    train, val = correlated(360, seed), correlated(110, seed + 50)
    rng = np.random.default_rng(seed)
    for name, column in train.items():
        val[name][:n_copied] = column[:n_copied] + size * np.std(column) * rng.normal(size=n_copied)
    return la105.run(context(frame("train", **train), frame("val", **val)), la105.CHECK.params)


@pytest.mark.parametrize("size", [0.02, 0.05, 0.1])
def test_copies_with_noise_are_nearer_than_neighbours(size):
    outcome = noisy(20, size, 0)
    (finding,) = outcome.findings
    assert (finding.severity, finding.effect["way"]) == ("warning", "noise")
    assert finding.n_samples == pytest.approx(20, abs=3)
    pairs = {(row["uri_a"], row["uri_b"]) for row in pa.Table.from_batches(outcome.pairs()).to_pylist()}
    assert sum((f"val#{i}", f"train#{i}") in pairs for i in range(20)) >= 17


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_of_one_population_are_no_copies(seed):
    assert noisy(0, 0.05, seed).findings == ()
    assert noisy(20, 1.5, seed).findings == ()  # noise so large that nothing of the row is left


def test_rows_that_are_too_many_for_their_distances_are_said(monkeypatch):
    from leakaudit.analysis.copies.rows import noisy as rooms

    monkeypatch.setattr(rooms, "MOST_WORK", 1_000_000)
    outcome = noisy(20, 0.05, 0)
    assert outcome.findings == ()
    assert "copies with much noise were not looked for, too many rows: 110 against 360" in outcome.reason
