"""Which findings a page shows, and how each becomes a card.

A page holds a first part of the cards as they are, for everybody, and more of them as text that its script shows page
by page: ten thousand cards in the document would take a browser many seconds to lay out. Both parts come from the same
template. What does not fit is counted, and is in the JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from leakaudit.model import SEVERITIES, Finding, Report, Sample, Scalar
from leakaudit.render.html.evidence import SAMPLES_SHOWN, Pictures, ShownPairs, shown_pairs
from leakaudit.render.html.numbers import Numbers, numbers
from leakaudit.render.words import summary
from leakaudit.render.words.plain import plain

CARDS_AT_ONCE = 200
"""Cards in the document itself: all that a reader without scripts sees."""

CARDS = 10_000
"""Cards of a page; what a person filters and pages through in a browser without waiting."""

CARD_BYTES = 8_000_000
"""Characters of the cards that are shown later."""

CLASSES_LISTED = 500
"""Classes that can be filtered by, those of most findings."""


@dataclass(frozen=True, slots=True)
class Card:
    """One finding as it is shown.

    Parameters
    ----------
    anchor : str
        Name of the card inside the page: the finding's id, where no other card has it.
    fails : bool
        The finding fails the gate.
    effect : tuple of (str, str)
        What was measured, for findings that show no pairs.
    """

    finding: Finding
    anchor: str
    fails: bool
    pairs: ShownPairs
    samples: tuple[Sample, ...]
    n_samples_left: int
    numbers: Numbers | None
    effect: tuple[tuple[str, str], ...]

    @property
    def wide(self) -> bool:
        """Whether it needs a line of its own."""
        shown = self.pairs
        return not shown.pictures or len(shown.pictures) > 1 or bool(shown.rows or self.samples or self.numbers)


@dataclass(slots=True)
class Section:
    """The cards of one check: `now` in the document, `later` as text."""

    check: summary.FailedCheck
    now: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)

    @property
    def n_left(self) -> int:
        """Findings that are on no card."""
        return self.check.n_findings - len(self.now) - len(self.later)

    @property
    def n_pairs_left(self) -> int:
        """Pairs that are on no card, those of groups that no finding lists included."""
        findings = [finding for group in self.check.groups for finding in group.findings]
        unlisted = sum(int(f.effect.get("n_pairs") or 0) for f in findings if not f.evidence.pairs)
        told = sum(card.finding.evidence.n_pairs for card in self.cards)
        return sum(finding.evidence.n_pairs for finding in findings) + unlisted - told


def sections(report: Report, draw: Callable[[Card, summary.FailedCheck], object], pictures: Pictures) -> list[Section]:
    """The cards of all checks that found something, worst check first."""
    checks = summary.failed_checks(report)
    findings = [[finding for group in check.groups for finding in group.findings] for check in checks]
    counts = [len(found) for found in findings]
    at_once, in_all = shares(counts, CARDS_AT_ONCE), shares(counts, CARDS)
    anchors: set[str] = set()
    made = [Section(check) for check in checks]
    for section, found, n in zip(made, findings, at_once, strict=True):
        for each in found[:n]:
            _add(section, section.now, each, report, draw, anchors)
    pictures.apart = True
    left = CARD_BYTES
    for at, (section, found) in enumerate(zip(made, findings, strict=True)):
        budget = left // (len(made) - at)
        for each in found[at_once[at] : in_all[at]]:
            if budget <= 0:
                break
            size = _add(section, section.later, each, report, draw, anchors)
            budget, left = budget - size, left - size
    return made


def shares(counts: Sequence[int], budget: int) -> list[int]:
    """How many of each to take, `budget` in all: as equally as the counts allow, never none where there are some.

    >>> shares([3, 500, 40], 100)
    [3, 57, 40]
    """
    taken = [0] * len(counts)
    left = budget
    for rank, at in enumerate(sorted(range(len(counts)), key=lambda at: (counts[at], -at))):
        taken[at] = min(counts[at], max(left // (len(counts) - rank), 1))
        left -= taken[at]
    return taken


def _add(
    section: Section,
    shown: list[str],
    finding: Finding,
    report: Report,
    draw: Callable[[Card, summary.FailedCheck], object],
    anchors: set[str],
) -> int:
    """Make the card of a finding; how long it is."""
    anchor = plain(finding.id) if finding.id not in anchors else ""
    anchors.add(finding.id)
    made = card(finding, anchor, report)
    html = re.sub(r"\s*\n\s*", "\n", str(draw(made, section.check))).strip()
    shown.append(html)
    section.cards.append(made)
    return len(html)


def card(finding: Finding, anchor: str, report: Report) -> Card:
    """What is shown of a finding."""
    evidence = finding.evidence
    samples = evidence.samples[:SAMPLES_SHOWN]
    return Card(
        finding=finding,
        anchor=anchor,
        fails=finding.id in report.verdict.failing,
        pairs=shown_pairs(finding),
        samples=samples,
        n_samples_left=evidence.n_samples - len(samples) if samples else 0,
        numbers=numbers(evidence.breakdown) if evidence.breakdown else None,
        effect=() if evidence.pairs else tuple(_effect(finding)),
    )


def _effect(finding: Finding) -> Iterator[tuple[str, str]]:
    for name, value in finding.effect.items():
        if name not in ("layer", "but_for", "fix") and value is not None:
            yield name.replace("_", " "), _number(value)


def _number(value: Scalar) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return summary.cell(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


# --- what the script filters by -------------------------------------------------------------------------------


def index(made: Sequence[Section]) -> str:
    """JSON for the script: the facets of each card in the order of the page, and the cards that are shown later."""
    codes = [section.check.info.code for section in made]
    splits: dict[str, int] = {}
    classes: dict[str, int] = {}
    rows = []
    for at, section in enumerate(made):
        for each in section.cards:
            finding = each.finding
            in_splits = splits.setdefault(summary.splits_of(finding), len(splits))
            labels = [classes.setdefault(label, len(classes)) for label in _labels(finding)]
            rows.append([at, SEVERITIES.index(finding.severity), in_splits, int(each.fails), labels])
    held = {
        "codes": codes,
        "severities": list(SEVERITIES),
        "splits": [plain(names) or "no split" for names in splits],
        "classes": [plain(name) for name in classes],
        "most": CLASSES_LISTED,
        "cards": rows,
        "now": [len(section.now) for section in made],
        "later": [section.later for section in made],
    }
    return script_safe(held)


def _labels(finding: Finding) -> list[str]:
    evidence = finding.evidence
    sides = [side for pair in evidence.pairs for side in (pair.a, pair.b)]
    labels = {sample.label for sample in (*sides, *evidence.samples) if sample.label is not None}
    table = evidence.breakdown
    if table and table.columns[:1] in (("class",), ("label",)):
        labels |= {str(row[0]) for row in table.rows if row and row[0] is not None}
    return sorted(labels)


def script_safe(value: object) -> str:
    """JSON in ASCII that can stand inside a script element, which only ``</`` and ``<!`` could upset (HTML, 13.2.5).

    >>> script_safe("</script><!--")
    '"<\\\\/script>\\\\u003c!--"'
    """
    return json.dumps(value, separators=(",", ":")).replace("</", "<\\/").replace("<!", "\\u003c!")
