"""A single column, or that it is missing, gives the target away.

What it does
------------
Tells the label of rows from one column alone, and from whether the column is missing, on rows that the rule has not
seen; and compares the best columns with what a model makes of all the others. Labels may be classes or quantities.

Why it matters
--------------
A column that was filled in after the outcome, or from it (``alive`` beside ``survived``, a refund beside a complaint),
is there in validation as it is in training, and not when the model is used. The score is then that of the column.

How it decides
--------------
A good feature is not a leak, however good. A leak stands out: it alone tells (nearly) everything, and without it the
rest tell much less. Both are measured out of fold, in five parts (rows of one group, and equal rows, in one part).
*Alone*: numbers in 16 and in up to 1,024 bins of equal counts, and by a decision tree; categories by their 512 most
frequent values. The score is the gain of the balanced accuracy over guessing, ``(score − 1/k) / (1 − 1/k)`` for k
classes; for quantities the share of the variance of their ranks that is told (R²), where interpolation between
neighbours stands in for the tree. *Without*: a random forest of all other columns, on at most 3,000 rows.

*Error*: alone 0.99 or more (``certain``; R² 0.999, ``certain_quantity``) with 30 rows (``reasonable``) in each of two
classes, 0.02 (``gap``) more than the model without all such columns, and above its interval. *Warning*: the lower bound
alone is 0.9 or more (``strong``; two equal classes: 95 % right), and lies above the interval of the model without this
column by 0.2 (``large_gap``); the same for one class of several told from the others (Youden's J of 0.99). Intervals of
columns are 95 %, Bonferroni over all columns; that of the model is three standard errors wide on either side; in tables
with groups both are as if the rows of a group were equal. *Several at once*: leaks that say the same hide each other,
for another one is always left in. So each column is compared with the model without all that reach 0.9, too: a
*warning* from 0.99 alone, or with a lower bound of 0.95 (``joint``; R² 0.99, ``joint_quantity``); below that, and where
no other column is there at all, it cannot be told, for good features of one kind (carat, length and width of a diamond)
stand in for each other as well: *inconclusive*. Petal length tells iris setosa without a mistake: the sepals do so,
too, hence there is no gap and no finding. These thresholds are conventions of this tool.

What it cannot see
------------------
A leak that is noisy (below 0.9), or that needs two columns together. Running text, except by its absence. Columns of
groups (``patient_id``, from 10 values; LA108). Whether a strong column is known when the model is used: that is for you
to say.

Fix
---
Find out when and from what the column is filled. If it is not known at the time of prediction, leave it out; if it is
rightly so strong, accept the finding with that reason.

References
----------
- S. Kaufman, S. Rosset, C. Perlich, O. Stitelman, Leakage in data mining: formulation, detection, and avoidance, ACM
  TKDD 6 (2012).
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  type L2, illegitimate features.
- L. Breiman, Random forests, Machine Learning 45 (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.group_columns import group_columns
from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.columns.sample import TableSample, Target, draw_sample, features, groups_of, target
from leakaudit.analysis.context import Context
from leakaudit.analysis.shift.domain_classifier import frequent_codes
from leakaudit.analysis.shortcuts.column_scores import (
    MODEL_COLUMNS,
    Rows,
    Score,
    against_rest,
    category_codes,
    score_codes,
    score_model,
    score_numbers,
)
from leakaudit.checks.base import Check
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, Severity, finding_id

if TYPE_CHECKING:
    from leakaudit.analysis.columns.sample import Feature, Float64
    from leakaudit.model import Status


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``compared`` rows of each split and ``cells`` are looked at, ``listed`` columns shown."""

    alpha: float = 0.05
    certain: float = 0.99
    certain_quantity: float = 0.999
    gap: float = 0.02
    strong: float = 0.9
    joint: float = 0.95
    joint_quantity: float = 0.99
    large_gap: float = 0.2
    least: int = 10
    reasonable: int = 30
    compared: int = 20_000
    cells: int = 2_000_000
    least_groups: int = 10
    listed: int = 10


@dataclass(frozen=True, slots=True)
class _Alone:
    """A column alone, or whether it is missing; `single` is the class it tells where it is one of several."""

    column: str
    is_missing: bool
    score: Score

    @property
    def said(self) -> str:
        return f"whether {self.column} is missing" if self.is_missing else self.column


@dataclass(frozen=True, slots=True)
class _Leak:
    """A column that stands out, and the model without it (and without `beside`, which stand out as well)."""

    alone: _Alone
    beside: tuple[str, ...]
    without: Score
    severity: Severity
    single: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class _Scored:
    """Every column alone, best first, and what a model reads of it; `n_unread` columns of text no model here reads."""

    alone: list[_Alone]
    columns: dict[str, Float64]
    n_unread: int


@dataclass(frozen=True, slots=True)
class _Judged:
    """Leaks, and columns of which it cannot be told whether they are leaks, and why."""

    leaks: list[_Leak]
    undecided: list[_Alone]
    why: str


def run(context: Context, params: Params) -> Outcome:
    """Score every column alone, and the best ones against all others."""
    sample = draw_sample(context, cells=params.cells, at_most=params.compared)
    label = target(context, sample)
    if isinstance(label, str):
        return Outcome(CHECK.code, CHECK.slug, "skipped", label)
    groups = groups_of(context, sample, params.least_groups)
    n_columns = sum(each.role in ("number", "category", "time", "prose") for each in columns_of(context))
    z = _normal_quantile(1 - params.alpha / 4 / max(n_columns, 1))  # each column and whether it is missing
    rows = Rows(label.codes, label.values, None if groups is None else groups[1], z, params.least)
    scored = _score(context, sample, rows, label, None if groups is None else groups[0], params.least_groups)
    if not scored.alone:
        reason = "no class has enough rows, or no column varies"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason, {"n_columns": len(scored.columns)})
    judged = _leaks(scored, rows, params)
    leaks = judged.leaks
    findings = tuple(_finding(context, label, scored, leak, params) for leak in leaks)
    best = scored.alone[0]
    said = f"of {len(scored.columns):,} columns, {best.said} alone tells {label.name} best: {_told(best.score, label)}"
    status: Status = "failed" if findings else "passed"
    if judged.undecided:
        names = list(dict.fromkeys(each.said for each in judged.undecided))
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
        said += f"; whether {listed} {'gives' if len(names) == 1 else 'give'} it away cannot be told: {judged.why}"
        status = "failed" if findings else "inconclusive"
    return Outcome(
        CHECK.code,
        CHECK.slug,
        status,
        said,
        _measured(scored, label, sample, params),
        tuple(sorted(findings, key=lambda each: (each.severity != "error", -float(each.effect["gain"] or 0)))),
        sampled=sample.sampled,
    )


def _groups(context: Context, least: int) -> list[str]:
    """Columns named like groups, of at least so many: a patient tells the diagnosis, and no new patient (LA108)."""
    large = {profile.name for profile in columns_of(context) if profile.n_distinct >= least}
    return [name for name in group_columns(context) if name in large]


def _score(
    context: Context, sample: TableSample, rows: Rows, label: Target, group: str | None, least_groups: int
) -> _Scored:
    alone: list[_Alone] = []
    columns: dict[str, Float64] = {}
    n_unread = 0
    aside = {group, *_groups(context, least_groups)}
    for feature in features(context, sample, ("number", "category", "time", "prose")):
        if feature.name in aside:
            continue
        missing = feature.missing
        if 0 < missing.sum() < len(missing):
            score = score_codes(missing.astype(np.int64), rows)
            if score is not None:
                alone.append(_Alone(feature.name, True, score))
        if feature.role == "prose" or (feature.role == "time" and feature.column.numbers is None):
            n_unread += 1
            continue
        columns[feature.name] = _as_numbers(feature)
        score = _score_column(feature, rows, len(label.classes))
        if score is not None:
            alone.append(_Alone(feature.name, False, score))
    alone.sort(key=lambda each: (-each.score.gain, each.column, each.is_missing))
    return _Scored(alone, columns, n_unread)


def _score_column(feature: Feature, rows: Rows, n_classes: int) -> Score | None:
    if feature.column.numbers is not None:
        return score_numbers(feature.column.numbers, rows)
    assert feature.column.codes is not None
    return score_codes(category_codes(feature.column.codes, n_classes), rows)


def _as_numbers(feature: Feature) -> Float64:
    if feature.column.numbers is not None:
        return feature.column.numbers
    assert feature.column.codes is not None
    return frequent_codes(feature.column.codes)


def _leaks(scored: _Scored, rows: Rows, params: Params) -> _Judged:
    certain, joint = params.certain, params.joint
    if rows.classes is None:
        certain, joint = params.certain_quantity, params.joint_quantity
    near = [each for each in scored.alone if each.score.gain >= certain]
    if not _enough(rows, params):
        return _Judged([], near, "of no two classes there are enough rows to compare them with the other columns")
    leaks: list[_Leak] = []
    out = tuple(sorted({each.column for each in near}))
    if near and (without := _without(scored, rows, out)) is not None:
        leaks += [
            _Leak(each, tuple(name for name in out if name != each.column), without, "error")
            for each in near
            if each.score.gain >= without.gain + params.gap and each.score.gain > without.high
        ]
    strong = [each for each in scored.alone if each.score.low >= params.strong and each.column not in out]
    for each in strong[:3]:
        without = _without(scored, rows, (*out, each.column))
        if without is not None and each.score.low >= without.high + params.large_gap:
            leaks.append(_Leak(each, out, without, "warning"))
    found = {leak.alone.column for leak in leaks}
    hidden = [each for each in (*near, *strong) if each.column not in found]
    together = _together(scored, rows, hidden, (certain, joint), params)
    leaks += together.leaks
    single = _single_classes(scored, rows, params, {leak.alone.column for leak in leaks} | set(out))
    return _Judged(_one_each(leaks + single), together.undecided, together.why)


def _together(
    scored: _Scored, rows: Rows, hidden: Sequence[_Alone], sure: tuple[float, float], params: Params
) -> _Judged:
    """Columns that say nearly everything, and that stand out only if all such columns are left out.

    Several leaks hide each other: whatever is taken out, another one is still in. So do several good features of one
    kind, such as the length, the width and the weight of a diamond. What tells them apart is how near they come to
    certainty; below that it is left to you.
    """
    suspects = {each.column for each in scored.alone if each.score.low >= params.strong or each.score.gain >= sure[0]}
    without = _without(scored, rows, tuple(sorted(suspects)))
    if without is None:  # no other column at all: then what is good may be everything there is to know
        lone = [each for each in scored.alone if each.score.gain >= params.strong]
        return _Judged([], lone, "there is no other column to compare with")
    leaks, undecided = [], []
    for each in hidden:
        if each.score.low < without.high + params.large_gap:
            continue
        if each.score.gain >= sure[0] or each.score.low >= sure[1]:
            beside = tuple(sorted(suspects - {each.column}))
            leaks.append(_Leak(each, beside, without, "warning"))
        else:
            undecided.append(each)
    return _Judged(
        leaks, undecided, "the columns that are left without these tell much less, and each stands in for the others"
    )


def _one_each(leaks: Sequence[_Leak]) -> list[_Leak]:
    """Of a column that tells by its value and by its absence, the better one."""
    best: dict[str, _Leak] = {}
    for leak in leaks:
        best.setdefault(leak.alone.column, leak)
    return list(best.values())


def _single_classes(scored: _Scored, rows: Rows, params: Params, known: set[str]) -> list[_Leak]:
    """Columns that tell one class of three or more from all others."""
    if rows.classes is None or len(np.unique(rows.classes[rows.classes >= 0])) < 3:
        return []
    leaks: list[_Leak] = []
    sizes = np.bincount(rows.classes[rows.classes >= 0])
    strong = [
        each
        for each in scored.alone
        if each.column not in known
        and each.score.one_low >= params.strong
        and sizes[each.score.one_class] >= params.reasonable
    ]
    sure = [each for each in strong if each.score.one_gain >= params.certain]
    for one in sorted({each.score.one_class for each in sure}):
        of_class, alike = ([each for each in some if each.score.one_class == one] for some in (sure, strong))
        wanted = of_class
        for some in (of_class, alike):  # first without the sure ones, then without all that are nearly so
            out = tuple(sorted({each.column for each in some}))
            without = _without(scored, against_rest(rows, one), out) if wanted else None
            if without is None:
                break
            stand = [each for each in wanted if each.score.one_low >= without.high + params.large_gap]
            for each in stand:
                beside = tuple(name for name in out if name != each.column)
                leaks.append(_Leak(each, beside, without, "warning", single=one))
            wanted = [each for each in wanted if each not in stand] if len(alike) > len(of_class) else []
    return leaks


def _enough(rows: Rows, params: Params) -> bool:
    if rows.classes is None:
        assert rows.values is not None
        return int((~np.isnan(rows.values)).sum()) >= 2 * params.reasonable
    return int((np.bincount(rows.classes[rows.classes >= 0]) >= params.reasonable).sum()) > 1


def _without(scored: _Scored, rows: Rows, out: Sequence[str]) -> Score | None:
    """The model of all other columns; None where there is none at all to compare with."""
    order = {each.column: None for each in scored.alone if each.column in scored.columns and each.column not in out}
    if not order and not scored.n_unread:
        return None
    return score_model([scored.columns[name] for name in list(order)[:MODEL_COLUMNS]], rows)


def _measured(scored: _Scored, label: Target, sample: TableSample, params: Params) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {
        "n_rows": len(sample),
        "n_columns": len(scored.columns) + scored.n_unread,
        "n_classes": len(label.classes) or None,
    }
    for each in scored.alone[: params.listed]:
        measured[f"{each.said}: gain"] = round(each.score.gain, 4)
        measured[f"{each.said}: low"] = round(each.score.low, 4)
    return measured


def _finding(context: Context, label: Target, scored: _Scored, leak: _Leak, params: Params) -> Finding:
    alone, score = leak.alone, leak.alone.score
    left_out = {alone.column, *leak.beside}
    following = next((each for each in scored.alone if each.column not in left_out), None)
    if leak.single is None:
        what = label.name
        alone_said, without_said = _told(score, label), _told(leak.without, label)
        gain, low = score.gain, score.low
    else:
        what = f"{label.name} {label.classes[leak.single]} from the others"
        alone_said, without_said = (
            f"{(1 + each) / 2:.1%} right on average" for each in (score.one_gain, leak.without.gain)
        )
        gain, low = score.one_gain, score.one_low
    others = f" (and without {', '.join(leak.beside[:3])})" if leak.beside else ""
    beside = ""
    if following is not None and leak.single is None:
        beside = f"; the next best alone, {following.said}: {_told(following.score, label)}"
    effect: dict[str, Scalar] = {
        "column": alone.column,
        "by": "missing values" if alone.is_missing else "value",
        "gain": round(gain, 4),
        "low": round(low, 4),
        "without": round(leak.without.gain, 4),
        "without_high": round(leak.without.high, 4),
        "next_best": None if following is None else following.said,
        "next_gain": None if following is None else round(following.score.gain, 4),
    }
    n_rows = sum(sum(info.labels.values()) for info in context.splits.values())
    return Finding(
        id=finding_id(CHECK.code, label.name, alone.said, "" if leak.single is None else label.classes[leak.single]),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=leak.severity,
        message=(
            f"{alone.said} alone tells {what}: {alone_said}; all other columns{others} together: {without_said}{beside}"
        ),
        splits=context.dataset.splits,
        n_samples=n_rows,
        effect=effect,
        evidence=Evidence(
            n_samples=n_rows,
            breakdown=Breakdown(
                ("column", "alone", "at least"),
                tuple(
                    (each.said, round(each.score.gain, 4), round(each.score.low, 4))
                    for each in scored.alone[: params.listed]
                ),
            ),
        ),
    )


def _told(score: Score, label: Target) -> str:
    """A score in words: balanced accuracy and what a guess has, or R²."""
    if label.values is not None:
        return f"R² {max(score.gain, 0):.3f} of its ranks"
    k = max(score.n_classes, 2)
    return f"{1 / k + max(score.gain, 0) * (1 - 1 / k):.1%} right on average (guess {1 / k:.1%})"


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


CHECK = Check(
    code="LA301",
    slug="feature-reveals-target",
    family="shortcut",
    severity="warning",
    kinds=("table",),
    needs=("label",),
    params=Params(),
    run=run,
)
