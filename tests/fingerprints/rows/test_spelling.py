from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.copies.rows.equal import row_overlap
from leakaudit.checks import la104_duplicate_rows as la104
from tables import context, fingerprint, frame

RNG = np.random.default_rng(0)
SITES = ["North", "South", "East", "West"]


def table(n: int) -> dict[str, list[object]]:
    return {"site": RNG.choice(SITES, n).tolist(), "x": RNG.normal(size=n).tolist(), "z": RNG.normal(size=n).tolist()}


def copied(train: dict[str, list[object]], spell) -> dict[str, list[object]]:
    val = table(60)
    for name in val:
        val[name][:12] = train[name][5:17]
    val["site"] = [spell(str(site)) for site in val["site"]]
    return val


@pytest.mark.parametrize("spell", [str.upper, str.lower, lambda site: f"  {site.lower()} "])
def test_rows_that_the_splits_spell_differently_are_the_same(spell):
    train = table(200)
    made = context(frame("train", **train), frame("val", **copied(train, spell)))
    assert row_overlap(made.rows, "canonical", "val", "train").n_samples == 12
    (note,) = made.rows.notes
    assert "small letters: site" in note.replace("'", "")
    outcome = la104.run(made, la104.CHECK.params)
    assert sum(finding.n_samples for finding in outcome.findings) == 12


def test_copies_alone_may_be_spelt_differently():
    train = table(200)
    val = copied(train, str)
    val["site"][:12] = [f" {str(site).upper()}" for site in val["site"][:12]]
    rows = fingerprint(frame("train", **train), frame("val", **val))
    assert row_overlap(rows, "canonical", "val", "train").n_samples == 12


def test_one_value_alone_may_be_two_values():
    train = table(200)
    val = copied(train, lambda site: "EAST" if site == "East" else site)
    rows = fingerprint(frame("train", **train), frame("val", **val))
    assert not any(column.folded for column in rows.pool.columns)


def test_one_spelling_is_left_as_it_is():
    train = table(200)
    rows = fingerprint(frame("train", **train), frame("val", **copied(train, str)))
    assert not any(column.folded for column in rows.pool.columns)
    assert rows.notes == ()


def test_case_that_tells_values_apart_is_kept():
    train, val = table(200), table(60)
    train["site"] = RNG.choice(["AA", "Aa", "aa"], 200).tolist()
    val["site"] = ["aA"] * 60  # no spelling of train, but train has two of them side by side
    for name in ("x", "z"):
        val[name][:12] = train[name][5:17]
    rows = fingerprint(frame("train", **train), frame("val", **val))
    assert not any(column.folded for column in rows.pool.columns)
    assert row_overlap(rows, "canonical", "val", "train").n_samples == 0


def test_spelling_by_the_rows_of_one_file():
    train = table(200)
    val = copied(train, str.upper)
    both = {name: [*train[name], *val[name]] for name in train}
    data = frame(None, **both, part=["train"] * 200 + ["val"] * 60)
    rows = fingerprint(data, split="part", split_values={"train": "train", "val": "val"})
    assert row_overlap(rows, "canonical", "val", "train").n_samples == 12


def test_long_texts_and_many_values_are_left_to_others():
    train = table(300)
    val = table(60)
    train["code"] = [f"k{i:04d}" for i in range(300)]
    val["code"] = [f"K{i:04d}" for i in range(60)]
    train["said"] = ["a sentence that is longer than any category is"] * 300
    val["said"] = ["A SENTENCE THAT IS LONGER THAN ANY CATEGORY IS"] * 60
    rows = fingerprint(frame("train", **train), frame("val", **val))
    assert not any(column.folded for column in rows.pool.columns)
