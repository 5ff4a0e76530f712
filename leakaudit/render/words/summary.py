"""What every human-readable format says in the same words: the headline, findings by check and by splits, shares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leakaudit.analysis.columns.label_kind import not_classes
from leakaudit.catalogue import code_of, is_of, says_in_train
from leakaudit.model import (
    SEVERITIES,
    CheckInfo,
    Family,
    Finding,
    Outcome,
    Report,
    Sample,
    Scalar,
    Severity,
    largest_loss,
)

Tone = Literal["error", "warning", "info", "passed"]


@dataclass(frozen=True, slots=True)
class Headline:
    """The one line that is read if nothing else is."""

    tone: Tone
    text: str

    @property
    def line(self) -> str:
        """The text for machines, with ordinary spaces."""
        return self.text.replace("\u00a0", " ")


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
        Readable samples of the held-out split, or of the one split; 0 where there is no such split (a problem that
        belongs to none, or to several), or where the samples were not read.
    """

    severity: Severity
    splits: tuple[str, ...]
    layer: str | None
    findings: tuple[Finding, ...]
    n_samples: int
    n_total: int

    @property
    def held_out(self) -> str:
        """The split that the samples are of; empty where the findings are about none, or about a list of splits."""
        return self.splits[0] if self.splits and self.n_total else ""

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
        is_unread = is_of(outcome.code, "coverage")  # what could not be read is no part of what was
        known = splits and splits[0] in report.splits and len(splits) <= 2 and not is_unread
        n_total = report.splits[splits[0]].n if known else 0
        yield SplitFindings(severity, splits, layer, tuple(findings), n_samples, n_total)


def _layer(finding: Finding) -> str | None:
    layer, but_for = finding.effect.get("layer"), finding.effect.get("but_for")
    said = _LAYERS.get(layer, layer.replace("_", " ")) if isinstance(layer, str) else None
    said = f"but for {but_for}" if isinstance(but_for, str) else said
    return f"{said}, by chance or as copies: cannot tell" if finding.effect.get("cannot_tell") else said


_LAYERS = {
    "raw": "equal as written",
    "canonical": "equal in value",
    "id": "the same id",
    "without_label": "the same features, another target",
    "reduced_without_label": "the same features, another target",
}


def _split_order(splits: tuple[str, ...], order: list[str]) -> list[tuple[int, str]]:
    """Those against train first: the reference split decides before the held-out one."""
    return [(order.index(name) if name in order else len(order), name) for name in reversed(splits)]


def check_info(report: Report, outcome: Outcome) -> CheckInfo:
    """The metadata of an outcome's check; where it is missing, what the outcome itself says."""
    return report.checks.get(outcome.code) or CheckInfo(outcome.code, outcome.slug, outcome.slug, "error", {})


def headline(report: Report) -> Headline:
    """The verdict in one plain sentence with its numbers.

    Whatever the verdict: what of a held-out split is in train, accepted or not; which check for copies could not tell;
    groups that nearly all of a held-out split shares; and samples that could not be read.
    """
    failed = failed_checks(report)
    leak, more = _leak(report), [*_shared_groups(report), *_undecided(report)]
    if report.verdict.status == "incomplete":
        return Headline(
            "warning", "; ".join([f"Incomplete: {_blindness(report)}", *([leak.text] if leak else []), *more])
        )
    more += _lost(report)
    if report.verdict.status == "findings":
        leads = leak and (leak.tone == "error" or all(check.severity != "error" for check in failed))
        return Headline("error", "; ".join([leak.text if leak and leads else _worst(report, failed), *more]))
    if leak:
        by = "overrides" if "overrides" in report.verdict.reason else "--fail-on"
        tolerated = [f"tolerated by {by}"] if leak.tone == "error" else []
        tone: Tone = "warning" if leak.tone == "error" or _warnings(failed) else leak.tone
        return Headline(tone, "; ".join([leak.text, *tolerated, *more]))
    return _nothing_found(report, failed, more)


def _nothing_found(report: Report, failed: list[FailedCheck], more: list[str]) -> Headline:
    """No finding says that anything is in train: as much of "no leak" as the checks that ran bear out."""
    ran = [outcome for outcome in report.outcomes if outcome.status in ("passed", "failed", "inconclusive")]
    looked = any(is_of(outcome.code, *_LEAKS) for outcome in ran)
    decided = any(outcome.status != "inconclusive" for outcome in ran if is_of(outcome.code, *_LEAKS))
    if not looked:
        said = f"Nothing found {_among(report)} ({_checks(report)}; none looks for leaks)"
    else:
        known = decided and not _undecided(report)
        said = f"No leak {'found' if known else 'proven'} {_among(report)} ({_checks(report)})"
    n_warnings = _warnings(failed)
    warned = [f"{n_warnings:,} warning{'s' if n_warnings > 1 else ''} to look at"] if n_warnings else []
    is_well = looked and decided and not n_warnings and not more
    return Headline("passed" if is_well else "warning", "; ".join([said, *more, *warned]))


_LEAKS: tuple[Family, ...] = ("copies", "belonging", "shortcut", "fitted", "probe")
"""Families of checks that look for leaks; the others look at coverage, at one split, or at how alike splits are."""


def _warnings(failed: list[FailedCheck]) -> int:
    return sum(len(group.findings) for check in failed for group in check.groups if group.severity != "info")


def _leak(report: Report) -> Headline | None:
    """What of the held-out splits is in train, or else in another: what is proven, or else what looks like it.

    Counts are added up: overlap checks count a held-out sample once, in the strictest check and layer that finds it.
    Accepted findings stay counted, and are said to be accepted.
    """
    found = [
        finding
        for finding in report.findings
        if says_in_train(finding.code) and len(finding.splits) == 2 and finding.severity != "info"
    ]
    proven = [finding for finding in found if finding.severity == "error"]
    likely = [finding for finding in found if finding.severity != "error"]
    if any(not finding.accepted for finding in proven):
        return Headline("error", _in_reference(report, proven, "is already in", "are already in"))
    said = [_in_reference(report, proven, "is already in", "are already in")] if proven else []
    if likely and (not proven or any(not finding.accepted for finding in likely)):
        rows = units(report, 2)
        said.append(_in_reference(report, likely, f"looks like {rows} of", f"look like {rows} of"))
    is_open = any(not finding.accepted for finding in found)
    return Headline("warning" if is_open else "info", "; ".join(said)) if said else None


def _in_reference(report: Report, findings: Sequence[Finding], is_in: str, are_in: str) -> str:
    """``23 of 16,281 test rows (0.14 %) are already in train``: the splits that overlap most first."""
    pairs = Counter[tuple[str, ...]]()
    accepted = Counter[tuple[str, ...]]()
    for finding in findings:
        pairs[finding.splits] += finding.n_samples
        accepted[finding.splits] += finding.n_samples if finding.accepted else 0
    reference = max(pairs, key=lambda splits: (splits[1] == "train", pairs[splits]))[1]
    counts = {splits[0]: n for splits, n in pairs.items() if splits[1] == reference}
    worst = sorted(counts, key=lambda name: (-counts[name] / max(_size(report, name), 1), -counts[name]))
    parts = [of_total(counts[name], _size(report, name), name, report) for name in worst[:SPLITS_SAID]]
    if left := len(worst) - len(parts):
        parts.append(f"some of {left:,} more split{'s' if left > 1 else ''}")
    verb = is_in if list(counts.values()) == [1] else are_in
    text = f"{_listed(parts)} {verb} {split_named(reference)}"
    n, n_accepted = sum(counts.values()), sum(accepted[name, reference] for name in counts)
    if n_accepted:
        text += ", all accepted" if n_accepted == n else f" ({n_accepted:,} of these accepted)"
    if others := sum(splits[1] != reference for splits in pairs):
        text += f", and {others:,} more pair{'s' if others > 1 else ''} of splits overlap{'s' if others == 1 else ''}"
    return text


SPLITS_SAID = 2
"""Held-out splits that a headline names."""

NEARLY_ALL = 0.9
"""Share of a held-out split from which on groups that it has in common with train are part of the headline: hardly a
sample of it is then new in the sense that matters."""


def _shared_groups(report: Report) -> list[str]:
    """``217 of 223 test rows (97.3 %) share their group with train (column 'premise')``, the worst one."""
    shared = [
        finding
        for finding in report.findings
        if finding.code == code_of("group-overlap") and finding.severity != "info" and not finding.accepted
        if len(finding.splits) == 2 and finding.n_samples >= NEARLY_ALL * max(_size(report, finding.splits[0]), 1)
    ]
    if not shared:
        return []
    finding = max(shared, key=lambda finding: finding.n_samples / max(_size(report, finding.splits[0]), 1))
    held_out, reference = finding.splits
    key = f" ({finding.effect['key']})" if finding.effect.get("key") else ""
    counted = of_total(finding.n_samples, _size(report, held_out), held_out, report)
    return [f"{counted} share their group with {split_named(reference)}{key}"]


def _undecided(report: Report) -> list[str]:
    """Checks for copies that looked and could not tell."""
    codes = [o.code for o in report.outcomes if o.status == "inconclusive" and says_in_train(o.code)]
    return [f"{', '.join(sorted(codes))} could not tell"] if codes else []


def _lost(report: Report) -> list[str]:
    """Samples that could not be read, of the split that lost the largest share."""
    coverage = report.coverage
    if not coverage.n_blind:
        return []
    loss = largest_loss(report.splits, coverage.blind_in, coverage.n_blind, coverage.n_read)
    what = f"{loss.split} " if loss.split is not None and _is_word(loss.split) else ""
    of_split = f" of split {loss.split}" if loss.split is not None and not what else ""
    could = "could not be read" if not coverage.n_pointers else "could not be looked at"
    return [f"{loss.n_blind:,} of {loss.n:,} {what}{units(report, loss.n)}{of_split} {could}"]


def _worst(report: Report, failed: list[FailedCheck]) -> str:
    """The message of the worst finding, and how many more there are."""
    if not failed:
        return report.verdict.reason
    first = failed[0].groups[0].findings[0]
    more = sum(check.n_findings for check in failed) - 1
    return first.message + (f" (and {more:,} more finding{'s' if more > 1 else ''})" if more else "")


def _blindness(report: Report) -> str:
    reason = report.verdict.reason
    return _lost(report)[0] if "were not looked at" in reason and report.coverage.n_blind else reason


def _checks(report: Report) -> str:
    n = sum(outcome.status in ("passed", "failed", "inconclusive") for outcome in report.outcomes)
    return f"{n} check{'s' if n != 1 else ''}"


def _among(report: Report) -> str:
    """``in 1,000 val × 4,000 train pictures``; of many splits, or of splits whose names are no words, their number."""
    names, total = list(report.splits), sum(split.n for split in report.splits.values())
    if len(names) > SPLITS_LISTED or not all(map(_is_word, names)):
        return f"among {len(names):,} split{'s' if len(names) != 1 else ''} of {total:,} {units(report, total)}"
    sizes = [f"{split.n:,} {name}" for name, split in report.splits.items()]
    if len(names) == 1:
        return f"inside {sizes[0]} {units(report, total)}"
    listed = " × ".join(reversed(sizes)) if len(names) == 2 else f"{', '.join(sizes[:-1])} and {sizes[-1]}"
    return f"{'in' if len(names) == 2 else 'among'} {listed} {units(report, 2)}"


SPLITS_LISTED = 4
"""Splits that a headline lists with their sizes."""


def split_named(name: str) -> str:
    """A split in a sentence: ``train``, ``split 3``.

    >>> split_named("val"), split_named("3")
    ('val', 'split 3')
    """
    return name if _is_word(name) else f"split {name}"


def _is_word(name: str) -> bool:
    """Whether "4,000 {name} pictures" reads as a sentence: not so for ``3``, ``part 1`` or ``True``."""
    return re.fullmatch(r"[^\W\d_][\w-]*", name) is not None and name.lower() not in ("true", "false", "yes", "no")


def _size(report: Report, split: str) -> int:
    return report.splits[split].n if split in report.splits else 0


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def sizes(report: Report) -> list[str]:
    """``test 960 (40 not read)``, ``split 3: 240``: every split with what was read of it, and what was not."""
    lost = report.coverage.blind_in
    return [
        f"{name if _is_word(name) else f'split {name}:'} {split.n:,}"
        + (f" ({lost[name]:,} not read)" if lost.get(name) else "")
        for name, split in report.splits.items()
    ]


def classes(report: Report) -> str | None:
    """``3 classes``, or what the labels are instead of classes; None where there are none."""
    labels = {label for split in report.splits.values() for label in split.labels}
    if not labels:
        return None
    instead = not_classes({name: split.labels for name, split in report.splits.items()})
    return instead or f"{len(labels):,} class{'es' if len(labels) != 1 else ''}"


def units(report: Report, n: int) -> str:
    """What the samples are called."""
    return {"image": "picture", "table": "row", "file": "file"}[report.kind] + ("" if n == 1 else "s")


def of_total(n: int, total: int, split: str, report: Report) -> str:
    """``23 of 16,281 test rows (0.14 %)``, ``106 of 240 rows of split 3 (44.2 %)``; an empty name is left out."""
    what = units(report, total or n)
    if split:
        what = f"{split} {what}" if _is_word(split) else f"{what} of {split_named(split)}"
    return f"{n:,} of {total:,} {what} ({share(n, total)})" if total else f"{n:,} {what}"


def of_group(group: SplitFindings, report: Report) -> str:
    """How many samples a group of findings is about, with the split that they are of."""
    return of_total(group.n_samples, group.n_total, group.held_out, report)


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
    names = [split_named(name) for name in group.splits]
    return " vs ".join(names) if len(names) == 2 and not listing else ", ".join(names)


def place(group: SplitFindings) -> str:
    """The splits and the layer of identity that findings are about; empty where they are about no split."""
    return ", ".join(part for part in (where(group), group.layer) if part)


def splits_of(finding: Finding) -> str:
    """The splits of one finding, as in `where`."""
    listing = len(finding.splits) != 2 or bool(finding.evidence.samples)
    return (", " if listing else " vs ").join(map(split_named, finding.splits))


def first_sentence(text: str) -> str:
    """The first sentence of a docstring section, on one line, without markup."""
    flat = re.sub(r"\s+", " ", text).replace("``", "").replace("`", "").strip()
    flat = re.sub(r"^[-*] ", "", flat)
    end = re.search(r"(?<!e\.g)(?<!i\.e)[.;](?= |$)", flat)
    return flat[: end.start()] if end else flat


def next_step(check: FailedCheck) -> str | None:
    """One phrase on how to mend what the check found: what all its findings say, else what the check says."""
    told = {finding.effect.get("fix") for group in check.groups for finding in group.findings}
    if len(told) == 1 and isinstance(own := told.pop(), str):
        return own
    return first_sentence(check.info.sections["Fix"]) if check.info.sections.get("Fix") else None


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


def beyond_all_checks(report: Report) -> list[str]:
    """What no check can see in these data, whatever was asked for."""
    asked = {o.code for o in report.outcomes if o.status in ("passed", "failed", "inconclusive")}
    return [said for code, said in _BEYOND.items() if code in asked]


_BEYOND = {
    code_of("near-duplicate-images"): "parts of pictures: small crops, mosaics and wide borders are found by no check",
    code_of("near-duplicate-text"): "what texts mean: paraphrases and translations of a text are told from others by "
    "nothing",
}
"""Of a check that was asked: what it, and every other one, cannot see."""


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
