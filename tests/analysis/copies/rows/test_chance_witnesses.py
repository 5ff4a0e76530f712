"""Who says that equal rows are chance: the model, the reference split, or random assignment."""

from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.copies.rows.chance import chance_of_pairs
from leakaudit.analysis.copies.rows.equal import n_equal_pairs
from tables import fingerprint, frame

Cells = dict[str, np.ndarray]


def cut(cells: Cells, n_val: int, seed: int = 0) -> tuple[Cells, Cells]:
    """Train and validation rows, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(next(iter(cells.values()))))
    return tuple({name: cell[at] for name, cell in cells.items()} for at in (order[n_val:], order[:n_val]))


def judge(train: Cells, val: Cells, layer="canonical", label=None):
    rows = fingerprint(
        *(frame(name, **{k: v.tolist() for k, v in side.items()}) for name, side in (("train", train), ("val", val))),
        label=label,
    )
    return chance_of_pairs(rows, layer, "val", "train", n_equal_pairs(rows, layer, "val", "train"))


def categories(n: int, columns: int, seed: int, *, n_values: int = 40, zipf: bool = True, tied: float = 0.9) -> Cells:
    """A category by Zipf's law or not, others that hang on it, and a label that does."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_values + 1) ** (1.1 if zipf else 0)
    first = rng.choice(n_values, n, p=share / share.sum())
    cells = {"product": np.char.add("w", first.astype(str))}
    for at in range(1, columns - 1):
        maker = np.where(rng.random(n) < tied, rng.integers(0, 6, n_values)[first], rng.integers(0, 6, n))
        cells[f"maker {at}"] = np.char.add("m", maker.astype(str))
    cells["label"] = np.where(rng.random(n) < rng.random(n_values)[first], "O", "P")
    return cells


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("columns", "zipf"), [(2, True), (2, False), (3, True), (3, False)])
def test_few_categories_that_hang_together_are_chance(columns, zipf, seed):
    train, val = cut(categories(1_500, columns, seed, zipf=zipf), 300, seed)
    chance = judge(train, val, label="label")
    assert chance.n_pairs > 300
    assert chance.explains
    assert judge(train, val, "without_label", label="label").explains


def test_categories_that_hardly_repeat_cannot_be_told_and_copies_can():
    cells = categories(400, 3, 0, n_values=600, zipf=False, tied=1.0)
    del cells["label"]
    train, val = cut(cells, 80)
    chance = judge(train, val)
    assert (chance.explains, chance.unsure, chance.witness) == (False, True, "reference")
    once = {name: cell[np.unique(train["product"], return_index=True)[1]] for name, cell in train.items()}
    again = {name: np.concatenate((val[name], cell[:40])) for name, cell in once.items()}
    chance = judge(once, again)
    assert (chance.explains, chance.unsure) == (False, False)


def test_chance_cannot_give_across_what_it_does_not_give_inside():
    """A coarse table: rows of validation are all copies, while train has every row once."""
    rng = np.random.default_rng(0)
    cells = np.unique(rng.integers(0, 4, (6_000, 6)), axis=0)
    order = rng.permutation(len(cells))[: len(cells) * 2 // 3]
    once = {f"x{i}": cells[order, i] for i in range(6)}
    copies = {name: cell[:400] for name, cell in once.items()}
    chance = judge(once, copies)
    assert (chance.explains, chance.unsure, chance.coarse, chance.witness) == (False, False, False, "assignment")
    other = {f"x{i}": rng.integers(0, 4, (6, 3_000))[i] for i in range(6)}
    assert judge(*cut(other, 600)).explains


def grades(n: int, seed: int) -> Cells:
    """Four measurements in tenths: a pair or so in 150 rows is equal by chance."""
    rng = np.random.default_rng(seed)
    size = rng.normal(0, 1, n)
    return {f"x{i}": np.round(5 + size * 0.6 + rng.normal(0, 0.22, n), 1) for i in range(4)}


def test_a_few_copies_in_a_small_table_cannot_be_told_from_chance():
    train, val = cut(grades(153, 1), 41)
    assert judge(train, val).explains
    planted = {name: np.concatenate((cell[3:], train[name][:3])) for name, cell in val.items()}
    chance = judge(train, planted)
    assert (chance.n_pairs, chance.unsure) == (3, True)
    many = {name: np.concatenate((cell[15:], train[name][:15])) for name, cell in val.items()}
    chance = judge(train, many)
    assert (chance.explains, chance.unsure) == (False, False)


def test_random_splits_of_one_table_have_one_verdict():
    """Contracts: services by the plan, a bill by the services, and a total that is the bill in the first month."""
    rng = np.random.default_rng(1)
    n = 2_500
    plan, months = rng.integers(0, 3, n), np.where(rng.random(n) < 0.15, 1, rng.integers(2, 72, n))
    services = {f"s{i}": np.where(plan == 0, 2, rng.integers(0, 2, n)) for i in range(6)}
    bill = np.round(
        20 + 25 * plan + 5 * sum((plan > 0) * s for s in services.values()) + rng.integers(-4, 5, n) / 20, 2
    )
    total = np.where(months == 1, bill, np.round(bill * months * (1 + rng.normal(0, 0.02, n)), 2))
    kind = {"pay": rng.integers(0, 4, n), "sex": rng.integers(0, 2, n), "paper": rng.integers(0, 2, n)}
    cells = {"plan": plan, "months": months, **services, "bill": bill, "total": total, **kind}
    verdicts = set()
    for seed in range(20):
        chance = judge(*cut(cells, 500, seed))
        verdicts.add(chance.explains or chance.unsure)
        assert chance.n_pairs
    assert verdicts == {True}


def test_a_column_of_weights_makes_chance_small():
    """Rows that agree without their weights do so by chance; with the weights, they were entered twice."""
    rng = np.random.default_rng(2)
    n = 3_000
    cells = {f"x{i}": rng.integers(0, 4, n) for i in range(5)} | {"weight": rng.permutation(n * 30)[:n] + 1}
    cells["weight"][: n // 4] = rng.choice(cells["weight"], n // 4)
    train, val = cut(cells, 600)
    assert judge(train, val).explains or judge(train, val).unsure
    doubled = {name: np.concatenate((cell, train[name][:6])) for name, cell in val.items()}
    chance = judge(train, doubled)
    assert (chance.explains, chance.unsure) == (False, False)
    assert chance.expected < 2
