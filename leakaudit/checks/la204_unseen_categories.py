"""Held-out categories that the reference split never has, more than chance explains.

What it does
------------
Counts the values of every category column in every split, over all rows, and reports columns of which the held-out
split has values that the reference split lacks, where a random assignment of the same rows would hardly leave them out.

Why it matters
--------------
A model has learnt nothing of a category that it was never shown: encoders fail on it or map it to "unknown". In
validation this costs score for a reason that has nothing to do with the model; and it says that the split was drawn by
that column, by time, or from another source, or that the value is spelt in another way ("NY", "New York").

How it decides
--------------
Rare values are unseen by nature: of the values that occur once, the held-out share. So the number of unseen values is
compared with the number on average under random assignment of the same rows: a value with c of N rows is held out
altogether with probability ``C(N − c, n − c) / C(N, n)``. Two questions are asked of each column: are there too many
unseen values (Poisson tail with that mean), and is one of them too frequent (its probability, times the number of
values). Where a group is declared, or a column named like one is kept together by the splits, groups are assigned, and
a value counts once a group. A *warning* needs p below 0.01 (``alpha``), by Benjamini-Hochberg over all columns and
pairs, and an effect: 0.5 % of the held-out rows (``smallest``) beyond those expected, or one unseen category of 30 rows
(``many``, by the usual rule of thumb enough to speak of a share). It is an *info* where every held-out row comes after
train by dates: new values come with time. Held-out splits are compared with train where there
is one. Counts are exact; nothing is sampled.

What it cannot see
------------------
Numbers that stand for categories (codes of shops): ranges of numbers are LA203's. Columns in which nearly every value
is another (names, tickets), file names, addresses, numbers of a register and other columns of groups, whether their
values repeat or not: they are identifiers (LA108). Sentences, however often they repeat. Classes (LA202).

Fix
---
Look at the spelling first. If the split was meant to hold out these categories, report that score apart; otherwise draw
it again at random, or stratified by the column.

References
----------
- I. J. Good, The population frequencies of species and the estimation of population parameters, Biometrika 40 (1953).
- W. Hoeffding, On the distribution of the number of successes in independent trials, Annals of Mathematical Statistics
  27 (1956).
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.columns.sample import draw_sample, groups_of, kept_together
from leakaudit.analysis.context import Context
from leakaudit.analysis.series.later import KEEP, drift, later_by
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.analysis.shift.unseen import Unseen, count_values, examples, unseen_values
from leakaudit.checks.base import Check
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    from leakaudit.model import Status


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` values and ``shown`` rows are part of each finding."""

    alpha: float = 0.01
    smallest: float = 0.005
    many: int = 30
    least_groups: int = 10
    listed: int = 20
    shown: int = 5


def run(context: Context, params: Params) -> Outcome:
    """Count the values of every category column that only the held-out side has."""
    rows = context.rows
    pairs = context.pairs_of_splits
    if any(reference == "train" for _, reference in pairs):
        pairs = [pair for pair in pairs if pair[1] == "train"]
    sample = draw_sample(context)
    groups = groups_of(context, sample, params.least_groups)
    group = None if groups is None else groups[0]
    aside = kept_together(context, sample, params.least_groups) | {group}
    columns = [
        each.name
        for each in columns_of(context)
        if each.role == "category" and not each.sentences and each.name not in aside
    ]
    if not columns:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column holds categories that could be unseen")
    found: dict[tuple[str, str], dict[str, Unseen]] = {pair: {} for pair in pairs}
    for column in columns:
        totals = count_values(rows, column, group)
        for pair in pairs:
            if (unseen := unseen_values(rows, totals, *pair)) is not None:
                found[pair][column] = unseen
    adjusted = iter(benjamini_hochberg([each.p_value for its in found.values() for each in its.values()]))
    findings, said = [], []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    for pair, its in found.items():
        p_values = dict(zip(its, adjusted, strict=False))
        surprising = [name for name, each in its.items() if p_values[name] < params.alpha and _matters(each, params)]
        findings += [_finding(context, pair, name, its[name], p_values[name], params) for name in surprising]
        metrics[" against ".join(pair)] = _measured(its, p_values)
        n_unseen, expected = sum(each.n_unseen for each in its.values()), sum(each.expected for each in its.values())
        said.append(
            f"{pair[0]} has {n_unseen:,} values in {_columns(len(its))} that {pair[1]} lacks "
            f"({expected:,.1f} expected by chance)"
        )
    findings.sort(key=lambda each: (-each.n_samples, each.id))
    status: Status = "failed" if findings else "passed"
    return Outcome(CHECK.code, CHECK.slug, status, "; ".join(said), metrics, tuple(findings))


def _matters(each: Unseen, params: Params) -> bool:
    beyond = each.n_rows - each.expected_rows
    return beyond >= params.smallest * each.n_held_out or max(value.n for value in each.values) >= params.many


def _measured(its: Mapping[str, Unseen], p_values: Mapping[str, float]) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {"n_columns": len(its)}
    for name, each in its.items():
        if each.n_unseen:
            measured[f"{name}: n_unseen"] = each.n_unseen
            measured[f"{name}: n_expected"] = round(each.expected, 2)
            measured[f"{name}: n_rows"] = each.n_rows
            measured[f"{name}: p_adjusted"] = round(p_values[name], 6)
    return measured


def _finding(
    context: Context, pair: tuple[str, str], column: str, found: Unseen, p_value: float, params: Params
) -> Finding:
    held_out, reference = pair
    shown = ", ".join(_short(value.value) for value in found.values[:3]) + (", …" if found.n_unseen > 3 else "")
    later = later_by(context, held_out, reference)
    several = "value" if found.n_unseen == 1 else "values"
    return Finding(
        id=finding_id(CHECK.code, *pair, column, *sorted(value.value for value in found.values)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity if later is None else "info",
        message=(
            f"{found.n_rows:,} of {found.n_held_out:,} {held_out} rows have a value of {column} that {reference} "
            f"lacks: {found.n_unseen:,} {several} ({shown}), {found.expected:,.1f} expected by chance"
            + ("" if later is None else drift(held_out, reference, later))
        ),
        splits=pair,
        n_samples=found.n_rows,
        effect={
            "column": column,
            "n_values": found.n_unseen,
            "n_expected": round(found.expected, 2),
            "n_rows_expected": round(found.expected_rows, 2),
            "share": round(found.n_rows / found.n_held_out, 4),
            "p_adjusted": round(p_value, 6),
            **({} if later is None else {"later_by": later, "fix": KEEP}),
        },
        evidence=Evidence(
            samples=tuple(context.describe(examples(found, params.shown))),
            n_samples=found.n_rows,
            breakdown=Breakdown(
                (column, f"n {held_out}", "unseen by chance"),
                tuple(
                    (_short(value.value), value.n, float(f"{value.chance:.3g}"))
                    for value in found.values[: params.listed]
                ),
            ),
        ),
    )


def _columns(n: int) -> str:
    return f"{n:,} category column{'s' if n != 1 else ''}"


def _short(value: str) -> str:
    return value if len(value) <= 60 else value[:59] + "…"


CHECK = Check(
    code="LA204",
    slug="unseen-categories",
    family="shift",
    severity="warning",
    kinds=("table",),
    needs=("pair",),
    params=Params(),
    run=run,
)
