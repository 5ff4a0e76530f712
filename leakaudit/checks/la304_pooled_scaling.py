"""Columns that were scaled with the statistics of both splits.

What it does
------------
Tells for every column of numbers whether it was scaled (standard, centred, min-max to [0, 1] or [-1, 1], max-abs,
robust) and which rows the scaler was fitted on: *train only*, *both*, *each split by itself*, or *cannot tell*.

Why it matters
--------------
A scaler that was fitted before the split has seen the validation rows: their mean, spread and extremes are in every
training value, and the score is that of a model that knows the sample it is tested on. The effect is small (by less
than 0.005 in AUC over two thousand data sets), which is why this is a warning; it is also a sign that other steps may
have come before the split.

How it decides
--------------
A scaler leaves its statistics behind. Over the rows that it was fitted on, and over no others, the mean is 0 and the
standard deviation 1 (either ddof); the extremes are 0 and 1; the median is 0 and the interquartile range 1. The train
split, each union of it with held-out splits, and each held-out split alone are tried. A set *fits* where its statistics
meet these values to what rounding allows: six standard deviations of the sum of independent rounding errors, told from
the digits in the file (decimals, significant digits, float32, double), and at least 1e-9 (double) or 1e-6 (float32)
standard deviations. A column is *fitted on both* where the union fits and train alone misses by more than three times
that allowance. Where both fit, as they do when train holds both extremes, the answer is *cannot tell*; one such column
and no finding make the outcome *inconclusive*.

A column that nobody scaled may meet these values by accident. The chance of that is bounded by the allowance over the
standard error of each statistic (of a column that is near 0 and 1 by nature), for extremes by the step of the column's
values over the gap beside the extreme; values that crowd at the bound, ties, small fractions and columns of few
digits are taken to be bounded by nature. A *warning* needs this chance, times the number of unions tried and adjusted
over all columns by Benjamini-Hochberg, below 0.001 (``alpha``); or at least three columns (``agreeing``) that meet the
statistics of the same scaler, train alone or not, where so many do so by accident with a probability below ``alpha``
(binomial, the same for all). Only this second way is open to max-abs scaling and to min-max scaling with one tied end.
These thresholds are conventions of this tool.

What it cannot see
------------------
Scaling after which rows were dropped, added or clipped, or that was rounded to one or two decimals; min-max scaling
where train holds both extremes; statistics over groups. Scaling of each row to unit length is harmless and leaves no
trace in the columns. A set that its publisher scaled before anyone split it is *fitted on both* by its arithmetic: the
finding is right, and the remedy is the raw data.

Fix
---
Fit the scaler on the training rows and apply it to the others: in scikit-learn, a ``Pipeline`` with the scaler inside
that is fitted after the split.

References
----------
- S. Kaufman et al., Leakage in data mining: formulation, detection, and avoidance, ACM TKDD 6 (2012).
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  pre-processing on training and test set, type L1.2.
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.analysis.context import Context
from leakaudit.analysis.fitted.rows_seen import FitSet, columns_to_judge, fit_sets, numbers
from leakaudit.analysis.fitted.scaling import LEAST_ROWS, Moments, Scaled, may_be_scaled, scaling_of
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.fitted_report import agreeing, both_sides, counted, short, tally, undecided_or_passed
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` columns are shown."""

    alpha: float = 0.001
    agreeing: int = 3
    listed: int = 20


def run(context: Context, params: Params) -> Outcome:
    """Judge every column of numbers."""
    rows, names = context.rows, numbers(context)
    reference = context.dataset.splits[0]
    if not names:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column of numbers that is a feature")
    if rows.n_rows[reference] < LEAST_ROWS:
        reason = f"{rows.n_rows[reference]:,} rows of {reference} are too few to tell what was scaled on them"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", reason, {"n_columns": len(names)})
    sets = fit_sets(context.dataset.splits, bool((context.row_splits < 0).any()))
    scaled: dict[str, Scaled] = {}
    for name, values, codes in columns_to_judge(context, names, may_be_scaled):
        found = scaling_of(values, codes, sets)
        if found.scaler != "none":
            scaled[name] = found
    pooled = _significant(scaled, len(names), params)
    verdicts = {name: found.verdict for name, found in scaled.items()}
    verdicts |= {name: "cannot tell" for name, v in verdicts.items() if v == "fitted on both" and name not in pooled}
    metrics = tally(verdicts, len(names)) | {
        f"column {name}": {"scaling": found.scaler, "verdict": verdicts[name], **_numbers(found)}
        for name, found in [*scaled.items()][: params.listed]
    }
    reason = counted(verdicts, len(names), "scaled", reference)
    findings = [
        _finding(context, held_out, fit, {name: pooled[name] for name in columns}, len(names), params)
        for held_out, fit, columns in both_sides({name: found.fit for name, found in pooled.items()}, reference)
    ]
    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", reason, metrics, tuple(findings))
    return Outcome(CHECK.code, CHECK.slug, undecided_or_passed(verdicts), reason, metrics)


def _significant(scaled: dict[str, Scaled], n_columns: int, params: Params) -> dict[str, Scaled]:
    """Columns that were fitted on both beyond accident, adjusted over all columns."""
    p_values = [found.p_value if found.verdict == "fitted on both" else 1.0 for found in scaled.values()]
    adjusted = benjamini_hochberg([*p_values, *[1.0] * (n_columns - len(p_values))])
    both = {
        name: found
        for (name, found), p_value in zip(scaled.items(), adjusted, strict=False)
        if found.verdict == "fitted on both" and p_value < params.alpha
    }
    alone = {name: found for name, found in both.items() if found.strong}
    for scaler in {found.scaler for found in scaled.values()}:
        meet = [
            f.p_value for f in scaled.values() if f.scaler == scaler and f.verdict in ("fitted on both", "cannot tell")
        ]
        if len(meet) >= params.agreeing and agreeing(meet, n_columns) < params.alpha:
            alone |= {n: f for n, f in scaled.items() if f.scaler == scaler and f.verdict == "fitted on both"}
    return {name: found for name, found in scaled.items() if name in alone}


def _statistics(found: Scaled, m: Moments) -> tuple[float, float]:
    """The two numbers that this scaler fixes."""
    if found.scaler == "robust":
        return m.median, m.iqr
    return (m.mean, m.spread) if found.scaler in ("standard", "centred") else (m.least, m.largest)


def _fixed(found: Scaled) -> tuple[str, str]:
    if found.scaler == "robust":
        return "median", "interquartile range"
    return ("mean", "standard deviation") if found.scaler in ("standard", "centred") else ("minimum", "maximum")


def _numbers(found: Scaled) -> dict[str, Scalar]:
    if found.reference is None or found.pooled is None:
        return {}
    one, two = (name.replace(" ", "_") for name in _fixed(found))
    train, pool = _statistics(found, found.reference), _statistics(found, found.pooled)
    return {
        f"{one}_train": short(train[0]),
        f"{one}_pooled": short(pool[0]),
        f"{two}_train": short(train[1]),
        f"{two}_pooled": short(pool[1]),
        "written_to": str(found.precision),
        "chance": short(found.p_value),
    }


def _finding(
    context: Context, held_out: str, fit: FitSet, columns: dict[str, Scaled], n_columns: int, params: Params
) -> Finding:
    reference = context.dataset.splits[0]
    name, found = min(columns.items(), key=lambda item: item[1].p_value)
    assert found.reference is not None
    assert found.pooled is not None
    one, two = _fixed(found)
    train, pool = _statistics(found, found.reference), _statistics(found, found.pooled)
    scalers = Counter(each.scaler for each in columns.values())
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *sorted(f"{n}\0{c.scaler}" for n, c in columns.items())),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"{len(columns):,} of {n_columns:,} columns of numbers have the statistics of a scaler that was fitted on "
            f"{fit.name} together; {name}: {one} {pool[0]:.2g} and {two} {pool[1]:.10g} over {fit.name}, "
            f"{train[0]:.2g} and {train[1]:.6g} over {reference}"
        ),
        splits=(held_out, reference),
        n_samples=context.rows.n_rows[held_out],
        effect={
            "n_columns": len(columns),
            "fitted_on": fit.name,
            "scaler": scalers.most_common(1)[0][0],
            "chance": short(found.p_value),
        },
        evidence=Evidence(breakdown=_breakdown([*columns.items()][: params.listed], reference, fit.name)),
    )


def _breakdown(columns: Sequence[tuple[str, Scaled]], reference: str, pooled: str) -> Breakdown:
    rows: list[tuple[Scalar, ...]] = []
    for name, found in columns:
        assert found.reference is not None
        assert found.pooled is not None
        of = [_statistics(found, m) for m in (found.reference, found.pooled)]
        rows += [
            (name, found.scaler, statistic, short(of[0][i]), short(of[1][i]), str(found.precision))
            for i, statistic in enumerate(_fixed(found))
        ]
    return Breakdown(("column", "scaling", "statistic", reference, pooled, "written to"), tuple(rows))


CHECK = Check(
    code="LA304",
    slug="pooled-scaling",
    family="fitted",
    severity="warning",
    kinds=("table",),
    needs=("pair",),
    params=Params(),
    run=run,
)
