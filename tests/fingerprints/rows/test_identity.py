from __future__ import annotations

import numpy as np

from leakaudit.config import Config
from tables import fingerprint, frame


def coarse(n: int, seed: int) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    return {f"c{i}": rng.integers(0, 6, n).tolist() for i in range(4)}


def beside(config: Config | None = None, **columns) -> dict[str, str]:
    made = {name: np.asarray(values) for name, values in columns.items()}
    n = len(next(iter(made.values())))
    train = {name: values[: n * 3 // 4].tolist() for name, values in made.items()}
    val = {name: values[n * 3 // 4 :].tolist() for name, values in made.items()}
    return dict(fingerprint(frame("train", **train), frame("val", **val), config=config).beside)


def test_row_numbers_that_begin_again_in_each_split_are_identifiers():
    numbers = [*range(300), *range(100)]
    assert list(beside(n=numbers, **coarse(400, 0))) == ["n"]
    assert list(beside(n=[f"id-{i:05d}" for i in range(400)], **coarse(400, 0))) == ["n"]
    assert beside(Config(jobs=1, keep_columns=("n",)), n=numbers, **coarse(400, 0)) == {}


def test_a_dozen_held_out_rows_do_not_hide_an_identifier():
    assert list(beside(n=list(range(48)), **coarse(48, 0))) == ["n"]  # 36 and 12
    assert beside(n=list(range(24)), **coarse(24, 0)) == {}  # 18 and 6


def test_sentences_and_measurements_are_no_identifiers():
    sentences = [f"the number of this sentence is {i}" for i in range(400)]
    assert beside(s=sentences, **coarse(400, 0)) == {}
    rng = np.random.default_rng(0)
    assert beside(**{f"x{i}": rng.normal(5, 1, 400) for i in range(6)}) == {}
    assert beside(**{f"x{i}": rng.lognormal(5, 1, 4000).round(2) for i in range(6)}) == {}


def test_whole_numbers_that_were_measured_are_no_identifiers():
    rng = np.random.default_rng(1)
    size = rng.lognormal(0, 1, 110)
    cells = coarse(110, 0) | {"rooms": np.rint(4 * size).tolist()}
    assert beside(area=np.rint(70_000 * size * rng.lognormal(0, 0.2, 110)), **cells) == {}
    assert len({*np.rint(900 * size)}) > 100
    numbers = {f"x{i}": np.rint(rng.lognormal(12, 1, 110)) for i in range(12)}  # nothing sets one of them apart
    assert beside(**numbers) == {}


def test_numbers_drawn_from_far_more_than_there_are_rows_are_identifiers():
    rng = np.random.default_rng(1)
    for n in (110, 4_000):
        assert list(beside(n=rng.integers(10**9, 10**10, n), **coarse(n, 0))) == ["n"]
        assert list(beside(n=rng.permutation(3 * n)[:n] + 5_000, **coarse(n, 0))) == ["n"]


def test_a_column_that_is_constant_in_each_split():
    source = ["a.csv"] * 300 + ["b.csv"] * 100
    assert beside(source=source, **coarse(400, 0)) == {"source": "one value throughout each split"}


def test_a_weight_is_unrelated_to_everything_else():
    rng = np.random.default_rng(0)
    cells = coarse(4000, 0)
    weight = rng.lognormal(12, 0.5, 4000).astype(int) // 200 * 200
    assert list(beside(w=weight, **cells)) == ["w"]
    assert beside(w=weight * (1 + np.array(cells["c1"])), **cells) == {}
    assert beside(w=weight - weight.max(), **cells) == {}


def test_never_every_column():
    assert beside(n=list(range(400))) == {}
