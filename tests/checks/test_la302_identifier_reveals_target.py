from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la302_identifier_reveals_target as la302
from tables import context, frame


def run(made, n_val=200, **roles):
    parts = [{name: column[at] for name, column in made.items()} for at in (slice(0, n_val), slice(n_val, None))]
    where = context(frame("val", **parts[0]), frame("train", **parts[1]), **({"label": "label"} | roles))
    return la302.run(where, la302.CHECK.params)


def rows(n=1000, seed=0):
    random = np.random.default_rng(seed)
    return {"x": random.normal(size=n), "label": random.choice(["yes", "no"], n, p=[0.3, 0.7])}, random


def test_numbers_at_random_tell_nothing():
    made, random = rows()
    made["key"] = random.permutation(1000)
    outcome = run(made)
    assert outcome.status == "passed"
    assert outcome.metrics["key"]["low"] < 0.1


@pytest.mark.parametrize("kind", ["order", "prefix", "number", "digest"])
def test_numbers_given_class_by_class(kind):
    made, random = rows(seed=1)
    rank = np.argsort(np.argsort((made["label"] == "yes") + random.random(1000)))
    made["key"] = {
        "order": rank,
        "prefix": np.array(
            [
                f"{'CT' if y == 'yes' else 'MR'}-{i:04d}"
                for i, y in zip(random.permutation(1000), made["label"], strict=True)
            ]
        ),
        "number": np.array([f"{random.choice(['a', 'b'])}{i:04d}" for i in rank]),
        "digest": np.array([f"{i:08x}" for i in np.argsort(random.permutation(1000)) * 2654435761 % 2**32]),
    }[kind]
    outcome = run(made)
    if kind == "digest":
        assert outcome.status == "passed"
        return
    (finding,) = outcome.findings
    assert (finding.severity, finding.effect["column"]) == ("warning", "key")
    assert finding.effect["low"] >= 0.2


def test_row_numbers_that_every_split_counts_anew():
    made, _ = rows(seed=2)
    made["label"] = np.concatenate([np.sort(made["label"][:500]), np.sort(made["label"][500:])])
    made["index"] = np.concatenate([np.arange(500), np.arange(500)])
    findings = run(made, n_val=500).findings
    assert [(finding.severity, finding.effect["by"]) for finding in findings] == [
        ("warning", "order"),
        ("info", "row order"),
        ("info", "row order"),
    ]


def test_file_names_that_repeat_are_not_learnt_by_heart():
    made, random = rows(seed=5)
    clip = random.permutation(np.repeat(np.arange(125), 8))
    made["label"] = random.choice(["yes", "no"], 125)[clip]
    made["source"] = np.array([f"rec_{i:04d}.wav" for i in random.permutation(9000)[:125]])[clip]
    assert run(made).findings == ()
    made["source"] = np.array(
        [f"{'ill' if y == 'yes' else 'well'}_{i:04d}.wav" for i, y in zip(clip, made["label"], strict=True)]
    )
    (finding,) = run(made).findings
    assert (finding.effect["column"], finding.effect["by"]) in [("source", "pattern"), ("source", "prefix")]


def test_rows_in_the_order_of_the_label_are_to_be_shuffled():
    made, _ = rows(seed=6)
    made["label"] = np.concatenate([np.sort(made["label"][:500]), np.sort(made["label"][500:])])
    findings = run(made, n_val=500).findings
    assert {finding.severity for finding in findings} == {"info"}
    for finding in findings:
        assert finding.effect["fix"].startswith("Shuffle the rows")
        assert "identifier" not in finding.message


def test_a_told_identifier_and_a_quantity():
    made, random = rows(seed=3)
    made["label"] = random.normal(size=1000)
    made["visit"] = np.argsort(np.argsort(made["label"] + 0.5 * random.normal(size=1000))) // 3
    assert run(made).metrics.keys() == {"rows of val", "rows of train"}
    (finding,) = run(made, id="visit").findings
    assert "R²" in finding.message


def test_runs_of_one_group_count_once():
    random = np.random.default_rng(4)
    subject = np.repeat(np.arange(12), 50)
    label = np.array(["yes", "no"])[random.permutation(np.arange(12) % 2)][subject]
    made = {"subject": np.array([f"s{i}" for i in subject]), "record": np.arange(600), "label": label}
    order = random.permutation(600)
    made = {name: column[order] for name, column in made.items()}
    assert run(made, group="subject").status == "passed"


def test_without_labels_that_could_be_told():
    made = {"key": np.arange(300), "label": np.array([f"row {i}" for i in range(300)])}
    assert run(made).status == "skipped"
