"""Classes that one side of a pair of splits has and the other lacks.

What it does
------------
Lists classes of the held-out split that the reference split does not have (*unseen*), and classes of the reference
split that the held-out split does not have though it should (*missing*).

Why it matters
--------------
A model cannot predict a class that it was never shown: every such sample is lost, or the label is misspelt ("Dog",
"dog "). A class that validation lacks is trained for and never measured.

How it decides
--------------
Unseen: any sample of the held-out split with a label that the reference split has nowhere. An *error*, unless chance
explains it: a random split of the same samples puts all k samples of a class among the n held-out ones of N with
probability n(n − 1)…(n − k + 1) / N(N − 1)…(N − k + 1). Where at least as many classes as were found would be unseen
that way in more than 0.001 (``alpha_unseen``) of random splits (Poisson-binomial, over all classes), it is a *warning*
at most: a class of one or two samples lands on one side by itself, and one random split in a thousand is called an
error. It is information where chance explains it in more than one of twenty random splits (``alpha_warned``, 0.05), or
where less than 1 % (``smallest``) of the held-out samples are concerned, or no more than one standard error of an
accuracy of 0.9 (``accuracy``) on them: 2 of 50, 4 of 200, 9 of 1,000.
Missing: a class with share p of the reference split is absent from n held-out samples by chance with probability (1 −
p)ⁿ; it is reported when that probability, times the number of classes of the reference split (Bonferroni), is below
0.01 (``alpha``), *warning*. Only the direction held-out against train is judged where there is a train split.

What it cannot see
------------------
Whether unseen classes are meant (zero-shot, re-identification and open-set tasks: leave the check out with
``--ignore LA202``). Labels that are quantities (skipped, with the reason).

Fix
---
Look at the spelling of the labels first; then draw the split again with stratification, or take the class out of both.

References
----------
- scikit-learn, ``train_test_split(stratify=…)`` and ``StratifiedGroupKFold``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod, sqrt

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.checks.labels import in_one_split, not_classes
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Severity, finding_id


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` classes are shown of each finding."""

    alpha: float = 0.01
    alpha_unseen: float = 0.001
    alpha_warned: float = 0.05
    smallest: float = 0.01
    accuracy: float = 0.9
    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Compare the sets of classes of held-out splits with the one they are held out from."""
    counts = {name: info.labels for name, info in context.splits.items()}
    if (reason := not_classes(counts)) is not None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    pairs = [(a, b) for a, b in context.pairs_of_splits if counts[a] and counts[b]]
    if not pairs:
        return Outcome(CHECK.code, CHECK.slug, "skipped", in_one_split(counts))
    if any(b == "train" for _, b in pairs):
        pairs = [(a, b) for a, b in pairs if b == "train"]
    findings, metrics, said = [], {}, []
    for held_out, reference in pairs:
        a, b = counts[held_out], counts[reference]
        unseen, missing = {c: a[c] for c in sorted({*a} - {*b})}, _missing(a, b, params)
        metrics[f"{held_out} against {reference}"] = {
            "n_classes_held_out": len(a),
            "n_classes_reference": len(b),
            "n_unseen": len(unseen),
            "n_missing": len(missing),
            "n_samples_unseen": sum(unseen.values()),
        }
        said.append(f"{held_out} has {len(a):,} classes, {reference} {len(b):,}: {len(unseen):,} unseen")
        if unseen:
            chance = chance_of_unseen(a, b, len(unseen))
            n, n_unseen = sum(a.values()), sum(unseen.values())
            many = n_unseen >= params.smallest * n and n_unseen > sqrt(params.accuracy * (1 - params.accuracy) * n)
            warns = many and chance <= params.alpha_warned
            severity: Severity = "error" if chance <= params.alpha_unseen else "warning" if warns else "info"
            findings.append(_unseen(severity, held_out, reference, unseen, chance, params))
        if missing:
            findings.append(_missing_finding(held_out, reference, missing, params))
    return Outcome(
        CHECK.code, CHECK.slug, "failed" if findings else "passed", "; ".join(said), metrics, tuple(findings)
    )


def _missing(held_out: Mapping[str, int], reference: Mapping[str, int], params: Params) -> dict[str, int]:
    absent = sorted({*reference} - {*held_out})
    n, n_reference = sum(held_out.values()), sum(reference.values())
    bound = params.alpha / len(reference)
    return {c: reference[c] for c in absent if (1 - reference[c] / n_reference) ** n < bound}


def chance_of_unseen(held_out: Mapping[str, int], reference: Mapping[str, int], n_unseen: int) -> float:
    """Share of random splits of the same samples in which at least so many classes are in the held-out split alone.

    Parameters
    ----------
    held_out, reference : mapping of str to int
        Samples of each class on either side.
    n_unseen : int
        At least 1.

    Examples
    --------
    >>> chance_of_unseen({"a": 9, "b": 1}, {"a": 30}, 1)
    0.25
    """
    n, n_both = sum(held_out.values()), sum(held_out.values()) + sum(reference.values())
    fewer = [1.0] + [0.0] * (n_unseen - 1)  # probability of 0, 1, … unseen classes among those looked at
    for label in sorted({*held_out, *reference}):
        k = held_out.get(label, 0) + reference.get(label, 0)
        p = prod((n - i) / (n_both - i) for i in range(k)) if k <= n else 0.0
        if p > 0:
            fewer = [at * (1 - p) + (fewer[i - 1] * p if i else 0.0) for i, at in enumerate(fewer)]
    return max(0.0, 1 - sum(fewer))


def _unseen(
    severity: Severity,
    held_out: str,
    reference: str,
    classes: Mapping[str, int],
    chance: float,
    params: Params,
) -> Finding:
    n = sum(classes.values())
    which = f"{n:,} samples of {held_out} have" if n > 1 else f"1 sample of {held_out} has"
    what = "classes" if len(classes) > 1 else "a class"
    by_chance = "" if severity == "error" else f"; a random split does this in {chance:.0%} of cases"
    return Finding(
        id=finding_id(CHECK.code, "error", held_out, reference, *classes),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=f"{which} {what} that {reference} lacks: {_named(classes)}{by_chance}",
        splits=(held_out, reference),
        n_samples=n,
        effect={"n_classes": len(classes), "chance": round(chance, 6)},
        evidence=_evidence(classes, held_out, params),
    )


def _missing_finding(held_out: str, reference: str, classes: Mapping[str, int], params: Params) -> Finding:
    several = "classes" if len(classes) > 1 else "class"
    return Finding(
        id=finding_id(CHECK.code, "warning", held_out, reference, *classes),
        code=CHECK.code,
        slug=CHECK.slug,
        severity="warning",
        message=f"{held_out} lacks {len(classes):,} {several} that {reference} has: {_named(classes)}",
        splits=(held_out, reference),
        n_samples=0,
        effect={"n_classes": len(classes)},
        evidence=_evidence(classes, reference, params),
    )


def _named(classes: Mapping[str, int]) -> str:
    return ", ".join(list(classes)[:5]) + (", …" if len(classes) > 5 else "")


def _evidence(classes: Mapping[str, int], where: str, params: Params) -> Evidence:
    return Evidence(breakdown=Breakdown(("class", f"n {where}"), tuple(classes.items())[: params.listed]))


CHECK = Check(
    code="LA202",
    slug="missing-or-unseen-class",
    family="shift",
    severity="error",
    kinds=("image", "table", "file"),
    needs=("label", "pair"),
    params=Params(),
    run=run,
)
