"""Columns whose values differ between the held-out and the reference split.

What it does
------------
Compares every feature column between every pair of splits: where numbers lie and how wide they lie, the shares of
categories, the share of missing values, and the length of running text in characters and words. A label that is a
quantity is compared, too (classes are LA201's). Identifiers, groups, times (LA109) and constants are left out.

Why it matters
--------------
Rows drawn at random look alike in all splits. Where a column differs, validation was drawn from another place, time or
pipeline: its score mixes what the model has learnt with how it bears the difference, and hyper-parameters are chosen
for the wrong population.

How it decides
--------------
Numbers by ranks: the probability that a held-out value is the larger one, on the scale of Cohen's d
(``d = √2 Φ⁻¹(P)``); the same for the distance from the median of both, which sees what has the same median; missing
values and lengths likewise. Categories by the extended Cochran-Mantel-Haenszel statistic, with
``d = sqrt((statistic − df) / Σ n₁n₂/n)``: for two equally frequent categories twice the difference in share; categories
with fewer than 5 expected rows on the smaller side count as one. Both sides are random samples in every test. Where
classes are known, the comparison is made within classes, so that a shift of classes is not told again; the figures are
then those of the class that differs most, and d is that of all classes together. Where a group is
declared, or a column named like one is kept together by the splits (``least_groups``: where rows at random would have
cut at least 10 groups), sample sizes are divided by the design effect of the groups.

A statistic has shifted when both hold: its p-value, adjusted over all columns, statistics and pairs of splits by
Benjamini-Hochberg, is below 0.01 (``alpha``; a scan has a dozen statistical checks), and the 95 % interval of d lies
beyond 0.2 (``smallest``, Cohen's "small"). All shifted columns of a pair are one finding, the largest first, *warning*;
an *info* where every held-out row comes after train by dates (LA109): a split by time is there to show drift.
Without a finding, where a d of 0.5 (``blind``, Cohen's "medium") would be missed more than once in five times, the
outcome is *inconclusive* and names the smallest effect that would be found. Of splits of more than 100,000 rows (fewer
where columns are many) a fixed random sample is compared, and this is said.

What it cannot see
------------------
Columns that differ only together (LA205). Vocabulary of text. Values that one side lacks, where they are rare (LA204).
A split by groups that are not declared has fewer independent rows than it seems, and may show a shift that is the
chance of few groups.

Fix
---
Draw the splits at random from all rows together (by group, where there are groups). If another population is meant to
be tested, report its score apart. If it is the preparation that differs (units, rounding, filling of gaps), prepare all
splits alike.

References
----------
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
- J. Ruscio, A probability-based measure of effect size, Psychological Methods 13 (2008).
- R. G. Newcombe, Confidence intervals for an effect size measure based on the Mann-Whitney statistic, Part 2,
  Statistics in Medicine 25 (2006).
- P. H. van Elteren, On the combination of independent two-sample tests of Wilcoxon, Bull. Int. Stat. Inst. 37 (1960).
- J. R. Landis, E. R. Heyman, G. G. Koch, Average partial association in three-way contingency tables, International
  Statistical Review 46 (1978).
- J. N. K. Rao, A. J. Scott, The analysis of categorical data from complex sample surveys, JASA 76 (1981).
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.sample import Feature, TableSample, Target, draw_sample, features, groups_of, target
from leakaudit.analysis.context import Context
from leakaudit.analysis.series.later import KEEP, drift, later_by
from leakaudit.analysis.shift.columns import Moved, column_shifts
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.fingerprints.rows.table_column import TableColumn
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    from leakaudit.model import Status

SAID = {"spread": "spread of ", "missing": "missing values of ", "characters": "length of ", "words": "words of "}
"""How a statistic is named before its column."""


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` statistics are shown of each pair."""

    alpha: float = 0.01
    smallest: float = 0.2
    blind: float = 0.5
    least_groups: int = 10
    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Compare the columns of every pair of splits."""
    sample = draw_sample(context)
    label = target(context, sample)
    moved, n_columns = _compare(context, sample, label, params)
    if not n_columns:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column is a feature that could be compared")
    if not any(moved.values()):
        reason = f"none of {n_columns:,} columns varies enough to be compared"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", reason, {"n_columns": n_columns})
    classes = () if isinstance(label, str) else label.classes
    adjusted = iter(benjamini_hochberg([each.p_value for found in moved.values() for each in found]))
    findings, said, underpowered = [], [], False
    metrics: dict[str, Mapping[str, Scalar]] = {}
    for (held_out, reference), found in moved.items():
        tested = [(each, next(adjusted)) for each in found]
        sizes = [context.splits[name].n for name in (held_out, reference)]
        detectable = max((each.detectable for each in found), default=float("inf"))
        metrics[f"{held_out} against {reference}"] = _measured(tested, sizes, n_columns, detectable, params)
        shifted = [(each, p) for each, p in tested if p < params.alpha and each.low >= params.smallest]
        names = {each.column for each, _ in shifted}
        limit = f" (d from {detectable:.2f} would be found)" if np.isfinite(detectable) else ""
        said.append(f"{held_out} against {reference}: {len(names):,} of {n_columns:,} columns differ{limit}")
        if shifted:
            later = later_by(context, held_out, reference)
            findings.append(_finding(held_out, reference, sizes[0], shifted, classes, later, params))
        elif found and detectable > params.blind:
            underpowered = True
    status: Status = "failed" if findings else "inconclusive" if underpowered else "passed"
    return Outcome(CHECK.code, CHECK.slug, status, "; ".join(said), metrics, tuple(findings), sampled=sample.sampled)


def _compare(
    context: Context, sample: TableSample, label: Target | str, params: Params
) -> tuple[dict[tuple[str, str], list[Moved]], int]:
    """What each pair of splits shows, and the number of columns looked at."""
    groups = groups_of(context, sample, params.least_groups)
    strata = None if isinstance(label, str) else label.codes
    sides = []
    for pair in context.pairs_of_splits:
        inside = [sample.inside(context, name) for name in pair]
        at = np.flatnonzero(inside[0] | inside[1])
        sides.append((pair, at, inside[0][at]))
    moved: dict[tuple[str, str], list[Moved]] = {pair: [] for pair in context.pairs_of_splits}
    n_columns = 0

    def look(feature: Feature) -> None:
        for pair, at, first in sides:
            its = [None if each is None else each[at] for each in (strata, groups and groups[1])]
            moved[pair] += column_shifts(feature, at, first, its[0], its[1], smallest=params.smallest)

    for feature in features(context, sample, ("number", "category", "prose")):
        if groups is None or feature.name != groups[0]:
            look(feature)
            n_columns += 1
    if not isinstance(label, str) and label.values is not None:
        look(Feature(label.name, "number", TableColumn(label.name, "number", numbers=label.values)))
        n_columns += 1
    return moved, n_columns


def _measured(
    tested: Sequence[tuple[Moved, float]], sizes: Sequence[int], n_columns: int, detectable: float, params: Params
) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {
        "n_held_out": sizes[0],
        "n_reference": sizes[1],
        "n_columns": n_columns,
        "n_tests": len(tested),
        "detectable": round(detectable, 4) if np.isfinite(detectable) else None,
    }
    largest = sorted(tested, key=lambda each: (-each[0].low, -abs(each[0].effect), each[0].column))[: params.listed]
    for each, p in largest:
        measured[f"{_named(each)}: d"] = round(each.effect, 4)
        measured[f"{_named(each)}: p_adjusted"] = round(p, 6)
    return measured


def _finding(
    held_out: str,
    reference: str,
    n_held_out: int,
    shifted: Sequence[tuple[Moved, float]],
    classes: Sequence[str],
    later: str | None,
    params: Params,
) -> Finding:
    shifted = sorted(shifted, key=lambda each: (-each[0].low, each[0].column, each[0].statistic))
    worst = shifted[0][0]
    columns = list(dict.fromkeys(each.column for each, _ in shifted))
    largest = {each.column: each for each, _ in reversed(shifted)}
    named = "; ".join(_told(largest[column], held_out, reference, classes) for column in columns[:3])
    more = f" and {len(columns) - 3:,} more columns" if len(columns) > 3 else ""
    within = any(each.stratum is not None for each, _ in shifted)
    rows = [
        (
            _named(each),
            *([_class_of(each, classes)] if within else []),
            _rounded(each.first),
            _rounded(each.second),
            round(each.effect, 3),
            round(each.low, 3),
            round(p, 6),
        )
        for each, p in shifted[: params.listed]
    ]
    names = ("column", *(["class"] if within else []), held_out, reference, "d", "at least", "p adjusted")
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *sorted(columns)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity if later is None else "info",
        message=(
            f"{_several(len(columns))} of {held_out} and {reference} differ: {named}{more}"
            + ("" if later is None else drift(held_out, reference, later))
        ),
        splits=(held_out, reference),
        n_samples=n_held_out,
        effect={
            "column": worst.column,
            "statistic": worst.statistic,
            "d": round(worst.effect, 4),
            "low": round(worst.low, 4),
            "high": round(worst.high, 4),
            "n_columns": len(columns),
            **({} if later is None else {"later_by": later, "fix": KEEP}),
        },
        evidence=Evidence(breakdown=Breakdown(names, tuple(rows))),
    )


def _several(n: int) -> str:
    return "one column" if n == 1 else f"{n:,} columns"


def _named(each: Moved) -> str:
    return f"{each.column} = {each.level}" if each.level is not None else f"{SAID.get(each.statistic, '')}{each.column}"


def _class_of(each: Moved, classes: Sequence[str]) -> str | None:
    """Of which class the figures are, where the comparison was made within classes; None for rows without a label."""
    return classes[each.stratum] if each.stratum is not None and each.stratum >= 0 else None


def _told(each: Moved, held_out: str, reference: str, classes: Sequence[str]) -> str:
    of = f"class {name}" if (name := _class_of(each, classes)) is not None else "rows without a label"
    named = _named(each) + (f" in {of}" if each.stratum is not None else "")
    if each.statistic in ("missing", "shares"):
        return f"{named} {each.first:.1%} of {held_out}, {each.second:.1%} of {reference}"
    middle = "median distance from the median" if each.statistic == "spread" else "median"
    first, second = _distinct(each.first, each.second)
    return f"{named} ({middle} {first} against {second}, d = {each.effect:.2f})"


def _distinct(first: float, second: float) -> tuple[str, str]:
    """Both with as few digits as tell them apart, from four on: medians of large numbers agree in the first ones."""
    texts = [(f"{first:.{digits}g}", f"{second:.{digits}g}") for digits in (4, 6, 9, 13, 17)]
    return next((both for both in texts if both[0] != both[1]), texts[0])


def _rounded(value: float) -> float | str:
    return float(f"{value:.4g}") if np.isfinite(value) else str(value)


CHECK = Check(
    code="LA203",
    slug="feature-shift",
    family="shift",
    severity="warning",
    kinds=("table",),
    needs=("pair",),
    params=Params(),
    run=run,
)
