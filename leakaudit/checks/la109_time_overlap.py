"""Validation does not lie after training in time, or shares windows of a series with it.

What it does
------------
Puts the rows of every held-out split and of train in order of time, and says how they lie: one after the other, in
blocks, or shuffled into each other. The time is what you declare (``--time``); else columns that are written as times
(dates and times, epoch numbers, eight digits, year, month, day and hour apart), or numbers that are named like a time
(``t``, ``timepoint``). Where a group is declared or named (``--group``, ``subject``), each group has a time of its own
and rows are compared within it (``--time-order global``: over all rows). Tables whose columns are the lags of a sliding
window are searched for windows that overlap across the splits. For pictures, the time column of a manifest.

Why it matters
--------------
A model is used on what comes after its training data. Between two neighbours of a series nothing happens: a row whose
yesterday and tomorrow are in train is filled in, not predicted, and drift is never met. Such scores fall when the model
meets the future.

How it decides
--------------
*Declared*: any held-out row earlier than the last train row is an *error*; equal times are none.

*Inferred*: from 20 held-out rows (``least``), a *warning* where the split is *shuffled*: most held-out rows are not
after train, and sides change between neighbours in time half as often (``shuffled``) as Wald and Wolfowitz's runs test
expects of random assignment, or more often. Blocks of time stay far below. Likewise where it is *mixed*: a tenth of the
held-out rows (``mixed``) stand alone between two train rows, as blocks of time seldom leave any; reported are these. A
birth date or an age is no time axis, so one of these must hold, too: the times are clock times to the minute or finer,
as events have them (shuffled rows of tables only); or the rows are a series: in a column, or in the looks of the
pictures, the neighbour in time is more often nearer than a row a little farther off (1 to 5 % of the rows, so that slow
trends do the same to both), in 60 % or more of the comparisons (``alike``: a standardised difference of 0.36, between
Cohen's "small" and "medium"; LA108 uses the same) and significantly so (sign test, 1 %, ``alpha``, after
Benjamini-Hochberg over all columns and pairs of splits). Columns that follow from the time stamp (hour, weekday, month,
counters) do not count. Numbers that are only named like a time must also be sampled evenly: half of the gaps
(``regular``) within a tenth of the median one. Validation that lies wholly before train on dates is a *warning*, too.
Where one of several time columns orders the splits, the others are no matter. These thresholds are conventions of this
tool.

*Worth knowing* (an *info*): rows with dates that are shuffled or mixed, but not shown to be a series or to be events,
for a model that is to predict the future still needs a split by time; and rows that come after the training rows of
their own group, a tenth (``mixed``) of which are earlier than the last training row of all, as when the last row of
every user is held out.

*Same times*: 3 held-out rows (``least_same``) or more at the very time of a train row, though hardly a row (2 %,
``repeated``) shares its time with another one of its own split and more than shared times inside the splits explain
(Poisson, 1 %): two cuts of one series that overlap. A *warning* where the rows of one time are alike as above, else an
*info*.

*Windows*: held-out rows that share half a window or more with a train row, cell by cell, shifted by a lag: a *warning*,
from 6 lags, where one row in five overlaps with another one and five times as many as do by chance (read backwards).

What it cannot see
------------------
Series of two places at the same times, which look as one that was cut twice. Time in the order of the rows or in file
names alone; texts in which day and month could be either way round, which are said and left alone; windows that were
scaled one by one, or whose lags are not numbered columns; rolling means. Numbers in columns without a telling name.
More than 5 million rows are sampled.

Fix
---
Split at a point in time, and leave a gap of one window (scikit-learn's ``TimeSeriesSplit`` has ``gap``). Where rows
with a time stamp are independent draws and the model never meets the future, accept the finding with that reason.

References
----------
- A. Wald, J. Wolfowitz, On a test whether two samples are from the same population, Annals of Mathematical Statistics
  11 (1940).
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  leakage type L3.1, temporal leakage.
- M. López de Prado, Advances in Financial Machine Learning, 2018, chapter 7: purging and embargo.
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
- Z. Meng, R. McCreadie, C. Macdonald, I. Ounis, Exploring data splitting strategies for the evaluation of
  recommendation models, RecSys 2020: leave-one-last against a global point in time.
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.analysis.series.axes import TimeAxis
from leakaudit.analysis.series.likeness import Alike, Trials
from leakaudit.analysis.series.order import Interleaving
from leakaudit.analysis.series.splits import InTime, neighbours_alike, pictures_in_time, rows_in_time
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.overlapping_windows import overlapping_windows
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, SamplePair, Scalar, Severity, finding_id

Pattern = Literal["after", "before", "shuffled", "mixed", "in blocks", "apart"]

NOT_ALIKE = "neighbours are not measurably alike"
FUTURE = "if the model is to predict the future, split by time"


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``shown`` pairs are kept of each finding."""

    least: int = 20
    shuffled: float = 0.5
    mixed: float = 0.1
    alike: float = 0.6
    regular: float = 0.5
    alpha: float = 0.01
    repeated: float = 0.02
    least_same: int = 3
    shown: int = 5


@dataclass(frozen=True, eq=False, slots=True)
class _Case:
    """Two splits on one axis."""

    pair: tuple[str, str]
    axis: TimeAxis
    found: Interleaving
    pattern: Pattern
    trials: Trials


def run(context: Context, params: Params) -> Outcome:
    """Look at every pair of splits in time."""
    in_time = rows_in_time(context) if context.has_rows else pictures_in_time(context)
    pairs = _pairs(context)
    metrics: dict[str, Mapping[str, Scalar]] = {}
    findings, said = overlapping_windows(context, pairs, metrics, CHECK.code, CHECK.slug, params.shown)
    undecided = False
    usable = [axis for axis in in_time.axes if not axis.unclear]
    for axis in in_time.axes:
        if axis.unclear:
            said.append(f"{axis.said}: day and month cannot be told apart (write 2024-01-31)")
            undecided |= axis.declared
    cases = [_case(context, in_time, axis, pair, params) for pair in pairs for axis in usable]
    for case in cases:
        metrics[f"{' against '.join(case.pair)}: {case.axis.said}"] = _measured(case)
        said.append(_said(case, in_time))
    if usable and usable[0].declared:
        findings += [_finding(context, in_time, case, None, params) for case in cases if case.found.n_not_after]
    else:
        suspects = _suspects(cases, params)
        undecided |= any(case.found.n_not_after > 0 and case.found.n_compared < params.least for case in cases)
        findings += _judged(context, in_time, suspects, metrics, params)
    findings += _beside_order(context, in_time, cases, {finding.splits for finding in findings}, params)
    sampled = (in_time.sampled,) if in_time.sampled else ()
    if findings:
        findings.sort(key=lambda finding: finding.severity != "error")
        return Outcome(CHECK.code, CHECK.slug, "failed", "; ".join(said), metrics, tuple(findings), sampled=sampled)
    if undecided:
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", "; ".join(said), metrics, sampled=sampled)
    if not said:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no column says when: name it with --time")
    return Outcome(CHECK.code, CHECK.slug, "passed", "; ".join(said), metrics, sampled=sampled)


def _pairs(context: Context) -> list[tuple[str, str]]:
    """Against train alone where there is one: validation and test may well overlap, both after it."""
    pairs = context.pairs_of_splits
    return [pair for pair in pairs if pair[1] == "train"] or pairs


def _codes(context: Context, pair: tuple[str, str]) -> tuple[int, int]:
    return context.dataset.splits.index(pair[0]), context.dataset.splits.index(pair[1])


def _case(context: Context, in_time: InTime, axis: TimeAxis, pair: tuple[str, str], params: Params) -> _Case:
    found = in_time.measure(axis, *_codes(context, pair))
    pattern: Pattern = "in blocks"
    if not found.n_compared:
        pattern = "apart"
    elif not found.n_not_after:
        pattern = "after"
    elif found.n_before == found.n_compared:
        pattern = "before"
    elif found.share_of_random >= params.shuffled and found.n_not_after >= 0.5 * found.n_compared:
        pattern = "shuffled"
    elif found.n_between >= params.mixed * found.n_compared:
        pattern = "mixed"
    return _Case(pair, axis, found, pattern, in_time.trials(axis, *_codes(context, pair)))


# --- inferred times --------------------------------------------------------------------------------------------


def _suspects(cases: Sequence[_Case], params: Params) -> list[_Case]:
    """Cases on inferred axes that are out of order, of pairs that no other axis orders."""
    ordered = {case.pair for case in cases if case.axis.calendar and case.pattern in ("after", "in blocks", "apart")}
    return [
        case
        for case in cases
        if case.pair not in ordered
        and case.found.n_compared >= params.least
        and (case.pattern in ("shuffled", "mixed") or (case.pattern == "before" and case.axis.calendar))
        and (case.axis.calendar or case.found.regular >= params.regular)
    ]


def _judged(
    context: Context,
    in_time: InTime,
    suspects: Sequence[_Case],
    metrics: dict[str, Mapping[str, Scalar]],
    params: Params,
) -> list[Finding]:
    """Of each pair of splits, the finding on the likeliest axis that is a time of observation."""
    shuffled = [case for case in suspects if case.pattern in ("shuffled", "mixed")]
    tested = [neighbours_alike(context, in_time, case.axis, case.trials) for case in shuffled]
    p_values = [result.p_value for found in tested for result in found.values()]
    adjusted = iter(benjamini_hochberg(p_values) if p_values else [])
    series: dict[int, tuple[str, Alike]] = {}
    for case, found in zip(shuffled, tested, strict=True):
        significant = [(name, each) for name, each in found.items() if next(adjusted) < params.alpha]
        real = [(name, each) for name, each in significant if each.share >= params.alike]
        if real:
            series[id(case)] = max(real, key=lambda entry: entry[1].share)
        if found:
            name, best = max(found.items(), key=lambda entry: entry[1].share)
            where = f"{' against '.join(case.pair)}: {case.axis.said}"
            metrics[where] = {**metrics[where], "most_alike": name, "most_alike_share": round(best.share, 4)}
    findings: list[Finding] = []
    done: set[tuple[str, str]] = set()
    for case in suspects:
        events = context.has_rows and case.axis.to_the_minute and case.pattern == "shuffled"
        if case.pair not in done and (case.pattern == "before" or events or id(case) in series):
            done.add(case.pair)
            findings.append(_finding(context, in_time, case, series.get(id(case)), params))
    for case in suspects:  # dates of rows that may be independent draws: worth knowing, and nobody's mistake
        if case.pair not in done and case.axis.calendar:
            done.add(case.pair)
            findings.append(_finding(context, in_time, case, None, params, severity="info"))
    return findings


# --- what order alone does not show ----------------------------------------------------------------------------


def _beside_order(
    context: Context, in_time: InTime, cases: Sequence[_Case], found: set[tuple[str, ...]], params: Params
) -> list[Finding]:
    """Moments that two splits share, and rows in order within their groups only; of pairs that have no finding yet."""
    findings: list[Finding] = []
    for case in cases:
        if case.pair in found:
            continue
        finding = _same_moments(context, in_time, case, params) or _within_groups_only(context, in_time, case, params)
        if finding is not None:
            found.add(case.pair)
            findings.append(finding)
    return findings


def _same_moments(context: Context, in_time: InTime, case: _Case, params: Params) -> Finding | None:
    """Times that both splits have, each once: two cuts of one series that overlap."""
    from scipy.special import pdtrc

    found, axis = case.found, case.axis
    series = axis.declared or axis.calendar or found.regular >= params.regular
    chance = float(pdtrc(found.n_same - 1, found.n_same_by_chance)) if found.n_same_by_chance > 0 else 0.0
    if not series or found.n_same < params.least_same or found.repeated > params.repeated or chance >= params.alpha:
        return None
    values, trials = axis.values, case.trials
    at = np.flatnonzero(values[trials.anchor] == values[trials.near])
    same = Trials(trials.anchor[at], trials.near[at], trials.far[at])
    tested = neighbours_alike(context, in_time, axis, same)
    sure = benjamini_hochberg([each.p_value for each in tested.values()]) if tested else []
    alike = [
        (name, each)
        for (name, each), p_value in zip(tested.items(), sure, strict=True)
        if each.share >= params.alike and p_value < params.alpha
    ]
    best = max(alike, key=lambda entry: entry[1].share, default=None)
    held_out, reference = case.pair
    likeness = f"; they are alike ({best[0]}: {best[1].share:.0%} of comparisons)" if best else f"; {NOT_ALIKE}"
    message = (
        f"{found.n_same:,} of {found.n_compared:,} {held_out} samples have the time of a {reference} sample by "
        f"{axis.said}{_within(in_time)}, though hardly a time occurs twice in either: the splits overlap in one "
        f"series{likeness}"
    )
    effect: dict[str, Scalar] = {"axis": axis.said, **_measured(case), "pattern": "same times"}
    effect |= {"n_same": found.n_same, "n_same_by_chance": round(found.n_same_by_chance, 2)}
    if best:
        effect |= {"alike": best[0], "alike_share": round(best[1].share, 4)}
    shared = _Case(case.pair, axis, found, case.pattern, same)
    return _made(
        context, in_time, shared, "warning" if best else "info", message, effect, found.n_same, "same times", params
    )


def _within_groups_only(context: Context, in_time: InTime, case: _Case, params: Params) -> Finding | None:
    """Rows after the training rows of their own group, and earlier than those of others: the last row of every user."""
    if in_time.groups is None or case.pattern != "after" or not case.axis.calendar:
        return None
    if case.found.n_compared < params.least:
        return None
    overall = in_time.measure_over_groups(case.axis, *_codes(context, case.pair))
    if overall.n_not_after < params.mixed * overall.n_compared:
        return None
    held_out, reference = case.pair
    message = (
        f"{held_out} lies after {reference}{_within(in_time)}, yet {overall.n_not_after:,} of {overall.n_compared:,} "
        f"{held_out} samples are earlier than the last {reference} sample of all by {case.axis.said}: what others did "
        "later is known in training; if the model is to predict the future of all, split at one point in time "
        "(--time-order global counts these)"
    )
    effect: dict[str, Scalar] = {"axis": case.axis.said, **_measured(case), "pattern": "within groups only"}
    effect |= {"n_not_after": overall.n_not_after, "n_compared": overall.n_compared}
    return _made(context, in_time, case, "info", message, effect, overall.n_not_after, "within groups only", params)


# --- telling it ------------------------------------------------------------------------------------------------


def _measured(case: _Case) -> dict[str, Scalar]:
    found = case.found
    return {
        "n_held_out": found.n_held_out,
        "n_reference": found.n_reference,
        "n_compared": found.n_compared,
        "n_not_after": found.n_not_after,
        "n_before": found.n_before,
        "n_between": found.n_between,
        "share_not_after": round(found.n_not_after / max(found.n_compared, 1), 4),
        "changes_of_random": round(found.share_of_random, 4),
        "z": round(found.z, 2),
        "nearest_gap": _plain(found.median_gap),
        "sampling_step": _plain(found.step),
        "within_step": round(found.within_step, 4),
        "pattern": case.pattern,
    }


def _plain(value: float) -> float | None:
    return float(f"{value:.9g}") if np.isfinite(value) else None


def _said(case: _Case, in_time: InTime) -> str:
    held_out, reference = case.pair
    found = case.found
    within = f" within {in_time.grouped_by}" if in_time.grouped_by else ""
    if case.pattern == "apart":
        return f"{case.axis.said}: no {held_out} row shares a group ({in_time.grouped_by}) with {reference}"
    ways = {
        "after": f"{held_out} lies after {reference}",
        "before": f"{held_out} lies before {reference}",
        "shuffled": f"{held_out} and {reference} are shuffled",
        "mixed": f"{found.n_between:,} {held_out} samples lie right between two of {reference}",
    }
    start = ways.get(case.pattern, f"{held_out} and {reference} lie in blocks")
    return (
        f"{case.axis.said}: {start}{within}, {found.n_not_after:,} of {found.n_compared:,} {held_out} samples are "
        f"earlier than the last of {reference}"
    )


def _finding(
    context: Context,
    in_time: InTime,
    case: _Case,
    series: tuple[str, Alike] | None,
    params: Params,
    severity: Severity = "warning",
) -> Finding:
    held_out, reference = case.pair
    axis, found = case.axis, case.found
    severity = "error" if axis.declared else severity
    ranges = [f"{axis.show(side[0])} to {axis.show(side[1])}" for side in (found.held_out, found.reference)]
    ways: dict[Pattern, str] = {
        "shuffled": "as in a random split",
        "before": f"all before {reference}",
        "mixed": f"{found.n_between:,} of them right between two of {reference}",
        "in blocks": "in blocks",
    }
    gap = axis.show_span(found.median_gap)
    step = f", at a sampling step of {axis.show_span(found.step)}" if np.isfinite(found.step) else ""
    likeness = ""
    if series is not None:
        likeness = f"; neighbours are alike ({series[0]}: {series[1].share:.0%} of comparisons)"
    elif severity == "info":
        likeness = f"; {NOT_ALIKE}; {FUTURE}"
    elif not axis.declared and case.pattern == "shuffled":
        likeness = f"; {NOT_ALIKE}, so it matters as far as the model is used on later data"
    message = (
        f"{found.n_not_after:,} of {found.n_compared:,} {held_out} samples are earlier than the last {reference} "
        f"sample by {axis.said}{_within(in_time, ', ')}, {ways[case.pattern]}: {held_out} runs from {ranges[0]}, "
        f"{reference} from {ranges[1]}; the nearest {reference} sample is {gap} away (median){step}{likeness}"
    )
    effect: dict[str, Scalar] = {"axis": axis.said, **_measured(case)}
    effect |= {
        "held_out_first": axis.show(found.held_out[0]),
        "held_out_last": axis.show(found.held_out[1]),
        "reference_first": axis.show(found.reference[0]),
        "reference_last": axis.show(found.reference[1]),
    }
    if series is not None:
        effect |= {"alike": series[0], "alike_share": round(series[1].share, 4)}
    between = case.pattern == "mixed" and severity == "warning"
    n_samples = found.n_between if between else found.n_not_after
    return _made(context, in_time, case, severity, message, effect, n_samples, case.pattern, params)


def _made(
    context: Context,
    in_time: InTime,
    case: _Case,
    severity: Severity,
    message: str,
    effect: Mapping[str, Scalar],
    n_samples: int,
    pattern: str,
    params: Params,
) -> Finding:
    axis, found = case.axis, case.found
    ranges = [f"{axis.show(side[0])} to {axis.show(side[1])}" for side in (found.held_out, found.reference)]
    identity = (*case.pair, *axis.columns, *(str(effect[key]) for key in ("n_compared", "n_not_after")), pattern)
    return Finding(
        id=finding_id(CHECK.code, *identity, *ranges),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=message,
        splits=case.pair,
        n_samples=n_samples,
        effect=effect,
        evidence=Evidence(
            pairs=_examples(context, in_time, case, params),
            n_pairs=n_samples,
            n_samples=n_samples,
            breakdown=_ranges(context, in_time, axis),
        ),
    )


def _within(in_time: InTime, before: str = " ") -> str:
    return f"{before}within {in_time.grouped_by}" if in_time.grouped_by else ""


def _examples(context: Context, in_time: InTime, case: _Case, params: Params) -> tuple[SamplePair, ...]:
    """Held-out samples, evenly spread in time, and the reference sample nearest to each."""
    anchor, near, values = case.trials.anchor, case.trials.near, case.axis.values
    if not len(anchor):
        return ()
    spread = np.argsort(values[anchor], kind="stable")
    chosen = spread[np.unique(np.linspace(0, len(spread) - 1, params.shown).round().astype(np.int64))]
    sides = [context.describe(in_time.indices[each[chosen]]) for each in (anchor, near)]
    notes = [
        f"{case.axis.show(a)} and {case.axis.show(b)}"
        for a, b in zip(values[anchor[chosen]].tolist(), values[near[chosen]].tolist(), strict=True)
    ]
    return tuple(SamplePair(a, b, note=note) for a, b, note in zip(*sides, notes, strict=True))


def _ranges(context: Context, in_time: InTime, axis: TimeAxis) -> Breakdown:
    rows = []
    for code, name in enumerate(context.dataset.splits):
        inside = axis.values[in_time.splits == code]
        known = inside[np.isfinite(inside)]
        ends = (axis.show(float(known.min())), axis.show(float(known.max()))) if len(known) else (None, None)
        rows.append((name, len(known), len(inside) - len(known), *ends))
    return Breakdown(("split", "n", "without time", "first", "last"), tuple(rows))


CHECK = Check(
    code="LA109",
    slug="time-overlap",
    family="belonging",
    severity="error",
    kinds=("image", "table"),
    needs=("pair",),
    params=Params(),
    run=run,
)
