from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la301_feature_reveals_target as la301
from tables import context, frame


def rows(n=800, seed=0):
    random = np.random.default_rng(seed)
    a, b, c = random.normal(size=(3, n))
    label = np.where(a + b + random.normal(size=n) > 0, "yes", "no")
    return {"a": a, "b": b, "c": c, "kind": random.choice(["oak", "ash"], n), "label": label}


def run(made, **roles):
    n = len(made["label"])
    parts = [{name: column[at] for name, column in made.items()} for at in (slice(0, n // 4), slice(n // 4, n))]
    where = context(frame("val", **parts[0]), frame("train", **parts[1]), **({"label": "label"} | roles))
    return la301.run(where, la301.CHECK.params)


def test_good_features_are_no_leaks():
    outcome = run(rows())
    assert outcome.status == "passed"
    assert outcome.metrics["n_columns"] == 4
    assert 0.2 < outcome.metrics["a: gain"] < 0.6


@pytest.mark.parametrize("spelt", ["text", "number", "missing", "quantity"])
def test_the_label_in_other_words(spelt):
    made, random = rows(), np.random.default_rng(1)
    yes = made["label"] == "yes"
    made["outcome"] = {
        "text": np.where(yes, random.choice(["paid", "settled"], 800), "due"),
        "number": np.where(yes, 17, 4),
        "missing": np.where(yes, random.normal(size=800), np.nan),
        "quantity": random.random(800) + 1.01 * yes + 7.3,
    }[spelt]
    findings = run(made).findings
    assert {finding.effect["column"] for finding in findings} == {"outcome"}
    assert findings[0].severity == "error"
    assert findings[0].effect["gain"] > 0.99
    assert findings[0].effect["without"] < 0.7
    assert "all other columns" in findings[0].message


def test_a_noisy_leak_is_a_warning():
    made, random = rows(), np.random.default_rng(2)
    made["outcome"] = np.where(random.random(800) < 0.95, made["label"], "unclear")
    (finding,) = run(made).findings
    assert finding.severity == "warning"


def test_an_easy_problem_has_no_leak():
    random = np.random.default_rng(3)
    label = random.choice(["yes", "no"], 600)
    columns = {name: random.normal(size=600) + 9 * (label == "yes") for name in "abc"}
    outcome = run({**columns, "label": label})
    assert outcome.metrics["a: gain"] > 0.99
    assert (outcome.status, outcome.findings) == ("inconclusive", ())
    others = {name: random.normal(size=600) + 3 * (label == "yes") for name in "defgh"}
    assert run({**columns, **others, "label": label}).status == "passed"


def test_two_leaks_do_not_hide_each_other():
    made = rows()
    made["outcome"], made["code"] = made["label"], np.where(made["label"] == "yes", 3, 8)
    assert {finding.effect["column"] for finding in run(made).findings} == {"outcome", "code"}


def test_several_leaks_of_which_one_is_certain_do_not_hide_each_other():
    made, random = rows(1600), np.random.default_rng(8)
    yes = made["label"] == "yes"
    made["code"] = np.where(yes, random.choice(["F", "G"], 1600), None)
    for name in ("text", "later"):
        made[name] = np.where((random.random(1600) < 0.985) == yes, "paid", "due")
    outcome = run(made)
    assert {finding.effect["column"] for finding in outcome.findings} == {"code", "text", "later"}
    noisy = [finding for finding in outcome.findings if finding.effect["column"] != "code"]
    assert all(finding.effect["without"] < 0.7 for finding in noisy)
    del made["code"]
    assert {finding.effect["column"] for finding in run(made).findings} == {"text", "later"}


def test_good_features_of_one_kind_are_not_decided():
    made, random = rows(3000), np.random.default_rng(9)
    size = random.normal(size=3000)
    made["label"] = size + 0.1 * random.normal(size=3000)
    sizes = {name: size + 0.15 * random.normal(size=3000) for name in ("carat", "x", "y")}
    outcome = run(made | sizes)
    assert (outcome.status, outcome.findings) == ("inconclusive", ())
    assert "cannot be told" in outcome.reason
    assert run(made | {"carat": sizes["carat"]}).status == "failed"


def test_customers_of_one_label_each_are_groups_and_no_leak():
    random = np.random.default_rng(10)
    customer = random.permutation(np.repeat(np.arange(150), 6))
    made = {
        "customer": customer,
        "ref": np.array([f"K{i:04d}" for i in customer]),
        "x": random.normal(size=900),
        "label": random.choice(["stays", "leaves"], 150)[customer],
    }
    assert run(made).status == "passed"


def test_one_class_of_several():
    made, random = rows(), np.random.default_rng(4)
    made["label"] = random.choice(["a", "b", "c", "d"], 800)
    made["died"] = np.where(made["label"] == "c", "2020", None)
    (finding,) = run(made).findings
    assert finding.severity == "warning"
    assert "label c from the others" in finding.message


def test_quantities():
    made, random = rows(), np.random.default_rng(5)
    made["label"] = made["a"] + random.normal(size=800)
    assert run(made).status == "passed"
    made["fahrenheit"] = 32 + 1.8 * made["label"]
    (finding,) = run(made).findings
    assert (finding.severity, finding.effect["column"]) == ("error", "fahrenheit")


def test_patients_are_not_learnt_by_heart():
    random = np.random.default_rng(6)
    patient = np.repeat(np.arange(60), 12)
    made = {
        "patient": np.array([f"p{i}" for i in patient]),
        "age": random.permutation(60)[patient] + 20,
        "pulse": random.normal(size=720),
        "label": random.choice(["ill", "well"], 60)[patient],
    }
    order = random.permutation(720)
    made = {name: column[order] for name, column in made.items()}
    assert run(made, group="patient").status == "passed"


def test_nothing_to_compare_with():
    made = {"outcome": np.array(["a", "b"] * 100), "label": np.array(["x", "y"] * 100)}
    assert (run(made).status, run(made).findings) == ("inconclusive", ())
    noisy = made | {"outcome": np.where(np.arange(200) % 71 == 0, "a", made["outcome"])}
    assert run(noisy).status == "inconclusive"
    assert "no other column" in run(noisy).reason
    assert run(made | {"outcome": np.array(["a", "b", "a", "a"] * 50)}).status == "passed"
    assert run({"a": np.arange(40) % 7, "label": np.array([f"row {i}" for i in range(40)])}).status == "skipped"


def test_text_beside_a_code_of_the_label():
    random = np.random.default_rng(7)
    label = random.choice(["buy", "sell"], 400)
    made = {
        "text": np.array([f"please {word} number {i} for me today" for i, word in enumerate(label)]),
        "intent": np.where(label == "buy", 1, 2),
        "label": label,
    }
    (finding,) = run(made).findings
    assert finding.effect["column"] == "intent"
