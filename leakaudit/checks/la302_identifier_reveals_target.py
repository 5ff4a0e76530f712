"""An identifier, or the order of the rows, gives the target away.

What it does
------------
Tells the label of rows from each identifier column: from its order, its prefix, the pattern that is left without its
numbers, and its last number. Identifiers are columns told (``--id``), texts and whole numbers that do not repeat, and
row numbers that every split counts anew; file names and the like may repeat, and their rows then count as one. The
order of the rows in each split is looked at as well.

Why it matters
--------------
Records are often collected class by class, and numbered as they come. A model that is fed the number learns the order
of collection: it scores well on every split of this file, and on nothing else. Rows sorted by class do no harm as such;
they do when a split is made by position, or batches are drawn without shuffling.

How it decides
--------------
Each aspect of an identifier (numbers in 16 and in up to 1,024 bins of equal counts) says the class that it is most
typical of, learnt on four fifths of the rows and scored on the fifth. The effect is the gain of the balanced accuracy
over guessing, ``(score − 1/k) / (1 − 1/k)``; for quantities R² of their ranks. A *warning* needs the lower bound of the
95 % interval, Bonferroni over all identifiers and aspects, at 0.2 or more (``smallest``: in two equal classes, 60 %
right); or, of one class of several told from the others, Youden's J of 0.5 (``smallest_one``). In tables with groups
the rows of a group are in one fold and count as one. The order of the rows is an *info* where it tells the label with a
gain of 0.8 or more (``sorted``): only rows nearly sorted by label reach it, and nobody is to be blocked by that. None
where the rows lie in the order of their dates: a series is in its order, and not to be shuffled before it is split. A
split by position of such a file shows as a shift of classes (LA201, LA202).

What it cannot see
------------------
Columns of groups, declared or named (a patient has one diagnosis: LA108), and times. What a database key encodes by
arithmetic. The order of files, and of pictures: folders are sorted by class by their nature.

Fix
---
Leave identifiers out of the features. Where it is the order of the rows that tells, no column is to be left out:
shuffle the rows, with a seed, before a split by position and between the epochs of training.

References
----------
- S. Rosset, C. Perlich, G. Swirszcz, P. Melville, Y. Liu, Medical data mining: insights from winning two competitions,
  Data Mining and Knowledge Discovery 20 (2010): patient identifiers that told the diagnosis in KDD Cup 2008.
- S. Kaufman et al., Leakage in data mining: formulation, detection, and avoidance, ACM TKDD 6 (2012).
- W. J. Youden, Index for rating diagnostic tests, Cancer 3 (1950).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from leakaudit.analysis.columns.group_columns import group_columns
from leakaudit.analysis.columns.profiles import UNIQUE, columns_of
from leakaudit.analysis.columns.sample import (
    Feature,
    TableSample,
    Target,
    codes_of,
    draw_sample,
    features,
    groups_of,
    target,
)
from leakaudit.analysis.context import Context
from leakaudit.analysis.series.later import lies_in_time
from leakaudit.analysis.shortcuts.column_scores import Rows, Score
from leakaudit.analysis.shortcuts.identifier_scores import best_aspect, order_score
from leakaudit.checks.base import Check
from leakaudit.model import Evidence, Finding, Outcome, Scalar, finding_id

ASPECTS = {
    "order": "the order",
    "number": "the number",
    "prefix": "what stands before the number",
    "pattern": "the pattern",
}

OF_ORDER = "Shuffle the rows, with a seed, before a split by position and between the epochs of training"

ASKED = 7
"""Aspects and bins of an identifier that are tried."""


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``compared`` rows of each split and ``cells`` are looked at."""

    alpha: float = 0.05
    smallest: float = 0.2
    smallest_one: float = 0.5
    sorted: float = 0.8
    least: int = 10
    least_groups: int = 10
    compared: int = 20_000
    cells: int = 2_000_000


def run(context: Context, params: Params) -> Outcome:
    """Tell the label from identifiers and from the order of the rows."""
    sample = draw_sample(context, cells=params.cells, at_most=params.compared)
    label = target(context, sample)
    if isinstance(label, str):
        return Outcome(CHECK.code, CHECK.slug, "skipped", label)
    groups = groups_of(context, sample, params.least_groups)
    aside = {label.name, *_groups_that_repeat(context), *([] if groups is None else [groups[0]])}
    identifiers = [each for each in features(context, sample, ("identifier",)) if each.name not in aside]
    n_classes = max(len(label.classes), 1)
    z = _normal_quantile(1 - params.alpha / 2 / max(ASKED * len(identifiers) * n_classes, 1))
    rows = Rows(label.codes, label.values, None if groups is None else groups[1], z, params.least)
    metrics: dict[str, Mapping[str, Scalar]] = {}
    findings, said = [], []
    for feature in identifiers:
        best = best_aspect(feature, rows if groups is not None else _one_by_one(feature, rows))
        if best is None:
            continue
        metrics[feature.name] = {"n_rows": len(sample), **_measured(best[1]), "by": best[0]}
        said.append(f"{feature.name} by {ASPECTS[best[0]]}: {_told(best[1])}")
        if best[1].low >= params.smallest or best[1].one_low >= params.smallest_one:
            findings.append(_of_identifier(context, label, feature.name, *best))
    of_order = _orders(context, sample, label, params)
    for split, score in of_order.items():
        metrics[f"rows of {split}"] = {"n_rows": int(sample.inside(context, split).sum()), **_measured(score)}
        if score.gain >= params.sorted and score.low > 0 and lies_in_time(context, split) is None:
            findings.append(_of_order(context, label, split, score))
    if not identifiers and not of_order:
        reason = "no column is an identifier, and no class has enough rows to be told by their order"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    none = "no column is an identifier" if not identifiers else f"{len(identifiers):,} identifiers"
    best_order = max((score.gain for score in of_order.values()), default=0.0)
    reason = "; ".join(said[:5]) or none
    return Outcome(
        CHECK.code,
        CHECK.slug,
        "failed" if findings else "passed",
        f"{reason}; the order of the rows tells {label.name} with a gain of {max(best_order, 0):.2f}",
        metrics,
        tuple(findings),
        sampled=sample.sampled,
    )


def _groups_that_repeat(context: Context) -> set[str]:
    """Columns of groups whose values name several rows; an id of one row under such a name is an identifier."""
    profiles = {profile.name: profile for profile in columns_of(context)}
    named = [profiles[name] for name in group_columns(context)]
    return {each.name for each in named if each.n_distinct < UNIQUE * (each.n - each.n_missing)}


def _one_by_one(feature: Feature, rows: Rows) -> Rows:
    """The same rows, those of one value as one: what a file name tells of its own rows it tells by heart."""
    codes = codes_of(feature.column)
    n_known = int((codes >= 0).sum())
    if n_known == len(np.unique(codes[codes >= 0])):
        return rows
    return replace(rows, groups=codes)


def _orders(context: Context, sample: TableSample, label: Target, params: Params) -> dict[str, Score]:
    """The score of the position of each row within its split."""
    scores = {}
    for split in context.dataset.splits:
        at = np.flatnonzero(sample.inside(context, split))
        inside = [None if each is None else each[at] for each in (label.codes, label.values)]
        rows = Rows(inside[0], inside[1], None, 1.96, params.least)  # type: ignore[arg-type]
        score = order_score(rows) if len(at) else None
        if score is not None:
            scores[split] = score
    return scores


def _measured(score: Score) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {
        "gain": round(score.gain, 4),
        "low": round(score.low, 4),
        "high": round(score.high, 4),
    }
    if score.n_classes > 2:
        measured |= {"one_gain": round(score.one_gain, 4), "one_low": round(score.one_low, 4)}
    return measured


def _told(score: Score) -> str:
    if not score.n_classes:
        return f"R² {max(score.gain, 0):.2f} of the ranks"
    k = score.n_classes
    return f"{1 / k + score.gain * (1 - 1 / k):.1%} right on average (guess {1 / k:.1%})"


def _of_identifier(context: Context, label: Target, column: str, aspect: str, score: Score) -> Finding:
    n_rows = sum(sum(info.labels.values()) for info in context.splits.values())
    one = ""
    if score.n_classes > 2 and score.one_gain > score.gain:
        one = f"; class {label.classes[score.one_class]} from the others {(1 + score.one_gain) / 2:.1%}"
    return Finding(
        id=finding_id(CHECK.code, label.name, column),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=f"{ASPECTS[aspect]} of {column} tells {label.name}: {_told(score)}{one}",
        splits=context.dataset.splits,
        n_samples=n_rows,
        effect={"column": column, "by": aspect, **_measured(score)},
        evidence=Evidence(n_samples=n_rows),
    )


def _of_order(context: Context, label: Target, split: str, score: Score) -> Finding:
    n_rows = sum(context.splits[split].labels.values())
    return Finding(
        id=finding_id(CHECK.code, label.name, "order", split),
        code=CHECK.code,
        slug=CHECK.slug,
        severity="info",
        message=(
            f"the rows of {split} are in the order of {label.name} (their place tells it: {_told(score)}): shuffle "
            "them before a split by position, and between the epochs of training"
        ),
        splits=(split,),
        n_samples=n_rows,
        effect={"column": None, "by": "row order", "fix": OF_ORDER, **_measured(score)},
        evidence=Evidence(n_samples=n_rows),
    )


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


CHECK = Check(
    code="LA302",
    slug="identifier-reveals-target",
    family="shortcut",
    severity="warning",
    kinds=("table",),
    needs=(
        "label",
        "whole-row",
    ),
    params=Params(),
    run=run,
)
