import numpy as np
import pytest

from leakaudit.checks import la104_duplicate_rows as la104
from leakaudit.checks import la106_duplicate_text as la106
from tables import context, frame

NOUNS = ("anchor", "bridge", "candle", "door", "ember", "forest", "garden", "harbour", "island", "jacket", "kettle")


def texts(n, seed, words=12):
    random = np.random.default_rng(seed)
    return [f"the {' '.join(random.choice(NOUNS, words))} was {i} of {seed}" for i in range(n)]


def short(i):
    return f"is the {NOUNS[i % 11]} number {i}?"


def found(train, val, **more):
    where = context(
        frame("train", text=train, label=["a", "b"] * (len(train) // 2) + ["a"] * (len(train) % 2)),
        frame("val", text=val, label=["a", "b"] * (len(val) // 2) + ["a"] * (len(val) % 2)),
        **more,
    )
    both = [check.run(where, check.CHECK.params) for check in (la104, la106)]
    return {(each.code, each.severity) for outcome in both for each in outcome.findings}, both


@pytest.mark.parametrize("roles", [{}, {"label": "label"}])
def test_what_people_say_all_the_time_is_no_copy(roles):
    train = [*texts(300, 0), *(["Ok"] * 16), *(["Sorry, I will call later"] * 16)]
    val = [*texts(100, 1), *(["Ok"] * 4), *(["Sorry, I will call later"] * 4)]
    codes, (rows, same) = found(train, val, **roles)
    assert codes == set()
    assert "too short or too common to tell (LA106)" in rows.reason
    assert same.metrics["val against train"]["n_untelling"] == 8


def test_a_lone_short_text_cannot_be_told_and_a_long_one_can():
    lone = "I love it so!"
    codes, _ = found([*texts(300, 0), lone], [*texts(99, 1), lone])
    assert codes == {("LA106", "warning")}
    long = "I bought it twice because the first one was stolen in the park"
    codes, _ = found([*texts(300, 0), long], [*texts(99, 1), long])
    assert codes == {("LA106", "error")}


def test_many_short_copies_are_copies():
    train = [*texts(300, 0), *map(short, range(40))]
    codes, _ = found(train, [*texts(80, 1), *map(short, range(20, 40))])
    assert codes == {("LA104", "error")}


def test_short_texts_that_repeat_as_much_inside_are_worth_knowing():
    random = np.random.default_rng(0)
    pool = [*texts(400, 0), *(short(i) for i in range(60) for _ in range(2))]
    order = random.permutation(len(pool))
    val, train = ([pool[i] for i in part] for part in (order[:130], order[130:]))
    codes, (_, same) = found(train, val)
    assert codes == {("LA106", "info")}
    (finding,) = same.findings
    assert "as often as such texts repeat inside train" in finding.message
    assert finding.n_samples == same.metrics["val against train"]["n_short"] > 10
