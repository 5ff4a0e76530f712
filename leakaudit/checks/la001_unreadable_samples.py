"""Samples that could not be read.

What it does
------------
Counts the samples that the data set names or holds and that could not be read: truncated or corrupt pictures, empty
files, missing files, folders and devices in place of files, files without read permission, rows that do not fit their
table. Each is listed with the reason.

Why it matters
--------------
An audit that cannot read a file cannot say that it is clean. A training loop that meets the same file either stops
after hours or leaves it out in silence, so that the split is no longer the one that was planned.

How it decides
--------------
A sample is unreadable when opening or decoding it fails. The finding is an *error* when the share of unreadable
samples (pointer files included) of any one split, or of all together, is above ``blind_tolerance`` (default 0.001, one
in a thousand: less than what changes a score visibly at usual sizes, see ``Config``), else a *warning*. Exactly then
the scan ends with exit code 4, unless there is a leak, which is certain and exits 1.

What it cannot see
------------------
A picture that decodes without complaint into garbage. Files that neither a folder nor a manifest names.

Fix
---
Restore or remove the files listed, then scan again. Raise ``--blind-tolerance`` only where the loss is known and meant.

References
----------
- DESIGN principle: never say clean when blind; peers skip corrupt files in silence or crash on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.model import Evidence, Finding, Outcome, Sample, finding_id, largest_loss


@dataclass(frozen=True)
class Params:
    """`listed`: problems kept as evidence; the count is exact."""

    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Count unreadable and missing samples over all splits."""
    problems = [p for p in context.problems if p.kind in ("unreadable", "missing")]
    n_bad, n_read = context.n_unreadable, context.n_read
    n_samples = n_read + n_bad + context.n_pointers
    metrics = {"n_samples": n_samples, "n_unreadable": n_bad, "share": n_bad / n_samples if n_samples else 0.0}
    said = f"read {n_read:,} of {n_samples:,} samples: {n_bad:,} unreadable"
    if not n_bad:
        return Outcome(CHECK.code, CHECK.slug, "passed", said, metrics)
    loss = largest_loss(context.splits, context.blind_in, n_bad + context.n_pointers, n_read)
    above = context.config.too_blind(loss.n_blind, loss.n)
    first = problems[0]
    more = f" (and {n_bad - 1:,} more)" if n_bad > 1 else ""
    finding = Finding(
        id=finding_id(CHECK.code, *sorted(f"{p.uri}\0{p.kind}" for p in problems)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity="error" if above else "warning",
        message=f"{first.uri}: {first.reason}{more}",
        splits=tuple(sorted({p.split for p in problems if p.split})),
        n_samples=n_bad,
        effect={"share": metrics["share"]},
        evidence=Evidence(
            samples=tuple(Sample(p.uri, p.split or "", reason=p.reason) for p in problems[: params.listed]),
            n_samples=n_bad,
        ),
    )
    return Outcome(CHECK.code, CHECK.slug, "failed", said, metrics, (finding,))


CHECK = Check(
    code="LA001",
    slug="unreadable-samples",
    family="coverage",
    severity="error",
    kinds=("image", "table", "file"),
    needs=(),
    params=Params(),
    run=run,
)
