import numpy as np
import pyarrow as pa
import pytest

from leakaudit.analysis.copies.texts.masks import templates
from leakaudit.checks import la107_near_duplicate_text as la107
from tables import context, frame

THINGS = ("apples", "bridges", "candles", "doors", "embers", "forests", "gardens", "harbours", "islands", "jackets")
VERBS = ("buys", "sells", "paints", "counts", "carries", "finds", "loses", "keeps", "breaks", "mends")
PEOPLE = ("Ann", "Boris", "Chidi", "Dolores", "Emeka", "Farid", "Greta", "Hideo")


def found(train, val):
    outcome = la107.run(context(frame("train", text=train), frame("val", text=val)), la107.CHECK.params)
    return outcome, [(each.effect.get("layer"), each.severity) for each in outcome.findings]


def notes(n, seed):
    """Sentences of ten words with hardly two in common."""
    random = np.random.default_rng(seed)
    made = ["".join(random.choice(list("abcdefghijklmnop"), 6)) for _ in range(12 * n)]
    return [f"the {' '.join(made[10 * i : 10 * i + 9])} is it" for i in range(n)]


def test_numbers_names_and_addresses_are_masked():
    masked = templates(
        pa.array(
            [
                "yesterday Ann paid 12 dollars to Bob, see https://t.co/x1",
                "RT @carl: yesterday Dora paid 7 dollars to Emil",
                "",
            ],
            pa.large_string(),
        )
    )
    assert masked.template.to_pylist() == ["yesterday # paid # dollars to # see", "yesterday # paid # dollars to #", ""]
    assert masked.words.tolist() == [5, 4, 0]


def test_where_many_words_have_a_capital_no_name_is_masked():
    masked = templates(pa.array(["der Hund sucht das Haus", "die Katze sucht den Garten"], pa.large_string()))
    assert masked.template.to_pylist() == ["der hund sucht das haus", "die katze sucht den garten"]


@pytest.mark.parametrize("how", ["template", "order"])
def test_texts_that_were_passed_on_with_a_change(how):
    random = np.random.default_rng(0)
    train, val = notes(240, 1), notes(60, 2)

    def passed_on(text):
        if how == "order":
            return " ".join(random.permutation(text.split()))
        return f"RT @{random.integers(1e6)}: {text} https://t.co/{random.integers(1e9)}"

    outcome, layers = found(train, [*val, *map(passed_on, train[:12])])
    assert layers == [(how, "warning")]
    assert outcome.findings[0].n_samples == 12
    assert outcome.metrics["val against train"][f"n_{'other_order' if how == 'order' else how}"] == 12
    assert len(outcome.findings[0].evidence.pairs) == 12
    outcome, layers = found(train, val)
    assert layers == []
    assert outcome.status == "passed"


def test_a_set_of_templates_is_parted_by_any_random_split():
    random = np.random.default_rng(3)

    def problem():
        who, other = random.choice(PEOPLE, 2, replace=False)
        verb, thing = random.choice(VERBS), random.choice(THINGS)
        return (
            f"in the shop {who} {verb} {random.integers(2, 1e9)} {thing} and "
            f"{random.integers(2, 1e9)} more of them for {other}"
        )

    problems = [problem() for _ in range(400)]
    outcome, layers = found(problems[:300], problems[300:])
    assert ("template", "info") in layers
    assert "warning" not in {severity for _, severity in layers}
    assert "any random split parts" in outcome.findings[-1].message


def test_long_texts_are_left_to_their_runs_of_words():
    long = [" ".join(notes(30, seed)) for seed in range(4)]
    passed_on = [f"RT @{i}: {text} https://t.co/{i}" for i, text in enumerate(long)]
    _, layers = found([*notes(120, 5), *long], [*notes(40, 6), *passed_on])
    assert {layer for layer, _ in layers} == {None}


def test_near_texts_of_one_template_are_no_copies():
    random = np.random.default_rng(4)

    def line():
        kind, host = ("Connection from", "Request to", "Transfer to")[random.integers(3)], random.integers(1e6)
        return f"{kind} the server {host} was closed after {random.integers(1e3)} seconds without an answer"

    _, layers = found([line() for _ in range(300)], [line() for _ in range(100)])
    assert layers == [("template", "info")]
    edited = notes(300, 7)
    _, layers = found(edited, [*notes(60, 8), *(text.replace("the ", "a ", 1) for text in edited[:5])])
    assert layers == [(None, "error")] * 5
