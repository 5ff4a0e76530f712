from __future__ import annotations

import numpy as np
import pytest

from leakaudit.checks import la303_metadata_reveals_target as la303
from leakaudit.fingerprints.cache.record import MODES
from pictures import picture_context, records


def run(made, labels=None, names=None, splits=None):
    n = len(made)
    names = names or [f"{i:05d}.jpg" for i in range(n)]
    splits = splits or ["val" if i % 4 == 0 else "train" for i in range(n)]
    return la303.run(picture_context(made, names, splits, labels), la303.CHECK.params)


def classes(n, k=2, seed=0):
    return np.random.default_rng(seed).integers(0, k, n)


def labels_of(codes):
    return [("cat", "dog", "cow", "owl", "bee", "fox", "hen", "rat", "yak", "eel")[c] for c in codes]


def test_a_size_for_each_class_is_an_error():
    codes, made = classes(200), records(200)
    made["width"] = 64 + 16 * codes
    outcome = run(made, labels_of(codes))
    (finding,) = outcome.findings
    assert finding.severity == "error"
    assert finding.effect["balanced_accuracy"] == 1
    assert finding.effect["majority"] == pytest.approx(max(np.bincount(codes)) / 200, abs=1e-4)
    assert {row[0] for row in finding.evidence.breakdown.rows} == {"64×48", "80×48"}


def test_part_of_a_class_is_a_warning():
    codes, made = classes(400), records(400)
    grey = (codes == 1) & (np.random.default_rng(1).random(400) < 0.6)
    made["mode"][grey] = MODES.index("L")
    (finding,) = run(made, labels_of(codes)).findings
    assert (finding.severity, finding.effect["feature"]) == ("warning", "mode")


def test_the_majority_is_the_baseline():
    codes = (np.random.default_rng(0).random(1000) < 0.03).astype(int)
    made = records(1000)
    made["width"] += np.random.default_rng(1).integers(0, 2, 1000).astype(np.uint32)
    outcome = run(made, labels_of(codes))
    assert outcome.status == "passed"  # 97 % right by always saying cat is no finding
    assert outcome.metrics["class"]["majority"] > 0.95


def test_one_class_of_ten_from_another_source():
    codes, made = classes(800, 10), records(800)
    made["height"][codes == 6] = 50
    (finding,) = run(made, labels_of(codes)).findings
    assert finding.effect["one_class"] == "hen"
    assert "class hen" in finding.message


def test_bytes_per_pixel_are_content():
    codes, made = classes(300), records(300)
    made["size"] = 1500 + 800 * codes
    assert run(made, labels_of(codes)).status == "passed"


@pytest.mark.parametrize(
    ("names", "status"),
    [
        (lambda label, i: f"{label}.{i}.jpg", "passed"),
        (lambda label, i: f"{label[0]}_{i}.jpg", "passed"),
        (lambda label, i: f"{i}.jpg", "passed"),
        (lambda label, i: f"{'IMG' if label == 'cat' else 'scan'}_{i}.jpg", "failed"),
        (lambda label, i: f"x{i}.{'jpg' if label == 'cat' else 'JPEG'}", "failed"),
    ],
)
def test_file_names(names, status):
    codes = classes(200)
    labels = labels_of(codes)
    outcome = run(records(200), labels, [names(label, i) for i, label in enumerate(labels)])
    assert outcome.status == status
    assert all(finding.severity == "warning" for finding in outcome.findings)


def test_names_in_another_language_name_the_class():
    codes = classes(300, 3)
    names = [f"{('katze', 'hund', 'kuh')[c]}_{i}.jpg" for i, c in enumerate(codes)]
    assert run(records(300), labels_of(codes), names).status == "passed"


def test_the_split_is_told_by_size_only_when_it_is_plain():
    made = records(300)
    splits = ["val"] * 100 + ["train"] * 200
    made["width"][:100] = 80
    (finding,) = run(made, splits=splits).findings
    assert (finding.severity, finding.splits, finding.n_samples) == ("warning", ("val", "train"), 100)
    made["width"][:60] = 64
    assert run(made, splits=splits).status == "passed"


def test_names_of_splits_are_no_finding():
    splits = ["val"] * 100 + ["train"] * 200
    assert run(records(300), names=[f"{split}_{i}.jpg" for i, split in enumerate(splits)], splits=splits).findings == ()


def test_quantities_as_labels_are_left_alone():
    made = records(60)
    made["width"] = np.arange(60) + 50
    outcome = run(made, [str(i / 7) for i in range(60)])
    assert "class" not in outcome.metrics


def test_false_alarms_on_random_labels():
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        made = records(60, seed=seed)
        made["width"], made["height"] = rng.integers(40, 90, 60), rng.integers(40, 90, 60)
        made["mode"] = rng.choice([2, 7], 60)
        alarms += run(made, labels_of(rng.integers(0, 3, 60))).status == "failed"
    assert alarms <= 1
