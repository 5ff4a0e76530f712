"""Windows of a series that overlap across two splits, told as findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leakaudit.analysis.context import Context
from leakaudit.analysis.series.windows import Lags, Overlaps, find_windows, overlapping
from leakaudit.model import Evidence, Finding, SamplePair, Scalar, finding_id

IDENTIFIED = 50
"""Overlapping rows whose digests make the id of a finding."""


def overlapping_windows(
    context: Context,
    pairs: Sequence[tuple[str, str]],
    metrics: dict[str, Mapping[str, Scalar]],
    code: str,
    slug: str,
    shown: int,
) -> tuple[list[Finding], list[str]]:
    """Findings on windows that overlap, and a sentence for each pair of splits; nothing where there are no windows.

    Parameters
    ----------
    context : Context
    pairs : sequence of (held-out, reference)
    metrics : dict
        What was measured is added.
    code, slug : str
        Of the check.
    shown : int
        Example pairs kept of each finding.
    """
    findings: list[Finding] = []
    said: list[str] = []
    if not context.has_rows:
        return findings, said
    rows = context.rows
    splits = context.row_splits
    lags = find_windows(rows, splits)
    if lags is None:
        return findings, said
    for pair in pairs:
        held, reference = (splits == context.dataset.splits.index(name) for name in pair)
        found = overlapping(rows, lags, held, reference)
        metrics[f"{' against '.join(pair)}: windows"] = {
            "n_held_out": int(held.sum()),
            "n_reference": int(reference.sum()),
            "n_overlapping": len(found),
            "n_lags": lags.length,
        }
        name = f"{lags.runs[0][0]!r} to {lags.runs[0][-1]!r}"
        said.append(f"windows of {lags.length} lags ({name}): {len(found):,} of {pair[0]} overlap with {pair[1]}")
        if len(found):
            findings.append(_finding(context, pair, lags, found, int(held.sum()), (code, slug, shown)))
    return findings, said


def _finding(
    context: Context,
    pair: tuple[str, str],
    lags: Lags,
    found: Overlaps,
    n_held_out: int,
    told: tuple[str, str, int],
) -> Finding:
    code, slug, shown = told
    held_out, reference = pair
    shared = lags.length - int(found.shift.min())
    name = f"columns {lags.runs[0][0]!r} to {lags.runs[0][-1]!r}"
    listed = found.held_out[:shown], found.reference[:shown]
    sides = [context.describe(each) for each in listed]
    return Finding(
        id=finding_id(code, *pair, "windows", *sorted(context.digests(found.held_out[:IDENTIFIED]))),
        code=code,
        slug=slug,
        severity="warning",
        message=(
            f"{len(found):,} of {n_held_out:,} {held_out} rows are windows that overlap with one of {reference} by "
            f"half or more ({name}: up to {shared} of {lags.length} values are the same, shifted); leave a gap of "
            f"{lags.length} rows between the splits"
        ),
        splits=pair,
        n_samples=len(found),
        effect={
            "pattern": "overlapping windows",
            "n_lags": lags.length,
            "most_shared": shared,
            "n_overlapping": len(found),
            "share_overlapping": round(len(found) / max(n_held_out, 1), 4),
        },
        evidence=Evidence(
            pairs=tuple(
                SamplePair(a, b, note=f"shifted by {by} lags" if by > 1 else "shifted by one lag")
                for a, b, by in zip(*sides, found.shift[:shown].tolist(), strict=True)
            ),
            n_pairs=len(found),
            n_samples=len(found),
        ),
    )
