"""What every human-readable format says in the same words: the headline, findings by check and by splits, shares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leakaudit.catalogue import says_in_train
from leakaudit.model import SEVERITIES, CheckInfo, Finding, Outcome, Report, Sample, Scalar, Severity

Tone = Literal["error", "warning", "info", "passed"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The one line that is read if nothing else is."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class SplitFindings:
    """The findings of one check, one severity and one pair of splits, in the order in which the check put them.

    Parameters
    ----------
    layer : str or None
        In what the samples are equal, where a check looks at several layers of identity: what the findings'
        ``effect["but_for"]`` or ``effect["layer"]`` says, in words.
    n_samples : int
        Sum over the findings: within a group they do not overlap.
    n_total : int
        Readable samples of the held-out split; 0 where it is unknown.
    """

    severity: Severity
    splits: tuple[str, ...]
    layer: str | None
    findings: tuple[Finding, ...]
    n_samples: int
    n_total: int

    @property
    def n_unlisted(self) -> int:
        """Groups of samples that the check counted without listing them."""
        return sum(int(f.effect.get("n_groups") or 0) for f in self.findings if not has_evidence(f))


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check that found something, with its worst severity and its findings by splits."""

    info: CheckInfo
    outcome: Outcome
    severity: Severity
    groups: tuple[SplitFindings, ...]

    @property
    def n_findings(self) -> int:
        """Findings of all groups."""
        return sum(len(group.findings) for group in self.groups)


def has_evidence(finding: Finding) -> bool:
    """Whether there is anything to look at."""
    evidence = finding.evidence
    return bool(evidence.pairs or evidence.samples or evidence.breakdown)


def failed_checks(report: Report) -> list[FailedCheck]:
    """Checks with findings that nobody accepted, worst severity first, then by code."""
    failed = []
    for outcome in report.outcomes:
        if any(not finding.accepted for finding in outcome.findings):
            groups = tuple(_groups(report, outcome))
            worst = min((group.severity for group in groups), key=SEVERITIES.index)
            failed.append(FailedCheck(check_info(report, outcome), outcome, worst, groups))
    return sorted(failed, key=lambda check: (SEVERITIES.index(check.severity), check.outcome.code))


def _groups(report: Report, outcome: Outcome) -> Iterator[SplitFindings]:
    grouped: dict[tuple[Severity, tuple[str, ...], str | None], list[Finding]] = {}
    for finding in (finding for finding in outcome.findings if not finding.accepted):
        key = (finding.severity, finding.splits, _layer(finding))
        grouped.setdefault(key, []).append(finding)
    order = list(report.splits)
    for key in sorted(grouped, key=lambda key: (SEVERITIES.index(key[0]), _split_order(key[1], order))):
        severity, splits, layer = key
        findings = grouped[key]
        n_samples = sum(finding.n_samples for finding in findings)
        n_total = report.splits[splits[0]].n if splits and splits[0] in report.splits and len(splits) <= 2 else 0
        yield SplitFindings(severity, splits, layer, tuple(findings), n_samples, n_total)


def _layer(finding: Finding) -> str | None:
    layer, but_for = finding.effect.get("layer"), finding.effect.get("but_for")
    if isinstance(but_for, str):
        return f"but for {but_for}"
    return _LAYERS.get(layer, layer.replace("_", " ")) if isinstance(layer, str) else None


_LAYERS = {"raw": "equal as written", "canonical": "equal in value"}


def _split_order(splits: tuple[str, ...], order: list[str]) -> list[tuple[int, str]]:
    """Those against train first: the reference split decides before the held-out one."""
    return [(order.index(name) if name in order else len(order), name) for name in reversed(splits)]


def check_info(report: Report, outcome: Outcome) -> CheckInfo:
    """The metadata of an outcome's check; where it is missing, what the outcome itself says."""
    return report.checks.get(outcome.code) or CheckInfo(outcome.code, outcome.slug, outcome.slug, "error", {})


def headline(report: Report) -> Headline:
    """The verdict in one plain sentence with its numbers."""
    failed = failed_checks(report)
    leak = _leak(report, failed)
    if report.verdict.status == "incomplete":
        text = f"Incomplete: {_blindness(report)}"
        return Headline("warning", f"{text}; {leak.text}" if leak else text)
    if report.verdict.status == "findings":
        leads = leak and (leak.tone == "error" or all(check.severity != "error" for check in failed))
        return Headline("error", leak.text if leak and leads else _worst(report, failed))
    if leak:
        by = "overrides" if "overrides" in report.verdict.reason else "--fail-on"
        tolerated = f"; tolerated by {by}" if leak.tone == "error" else ""
        return Headline("warning", leak.text + tolerated)
    n_warnings = sum(len(group.findings) for check in failed for group in check.groups if group.severity != "info")
    warned = f"; {n_warnings:,} warning{'s' if n_warnings > 1 else ''} to look at" if n_warnings else ""
    return Headline("warning" if n_warnings else "passed", f"No leak found {_looked_at(report)}{warned}")


def _leak(report: Report, failed: list[FailedCheck]) -> Headline | None:
    """What of a held-out split is in train, or else in another.

    Counts are added up: overlap checks count a held-out sample once, in the strictest check and layer that finds it.
    """
    groups = [
        group
        for check in failed
        for group in check.groups
        if says_in_train(check.outcome.code) and len(group.splits) == 2 and group.severity != "info"
    ]
    if not groups:
        return None
    worst = min((group.severity for group in groups), key=SEVERITIES.index)
    groups = [group for group in groups if group.severity == worst]
    reference = max(groups, key=lambda group: (group.splits[1] == "train", group.n_samples)).splits[1]
    counts: dict[str, int] = {}
    for group in groups:
        if group.splits[1] == reference:
            counts[group.splits[0]] = counts.get(group.splits[0], 0) + group.n_samples
    worst_first = sorted(counts.items(), key=lambda entry: -entry[1])
    text = " and ".join(of_total(n, report.splits[name].n, name, report) for name, n in worst_first)
    one = list(counts.values()) == [1]
    if worst == "error":
        return Headline("error", f"{text} {'is' if one else 'are'} already in {reference}")
    return Headline("warning", f"{text} {'looks' if one else 'look'} like {units(report, 2)} of {reference}")


def _worst(report: Report, failed: list[FailedCheck]) -> str:
    """The message of the worst finding, and how many more there are."""
    if not failed:
        return report.verdict.reason
    first = failed[0].groups[0].findings[0]
    more = sum(check.n_findings for check in failed) - 1
    return first.message + (f" (and {more:,} more finding{'s' if more > 1 else ''})" if more else "")


def _blindness(report: Report) -> str:
    blind, read = report.coverage.n_blind, report.coverage.n_read
    crashed = [outcome.code for outcome in report.outcomes if outcome.status == "errored"]
    required = report.verdict.reason.startswith("required")
    if blind and not crashed and not required:
        return f"{blind:,} of {blind + read:,} {units(report, blind + read)} could not be read"
    return report.verdict.reason


def _looked_at(report: Report) -> str:
    sizes = [f"{split.n:,} {name}" for name, split in report.splits.items()]
    n_checks = sum(outcome.status in ("passed", "failed", "inconclusive") for outcome in report.outcomes)
    among = {1: f"inside {sizes[0]}", 2: "in " + " × ".join(reversed(sizes))}.get(
        len(sizes), f"among {', '.join(sizes[:-1])} and {sizes[-1]}"
    )
    return f"{among} {units(report, 2)} ({n_checks} check{'s' if n_checks != 1 else ''})"


def units(report: Report, n: int) -> str:
    """What the samples are called."""
    return {"image": "picture", "table": "row", "file": "file"}[report.kind] + ("" if n == 1 else "s")


def of_total(n: int, total: int, split: str, report: Report) -> str:
    """``23 of 16,281 test rows (0.14 %)``, with the split's name left out where it is empty."""
    what = f"{split} {units(report, total or n)}".strip()
    return f"{n:,} of {total:,} {what} ({share(n, total)})" if total else f"{n:,} {what}"


def share(n: int, total: int) -> str:
    """A percentage with two significant digits that never rounds to nothing or to all; the space does not break."""
    if not total:
        return "–"
    percent = 100 * n / total
    if n and percent < 0.01:
        return "<0.01\u00a0%"
    if percent >= 99.95:
        return "100\u00a0%" if n >= total else ">99.9\u00a0%"
    digits = 2 if percent < 1 else 1
    return f"{percent:.{digits}f}\u00a0%" if n else "0\u00a0%"


def where(group: SplitFindings) -> str:
    """The splits that findings are about: ``test vs train`` where two are compared, else a list of them."""
    listing = any(finding.evidence.samples for finding in group.findings)
    return " vs ".join(group.splits) if len(group.splits) == 2 and not listing else ", ".join(group.splits)


def first_sentence(text: str) -> str:
    """The first sentence of a docstring section, on one line, without markup."""
    flat = re.sub(r"\s+", " ", text).replace("``", "").replace("`", "").strip()
    flat = re.sub(r"^[-*] ", "", flat)
    end = re.search(r"(?<!e\.g)(?<!i\.e)[.;](?= |$)", flat)
    return flat[: end.start()] if end else flat


def next_step(info: CheckInfo) -> str | None:
    """One phrase on how to mend what the check found."""
    return first_sentence(info.sections["Fix"]) if info.sections.get("Fix") else None


def unlike_cells(a: Mapping[str, Scalar] | None, b: Mapping[str, Scalar] | None) -> list[str]:
    """Columns in which two rows differ, in the order of the columns; an absent cell differs from any other."""
    if a is None or b is None:
        return []
    missing = object()
    return [name for name in dict.fromkeys([*a, *b]) if a.get(name, missing) != b.get(name, missing)]


def labels_differ(a: Sample, b: Sample) -> bool:
    """Whether both labels are known and not the same."""
    return a.label is not None and b.label is not None and a.label != b.label


def score_text(score: float | None) -> str | None:
    """A similarity with two decimals; nothing for identical samples, and never 1.00 for what is not."""
    if score is None or score >= 1:
        return None
    return f"{min(score, 0.99):.2f}"


def cell(value: Scalar, *, exact: bool = False) -> str:
    """A cell as people write it, numbers to six digits unless `exact`; a missing one is said to be missing."""
    if value is None:
        return "(empty)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if exact else f"{value:.6g}"
    return str(value) if value != "" else "(empty text)"


def skipped(report: Report) -> dict[str, list[str]]:
    """Reasons why checks did not run, each with its codes."""
    reasons = {outcome.code: outcome.reason for outcome in report.outcomes if outcome.status == "skipped"}
    by_reason: dict[str, list[str]] = {}
    for code, reason in sorted({**reasons, **report.coverage.skipped_checks}.items()):
        by_reason.setdefault(reason, []).append(code)
    return by_reason


def acceptance(report: Report) -> list[str]:
    """Sentences on what reviewed files accept, and on what of these files is out of date."""
    by_code = Counter(finding.code for finding in report.findings if finding.accepted)
    use, said = report.accepted, []
    if by_code:
        counts = ", ".join(f"{code} {n:,}" for code, n in sorted(by_code.items()))
        said.append(f"{_findings(by_code.total())} accepted by {', '.join(use.sources)} ({counts})")
    if use.expired:
        said.append(
            f"{_findings(len(use.expired))} counted again, because the acceptance expired: {_some(use.expired)}"
        )
    if use.vanished:
        said.append(f"{_findings(len(use.vanished))} accepted, but no longer found: {_some(use.vanished)}")
    return said


def _findings(n: int) -> str:
    return f"{n:,} finding{'' if n == 1 else 's'}"


def _some(ids: Sequence[str], limit: int = 3) -> str:
    return ", ".join(ids[:limit]) + (f" and {len(ids) - limit:,} more" if len(ids) > limit else "")
