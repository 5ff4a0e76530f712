"""Categories that were encoded by the mean target of both splits.

What it does
------------
Tells for every column of numbers with few values whether it is a target encoding (the mean of the target over the rows
of a category: plain, smoothed, scaled afterwards, leave-one-out), and which rows it was fitted on: *train only*,
*both*, or *cannot tell*.

Why it matters
--------------
An encoder that was fitted before the split has seen the labels of the validation rows and writes them into their
features; for rare categories the feature is the label. The effect on a score is small where categories are frequent.

How it decides
--------------
Rows are grouped by the value of the column, so that the category need not be in the file; then by each column of
categories (text, or whole numbers), for smoothing where two categories share a value, and for leave-one-out. The target
is the label as a number, and each class against the others. A set of rows fits if the mean target of its groups gives
their values, to what the rounding in the file allows: 98 % of the groups, 80 % with a smoothing by group size, 95 % of
the rows with leave-one-out (80 % where the category is not in the file, and the two values that it leaves to a target
of 0 and 1 stand for it). Smoothing may be an m-estimate of any m, the empirical Bayes of scikit-learn, or the sigmoid
of category_encoders with any parameters. *Fitted on both* needs that the union with held-out rows fits and train alone
does not. Encodings of train that are cross-fitted (scikit-learn's ``fit_transform``) fit no set and are
right.

A column of other origin may agree by accident. The chance for one group is bounded by the allowance (for values of
three decimals or fewer: 1/n, the step of the mean) over the standard error of its mean; groups whose rows all have the
same target do not count, nor does one group for each free parameter. A *warning* needs the product over the groups,
times the ways, targets, keys and sets tried, adjusted over all columns by Benjamini-Hochberg, below 0.001 (``alpha``),
a convention of this tool.

What it cannot see
------------------
Encodings with noise; weights of evidence, James-Stein; encodings fitted in folds over both splits; rows dropped or
labels changed afterwards; leave-one-out of a target with more than two values, where nearly every row has a value of
its own; groups of one row.

Fix
---
Fit the encoder on the training rows and apply it to the others, in a ``Pipeline``; for the training rows themselves use
cross-fitting, as scikit-learn's ``TargetEncoder`` does.

References
----------
- D. Micci-Barreca, A preprocessing scheme for high-cardinality categorical attributes in classification and prediction
  problems, ACM SIGKDD Explorations 3 (2001).
- F. Pargent et al., Regularized target encoding outperforms traditional methods in supervised machine learning with
  high cardinality features, Computational Statistics 37 (2022).
- S. Kaufman et al., Leakage in data mining: formulation, detection, and avoidance, ACM TKDD 6 (2012).
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.labels import is_number, not_classes
from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.context import Context
from leakaudit.analysis.fitted.rows_seen import FitSet, columns_to_judge, fit_sets, numbers
from leakaudit.analysis.fitted.target_encoding import GROUPED, Encoded, encoding_of, equal_values, may_be_encoded
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.fitted_report import both_sides, counted, short, tally, undecided_or_passed
from leakaudit.fingerprints.rows.columns import read_columns, read_labels
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray


@dataclass(frozen=True)
class Params:
    """See *How it decides*; at most ``classes`` classes, ``keys`` category columns of ``levels`` levels are tried."""

    alpha: float = 0.001
    classes: int = 20
    keys: int = 20
    levels: int = 10_000
    listed: int = 20


@dataclass(frozen=True, eq=False, slots=True)
class _Target:
    """What may have been averaged: "the label", or "class x"."""

    name: str
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """An encoding, what was averaged, by which column, and the chance of an accident among all that was tried."""

    encoded: Encoded
    target: str
    key: str | None
    p_value: float


def run(context: Context, params: Params) -> Outcome:
    """Judge every column of numbers with few values."""
    names = numbers(context)
    reference = context.dataset.splits[0]
    targets = _targets(context, params)
    if not targets:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "the label has more than one value in no usable form")
    if not names:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column of numbers that is a feature")
    sets = fit_sets(context.dataset.splits, bool((context.row_splits < 0).any()))
    keys: list[tuple[str, IntArray]] | None = None
    found: dict[str, _Found] = {}
    n_few = 0
    for name, values, codes in columns_to_judge(context, names, may_be_encoded):
        n_few += 1
        keys = _keys(context, params) if keys is None else keys
        others = [(key, levels) for key, levels in keys if key != name]
        encoded = _encoded(values, codes, targets, sets, others)
        if encoded is not None:
            found[name] = encoded
    both = [name for name, each in found.items() if each.encoded.verdict == "fitted on both"]
    adjusted = benjamini_hochberg([*(found[name].p_value for name in both), *[1.0] * (len(names) - len(both))])
    pooled = [name for name, p_value in zip(both, adjusted, strict=False) if p_value < params.alpha]
    decided = {name: each for name, each in found.items() if name in pooled or each.p_value < params.alpha}
    verdicts = {
        name: each.encoded.verdict if name in pooled or name not in both else "cannot tell"
        for name, each in decided.items()
    }
    metrics = tally(verdicts, len(names)) | {"n_columns_of_few_values": n_few}
    metrics |= {
        f"column {name}": {"verdict": verdicts[name], **_numbers(each)}
        for name, each in [*decided.items()][: params.listed]
    }
    reason = counted(verdicts, len(names), "encoded by the target", reference)
    findings = [
        _finding(context, held_out, fit, {name: found[name] for name in columns}, params)
        for held_out, fit, columns in both_sides({name: found[name].encoded.fit for name in pooled}, reference)
    ]
    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", reason, metrics, tuple(findings))
    return Outcome(CHECK.code, CHECK.slug, undecided_or_passed(verdicts), reason, metrics)


def _encoded(
    values: npt.NDArray[np.float64],
    codes: IntArray,
    targets: Sequence[_Target],
    sets: Sequence[FitSet],
    keys: Sequence[tuple[str, IntArray]],
) -> _Found | None:
    """The encoding that is least likely an accident; by the value itself if that decides, otherwise by each key."""
    n_tried = len(GROUPED) * len(targets) * (1 + len(keys)) * len(sets)
    found: list[_Found] = []
    equal = equal_values(values)
    for key, levels in ((None, None), *keys):
        for target in targets:
            encoded = encoding_of(values, codes, target.values, sets, levels, equal)
            if encoded is not None:
                p_value = 10.0 ** max(-300.0, min(0.0, encoded.log_chance + log10(n_tried)))
                found.append(_Found(encoded, target.name, key, p_value))
        if any(each.encoded.fit is not None and each.p_value < 1e-6 for each in found):
            break
    return min(found, key=lambda each: (each.encoded.fit is None, each.p_value), default=None)


def _targets(context: Context, params: Params) -> list[_Target]:
    """The label as a number, and each class as 0 and 1."""
    rows = context.rows
    labels = read_labels(rows)
    if labels is None or labels.codes is None or labels.levels is None or len(labels.levels) < 2:
        return []
    levels, missing = labels.levels.to_pylist(), labels.codes < 0
    targets = []
    if all(map(is_number, levels)):
        values = np.array([*map(float, levels), np.nan])[labels.codes]
        targets.append(_Target("the label", values))
    if (
        not_classes({name: info.labels for name, info in context.splits.items()}) is None
        and len(levels) <= params.classes
    ):
        for code, level in enumerate(levels):
            values = np.where(missing, np.nan, (labels.codes == code).astype(np.float64))
            if not any(np.array_equal(values, each.values, equal_nan=True) for each in targets):
                targets.append(_Target(f"class {level}", values))
    return targets


def _keys(context: Context, params: Params) -> list[tuple[str, IntArray]]:
    """Columns of categories, as codes; read one at a time, because there may be many rows."""
    texts = [p.name for p in columns_of(context) if p.role == "category" and 2 <= p.n_distinct <= params.levels]
    whole = [
        p.name for p in columns_of(context) if p.role in ("number", "group") and p.whole and 2 <= p.n_distinct <= 1000
    ]
    keys = []
    for name in [*texts, *whole][: params.keys]:
        (column,) = read_columns(context.rows, [name])
        if column.codes is not None:
            keys.append((name, _small(column.codes)))
        elif column.numbers is not None:
            keys.append((name, _small(np.where(np.isnan(column.numbers), -1, equal_values(column.numbers)))))
    return keys


def _small(codes: IntArray) -> IntArray:
    """The same numbers in fewer bytes."""
    smaller: IntArray = codes.astype(np.min_scalar_type(-1 - int(codes.max(initial=0))))
    return smaller


def _numbers(found: _Found) -> dict[str, Scalar]:
    encoded = found.encoded
    return {
        "method": encoded.method,
        "target": found.target,
        "grouped_by": found.key,
        "n_groups": int((encoded.pooled.n > 0).sum()),
        "n_groups_apart_on_train": encoded.n_apart,
        "written_to": str(encoded.precision),
        "chance": short(found.p_value),
    }


def _finding(context: Context, held_out: str, fit: FitSet, columns: dict[str, _Found], params: Params) -> Finding:
    reference = context.dataset.splits[0]
    name, worst = min(columns.items(), key=lambda item: item[1].p_value)
    encoded, n_columns = worst.encoded, len(columns)
    said = "1 column is a target encoding" if n_columns == 1 else f"{n_columns:,} columns are target encodings"
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *sorted(f"{n}\0{f.target}" for n, f in columns.items())),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"{said} fitted on {fit.name} together; {name}: the mean of {worst.target} ({encoded.method}) over "
            f"{fit.name} gives the values of its groups of rows, over {reference} alone {encoded.n_apart:,} of "
            f"{int((encoded.reference.n > 0).sum()):,} differ"
        ),
        splits=(held_out, reference),
        n_samples=context.rows.n_rows[held_out],
        effect={
            "n_columns": n_columns,
            "fitted_on": fit.name,
            "method": encoded.method,
            "n_groups": int((encoded.pooled.n > 0).sum()),
            "n_groups_apart_on_train": encoded.n_apart,
            "chance": short(worst.p_value),
        },
        evidence=Evidence(breakdown=_breakdown(columns, name, reference, fit.name, params)),
    )


def _breakdown(columns: dict[str, _Found], first: str, reference: str, pooled: str, params: Params) -> Breakdown:
    """The largest groups of every column, the clearest column first."""
    rows: list[tuple[Scalar, ...]] = []
    each_listed = max(2, params.listed // len(columns))
    for name in (first, *(name for name in columns if name != first)):
        encoded = columns[name].encoded
        apart = np.abs(encoded.pooled.mean - encoded.reference.mean) * (encoded.reference.n > 0)
        for at in np.lexsort((-encoded.pooled.n, -apart))[:each_listed].tolist():
            rows.append(
                (
                    name,
                    short(float(encoded.pooled.value[at])),
                    int(encoded.reference.n[at]),
                    short(float(encoded.reference.mean[at])),
                    int(encoded.pooled.n[at]),
                    short(float(encoded.pooled.mean[at])),
                )
            )
    return Breakdown(
        ("column", "value", f"n {reference}", f"mean {reference}", f"n {pooled}", f"mean {pooled}"),
        tuple(rows[: params.listed]),
    )


CHECK = Check(
    code="LA307",
    slug="pooled-target-encoding",
    family="fitted",
    severity="warning",
    kinds=("table",),
    needs=("label", "pair"),
    params=Params(),
    run=run,
)
