"""The same sample with two labels.

What it does
------------
Finds samples that are the same and carry different labels: rows whose features are equal, pictures with equal bytes or
equal pixels, other files with equal bytes, texts that are equal once normalised (in tables that hold nothing but texts
and labels), and verified near-duplicate pictures and texts. It looks across splits, where a held-out sample contradicts
a reference sample, and inside each split. Every group comes with the count of each label on both sides.

Why it matters
--------------
At least one of the labels is wrong, or the features do not determine the label. Across splits it is a leak and a label
error at once: a model that memorised the reference sample is certain to be wrong on the held-out one, and a score
cannot reach 100 %. Northcutt et al. found 3.4 % wrong labels on average in ten much-used test sets.

How it decides
--------------
By equality of the samples (see LA101 to LA104, LA106 and LA107) and inequality of known labels; there is no threshold.
Across splits a sample counts when at least one equal sample of the reference split has another label; this is an
*error*. Inside a split the samples without the most frequent label of their group count; this is a *warning*, because
noise in the label is ordinary where features are few and coarse; an *error* where one file is named twice, with two
labels. Near-duplicate texts with two labels are a *warning*, too: one word ("not") may make the difference. Texts that
are too short or too common to tell, and across splits short ones as they repeat inside the reference split (LA106),
contradict nobody: people say "Good" under any label. Near-duplicate pictures that differ in one place are none where
five pairs of these two labels do: what is drawn there is the label (a mask, a defect), and LA108 says that both share a
base. Labels are compared in canonical form. A label that is a quantity rather than a class is left alone: repeated
measurements differ (LA104 reports them). Columns of row numbers or weights are left out where LA104 finds more equal
rows without them than chance gives. Contradictions among rows whose features
chance makes equal (as LA104 decides it) are counted in the metrics and are no findings, and where features are so
coarse, across splits or inside of one, that chance makes rows equal in one of a hundred, none inside a split is; where
it cannot be told, they are information, and LA104 says so. Inside a split ``--pairs`` has each sample of another label
beside the first one of the most frequent label of its group; ``--all-pairs`` has every pair that disagrees.

What it cannot see
------------------
Wrong labels of samples that occur once. Which of the labels is right. Conflicts between near-duplicate pictures inside
one split, and between rows that differ in some feature, if only in an identifier (``--ignore-column``).

Fix
---
Look at the samples and correct or remove them; where the label is noisy by nature, keep one sample of each group in
one split only, and read the score against the best that the noise allows.

References
----------
- Northcutt, C., Athalye, A. and Mueller, J. (2021). Pervasive label errors in test sets destabilize machine learning
  benchmarks. NeurIPS Datasets and Benchmarks.
- Barz, B. and Denzler, J. (2020). Do we train on test data? Purging CIFAR of near-duplicates. Journal of Imaging 6(6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.conflicts import (
    Labelled,
    conflicting_overlap,
    conflicting_within,
    conflicts_within,
    disagreeing,
    label_counts,
)
from leakaudit.analysis.copies.groups import Overlap, equal_pairs, linked_overlap
from leakaudit.analysis.copies.pictures.equal import image_codes, image_labels, labelled_images
from leakaudit.analysis.copies.pictures.overlays import overlays
from leakaudit.analysis.copies.pictures.store import near_images
from leakaudit.analysis.copies.rows.chance import Chance, chance_of_pairs
from leakaudit.analysis.copies.rows.equal import labelled_rows, n_equal_pairs, row_labels, row_pairs, row_pairs_within
from leakaudit.analysis.copies.texts.corpus import only_texts
from leakaudit.analysis.copies.texts.labels import labelled_texts, near_text_rows, text_labels
from leakaudit.analysis.copies.texts.phrases import rows_of_phrases, telling_rows
from leakaudit.checks.base import Check
from leakaudit.checks.duplicates import overlap_findings, pair_batches
from leakaudit.checks.labels import not_classes
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints
from leakaudit.model import Breakdown, Finding, Outcome, Pairs, Scalar, Severity, split_pairs

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@dataclass(frozen=True)
class Params:
    """`listed`: labels of a group that are counted one by one."""

    listed: int = 20


_NOT_CHANCE = Chance(0, 0.0, explains=False, coarse=False)
"""Of texts and pictures: no two are the same by chance."""


@dataclass(frozen=True)
class _Samples:
    """What the check needs of rows, of texts or of pictures."""

    unit: str
    relation: str
    sides: Mapping[str, Labelled]
    labels: IntArray
    names: Sequence[str]
    near: Callable[[str, str], Pairs]
    pairs: Callable[[str, str], Iterator[Pairs]]
    batches: Callable[[Iterable[Pairs]], Iterator[pa.RecordBatch]]
    near_severity: Severity = "error"
    chance: Callable[[str, str], Chance] = lambda _a, _b: _NOT_CHANCE
    no_proof: Callable[[str, str], IntArray] = lambda _a, _b: np.zeros(0, dtype=np.int64)


def run(context: Context, params: Params) -> Outcome:
    """Find equal samples with different labels, across splits and inside of each."""
    sizes = {name: info.n for name, info in context.splits.items()}
    if (reason := not_classes({name: info.labels for name, info in context.splits.items()})) is not None:
        return Outcome(CHECK.code, CHECK.slug, "skipped", reason)
    samples = _images(context) if context.has_pictures else _texts(context) or _rows(context)
    found: dict[tuple[str, str], list[Finding]] = {}
    metrics: dict[str, Mapping[str, Scalar]] = {}
    said = []
    for held_out, reference in context.pairs_of_splits:
        a, b = samples.sides[held_out], samples.sides[reference]
        a = a.where(~np.isin(a.index, samples.no_proof(held_out, reference)))
        equal = conflicting_overlap(a, b, held_out, reference)
        near = _near(samples, held_out, reference)
        some = _findings(context, params, samples, equal, "error", samples.relation)
        some += _findings(context, params, samples, near, samples.near_severity, "is a near-duplicate of")
        n_samples = sum(finding.n_samples for finding in some)
        metrics[f"{held_out} against {reference}"] = {
            "n_held_out": sizes[held_out],
            "n_reference": sizes[reference],
            "n_conflicting": n_samples,
            "n_groups": equal.n_groups + near.n_groups,
        }
        said.append(
            f"{n_samples:,} of {sizes[held_out]:,} {samples.unit} of {held_out} have another label than the same among "
            f"the {sizes[reference]:,} of {reference}"
        )
        found[held_out, reference] = some
    for split, members in samples.sides.items():
        inside = conflicting_within(members, split)
        metrics[split] = {"n": sizes[split], "n_conflicting": inside.n_samples, "n_groups": inside.n_groups}
        said.append(f"{inside.n_samples:,} of {sizes[split]:,} inside {split}")
        some = _findings(context, params, samples, inside, "warning", samples.relation)
        found[split, split] = [replace(f, severity="error") if _is_one_sample(f) else f for f in some]
    findings = _beyond_chance(samples, found)
    if len(findings) < sum(map(len, found.values())):
        said.insert(0, "rows as coarse as these are equal by chance, and their labels differ by nature")

    def batches(*, every: bool = False) -> Iterator[pa.RecordBatch]:
        for a, b in found:
            if a == b and not every:
                yield from samples.batches(conflicts_within(samples.sides[a]))
            else:
                yield from samples.batches(disagreeing(samples.pairs(a, b), samples.labels))

    if not findings:
        return Outcome(CHECK.code, CHECK.slug, "passed", "; ".join(said), metrics)
    said_all = "; ".join(said)
    every = partial(batches, every=True)
    return Outcome(CHECK.code, CHECK.slug, "failed", said_all, metrics, tuple(findings), batches, all_pairs=every)


def _is_one_sample(finding: Finding) -> bool:
    """Whether the two labels are those of one and the same file, named twice: no noise, but a list that contradicts
    itself.
    """
    return any(pair.a.uri == pair.b.uri for pair in finding.evidence.pairs)


def _rows(context: Context) -> _Samples:
    rows = context.rows
    layer = _layer(rows)
    sides = {split: labelled_rows(rows, split, layer) for split in rows.splits}
    labels = np.full(len(rows), -1, dtype=np.int64)
    for side in sides.values():
        labels[side.index] = side.label

    def pairs(a: str, b: str) -> Iterator[Pairs]:
        return row_pairs(rows, layer, a, b) if a != b else row_pairs_within(rows, layer, a)

    return _Samples(
        unit="rows",
        relation="has the same features as",
        sides=sides,
        labels=labels,
        names=row_labels(rows),
        near=lambda _a, _b: _no_pairs(),
        pairs=pairs,
        batches=lambda chunks: row_pair_batches(rows, CHECK.code, chunks),
        chance=lambda a, b: _chance(rows, layer, a, b),
    )


def _layer(rows: RowFingerprints) -> Layer:
    """The features that are compared, without columns that hide more copies than chance gives."""
    if not rows.beside:
        return "without_label"
    pairs = split_pairs(rows.splits) or [(split, split) for split in rows.splits]
    explained = all(_chance(rows, "reduced_without_label", a, b).explains for a, b in pairs)
    return "without_label" if explained else "reduced_without_label"


def _chance(rows: RowFingerprints, layer: Layer, a: str, b: str) -> Chance:
    return chance_of_pairs(rows, layer, a, b, n_equal_pairs(rows, layer, a, b))


def _beyond_chance(samples: _Samples, found: Mapping[tuple[str, str], list[Finding]]) -> list[Finding]:
    """Findings, but for those that chance explains; where that cannot be told, they are information.

    Features are coarse or not in the whole table. Inside of a small split nothing else tells: see `chance_of_pairs` on
    single columns.
    """
    if not any(found.values()):
        return []
    chances = {splits: samples.chance(*splits) for splits in found}
    coarse = any(chance.coarse for chance in chances.values())
    kept: list[Finding] = []
    for (a, b), some in found.items():
        chance = chances[a, b]
        if chance.explains or (coarse and a == b):
            continue
        # LA104 says once that it cannot be told.
        kept += [replace(finding, severity="info") for finding in some] if chance.unsure else some
    return kept


def _texts(context: Context) -> _Samples | None:
    """Where texts are all that a row has: the same but for case, punctuation and spaces."""
    texts = only_texts(context)
    if texts is None:
        return None
    rows = context.rows
    labels, names = text_labels(context)
    tells = telling_rows(context, texts)

    def side(split: str) -> Labelled:
        members = labelled_texts(context, texts, labels, split)
        return members.where(tells[members.index])

    def pairs(a: str, b: str) -> Iterator[Pairs]:
        in_a, in_b = (tells & (texts.split == rows.splits.index(split)) for split in (a, b))
        if a != b:
            in_a[rows_of_phrases(context, a, b)] = False
        for chunk in equal_pairs(texts.whole, in_a, in_b):
            once = (chunk.a < chunk.b) | (a != b)
            yield Pairs(chunk.a[once], chunk.b[once], chunk.score[once])
        if a != b:
            yield near_text_rows(context, texts, a, b)

    return _Samples(
        unit="texts",
        relation="has the same text as",
        sides={split: side(split) for split in rows.splits},
        labels=labels,
        names=names,
        near=lambda a, b: near_text_rows(context, texts, a, b),
        pairs=pairs,
        batches=lambda chunks: row_pair_batches(rows, CHECK.code, chunks),
        near_severity="warning",
        no_proof=lambda a, b: rows_of_phrases(context, a, b),
    )


def _images(context: Context) -> _Samples:
    codes = image_codes(context)
    labels, names = image_labels(context)

    def near(a: str, b: str) -> Pairs:
        if context.dataset.kind == "file":  # equal bytes or nothing
            return _no_pairs()
        pairs = near_images(context).pairs_of(a, b)
        other = codes[pairs.a] != codes[pairs.b]
        drawn = overlays(context, a, b)
        n = len(codes)
        other &= ~np.isin(pairs.a * n + pairs.b, drawn.a * n + drawn.b)
        return Pairs(pairs.a[other], pairs.b[other], pairs.score[other])

    def pairs(a: str, b: str) -> Iterator[Pairs]:
        inside = context.in_split(a)
        if a != b:
            yield from equal_pairs(codes, inside, context.in_split(b))
            yield near(a, b)
        else:
            for chunk in equal_pairs(codes, inside, inside):
                once = chunk.a < chunk.b
                yield Pairs(chunk.a[once], chunk.b[once], chunk.score[once])

    return _Samples(
        unit=context.unit,
        relation=f"is the same {context.unit[:-1]} as",
        sides={split: labelled_images(context, codes, labels, split) for split in context.dataset.splits},
        labels=labels,
        names=names,
        near=near,
        pairs=pairs,
        batches=lambda chunks: pair_batches(context, CHECK.code, chunks),
    )


def _near(samples: _Samples, held_out: str, reference: str) -> Overlap:
    """Near-duplicates that disagree, those held-out samples left out that disagree with an equal one already."""
    chunks = list(disagreeing(iter([samples.near(held_out, reference)]), samples.labels))
    pairs = chunks[0] if chunks else _no_pairs()
    a, b = samples.sides[held_out], samples.sides[reference]
    equal = [group.a for group in conflicting_overlap(a, b, held_out, reference).groups] if len(pairs) else []
    known = np.concatenate(equal) if equal else np.zeros(0, dtype=np.int64)
    new = ~np.isin(pairs.a, known)
    return linked_overlap(Pairs(pairs.a[new], pairs.b[new], pairs.score[new]), held_out, reference)


def _no_pairs() -> Pairs:
    none = np.zeros(0, dtype=np.int64)
    return Pairs(none, none, np.zeros(0, dtype=np.float32))


def _findings(
    context: Context, params: Params, samples: _Samples, overlap: Overlap, severity: Severity, relation: str
) -> list[Finding]:
    findings = overlap_findings(
        context, overlap, code=CHECK.code, slug=CHECK.slug, severity=severity, relation=relation
    )
    splits = list(dict.fromkeys((overlap.held_out, overlap.reference)))
    counts = {split: label_counts(samples.sides[split]) for split in splits} if findings else {}
    for at, group in enumerate(overlap.groups):
        finding = findings[at]
        first = finding.evidence.pairs[0]
        table = {}
        for split in splits:
            side = samples.sides[split]
            members = group.a if split == overlap.held_out else group.b
            codes = np.unique(side.code[np.searchsorted(side.index, members)])
            table[split] = _merged([counts[split](code) for code in codes.tolist()])
        labels = sorted({label for each in table.values() for label in each if label >= 0})
        rows: tuple[tuple[Scalar, ...], ...] = tuple(
            (samples.names[label], *(each.get(label, 0) for each in table.values())) for label in labels
        )
        findings[at] = replace(
            finding,
            message=f"{finding.message}, labelled {first.a.label!r} against {first.b.label!r}",
            effect={**finding.effect, "n_labels": len(labels)},
            evidence=replace(
                finding.evidence,
                breakdown=Breakdown(("label", *(f"n {split}" for split in splits)), rows[: params.listed]),
            ),
        )
    return findings


def _merged(counts: Iterable[Mapping[int, int]]) -> dict[int, int]:
    total: dict[int, int] = {}
    for each in counts:
        for label, n in each.items():
            total[label] = total.get(label, 0) + n
    return total


CHECK = Check(
    code="LA110",
    slug="conflicting-labels",
    family="copies",
    severity="error",
    kinds=("image", "table", "file"),
    needs=("label",),
    params=Params(),
    run=run,
)
