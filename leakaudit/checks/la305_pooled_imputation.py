"""Gaps that were filled with the mean or median of both splits.

What it does
------------
Looks in every column of numbers for a spike, one value that occurs far more often than its neighbours, and tells
whether it is the mean or the median of the other values, over all rows or within each class or category; and of which
rows: *train only*, *both*, or *cannot tell*.

Why it matters
--------------
An imputer that was fitted before the split has seen the validation rows, and its value stands in the training rows. The
effect on a score is small, as with scaling (LA304), and so is the severity. Imputation within the classes is worse: it
writes the label into the features of validation.

How it decides
--------------
A spike is a value with at least five occurrences, and three times those of the sixth most frequent value, or more
decimals than nearly all others. It equals the statistic of the rows that the imputer was fitted on to what rounding
allows (see LA304), and that of train alone only within about ``sd / sqrt(n)``; a set of rows *misses* beyond three
times the allowance. A median of an odd number of values is one of them: then as many of the others must lie below it as
above. *Fitted on both* needs that the union with held-out rows fits and train alone does not; where both fit, as they
mostly do for integers and other values that occur several times, the answer is *cannot tell*. The mode is never
tested: the most frequent value is one anyway.

A spike may be the mean by accident. The chance is bounded by the allowance over the standard deviation (mean); by 2/n
(median of an odd number), or 0.8/sqrt(n) where the spike is a round number, an extreme or zero, which may be in the
middle by nature; and that times the allowance over the gap between the two middle values (median of an even number). A
*warning* needs this chance, times the sets, classes and categories tried, adjusted over all columns with a spike by
Benjamini-Hochberg, below 0.01 (``alpha``); or several columns whose spikes are no round numbers, where so many agree by
accident with a probability below ``alpha``. These thresholds are conventions of this tool.

What it cannot see
------------------
Imputation by the mode, by neighbours or by a model; of categories; with a constant; followed by a transformation that
is not affine (a logarithm). Rows that were dropped or added after it. Medians of counts and of values with few digits.

Fix
---
Fit the imputer on the training rows only and apply it to the others: in scikit-learn, inside a ``Pipeline``. Never use
the label to fill gaps.

References
----------
- S. Kaufman et al., Leakage in data mining: formulation, detection, and avoidance, ACM TKDD 6 (2012).
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  pre-processing on training and test set, type L1.2.
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.labels import not_classes
from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.context import Context
from leakaudit.analysis.fitted.imputation import Imputed, imputation_of, imputation_within, may_be_imputed
from leakaudit.analysis.fitted.rows_seen import FitSet, Verdict, columns_to_judge, fit_sets, numbers
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.fitted_report import agreeing, both_sides, counted, short, tally, undecided_or_passed
from leakaudit.fingerprints.rows.columns import read_columns, read_labels
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@dataclass(frozen=True)
class Params:
    """See *How it decides*; at most ``levels`` classes or categories in ``keys`` columns; ``listed`` are shown."""

    alpha: float = 0.01
    levels: int = 20
    keys: int = 10
    listed: int = 20


@dataclass(frozen=True, eq=False, slots=True)
class _Key:
    """Classes or categories that imputation may have been done within."""

    name: str
    codes: IntArray
    levels: Sequence[str]


def run(context: Context, params: Params) -> Outcome:
    """Judge every column of numbers that has a spike."""
    names = numbers(context)
    reference = context.dataset.splits[0]
    if not names:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column of numbers that is a feature")
    sets = fit_sets(context.dataset.splits, bool((context.row_splits < 0).any()))
    keys: list[_Key] | None = None
    found: dict[str, tuple[Imputed, str | None]] = {}
    n_spiked = 0
    for name, values, codes in columns_to_judge(context, names, may_be_imputed):
        n_spiked += 1
        keys = _keys(context, params) if keys is None else keys
        imputed = _imputed(values, codes, sets, keys)
        if imputed is not None:
            found[name] = imputed
    pooled = _significant({name: each for name, (each, _) in found.items()}, n_spiked, params)
    verdicts = {name: each.verdict for name, (each, _) in found.items()}
    verdicts |= {name: "cannot tell" for name, v in verdicts.items() if v == "fitted on both" and name not in pooled}
    metrics = tally(verdicts, len(names)) | {"n_columns_with_a_spike": n_spiked}
    metrics |= {
        f"column {name}": _numbers(each, key, verdicts[name]) for name, (each, key) in [*found.items()][: params.listed]
    }
    reason = f"{counted(verdicts, len(names), 'filled', reference)}; {n_spiked:,} have a value that may fill gaps"
    findings = [
        _finding(context, held_out, fit, {name: found[name] for name in columns}, params)
        for held_out, fit, columns in both_sides({name: found[name][0].fit for name in pooled}, reference)
    ]
    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", reason, metrics, tuple(findings))
    return Outcome(CHECK.code, CHECK.slug, undecided_or_passed(verdicts), reason, metrics)


def _imputed(
    values: np.ndarray, codes: IntArray, sets: Sequence[FitSet], keys: Sequence[_Key]
) -> tuple[Imputed, str | None] | None:
    """Over all rows if anything is found there, otherwise within the first key that has it."""
    whole = imputation_of(values, codes, sets)
    if whole is not None and whole.fit is not None:
        return whole, None
    for key in keys:
        within = imputation_within(values, codes, sets, key.codes, len(key.levels))
        if within is not None and within.fit is not None:
            level = f"{key.name} = {key.levels[within.level or 0]}"
            return replace(within, p_value=min(1.0, within.p_value * len(keys))), level
    return (whole, None) if whole is not None else None


def _keys(context: Context, params: Params) -> list[_Key]:
    """Labels that are classes, and columns of few categories."""
    rows = context.rows
    keys = []
    labels = read_labels(rows)
    if labels is not None and labels.codes is not None and labels.levels is not None:
        classes = not_classes({name: info.labels for name, info in context.splits.items()}) is None
        if classes and 2 <= len(labels.levels) <= params.levels:
            keys.append(_Key(str(rows.label), labels.codes, labels.levels.to_pylist()))
    few = [
        p.name
        for p in columns_of(context)
        if p.role == "category" and p.kind == "text" and 2 <= p.n_distinct <= params.levels
    ]
    for column in read_columns(rows, few[: params.keys]):
        if column.codes is not None and column.levels is not None:
            keys.append(_Key(column.name, column.codes, column.levels.to_pylist()))
    return keys


def _significant(found: Mapping[str, Imputed], n_tests: int, params: Params) -> list[str]:
    """Columns that were filled from both beyond accident: each by itself, or all that agree together."""
    both = {name: each for name, each in found.items() if each.verdict == "fitted on both"}
    p_values = [each.p_value for each in both.values()]
    adjusted = benjamini_hochberg([*p_values, *[1.0] * (n_tests - len(p_values))])
    alone = {name for name, p_value in zip(both, adjusted, strict=False) if p_value < params.alpha}
    particular = {name: each.p_value for name, each in both.items() if not each.round and each.p_value < 0.5}
    if len(particular) > 1 and agreeing([*particular.values()], n_tests) < params.alpha:
        alone |= set(particular)
    return [name for name in both if name in alone]


def _numbers(each: Imputed, key: str | None, verdict: Verdict) -> dict[str, Scalar]:
    return {
        "statistic": each.statistic,
        "within": key,
        "verdict": verdict,
        "value": each.value,
        "n_rows": int(each.rows.sum()),
        "train": each.reference,
        "pooled": each.pooled,
        "written_to": str(each.precision),
        "chance": short(each.p_value),
    }


def _finding(
    context: Context, held_out: str, fit: FitSet, columns: Mapping[str, tuple[Imputed, str | None]], params: Params
) -> Finding:
    reference = context.dataset.splits[0]
    codes = context.row_splits
    inside = codes == context.dataset.splits.index(held_out)
    affected = np.zeros(len(codes), dtype=np.bool_)
    for each, _ in columns.values():
        affected |= each.rows & inside
    name, (worst, key) = min(columns.items(), key=lambda item: item[1][0].p_value)
    within = f" within {key}" if key else ""
    gap = abs(worst.value - worst.reference)
    counted_columns = "1 column is" if len(columns) == 1 else f"{len(columns):,} columns are"
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *sorted(f"{n}\0{c.statistic}" for n, (c, _) in columns.items())),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"gaps of {counted_columns} filled with a statistic of {fit.name} together; {name}: "
            f"{int(worst.rows.sum()):,} rows hold {worst.value:.10g}, the {worst.statistic}{within} over {fit.name}; "
            f"that of {reference} alone is {gap:.2g} away"
        ),
        splits=(held_out, reference),
        n_samples=int(affected.sum()),
        effect={
            "n_columns": len(columns),
            "fitted_on": fit.name,
            "statistic": worst.statistic,
            "chance": short(worst.p_value),
        },
        evidence=Evidence(breakdown=_breakdown(columns, reference, fit.name, params)),
    )


def _breakdown(
    columns: Mapping[str, tuple[Imputed, str | None]], reference: str, pooled: str, params: Params
) -> Breakdown:
    return Breakdown(
        ("column", "within", "statistic", "value", "rows", f"of {reference}", f"of {pooled}", "written to"),
        tuple(
            (
                name,
                key or "all rows",
                each.statistic,
                each.value,
                int(each.rows.sum()),
                each.reference,
                each.pooled,
                str(each.precision),
            )
            for name, (each, key) in [*columns.items()][: params.listed]
        ),
    )


CHECK = Check(
    code="LA305",
    slug="pooled-imputation",
    family="fitted",
    severity="warning",
    kinds=("table",),
    needs=("pair",),
    params=Params(),
    run=run,
)
