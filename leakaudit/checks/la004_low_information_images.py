"""Pictures with hardly anything in them.

What it does
------------
Counts, for every split, the pictures without visible detail: blank pages, black frames, one colour, smooth gradients,
and whatever is blurred or dark beyond recognition.

Why it matters
--------------
Such pictures resemble one another whatever they were taken of: to a perceptual hash they are all at distance 0. They
are therefore nobody's near-duplicate here (LA103 leaves them out and says how many), and they deserve a look of their
own: a camera that failed, a page that was not scanned, a frame before the film begins.

How it decides
--------------
From the 32×32 luminance thumbnail, detail is what a Gaussian blur of 1.25 pixels takes away, and e its mean square
over 1.5 pixels. A pixel counts (e / (e + 9))³, where 9 is the square of 3 grey levels, which noise and JPEG
compression leave in a flat area: nearly 0 without detail, nearly 1 with. The sum is the area with detail, of 1,024
pixels. A picture is reported when that is below 4 (*smooth*: gradients, pictures blurred beyond recognition), or
below 48 while the luminance of the whole picture has a standard deviation of less than 6 of 255 grey levels (*flat*:
blank pages, noise, dust on an empty slide). These are the rule and the defaults of LA103 (`BlankParams`, with their
sources). Sparse is not empty, as it would be by the entropy of the histogram alone: the emptiest of 70,000 MNIST
digits has an area of 347 at 0.6 bits, the emptiest of 5,840 Omniglot line drawings 242 at 0.14 bits. *Info*.

What it cannot see
------------------
Pictures full of meaningless detail (noise, test patterns). Detail finer than the thumbnail shows: evenly spaced small
print on a white page becomes an even grey.

Fix
---
Look at the listed pictures; leave out of every split what should not be there. If they are legitimate (the class
"empty"), nothing needs to be done.

References
----------
- K. Barz, J. Denzler, Do we train on test data? Purging CIFAR of near-duplicates, Journal of Imaging 6 (2020).
- cleanvision, *low information* and *blurry* issues, https://github.com/cleanlab/cleanvision.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.pictures.blank import BlankParams, blank
from leakaudit.checks.base import Check
from leakaudit.model import Evidence, Finding, Outcome, finding_id

SLUG = "low-information-images"


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` samples are shown."""

    blank: BlankParams = field(default_factory=BlankParams)
    listed: int = 100


def run(context: Context, params: Params) -> Outcome:
    """Count pictures without detail in every split."""
    empty = blank(context.images.records, params.blank)
    metrics: dict[str, int] = {}
    findings, counts = [], []
    for split in context.dataset.splits:
        inside = context.in_split(split)
        found = np.flatnonzero(inside & empty)
        metrics |= {f"n_{split}": int(inside.sum()), f"n_low_information_{split}": len(found)}
        counts.append(f"{len(found):,} of {int(inside.sum()):,} in {split}")
        if len(found):
            findings.append(_finding(context, params, split, found, int(inside.sum())))
    reason = f"pictures with hardly any detail: {', '.join(counts)}"
    return Outcome("LA004", SLUG, "failed" if findings else "passed", reason, metrics, tuple(findings))


def _finding(context: Context, params: Params, split: str, found: np.ndarray, n: int) -> Finding:
    flat = context.images.records["spread"][found] < params.blank.spread
    shown = found[: params.listed]
    samples = tuple(
        replace(sample, reason="flat" if is_flat else "smooth")
        for sample, is_flat in zip(context.describe(shown), flat, strict=False)
    )
    n_flat = int(flat.sum())
    kinds = [f"{n_flat:,} flat"] * (n_flat > 0) + [f"{len(found) - n_flat:,} smooth"] * (n_flat < len(found))
    return Finding(
        id=finding_id("LA004", split, b"".join(sorted(context.digests(found)))),
        code="LA004",
        slug=SLUG,
        severity="info",
        message=f"{len(found):,} of {n:,} pictures of {split} show hardly any detail ({', '.join(kinds)})",
        splits=(split,),
        n_samples=len(found),
        effect={"share": round(len(found) / n, 6), "n_flat": n_flat, "n_smooth": len(found) - n_flat},
        evidence=Evidence(samples=samples, n_samples=len(found)),
    )


CHECK = Check(
    code="LA004",
    slug=SLUG,
    family="quality",
    severity="info",
    kinds=("image",),
    needs=(),
    params=Params(),
    run=run,
)
