"""The report as one self-contained page: no network, no script, the same bytes for the same report.

Everything that comes from the data passes twice: control and format characters are written out (`plain`), then Jinja
escapes the rest. A content security policy forbids the page everything but its own style sheet and inline pictures.
"""

from __future__ import annotations

import codecs
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, TextIO

from leakaudit.model import SEVERITIES, Finding, Outcome, Report, Sample, SamplePair, Scalar
from leakaudit.render import summary
from leakaudit.render.json import SCHEMA
from leakaudit.render.plain import plain
from leakaudit.render.prose import blocks

if TYPE_CHECKING:
    from jinja2 import Environment

FINDINGS_PER_CHECK = 60
FINDINGS_IN_ALL = 300
PAIRS_PER_FINDING = 4
PROBLEMS_SHOWN = 50
COLUMNS_SHOWN = 14
CLASSES_COLOURED = 9
"""What a page shows at most; the totals beside it are exact, and JSON holds the rest."""

SMALL_PICTURE = 64
"""Pixels: a picture of at most this side is enlarged without smoothing, so that its own pixels are what is seen."""

NOTEBOOK_PAIRS = 6


def to_html(report: Report) -> str:
    """The page."""
    style = _resource("report.css")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return _render("report.html.j2", report, style=style, style_hash=f"sha256-{digest}")


def notebook_html(report: Report) -> str:
    """A compact fragment for notebooks: verdict, findings by check, the first pairs."""
    return _render("notebook.html.j2", report, style=_resource("notebook.css"), examples=_notebook_examples(report))


def write(report: Report, stream: TextIO) -> None:
    """Write the page; a stream that is not Unicode gets character references."""
    page = to_html(report)
    if not codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf"):
        page = page.encode("ascii", "xmlcharrefreplace").decode()
    stream.write(page)


# --- what the templates are given -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A picture as a data URI."""

    uri: str
    small: bool


@dataclass(frozen=True, slots=True)
class RowTable:
    """Rows of a table side by side: two rows a pair, in the columns that are shown."""

    columns: tuple[str, ...]
    n_hidden: int
    pairs: tuple[SamplePair, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """The findings of one check and pair of splits that fit on the page."""

    group: summary.SplitFindings
    pairs: tuple[SamplePair, ...]
    rows: RowTable | None
    others: tuple[Finding, ...]
    n_pairs_left: int
    n_findings_left: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The class shares of one split, as (class, count, start and length in thousandths, colour number)."""

    split: str
    n: int
    parts: tuple[tuple[str, int, float, float, int], ...]


def _shown(check: summary.FailedCheck, budget: int) -> list[Shown]:
    each = max(1, budget // len(check.groups))
    return [_fit(group, each) for group in check.groups]


def _fit(group: summary.SplitFindings, budget: int) -> Shown:
    with_pairs = [finding for finding in group.findings if finding.evidence.pairs]
    others = [finding for finding in group.findings if not finding.evidence.pairs]
    told = with_pairs[:budget]
    pairs = tuple(pair for finding in told for pair in finding.evidence.pairs[:PAIRS_PER_FINDING])
    rows = [pair for pair in pairs if pair.a.row is not None and pair.b.row is not None]
    unlisted = sum(int(finding.effect.get("n_pairs") or 0) for finding in others)
    return Shown(
        group=group,
        pairs=tuple(pair for pair in pairs if pair.a.row is None or pair.b.row is None),
        rows=_row_table(rows) if rows else None,
        others=tuple(others[:budget]),
        n_pairs_left=sum(finding.evidence.n_pairs for finding in with_pairs) + unlisted - len(pairs),
        n_findings_left=len(with_pairs) - len(told) + max(0, len(others) - budget),
    )


def _row_table(pairs: Sequence[SamplePair]) -> RowTable:
    """All columns where they are few; else those that differ anywhere, then the first ones, in the file's order."""
    columns = list(dict.fromkeys(name for pair in pairs for row in (pair.a.row, pair.b.row) for name in row or {}))
    unlike = {name for pair in pairs for name in summary.unlike_cells(pair.a.row, pair.b.row)}
    chosen = sorted(columns, key=lambda name: name not in unlike)[:COLUMNS_SHOWN]
    return RowTable(tuple(name for name in columns if name in chosen), len(columns) - len(chosen), tuple(pairs))


def _checks(report: Report) -> Iterator[tuple[summary.FailedCheck, list[Shown]]]:
    left = FINDINGS_IN_ALL
    for check in summary.failed_checks(report):
        shown = _shown(check, max(1, min(FINDINGS_PER_CHECK, left)))
        left -= min(check.n_findings, FINDINGS_PER_CHECK)
        yield check, shown


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


def _thumbnail(report: Report, uri: str) -> Thumbnail | None:
    """The preview of a picture; only PNG and JPEG, which is what previews are."""
    data = report.previews.get(uri)
    if data is None:
        return None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        side = max(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))  # the IHDR chunk comes first
        return Thumbnail(f"data:image/png;base64,{b64encode(data).decode()}", side <= SMALL_PICTURE)
    if data.startswith(b"\xff\xd8\xff"):
        return Thumbnail(f"data:image/jpeg;base64,{b64encode(data).decode()}", small=False)
    return None


def _notebook_examples(report: Report) -> list[SamplePair]:
    firsts = [finding.evidence.pairs[0] for finding in report.findings if finding.evidence.pairs]
    return firsts[:NOTEBOOK_PAIRS]


def _number(value: Scalar, column: str) -> str:
    """A cell of a breakdown: shares as percentages, counts with thousands separators."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return summary.cell(value)
    if column.startswith("share"):
        return summary.share(round(value * 1_000_000), 1_000_000)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _status_tone(outcome: Outcome) -> str:
    if outcome.findings:
        return min((finding.severity for finding in outcome.findings), key=SEVERITIES.index)
    return {"passed": "passed", "errored": "error"}.get(outcome.status, "muted")


def _alt(sample: Sample) -> str:
    return f"{sample.uri}, {sample.split}" + (f", label {sample.label}" if sample.label is not None else "")


# --- rendering ------------------------------------------------------------------------------------------------


def _render(template: str, report: Report, **more: object) -> str:
    bars, classes = _bars(report)
    return (
        _environment()
        .get_template(template)
        .render(
            report=report,
            schema=SCHEMA,
            top=summary.headline(report),
            checks=list(_checks(report)),
            outcomes=sorted(report.outcomes, key=lambda outcome: outcome.code),
            skipped=summary.skipped(report),
            bars=bars,
            classes=classes,
            n_classes=len({label for split in report.splits.values() for label in split.labels}),
            thumbnail=lambda uri: _thumbnail(report, uri),
            tone=_status_tone,
            problems_shown=PROBLEMS_SHOWN,
            **more,
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain(value) if type(value) is str else value,
    )
    environment.globals.update(
        blocks=blocks,
        cell=summary.cell,
        next_step=summary.next_step,
        number=_number,
        of_total=summary.of_total,
        score_text=summary.score_text,
        share=summary.share,
        unlike=summary.unlike_cells,
        where=summary.where,
        alt=_alt,
    )
    return environment


def _resource(name: str) -> str:
    return files("leakaudit.render").joinpath("templates", name).read_text(encoding="utf-8")
