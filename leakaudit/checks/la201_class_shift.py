"""Classes in other shares in the held-out split than in the reference split.

What it does
------------
Compares the class shares of every pair of splits, and says which classes differ by how much.

Why it matters
--------------
A validation split with more of the easy class scores better than the model is. A random or stratified split does not
shift classes; a shift says that the splits were drawn differently, and then scores do not carry over.

How it decides
--------------
Both splits are random samples, so the chi-square test of *homogeneity* is used (not of fit to train), by simulation
where an expected count is below 5. The effect is the standardised distance ``d = sqrt((chi² − df) / (n₁n₂/(n₁+n₂)))``,
without what chance adds with every class: for two equally frequent classes, twice the difference in share. A finding
needs both: the p-value, adjusted over all pairs of splits by Benjamini-Hochberg, below 0.01 (``alpha``: a scan asks
some twenty such questions, and at 0.05 each most clean scans would warn of something), and the lower bound of the 95 %
interval of ``d`` at 0.2 or more (``smallest``, Cohen's "small"). Where a distance of 0.5 (``blind``, Cohen's "medium")
would be missed more than once in five times and there is no finding, the outcome is *inconclusive* and names the
smallest distance that would be found. *Warning*.

What it cannot see
------------------
Shift inside a class. Labels that are quantities (the check is skipped then, with the reason).

Fix
---
Draw the split again with stratification by class; or, where the shift is meant, report scores per class or reweighted
to the shares of the population.

References
----------
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
- J. H. Steiger, Beyond the F test, Psychological Methods 9 (2004): intervals by non-centrality.
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
- W. G. Cochran, Some methods for strengthening the common chi-square tests, Biometrics 10 (1954).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leakaudit.analysis.context import Context
from leakaudit.analysis.shift.homogeneity import Homogeneity, benjamini_hochberg, homogeneity
from leakaudit.checks.base import Check
from leakaudit.checks.labels import in_one_split, not_classes
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, finding_id


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` classes are shown of each finding."""

    alpha: float = 0.01
    smallest: float = 0.2
    blind: float = 0.5
    listed: int = 20


def run(context: Context, params: Params) -> Outcome:
    """Test every pair of splits for a shift of class shares."""
    counts = {name: info.labels for name, info in context.splits.items()}
    if (reason := not_classes(counts)) is not None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    pairs = [(a, b) for a, b in context.pairs_of_splits if counts[a] and counts[b]]
    if not pairs:
        return Outcome(CHECK.code, CHECK.slug, "skipped", in_one_split(counts))
    results = [_compare(counts[a], counts[b], params.smallest) for a, b in pairs]
    adjusted = benjamini_hochberg([result.p_value for result in results])
    metrics: dict[str, dict[str, float]] = {}
    findings = []
    for (held_out, reference), result, p_value in zip(pairs, results, adjusted, strict=True):
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": sum(counts[held_out].values()),
            "n_reference": sum(counts[reference].values()),
            "n_classes": len({*counts[held_out], *counts[reference]}),
            "distance": round(result.distance, 4),
            "low": round(result.low, 4),
            "high": round(result.high, 4),
            "p_adjusted": round(p_value, 6),
            "detectable": round(result.detectable, 4),
        }
        if p_value < params.alpha and result.low >= params.smallest:
            findings.append(_finding(held_out, reference, counts, result, p_value, params))
    said = "; ".join(
        f"class shares of {a} and {b} are {result.distance:.2f} apart ({result.low:.2f} to {result.high:.2f}; "
        f"a finding begins where that is above {params.smallest:g}, as it would be from {result.detectable:.2f} on)"
        for (a, b), result in zip(pairs, results, strict=True)
    )
    if findings:
        return Outcome(CHECK.code, CHECK.slug, "failed", said, metrics, tuple(findings))
    underpowered = any(result.detectable > params.blind for result in results)
    if underpowered:
        return Outcome(CHECK.code, CHECK.slug, "inconclusive", f"too few samples: {said}", metrics)
    return Outcome(CHECK.code, CHECK.slug, "passed", said, metrics)


def _compare(held_out: Mapping[str, int], reference: Mapping[str, int], smallest: float) -> Homogeneity:
    classes = sorted({*held_out, *reference})
    first, second = ([side.get(c, 0) for c in classes] for side in (held_out, reference))
    return homogeneity(first, second, smallest=smallest)


def _finding(
    held_out: str,
    reference: str,
    counts: Mapping[str, Mapping[str, int]],
    result: Homogeneity,
    p_value: float,
    params: Params,
) -> Finding:
    a, b = counts[held_out], counts[reference]
    n_a, n_b = sum(a.values()), sum(b.values())
    rows = [(c, a.get(c, 0), b.get(c, 0), a.get(c, 0) / n_a, b.get(c, 0) / n_b) for c in sorted({*a, *b})]
    rows.sort(key=lambda row: -abs(row[3] - row[4]))
    worst = rows[0]
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *(f"{c}\0{x}\0{y}" for c, x, y, *_ in sorted(rows))),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=(
            f"{result.moved:.1%} of {held_out} would have to change class to match {reference}; "
            f"class {worst[0]} is {worst[3]:.1%} of {held_out} and {worst[4]:.1%} of {reference}"
        ),
        splits=(held_out, reference),
        n_samples=round(result.moved * n_a),
        effect={
            "distance": round(result.distance, 4),
            "low": round(result.low, 4),
            "high": round(result.high, 4),
            "p_adjusted": round(p_value, 6),
            "moved_share": round(result.moved, 4),
        },
        evidence=Evidence(
            breakdown=Breakdown(
                ("class", f"n {held_out}", f"n {reference}", f"share {held_out}", f"share {reference}"),
                tuple((c, x, y, round(s, 4), round(t, 4)) for c, x, y, s, t in rows[: params.listed]),
            )
        ),
    )


CHECK = Check(
    code="LA201",
    slug="class-shift",
    family="shift",
    severity="warning",
    kinds=("image", "table", "file"),
    needs=("label", "pair"),
    params=Params(),
    run=run,
)
