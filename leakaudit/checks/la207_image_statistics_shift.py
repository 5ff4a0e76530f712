"""Pictures of another size, light, colour, sharpness or format in the held-out split.

What it does
------------
Compares width, height, aspect, bytes per pixel, brightness, contrast, saturation, colour cast, sharpness and entropy,
and the shares of the frequent sizes, formats, modes and EXIF orientations, between every pair of splits. All of it
comes from the fingerprints; no picture is decoded again.

Why it matters
--------------
Splits drawn at random look alike. Where validation is darker, smaller or saved by another program, it comes from
another source: the score mixes what the model has learnt with how it bears the difference, and a rise of the
validation loss may be nothing but a change of camera.

How it decides
--------------
Two rank comparisons of each number: where it lies, and how far it lies from the median (half the pictures blurred and
half sharpened have the same median). The effect is the probability that a held-out picture has the larger value than a
reference picture, on the scale of Cohen's d (``d = √2 Φ⁻¹(P)``). A frequent category (the 6 most frequent values of
each, ``levels``) is the number 1 or 0; a difference of 11 points in share is then d = 0.2. Where labels are known the
comparison is made within classes (van Elteren's weights), so that a shift of classes (LA201) is not told again. Where
groups are declared, or file names hold at least 10 groups (``least_groups``) that the split keeps together, the sizes
of the samples are divided by the design effect of these groups.

A statistic has shifted when both hold: its p-value, adjusted over all statistics and pairs of splits by
Benjamini-Hochberg, is below 0.01 (``alpha``; a scan has a dozen statistical checks), and the 95 % interval of d lies
beyond 0.2 (``smallest``, Cohen's "small"). All shifted statistics of a pair are one finding, the largest first,
*warning*. Without a finding, where a d of 0.5 (``blind``, Cohen's "medium") would be missed more than once in five
times at these sizes, the outcome is *inconclusive* and names the smallest effect that would be found. Of splits of more
than 20,000 pictures (``compared``) a fixed random sample of that size is compared, and this is said; two such samples
know d to ± 0.03.

What it cannot see
------------------
Blur and noise finer than one 32nd of a picture's side, except by the bytes per pixel. Differences that no such number
holds: other objects, other places. A split by groups that neither are declared (``--group``) nor stand in the file
names has fewer independent samples than pictures, and may show a shift that is the chance of few groups.

Fix
---
Draw the splits at random from all sources together (by group, where there are groups). If another source is meant to be
tested, report its score apart. If it is the preparation (resizing, format, quality) that differs, prepare all alike.

References
----------
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
- J. Ruscio, A probability-based measure of effect size, Psychological Methods 13 (2008).
- R. G. Newcombe, Confidence intervals for an effect size measure based on the Mann-Whitney statistic, Part 2,
  Statistics in Medicine 25 (2006).
- P. H. van Elteren, On the combination of independent two-sample tests of Wilcoxon, Bull. Int. Stat. Inst. 37 (1960).
- Y. Benjamini, Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.belonging.keys import key_of, name_keys
from leakaudit.analysis.belonging.overlap import count_groups
from leakaudit.analysis.context import Context
from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.analysis.shift.picture_statistics import measure, name
from leakaudit.analysis.shift.quantities import Shift, compare, compare_spread
from leakaudit.checks.base import Check
from leakaudit.checks.labels import class_codes
from leakaudit.model import Breakdown, Evidence, Finding, Outcome, Scalar, finding_id

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray, Status


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``levels`` is the number of most frequent values tested of each category."""

    alpha: float = 0.01
    smallest: float = 0.2
    blind: float = 0.5
    levels: int = 6
    least_groups: int = 10
    compared: int = 20_000


@dataclass(frozen=True, slots=True)
class Compared:
    """One statistic between two splits: medians (or shares of a category) of both, and the test."""

    statistic: str
    held_out: float
    reference: float
    shift: Shift
    is_share: bool = False


def run(context: Context, params: Params) -> Outcome:
    """Compare the statistics of every pair of splits."""
    labels = class_codes(context)
    results = []
    for held_out, reference in context.pairs_of_splits:
        at_held_out = _drawn(context.in_split(held_out), params.compared)
        at_reference = _drawn(context.in_split(reference), params.compared)
        at = np.concatenate([at_held_out, at_reference])
        first = np.arange(len(at)) < len(at_held_out)
        strata = None if labels is None else labels[at]
        groups = _groups(context, held_out, reference, params)
        clusters = None if groups is None else groups[at]
        results.append(compare_pictures(context.images.records[at], first, strata, clusters, params))
    adjusted = benjamini_hochberg([each.shift.p_value for compared in results for each in compared])
    findings, said, underpowered = [], [], False
    sampled: list[str] = []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    for (held_out, reference), compared in zip(context.pairs_of_splits, results, strict=True):
        p_values, adjusted = adjusted[: len(compared)], adjusted[len(compared) :]
        sizes = [int(context.in_split(split).sum()) for split in (held_out, reference)]
        detectable = max((each.shift.detectable for each in compared), default=float("inf"))
        metrics[f"{held_out} against {reference}"] = _measured(compared, p_values, sizes, detectable, params)
        shifted = [
            (each, p)
            for each, p in zip(compared, p_values, strict=True)
            if p < params.alpha and each.shift.low >= params.smallest
        ]
        names = {each.statistic for each, _ in shifted}
        some = f"{len(names):,} of {len({each.statistic for each in compared}):,} statistics differ"
        said.append(f"{held_out} against {reference}: {some}{_limits(detectable)}")
        sampled += [
            f"{params.compared:,} of the {n:,} pictures of {split} were compared"
            for split, n in zip((held_out, reference), sizes, strict=True)
            if n > params.compared
        ]
        if shifted:
            findings.append(_finding(context, held_out, reference, shifted))
        elif detectable > params.blind and compared:
            underpowered = True
    status: Status = "failed" if findings else "inconclusive" if underpowered else "passed"
    once = tuple(dict.fromkeys(sampled))
    return Outcome(CHECK.code, CHECK.slug, status, "; ".join(said), metrics, tuple(findings), sampled=once)


def compare_pictures(
    records: np.ndarray,
    first: npt.NDArray[np.bool_],
    strata: IntArray | None,
    groups: IntArray | None,
    params: Params,
) -> list[Compared]:
    """All statistics that vary, between the pictures where `first` holds and the others.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    first : ndarray of bool, shape (n,)
    strata, groups : ndarray of int64, shape (n,), or None
        As for `leakaudit.analysis.shift.quantities.compare`.
    """
    compared = []
    for statistic, values in measure(records).items():
        if np.ptp(values) > 0:
            middle = [float(np.median(values[side])) for side in (first, ~first)]
            shift = compare(values, first, strata, groups, smallest=params.smallest)
            compared.append(Compared(statistic, middle[0], middle[1], shift))
            spread = compare_spread(values, first, strata, groups, smallest=params.smallest)
            width = [
                float(np.median(np.abs(values[side] - m))) for side, m in zip((first, ~first), middle, strict=True)
            ]
            compared.append(Compared(f"{statistic} (spread)", width[0], width[1], spread))
    for statistic, words in name(records).items():
        levels, at, counts = np.unique(words, return_inverse=True, return_counts=True)
        if len(levels) < 2:
            continue
        for level in np.argsort(-counts, kind="stable")[: params.levels]:
            here = (at == level).astype(np.float64)
            shift = compare(here, first, strata, groups, smallest=params.smallest)
            shares = [float(here[side].mean()) for side in (first, ~first)]
            compared.append(Compared(f"{statistic} {levels[level]}", shares[0], shares[1], shift, is_share=True))
    return [each for each in compared if each.shift.weight > 0]


def _groups(context: Context, held_out: str, reference: str, params: Params) -> IntArray | None:
    """Declared groups, else those of a key in the file names that the split keeps together as no chance would."""
    samples = context.samples
    if samples.group is not None:
        return key_of("group", samples.group).codes
    sides = context.in_split(held_out), context.in_split(reference)
    whole = [key for key in name_keys(context) if count_groups(key, *sides).kept_whole(params.least_groups)]
    return min(whole, key=lambda key: len(key.values)).codes if whole else None


def _drawn(inside: npt.NDArray[np.bool_], at_most: int) -> IntArray:
    at = np.flatnonzero(inside)
    return at if len(at) <= at_most else np.sort(np.random.default_rng(0).choice(at, at_most, replace=False))


def _measured(
    compared: Sequence[Compared], p_values: Sequence[float], sizes: Sequence[int], detectable: float, params: Params
) -> dict[str, Scalar]:
    measured: dict[str, Scalar] = {
        "n_held_out": sizes[0],
        "n_reference": sizes[1],
        "n_compared": sum(min(size, params.compared) for size in sizes),
        "n_tests": len(compared),
        "detectable": round(detectable, 4) if np.isfinite(detectable) else None,
    }
    for each, p in zip(compared, p_values, strict=True):
        if not each.is_share:
            measured[f"{each.statistic}: d"] = round(each.shift.effect, 4)
            measured[f"{each.statistic}: p_adjusted"] = round(p, 6)
    return measured


def _limits(detectable: float) -> str:
    return f" (d from {detectable:.2f} would be found)" if np.isfinite(detectable) else " (no class is in both)"


def _finding(context: Context, held_out: str, reference: str, shifted: Sequence[tuple[Compared, float]]) -> Finding:
    shifted = sorted(shifted, key=lambda each: (-each[0].shift.low, each[0].statistic))
    worst = shifted[0][0]
    named = "; ".join(f"{each.statistic} {_two(each, held_out, reference)}" for each, _ in shifted[:3])
    more = f" and {len(shifted) - 3:,} more" if len(shifted) > 3 else ""
    rows = [
        (
            each.statistic,
            _rounded(each.held_out),
            _rounded(each.reference),
            round(each.shift.effect, 3),
            round(each.shift.low, 3),
            round(p, 6),
        )
        for each, p in shifted
    ]
    inside = context.in_split(held_out)
    digests = sorted(context.digests(np.flatnonzero(inside)))
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, *digests),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=f"the pictures of {held_out} differ from those of {reference}: {named}{more}",
        splits=(held_out, reference),
        n_samples=int(inside.sum()),
        effect={
            "statistic": worst.statistic,
            "d": round(worst.shift.effect, 4),
            "low": round(worst.shift.low, 4),
            "high": round(worst.shift.high, 4),
            "n_shifted": len(shifted),
        },
        evidence=Evidence(
            breakdown=Breakdown(
                ("statistic", held_out, reference, "d", "at least", "p adjusted"),
                tuple(rows),
            )
        ),
    )


def _two(each: Compared, held_out: str, reference: str) -> str:
    if each.is_share:
        return f"{each.held_out:.0%} of {held_out}, {each.reference:.0%} of {reference}"
    return f"{each.held_out:.3g} against {each.reference:.3g}"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


CHECK = Check(
    code="LA207",
    slug="image-statistics-shift",
    family="shift",
    severity="warning",
    kinds=("image",),
    needs=("pair",),
    params=Params(),
    run=run,
)
