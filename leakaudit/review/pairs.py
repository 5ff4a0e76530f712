"""What there is to look at: the listed pairs of the findings about copies, in the order of the report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from leakaudit.catalogue import is_of
from leakaudit.model import Finding, Sample, SamplePair
from leakaudit.report_file import PastReport

_ROW = re.compile(r"#[0-9]+\Z")


@dataclass(frozen=True, slots=True)
class ReviewPair:
    """One pair of a finding.

    Parameters
    ----------
    finding : Finding
    pair : SamplePair
    """

    finding: Finding
    pair: SamplePair

    @property
    def key(self) -> tuple[str, str, str]:
        """What a mark is about: the finding's id and the names of both samples."""
        return self.finding.id, self.pair.a.uri, self.pair.b.uri


def review_pairs(report: PastReport) -> tuple[ReviewPair, ...]:
    """The pairs to go through: of copies, listed, and not accepted already.

    Pairs of checks that are not about copies are examples, and prove nothing alone.
    """
    return tuple(
        ReviewPair(finding, pair)
        for finding in report.findings
        if is_of(finding.code, "copies") and finding.accepted is None
        for pair in finding.evidence.pairs
    )


def n_passed_over(report: PastReport) -> int:
    """Findings without a pair to go through, those that are accepted not counted."""
    shown = {each.finding.id for each in review_pairs(report)}
    return sum(finding.accepted is None and finding.id not in shown for finding in report.findings)


def is_whole(finding: Finding) -> bool:
    """Whether the listed pairs show every held-out sample that the finding is about."""
    evidence = finding.evidence
    return len(evidence.pairs) >= evidence.n_pairs or len({pair.a.uri for pair in evidence.pairs}) >= finding.n_samples


def is_picture(sample: Sample) -> bool:
    """Whether a sample is a picture, as far as a report tells."""
    return sample.row is None and not _ROW.search(sample.uri)


def all_pictures(pairs: Sequence[ReviewPair]) -> list[str]:
    """Names of all pictures, each once."""
    sides = (side for each in pairs for side in (each.pair.a, each.pair.b))
    return list(dict.fromkeys(side.uri for side in sides if is_picture(side)))
