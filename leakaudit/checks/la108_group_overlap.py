"""The same person, patient, recording or camera run on both sides of a split.

What it does
------------
Counts the groups that have samples in both splits, and the held-out samples in them. The group is what you declare
(``--group``); else a column that is named like one (``patient_id``, ``subject#``, ``user``); else, for pictures, a key
in the file names or folders (a prefix, a field, the name up to its last number, a date, camera numbers that run through
the classes) that turns out to hold groups.

Why it matters
--------------
A model that knows the person recognises the person. Pictures of one patient, frames of one video and rows of one
subject are no copies of each other, yet scores on them say nothing about the next patient.

How it decides
--------------
*Declared*: any group on both sides is an *error*. *Column by its name*: any group on both sides is a *warning* if there
are at least 10 groups (``least_groups``) and none holds more than a quarter of the samples (``largest_share``): few,
large groups are kinds or sites, which splits share on purpose. *Key in file names*: the same, with at least 10 groups
on both sides, and the key has to be shown to be a group: a held-out picture must be nearer to the reference pictures of
its own key than to as many others of the same classes (thumbnails, light, colour, sharpness and size, whitened within
classes). A key without meaning comes out at 50 % of the comparisons whatever its sizes. It counts from 60 %
(``smallest``: a standardised difference of 0.36, between Cohen's "small" and "medium"), which the lower confidence
bound over keys has to reach, at 5 % (``alpha``) divided by the number of keys tried (Bonferroni). A key that crosses
another one which the split keeps whole is not reported: a split by drawers cuts every character. Beside every count
stands what an assignment of single samples at random would have cut; a split by groups cuts none. *Warning*.

What it cannot see
------------------
Groups that neither a column nor the names say (``--group`` names the column), keys that are words without digits,
groups whose pictures do not resemble each other, and fewer than 10 such groups on both sides. In tables, columns
without a telling name. Neighbours in time (LA109) and copies (LA101 to LA103) are other checks.

Fix
---
Split by group: scikit-learn's ``GroupShuffleSplit`` or ``StratifiedGroupKFold``. Where the key is not a group for your
task, accept the finding with that reason, or name the true one with ``--group``.

References
----------
- S. Saeb, L. Lonini, A. Jayaraman, D. Mohr, K. Kording, The need to approximate the use-case in clinical machine
  learning, GigaScience 6 (2017): record-wise against subject-wise splits.
- S. Kapoor, A. Narayanan, Leakage and the reproducibility crisis in machine-learning-based science, Patterns 4 (2023):
  leakage type L3.2, dependence between training and test samples.
- J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.checks.base import Check
from leakaudit.checks.labels import class_codes
from leakaudit.model import (
    Breakdown,
    Evidence,
    Finding,
    Outcome,
    Sample,
    SamplePair,
    Scalar,
    Severity,
    finding_id,
)
from leakaudit.search.context import Context
from leakaudit.search.group_keys import Key, columns_named_like_groups, determines, key_of, within_labels
from leakaudit.search.group_overlap import GroupCounts, count_groups, count_row_groups
from leakaudit.search.likeness import Embedding, Likeness, fit_embedding, likeness

if TYPE_CHECKING:
    from leakaudit.model import IntArray

Found = tuple[list[Finding], dict[str, Mapping[str, Scalar]], list[str]]
Tested = tuple[Key, GroupCounts, Likeness]


@dataclass(frozen=True)
class Params:
    """See *How it decides*; ``listed`` groups and ``shown`` pairs are kept of each finding."""

    least_groups: int = 10
    largest_share: float = 0.25
    smallest: float = 0.6
    alpha: float = 0.05
    listed: int = 50
    shown: int = 12


def run(context: Context, params: Params) -> Outcome:
    """Look for groups on both sides of every pair of splits."""
    found = _in_rows(context, params) if context.rows is not None else _in_pictures(context, params)
    if isinstance(found, str):
        return Outcome(CHECK.code, CHECK.slug, "skipped", found)
    findings, metrics, said = found
    return Outcome(
        CHECK.code, CHECK.slug, "failed" if findings else "passed", "; ".join(said), metrics, tuple(findings)
    )


# --- groups that a column says ---------------------------------------------------------------------------------


def _in_rows(context: Context, params: Params) -> Found | str:
    rows, roles = context.rows, context.dataset.columns
    assert rows is not None
    named = [name for name in columns_named_like_groups(rows.columns) if name not in (roles.label, roles.time)]
    columns = [roles.group] if roles.group is not None else named
    if not columns:
        return "no column says which rows belong together: name it with --group"
    findings: list[Finding] = []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    said: list[str] = []
    for column in columns:
        counts = count_row_groups(rows, column)
        for held_out, reference in context.pairs_of_splits:
            _judge_column(
                context,
                counts[held_out, reference],
                (held_out, reference),
                f"column {column!r}",
                roles.group is not None,
                params,
                (findings, metrics, said),
            )
    return findings, metrics, said


def _judge_column(
    context: Context,
    counts: GroupCounts,
    pair: tuple[str, str],
    key: Key | str,
    declared: bool,
    params: Params,
    into: Found,
) -> None:
    findings, metrics, said = into
    name = key if isinstance(key, str) else key.said
    metrics[f"{pair[0]} against {pair[1]}: {name}"] = _measured(counts)
    plausible = len(counts.values) >= params.least_groups and counts.largest_share <= params.largest_share
    said.append(f"{name}: {counts.n_cut:,} of {len(counts.values):,} groups are in both {pair[0]} and {pair[1]}")
    if counts.n_cut and (declared or plausible):
        findings.append(_finding(context, counts, pair, key, "error" if declared else "warning", {}, params))
    elif counts.n_cut:
        said[-1] += ", which few and large groups may well be"


# --- groups that file names hold -------------------------------------------------------------------------------


def _in_pictures(context: Context, params: Params) -> Found | str:
    samples, images = context.dataset.samples, context.images
    assert samples is not None
    assert images is not None
    findings: list[Finding] = []
    metrics: dict[str, Mapping[str, Scalar]] = {}
    said: list[str] = []
    if samples.group is not None:
        key = key_of("group column", samples.group)
        for pair in context.pairs_of_splits:
            counts = count_groups(key, *map(context.in_split, pair))
            into = (findings, metrics, said)
            _judge_column(context, counts, pair, key, context.config.group is not None, params, into)
        return findings, metrics, said
    labels = class_codes(context)
    keys = context.name_keys
    if labels is None:
        labels = np.full(len(samples), -1, dtype=np.int64)
    else:
        classes = Key("label", labels, pa.array(context.label_codes[1], pa.string()))
        keys = [key for key in keys if not determines(classes, key)]
    alike = _Alike(images.records, labels, images.ok)
    for pair in context.pairs_of_splits:
        against = f"{pair[0]} against {pair[1]}"
        a, b = map(context.in_split, pair)
        counted = [(key, count_groups(key, a, b)) for key in keys]
        whole = [key for key, counts in counted if counts.kept_whole(params.least_groups)]
        metrics[against] = {"n_keys": len(keys), "kept_together": whole[0].said if whole else None}
        confidence = 1 - params.alpha / max(1, 2 * len(keys) * len(context.pairs_of_splits))
        tested: list[Tested] = []
        for key, counts in counted:
            if not whole or any(determines(kept, key) for kept in whole):
                tested += _test(key, counts, alike, (a, b), confidence, params)
        for candidate, its, like in tested:
            metrics[f"{against}: {candidate.said}"] = {**_measured(its), **_said_alike(like)}
        real = [each for each in tested if each[2].low >= params.smallest]
        if real:
            most = max(its.n_samples for _, its, _ in real)
            real.sort(key=lambda each: (each[1].n_samples < most / 2, -each[2].low))
            key, counts, like = real[0]
            others = [f"{other.said} ({its.n_cut:,} groups)" for other, its, _ in real[1:]]
            effect = _said_alike(like) | ({"also": "; ".join(others)} if others else {})
            findings.append(_finding(context, counts, pair, key, "warning", effect, params))
        said.append(_said_of_names(against, len(keys), whole, tested, real))
    return findings, metrics, said


@dataclass(frozen=True)
class _Alike:
    """Where pictures lie by likeness; found out when a key first asks."""

    records: np.ndarray
    labels: IntArray
    readable: np.ndarray

    @cached_property
    def embedding(self) -> Embedding:
        return fit_embedding(self.records, self.labels, self.readable)


def _test(
    key: Key,
    counts: GroupCounts,
    alike: _Alike,
    sides: tuple[np.ndarray, np.ndarray],
    confidence: float,
    params: Params,
) -> list[Tested]:
    """Test the key itself; and, if it holds no groups, the key counted anew in each class."""
    tested = []
    variants = [key, within_labels(key, alike.labels)] if (alike.labels >= 0).any() else [key]
    for candidate in variants:
        its = counts if candidate is key else count_groups(candidate, *sides)
        if its.n_cut < params.least_groups or its.largest_share > params.largest_share:
            continue
        like = likeness(alike.embedding.place, candidate.codes, alike.labels, *sides, confidence=confidence)
        tested.append((candidate, its, like))
        if like.low >= params.smallest:
            break
    return tested


def _said_of_names(
    against: str, n_keys: int, whole: Sequence[Key], tested: Sequence[Tested], real: Sequence[Tested]
) -> str:
    start = f"{against}: no group declared; of {n_keys:,} keys in file names and folders "
    if real:
        return start + f"{len(real):,} hold groups that both splits share"
    kept = f", and the split keeps {whole[0].said} together" if whole else ""
    if not tested:
        return start + f"none is shared by enough pictures of both splits to be a group{kept}"
    best = max(tested, key=lambda each: each[2].share)
    most_alike = f"most alike: {best[0].said}, {best[2].share:.0%} of comparisons"
    return start + f"none holds groups that both splits share{kept} ({most_alike})"


# --- telling it ------------------------------------------------------------------------------------------------


def _measured(counts: GroupCounts) -> dict[str, Scalar]:
    cut, samples = counts.expected()
    return {
        "n_groups": len(counts.values),
        "n_cut": counts.n_cut,
        "n_cut_at_random": round(cut, 1),
        "n_held_out": int(counts.held_out.sum()),
        "n_reference": int(counts.reference.sum()),
        "n_samples": counts.n_samples,
        "n_samples_at_random": round(samples, 1),
    }


def _said_alike(like: Likeness) -> dict[str, Scalar]:
    return {"alike_share": round(like.share, 4), "alike_low": round(like.low, 4), "n_keys_compared": like.n_keys}


def _finding(
    context: Context,
    counts: GroupCounts,
    pair: tuple[str, str],
    key: Key | str,
    severity: Severity,
    effect: Mapping[str, Scalar],
    params: Params,
) -> Finding:
    held_out, reference = pair
    said = key if isinstance(key, str) else key.said
    at = np.flatnonzero(counts.cut)
    at = at[np.argsort(-counts.held_out[at], kind="stable")]
    listed = at[: params.listed]
    names = counts.values.take(pa.array(listed)).to_pylist()
    table = zip(names, counts.held_out[listed].tolist(), counts.reference[listed].tolist(), strict=True)
    _, at_random = counts.expected()
    n_held_out = int(counts.held_out.sum())
    message = (
        f"{counts.n_samples:,} of {n_held_out:,} {held_out} samples share their group with {reference} "
        f"({said}, such as {names[0]!r}): {counts.n_cut:,} of {len(counts.values):,} groups are on both sides; "
        f"samples assigned at random would make it {at_random:,.0f}, a split by groups 0"
    )
    return Finding(
        id=finding_id(CHECK.code, *pair, *_identity(context, counts, None if isinstance(key, str) else key, held_out)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=severity,
        message=message,
        splits=pair,
        n_samples=counts.n_samples,
        effect={"key": said, **_measured(counts), **effect},
        evidence=Evidence(
            pairs=_pairs(context, counts, listed[: params.shown], names),
            n_pairs=int((counts.held_out[at] * counts.reference[at]).sum()),
            n_samples=counts.n_samples,
            breakdown=Breakdown(("group", f"n {held_out}", f"n {reference}"), tuple(table)),
        ),
    )


def _identity(context: Context, counts: GroupCounts, key: Key | None, held_out: str) -> list[bytes]:
    """Digests of all affected held-out pictures, or the names of the groups in a table; sorted."""
    if key is None:
        names = counts.values.filter(pa.array(counts.cut)).to_pylist()
        return sorted(str(name).encode("utf-8", "surrogatepass") for name in names)
    cut = np.zeros(len(key.values) + 1, dtype=bool)  # the last for pictures without a key, whose code is -1
    cut[key.codes[counts.example_held_out[counts.cut]]] = True
    return sorted(context.digests(np.flatnonzero(context.in_split(held_out) & cut[key.codes])))


def _pairs(context: Context, counts: GroupCounts, at: IntArray, names: Sequence[str]) -> tuple[SamplePair, ...]:
    sides: list[list[Sample]] = []
    for example in (counts.example_held_out[at], counts.example_reference[at]):
        sides.append(context.describe(example))
    return tuple(SamplePair(a, b, note=f"group {name}") for a, b, name in zip(*sides, names[: len(at)], strict=True))


CHECK = Check(
    code="LA108",
    slug="group-overlap",
    severity="error",
    kinds=("image", "table"),
    needs=("pair",),
    params=Params(),
    run=run,
)
