"""Two reports of one data set, finding by finding: what appeared, vanished, grew or shrank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from leakaudit.model import SEVERITIES, Finding
from leakaudit.report_file import PastReport

ChangeKind: TypeAlias = Literal["appeared", "grew", "changed", "shrank", "vanished"]

KINDS: tuple[ChangeKind, ...] = ("appeared", "grew", "changed", "shrank", "vanished")
"""From what asks for attention to what does not. ``changed``: as many samples, but other ones, or another effect."""

NEWS: tuple[ChangeKind, ...] = ("appeared", "grew", "changed")
"""What an old report did not say."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `old` is None where the finding appeared, `new` where it vanished."""

    kind: ChangeKind
    old: Finding | None
    new: Finding | None

    @property
    def is_news(self) -> bool:
        """Whether the old report did not say it, and nobody accepted it."""
        return self.kind in NEWS and self.finding.accepted is None

    @property
    def finding(self) -> Finding:
        """The finding as it is now, or as it was."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two reports.

    Parameters
    ----------
    changes : tuple of Change
        By `KINDS`, then worst severity first, then by code, most samples first, and id.
    n_unchanged : int
        Findings that both reports hold.
    not_run : tuple of str
        Codes of checks that found something in the old report and came to no result in the new one: their findings are
        not known to have vanished, and are left out.
    """

    changes: tuple[Change, ...]
    n_unchanged: int
    not_run: tuple[str, ...] = ()

    def of(self, kind: ChangeKind) -> tuple[Change, ...]:
        """The changes of one kind."""
        return tuple(change for change in self.changes if change.kind == kind)


def compare_reports(old: PastReport, new: PastReport) -> Comparison:
    """Match the findings of two reports.

    Findings with the same id are the same. Of the others, two of one check and one pair of splits belong together when
    their evidence shares a held-out sample (a cluster
    that grew), or, without samples, when they speak of the same thing (the
    same column, the same class).

    Parameters
    ----------
    old, new : PastReport
        Of one data set; files that were renamed *and* gained copies count as vanished and appeared.
    """
    before, after = {f.id: f for f in old.findings}, {f.id: f for f in new.findings}
    same = before.keys() & after.keys()
    changes = [
        Change(_by_size(before[id_], after[id_]), before[id_], after[id_])
        for id_ in same
        if _resized(before[id_], after[id_])
    ]
    n_unchanged = len(same) - len(changes)
    left_old = [f for id_, f in before.items() if id_ not in same]
    left_new = [f for id_, f in after.items() if id_ not in same]
    for was, now in _matched(left_old, left_new):
        changes.append(Change(_by_size(was, now), was, now))
    matched_old = {change.old.id for change in changes if change.old}
    matched_new = {change.new.id for change in changes if change.new}
    not_run = sorted({f.code for f in left_old if f.code not in new.ran and f.id not in matched_old})
    changes += [Change("appeared", None, f) for f in left_new if f.id not in matched_new]
    changes += [Change("vanished", f, None) for f in left_old if f.id not in matched_old and f.code not in not_run]
    return Comparison(tuple(sorted(changes, key=_order)), n_unchanged, tuple(not_run))


def _order(change: Change) -> tuple[int, int, str, int, str]:
    found = change.finding
    return KINDS.index(change.kind), SEVERITIES.index(found.severity), found.code, -found.n_samples, found.id


def _resized(was: Finding, now: Finding) -> bool:
    """One id stands for all groups that are not listed: there, only the numbers tell."""
    return (was.n_samples, was.effect.get("n_groups")) != (now.n_samples, now.effect.get("n_groups"))


def _by_size(was: Finding, now: Finding) -> ChangeKind:
    size, then = (now.n_samples, now.evidence.n_pairs), (was.n_samples, was.evidence.n_pairs)
    return "grew" if size > then else "shrank" if size < then else "changed"


def _matched(old: Iterable[Finding], new: Iterable[Finding]) -> Iterator[tuple[Finding, Finding]]:
    """Pairs of findings that belong together, each finding in at most one pair; most shared samples first."""
    holders: dict[tuple[object, ...], list[Finding]] = defaultdict(list)
    for finding in old:
        for key in _keys(finding):
            holders[key].append(finding)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    by_id: dict[str, Finding] = {}
    for finding in new:
        for key in _keys(finding):
            for was in holders.get(key, ()):
                shared[was.id, finding.id] += 1
                by_id[was.id], by_id[finding.id] = was, finding
    taken: set[str] = set()
    for was_id, now_id in sorted(shared, key=lambda ids: (-shared[ids], ids)):
        if was_id not in taken and now_id not in taken:
            taken |= {was_id, now_id}
            yield by_id[was_id], by_id[now_id]


def _keys(finding: Finding) -> set[tuple[object, ...]]:
    """What two findings of one cluster have in common: a held-out sample, or else the subject that the effect names."""
    about = (finding.code, *finding.splits)
    evidence = finding.evidence
    uris = {pair.a.uri for pair in evidence.pairs} | {sample.uri for sample in evidence.samples}
    if uris:
        return {(*about, "sample", uri) for uri in uris}
    subject = tuple((name, value) for name, value in sorted(finding.effect.items()) if isinstance(value, str))
    return {(*about, "subject", subject)}
