"""Files of a type that is not read, and pointers in place of the data.

What it does
------------
Counts Git-LFS and DVC pointer files that stand where a sample should be, and media files of types that leakaudit does
not read (videos, DICOM, SVG, arrays), by type.

Why it matters
--------------
A pointer file is a promise of data: the scan compared nothing of it. A folder half full of ``.mp4`` or ``.dcm`` files
looks audited when only its pictures were.

How it decides
--------------
A pointer is recognised by the first line of the file (``version https://git-lfs.github.com/spec/``) or by a ``.dvc``
file beside missing data. A type is unsupported when its extension is that of a known medium that no decoder here
reads. Read-me files, annotations and hidden files are no samples and no finding. Always a *warning*; pointers also
count as blind spots, and above ``blind_tolerance`` the scan ends with exit code 4.

What it cannot see
------------------
Samples inside archives; samples that another tool keeps outside the folder.

Fix
---
Fetch what pointers stand for (``git lfs pull``, ``dvc pull``) and convert unsupported media, then scan again. Videos
can be audited as a manifest of their frames.

References
----------
- Git LFS specification, https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
- DVC, https://dvc.org/doc/user-guide/project-structure/dvc-files
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.model import Evidence, Finding, Outcome, Problem, Sample, finding_id


@dataclass(frozen=True)
class Params:
    """`listed`: files kept as evidence of each finding; the count is exact."""

    listed: int = 50


def run(context: Context, params: Params) -> Outcome:
    """Group pointers and unsupported files by kind and reason."""
    found = [p for p in context.problems if p.kind in ("pointer", "unsupported")]
    found.sort(key=lambda p: (p.kind, p.reason, p.uri))
    n_pointers = sum(p.kind == "pointer" for p in found)
    n_unsupported = len(found) - n_pointers
    n_files = context.n_read + context.n_unreadable + len(found)
    metrics = {"n_files": n_files, "n_pointers": n_pointers, "n_unsupported": n_unsupported}
    said = f"looked at {n_files:,} samples and files: {n_pointers:,} pointers, {n_unsupported:,} of unsupported types"
    groups = groupby(found, key=lambda p: (p.kind, p.reason))
    findings = tuple(_finding(reason, list(group), params) for (_kind, reason), group in groups)
    return Outcome(CHECK.code, CHECK.slug, "failed" if findings else "passed", said, metrics, findings)


def _finding(reason: str, problems: list[Problem], params: Params) -> Finding:
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    return Finding(
        id=finding_id(CHECK.code, reason, *(p.uri for p in problems)),
        code=CHECK.code,
        slug=CHECK.slug,
        severity=CHECK.severity,
        message=f"{problems[0].uri}: {reason}{more}",
        splits=tuple(sorted({p.split for p in problems if p.split})),
        n_samples=len(problems),
        evidence=Evidence(
            samples=tuple(Sample(p.uri, p.split or "", reason=p.reason) for p in problems[: params.listed]),
            n_samples=len(problems),
        ),
    )


CHECK = Check(
    code="LA002",
    slug="unsupported-or-pointer-files",
    family="coverage",
    severity="warning",
    kinds=("image", "table", "file"),
    needs=(),
    params=Params(),
    run=run,
)
