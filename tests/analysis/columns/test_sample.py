from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from leakaudit.analysis.columns.sample import (
    draw_sample,
    equal_units,
    features,
    grouped_folds,
    groups_of,
    kept_together,
    target,
)
from leakaudit.checks import la204_unseen_categories as la204
from leakaudit.checks import la205_separable_splits as la205
from tables import context, frame

NAN = float("nan")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(-1, 4)), min_size=1, max_size=30))
def test_units_join_equal_rows_and_groups(rows):
    table = np.array(rows)
    found = equal_units([table[:, 0], table[:, 1]], table[:, 2])
    label = list(range(len(rows)))
    changed = True
    while changed:
        changed = False
        for i, (a, b, g) in enumerate(rows):
            for j, (x, y, h) in enumerate(rows):
                if ((a, b) == (x, y) or g == h >= 0) and label[i] != label[j]:
                    label[i] = label[j] = min(label[i], label[j])
                    changed = True
    assert [[x == y for y in label] for x in label] == [[bool(x == y) for y in found] for x in found]


def test_missing_numbers_equal_each_other():
    assert equal_units([np.array([NAN, NAN, 1.0])], None).tolist() == [1, 1, 0]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.integers(2, 5))
def test_folds_keep_units_together_and_are_even(units, n_folds):
    units = np.array(units)
    fold = grouped_folds(units, np.zeros(len(units), dtype=np.int64), n_folds)
    for unit in np.unique(units):
        assert len(set(fold[units == unit].tolist())) == 1
    sizes = [len(np.unique(units[fold == part])) for part in range(n_folds)]
    assert max(sizes) - min(sizes) <= 1


def test_row_numbers_of_every_split_are_identifiers():
    train = frame("train", index=list(range(200)), age=[i % 70 for i in range(200)], label=["a", "b"] * 100)
    val = frame("val", index=list(range(50)), age=[i % 70 for i in range(50)], label=["a", "b"] * 25)
    where = context(train, val, label="label")
    sample = draw_sample(where)
    assert [each.name for each in features(where, sample, ("identifier",))] == ["index"]
    assert [each.name for each in features(where, sample, ("number",))] == ["age"]


def test_large_splits_are_sampled_and_it_is_said():
    train = frame("train", x=np.arange(5000) % 977, label=["a", "b"] * 2500)
    val = frame("val", x=np.arange(100) % 7, label=["a", "b"] * 50)
    sample = draw_sample(context(train, val, label="label"), at_most=1000)
    assert np.bincount(sample.splits).tolist() == [1000, 100]
    assert sample.sampled == ("1,000 of the 5,000 rows of train were looked at",)


def test_targets():
    def of(labels):
        where = context(
            frame("train", x=list(range(len(labels))), y=labels), frame("val", x=[1, 2], y=labels[:2]), label="y"
        )
        return target(where, draw_sample(where))

    classes = of(["no", "yes", None] * 20)
    assert classes.classes == ("no", "yes")
    assert classes.codes[:4].tolist() == [0, 1, -1, 0]
    numbers = of([i / 3 for i in range(60)])
    assert numbers.codes is None
    assert numbers.values[:2].tolist() == [0, 0.333333333]
    prices = of([i * 7 % 400 for i in range(60)])
    assert prices.codes is None
    assert "names samples" in of([f"row {i}" for i in range(60)])


def test_groups_declared_or_kept_together():
    names = [f"p{i // 10}" for i in range(400)]
    train = frame("train", patient_id=names[:300], x=list(range(300)))
    val = frame("val", patient_id=names[300:], x=list(range(100)))
    where = context(train, val)
    name, codes = groups_of(where, draw_sample(where))
    assert name == "patient_id"
    assert len(np.unique(codes)) == 40
    cut = context(train, frame("val", patient_id=names[:100], x=list(range(100))))
    assert groups_of(cut, draw_sample(cut)) is None
    told = context(train, frame("val", patient_id=names[:100], x=list(range(100))), group="patient_id")
    assert groups_of(told, draw_sample(told))[0] == "patient_id"


def passages(n_titles=40, together=True, seed=0):
    """Titles of articles with three passages each, four questions a passage; a quarter of the titles is held out."""
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcdefghij"), 6)) for _ in range(3_000)]
    title = np.repeat(np.arange(n_titles), 12)
    passage = np.repeat([f"the {' '.join(random.choice(words, 30))} is it" for _ in range(3 * n_titles)], 4)
    question = [f"what is {' '.join(random.choice(words, 6))}?" for _ in title]
    drawn = (title if together else np.arange(len(title)) // 4) % 4 == 0
    columns = {"title": np.array([f"title {i}" for i in title]), "context": passage, "question": np.array(question)}
    sides = (("train", ~drawn), ("test", drawn))
    return context(*(frame(name, **{key: each[at].tolist() for key, each in columns.items()}) for name, at in sides))


def test_what_holds_kept_groups_together_was_drawn():
    made = passages()
    sample = draw_sample(made)
    assert groups_of(made, sample)[0] == "title"
    assert kept_together(made, sample) == {"title", "context"}
    by_passage = passages(together=False)
    sample = draw_sample(by_passage)
    assert groups_of(by_passage, sample)[0] == "context"
    assert kept_together(by_passage, sample) == {"context"}


def test_a_split_by_titles_gets_no_advice_to_draw_at_random():
    made = passages()
    assert la204.run(made, la204.CHECK.params).status == "skipped"
    assert not la205.run(made, la205.CHECK.params).findings
