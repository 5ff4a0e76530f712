"""The validation score is higher than it would be without the samples that are known to be in training.

What it does
------------
Measures by how many points the known duplicates raise the validation score: what quick models gain on them by having
been trained on their copies, beyond what they gain on the other validation samples. It runs with ``--probe``.

Why it matters
--------------
A count of duplicates does not say what they cost. Where a model learns by heart, each one is nearly always right; where
it does not, they may change nothing. The figure says whether a result has to be taken back.

How it decides
--------------
The gain of a sample is its score (1 where right, 0 where wrong; for a quantity minus the absolute error in standard
deviations) for models trained on the training split, minus its out-of-fold score, duplicates and declared groups kept
in one fold. The effect is ``λ (gain of known − gain of others)``, with λ the known share of validation: known samples
may be easier than others, which the out-of-fold score takes out. A *warning* needs a one-sided p-value (Welch's t over
groups) at 0.05 or less, a 95 % interval above 0, and an effect of at least 0.005, half a point (``smallest``). Without
duplicates the check *passes*; where an effect of 0.02 (``blind``) would not show, it is *inconclusive*.

What it cannot see
------------------
Duplicates that no check found: LA401 asks for them. The score is that of a quick model; yours may learn more by heart.

Fix
---
Take the samples listed under LA101 to LA108 out of one side, and report the score again, on the same model where it was
trained without them.

References
----------
- B. Barz, J. Denzler, Do we train on test data? Purging CIFAR of near-duplicates, Journal of Imaging 6 (2020).
- B. L. Welch, The generalization of "Student's" problem, Biometrika 34 (1947).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probing import identity, over_pairs, p_text, rounded, sizes, with_model
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Status, finding_id
from leakaudit.probe.run import Probed
from leakaudit.probe.significance import Test, known_test
from leakaudit.probe.words import known


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``shown`` samples are kept as evidence."""

    alpha: float = 0.05
    smallest: float = 0.005
    blind: float = 0.02
    shown: int = 12


@dataclass(frozen=True, slots=True)
class _Inflation:
    """By how much the score is raised, with its 95 % interval, and the score with and without it."""

    value: float
    low: float
    high: float
    p: float
    score: float


def run(context: Context, params: Params) -> Outcome:
    """Measure what the known duplicates add to the score."""
    return over_pairs(context, CHECK, lambda found: _judged(context, found, params))


def _judged(context: Context, found: Probed, params: Params) -> Outcome:
    n_known, n = int(found.measured.leaked.sum()), int(found.measured.held_out.sum())
    metrics = sizes(found)
    if not n_known:
        said = f"none of {n:,} {found.held_out} samples is known to be in {found.reference}"
        return Outcome(CHECK.code, CHECK.slug, "passed", said, {found.held_out: metrics}, sampled=found.sampled)
    inflation = _inflation(found)
    if isinstance(inflation, Test):
        said = f"{n_known:,} of {n:,} {found.held_out} samples are known: {inflation.reason}"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", said, {found.held_out: metrics}, sampled=found.sampled)
    metrics |= {"inflation": rounded(inflation.value), "low": rounded(inflation.low), "high": rounded(inflation.high)}
    metrics |= {"p": rounded(inflation.p, 6), "score": rounded(inflation.score)}
    said = f"{n_known:,} of {n:,} {found.held_out} samples are known and {_inflates(found, inflation)}"
    if inflation.p <= params.alpha and inflation.low > 0 and inflation.value >= params.smallest:
        finding = _finding(context, found, inflation, params)
        return Outcome(
            CHECK.code, CHECK.slug, "failed", said, {found.held_out: metrics}, (finding,), sampled=found.sampled
        )
    unclear = inflation.high >= params.blind and inflation.low <= 0
    status: Status = "inconclusive" if unclear else "passed"
    return Outcome(CHECK.code, CHECK.slug, status, said, {found.held_out: metrics}, sampled=found.sampled)


def _inflation(found: Probed) -> _Inflation | Test:
    """The effect, or the test that says why there is none."""
    from scipy.special import stdtrit

    measured = found.measured
    assert measured.score is not None
    assert measured.out_of_fold_score is not None
    inside = measured.held_out
    score = measured.score.mean(axis=0)
    gain = score - measured.out_of_fold_score.mean(axis=0)
    test = known_test(gain[inside], measured.leaked[inside], measured.groups[inside])
    if test.p is None or test.effect is None or not test.error or not test.df:
        return test
    share = float(measured.leaked.sum() / inside.sum())
    half = float(stdtrit(test.df, 0.975)) * test.error
    low, high = share * (test.effect - half), share * (test.effect + half)
    return _Inflation(share * test.effect, low, high, test.p, float(score[inside].mean()))


def _inflates(found: Probed, inflation: _Inflation) -> str:
    """``inflate accuracy by 3.2 points [2.1, 4.3]``."""
    if found.measured.classes:
        bounds = f"[{100 * inflation.low:.1f}, {100 * inflation.high:.1f}]"
        return f"inflate accuracy by {100 * inflation.value:.1f} points {bounds}"
    bounds = f"[{inflation.low:.3f}, {inflation.high:.3f}]"
    return f"lower the mean absolute error by {inflation.value:.3f} standard deviations {bounds}"


def _finding(context: Context, found: Probed, inflation: _Inflation, params: Params) -> Finding:
    measured = found.measured
    assert measured.score is not None
    assert measured.out_of_fold_score is not None
    at = np.flatnonzero(measured.leaked)
    without = inflation.score - inflation.value
    scale = "accuracy" if measured.classes else "minus the mean absolute error"
    message = (
        f"{known(found.by_check)} {_inflates(found, inflation)} ({p_text(inflation.p)}): {scale} "
        f"{inflation.score:.3f} on {found.held_out} as it stands, about {without:.3f} without them; {with_model(found)}"
    )
    gain = (measured.score.mean(axis=0) - measured.out_of_fold_score.mean(axis=0))[at]
    most = at[np.argsort(-gain, kind="stable")[: params.shown]]
    return Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=message,
        splits=(found.held_out, found.reference),
        n_samples=len(at),
        effect={
            "inflation": rounded(inflation.value),
            "low": rounded(inflation.low),
            "high": rounded(inflation.high),
            "p": rounded(inflation.p, 6),
            "score": rounded(inflation.score),
            "score_without": rounded(without),
        },
        evidence=Evidence(
            samples=tuple(context.describe(found.pool.indices[most])),
            n_samples=len(at),
            breakdown=_scores(found),
        ),
    )


def _scores(found: Probed) -> Breakdown:
    """Scores of the known and the other validation samples, trained on and not."""
    measured = found.measured
    assert measured.score is not None
    assert measured.out_of_fold_score is not None
    rows = []
    for name, side in (("known", measured.leaked), ("others", measured.held_out & ~measured.leaked)):
        full, out = (float(np.mean(each[:, side])) for each in (measured.score, measured.out_of_fold_score))
        rows.append(
            (name, int(side.sum()), rounded(full), rounded(out), rounded(full - out if math.isfinite(out) else 0))
        )
    return Breakdown(("samples", "n", "score", "score out of fold", "gain"), tuple(rows))


CHECK = Check(
    code="LA402",
    slug="leakage-inflates-score",
    family="probe",
    severity="warning",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
