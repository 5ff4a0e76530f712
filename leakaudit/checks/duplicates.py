"""From overlaps to findings: what every duplicate check says in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from leakaudit.analysis.context import Context
from leakaudit.analysis.copies.groups import Group, Overlap
from leakaudit.model import (
    PAIR_COLUMNS,
    Evidence,
    Finding,
    Pairs,
    Sample,
    SamplePair,
    Scalar,
    Severity,
    finding_id,
)

Note = Callable[[int, int], str | None]
"""From the two sample indices of a pair to a phrase about it ("rotated by 90°")."""

GROUPS_SHOWN = 12
"""Groups of which a finding about all of them shows one pair each."""


def overlap_findings(
    context: Context,
    overlap: Overlap,
    *,
    code: str,
    slug: str,
    severity: Severity,
    relation: str,
    note: Note = lambda _a, _b: None,
    effect: Callable[[Group], Mapping[str, Scalar]] = lambda _group: {},
) -> list[Finding]:
    """One finding a group, and one for all groups that are not listed.

    Parameters
    ----------
    relation : str
        Completes "val/1.png … train/7.png": "is byte-identical to".
    note, effect : callable
        What to say of a pair, and what was measured of a group.
    """
    if not overlap.n_groups:
        return []
    shown = [np.concatenate([group.shown.a, group.shown.b]) for group in overlap.groups]
    wanted = np.unique(np.concatenate(shown))
    described = dict(zip(wanted.tolist(), context.describe(wanted), strict=True))
    members = np.unique(np.concatenate([np.concatenate([group.a, group.b]) for group in overlap.groups]))
    digest_of = dict(zip(members.tolist(), context.digests(members), strict=True))
    splits = (overlap.held_out,) if overlap.held_out == overlap.reference else (overlap.held_out, overlap.reference)

    findings = []
    for group in overlap.groups:
        sides = (sorted(digest_of[i] for i in side.tolist()) for side in (group.a, group.b))
        findings.append(
            Finding(
                id=finding_id(code, *splits, *(b"".join(side) for side in sides)),
                code=code,
                slug=slug,
                severity=severity,
                message=_message(group, described, relation),
                splits=splits,
                n_samples=len(group.a),
                effect={"n_pairs": group.n_pairs, **effect(group)},
                evidence=Evidence(pairs=_sample_pairs(group.shown, described, note), n_pairs=group.n_pairs),
            )
        )
    unlisted = overlap.n_groups - len(overlap.groups)
    if unlisted:
        rest = overlap.n_samples - sum(len(group.a) for group in overlap.groups)
        rest_pairs = overlap.n_pairs - sum(group.n_pairs for group in overlap.groups)
        findings.append(
            Finding(
                id=finding_id(code, *splits, "unlisted"),
                code=code,
                slug=slug,
                severity=severity,
                message=f"{unlisted:,} further groups, {rest:,} samples of {overlap.held_out}: not listed one by one",
                splits=splits,
                n_samples=rest,
                effect={"n_groups": unlisted, "n_pairs": rest_pairs},
            )
        )
    return findings


def overlap_sum(
    context: Context,
    overlap: Overlap,
    *,
    code: str,
    slug: str,
    severity: Severity,
    n_samples: int,
    message: str,
    effect: Mapping[str, Scalar],
) -> Finding:
    """One finding for all groups together, with an example of each of the largest."""
    shown = [group.shown for group in overlap.groups[:GROUPS_SHOWN]]
    pairs = Pairs(
        np.array([pair.a[0] for pair in shown]),
        np.array([pair.b[0] for pair in shown]),
        np.array([pair.score[0] for pair in shown], dtype=np.float32),
    )
    wanted = np.unique(np.concatenate((pairs.a, pairs.b)))
    described = dict(zip(wanted.tolist(), context.describe(wanted), strict=True))
    splits = (overlap.held_out,) if overlap.held_out == overlap.reference else (overlap.held_out, overlap.reference)
    return Finding(
        id=finding_id(code, *splits, "all", *sorted(context.digests(np.unique(pairs.a)))),
        code=code,
        slug=slug,
        severity=severity,
        message=message,
        splits=splits,
        n_samples=n_samples,
        effect={"n_groups": overlap.n_groups, "n_pairs": overlap.n_pairs, **effect},
        evidence=Evidence(pairs=_sample_pairs(pairs, described, lambda _a, _b: None), n_pairs=overlap.n_pairs),
    )


def pair_batches(context: Context, code: str, chunks: Iterable[Pairs]) -> Iterator[pa.RecordBatch]:
    """Every pair of the chunks as record batches with the columns of `PAIR_COLUMNS`."""
    for chunk in chunks:
        a, b = context.describe(chunk.a), context.describe(chunk.b)
        columns = [
            [code] * len(chunk),
            [sample.split for sample in a],
            [sample.uri for sample in a],
            [sample.label for sample in a],
            [sample.split for sample in b],
            [sample.uri for sample in b],
            [sample.label for sample in b],
        ]
        arrays = [pa.array(column, pa.string()) for column in columns]
        yield pa.RecordBatch.from_arrays([*arrays, pa.array(chunk.score, pa.float32())], names=list(PAIR_COLUMNS))


def _message(group: Group, described: Mapping[int, Sample], relation: str) -> str:
    a, b = described[int(group.shown.a[0])], described[int(group.shown.b[0])]
    more = []
    if len(group.a) > 1:
        more.append(f"{len(group.a) - 1:,} more of {a.split}")
    if len(group.b) > 1:
        more.append(f"{len(group.b) - 1:,} more of {b.split}")
    return f"{a.uri} {relation} {b.uri}" + (f" (and {', '.join(more)})" if more else "")


def _sample_pairs(pairs: Pairs, described: Mapping[int, Sample], note: Note) -> tuple[SamplePair, ...]:
    return tuple(
        SamplePair(described[a], described[b], round(float(score), 4), note(a, b))
        for a, b, score in zip(pairs.a.tolist(), pairs.b.tolist(), pairs.score, strict=True)
    )
