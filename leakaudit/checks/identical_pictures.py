"""What the checks for identical pictures share: equal codes compared over every pair of splits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from leakaudit.analysis.copies.groups import equal_overlap, equal_pairs
from leakaudit.checks.duplicates import overlap_findings, pair_batches
from leakaudit.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from leakaudit.analysis.context import Context
    from leakaudit.checks.base import Check
    from leakaudit.model import Finding, IntArray, Pairs, Scalar

    Left = Callable[[np.ndarray, np.ndarray], np.ndarray]
    """From the masks of held-out and reference pictures to the held-out ones that are to be compared."""


def identical_pictures(
    context: Context, check: Check, codes: IntArray, *, relation: str, found: str, left: Left = lambda a, _b: a
) -> Outcome:
    """Compare every held-out split with every reference split by equal codes.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Equal for identical pictures.
    relation : str
        Completes "val/1.png … train/7.png": "is byte-identical to".
    found : str
        What a match is called in the reason: "identical files".
    left : callable
        Which of the held-out pictures to count, given both sides; all by default.
    """
    findings: list[Finding] = []
    metrics: dict[str, dict[str, Scalar]] = {}
    phrases, sides = [], []
    for held_out, reference in context.pairs_of_splits:
        in_a, in_b = context.in_split(held_out), context.in_split(reference)
        n_a, n_b = int(in_a.sum()), int(in_b.sum())
        in_a = left(in_a, in_b)
        overlap = equal_overlap(codes, in_a, in_b, held_out, reference)
        findings += overlap_findings(
            context, overlap, code=check.code, slug=check.slug, severity=check.severity, relation=relation
        )
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": n_a,
            "n_reference": n_b,
            "n_samples": overlap.n_samples,
            "n_pairs": overlap.n_pairs,
            "share": round(overlap.n_samples / n_a, 6) if n_a else 0.0,
        }
        phrases.append(
            f"{n_a:,} × {n_b:,} {context.unit} ({held_out} against {reference}): {overlap.n_samples:,} {found}"
        )
        sides.append((in_a, in_b))

    def chunks() -> Iterator[Pairs]:
        for in_a, in_b in sides:
            yield from equal_pairs(codes, in_a, in_b)

    return Outcome(
        check.code,
        check.slug,
        "failed" if findings else "passed",
        f"compared {'; '.join(phrases)}",
        metrics,
        tuple(findings),
        pairs=(lambda: pair_batches(context, check.code, chunks())) if findings else None,
    )
