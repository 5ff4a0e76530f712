"""Several runs side by side: means with t intervals over runs, and tests where groups are named.

A single run says little: another seed gives another curve. Three to ten runs give an interval. Student's t assumes
about normal differences; Wilcoxon's tests (signed rank for paired gaps, rank sum between groups) do not, but cannot
reach p < 0.05 with fewer than six pairs, or four runs a group.

References
----------
Student (1908), "The probable error of a mean" · Welch (1947), "The generalization of 'Student's' problem" · Wilcoxon
(1945), "Individual comparisons by ranking methods".
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leakaudit.curves.holdout import expected_best
from leakaudit.history import Comparison, Contrast, Diagnosis, History, Interval, Tests

CONFIDENCE = 0.95
FEW_RUNS = 3


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number a run; `paired` where it is a difference of two measurements of the run, which may be tested for 0."""

    name: str
    label: str
    of: Callable[[History], float]
    paired: bool = False


def _best_row(history: History) -> int | None:
    import numpy as np

    rows = np.flatnonzero(np.isfinite(history.val_loss))
    return int(rows[history.val_loss[rows].argmin()]) if len(rows) else None


def _at_best(values: str) -> Callable[[History], float]:
    def of(history: History) -> float:
        row = _best_row(history)
        return math.nan if row is None else float(getattr(history, values)[row])

    return of


def _last_gap(a: str, b: str) -> Callable[[History], float]:
    def of(history: History) -> float:
        import numpy as np

        gap = getattr(history, a) - getattr(history, b)
        known = gap[np.isfinite(gap)]
        return float(known[-1]) if len(known) else math.nan

    return of


QUANTITIES = (
    Quantity("best_val_loss", "lowest validation loss", _at_best("val_loss")),
    Quantity("best_at", "where it is lowest", _at_best("epoch")),
    Quantity("val_accuracy_at_best", "validation accuracy there", _at_best("val_accuracy")),
    Quantity(
        "last_accuracy_gap", "last accuracy gap (train - val)", _last_gap("train_accuracy", "val_accuracy"), paired=True
    ),
    Quantity("last_loss_gap", "last loss gap (val - train)", _last_gap("val_loss", "train_loss"), paired=True),
)


def compare(diagnoses: Sequence[Diagnosis]) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Compare runs, separately for each validation set they have in common.

    Returns
    -------
    comparisons : tuple of Comparison
        Quantities that at least two runs have; empty for a single run, and for two runs of one file, which seldom are
        the same run with another seed.
    notes : tuple of str
        What makes the runs hard to compare.
    """
    by_set: dict[str, list[History]] = {}
    for diagnosis in diagnoses:
        by_set.setdefault(diagnosis.history.val_set, []).append(diagnosis.history)
    found: list[Comparison] = []
    for val_set, histories in by_set.items():
        if len({history.source for history in histories}) > 1 or len(histories) >= FEW_RUNS:
            for quantity in QUANTITIES:
                if (comparison := _comparison(quantity, histories, val_set)) is not None:
                    found.append(comparison)
    return tuple(found), (*_notes(diagnoses), *_choosing(found)) if found else ()


def _choosing(found: Sequence[Comparison]) -> list[str]:
    """What choosing the best of several runs is worth by itself: their spread times the expected maximum."""
    said = []
    for comparison in found:
        groups = [interval for interval in comparison.groups.values() if interval.n >= FEW_RUNS]
        if comparison.quantity != "val_accuracy_at_best" or len(comparison.groups) > 1 or not groups:
            continue
        k, spread = groups[0].n, _sd(groups[0].values)
        said.append(
            f"the best of these {k} runs lies about {spread * expected_best(k):.3f} of accuracy above their mean by "
            "being chosen alone: report the mean, or the score on a third set"
        )
    return said


def _comparison(quantity: Quantity, histories: Sequence[History], val_set: str) -> Comparison | None:
    values: dict[str, list[float]] = {}
    for history in histories:
        value = quantity.of(history)
        if math.isfinite(value):
            values.setdefault(history.group, []).append(value)
    if sum(map(len, values.values())) < 2:
        return None
    names = list(values)
    contrasts = (contrast(names[0], name, values[names[0]], values[name]) for name in names[1:])
    label = f"{quantity.label} [{val_set}]" if val_set else quantity.label
    return Comparison(
        quantity=quantity.name,
        label=label,
        groups={name: interval(of_group) for name, of_group in values.items()},
        contrasts=tuple(found for found in contrasts if found is not None),
        zero_test=_zero_test(values[names[0]]) if quantity.paired else None,
    )


def _notes(diagnoses: Sequence[Diagnosis]) -> tuple[str, ...]:
    histories = [diagnosis.history for diagnosis in diagnoses]
    notes = ["an interval over runs holds for runs that differ by nothing but the seed"]
    if len({history.train_loss_kind for history in histories}) > 1:
        kinds = ", ".join(sorted({history.train_loss_kind for history in histories}))
        notes.append(f"training losses are of different kinds ({kinds}): their gaps are not comparable")
    if len({history.val_weights for history in histories}) > 1:
        notes.append("some runs validate averaged weights, some raw ones")
    groups = [history.group for history in histories]
    if min(groups.count(group) for group in groups) < FEW_RUNS:
        notes.append("fewer than three runs a group: repeat with 3 to 10 seeds")
    return tuple(notes)


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Mean ± t · s / √n with n − 1 degrees of freedom.

    >>> found = interval([1.0, 2.0, 3.0])
    >>> round(found.low, 3), found.mean, round(found.high, 3)
    (-0.484, 2.0, 4.484)
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return Interval(mean, None, None, n, tuple(values))
    half = _t_quantile(confidence, n - 1) * _sd(values) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n, tuple(values))


def contrast(a: str, b: str, of_a: Sequence[float], of_b: Sequence[float]) -> Contrast | None:
    """Mean of b minus mean of a with Welch's interval; None where a group has one run."""
    if len(of_a) < 2 or len(of_b) < 2:
        return None
    difference = math.fsum(of_b) / len(of_b) - math.fsum(of_a) / len(of_a)
    parts = [_sd(of_a) ** 2 / len(of_a), _sd(of_b) ** 2 / len(of_b)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return Contrast(a, b, difference, difference, difference, Tests(None, _rank_sum(of_a, of_b)))
    df = sum(parts) ** 2 / (parts[0] ** 2 / (len(of_a) - 1) + parts[1] ** 2 / (len(of_b) - 1))
    half = _t_quantile(CONFIDENCE, df) * error
    tests = Tests(_t_p(difference / error, df), _rank_sum(of_a, of_b))
    return Contrast(a, b, difference, difference - half, difference + half, tests)


def _zero_test(values: Sequence[float]) -> Tests | None:
    """Whether a paired difference is 0: one-sample t, Wilcoxon's signed rank."""
    if len(values) < 2:
        return None
    from scipy.stats import wilcoxon

    sd = _sd(values)
    t = _t_p(math.fsum(values) / len(values) / (sd / math.sqrt(len(values))), len(values) - 1) if sd else None
    if not any(values):
        return Tests(t, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Tests(t, float(wilcoxon(values).pvalue))


def _rank_sum(a: Sequence[float], b: Sequence[float]) -> float:
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(a, b, alternative="two-sided").pvalue)


def _sd(values: Sequence[float]) -> float:
    import numpy as np

    return float(np.std(values, ddof=1))


def _t_quantile(confidence: float, df: float) -> float:
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2, df))


def _t_p(statistic: float, df: float) -> float:
    from scipy.stats import t

    return float(2 * t.sf(abs(statistic), df))
