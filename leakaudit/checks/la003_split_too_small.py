"""A held-out split too small to measure what it is there to measure.

What it does
------------
Gives, for every held-out split, how precisely a score can be measured on it.

Why it matters
--------------
On 72 pictures an accuracy of 0.90 is known to within seven points. Choosing between two models by a difference of two
points on such a split is a coin toss, and repeating the choice overfits the split.

How it decides
--------------
The half-width of the 95 % Wilson score interval of an accuracy of 0.9 (Params ``accuracy``) at the split's size must be
at most 0.05 (Params ``half_width``): five points are a difference that most people act on. That asks for 141 samples.
For regression the same size gives the root of the mean squared error to within about 12 % (two standard errors,
1/sqrt(2n), normal residuals). *Warning*.

What it cannot see
------------------
How many samples are independent: thirty frames of one video count as thirty here (see the group checks). Whether the
score has more variance than an accuracy has. Cross-validation, which reuses small splits on purpose.

Fix
---
Hold out more, or use (repeated, group-aware) cross-validation and report the interval of the score beside the score.

References
----------
- E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927) 209-212.
- L. D. Brown, T. T. Cai, A. DasGupta, Interval estimation for a binomial proportion, Statistical Science 16 (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.model import Finding, Outcome, finding_id


@dataclass(frozen=True)
class Params:
    """See *How it decides*: ``half_width`` in units of accuracy, ``z`` the normal quantile of the interval."""

    half_width: float = 0.05
    accuracy: float = 0.9
    z: float = 1.959964


def run(context: Context, params: Params) -> Outcome:
    """Compare the size of every held-out split with what its scores are used for."""
    held_out = sorted({a for a, _ in context.pairs_of_splits})
    sizes = {name: context.splits[name].n for name in held_out}
    widths = {name: wilson_half_width(params.accuracy, n, params.z) for name, n in sizes.items()}
    metrics: dict[str, float] = {f"n_{name}": n for name, n in sizes.items()}
    metrics |= {f"half_width_{name}": round(width, 4) for name, width in widths.items()}
    findings = tuple(
        Finding(
            id=finding_id(CHECK.code, name, str(sizes[name])),
            code=CHECK.code,
            slug=CHECK.slug,
            severity=CHECK.severity,
            message=(
                f"{name} has {sizes[name]:,} samples: "
                f"an accuracy of {params.accuracy:g} is known only to ±{width:.3f} (95 % interval)"
            ),
            splits=(name,),
            n_samples=sizes[name],
            effect={"half_width": round(width, 4), "wanted": params.half_width},
        )
        for name, width in widths.items()
        if width > params.half_width
    )
    precision = ", ".join(f"{name} (n = {sizes[name]:,}) ±{width:.3f}" for name, width in widths.items())
    said = f"precision of an accuracy of {params.accuracy:g}: {precision}"
    return Outcome(CHECK.code, CHECK.slug, "failed" if findings else "passed", said, metrics, findings)


def wilson_half_width(p: float, n: int, z: float) -> float:
    """Half-width of the Wilson score interval of a share `p` observed on `n` samples; 1 when there are none.

    >>> round(wilson_half_width(0.9, 141, 1.959964), 4)
    0.05
    """
    if n == 0:
        return 1.0
    return z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)


CHECK = Check(
    code="LA003",
    slug="split-too-small",
    family="quality",
    severity="warning",
    kinds=("image", "table", "file"),
    needs=("pair",),
    params=Params(),
    run=run,
)
