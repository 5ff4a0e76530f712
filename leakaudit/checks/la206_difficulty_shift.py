"""Validation samples are easier, or harder, than training samples for models that saw neither.

What it does
------------
Trains quick models on folds of training and validation samples together, and compares what the samples of both sides
cost the models that did not see them. It runs with ``--probe``.

Why it matters
--------------
Where validation is easier, its loss is low and its score high for a reason that has nothing to do with the model, and
neither carries over to the data that will come. An easy validation split is also the most frequent innocent reason for
a validation loss below the training loss, and has to be told apart from leakage.

How it decides
--------------
Term c of the attribution: mean out-of-fold loss of training samples minus that of validation samples, duplicates and
declared groups kept in one fold. The test permutes the split over groups (studentised), adjusted by Holm with the other
tests of the probe. The effect is c in standard deviations of the losses. A *warning* needs the adjusted p-value at 0.05
or less, the effect at 0.2 or more (``smallest``, Cohen's "small"), and the lower bound of its 95 % interval at half of
that. Without a finding, and with an effect of 0.5 (``blind``, Cohen's "medium") undetectable at these sizes, the
outcome is *inconclusive* and names the smallest detectable effect.

What it cannot see
------------------
What is hard for a quick model need not be hard for yours. Copies that no duplicate check knows make their samples look
easy. A shift of class shares is a shift of difficulty, too: LA201 says whether there is one.

Fix
---
Draw the split again at random, stratified by class and source; or, where validation is meant to differ, do not compare
its loss with the training loss, and report the score by class or source.

References
----------
- E. Chung, J. P. Romano, Exact and asymptotically robust permutation tests, Annals of Statistics 41 (2013).
- S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probing import identity, over_pairs, p_text, rounded, sizes, with_model
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, finding_id
from leakaudit.probe.run import Probed
from leakaudit.probe.wording import easier


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` classes are shown."""

    smallest: float = 0.2
    blind: float = 0.5
    listed: int = 20


def run(context: Context, params: Params) -> Outcome:
    """Compare the out-of-fold losses of both sides."""
    return over_pairs(context, CHECK, lambda found: _judged(context, found, params))


def _judged(context: Context, found: Probed, params: Params) -> Outcome:
    test, term = found.attribution.test("easy"), found.attribution.term("c")
    h, held_out = found.measured.out_of_fold.mean(axis=0), found.measured.held_out
    spread = found.attribution.spread
    metrics = {
        **sizes(found),
        "loss_reference": rounded(float(h[~held_out].mean())),
        "loss_held_out": rounded(float(h[held_out].mean())),
        "difference": rounded(term.value),
        "low": rounded(term.low),
        "high": rounded(term.high),
        "effect": rounded(term.value / spread if spread else 0.0),
        "p_adjusted": rounded(test.p_holm, 6),
        "detectable": rounded(test.detectable / spread if test.detectable and spread else None),
    }
    pair = {found.held_out: metrics}
    said = (
        f"out-of-fold loss {h[held_out].mean():.3f} {found.unit} in {found.held_out}, {h[~held_out].mean():.3f} in "
        f"{found.reference} ({held_out.sum():,} and {(~held_out).sum():,} samples)"
    )
    if test.p_holm is None or not spread:
        reason = test.reason or "all samples cost the same"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", f"{said}; {reason}", pair, sampled=found.sampled)
    effect = abs(term.value) / spread
    if easier(found.attribution, params.smallest):
        finding = _finding(context, found, effect, test.p_holm, params)
        return Outcome(CHECK.code, CHECK.slug, "failed", said, pair, (finding,), sampled=found.sampled)
    smallest = (test.detectable or 0.0) / spread
    if smallest > params.blind:
        said = f"too few samples: {said}; a difference below {smallest:.2f} standard deviations would not show"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", said, pair, sampled=found.sampled)
    said += f"; {effect:.2f} standard deviations apart (from {smallest:.2f} it would show)"
    return Outcome(CHECK.code, CHECK.slug, "passed", said, pair, sampled=found.sampled)


def _finding(context: Context, found: Probed, effect: float, p: float, params: Params) -> Finding:
    term, held_out = found.attribution.term("c"), found.measured.held_out
    h = found.measured.out_of_fold.mean(axis=0)
    than = "easier" if term.value > 0 else "harder"
    message = (
        f"{found.held_out} is {than} than {found.reference} for models that saw none of it: out-of-fold loss "
        f"{h[held_out].mean():.3f} against {h[~held_out].mean():.3f} {found.unit}, {effect:.2f} standard deviations "
        f"({p_text(p)}); {with_model(found)}"
    )
    at = np.flatnonzero(held_out)
    return Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=message,
        splits=(found.held_out, found.reference),
        n_samples=len(at),
        effect={
            "difference": rounded(term.value),
            "low": rounded(term.low),
            "high": rounded(term.high),
            "effect": rounded(effect),
            "p_adjusted": rounded(p, 6),
            "unit": found.unit,
        },
        evidence=Evidence(n_samples=len(at), breakdown=_by_class(found, params.listed)),
    )


def _by_class(found: Probed, listed: int) -> Breakdown | None:
    """Out-of-fold loss of both sides in each class, the largest differences first."""
    measured = found.measured
    if measured.truth is None:
        return None
    h = measured.out_of_fold.mean(axis=0)
    rows = []
    for code, name in enumerate(measured.classes):
        sides = [h[(measured.truth == code) & side] for side in (measured.held_out, ~measured.held_out)]
        if all(len(side) for side in sides):
            a, b = (float(side.mean()) for side in sides)
            rows.append((name, len(sides[0]), len(sides[1]), round(a, 4), round(b, 4)))
    rows.sort(key=lambda row: -abs(row[3] - row[4]))
    of = (f"n {found.held_out}", f"n {found.reference}", f"loss {found.held_out}", f"loss {found.reference}")
    return Breakdown(("class", *of), tuple(rows[:listed]))


CHECK = Check(
    code="LA206",
    slug="difficulty-shift",
    family="shift",
    severity="warning",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
