"""Near-duplicate pictures in two splits: resized, re-encoded, cropped, recoloured, turned or mirrored.

What it does
------------
Compares every held-out picture with every picture of the reference split, in all eight orientations, and reports
pairs that show the same shot without being the same file (LA101) or the same pixels (LA102).

Why it matters
--------------
A model that has seen a picture in training knows its copy, too: the score then measures memory. 3.3 % of the test
pictures of CIFAR-10 and 10 % of those of CIFAR-100 have such a copy in train, and models score lower on test sets that
were cleaned of them (Barz & Denzler).

How it decides
--------------
1. *Nominate*: the 16 nearest reference pictures by the cosine of the low-frequency DCT coefficients of brightness
   (8×8) and colour (2 × 4×4), over eight orientations; nothing is sampled. Where all 16 turn out to be copies, more
   are looked at.
2. *Verify*: the two 32×32 thumbnails are aligned (shift and scale along each axis, free of brightness and contrast;
   from 0.6 to 1.67 and by up to 30 %). The *score* is the correlation of the fine detail that is left: thumbnail
   minus its blur (1.25 pixels), at locally equal strength, with 3 grey levels of noise allowed. The *evidence* is
   Fisher's z = atanh(score) in units of its standard error, by the number of independent places with detail on both
   sides and the share of the scene that is common; 2 ln 8 is taken off its square for turned and mirrored pairs.
3. *Gate*: pictures without detail (LA004) are not judged, and counted.
4. *Compare with the set itself*: up to 300 pictures of the reference split, each compared with 16 others of it taken at
   random, show how strong the evidence between unrelated pictures of this set is. The best of 4 and the best of 16
   strangers make a line in the logarithm of their number, which is read at the size of the reference. A near-duplicate
   exceeds it by 5 standard deviations (1.4826 × the median absolute deviation; Student's t for few pictures) and by 0.5
   more, or is the same thumbnail (score of 0.98, at most 3 grey levels apart), or the same to the last detail (score of
   0.9, and no place of 64×64 pixels has changed by more than 8 grey levels, nor by 15 % of the contrast). Fewer than 20
   reference pictures make no null: then evidence of 5.5 suffices. Held-out pictures do not enter, nor do the nearest
   pictures of the reference: in a film they are its neighbouring frames.
5. *Fixed scenes*: where one pair of strangers in a hundred agrees as copies do (a camera on a wall, a game board), the
   evidence says that two pictures show the same scene, and nothing of the content. Then the largest local change
   decides, at 64×64 pixels, with light, contrast and slips of 0.4 pixels taken out: up to 15 grey levels the pair is
   one picture, up to 25 it is suspected, or less where pictures of the scene taken at random differ by less. All other
   held-out pictures of the scene are one note of severity *info*.
6. *Turned by any other angle*: the same with the disc around the middle, found by Fourier coefficients along circles
   and compared after turning; 2 ln 128 is taken off the squared evidence, and it has a null of its own.

Evidence of 5 with at least 90 % of the smaller view in common is *verified*: **error**. Evidence of 4, or a camera
that moved between two exposures of one scene, is *suspected*: **warning**. With these defaults (Params, sources in
`NearParams`) 92 % of the annotated near-duplicates of one half of CIFAR-10 are reported at 5.7 % of its test pictures,
and none of 10,000 MNIST digits.

What it cannot see
------------------
Crops of less than about 60 % of a side and off-centre crops of less than 85 %, wide borders, turns that were also
cropped or scaled, collages, and other views of the same object: those are groups, not copies (see LA108). In a narrow
domain (digits, glyphs) a copy that was changed visibly is no more alike than strangers are, and stays unreported. In a
fixed scene, a change as small as a copy's own (a small thing added, moved or taken away), or of colour alone, passes
for none, and crops and overlays are not told from other content. On made sets of one and of twelve fixed cameras
(`benchmarks/scenes.py`) all of 24 second exposures are found, and of 152 other pictures 1 is an error and 4 are
suspected, in which things have the brightness of what is behind them.

Fix
---
Remove the listed pictures from the reference split, or, if that is the published benchmark, from the held-out split
and say so. Split by the original picture before augmenting. `--pairs FILE` writes all pairs.

References
----------
- Barz, Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates, Journal of Imaging 6(6), 2020,
  https://doi.org/10.3390/jimaging6060041
- Baker, Matthews: Lucas-Kanade 20 Years On, International Journal of Computer Vision 56, 2004 (the alignment)
- Fisher: On the "Probable Error" of a Coefficient of Correlation, Metron 1, 1921 (the z transform)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.groups import linked_overlap
from leakaudit.analysis.copies.pictures.equal import file_codes, pixel_codes
from leakaudit.analysis.copies.pictures.near import find_near_images
from leakaudit.analysis.copies.pictures.parameters import NearParams
from leakaudit.analysis.copies.pictures.store import near_images
from leakaudit.analysis.copies.pictures.turned import orientation_words, undone
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings, pair_batches
from leakaudit.model import SEVERITIES, Evidence, Finding, Outcome, Pairs, SamplePair, finding_id

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.pictures.near import NearPairs
    from leakaudit.checks.duplicates import Note
    from leakaudit.model import Scalar

SCENES_SHOWN = 12
"""Pairs of a shared scene that are kept as evidence."""

SAME_SIZE = 2
"""Pixels by which a side may differ before the sizes are worth a note."""


def run(context: Context, params: NearParams) -> Outcome:
    """Compare every held-out split with every reference split."""
    near = near_images(context) if params == NearParams() else find_near_images(context, params)
    findings: list[Finding] = []
    metrics: dict[str, dict[str, Scalar]] = {}
    phrases: list[str] = []
    kept: list[Pairs] = []
    for (held_out, reference), found in near.found.items():
        identical = _identical(context, found.pairs)
        counted = np.isin(found.pairs.a, found.pairs.a[identical])
        verified = found.is_verified & ~counted
        suspected = ~found.is_verified & ~counted & ~np.isin(found.pairs.a, found.pairs.a[verified])
        say = _notes(context, found)
        tiers = []
        for keep, severity, relation in (
            (verified, "error", "is a near-duplicate of"),
            (suspected, "warning", "may be a near-duplicate of"),
        ):
            pairs = Pairs(found.pairs.a[keep], found.pairs.b[keep], found.pairs.score[keep])
            overlap = linked_overlap(pairs, held_out, reference)
            tiers.append(overlap)
            findings += overlap_findings(
                context,
                overlap,
                code=CHECK.code,
                slug=CHECK.slug,
                severity="error" if severity == "error" else "warning",
                relation=relation,
                note=say,
                effect=lambda group: {"score": round(float(group.shown.score.max()), 4)},
            )
        listed = verified | suspected | (counted & ~identical)
        kept.append(Pairs(found.pairs.a[listed], found.pairs.b[listed], found.pairs.score[listed]))
        n = tiers[0].n_samples + tiers[1].n_samples
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": found.n_a,
            "n_reference": found.n_b,
            "n_samples": n,
            "n_verified": tiers[0].n_samples,
            "n_suspected": tiers[1].n_samples,
            "n_pairs": tiers[0].n_pairs + tiers[1].n_pairs,
            "n_identical_pairs_left_out": int(identical.sum()),
            "n_low_information_held_out": found.n_blank_a,
            "n_low_information_reference": found.n_blank_b,
            "n_with_further_pairs": found.n_crowded,
            "share": round(n / found.n_a, 6) if found.n_a else 0.0,
            "null_n": found.null.n,
            "null_centre": round(found.null.centre, 2),
            "null_spread": round(found.null.spread, 2),
            "least_evidence": round(found.limit, 2) if np.isfinite(found.limit) else None,
            "share_of_strangers_alike": round(found.null.share, 4),
            "n_same_scene_only": len(found.scene),
        }
        scene = _in_same_scene(context, found, identical, held_out, reference)
        findings += [scene] if scene is not None else []
        phrases.append(_phrase(held_out, reference, found, n, tiers[1].n_samples))
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Outcome(
        CHECK.code,
        CHECK.slug,
        "failed" if findings else "passed",
        f"compared {'; '.join(phrases)}",
        metrics,
        tuple(findings),
        pairs=(lambda: pair_batches(context, CHECK.code, iter(kept))) if findings else None,
    )


def _in_same_scene(
    context: Context, found: NearPairs, identical: np.ndarray, held_out: str, reference: str
) -> Finding | None:
    """One note for all held-out pictures that share a fixed scene with the reference, and no content."""
    scene = found.scene
    only = np.flatnonzero(~np.isin(scene.a, found.pairs.a[identical]))
    if not len(only):
        return None
    shown = Pairs(scene.a[only], scene.b[only], scene.score[only])
    some = shown.first(SCENES_SHOWN)
    described = dict(zip(some.a.tolist(), context.describe(some.a), strict=True))
    beside = dict(zip(some.b.tolist(), context.describe(some.b), strict=True))
    return Finding(
        id=finding_id(CHECK.code, held_out, reference, "scene", *sorted(context.digests(shown.a))),
        code=CHECK.code,
        slug=CHECK.slug,
        severity="info",
        message=(
            f"the same fixed scene on both sides: {len(shown):,} pictures of {held_out} show a scene of {reference}"
            " with other content; no copies, but their score says nothing of another camera or place"
        ),
        splits=(held_out, reference),
        n_samples=len(shown),
        effect={"share_of_strangers_alike": round(found.null.share, 4)},
        evidence=Evidence(
            pairs=tuple(
                SamplePair(described[a], beside[b], round(float(score), 4), "the same scene, other content")
                for a, b, score in zip(some.a.tolist(), some.b.tolist(), some.score, strict=True)
            ),
            n_pairs=len(shown),
        ),
    )


def _identical(context: Context, pairs: Pairs) -> np.ndarray:
    """Which pairs are the business of LA101 and LA102."""
    same = np.zeros(len(pairs), dtype=bool)
    if len(pairs):
        for codes in (file_codes(context), pixel_codes(context)):
            same |= (codes[pairs.a] == codes[pairs.b]) & (codes[pairs.a] >= 0)
    return same


def _phrase(held_out: str, reference: str, found: NearPairs, n: int, n_suspected: int) -> str:
    share = f" ({100 * n / found.n_a:.2f} %)" if found.n_a else ""
    blank = found.n_blank_a + found.n_blank_b
    what = "near-duplicate" if n == 1 else "near-duplicates"
    parts = [
        f"{found.n_a:,} × {found.n_b:,} pictures ({held_out} against {reference}): {n:,} {what}{share}",
        f"{n_suspected:,} of them suspected only" if n_suspected else "",
        f"{len(found.scene):,} more of the same fixed scene with other content" if len(found.scene) else "",
        f"{blank:,} low-information pictures not judged",
        f"{found.n_crowded:,} pictures may have further pairs than were looked at" if found.n_crowded else "",
    ]
    return ", ".join(part for part in parts if part)


def _notes(context: Context, found: NearPairs) -> Note:
    """What to say of a pair: how the held-out picture was made from the other."""
    width, height = context.images.records["width"], context.images.records["height"]
    made_by = undone(found.orientation)
    place = {pair: at for at, pair in enumerate(zip(found.pairs.a.tolist(), found.pairs.b.tolist(), strict=True))}

    def say(a: int, b: int) -> str | None:
        at = place[a, b]
        turned = int(made_by[at])
        of_a, of_b = (int(width[a]), int(height[a])), (int(width[b]), int(height[b]))
        upright = of_b[::-1] if 4 <= turned < 8 else of_b
        parts = [
            orientation_words(turned),
            f"other size {of_b[0]}×{of_b[1]} → {of_a[0]}×{of_a[1]}"
            if max(abs(of_a[0] - upright[0]), abs(of_a[1] - upright[1])) >= SAME_SIZE
            else "",
            f"{100 * float(found.common[at]):.0f} % of the scene in common" if found.common[at] < 0.9 else "",
        ]
        return ", ".join(part for part in parts if part) or None

    return say


CHECK = Check(
    code="LA103",
    slug="near-duplicate-images",
    family="copies",
    in_train=True,
    severity="error",
    kinds=("image",),
    needs=("pair",),
    params=NearParams(),
    run=run,
)
