"""A class was oversampled before the split: held-out rows are mixtures or copies of training rows.

What it does
------------
Looks in every class for held-out rows that lie exactly on the segment between two other rows of the class, at least one
of them in the reference split, as SMOTE and its kin (Borderline-SMOTE, ADASYN, SVM-SMOTE) make them; and for a class
whose held-out rows are copies of reference rows while those of the other classes are not, as random oversampling makes
them.

Why it matters
--------------
A row that is a mixture of two training rows is no new case: a model that memorised its ends gets it right. Scores on
the minority class, the one that matters, are too good, by far more than through a pooled scaler.

How it decides
--------------
*Mixtures.* For up to 4,000 held-out rows (``rows``, shared among the classes) the ends are sought among the 64 nearest
rows of the class, by directions that are opposite. A triple counts where all columns of numbers agree on the position
between the ends to what rounding allows. How likely that is by accident is the product, over the columns but the best
and those that depend on others, of the allowance over the distance of the ends; times the number of triples looked at
it must be below 0.001, so that nothing can be told from one or two columns, or from few digits. A *warning* needs at
least 5 such rows (``least``), 5 % of those looked at (``share``), and three times the share of the class that has the
least (``apart``): the class that was not oversampled is the control, and data that are interpolated as a whole do not
count.

*Copies.* At least 10 held-out rows (``least_copies``) and half of those of the class (``copied``; a fifth where all
classes have exactly the same number of rows, which is what oversampling aims at) are in the reference split, label
included; the class with the most distinct rows has at most a fifth of that share (``control``); and the class has fewer
distinct rows than it. The rows themselves are findings of LA104. All these thresholds are conventions of this tool.

What it cannot see
------------------
Mixtures with rows of other classes or with noise; new rows after which categories were encoded or values transformed
column with column; generative models. Oversampling of all classes alike. Classes of more than 20,000 rows (``most``;
of all classes together 200,000, ``pool``) are sampled, which is said. Columns of text do not count.

Fix
---
Split first, then oversample the training rows only (in imbalanced-learn, inside its own ``Pipeline``), or use class
weights.

References
----------
- N. V. Chawla et al., SMOTE: synthetic minority over-sampling technique, JAIR 16 (2002).
- H. Han, W.-Y. Wang, B.-H. Mao, Borderline-SMOTE, ICIC 2005; H. He et al., ADASYN, IJCNN 2008.
- M. S. Santos et al., Cross-validation for imbalanced datasets: avoiding overoptimistic and overfitting approaches,
  IEEE Computational Intelligence Magazine 13 (2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from leakaudit.analysis.columns.labels import not_classes
from leakaudit.analysis.context import Context
from leakaudit.analysis.fitted.precision import measured
from leakaudit.analysis.fitted.rows_seen import numbers
from leakaudit.analysis.fitted.synthesis import Between, Copies, copies_by_class, rows_between
from leakaudit.checks.base import Check
from leakaudit.checks.fitted_report import short
from leakaudit.fingerprints.rows.columns import raw_numbers, read_labels
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, SamplePair, Scalar, finding_id

if TYPE_CHECKING:
    from leakaudit.model import IntArray

Pair: TypeAlias = tuple[str, str]

SEED = 306


@dataclass(frozen=True)
class Params:
    """See *How it decides*; at most ``classes`` classes, the smallest ones; ``listed`` pairs are shown."""

    rows: int = 4_000
    most: int = 20_000
    pool: int = 200_000
    classes: int = 50
    least: int = 5
    share: float = 0.05
    apart: float = 3.0
    least_copies: int = 10
    copied: float = 0.5
    copied_balanced: float = 0.2
    control: float = 0.2
    listed: int = 5


@dataclass(frozen=True, eq=False, slots=True)
class _Mixed:
    """Rows of one class between others; `indices` are the sample indices of the positions in `between`."""

    label: str
    between: Between
    indices: IntArray

    @property
    def share(self) -> float:
        return len(self.between) / max(self.between.n_examined, 1)


@dataclass(slots=True)
class _Said:
    """What is gathered over the pairs of splits."""

    metrics: dict[str, Scalar | Mapping[str, Scalar]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sampled: list[str] = field(default_factory=list)
    unsure: bool = False


def run(context: Context, params: Params) -> Outcome:
    """Look for mixtures and copies in every class, for every pair of splits."""
    rows = context.rows
    counts = {name: info.labels for name, info in context.splits.items()}
    if (why := not_classes(counts)) is not None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", why)
    said = _Said()
    for pair in context.pairs_of_splits:
        mixed = _mixed(context, pair, params, said)
        copies = copies_by_class(rows, *pair)
        _judge_mixed(context, pair, mixed, params, said)
        _judge_copies(context, pair, copies, params, said)
    if not said.reasons:
        reason = "no class has enough rows in two splits, or fewer than two columns are numbers"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason, said.metrics)
    reason = "; ".join(said.reasons)
    sampled = tuple(dict.fromkeys(said.sampled))
    if said.findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", reason, said.metrics, tuple(said.findings), sampled=sampled)
    return Outcome(
        CHECK.code, CHECK.slug, "inconclusive" if said.unsure else "passed", reason, said.metrics, sampled=sampled
    )


# --- mixtures -------------------------------------------------------------------------------------------------


def _mixed(context: Context, pair: Pair, params: Params, said: _Said) -> list[_Mixed]:
    """Rows of each class that lie between others."""
    rows, names = context.rows, numbers(context)
    labels = read_labels(rows)
    if labels is None or labels.codes is None or labels.levels is None or len(names) < 2:
        return []
    held_out, reference = (context.row_splits == context.dataset.splits.index(name) for name in pair)
    n_of = np.bincount(labels.codes[(held_out | reference) & (labels.codes >= 0)], minlength=len(labels.levels))
    chosen = [int(c) for c in np.argsort(n_of, kind="stable") if n_of[c] > 0][: params.classes]
    n_rows, most = (max(least, n // max(len(chosen), 1)) for least, n in ((100, params.rows), (2_000, params.pool)))
    looked_at: dict[int, tuple[IntArray, IntArray]] = {}
    for code in sorted(chosen):
        of_class = labels.codes == code
        random = np.random.default_rng((SEED, code))
        middles = _some(np.flatnonzero(of_class & held_out), n_rows, random)
        may_be_an_end = of_class & (held_out | reference)
        may_be_an_end[middles] = False
        others = np.flatnonzero(may_be_an_end)
        if len(others) > min(most, params.most):
            others = _some(others, min(most, params.most), random)
            said.sampled.append(f"LA306 sought the ends of mixtures among {len(others):,} rows of each larger class")
        if len(middles) >= params.least and reference[others].any():
            looked_at[code] = middles, np.union1d(middles, others).astype(np.int64)
    if not looked_at:
        return []
    every = np.unique(np.concatenate([indices for _, indices in looked_at.values()]))
    table = np.column_stack(raw_numbers(rows, names, every))
    found = []
    for code, (middles, inside) in looked_at.items():
        points = table[np.searchsorted(every, inside)]
        whole = measured(points).all(axis=1)
        indices = inside[whole]
        at = np.flatnonzero(np.isin(indices, middles)).astype(np.int64)
        between = rows_between(points[whole], reference[indices], at)
        found.append(_Mixed(str(labels.levels[code]), between, indices))
    return found


def _some(indices: IntArray, most: int, random: np.random.Generator) -> IntArray:
    if len(indices) <= most:
        return indices
    return np.sort(random.choice(indices, most, replace=False))


def _judge_mixed(context: Context, pair: Pair, mixed: Sequence[_Mixed], params: Params, said: _Said) -> None:
    if not mixed:
        return
    n_found, n_examined = sum(len(each.between) for each in mixed), sum(each.between.n_examined for each in mixed)
    said.metrics[f"mixtures, {' against '.join(pair)}"] = {
        "n_examined": n_examined,
        "n_between": n_found,
        "n_classes": len(mixed),
        "n_columns": max(each.between.n_informative for each in mixed),
    }
    said.reasons.append(
        f"{n_found:,} of {n_examined:,} {pair[0]} rows lie exactly between two rows of their class, one of {pair[1]}"
    )
    control = min(each.share for each in mixed)
    many = [each for each in mixed if len(each.between) >= params.least and each.share >= params.share]
    stand_out = [each for each in many if len(mixed) > 1 and each.share >= params.apart * control]
    said.unsure |= len(stand_out) < len(many)
    said.findings += [_mixture_finding(context, pair, each, mixed, params) for each in stand_out]


def _mixture_finding(context: Context, pair: Pair, found: _Mixed, mixed: Sequence[_Mixed], params: Params) -> Finding:
    between, indices = found.between, found.indices
    shown = np.arange(min(params.listed, len(between)))
    ends = [context.describe(indices[which[shown]]) for which in (between.middle, between.first, between.second)]
    pairs = tuple(
        SamplePair(row, first, score=1.0, note=f"{share:.1%} of the way from there to {second.uri}")
        for row, first, second, share in zip(*ends, between.share[shown], strict=True)
    )
    control = min(mixed, key=lambda each: each.share)
    return Finding(
        id=finding_id(CHECK.code, "mixture", *pair, found.label, *sorted(context.digests(indices[between.middle]))),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"{len(between):,} of {between.n_examined:,} {pair[0]} rows of class {found.label} ({found.share:.0%}) lie "
            f"exactly between two rows of the class, one in {pair[1]}, as interpolation (SMOTE) before the split makes "
            f"them; of class {control.label} {control.share:.0%} do"
        ),
        splits=pair,
        n_samples=len(between),
        effect={
            "kind": "mixture",
            "class": found.label,
            "share": short(found.share),
            "share_of_control": short(control.share),
            "n_columns": between.n_informative,
        },
        evidence=Evidence(
            pairs=pairs,
            n_pairs=len(between),
            breakdown=Breakdown(
                ("class", "rows looked at", "between two others", "share"),
                tuple((m.label, m.between.n_examined, len(m.between), short(m.share)) for m in mixed),
            ),
        ),
    )


# --- copies ---------------------------------------------------------------------------------------------------


def _judge_copies(context: Context, pair: Pair, copies: Mapping[str, Copies], params: Params, said: _Said) -> None:
    there = {label: each for label, each in copies.items() if each.n_held_out and each.n > each.n_held_out}
    if len(there) < 2:
        return
    name, largest = max(there.items(), key=lambda item: (item[1].n_distinct, item[0]))
    balanced = len({each.n for each in copies.values()}) == 1
    n_copied, n_held_out = (sum(getattr(each, what) for each in there.values()) for what in ("n_copied", "n_held_out"))
    said.metrics[f"copies, {' against '.join(pair)}"] = {
        "n_held_out": n_held_out,
        "n_copied": n_copied,
        "n_classes": len(there),
        "balanced": balanced,
    }
    said.reasons.append(f"{n_copied:,} of {n_held_out:,} are copies of a row of {pair[1]}")
    least = params.copied_balanced if balanced else params.copied
    for label, each in there.items():
        fewer = each.n_distinct < largest.n_distinct and largest.share <= params.control * each.share
        if fewer and each.n_copied >= params.least_copies and each.share >= least:
            said.findings.append(_copies_finding(pair, label, there, name, balanced))


def _copies_finding(pair: Pair, label: str, copies: Mapping[str, Copies], control: str, balanced: bool) -> Finding:
    each, other = copies[label], copies[control]
    equal = f"; every class has {each.n:,} rows" if balanced else ""
    return Finding(
        id=finding_id(CHECK.code, "copies", *pair, label, str(each.n_copied), str(each.n_held_out)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"{each.n_copied:,} of {each.n_held_out:,} {pair[0]} rows of class {label} ({each.share:.0%}) are copies "
            f"of rows of {pair[1]}, of class {control} {other.share:.0%}{equal}; class {label} has "
            f"{each.n_distinct:,} distinct rows of {each.n:,}, as random oversampling before the split makes them"
        ),
        splits=pair,
        n_samples=each.n_copied,
        effect={
            "kind": "copies",
            "class": label,
            "share": short(each.share),
            "share_of_control": short(other.share),
            "balanced": balanced,
        },
        evidence=Evidence(
            breakdown=Breakdown(
                ("class", "rows", "distinct rows", f"rows of {pair[0]}", f"copies of {pair[1]}", "share"),
                tuple((k, c.n, c.n_distinct, c.n_held_out, c.n_copied, short(c.share)) for k, c in copies.items()),
            )
        ),
    )


CHECK = Check(
    code="LA306",
    slug="synthetic-oversampling-before-split",
    family="fitted",
    severity="warning",
    kinds=("table",),
    needs=(
        "label",
        "pair",
        "whole-row",
    ),
    params=Params(),
    run=run,
)
