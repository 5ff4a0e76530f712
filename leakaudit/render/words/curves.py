"""What every format says about histories in the same words: headline, tones, what was read, numbers."""

from __future__ import annotations

import math
from collections import Counter
from typing import Literal

from leakaudit.curves.speech import unit
from leakaudit.history import (
    Contrast,
    CurvesReport,
    Diagnosis,
    History,
    Interval,
    MeasuredTerm,
    RuleOutcome,
    Tests,
    TrainLossKind,
    VerdictWord,
)

Tone = Literal["error", "warning", "info", "passed", "muted"]

KINDS: dict[TrainLossKind, str] = {
    "epoch_mean": "mean over the epoch",
    "window_mean": "mean since the evaluation before",
    "ema": "moving average over batches",
    "eval_end": "of the model at the end",
}


def tone(diagnosis: Diagnosis) -> Tone:
    """How serious the worst finding is; ``muted`` where nothing could be told."""
    if diagnosis.verdict == "cannot tell":
        return "muted"
    if diagnosis.verdict == "healthy":
        return "passed"
    return diagnosis.findings[0].severity if diagnosis.findings else "passed"


def report_tone(report: CurvesReport) -> Tone:
    """The tone of the worst history."""
    order: tuple[Tone, ...] = ("error", "warning", "info", "muted", "passed")
    return min((tone(diagnosis) for diagnosis in report.diagnoses), key=order.index)


def headline(report: CurvesReport) -> str:
    """The verdicts in one line."""
    if len(report.diagnoses) == 1:
        return capital(report.diagnoses[0].verdict)
    counts = Counter(diagnosis.verdict for diagnosis in report.diagnoses)
    order: tuple[VerdictWord, ...] = (
        "diverged",
        "overfitting",
        "unstable",
        "watch",
        "perhaps underfit",
        "cannot tell",
        "healthy",
    )
    parts = [f"{counts[word]} {word}" for word in order if counts[word]]
    return f"{len(report.diagnoses)} histories: {', '.join(parts)}"


def beyond(diagnosis: Diagnosis, outcome: RuleOutcome) -> str:
    """What an outcome says that the summary does not; a sentence stands on a page once."""
    told = [sentence for sentence in outcome.message.split(". ") if sentence not in _decapitalised(diagnosis.summary)]
    return ". ".join(told)


def _decapitalised(summary: str) -> str:
    """The summary with every sentence also in small letters, as outcomes begin."""
    parts = summary.split(". ")
    return ". ".join([*parts, *(part[:1].lower() + part[1:] for part in parts)])


def term_text(term: MeasuredTerm) -> str:
    """``+0.123 [0.100, 0.146]``."""
    between = "" if term.low is None or term.high is None else f" [{term.low:+.3f}, {term.high:+.3f}]"
    return f"{term.value:+.3f}{between}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def read_as(history: History) -> str:
    """One line on what was read and how."""
    n = len(history)
    parts = [history.format, f"{n:,} {unit(history, n) if n != 1 else unit(history)}"]
    if any(math.isfinite(value) for value in history.train_loss.tolist()):
        parts.append(f"training loss: {KINDS[history.train_loss_kind]}")
    if history.val_weights == "ema":
        parts.append("validated weights: moving average")
    return " · ".join(parts)


def series(history: History, name: str) -> list[float]:
    """An array of the history as a list; empty where the history has none of the kind."""
    values = getattr(history, name)
    return [] if values is None else list(values.tolist())


def known(values: list[float]) -> list[float]:
    """The values that are there: neither unknown nor infinite."""
    return [value for value in values if math.isfinite(value)]


def number(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}"


def not_judged(diagnosis: Diagnosis) -> list[RuleOutcome]:
    """Findings that could not be looked for, with the reason."""
    if diagnosis.verdict == "cannot tell":  # the summary says it
        return []
    quiet = {"selection-on-test", "learning-rate", "early-stopping", "underfitting", "holdout-drop"}
    quiet |= {"near-perfect-training", "validation-loss-turning"}
    return [o for o in diagnosis.outcomes if o.status in ("skipped", "inconclusive") and o.rule not in quiet]


FEWEST = 3
"""Runs from which an interval is shown: that of two is many times as long as they are apart, and says nothing."""


def interval_text(interval: Interval) -> str:
    """``0.712 [0.690, 0.734], n = 5``; of two runs the mean alone."""
    if interval.low is None or interval.high is None or interval.n < FEWEST:
        return f"{number(interval.mean)}, n = {interval.n}"
    return f"{number(interval.mean)} [{number(interval.low)}, {number(interval.high)}], n = {interval.n}"


def tests_text(tests: Tests) -> str:
    """``t p = 0.01, Wilcoxon p = 0.03``."""
    parts = []
    if tests.t_p is not None:
        parts.append(f"t {_p(tests.t_p)}")
    if tests.wilcoxon_p is not None:
        parts.append(f"Wilcoxon {_p(tests.wilcoxon_p)}")
    return ", ".join(parts)


def contrast_text(contrast: Contrast) -> str:
    """``b minus a: 0.02 [0.01, 0.03], t p = 0.01, …``."""
    a, b = contrast.a or "others", contrast.b or "others"
    between = f"[{number(contrast.low)}, {number(contrast.high)}]"
    return f"{b} minus {a}: {number(contrast.difference)} {between}; {tests_text(contrast.tests)}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
