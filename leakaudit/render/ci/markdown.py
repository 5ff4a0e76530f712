"""GitHub-flavoured Markdown, for a job summary or a comment on a merge request.

Whatever comes from the data is text: markup, HTML, links, mentions and references in it do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from leakaudit.model import Report
from leakaudit.render.words import summary
from leakaudit.render.words.plain import encodable, plain

EXAMPLES = 5
"""Findings of a check that are written out, in each pair of splits."""

_MARKS = {"error": "❌", "warning": "⚠️", "info": "ℹ️", "passed": "✅"}
_SPECIAL = re.compile(
    r"""[\\`*_{}\[\]<>&|~$^]      # markup wherever it stands
    |^[-+=#](?=[\s=-]|$)          # at the start of an item: a list, a heading, a rule
    |(?<=^\d)[.)]|(?<=^\d\d)[.)]  # a numbered list
    |:(?=//)|(?<=\bwww)[.]        # what is made a link
    """,
    re.VERBOSE | re.IGNORECASE,
)


def write(report: Report, stream: TextIO) -> None:
    """Write the summary: the verdict, a table of what was found, examples, and what was not looked at."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in lines(report):
        stream.write(encodable(line, encoding) + "\n")


def lines(report: Report) -> Iterator[str]:
    """The summary, line by line."""
    head = summary.headline(report)
    yield f"## {_MARKS[head.tone]} leakaudit: {escaped(head.text)}"
    yield ""
    sizes = " · ".join(map(escaped, summary.sizes(report)))
    yield f"{escaped(report.root)} · {sizes} · {escaped(report.verdict.reason)}"
    failed = summary.failed_checks(report)
    if failed:
        yield ""
        yield from _table(report, failed)
        for check in failed:
            yield ""
            yield from _examples(check)
    yield from _rest(report)


def _table(report: Report, failed: list[summary.FailedCheck]) -> Iterator[str]:
    yield "| | check | splits | samples | share | fix |"
    yield "|---|---|---|---:|---:|---|"
    for check in failed:
        fix = escaped(summary.next_step(check) or "")
        for group in check.groups:
            layer = f" ({escaped(group.layer)})" if group.layer else ""
            cells = (
                _MARKS[group.severity],
                f"`{check.outcome.code}` {escaped(check.outcome.slug)}{layer}",
                escaped(summary.where(group)),
                f"{group.n_samples:,}",
                summary.share(group.n_samples, group.n_total),
                fix,
            )
            yield f"| {' | '.join(cells)} |"


def _examples(check: summary.FailedCheck) -> Iterator[str]:
    yield f"<details><summary>{check.outcome.code} {escaped(check.info.title)}</summary>"
    yield ""
    for group in check.groups:
        for finding in group.findings[:EXAMPLES]:
            yield f"- {escaped(finding.message)}"
        more = len(group.findings) - EXAMPLES
        if more > 0:
            at = summary.where(group)
            yield f"- … and {more:,} more{f' of {escaped(at)}' if at else ''}"
    yield ""
    yield "</details>"


def _rest(report: Report) -> Iterator[str]:
    said = []
    if report.coverage.n_blind:
        said.append(f"{report.coverage.n_blind:,} samples could not be looked at.")
    for outcome in sorted(report.outcomes, key=lambda outcome: outcome.code):
        if outcome.status in ("inconclusive", "errored"):
            said.append(f"Not decided: {outcome.code} ({escaped(outcome.reason)}).")
    for reason, codes in summary.skipped(report).items():
        said.append(f"Not run: {', '.join(codes)} ({escaped(reason)}).")
    said += [escaped(sentence) for sentence in summary.acceptance(report)]
    if said:
        yield ""
        yield from (f"- {sentence}" for sentence in said)


def escaped(text: str) -> str:
    """The text as Markdown that shows it as it is.

    Markup becomes character references, which are text to a Markdown parser. ``@``, ``#`` and ``:name:`` are cut off
    from what follows by an empty comment, because mentions, references and emoji are looked for in the finished HTML.

    >>> escaped("<b>*a*</b> @all")
    '&#60;b&#62;&#42;a&#42;&#60;/b&#62; @<!-- -->all'
    """
    safe = _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", plain(text))
    return re.sub(r"((?<!&)[@#](?=\w)|:(?=[\w+-]+:))", r"\1<!-- -->", safe)
