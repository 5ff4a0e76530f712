"""The loss of a quick model swings, climbs back, or ends as NaN.

What it does
------------
Trains quick models several times with different seeds (``--probe``), at a moderate learning rate, and applies the rules
of ``leakaudit curves`` for stability to their training curves. For a table with numbers these are linear models on its
standardised numbers, trained by plain gradient descent (rate 0.01, momentum 0.9, batches of 64, 20 epochs): what any
network with these inputs would meet first. For pictures and text they are the models of the probe.

Why it matters
--------------
A plain model at a moderate rate converges smoothly on ordinary data. Where it does not, some values are far out of
scale, labels contradict each other, or validation is so small that its loss is noise; a larger run will show the same
at a higher price.

How it decides
--------------
Two rules, with the thresholds of ``leakaudit curves``: *non-finite loss*, and *unstable loss* (turns of more than 30 %
of the loss in a fifth of the rows, or a training loss that climbs back). A *warning* needs one of them in more than
half of the seeds. A value further out than about 25 standard deviations makes a step of gradient descent too long; 10
out of 10 random tables with columns as heavy-tailed as Student's t with 3 degrees of freedom converged smoothly.

What it cannot see
------------------
Instability that comes from your learning rate or model. Outliers in a table of 600 rows or fewer: among n rows no value
is further out than the root of n standard deviations.

Fix
---
Look for values out of scale and for NaN in the inputs, standardise on the training split, and check the labels of the
samples with the largest loss. In your own run: a learning rate three to ten times lower, or lowered on a plateau
(factor 0.5, patience 3, least 1e-6), warm-up, gradient clipping (norm 1), a larger batch; and a validation split large
enough for the differences that matter.

References
----------
- L. N. Smith, A disciplined approach to neural network hyper-parameters, arXiv:1803.09820 (2018).
- R. Pascanu, T. Mikolov, Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013: clipping.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probe_curves import by_gradient_descent, failing, last_epochs, outcomes
from leakaudit.checks.probing import identity, measured, sizes, with_model
from leakaudit.curves.rules import non_finite, unstable_loss
from leakaudit.model import Evidence, Finding, Outcome, Scalar, finding_id


@dataclass(frozen=True)
class Params:
    """None of its own: the thresholds of the rules are those of ``leakaudit curves``."""


def run(context: Context, _params: Params) -> Outcome:
    """Apply the rules to every full model."""
    found = measured(context, CHECK)
    if isinstance(found, Outcome):
        return found
    followed = by_gradient_descent(context, found)
    if not followed.curves:
        return Outcome(CHECK.code, CHECK.slug, "skipped", f"a {found.model} is not trained in epochs")
    said = outcomes(followed, (non_finite, unstable_loss))
    metrics: dict[str, Scalar] = dict(sizes(followed))
    metrics |= {f"{rule}_seeds": sum(o.status == "failed" for o in each) for rule, each in said.items()}
    failed = [each[0] for rule in said.values() if (each := failing(rule))]
    reason = f"{len(followed.curves)} models: {'; '.join(each[0].message for each in said.values())}"
    if not failed:
        return Outcome(CHECK.code, CHECK.slug, "passed", reason, {found.held_out: metrics}, sampled=found.sampled)
    at = np.flatnonzero(found.measured.held_out)
    finding = Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, at)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=f"{'; '.join(each.message for each in failed)}; {with_model(followed)}",
        splits=(found.held_out, found.reference),
        n_samples=len(at),
        effect=dict(failed[0].metrics),
        evidence=Evidence(n_samples=len(at), breakdown=last_epochs(followed)),
    )
    return Outcome(
        CHECK.code, CHECK.slug, "failed", reason, {found.held_out: metrics}, (finding,), sampled=found.sampled
    )


CHECK = Check(
    code="LA405",
    slug="unstable-loss",
    family="probe",
    severity="warning",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
