"""The report as one self-contained page: no network, the same bytes for the same report, readable without its script.

Everything that comes from the data passes twice: control and format characters are written out (`plain`), then Jinja
escapes the rest; the script only ever moves what is already escaped. A content security policy forbids the page
everything but its own style sheet, its own script and inline pictures: nothing that a file name could smuggle in runs.
"""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass
from typing import TextIO

from leakaudit.analysis.columns.label_kind import not_classes
from leakaudit.model import SEVERITIES, Outcome, Report, SamplePair
from leakaudit.render.data.report_json import SCHEMA
from leakaudit.render.html import probe as html_probe
from leakaudit.render.html.cards import CARDS_AT_ONCE, index, script_safe, sections
from leakaudit.render.html.evidence import Pictures
from leakaudit.render.html.templating import digest, environment, resource
from leakaudit.render.words import summary

PROBLEMS_SHOWN = 50
ACCEPTED_SHOWN = 200
CLASSES_COLOURED = 9
"""What a page shows at most; the totals beside it are exact, and JSON holds the rest."""

STYLES = ("report.css", "charts.css", "cards.css")
SCRIPTS = ("cards.js", "pictures.js", "page.js")

NOTEBOOK_PAIRS = 6


def to_html(report: Report) -> str:
    """The page."""
    style, script = ("".join(map(resource, names)) for names in (STYLES, SCRIPTS))
    pictures = Pictures(report.previews)
    drawn = environment().get_template("card.html.j2").make_module({"report": report, "thumbnail": pictures.of})
    probe = html_probe.shown(report.probe) if report.probe is not None else None
    found = sections(report, drawn.draw_card, pictures)  # type: ignore[attr-defined]
    counts = {name: split.labels for name, split in report.splits.items()}
    labels = {label for split in counts.values() for label in split}
    no_classes = not_classes(counts)
    bars, classes = _bars(report) if no_classes is None else ([], [])
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            schema=SCHEMA,
            style=style,
            style_hash=digest(style),
            script=script,
            script_hash=digest(script),
            top=summary.headline(report),
            sections=found,
            cards_at_once=CARDS_AT_ONCE,
            card_index=index(found),
            later_pictures=script_safe(pictures.listed),
            probe=probe,
            thumbnail=Pictures(report.previews).of,
            accepted=[finding for finding in report.findings if finding.accepted],
            accepted_shown=ACCEPTED_SHOWN,
            outcomes=sorted(report.outcomes, key=lambda outcome: outcome.code),
            skipped=summary.skipped(report),
            unseen=summary.beyond_all_checks(report),
            tone=_status_tone,
            bars=bars,
            classes=classes,
            n_classes=len(labels) if no_classes is None else 0,
            no_classes=no_classes,
            problems_shown=PROBLEMS_SHOWN,
        )
    )


def notebook_html(report: Report) -> str:
    """A compact fragment for notebooks: verdict, findings by check, the first pairs."""
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            report=report,
            style=resource("notebook.css"),
            top=summary.headline(report),
            checks=summary.failed_checks(report),
            outcomes=sorted(report.outcomes, key=lambda outcome: outcome.code),
            examples=_notebook_examples(report),
            tone=_status_tone,
            thumbnail=Pictures(report.previews).of,
        )
    )


def write(report: Report, stream: TextIO) -> None:
    """Write the page; a stream that is not Unicode gets character references."""
    page = to_html(report)
    if not codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf"):
        page = page.encode("ascii", "xmlcharrefreplace").decode()
    stream.write(page)


def _notebook_examples(report: Report) -> list[SamplePair]:
    firsts = [finding.evidence.pairs[0] for finding in report.findings if finding.evidence.pairs]
    return firsts[:NOTEBOOK_PAIRS]


# --- class shares ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """The class shares of one split, as (class, count, start and length in thousandths, colour number)."""

    split: str
    n: int
    parts: tuple[tuple[str, int, float, float, int], ...]


def _bars(report: Report) -> tuple[list[Bar], list[str]]:
    """Class shares by split and the classes with a colour of their own; empty where classes are unknown or too many."""
    total = Counter[str]()
    for split in report.splits.values():
        total.update(dict(split.labels))
    ranked = sorted(total, key=lambda label: (-total[label], label))
    named = ranked if len(ranked) <= CLASSES_COLOURED + 1 else ranked[:CLASSES_COLOURED]
    if not named or sum(total[label] for label in named) < 0.5 * total.total():
        return [], []
    bars = []
    for name, split in report.splits.items():
        n = sum(split.labels.values())
        counts = [(label, split.labels.get(label, 0)) for label in named]
        counts.append((f"{len(ranked) - len(named):,} other classes", n - sum(count for _, count in counts)))
        parts, at = [], 0.0
        for colour, (label, count) in enumerate(counts):
            if count:
                length = 1000 * count / n
                parts.append((label, count, round(at, 2), round(length, 2), colour))
                at += length
        bars.append(Bar(name, split.n, tuple(parts)))
    return bars, named


def _status_tone(outcome: Outcome) -> str:
    open_ones = [finding for finding in outcome.findings if not finding.accepted]
    if open_ones:
        return min((finding.severity for finding in open_ones), key=SEVERITIES.index)
    if outcome.findings:
        return "accepted"
    return {"passed": "passed", "errored": "error"}.get(outcome.status, "muted")
