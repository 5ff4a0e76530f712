"""A model can tell the held-out split from the reference split.

What it does
------------
Trains boosted trees to tell which split a sample is in, from the feature columns of a table (numbers, categories,
missing values, lengths of texts) or from the statistics of pictures (those of LA207), scores samples that the model has
not seen, and names the columns that give the split away.

Why it matters
--------------
Splits drawn at random cannot be told apart, whatever the model. If they can, validation is another population, and its
score says little of the population that was trained for. Unlike LA203 and LA207, which look at one column at a time,
this sees columns that differ only together.

How it decides
--------------
The score of each sample comes from a model trained on four fifths of the rest; equal samples, and samples of one group
(declared, or in a column named like one that the splits keep together), are in one fold, so that a copy is not
recognised. The area under the ROC curve is taken within folds and, where classes are known, within classes: a shift of
class shares (LA201) tells nothing here. The area is a probability of superiority, and has its interval, in which groups
and equal rows count once. A *warning* needs the p-value, adjusted over the pairs of splits by Benjamini-Hochberg, below
0.01 (``alpha``) and the lower bound of the 95 % interval at 0.6 (``smallest``: for two normal distributions a distance
of 0.36 standard deviations; peers warn from 0.625 on, without an interval); an *info* where every held-out row comes
after train by dates, as a split by time means it. The columns are named by how far the area
falls when the column is shuffled in the scored samples (permutation importance). Without a finding, where the best
possible model would miss an area of 0.75 (``blind``) more than once in five times, or a side has fewer than 20 groups
or distinct samples, the outcome is *inconclusive*. At most 10,000 samples of each split (``compared``) and 2 million
cells are used, drawn with a fixed seed; this is said.

What it cannot see
------------------
What no column holds; the words of texts and the contents of pictures. Identifiers, groups and times are left out: they
tell splits apart by their nature (LA108, LA109).

Fix
---
Look at the columns named first: a column that was made in another way for each split (a join, a default, a rounding) is
a mistake of the pipeline; a column that differs in fact asks for a split drawn at random, or a score reported apart.

References
----------
- J. A. Hanley, B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982).
- D. Lopez-Paz, M. Oquab, Revisiting classifier two-sample tests, ICLR 2017.
- S. Rabanser, S. Günnemann, Z. Lipton, Failing loudly: an empirical study of methods for detecting dataset shift,
  NeurIPS 2019.
- L. Breiman, Random forests, Machine Learning 45 (2001): permutation importance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.belonging.keys import key_of, name_keys
from leakaudit.analysis.belonging.overlap import count_groups
from leakaudit.analysis.columns.labels import class_codes
from leakaudit.analysis.columns.sample import class_strata, draw_sample, features, groups_of, kept_together
from leakaudit.analysis.context import Context
from leakaudit.analysis.series.later import KEEP, drift, later_by
from leakaudit.analysis.shift.domain_classifier import LEAST_UNITS, Input, Told, frequent_codes, tell_splits, thinned
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.analysis.shift.picture_statistics import measure, name
from leakaudit.checks.base import Check
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    from leakaudit.analysis.columns.sample import Feature
    from leakaudit.model import IntArray, Status


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` columns are shown."""

    alpha: float = 0.01
    smallest: float = 0.6
    blind: float = 0.75
    compared: int = 10_000
    cells: int = 2_000_000
    least_groups: int = 10
    listed: int = 20


@dataclass(frozen=True, eq=False, slots=True)
class _Samples:
    """What the model reads of the samples of a pair: columns, which are held out, classes, groups, what was left."""

    inputs: list[Input]
    first: np.ndarray
    strata: IntArray | None
    groups: IntArray | None


def run(context: Context, params: Params) -> Outcome:
    """Train a domain classifier for every pair of splits."""
    results: dict[tuple[str, str], Told] = {}
    not_told, sampled, n_inputs = [], [], 0
    for pair in context.pairs_of_splits:
        samples = _of_rows(context, pair, params) if not context.has_pictures else _of_pictures(context, pair, params)
        n_inputs = max(n_inputs, len(samples.inputs))
        told = tell_splits(
            samples.inputs,
            samples.first,
            samples.strata,
            samples.groups,
            smallest=params.smallest,
            alpha=params.alpha,
        )
        if told is None:
            not_told.append(
                f"{pair[0]} against {pair[1]}: no column varies, or fewer than {LEAST_UNITS} groups or distinct samples"
            )
            continue
        results[pair] = told
        for split, n in zip(pair, (told.n_first, told.n_second), strict=True):
            if n < context.splits[split].n:
                sampled.append(f"{n:,} of the {context.splits[split].n:,} samples of {split} were used")
    if not n_inputs:
        reason = "no column is a feature by which a model could tell the splits"
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    if not results:
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", "; ".join(not_told))
    adjusted = benjamini_hochberg([told.p_value for told in results.values()])
    findings, said, underpowered = [], list(not_told), bool(not_told)
    metrics: dict[str, Mapping[str, Scalar]] = {}
    for (pair, told), p_value in zip(results.items(), adjusted, strict=True):
        metrics[" against ".join(pair)] = _measured(told, p_value)
        said.append(
            f"{pair[0]} is told from {pair[1]} with AUC {told.area:.3f} (at least {told.low:.3f}) by "
            f"{told.n_columns:,} columns"
        )
        if p_value < params.alpha and told.low >= params.smallest:
            findings.append(_finding(context, pair, told, p_value, params))
        elif told.detectable > params.blind:
            underpowered = True
    status: Status = "failed" if findings else "inconclusive" if underpowered else "passed"
    once = tuple(dict.fromkeys(sampled))
    return Outcome(CHECK.code, CHECK.slug, status, "; ".join(said), metrics, tuple(findings), sampled=once)


def _of_rows(context: Context, pair: tuple[str, str], params: Params) -> _Samples:
    sample = draw_sample(context, cells=params.cells, at_most=params.compared)
    inside = [sample.inside(context, split) for split in pair]
    at = np.flatnonzero(inside[0] | inside[1])
    at = at[thinned(inside[0][at], params.compared)]
    groups = groups_of(context, sample, params.least_groups)
    strata = class_strata(context, sample)
    kept = kept_together(context, sample, params.least_groups)
    used = [
        Input(each.name, each.values[at], each.is_category)
        for feature in features(context, sample, ("number", "category", "prose"))
        if feature.name not in kept and (groups is None or feature.name != groups[0])
        for each in _inputs(feature)
    ]
    return _Samples(
        used, inside[0][at], None if strata is None else strata[at], None if groups is None else groups[1][at]
    )


def _inputs(feature: Feature) -> Iterator[Input]:
    column = feature.column
    if column.numbers is not None:
        yield Input(feature.name, column.numbers, False)
    elif feature.role == "prose":
        import pyarrow.compute as pc

        assert column.codes is not None
        assert column.levels is not None
        lengths = pc.utf8_length(column.levels).to_numpy(zero_copy_only=False).astype(np.float64)
        yield Input(f"length of {feature.name}", np.append(lengths, np.nan)[column.codes], False)
    else:
        assert column.codes is not None
        yield Input(feature.name, frequent_codes(column.codes), True)


def _of_pictures(context: Context, pair: tuple[str, str], params: Params) -> _Samples:
    inside = [context.in_split(split) for split in pair]
    at = np.flatnonzero(inside[0] | inside[1])
    at = at[thinned(inside[0][at], params.compared)]
    records = context.images.records[at]
    inputs = [Input(statistic, values, False) for statistic, values in measure(records).items()]
    for statistic, words in name(records).items():
        codes = np.unique(words, return_inverse=True)[1].reshape(-1).astype(np.int64)
        inputs.append(Input(statistic, frequent_codes(codes), True))
    labels = class_codes(context)
    groups = _picture_groups(context, pair, params)
    return _Samples(
        inputs, inside[0][at], None if labels is None else labels[at], None if groups is None else groups[at]
    )


def _picture_groups(context: Context, pair: tuple[str, str], params: Params) -> IntArray | None:
    """Declared groups, else those of a key in the file names that the split keeps together as no chance would."""
    samples = context.samples
    if samples.group is not None:
        return key_of("group", samples.group).codes
    sides = context.in_split(pair[0]), context.in_split(pair[1])
    whole = [key for key in name_keys(context) if count_groups(key, *sides).kept_whole(params.least_groups)]
    return min(whole, key=lambda key: len(key.values)).codes if whole else None


def _measured(told: Told, p_value: float) -> dict[str, Scalar]:
    return {
        "n_held_out": told.n_first,
        "n_reference": told.n_second,
        "n_columns": told.n_columns,
        "auc": round(told.area, 4),
        "low": round(told.low, 4),
        "p_adjusted": round(p_value, 6),
        "detectable": round(told.detectable, 4),
    }


def _finding(context: Context, pair: tuple[str, str], told: Told, p_value: float, params: Params) -> Finding:
    held_out, reference = pair
    later = later_by(context, held_out, reference)
    culprits = [(column, fall) for column, fall in told.parts if fall >= 0.01] or list(told.parts[:1])
    named = ", ".join(f"{column} (−{fall:.2f} when shuffled)" for column, fall in culprits[:3])
    more = f" and {len(culprits) - 3:,} more" if len(culprits) > 3 else ""
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *sorted(column for column, _ in culprits)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity if later is None else "info",
        message=(
            f"a model tells {held_out} from {reference} with AUC {told.area:.2f} "
            f"(at least {told.low:.2f}; 0.50 if drawn alike), by {named}{more}"
            + ("" if later is None else drift(held_out, reference, later))
        ),
        splits=pair,
        n_samples=context.splits[held_out].n,
        effect={
            **_measured(told, p_value),
            "column": culprits[0][0],
            **({} if later is None else {"later_by": later, "fix": KEEP}),
        },
        evidence=Evidence(
            breakdown=Breakdown(
                ("column", "fall of AUC when shuffled"),
                tuple((column, round(fall, 4)) for column, fall in told.parts[: params.listed]),
            )
        ),
    )


CHECK = Check(
    code="LA205",
    slug="separable-splits",
    family="shift",
    severity="warning",
    kinds=("image", "table"),
    needs=("pair",),
    params=Params(),
    run=run,
)
