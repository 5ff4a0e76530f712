"""Validation loss is lower than it is for models that saw none of validation.

What it does
------------
Trains quick models on the training split, and others on folds of training and validation together, and asks whether
the former know validation better than models can that saw none of it. What timing, regularisation and an easier
validation split explain of a low validation loss is measured and taken out first. It runs with ``--probe``.

Why it matters
--------------
Validation loss is often below training loss for innocent reasons: the training loss is an average over an epoch, and
dropout and augmentation act in training only. What is left when all that is accounted for is knowledge of validation
that the model has from training: copies, near-copies, the same patient or hour. A validation score with that in it is
no forecast.

How it decides
--------------
For each validation sample v, m(v) is its out-of-fold loss minus its loss for models trained on the training split. Its
mean (terms d + r of the attribution) is compared with what fold models gain on each other by chance (test *leak*), and
on known duplicates with all other validation samples (test *known*), both in ``exp(−loss)``, the probability of the
true class, and one-sided, adjusted by Holm with the test of difficulty. An *error* needs one of them at 0.05 or less,
and a gain of at least 0.01 of the out-of-fold loss of validation (``smallest``: below it no usual metric moves). The
message says which part known duplicates explain. The outcome is *inconclusive* where the quick models learn less than
0.05 of the loss by heart (``learnt``: a leak then leaves no trace), where full models do worse on validation than fold
models by more than chance gives in 1 of 100 (``shifted``: the splits differ, which would hide a leak), or where a third
of validation (``blind``) could be copied without showing in four of five cases; how many samples would show is said in
any case. Each pair of training, validation and test splits is asked by itself.

What it cannot see
------------------
Copies that no duplicate check lists and LA403 does not recognise: they are in the training of most fold models, too, so
that they show a fifth of their gain or less. Leaks that a quick model does not learn by heart. A shift between the
splits lowers the gain and can hide a leak. The gain is that of the probe's models, in their loss, not of yours. False
alarms on clean splits: under 5 % of splits by construction.

Fix
---
First the samples listed under LA101 to LA108: take them out of one side. Where nothing is listed there, look at the
most memorised validation samples of the report beside their nearest training samples: the same scene, person, text or
hour. A low validation loss without a leak has other reasons, to be mended there: augmentation, dropout (input 0.1–0.2,
dense 0.3–0.5, convolution 0.2–0.3, recurrent 0.2–0.5, output never; 0.2–0.3 beside batch normalisation; off at
inference) and L2 raise the training loss only; compare with the training loss in evaluation mode. Score the final model
on a hold-out that nothing was chosen by, or by cross-validation over groups.

References
----------
- C. Zhang et al., Understanding deep learning requires rethinking generalization, ICLR 2017: models memorise.
- V. Feldman, C. Zhang, What neural networks memorize and why, NeurIPS 2020: memorisation by leaving samples out.
- S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6 (1979).
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probing import identity, over_pairs, p_text, rounded, sizes, with_model
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id
from leakaudit.probe.run import Probed
from leakaudit.probe.words import known


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``shown`` samples are kept as evidence."""

    smallest: float = 0.01
    learnt: float = 0.05
    blind: float = 0.33
    shifted: float = 0.01
    shown: int = 12


def run(context: Context, params: Params) -> Outcome:
    """Ask whether full models know validation better than fold models do."""
    return over_pairs(context, CHECK, lambda found: _judged(context, found, params))


def _judged(context: Context, found: Probed, params: Params) -> Outcome:
    attribution = found.attribution
    leak, duplicates = attribution.test("leak"), attribution.test("known")
    gain = attribution.term("d").value + attribution.term("r").value
    level = abs(attribution.val_loss) or 1.0
    learnt = -attribution.term("e").value / level
    metrics: dict[str, Scalar] = {**sizes(found), "gap": rounded(attribution.gap), "gain": rounded(gain)}
    metrics |= {f"{term.letter} {term.name}": rounded(term.value) for term in attribution.terms}
    metrics |= {"p_leak": rounded(leak.p_holm, 6), "p_known": rounded(duplicates.p_holm, 6)}
    metrics |= {"detectable": rounded(leak.smallest_share), "loss_out_of_fold": rounded(attribution.val_loss)}
    said = (
        f"full models lose {abs(gain):.3f} {found.unit} {'less' if gain >= 0 else 'more'} on {attribution.n_val:,} "
        f"{found.held_out} samples than models that saw none of them ({attribution.val_loss:.3f})"
    )
    by_leak = leak.significant and gain >= params.smallest * level
    by_known = duplicates.significant and attribution.term("d").value >= params.smallest * level
    outcome = partial(Outcome, CHECK.code, CHECK.slug, metrics={found.held_out: metrics}, sampled=found.sampled)
    if by_leak or by_known:
        finding = _finding(context, found, gain, by_leak=by_leak, params=params)
        return outcome("failed", said, findings=(finding,))
    if leak.p_holm is None:
        return outcome("inconclusive", f"{said}; {leak.reason}")
    if leak.p is not None and leak.p >= 1 - params.shifted:
        why = f"the splits differ in what {found.reference} teaches, which would hide a leak"
        return outcome("inconclusive", f"{said}; {why}")
    if learnt < params.learnt:
        why = f"quick models learn {max(learnt, 0):.1%} of the training loss by heart: a leak would not show"
        return outcome("inconclusive", f"{said}; {why}")
    share = 1.0 if leak.smallest_share is None else min(1.0, leak.smallest_share)
    would = f"from about {max(1, round(share * attribution.n_val)):,} of {attribution.n_val:,} samples of "
    would += f"{found.held_out} copied from {found.reference} on, known copies would show in four of five cases; "
    would += "copies that no check lists hardly show here, LA403 asks for them"
    if share > params.blind:
        return outcome("inconclusive", f"too few samples: {said}; {would}")
    return outcome("passed", f"{said}; {would}")


def _finding(context: Context, found: Probed, gain: float, *, by_leak: bool, params: Params) -> Finding:
    attribution, held_out = found.attribution, found.measured.held_out
    leak, duplicates = attribution.test("leak"), attribution.test("known")
    explained, rest = attribution.term("d"), attribution.term("r")
    p = leak.p_holm if by_leak else duplicates.p_holm
    message = (
        f"loss on {found.held_out} is {gain:.3f} {found.unit} lower than for models that saw none of it "
        f"({attribution.val_loss:.3f}; {p_text(p or 0.0)}); {_explained(found)}; {with_model(found)}"
    )
    m = found.measured.out_of_fold.mean(axis=0) - found.measured.loss.mean(axis=0)
    at = np.flatnonzero(held_out)
    most = at[np.argsort(-m[at], kind="stable")[: params.shown]]
    rows = tuple(
        (f"{term.letter} {term.name}", rounded(term.value), rounded(term.low), rounded(term.high))
        for term in attribution.terms
    )
    return Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=message,
        splits=(found.held_out, found.reference),
        n_samples=int(found.measured.leaked.sum()) if duplicates.significant else len(at),
        effect={
            "gain": rounded(gain),
            "known": rounded(explained.value),
            "rest": rounded(rest.value),
            "rest_low": rounded(rest.low),
            "rest_high": rounded(rest.high),
            "p_leak": rounded(leak.p_holm, 6),
            "p_known": rounded(duplicates.p_holm, 6),
            "unit": found.unit,
        },
        evidence=Evidence(
            samples=tuple(context.describe(found.pool.indices[most])),
            n_samples=len(at),
            breakdown=Breakdown(("term", "value", "low", "high"), rows),
        ),
    )


def _explained(found: Probed) -> str:
    explained, rest = found.attribution.term("d"), found.attribution.term("r")
    parts = []
    if explained.value > 0 and explained.clear and found.by_check:
        parts.append(f"{explained.value:.3f} of it is explained by {known(found.by_check)}")
    if rest.value > 0 and rest.clear:
        start = "" if not parts else "another "
        parts.append(f"{start}{rest.value:.3f} is unexplained: look at the samples it knows best")
    return ", ".join(parts) or "look at the samples it knows best"


CHECK = Check(
    code="LA401",
    slug="low-validation-loss",
    family="probe",
    severity="error",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
