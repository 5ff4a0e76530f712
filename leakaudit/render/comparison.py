"""What differs between two reports, for people (text, Markdown) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from leakaudit.comparison import KINDS, Change, ChangeKind, Comparison
from leakaudit.model import Finding
from leakaudit.render.ci.markdown import escaped
from leakaudit.render.data.report_json import ascii_only, dump
from leakaudit.render.words.plain import encodable, plain

SCHEMA = "leakaudit-diff/1"

_SIGNS: dict[ChangeKind, str] = {"appeared": "+", "grew": "↑", "changed": "~", "shrank": "↓", "vanished": "-"}


def write(found: Comparison, stream: TextIO, *, form: str, limit: int | None) -> None:
    """Write a comparison.

    Parameters
    ----------
    form : {"text", "markdown", "json"}
    limit : int or None
        Changes listed of each kind, for people; JSON has all.
    """
    if form == "json":
        stream.writelines(ascii_only(line) + "\n" for line in _json(found))
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    lines = _markdown(found, limit) if form == "markdown" else _text(found, limit)
    stream.writelines(encodable(line, encoding) + "\n" for line in lines)


def _text(found: Comparison, limit: int | None) -> Iterator[str]:
    yield _head(found)
    for kind in KINDS:
        changes = found.of(kind)
        if changes:
            yield ""
            yield f"{kind.capitalize()} ({len(changes):,})"
        for change in changes[:limit]:
            finding = change.finding
            accepted = "  (accepted)" if finding.accepted else ""
            yield f"  {_SIGNS[kind]} {finding.code} {finding.severity:7} {_about(change)}{accepted}"
            yield f"      {finding.id}"
        yield from (f"  {line}" for line in _more(len(changes), limit))
    yield from _left_out(found)


def _markdown(found: Comparison, limit: int | None) -> Iterator[str]:
    yield f"## leakaudit: {_head(found)}"
    for kind in KINDS:
        changes = found.of(kind)
        if changes:
            yield from ("", f"### {kind.capitalize()} ({len(changes):,})", "")
        for change in changes[:limit]:
            finding = change.finding
            accepted = " *(accepted)*" if finding.accepted else ""
            yield f"- `{finding.code}` {finding.severity}: {escaped(_about(change))}{accepted}"
        yield from (f"- {line}" for line in _more(len(changes), limit))
    yield from _left_out(found)


def _json(found: Comparison) -> Iterator[str]:
    head = dump({"schema": SCHEMA, "unchanged": found.n_unchanged, "not_run": list(found.not_run)})
    yield head[:-1] + ', "changes": ['
    for n, change in enumerate(found.changes, 1):
        entry = {"kind": change.kind, "old": _brief(change.old), "new": _brief(change.new)}
        yield dump(entry) + ("," if n < len(found.changes) else "")
    yield "]}"


def _brief(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "id": finding.id,
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "splits": list(finding.splits),
        "n_samples": finding.n_samples,
        "accepted": finding.accepted is not None,
    }


def _head(found: Comparison) -> str:
    counts = [f"{len(found.of(kind)):,} {kind}" for kind in KINDS if found.of(kind)]
    return f"{', '.join(counts) or 'nothing changed'}; {found.n_unchanged:,} unchanged"


def _about(change: Change) -> str:
    if change.old and change.new and change.old.n_samples != change.new.n_samples:
        return f"{change.old.n_samples:,} → {change.new.n_samples:,} samples: {plain(change.new.message)}"
    return plain(change.finding.message)


def _more(n: int, limit: int | None) -> Iterator[str]:
    if limit is not None and n > limit:
        yield f"… and {n - limit:,} more (--all)"


def _left_out(found: Comparison) -> Iterator[str]:
    if found.not_run:
        yield ""
        yield f"{', '.join(found.not_run)} found something before and came to no result now: not compared"
