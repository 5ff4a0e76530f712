from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from leakaudit import audit
from leakaudit.checks import la110_conflicting_labels as la110
from leakaudit.config import Config
from leakaudit.model import TableFile
from tables import context, frame

WORDS = ["anchor", "bridge", "candle", "door", "ember", "forest", "garden", "harbour", "island", "jacket"]


def run(*files, **columns):
    return la110.run(context(*files, **columns), la110.CHECK.params)


def test_across_is_an_error_and_inside_a_warning():
    train = frame("train", x=["1", "2", "2", "2", "3"], y=["a", "a", "a", "b", "a"])
    val = frame("val", x=["1.0", "3", "4"], y=["b", "a", "a"])
    outcome = run(train, val, label="y")
    assert outcome.status == "failed"
    across, inside = outcome.findings
    assert (across.severity, across.splits, across.n_samples) == ("error", ("val", "train"), 1)
    assert across.message == "val#0 has the same features as train#0, labelled 'b' against 'a'"
    assert across.evidence.breakdown is not None
    assert across.evidence.breakdown.columns == ("label", "n val", "n train")
    assert across.evidence.breakdown.rows == (("a", 0, 1), ("b", 1, 0))
    assert (inside.severity, inside.splits, inside.n_samples) == ("warning", ("train",), 1)
    assert inside.message == "train#3 has the same features as train#1, labelled 'b' against 'a'"
    assert inside.evidence.breakdown is not None
    assert inside.evidence.breakdown.rows == (("a", 2), ("b", 1))
    assert outcome.metrics["val against train"]["n_conflicting"] == 1
    assert outcome.metrics["train"] == {"n": 5, "n_conflicting": 1, "n_groups": 1}


def test_a_key_with_many_values_is_one_finding_with_its_counts():
    train = frame("train", x=["k"] * 6, y=list("aaabbc"))
    outcome = run(train, frame("val", x=["k", "k"], y=["a", "d"]), label="y")
    across = outcome.findings[0]
    assert (across.n_samples, across.effect["n_pairs"], across.effect["n_labels"]) == (2, 3 + 6, 4)
    assert across.evidence.breakdown is not None
    assert across.evidence.breakdown.rows == (("a", 1, 3), ("b", 0, 2), ("c", 0, 1), ("d", 1, 0))


def test_missing_labels_and_other_spellings_are_no_conflict():
    train = frame("train", x=["1", "2", "3"], y=["yes", None, "no "])
    outcome = run(train, frame("val", x=["1", "2", "3"], y=[None, "yes", "no"]), label="y")
    assert outcome.status == "passed"
    assert outcome.reason == (
        "0 of 3 rows of val have another label than the same among the 3 of train; "
        "0 of 3 inside train; 0 of 3 inside val"
    )


def test_a_quantity_is_no_label():
    rng = np.random.default_rng(0)
    train = frame("train", x=[1] * 100, y=rng.normal(size=100))
    outcome = run(train, frame("val", x=[1] * 10, y=rng.normal(size=10)), label="y")
    assert outcome.status == "skipped"
    assert "quantity" in outcome.reason


def test_coarse_features_are_coarse_where_the_splits_share_no_row_too():
    """Weights in whole grams, and what was fed: animals of one weight are no copies of each other."""
    rng = np.random.default_rng(1)
    weight, feed = rng.permutation(np.r_[np.arange(40), rng.choice(40, 30)]), rng.choice(list("abc"), 70)
    alone = np.isin(weight, np.flatnonzero(np.bincount(weight) == 1))
    held_out = alone & (np.cumsum(alone) <= 10)
    train = frame("train", weight=weight[~held_out], feed=feed[~held_out])
    outcome = run(train, frame("val", weight=weight[held_out], feed=feed[held_out]), label="feed")
    assert outcome.metrics["val against train"]["n_conflicting"] == 0
    assert outcome.metrics["train"]["n_conflicting"] > 5
    assert outcome.status == "passed"
    assert outcome.reason.startswith("rows as coarse as these are equal by chance, and their labels differ by nature; ")


def test_copies_with_other_labels_are_found_among_coarse_rows():
    rng = np.random.default_rng(2)
    x, z, y = rng.integers(0, 10, 2000), rng.integers(0, 6000, 2000), rng.choice(["a", "b"], 2000)
    other = np.where(y[:60] == "a", "b", "a")
    outcome = run(frame("train", x=x, z=z, y=y), frame("val", x=x[:60], z=z[:60], y=other), label="y")
    assert outcome.reason.startswith("rows as coarse as these")  # inside train
    assert sum(finding.n_samples for finding in outcome.findings) == 60
    assert {(finding.severity, finding.splits) for finding in outcome.findings} == {("error", ("val", "train"))}


def test_within_one_split_alone():
    outcome = run(frame("all", x=[1, 1], y=["a", "b"]), label="y", config=Config(within=True))
    assert [(finding.severity, finding.n_samples) for finding in outcome.findings] == [("warning", 1)]


def test_all_disagreeing_pairs_are_given():
    train = frame("train", x=["1", "1", "2"], y=["a", "b", "a"])
    outcome = run(train, frame("val", x=["1", "2"], y=["b", "a"]), label="y")
    assert outcome.pairs is not None
    found = [(row["uri_a"], row["uri_b"]) for row in pa.Table.from_batches(outcome.pairs()).to_pylist()]
    assert found == [("val#0", "train#0"), ("train#0", "train#1")]


def picture(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    low = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(low).resize((160, 120), Image.Resampling.BICUBIC).save(path)


def test_pictures(tmp_path):
    for number in range(12):
        picture(tmp_path / "train" / ("cat" if number % 2 else "dog") / f"{number}.png", number)
        picture(tmp_path / "val" / ("cat" if number % 2 else "dog") / f"{number}.png", 100 + number)
    picture(tmp_path / "val" / "dog" / "wrong.png", 1)
    with Image.open(tmp_path / "train" / "cat" / "3.png") as source:
        source.save(tmp_path / "val" / "dog" / "wrong-pixels.bmp")
        source.resize((140, 105)).save(tmp_path / "val" / "dog" / "wrong-near.png")
    picture(tmp_path / "train" / "dog" / "again.png", 5)
    picture(tmp_path / "train" / "cat" / "again.png", 7)  # the same label: no conflict
    report = audit(tmp_path, config=Config(jobs=1, use_cache=False, select=("LA110",)))
    (outcome,) = report.outcomes
    found = {(f.severity, f.message.split(",")[0]) for f in outcome.findings}
    assert found == {
        ("error", "val/dog/wrong.png is the same picture as train/cat/1.png"),
        ("error", "val/dog/wrong-pixels.bmp is the same picture as train/cat/3.png"),
        ("error", "val/dog/wrong-near.png is a near-duplicate of train/cat/3.png"),
        ("warning", "train/dog/again.png is the same picture as train/cat/5.png"),
    }
    assert outcome.metrics["val against train"]["n_conflicting"] == 3


@pytest.mark.realdata
def test_adult(shared_data: Path):
    columns = tuple(f"column_{i + 1}" for i in range(15))
    files = [
        TableFile(name, split, "csv", columns, path=str(shared_data / "tabular" / name), delimiter=", ", header=False)
        for split, name in (("train", "adult-train.csv"), ("test", "adult-test.csv"))
    ]
    outcome = run(*files, label="column_15")
    assert outcome.metrics["test against train"]["n_conflicting"] == 3


def test_contradictions_where_chance_cannot_be_told_are_information():
    rng = np.random.default_rng(5)
    product = rng.integers(0, 600, 400)
    label = np.where(rng.random(400) < 0.5, "O", "P")
    x = np.char.add("w", product.astype(str))
    outcome = run(frame("train", x=x[80:], y=label[80:]), frame("val", x=x[:80], y=label[:80]), label="y")
    assert outcome.metrics["val against train"]["n_conflicting"] > 5
    assert {finding.severity for finding in outcome.findings} == {"info"}


@pytest.mark.parametrize(("labels", "expected"), [(("cat", "dog"), ["error"]), (("cat", "cat"), [])])
def test_one_file_named_twice_with_two_labels_is_an_error(labels, expected, tmp_path):
    rng = np.random.default_rng(9)
    for at in range(12):
        pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((48, 48)).save(tmp_path / f"{at}.png")
    rows = [f"{at}.png,{('cat', 'dog')[at % 2]}" for at in range(12)] + [f"0.png,{label}" for label in labels[1:]]
    (tmp_path / "manifest.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
    report = audit(tmp_path / "manifest.csv", within=True, select=("LA110",), cache_dir=tmp_path / "cache")
    assert [finding.severity for finding in report.findings] == expected


def test_what_people_say_all_the_time_contradicts_nobody():
    random = np.random.default_rng(0)

    def messages(n, seed):
        return [
            f"the {' '.join(np.random.default_rng([seed, i]).permutation(WORDS))} is {i} of {seed}" for i in range(n)
        ]

    def labelled(texts):
        return {"text": texts, "label": random.choice(["1", "5"], len(texts)).tolist()}

    train, val = messages(200, 0), messages(80, 1)
    common = [*["Good"] * 12, *["I love it!"] * 3]
    quiet = run(frame("train", **labelled([*train, *common])), frame("val", **labelled([*val, *common])), label="label")
    assert [finding for finding in quiet.findings if finding.severity == "error"] == []
    assert quiet.metrics["val against train"]["n_conflicting"] == 0
    flipped = {"text": [*val, *train[:4]], "label": ["5"] * 84}
    loud = run(frame("train", text=train, label=["1"] * 200), frame("val", **flipped), label="label")
    assert {finding.severity for finding in loud.findings} == {"error"}
    assert loud.metrics["val against train"]["n_conflicting"] == 4
