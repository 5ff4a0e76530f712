from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.copies.rows.agreement import agreement
from leakaudit.analysis.copies.rows.chance import ALPHA, _is_likely, chance_of_pairs
from leakaudit.analysis.copies.rows.equal import n_equal_pairs
from tables import fingerprint, frame


def agreement_rate(cells: np.ndarray) -> float:
    return agreement(cells).rate


def hashes(cells: np.ndarray) -> np.ndarray:
    return (cells.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)


@pytest.mark.parametrize(("columns", "values"), [(3, 4), (5, 3), (6, 5), (8, 3)])
def test_independent_columns_agree_as_often_as_the_product_says(columns, values):
    cells = np.random.default_rng(columns).integers(0, values, (columns, 4000))
    assert agreement_rate(hashes(cells)) == pytest.approx(values**-columns, rel=0.1)


def test_copies_are_no_evidence_of_chance():
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 10**9, (5, 1000))
    assert agreement_rate(hashes(np.hstack((cells, cells)))) == 0
    coarse = rng.integers(0, 4, (6, 2000))
    clean = agreement_rate(hashes(coarse))
    assert agreement_rate(hashes(np.hstack((coarse, coarse[:, :200])))) == pytest.approx(clean, rel=0.05)


def test_a_column_that_another_one_gives_away_counts_once():
    cells = np.random.default_rng(0).integers(0, 6, (3, 3000))
    same = agreement_rate(hashes(np.vstack((cells, cells[0] // 1))))
    assert same == pytest.approx(agreement_rate(hashes(cells)), rel=0.05)


def test_degenerate_tables():
    assert agreement_rate(np.zeros((3, 0), np.uint64)) == agreement_rate(np.zeros((3, 1), np.uint64)) == 0
    assert agreement_rate(hashes(np.arange(50)[None, :])) == 0
    assert agreement_rate(hashes(np.repeat(np.arange(5), 40)[None, :])) == pytest.approx(0.2, abs=0.01)


def test_pairs_by_chance_and_pairs_beyond():
    rng = np.random.default_rng(0)
    cells = {f"x{i}": rng.integers(0, 5, 1000).tolist() for i in range(5)}
    fine = {f"x{i}": rng.normal(size=1000).tolist() for i in range(5)}
    for table, is_chance in ((cells, True), (fine, False)):
        held_out = {name: [*column[:20], *column[900:]] for name, column in table.items()}
        train = {name: column[:900] for name, column in table.items()}
        rows = fingerprint(frame("train", **train), frame("val", **held_out))
        chance = chance_of_pairs(rows, "canonical", "val", "train", n_equal_pairs(rows, "canonical", "val", "train"))
        assert chance.explains is chance.coarse is is_chance


def test_the_bounds_that_spare_scipy_decide_as_it_does():
    from scipy.special import pdtrc

    random = np.random.default_rng(0)
    for mean in 10 ** random.uniform(-6, 6, 3000):
        n = int(max(1, random.poisson(mean) + random.integers(-3, 6) * (1 + mean**0.5)))
        assert _is_likely(n, mean) == (pdtrc(n - 1, mean) >= ALPHA)


def test_rows_of_which_nothing_is_left_are_no_copies():
    """What is left after the row numbers and the weights is one of a dozen rows: nothing is said of any sample."""
    rng = np.random.default_rng(0)
    place = rng.integers(0, 6, 5_000)
    columns = {"n": np.arange(5_000), "chromosome": 14 + (place > 3), "gene": place // 2, "colour": place // 2 % 2}
    train, val = ({name: of[at].tolist() for name, of in columns.items()} for at in (slice(1_000, None), slice(1_000)))
    rows = fingerprint(frame("train", **train), frame("val", **val))
    assert [*rows.beside] == ["n"]
    n_pairs = n_equal_pairs(rows, "reduced", "val", "train")
    assert chance_of_pairs(rows, "reduced", "val", "train", n_pairs).explains
