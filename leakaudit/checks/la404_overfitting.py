"""A quick model overfits: it does much better on training than on validation samples.

What it does
------------
Trains quick models several times with different seeds (``--probe``), without any regularisation, and applies the rules
of ``leakaudit curves`` to their training curves.

Why it matters
--------------
Data that a plain model learns by heart instead of generalising will do the same to a larger one. It says how much
regularisation to plan for before the large run, and which figure to expect without.

How it decides
--------------
Two rules, with the thresholds of ``leakaudit curves``: *overfitting* (training accuracy of 0.95 and a gap to validation
of 0.10, a gap of 0.05 sustained over the last three rows, or a drop of 0.15), and *rising validation loss* (its level
at the end lies 5 % and three times the row-to-row noise above its best, while training loss fell). A finding needs one
of them in more than half of the seeds, and of an accuracy gap the lower bound of the 95 % interval (binomial, over
validation samples, with the spread between seeds) at 0.05 (``least_gap``). It is an *info*: a model without
regularisation overfits most small data sets, which is no fault of the data. On random splits of synthetic tables with
noisy labels (``benchmarks/probe.py``), where nothing is wrong, it says so in 53 of 72.

What it cannot see
------------------
Your model. Duplicates between the splits make the gap smaller than it is.

Fix
---
Augmentation (pictures: rotation 15°, shift 0.1, flip where it keeps the label); dropout by layer (input 0.1–0.2, dense
0.3–0.5, convolution 0.2–0.3, recurrent 0.2–0.5, output never; 0.2–0.3 beside batch normalisation; off at inference); L2
(weight decay 1e-4 to 1e-2); early stopping on validation loss (patience 5 to 10, best weights restored); a lower
learning rate on a plateau (factor 0.5, patience 3, least 1e-6); a smaller model; more data. Boosted trees: fewer rounds
by early stopping, smaller trees, row and column subsampling 0.5–0.9. Choose by cross-validation, and keep a hold-out
that nothing is chosen by.

References
----------
- L. Prechelt, Early stopping, but when?, Neural Networks: Tricks of the Trade (1998).
- N. Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15 (2014).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probe_curves import failing, last_epochs, outcomes
from leakaudit.checks.probing import identity, measured, rounded, sizes, with_model
from leakaudit.curves.rules import overfitting, rising_validation_loss
from leakaudit.model import Evidence, Finding, Outcome, Scalar, finding_id
from leakaudit.probe.run import Probed


@dataclass(frozen=True)
class Params:
    """See *How it decides*; the thresholds of the rules are those of ``leakaudit curves``."""

    least_gap: float = 0.05


def run(context: Context, params: Params) -> Outcome:
    """Apply the rules to every full model."""
    found = measured(context, CHECK)
    if isinstance(found, Outcome):
        return found
    if not found.curves:
        return Outcome(CHECK.code, CHECK.slug, "skipped", f"a {found.model} is not trained in epochs")
    said = outcomes(found, (overfitting, rising_validation_loss))
    gap, low, high = _gap(found)
    n = len(found.curves)
    metrics: dict[str, Scalar] = {**sizes(found), "gap": rounded(gap), "gap_low": rounded(low)}
    metrics |= {f"{rule}_seeds": sum(o.status == "failed" for o in each) for rule, each in said.items()}
    wide = failing(said["overfitting"]) if low is not None and low >= params.least_gap else []
    rising = failing(said["rising-validation-loss"])
    if gap is None:
        reason = f"{n} models: {said['rising-validation-loss'][0].message}"
    else:
        reason = f"accuracy {gap:.3f} [{low:.3f}, {high:.3f}] higher on training than on {found.held_out}; {n} models"
    if not wide and not rising:
        return Outcome(CHECK.code, CHECK.slug, "passed", reason, {found.held_out: metrics}, sampled=found.sampled)
    parts = []
    if wide:
        parts.append(f"accuracy {gap:.3f} [{low:.3f}, {high:.3f}] higher on {found.reference} than on {found.held_out}")
    if rising:
        parts.append(f"{rising[0].message} (first of {len(rising)} of {n} seeds)")
    at = np.flatnonzero(found.measured.held_out)
    finding = Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=f"a quick model without regularisation overfits: {'; '.join(parts)}; {with_model(found)}",
        splits=(found.held_out, found.reference),
        n_samples=len(at),
        effect={"gap": rounded(gap), "gap_low": rounded(low), "gap_high": rounded(high), "seeds_rising": len(rising)},
        evidence=Evidence(n_samples=len(at), breakdown=last_epochs(found)),
    )
    return Outcome(
        CHECK.code, CHECK.slug, "failed", reason, {found.held_out: metrics}, (finding,), sampled=found.sampled
    )


def _gap(found: Probed) -> tuple[float | None, float | None, float | None]:
    """Accuracy on T minus on V, with a 95 % interval over validation samples and seeds; None for a quantity."""
    measured = found.measured
    if not measured.classes or measured.score is None:
        return None, None, None
    train = measured.score[:, ~measured.held_out].mean(axis=1)
    val = measured.score[:, measured.held_out].mean(axis=1)
    gap, n = train - val, int(measured.held_out.sum())
    level = (val.mean() * n + 2) / (n + 4)  # Agresti and Coull: an accuracy of 1 is not certain
    between = gap.var(ddof=1) / len(gap) if len(gap) > 1 else 0.0
    half = 1.96 * float(np.sqrt(level * (1 - level) / (n + 4) + between))
    return float(gap.mean()), float(gap.mean()) - half, float(gap.mean()) + half


CHECK = Check(
    code="LA404",
    slug="overfitting",
    family="probe",
    severity="info",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
