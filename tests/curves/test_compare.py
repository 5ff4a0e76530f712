"""Intervals and tests over runs, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leakaudit.curves.compare import compare, contrast, interval
from leakaudit.curves.diagnose import diagnose


def runs(history, losses, group="", source="{}.csv"):
    from dataclasses import replace

    for at, loss in enumerate(losses):
        run = history([1.0, 0.5, 0.4], [1.0, loss, loss + 0.1])
        yield diagnose(replace(run, source=source.format(f"{group}{at}"), group=group))


def test_interval_is_students():
    values = [0.5, 0.6, 0.55, 0.7]
    found = interval(values)
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx((low, high))
    assert interval([1.0]).low is None


def test_contrast_is_welchs():
    a, b = [1.0, 1.2, 0.9, 1.1], [0.7, 0.8, 0.65, 0.72]
    found = contrast("a", "b", a, b)
    expected = stats.ttest_ind(b, a, equal_var=False)
    bounds = expected.confidence_interval(0.95)
    assert found.tests.t_p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))
    assert found.tests.wilcoxon_p == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert contrast("a", "b", [1.0], b) is None
    assert contrast("a", "b", [1.0, 1.0], [2.0, 2.0]).tests.t_p is None


def test_runs_of_one_group(history):
    comparisons, notes = compare(list(runs(history, [0.5, 0.6, 0.7])))
    of = {comparison.quantity: comparison for comparison in comparisons}
    assert of["best_val_loss"].groups[""].mean == pytest.approx(0.6)
    assert "val_accuracy_at_best" not in of
    assert of["last_loss_gap"].zero_test.t_p < 0.1
    assert any("seed" in note for note in notes)


def test_groups_are_contrasted_with_the_first(history):
    both = [*runs(history, [0.5, 0.6, 0.7], "a"), *runs(history, [0.4, 0.45, 0.5], "b")]
    comparisons, _ = compare(both)
    (found,) = comparisons[0].contrasts
    assert (found.a, found.b) == ("a", "b")
    assert found.difference == pytest.approx(-0.15)


def test_a_single_run_and_two_runs_of_one_file_are_not_compared(history):
    assert compare(list(runs(history, [0.5]))) == ((), ())
    assert compare(list(runs(history, [0.5, 0.6], source="same.json"))) == ((), ())


def test_equal_runs(history):
    comparisons, _ = compare(list(runs(history, [0.5, 0.5, 0.5])))
    assert comparisons[0].groups[""].low == comparisons[0].groups[""].high == 0.5


def test_choosing_the_best_of_several_runs_has_its_price(history):
    from dataclasses import replace

    accuracies = [0.70, 0.72, 0.74, 0.71, 0.73]
    found = [
        diagnose(replace(history([1.0, 0.5], [1.0, 0.6], val_accuracy=[0.5, score]), source=f"{score}"))
        for score in accuracies
    ]
    _, notes = compare(found)
    expected = np.std(accuracies, ddof=1) * 1.18
    assert any(f"best of these 5 runs lies about {expected:.3f}" in note for note in notes)
    assert not any("best of these" in note for note in compare(found[:2])[1])
