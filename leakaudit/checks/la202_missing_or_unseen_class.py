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
Unseen: any sample of the held-out split with a label that the reference split has nowhere; no statistics, *error*.
Missing: a class with share p of the reference split is absent from n held-out samples by chance with probability
(1 − p)ⁿ; it is reported when that probability, times the number of absent classes (Bonferroni), is below 0.05
(``alpha``), *warning*. Only the direction held-out against train is judged where there is a train split.

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

from leakaudit.checks.base import Check
from leakaudit.checks.labels import not_classes
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Severity, finding_id
from leakaudit.search.context import Context


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` classes are shown of each finding."""

    alpha: float = 0.05
    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Compare the sets of classes of held-out splits with the one they are held out from."""
    counts = {name: info.labels for name, info in context.splits.items()}
    if (reason := not_classes(counts)) is not None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    pairs = [(a, b) for a, b in context.pairs_of_splits if counts[a] and counts[b]]
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
            findings.append(_finding("error", held_out, reference, unseen, sum(unseen.values()), params))
        if missing:
            findings.append(_finding("warning", held_out, reference, missing, 0, params))
    return Outcome(
        CHECK.code, CHECK.slug, "failed" if findings else "passed", "; ".join(said), metrics, tuple(findings)
    )


def _missing(held_out: Mapping[str, int], reference: Mapping[str, int], params: Params) -> dict[str, int]:
    absent = sorted({*reference} - {*held_out})
    n, n_reference = sum(held_out.values()), sum(reference.values())
    bound = params.alpha / max(1, len(absent))
    return {c: reference[c] for c in absent if (1 - reference[c] / n_reference) ** n < bound}


def _finding(
    severity: Severity, held_out: str, reference: str, classes: Mapping[str, int], n_samples: int, params: Params
) -> Finding:
    named = ", ".join(list(classes)[:5]) + (", …" if len(classes) > 5 else "")
    several = "classes" if len(classes) > 1 else "class"
    if severity == "error":
        message = f"{n_samples:,} samples of {held_out} have a {several[:5]} that {reference} lacks: {named}"
        where = held_out
    else:
        message = f"{held_out} lacks {len(classes):,} {several} that {reference} has: {named}"
        where = reference
    return Finding(
        id=finding_id(CHECK.code, severity, held_out, reference, *classes),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=message,
        splits=(held_out, reference),
        n_samples=n_samples,
        effect={"n_classes": len(classes)},
        evidence=Evidence(breakdown=Breakdown(("class", f"n {where}"), tuple(classes.items())[: params.listed])),
    )


CHECK = Check(
    code="LA202",
    slug="missing-or-unseen-class",
    severity="error",
    kinds=("image", "table"),
    needs=("label", "pair"),
    params=Params(),
    run=run,
)
