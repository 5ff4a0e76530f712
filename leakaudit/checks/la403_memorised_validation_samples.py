"""Validation samples that models know by heart from training, found without comparing the samples.

What it does
------------
Lets models learn random labels of the training samples, which they can only do by knowing each one, and asks them for
the labels of validation samples. Where most of them answer with the label of one and the same training sample, the two
are one thing for the models: the pair is shown. It runs with ``--probe``.

Why it matters
--------------
A duplicate check finds the copies that its rule foresees. What a model takes for the same sample is what leaks,
whatever was done to it: noise, rounding, a new order of words, a column rewritten.

How it decides
--------------
Extremely randomised trees (100 in each of five forests) are grown on the training samples of four folds until each leaf
holds one, on fixed features: the columns of a table, n-grams of text, answers of pictures to patches. The statistic is
the share of trees that name the same training sample, compared with what they say of the fold that they did not learn
(cross-conformal p-values, adjusted by Benjamini-Hochberg over all validation samples). A *warning* needs an adjusted
p-value of 0.05 or less and half of the trees, and names only samples that no duplicate check lists; those that are
listed are the control. The outcome is *inconclusive* where fewer than half of these were recognised (``control``),
where the trees know less than 0.9 of what they learnt (``learnt``), as in coarse tables with many equal rows, or where
0.05 of validation (``blind``) are too few to be told from chance. On 20 clean tables of 2,000 and of 500 rows each it
found nothing; of exact copies and of copies with noise of 0.1 standard deviations, all (20 and 80 among 400). What
LA105 finds is no control, because it counts an excess and not samples one by one: of copies of rows with noise, both
checks may tell, and mean the same rows.

What it cannot see
------------------
Samples that are alike by their nature, such as neighbours in time: training holds as many of them, so that they are no
surprise. Texts that were rewritten in part: of 152 near-duplicates among customer queries it recognised none, and
is *inconclusive* there. Changes that move a sample further than its neighbours are away. The features are not those
that your model will learn.

Fix
---
Look at the pairs. Take the copies out of one side, or split again with whatever joins them (person, session, source) as
the group.

References
----------
- P. Geurts, D. Ernst, L. Wehenkel, Extremely randomized trees, Machine Learning 63 (2006).
- V. Vovk, Cross-conformal predictors, Annals of Mathematics and Artificial Intelligence 74 (2015).
- C. Zhang et al., Understanding deep learning requires rethinking generalization, ICLR 2017: random labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.probing import identity, over_pairs, rounded, sizes
from leakaudit.model import Evidence, Finding, Outcome, SamplePair, Scalar, finding_id
from leakaudit.probe.codes import ALPHA, FOLDS, Recognised
from leakaudit.probe.run import Probed

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``shown`` pairs are kept as evidence."""

    learnt: float = 0.9
    blind: float = 0.05
    control: float = 0.5
    shown: int = 12


def run(context: Context, params: Params) -> Outcome:
    """Ask for the random labels of validation samples."""
    return over_pairs(context, CHECK, lambda found: _judged(context, found, params))


def _judged(context: Context, found: Probed, params: Params) -> Outcome:
    pool = found.pool
    seen, val = found.recognised, np.flatnonzero(pool.held_out)
    sure = seen.sure
    known = pool.leaked[val]
    new = np.flatnonzero(sure & ~known)
    n_train = len(pool) - len(val)
    smallest = int(np.ceil(len(val) * FOLDS / (FOLDS - 1) / (1 + n_train * (FOLDS - 1) / FOLDS) / ALPHA))
    metrics: dict[str, Scalar] = {
        **sizes(found),
        "n_recognised": int(sure.sum()),
        "n_recognised_known": int((sure & known).sum()),
        "n_recognised_unlisted": len(new),
        "learnt": rounded(seen.learnt),
        "detectable": smallest,
    }
    said = f"models recognise {sure.sum():,} of {len(val):,} {found.held_out} samples"
    if known.any():
        said += f", {(sure & known).sum():,} of the {known.sum():,} that are listed as duplicates among them"
    pair = {found.held_out: metrics}
    if len(new):
        finding = _finding(context, found, seen, val, new, params)
        return Outcome(CHECK.code, CHECK.slug, "failed", said, pair, (finding,), sampled=found.sampled)
    if known.sum() >= smallest and (sure & known).sum() < params.control * known.sum():
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", f"{said}: too few", pair, sampled=found.sampled)
    if seen.learnt < params.learnt:
        said += f"; they know {seen.learnt:.0%} of the training samples, for many are alike"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", said, pair, sampled=found.sampled)
    if smallest > params.blind * len(val):
        said += f"; fewer than {smallest:,} would not show"
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", said, pair, sampled=found.sampled)
    return Outcome(
        CHECK.code, CHECK.slug, "passed", f"{said}; from {smallest:,} it would show", pair, sampled=found.sampled
    )


def _finding(
    context: Context, found: Probed, seen: Recognised, val: IntArray, new: IntArray, params: Params
) -> Finding:
    n = len(new)
    most = new[np.argsort(-seen.votes[new], kind="stable")[: params.shown]]
    sides = [context.describe(found.pool.indices[at]) for at in (val[most], seen.twin[most])]
    votes = seen.votes[most].tolist()
    pairs = tuple(
        SamplePair(a, b, score=round(share, 4), note=f"{share:.0%} of the trees name it")
        for a, b, share in zip(*sides, votes, strict=True)
    )
    are = f"sample{'s are' if n != 1 else ' is'}"
    message = (
        f"{n:,} {found.held_out} {are} known to models from {found.reference}, and listed by no duplicate check: "
        f"{sides[0][0].uri} is taken for {sides[1][0].uri} by {votes[0]:.0%} of the trees"
    )
    return Finding(
        id=finding_id(CHECK.code, found.held_out, found.reference, *identity(context, found, val[new])),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=message,
        splits=(found.held_out, found.reference),
        n_samples=n,
        effect={
            "n_compared": len(val),
            "votes": rounded(float(np.median(seen.votes[new]))),
            "learnt": rounded(seen.learnt),
        },
        evidence=Evidence(pairs=pairs, n_pairs=n, n_samples=n),
    )


CHECK = Check(
    code="LA403",
    slug="memorised-validation-samples",
    family="probe",
    severity="warning",
    kinds=("image", "table"),
    needs=("pair", "label", "probe"),
    params=Params(),
    run=run,
)
