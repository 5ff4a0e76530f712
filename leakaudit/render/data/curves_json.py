"""Histories as JSON, version ``leakaudit-curves/1``: series, outcomes, verdicts, comparisons.

Unknown and infinite values are null; ``n_nonfinite`` of a history says how many losses were NaN or infinite.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from leakaudit.history import Comparison, Contrast, CurvesReport, Diagnosis, Interval, Measured, RuleOutcome, Tests
from leakaudit.render.data.report_json import ascii_only, dump

if TYPE_CHECKING:
    from leakaudit.history import Floats

SCHEMA = "leakaudit-curves/1"
"""Version of the structure; it changes when a key is removed or changes its meaning, not when one is added."""

SERIES = ("epoch", "train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr")
THIRD = ("test_loss", "test_accuracy")
"""Series of a third set, only where the history has one."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a report on histories, as published in the package."""
    import json
    from importlib.resources import files

    text = files("leakaudit.render").joinpath("schema", "leakaudit-curves-1.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def to_json(report: CurvesReport) -> str:
    """The whole report as one JSON text, ending in a newline."""
    return "".join(json_lines(report))


def write(report: CurvesReport, stream: TextIO) -> None:
    """Write the report; a stream that is not Unicode gets ASCII only, with nothing lost."""
    unicode = codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name.startswith("utf")
    for line in json_lines(report):
        stream.write(line if unicode else ascii_only(line))


def json_lines(report: CurvesReport) -> Iterator[str]:
    """The report as lines that together are one JSON object; one history is one line."""
    yield "{\n"
    yield f'"schema": {dump(SCHEMA)},\n'
    yield f'"tool": {dump({"name": "leakaudit", "version": report.version})},\n'
    histories = ",\n".join(dump(_diagnosis(diagnosis)) for diagnosis in report.diagnoses)
    yield f'"histories": [\n{histories}\n],\n'
    comparisons = ",\n".join(dump(_comparison(comparison)) for comparison in report.comparisons)
    yield f'"comparisons": [{comparisons}],\n'
    yield f'"comparison_notes": {dump(list(report.comparison_notes))},\n'
    yield f'"confidence": {dump(report.confidence)},\n'
    yield f'"worst": {dump(report.worst)}\n'
    yield "}\n"


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    import numpy as np

    history = diagnosis.history
    losses = np.r_[history.train_loss, history.val_loss]
    return {
        "source": history.source,
        "run": history.run,
        "val_set": history.val_set,
        "group": history.group,
        "format": history.format,
        "unit": history.unit,
        "train_loss_kind": history.train_loss_kind,
        "val_weights": history.val_weights,
        "notes": list(history.notes),
        "n_nonfinite": int(np.isinf(losses).sum()),
        "verdict": diagnosis.verdict,
        "summary": diagnosis.summary,
        "outcomes": [_outcome(outcome) for outcome in diagnosis.outcomes],
        "steps": list(diagnosis.steps),
        "series": {name: _series(getattr(history, name)) for name in SERIES}
        | {"corrected_train_loss": _series(diagnosis.corrected_train_loss)}
        | {name: _series(values) for name in THIRD if (values := getattr(history, name)) is not None},
        "metric": history.metric,
        "measured": None if diagnosis.measured is None else _measured(diagnosis.measured),
    }


def _measured(measured: Measured) -> dict[str, Any]:
    return {
        "gap": measured.gap,
        "terms": [
            {"name": term.name, "value": term.value, "low": term.low, "high": term.high, "meaning": term.meaning}
            for term in measured.terms
        ],
        "advice": list(measured.advice),
        "limits": list(measured.limits),
    }


def _series(values: Floats) -> list[float | None]:
    import numpy as np

    return [value if finite else None for value, finite in zip(values.tolist(), np.isfinite(values), strict=True)]


def _outcome(outcome: RuleOutcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "code": outcome.code,
        "status": outcome.status,
        "severity": outcome.severity if outcome.status == "failed" else None,
        "message": outcome.message,
        "metrics": dict(sorted(outcome.metrics.items())),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "quantity": comparison.quantity,
        "label": comparison.label,
        "groups": {name: _interval(interval) for name, interval in comparison.groups.items()},
        "zero_test": None if comparison.zero_test is None else _tests(comparison.zero_test),
        "contrasts": [_contrast(contrast) for contrast in comparison.contrasts],
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "values": list(interval.values),
    }


def _tests(tests: Tests) -> dict[str, Any]:
    return {"t_p": tests.t_p, "wilcoxon_p": tests.wilcoxon_p}


def _contrast(contrast: Contrast) -> dict[str, Any]:
    return {
        "a": contrast.a,
        "b": contrast.b,
        "difference": contrast.difference,
        "low": contrast.low,
        "high": contrast.high,
        "tests": _tests(contrast.tests),
    }
