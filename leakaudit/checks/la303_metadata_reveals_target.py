"""The class, or the split, can be told from what a file is rather than from what it shows.

What it does
------------
Tells the class of every picture from one thing alone: its size, width, height, aspect, format, colour mode, EXIF
orientation, or the pattern of its file name; and says how often that is right, on pictures that the rule has not seen.
The same for the split, without the file names.

Why it matters
--------------
Where the pictures of one class come from another source, a model learns the source: resizing to one shape leaves the
aspect as distortion or bars, another format leaves its artefacts, grey pictures have no colour. It scores well on data
gathered in the same way, and nowhere else.

How it decides
--------------
A quantity is cut into at most 16 quantile bins, a category into its 64 most frequent values; each value stands for the
class that it is most typical of (largest share of that class), learnt on four fifths of the pictures and scored on the
fifth. The score is the balanced accuracy, in which the rule that always says the largest class has 1/k for k classes:
the majority baseline, whatever the class shares. The effect is the gain over it, ``(score − 1/k) / (1 − 1/k)``, 0 for a
guess and 1 for certainty. A *warning* needs the lower bound of its 95 % interval (Bonferroni over all features, targets
and classes) at 0.2 or more (``smallest``: in two equal classes, 60 % right); it is an *error* where the score is 0.99
or more (``certain``) with at least 30 pictures (``reasonable``) in each of two classes. One class out of many is found
by telling it from all others together, from a gain (Youden's J) of 0.5 (``smallest_one``), *warning*. For the split the
bound is 0.5 (``smallest_split``), because smaller differences are LA207's. Classes with fewer than 10 pictures
(``least``) are left out. These thresholds are conventions of this tool.

File names: numbers are taken out, and so are words that spell or abbreviate a class, because a name may name the class.
Names with more than 16 frequent patterns, or with exactly one for each of three or more classes, name the class or
finer things. A name is never an *error*, since no picture model reads it; it hints at separate sources.

What it cannot see
------------------
The size of the file is not used: bytes per pixel measure what a compressed picture shows (a one in MNIST has the
fewest), so that a class with its own JPEG quality is missed. File times are not used: copying class by class sets them.
Watermarks and borders are content. Combinations of two features that are no shortcut alone. Folders.

Fix
---
Gather all classes from all sources, or bring all pictures to one size, format and mode before training (crop instead of
distorting; decode and encode alike), and look at what the model looks at.

References
----------
- R. Geirhos et al., Shortcut learning in deep neural networks, Nature Machine Intelligence 2 (2020).
- J. R. Zech et al., Variable generalization performance of a deep learning model to detect pneumonia in chest
  radiographs, PLOS Medicine 15 (2018).
- W. J. Youden, Index for rating diagnostic tests, Cancer 3 (1950): the gain, for two classes.
- A. Agresti, B. A. Coull, Approximate is better than "exact" for interval estimation of binomial proportions, The
  American Statistician 52 (1998).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.belonging.name_patterns import name_patterns
from leakaudit.analysis.columns.labels import label_codes
from leakaudit.analysis.context import Context
from leakaudit.analysis.shift.picture_statistics import name
from leakaudit.analysis.shortcuts.single_feature import Told, bins, levels, tell_classes
from leakaudit.checks.base import Check
from leakaudit.checks.labels import class_codes
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, Severity, finding_id

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

NAME = "file name"


@dataclass(frozen=True)
class Params:
    """See *How it decides*."""

    alpha: float = 0.05
    smallest: float = 0.2
    smallest_one: float = 0.5
    smallest_split: float = 0.5
    certain: float = 0.99
    least: int = 10
    reasonable: int = 30


@dataclass(frozen=True, eq=False, slots=True)
class _Target:
    """What is to be told: the classes (`pair` None), or which of two splits a picture is in."""

    pair: tuple[str, str] | None
    codes: IntArray
    names: Sequence[str]


def run(context: Context, params: Params) -> Outcome:
    """Tell the class and the split of every picture from one feature at a time."""
    targets = _targets(context)
    if not targets:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "neither classes nor two splits that could be told")
    features = _features(context)
    if not features:
        return Outcome(CHECK.code, CHECK.slug, "passed", _alike(context), {"n_features": 0})
    tests = [
        (target, feature, codes)
        for target in targets
        for feature, codes in features.items()
        if target.pair is None or feature != NAME
    ]
    n_classes = max(len(target.names) for target in targets)
    z = _normal_quantile(1 - params.alpha / 2 / max(1, len(tests)) / n_classes)
    metrics: dict[str, Mapping[str, Scalar]] = {}
    findings, said = [], []
    for target in targets:
        results: dict[str, Told] = {}
        for its, feature, codes in tests:
            if its is target and (told := tell_classes(codes, target.codes, least=params.least, z=z)) is not None:
                results[feature] = told
        if not results:
            continue
        metrics["class" if target.pair is None else " against ".join(target.pair)] = _measured(results)
        said.append(_said(target, results))
        shortcuts = {
            feature: told
            for feature, told in results.items()
            if _reveals(target, feature, told, params)
            and not (feature == NAME and _names_classes(features[NAME], told, params))
        }
        if shortcuts:
            findings.append(_finding(context, target, shortcuts, params))
    findings.sort(key=lambda finding: finding.severity != "error")
    if not said:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "no class has enough pictures to judge", metrics)
    reason = "; ".join(said)
    return Outcome(CHECK.code, CHECK.slug, "failed" if findings else "passed", reason, metrics, tuple(findings))


def _reveals(target: _Target, feature: str, told: Told, params: Params) -> bool:
    if target.pair is not None:
        return told.low >= params.smallest_split
    one = told.one_low >= params.smallest_one and (feature != NAME or told.n_classes == 2)
    return told.low >= params.smallest or one


def _targets(context: Context) -> list[_Target]:
    readable = context.images.ok
    targets = []
    classes = class_codes(context)
    if classes is not None:
        targets.append(_Target(None, np.where(readable, classes, -1), label_codes(context)[1]))
    for pair in context.pairs_of_splits:
        codes = np.full(len(readable), -1, dtype=np.int64)
        for code, split in enumerate(pair):
            codes[context.in_split(split)] = code
        targets.append(_Target(pair, codes, pair))
    return targets


def _features(context: Context) -> dict[str, IntArray]:
    """Codes of everything that varies, over all pictures; those that were not read have the codes of zeros."""
    images, samples = context.images, context.samples
    records = images.records
    width, height = records["width"].astype(np.float64), records["height"].astype(np.float64)
    features = {
        **{statistic: levels(words) for statistic, words in name(records).items()},
        "width": bins(width),
        "height": bins(height),
        "aspect": bins(width / np.maximum(height, 1)),
        NAME: levels(name_patterns(samples.uri, [*label_codes(context)[1], *context.dataset.splits])),
    }
    return {feature: codes for feature, codes in features.items() if len(np.unique(codes[images.ok])) > 1}


def _alike(context: Context) -> str:
    return f"all {context.n_read:,} pictures have one size, format, mode, orientation and pattern of file names"


def _names_classes(patterns: IntArray, told: Told, params: Params) -> bool:
    """One pattern for each of three or more classes is the class in other words."""
    return told.n_classes > 2 and told.balanced >= params.certain and len(np.unique(patterns)) <= told.n_classes + 1


def _measured(results: Mapping[str, Told]) -> dict[str, Scalar]:
    some = next(iter(results.values()))
    measured: dict[str, Scalar] = {
        "n_samples": some.n_samples,
        "n_classes": some.n_classes,
        "majority": round(some.majority, 4),
    }
    for feature, told in results.items():
        measured[f"{feature}: balanced_accuracy"] = round(told.balanced, 4)
        measured[f"{feature}: gain"] = round(told.gain, 4)
        measured[f"{feature}: low"] = round(told.low, 4)
    return measured


def _said(target: _Target, results: Mapping[str, Told]) -> str:
    feature, told = max(results.items(), key=lambda each: each[1].gain)
    what = "the class" if target.pair is None else f"{target.pair[0]} from {target.pair[1]}"
    return (
        f"{what} of {told.n_samples:,} pictures: best told by {feature}, balanced accuracy {told.balanced:.1%} "
        f"(guess {1 / told.n_classes:.1%})"
    )


def _finding(context: Context, target: _Target, shortcuts: Mapping[str, Told], params: Params) -> Finding:
    ordered = sorted(shortcuts.items(), key=lambda each: -max(each[1].gain, each[1].one_gain))
    feature, told = ordered[0]
    counts = np.bincount(target.codes[target.codes >= 0])
    certain = any(
        feature != NAME and told.balanced >= params.certain and np.sum(counts >= params.reasonable) > 1
        for feature, told in ordered
    )
    severity: Severity = "error" if certain and target.pair is None else "warning"
    if target.pair is None:
        what, splits = "the class", context.dataset.splits
        affected = np.flatnonzero(target.codes >= 0)
    else:
        what, splits = f"whether a picture is in {target.pair[0]} or {target.pair[1]}", target.pair
        affected = np.flatnonzero(target.codes == 0)
    others = f"; so do {', '.join(each for each, _ in ordered[1:])}" if len(ordered) > 1 else ""
    if target.pair is None and told.low < params.smallest:
        right = f"class {target.names[told.one_class]} from the others: {(1 + told.one_gain) / 2:.1%} right on average"
        message = f"the {feature} alone tells {right} (guess 50.0%){others}"
    else:
        message = (
            f"the {feature} alone tells {what}: {told.balanced:.1%} right on average over {told.n_classes:,} classes "
            f"(guess {1 / told.n_classes:.1%}), {told.accuracy:.1%} of {told.n_samples:,} pictures "
            f"(the largest class {told.majority:.1%}){others}"
        )
    return Finding(
        id=finding_id(CHECK.code, what, *sorted(context.digests(affected))),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=message,
        splits=splits,
        n_samples=len(affected),
        effect={
            "feature": feature,
            "balanced_accuracy": round(told.balanced, 4),
            "baseline": round(1 / told.n_classes, 4),
            "gain": round(told.gain, 4),
            "low": round(told.low, 4),
            "high": round(told.high, 4),
            "one_class": target.names[told.one_class],
            "one_gain": round(told.one_gain, 4),
            "one_low": round(told.one_low, 4),
            "accuracy": round(told.accuracy, 4),
            "majority": round(told.majority, 4),
        },
        evidence=Evidence(n_samples=len(affected), breakdown=_breakdown(context, target, feature)),
    )


def _breakdown(context: Context, target: _Target, feature: str) -> Breakdown:
    """The most frequent values of the feature, and what their pictures are."""
    title, words = _words(context, feature)
    known = target.codes >= 0
    values, at, counts = np.unique(words[known], return_inverse=True, return_counts=True)
    rows = []
    for value in np.argsort(-counts, kind="stable")[:12].tolist():
        classes = np.bincount(target.codes[known][at == value], minlength=len(target.names))
        most = int(classes.argmax())
        share = round(int(classes[most]) / int(counts[value]), 4)
        rows.append((str(values[value]), int(counts[value]), target.names[most], share))
    return Breakdown((title, "pictures", "mostly", "share"), tuple(rows))


def _words(context: Context, feature: str) -> tuple[str, npt.NDArray[np.str_]]:
    """The feature in words; width, height and aspect are seen in the size."""
    images, samples = context.images, context.samples
    if feature == NAME:
        return NAME, name_patterns(samples.uri, [*label_codes(context)[1], *context.dataset.splits])
    named = name(images.records)
    shown = feature if feature in named else "size"
    return shown, named[shown]


def _normal_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


CHECK = Check(
    code="LA303",
    slug="metadata-reveals-target",
    family="shortcut",
    severity="warning",
    kinds=("image",),
    needs=(),
    params=Params(),
    run=run,
)
