"""Where a finding is, as other tools name places: a file relative to the working folder, and its row."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from leakaudit.model import Finding, Report, Sample

_ROW = re.compile(r"^(?P<file>.+)#(?P<row>[0-9]+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A file and, for tables, the 0-based data row.

    Parameters
    ----------
    path : str
        With ``/``, relative to the working folder where it lies inside, else as it was given.
    row : int or None
    """

    path: str
    row: int | None = None

    @property
    def uri(self) -> str:
        """The path as a relative reference or ``file:`` URI (RFC 3986)."""
        scheme, mark, path = self.path.partition("://")
        if mark and scheme.isalnum():  # object storage
            return f"{scheme}://{quote(path.encode('utf-8', 'surrogateescape'), safe='/~')}"
        path = quote(self.path.encode("utf-8", "surrogateescape"), safe="/~")
        return f"file://{path}" if self.path.startswith("/") else path


def held_out_samples(finding: Finding) -> list[Sample]:
    """The samples that the finding lists on the held-out side, each once, in the order of the evidence."""
    listed = [*(pair.a for pair in finding.evidence.pairs), *finding.evidence.samples]
    return list({(sample.split, sample.uri): sample for sample in listed}.values())


def places(report: Report, finding: Finding, limit: int) -> list[Place]:
    """At most `limit` places of a finding, or the data set as a whole where it lists no samples."""
    samples = held_out_samples(finding)[:limit]
    return [place(report, sample.uri) for sample in samples] or [Place(_from_here(report.root))]


def place(report: Report, uri: str) -> Place:
    """The place of a sample by its uri in the report."""
    row = _ROW.match(uri) if report.kind == "table" else None
    file = row["file"] if row else uri
    path = _from_here(file if Path(file).is_absolute() or not report.root else f"{report.root}/{file}")
    return Place(path, int(row["row"]) if row else None)


def _from_here(path: str) -> str:
    if path.partition("://")[0].isalnum() and "://" in path:
        return path
    path = os.path.normpath(path or ".")
    here = Path.cwd()
    if Path(path).is_relative_to(here):
        path = str(Path(path).relative_to(here))
    return path.replace(os.sep, "/")
