"""The report as JSON, version ``leakaudit-report/1``: everything, in a fixed order, byte-identical for equal reports.

One finding is one line, so that a big report streams, diffs and greps well. Characters that are invisible or act on a
terminal are written as JSON escapes, which lose nothing; lone surrogates, which no JSON reader must accept, become
visible text (``\\udc80``); NaN and the infinities, which JSON lacks, become null.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, TextIO, TypeAlias

from leakaudit.model import (
    Evidence,
    Excerpt,
    Finding,
    Outcome,
    ProbeReport,
    Problem,
    Report,
    Sample,
    SamplePair,
    Unclaimed,
)
from leakaudit.render.words.plain import HIDDEN_CATEGORIES
from leakaudit.render.words.summary import headline

SCHEMA = "leakaudit-report/1"
"""Version of the structure; it changes when a key is removed or changes its meaning, not when one is added."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report, as published in the package."""
    from importlib.resources import files

    text = files("leakaudit.render").joinpath("schema", "leakaudit-report-1.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def to_json(report: Report) -> str:
    """The whole report as one JSON text, ending in a newline."""
    return "".join(json_lines(report))


def write(report: Report, stream: TextIO) -> None:
    """Write the report line by line; a stream that is not Unicode gets ASCII only, with nothing lost."""
    to_ascii = not codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf")
    for line in json_lines(report):
        stream.write(ascii_only(line) if to_ascii else line)


def json_lines(report: Report) -> Iterator[str]:
    """The report as lines that together are one JSON object."""
    yield "{\n"
    yield f'"schema": {dump(SCHEMA)},\n'
    yield f'"tool": {dump({"name": "leakaudit", "version": report.version})},\n'
    yield f'"dataset": {dump(_dataset(report))},\n'
    yield f'"coverage": {dump(_coverage(report))},\n'
    yield '"outcomes": ['
    yield from _array(sorted(report.outcomes, key=lambda outcome: outcome.code), _outcome)
    yield '],\n"findings": ['
    yield from _array(report.findings, _finding)
    yield f'],\n"notes": {dump(list(report.notes))},\n'
    if report.accepted.sources:
        yield f'"accepted": {dump(_accepted(report))},\n'
    if report.probe is not None:
        yield f'"probe": {dump(_probe(report.probe))},\n'
    yield f'"verdict": {dump(_verdict(report))}\n'
    yield "}\n"


def _verdict(report: Report) -> dict[str, Any]:
    verdict, said = report.verdict, headline(report).line
    return {"status": verdict.status, "exit_code": verdict.exit_code, "reason": verdict.reason, "headline": said}


def _array(items: Iterable[Any], as_dict: Callable[[Any], dict[str, Any]]) -> Iterator[str]:
    """The items of an array, each on a line of its own."""
    before = "\n"
    for item in items:
        yield before + dump(as_dict(item))
        before = ",\n"
    if before != "\n":
        yield "\n"


def _dataset(report: Report) -> dict[str, Any]:
    splits = {name: {"n": split.n, "labels": _sorted(split.labels)} for name, split in report.splits.items()}
    return {
        "root": report.root,
        "kind": report.kind,
        "layout": report.layout.name,
        "layout_why": report.layout.why,
        "splits": splits,
    }


def _unclaimed(each: Unclaimed) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "n": each.n,
        "bytes": each.n_bytes,
        "example": each.example,
        "is_blind_spot": each.is_blind_spot,
    }


def _coverage(report: Report) -> dict[str, Any]:
    coverage = report.coverage
    return {
        "read": coverage.n_read,
        "unreadable": coverage.n_unreadable,
        "pointers": coverage.n_pointers,
        "unsupported": coverage.n_unsupported,
        "blind_in": _sorted(coverage.blind_in),
        "other_files": coverage.n_other_files,
        "problems": [_problem(problem) for problem in coverage.problems],
        "skipped_checks": _sorted(coverage.skipped_checks),
        "not_applicable": sorted(coverage.not_applicable),
        "sampled": list(coverage.sampled),
        **({"unclaimed": [_unclaimed(each) for each in coverage.unclaimed]} if coverage.unclaimed else {}),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {"uri": problem.uri, "kind": problem.kind, "reason": problem.reason, "split": problem.split}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    metrics = {
        name: _sorted(value) if isinstance(value, Mapping) else value
        for name, value in _sorted(outcome.metrics).items()
    }
    return {
        "code": outcome.code,
        "slug": outcome.slug,
        "status": outcome.status,
        "reason": outcome.reason,
        "metrics": metrics,
        "seconds": outcome.seconds,
    }


def _accepted(report: Report) -> dict[str, Any]:
    use = report.accepted
    return {
        "sources": list(use.sources),
        "findings": use.n_findings,
        "expired": list(use.expired),
        "vanished": list(use.vanished),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": finding.id,
        "code": finding.code,
        "slug": finding.slug,
        "severity": finding.severity,
        "message": finding.message,
        "splits": list(finding.splits),
        "n_samples": finding.n_samples,
        "effect": _sorted(finding.effect),
        "evidence": _evidence(finding.evidence),
    }
    if accepted := finding.accepted:
        shown["accepted"] = {"reason": accepted.reason, "expires": accepted.expires, "source": accepted.source}
    return shown


def _evidence(evidence: Evidence) -> dict[str, Any]:
    breakdown = evidence.breakdown
    return {
        "pairs": [_pair(pair) for pair in evidence.pairs],
        "n_pairs": evidence.n_pairs,
        "samples": [_sample(sample) for sample in evidence.samples],
        "n_samples": evidence.n_samples,
        "breakdown": {"columns": list(breakdown.columns), "rows": [list(row) for row in breakdown.rows]}
        if breakdown
        else None,
    }


def _pair(pair: SamplePair) -> dict[str, Any]:
    shown: dict[str, Any] = {"a": _sample(pair.a), "b": _sample(pair.b), "score": pair.score, "note": pair.note}
    if (overlap := pair.overlap) is not None:
        shown["overlap"] = {"column": overlap.column, "a": _excerpt(overlap.a), "b": _excerpt(overlap.b)}
    return shown


def _excerpt(excerpt: Excerpt) -> dict[str, Any]:
    return {"text": excerpt.text, "marks": [list(mark) for mark in excerpt.marks]}


def _sample(sample: Sample) -> dict[str, Any]:
    shown: dict[str, Any] = {"uri": sample.uri, "split": sample.split, "label": sample.label}
    if sample.row is not None:
        shown["row"] = dict(sample.row)  # in the order of the file's columns, which is how people know their table
    if sample.reason is not None:
        shown["reason"] = sample.reason
    return shown


def _probe(probe: ProbeReport) -> dict[str, Any]:
    samples = {name: [_sample(sample) for sample in getattr(probe, name)] for name in ("hardest", "memorised")}
    return {**asdict(probe), **samples}


def _sorted(mapping: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(mapping.items()))


# --- what JSON cannot hold ------------------------------------------------------------------------------------

_UNSAFE = re.compile("[^ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482]")
"""What may need an escape; a cheap first sieve that lets Latin, Greek and Cyrillic letters through."""


Value: TypeAlias = Any
"""Anything that a mapping of a report may hold; most of it JSON knows."""


def dump(value: Value) -> str:
    """A value as JSON on one line: what is invisible is escaped, what JSON cannot hold is null or text."""
    try:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_scalar)
    except ValueError:  # NaN or an infinity somewhere inside: rare, so only then is the value walked in Python
        line = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return line if line.isascii() and line.isprintable() else _UNSAFE.sub(_escape, line)


def _scalar(value: Value) -> Value:
    """NumPy numbers as Python's; anything else (dates, decimals, bytes) as its text."""
    return value.item() if hasattr(value, "item") else str(value)


def _finite(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _finite(_scalar(value))


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    category = unicodedata.category(character)
    if category == "Cs":
        return f"\\\\u{ord(character):04x}"
    return _unit_escapes(character) if category in HIDDEN_CATEGORIES else character


def ascii_only(line: str) -> str:
    """JSON without any character beyond ASCII, nothing lost."""
    return re.sub(r"[^\x00-\x7f]", lambda match: _unit_escapes(match[0]), line)


def _unit_escapes(character: str) -> str:
    """A character as one JSON escape, or as the two of its surrogate pair (RFC 8259, section 7)."""
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
