"""What the checks for copied text share: findings with both texts side by side, and pairs for ``--pairs``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.copies.texts.overlap import row_overlaps
from leakaudit.analysis.copies.texts.rows import row_pairs_of
from leakaudit.checks.duplicates import overlap_findings
from leakaudit.checks.row_pairs import row_pair_batches
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.groups import Group
    from leakaudit.analysis.copies.texts.equal import ColumnMatches
    from leakaudit.checks.base import Check
    from leakaudit.checks.duplicates import Note
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import Finding, Scalar, Severity

EXCERPTED = 1_000
"""Findings that get excerpts with the shared words marked; every finding has its rows."""

NO_TEXT = "no column of running text"


def text_findings(
    context: Context,
    check: Check,
    found: ColumnMatches,
    *,
    severity: Severity,
    relation: str,
    note: Note = lambda _a, _b: None,
    effect: Callable[[Group], Mapping[str, Scalar]] = lambda _group: {},
) -> list[Finding]:
    """One finding a group, the texts of the first ones side by side."""
    overlap = found.overlap
    if found.other != found.column:
        relation = f"{relation} (its {found.column!r} and the {found.other!r} of)"
    effects = (
        {"column": found.column} if found.other == found.column else {"column": found.column, "other": found.other}
    )
    findings = overlap_findings(
        context,
        overlap,
        code=check.code,
        slug=check.slug,
        severity=severity,
        relation=relation,
        note=note,
        effect=lambda group: {**effects, **effect(group)},
    )
    groups = overlap.groups[:EXCERPTED]
    shown = _together([group.shown for group in groups])
    overlaps = iter(row_overlaps(context.rows, found.column, found.other, shown))
    for at, group in enumerate(groups):
        evidence = findings[at].evidence
        pairs = tuple(replace(pair, overlap=next(overlaps)) for pair in evidence.pairs)
        assert len(pairs) == len(group.shown)
        findings[at] = replace(findings[at], evidence=replace(evidence, pairs=pairs))
    return findings


def columns_said(texts: Texts) -> str:
    """Which columns were compared, and which hold text and were not."""
    names = ", ".join(repr(name) for name in texts.columns if name not in texts.keys)
    keys = ", ".join(repr(name) for name in texts.keys)
    left_out = ", ".join(repr(name) for name in texts.left_out)
    notes = [
        f"not {left_out}: says much less" if left_out else "",
        f"{keys}: many rows share a text, which is a group, see LA108" if keys and names else "",
        f"{keys} together: many rows share each of them" if keys and not names else "",
    ]
    said = "; ".join(filter(None, notes))
    across = ", each with each other" if len(texts.own) > 1 else ""
    return f"the column{'s' if len(texts.own) > 1 else ''} {names}{across}" + (f" ({said})" if said else "")


def text_pair_batches(context: Context, code: str, found: Sequence[ColumnMatches]) -> Iterator[pa.RecordBatch]:
    """Every pair of rows behind the matches."""
    for matches in found:
        yield from row_pair_batches(context.rows, code, row_pairs_of(matches.pairs, matches.a, matches.b))


def _together(parts: Sequence[Pairs]) -> Pairs:
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0, dtype=np.float32))
    a, b, score = (np.concatenate([getattr(part, name) for part in parts]) for name in ("a", "b", "score"))
    return Pairs(a, b, score)
