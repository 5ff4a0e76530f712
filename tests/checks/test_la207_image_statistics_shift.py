from __future__ import annotations

import numpy as np
import pytest

from leakaudit.analysis.shift.picture_statistics import MEASURED, NAMED, measure, name
from leakaudit.checks import la207_image_statistics_shift as la207
from leakaudit.fingerprints.cache.record import FORMATS
from pictures import picture_context, records


def context(made, n_val, labels=None, groups=None):
    splits = ["val"] * n_val + ["train"] * (len(made) - n_val)
    return picture_context(made, [f"{i}.jpg" for i in range(len(made))], splits, labels, groups)


def run(*args, **kwargs):
    return la207.run(context(*args, **kwargs), la207.CHECK.params)


def shifted(outcome):
    (finding,) = outcome.findings
    return [row[0] for row in finding.evidence.breakdown.rows]


def test_statistics_in_their_units():
    made = records(3)
    made["luma"][0], made["chroma"][0] = 200, 128
    made["luma"][1][:, :16], made["luma"][1][:, 16:] = 0, 200
    made["chroma"][2][0], made["chroma"][2][1] = 131, 124
    found = measure(made)
    assert tuple(found) == MEASURED
    assert (found["brightness"][0], found["contrast"][0], found["sharpness"][0]) == (200, 0, 0)
    assert (found["brightness"][1], found["contrast"][1]) == (100, 100)
    assert (found["saturation"][2], found["blue"][2], found["red"][2]) == (5, 3, -4)
    assert found["aspect"].tolist() == [4 / 3] * 3
    assert found["bytes per pixel"][0] == made["size"][0] / (64 * 48)
    words = name(made)
    assert tuple(words) == NAMED
    assert [column[0] for column in words.values()] == ["64×48", "JPEG", "RGB", "1"]
    assert {len(column) for column in (*measure(made[:0]).values(), *name(made[:0]).values())} == {0}


def test_darker_pictures_are_found_and_named():
    made = records(600)
    made["luma"][:150] = made["luma"][:150] * 0.8
    outcome = run(made, 150)
    assert outcome.status == "failed"
    assert "brightness" in shifted(outcome)
    assert outcome.findings[0].n_samples == 150
    assert outcome.findings[0].severity == "warning"


def test_other_format_and_size():
    made = records(600)
    made["format"][:60] = FORMATS.index("PNG")
    made["width"][:150] = 80
    assert {"format PNG", "format JPEG", "width", "aspect", "size 80×48"} <= set(shifted(run(made, 150)))


def test_half_blurred_half_sharpened():
    made = records(800)
    half = made["luma"][:200].astype(float)
    mean = half.mean(axis=(1, 2), keepdims=True)
    made["luma"][:100] = (mean + 0.3 * (half - mean))[:100]
    made["luma"][100:200] = np.clip(mean + 1.7 * (half - mean), 0, 255)[100:200]
    assert "contrast (spread)" in shifted(run(made, 200))


def test_a_shift_of_classes_is_left_to_la201():
    made = records(1000)
    labels = ["dark"] * 150 + ["light"] * 50 + ["dark"] * 400 + ["light"] * 400
    light = np.array(labels) == "light"
    made["luma"][light] = np.minimum(made["luma"][light].astype(int) + 40, 255)
    assert run(made, 200).status == "failed"
    assert run(made, 200, labels).status == "passed"


def test_small_splits_are_inconclusive_and_say_what_they_could_find():
    outcome = run(records(120), 20)
    assert outcome.status == "inconclusive"
    assert 0.7 < outcome.metrics["val against train"]["detectable"] < 1.5
    assert run(records(800), 200).status == "passed"


def test_splits_without_a_common_class_are_not_compared():
    outcome = run(records(100), 50, ["a"] * 50 + ["b"] * 50)
    assert outcome.status in {"passed", "inconclusive"}
    assert "no class is in both" in outcome.reason


def test_pictures_that_are_all_alike():
    made = records(40)
    made[:] = made[0]
    assert run(made, 10).findings == ()


@pytest.mark.parametrize("n_val", [20, 50, 200])
def test_false_alarms_on_random_splits(n_val):
    made = records(700, seed=n_val)
    rng = np.random.default_rng(n_val)
    labels = np.array([str(i % 5) for i in range(700)])
    alarms = 0
    for _ in range(40):
        order = rng.permutation(700)
        alarms += run(made[order], n_val, labels[order].tolist()).status == "failed"
    assert alarms <= 2


def test_a_split_by_groups_is_judged_by_the_number_of_groups():
    groups = np.repeat(np.arange(40), 15)
    made = records(600, scenes=groups)
    alarms = {"declared": 0, "none": 0}
    for seed in range(20):
        drawn = np.random.default_rng(seed).permutation(40)[:10]
        order = np.argsort(~np.isin(groups, drawn), kind="stable")
        names = [f"g{g}" for g in groups[order]]
        alarms["none"] += run(made[order], 150).status == "failed"
        alarms["declared"] += run(made[order], 150, groups=names).status == "failed"
    assert alarms["none"] >= 8
    assert alarms["declared"] <= 2
