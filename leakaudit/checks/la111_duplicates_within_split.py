"""Samples that occur more than once inside a split.

What it does
------------
Counts the extra copies inside each split: rows that are the same by value with all their cells, the label included
(the canonical rows of LA104, or its reduced ones where a column of row numbers or weights hides copies), texts with the
same label that are the same once normalised (LA106; in tables that hold
nothing but texts and labels), or pictures with the same bytes or the same pixels (LA101 and LA102). Of a sample that
occurs five times, four are extra. Where there is no other split to compare with (``--within``), near-duplicate pictures
and texts of each split are counted, too, in groups of those that are linked with each other.

Why it matters
--------------
Copies inside the training split weigh a sample more than was meant. Inside a held-out split they count one success or
one error several times, so that the score is less certain than its sample size says. And a set with copies leaks as
soon as it is split at random: in a split of 80 to 20, the chance that a pair is torn apart is 32 %.

How it decides
--------------
By equality, without threshold or sampling; as LA101, LA102, LA104 and LA106 do. It is a *warning*: no held-out
sample is revealed by it. Where chance gives as many equal rows (as LA104 decides it) they are one finding of severity
*info*. Near-duplicates are found as LA103 finds verified ones, by the null of the split itself, and as LA107 does
(Jaccard similarity of 0.8 over character 5-grams): a *warning* for each group. The largest groups are listed, up to
10,000; the totals are exact. ``--pairs`` has each extra copy beside the first one; ``--all-pairs`` every pair of them,
k(k - 1)/2 of k copies.

What it cannot see
------------------
Near-duplicates inside a split while several splits are compared: ``--within`` looks for them. Which of the equal rows
of a coarse table are copies of one sample.

Fix
---
Remove the extra copies, or state that they are meant (weights, oversampling done after the split) and accept the
finding with that reason. Split again with equal samples kept together.

References
----------
- Allamanis, M. (2019). The adverse effects of code duplication in machine learning models of code. Onward! 2019.
- Lee, K. et al. (2022). Deduplicating training data makes language models better. ACL 2022.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.groups import Group, Overlap, equal_copies, equal_pairs, equal_within, linked_within
from leakaudit.analysis.copies.pictures.equal import file_codes, image_codes
from leakaudit.analysis.copies.pictures.store import near_inside
from leakaudit.analysis.copies.rows.chance import chance_of_pairs
from leakaudit.analysis.copies.rows.equal import row_copies_within, row_overlap_within, row_pairs_within
from leakaudit.analysis.copies.texts.corpus import only_texts, texts_of
from leakaudit.analysis.copies.texts.labels import text_labels
from leakaudit.analysis.copies.texts.near_rows import NearTextParams, near_texts_within
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings, overlap_sum, pair_batches
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints
from leakaudit.model import Finding, Outcome, Pairs, Scalar

if TYPE_CHECKING:
    from leakaudit.model import IntArray


"""No pairs."""


@dataclass(frozen=True)
class Params:
    """None: samples are equal or they are not."""


@dataclass(frozen=True)
class _Samples:
    """What the check needs of rows, of texts or of pictures; `batches` of a split: of every pair, or of each extra copy
    beside the first; `near` of a split: pairs of near-duplicates, None where nothing looks for them."""

    unit: str
    relation: str
    within: Callable[[str], Overlap]
    effect: Callable[[Group], Mapping[str, Scalar]]
    batches: Callable[[str, bool], Iterator[pa.RecordBatch]]
    by_chance: Callable[[str, Overlap], bool]
    near: Callable[[str], Pairs | None]
    near_relation: str


def run(context: Context, _params: Params) -> Outcome:
    """Count the extra copies inside each split."""
    samples = _images(context) if context.has_pictures else _texts(context) or _rows(context)
    findings: list[Finding] = []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    said = []
    for split, info in context.splits.items():
        overlap = samples.within(split)
        n_extra = overlap.n_samples
        share = n_extra / info.n if info.n else 0.0
        metrics[split] = {"n": info.n, "n_extra": n_extra, "n_groups": overlap.n_groups, "share_extra": share}
        said.append(f"{n_extra:,} of {info.n:,} {samples.unit} of {split} are extra copies")
        if n_extra and samples.by_chance(split, overlap):
            which = f"{n_extra:,} rows of {split} equal" if n_extra > 1 else f"1 row of {split} equals"
            findings.append(
                overlap_sum(
                    context,
                    overlap,
                    code=CHECK.code,
                    slug=CHECK.slug,
                    severity="info",
                    n_samples=n_extra,
                    message=f"{which} another one, as chance gives in this table",
                    effect={"share_extra": round(share, 6)},
                )
            )
            continue
        findings += overlap_findings(
            context,
            overlap,
            code=CHECK.code,
            slug=CHECK.slug,
            severity=CHECK.severity,
            relation=samples.relation,
            effect=samples.effect,
        )
    near: dict[str, Pairs] = {}
    for split in context.splits if context.config.within else ():
        pairs = samples.near(split)
        if pairs is None:
            continue
        near[split] = pairs
        linked = linked_within(pairs, split)
        metrics[split] = {**metrics[split], "n_near": linked.n_samples, "n_near_groups": linked.n_groups}
        said.append(f"{linked.n_samples:,} more are near-duplicates of others in it, in {linked.n_groups:,} groups")
        findings += overlap_findings(
            context,
            linked,
            code=CHECK.code,
            slug=CHECK.slug,
            severity=CHECK.severity,
            relation=samples.near_relation,
            effect=lambda group: {"score": round(float(group.shown.score.max()), 4)},
        )

    def batches(*, every: bool = False) -> Iterator[pa.RecordBatch]:
        for split in context.splits:
            yield from samples.batches(split, every)
        for pairs in near.values():
            if context.has_pictures:
                yield from pair_batches(context, CHECK.code, iter([pairs]))
            else:
                yield from row_pair_batches(context.rows, CHECK.code, iter([pairs]))

    if not findings:
        return Outcome(CHECK.code, CHECK.slug, "passed", "; ".join(said), metrics)
    return Outcome(
        CHECK.code,
        CHECK.slug,
        "failed",
        "; ".join(said),
        metrics,
        tuple(findings),
        batches,
        all_pairs=partial(batches, every=True),
    )


def _rows(context: Context) -> _Samples:
    rows = context.rows
    layer = {split: _layer(rows, split) for split in rows.splits}
    return _Samples(
        unit="rows",
        relation="is the same row as",
        within=lambda split: row_overlap_within(rows, layer[split], split),
        effect=lambda _group: {},
        batches=lambda split, every: row_pair_batches(
            rows, CHECK.code, (row_pairs_within if every else row_copies_within)(rows, layer[split], split)
        ),
        by_chance=lambda split, found: chance_of_pairs(rows, layer[split], split, split, found.n_pairs).explains,
        near=lambda split: _near_texts(context, split),
        near_relation="is nearly the same text as",
    )


def _layer(rows: RowFingerprints, split: str) -> Layer:
    """Without the columns that may hide copies, where what they hide is more than chance gives."""
    if not rows.beside:
        return "canonical"
    n_pairs = row_overlap_within(rows, "reduced", split).n_pairs
    return "canonical" if chance_of_pairs(rows, "reduced", split, split, n_pairs).explains else "reduced"


def _texts(context: Context) -> _Samples | None:
    """Where texts are all that a row has: the same text but for case, punctuation and spaces, with the same label."""
    texts = only_texts(context)
    if texts is None:
        return None
    rows = context.rows
    labels, names = text_labels(context)
    codes = np.where(texts.whole >= 0, texts.whole * (len(names) + 1) + labels + 1, -1)

    return _Samples(
        unit="texts",
        relation="is the same text as",
        within=lambda split: equal_within(codes, texts.split == rows.splits.index(split), split),
        effect=lambda _group: {},
        batches=lambda split, every: row_pair_batches(
            rows, CHECK.code, _pairs(codes, texts.split == rows.splits.index(split), every)
        ),
        by_chance=lambda _split, _overlap: False,
        near=lambda split: _near_texts(context, split),
        near_relation="is nearly the same text as",
    )


def _near_texts(context: Context, split: str) -> Pairs | None:
    """Near-duplicate texts; None where there is no text to look at."""
    texts = texts_of(context)
    return None if texts is None else near_texts_within(context, texts, NearTextParams(), split)


def _images(context: Context) -> _Samples:
    codes, files = image_codes(context), file_codes(context)

    def effect(group: Group) -> dict[str, Scalar]:
        members = np.concatenate((group.a, group.b))
        return {"n_files_differ": len(np.unique(files[members])) - 1}

    def near(split: str) -> Pairs | None:
        if context.dataset.kind != "image":
            return None  # of other files only the bytes are known
        found = near_inside(context, split)
        keep = found.is_verified
        return Pairs(found.pairs.a[keep], found.pairs.b[keep], found.pairs.score[keep])

    return _Samples(
        unit=context.unit,
        relation=f"is the same {context.unit[:-1]} as",
        within=lambda split: equal_within(codes, context.in_split(split), split),
        effect=effect,
        batches=lambda split, every: pair_batches(context, CHECK.code, _pairs(codes, context.in_split(split), every)),
        by_chance=lambda _split, _overlap: False,
        near=near,
        near_relation="is a near-duplicate of",
    )


def _pairs(codes: IntArray, inside: np.ndarray, every: bool) -> Iterator[Pairs]:
    """Pairs of equal samples inside a split, the first of a pair before the second."""
    if not every:
        yield from equal_copies(codes, inside)
        return
    for chunk in equal_pairs(codes, inside, inside):
        once = chunk.a < chunk.b
        yield Pairs(chunk.a[once], chunk.b[once], chunk.score[once])


CHECK = Check(
    code="LA111",
    slug="duplicates-within-split",
    family="copies",
    severity="warning",
    kinds=("image", "table", "file"),
    needs=(),
    params=Params(),
    run=run,
)
