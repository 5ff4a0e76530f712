"""Some classes are learnt by heart far more than the others.

What it does
------------
Compares, class by class, how often quick models are right on their own training samples and how often models that did
not see these samples are right on the very same ones. It runs with ``--probe``.

Why it matters
--------------
A model can look sound on average and know one class only by heart: too few samples, mixed labels, or two classes that
are one. The confusion matrix of the held-out samples says with what they are confused.

How it decides
--------------
The gap of a class is its recall on training samples that the models were trained on, minus the out-of-fold recall of
the same samples, duplicates and declared groups kept in one fold. It is compared with the gap of all other classes
together: Welch's t over groups, one-sided, adjusted over all classes by Benjamini-Hochberg. A finding needs an
adjusted p-value of 0.05 or less, a difference of 0.20 or more (``smallest``, twice the gap from which practitioners'
guides speak of overfitting), and the lower bound of its 95 % interval at half of that. It is an *info*: most sets have
a hardest class, which is no fault of the split (found in 21 of 48 random splits of synthetic tables with nothing wrong,
by ``benchmarks/probe.py``). Classes with fewer than 10 training samples (``least``) are left out. All classes together
are the business of LA404.

What it cannot see
------------------
Overfitting that all classes share. A quick model's confusions need not be yours.

Fix
---
More samples of these classes, or augmentation of them; look at their labels and at the class they are confused with;
merge classes that cannot be told apart. Class weights or resampling (after the split) help a rare class only as far as
its samples are varied.

References
----------
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
- B. L. Welch, The generalization of "Student's" problem, Biometrika 34 (1947).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.checks.base import Check
from leakaudit.checks.probing import identity, measured, rounded, sizes, with_model
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id
from leakaudit.probe.run import Probed
from leakaudit.probe.significance import Test, known_test


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` classes are shown."""

    alpha: float = 0.05
    smallest: float = 0.20
    least: int = 10
    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Compare the gap of each class with that of the others."""
    found = measured(context, CHECK)
    if isinstance(found, Outcome):
        return found
    if not found.measured.classes:
        return Outcome(CHECK.code, CHECK.slug, "skipped", "the label is a quantity: there are no classes")
    tests = _tests(found, params.least)
    n_classes = len(found.measured.classes)
    if len(tests) < 2:
        reason = (
            f"{n_classes:,} classes, {len(tests):,} of them with {params.least} samples that vary: nothing to compare"
        )
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", reason, {found.held_out: sizes(found)})
    adjusted = dict(zip(tests, benjamini_hochberg([test.p or 0.0 for test in tests.values()]), strict=True))
    worst = max(tests, key=lambda code: tests[code].effect or 0.0)
    metrics: dict[str, Scalar] = {**sizes(found), "n_classes": n_classes, "n_compared": len(tests)}
    metrics |= {"worst_class": found.measured.classes[worst], "worst_difference": rounded(tests[worst].effect)}
    said = (
        f"{len(tests):,} of {n_classes:,} classes compared; the largest gap beyond the others, "
        f"{tests[worst].effect or 0:.3f}, has {found.measured.classes[worst]!r}"
    )
    overfit = {
        code: adjusted[code]
        for code, test in tests.items()
        if adjusted[code] <= params.alpha
        and (test.effect or 0.0) >= params.smallest
        and (test.effect or 0.0) - 1.96 * (test.error or 0.0) >= params.smallest / 2
    }
    outcome = partial(Outcome, CHECK.code, CHECK.slug, metrics={found.held_out: metrics}, sampled=found.sampled)
    if overfit:
        finding = _finding(context, found, tests, overfit, params)
        return outcome("failed", said, findings=(finding,))
    return outcome("passed", said)


def _tests(found: Probed, least: int) -> dict[int, Test]:
    """The gap of each class against all others, for those with enough training samples."""
    measured = found.measured
    assert measured.truth is not None
    inside = ~measured.held_out
    gap, truth, groups = _gain(found)[inside], measured.truth[inside], measured.groups[inside]
    tests = {}
    for code in np.flatnonzero(np.bincount(truth, minlength=len(measured.classes)) >= least).tolist():
        test = known_test(gap, truth == code, groups)
        if test.p is not None:
            tests[code] = test
    return tests


def _gain(found: Probed) -> np.ndarray:
    measured = found.measured
    assert measured.score is not None
    assert measured.out_of_fold_score is not None
    return np.asarray(measured.score.mean(axis=0) - measured.out_of_fold_score.mean(axis=0))


def _finding(
    context: Context, found: Probed, tests: Mapping[int, Test], overfit: Mapping[int, float], params: Params
) -> Finding:
    measured = found.measured
    assert measured.truth is not None
    classes = measured.classes
    order = sorted(overfit, key=lambda code: (-(tests[code].effect or 0.0), code))
    names = ", ".join(repr(classes[code]) for code in order[:5]) + (" …" if len(order) > 5 else "")
    first = tests[order[0]]
    at = np.flatnonzero(measured.held_out & np.isin(measured.truth, order))
    many = f"{len(order):,} class{'es are' if len(order) > 1 else ' is'}"
    message = (
        f"{many} learnt by heart more than the others: {names}; recall of {classes[order[0]]!r} falls by "
        f"{first.effect or 0:.3f} more than theirs from samples trained on to samples not seen; {with_model(found)}"
    )
    return Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=message,
        splits=(found.held_out, found.reference),
        n_samples=len(at),
        effect={
            "class": classes[order[0]],
            "difference": rounded(first.effect),
            "p_adjusted": rounded(overfit[order[0]], 6),
            "n_classes": len(order),
        },
        evidence=Evidence(n_samples=len(at), breakdown=_breakdown(found, tests, order[: params.listed])),
    )


def _breakdown(found: Probed, tests: Mapping[int, Test], codes: list[int]) -> Breakdown:
    measured = found.measured
    assert measured.truth is not None
    assert measured.score is not None
    assert measured.out_of_fold_score is not None
    assert measured.out_of_fold_predicted is not None
    score, unseen = measured.score.mean(axis=0), measured.out_of_fold_score.mean(axis=0)
    rows = []
    for code in codes:
        inside = (measured.truth == code) & ~measured.held_out
        wrong = measured.out_of_fold_predicted[:, inside].ravel()
        wrong = wrong[(wrong >= 0) & (wrong != code)]
        other = measured.classes[int(np.bincount(wrong).argmax())] if len(wrong) else None
        recalls = (rounded(float(score[inside].mean())), rounded(float(unseen[inside].mean())))
        rows.append((measured.classes[code], int(inside.sum()), *recalls, rounded(tests[code].effect), other))
    names = ("class", "n", "recall trained on", "recall not seen", "beyond the others", "mostly taken for")
    return Breakdown(names, tuple(rows))


CHECK = Check(
    code="LA406",
    slug="overfit-classes",
    family="probe",
    severity="info",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
