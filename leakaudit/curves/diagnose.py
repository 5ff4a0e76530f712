"""From a history to a verdict: all rules, one word, one sentence, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leakaudit.curves.advice import steps
from leakaudit.curves.rules import RULES
from leakaudit.curves.settings import Settings
from leakaudit.curves.speech import unit
from leakaudit.curves.timing import corrected_train_loss
from leakaudit.history import Diagnosis, History, Modality, RuleOutcome, RuleStatus, VerdictWord
from leakaudit.model import Severity

DECIDING = ("overfitting", "rising-validation-loss")
"""Rules of which at least one must be able to tell for a run to be called healthy."""


def diagnose(history: History, settings: Settings | None = None) -> Diagnosis:
    """Apply every rule to one history.

    Parameters
    ----------
    history : History
    settings : Settings, optional

    Returns
    -------
    Diagnosis
    """
    settings = settings or Settings()
    outcomes = _once(tuple(rule(history, settings) for rule in RULES))
    return concluded(history, outcomes, settings.modality)


def concluded(history: History, outcomes: tuple[RuleOutcome, ...], modality: Modality | None = None) -> Diagnosis:
    """Verdict, summary and steps that follow from outcomes."""
    verdict = _verdict(outcomes)
    return Diagnosis(
        history=history,
        verdict=verdict,
        summary=_summary(history, verdict, outcomes),
        outcomes=outcomes,
        steps=steps(history, verdict, outcomes, modality),
        corrected_train_loss=corrected_train_loss(history),
    )


ONCE: tuple[tuple[str, str, RuleStatus], ...] = (
    ("rising-validation-loss", "validation-loss-turning", "passed"),
    ("overfitting", "near-perfect-training", "noted"),
)
"""Where the first rule fails, the second says less of the same: its outcome is this then."""


def _once(outcomes: tuple[RuleOutcome, ...]) -> tuple[RuleOutcome, ...]:
    """Nothing is a finding twice."""
    failed = {outcome.rule for outcome in outcomes if outcome.status == "failed"}
    milder = {second: status for first, second, status in ONCE if first in failed}
    return tuple(
        replace(outcome, status=milder[outcome.rule])
        if outcome.rule in milder and outcome.status == "failed"
        else outcome
        for outcome in outcomes
    )


BY_RULE: tuple[tuple[str, Severity | None, VerdictWord], ...] = (
    ("non-finite-loss", None, "diverged"),
    ("overfitting", None, "overfitting"),
    ("rising-validation-loss", None, "overfitting"),
    ("holdout-drop", "warning", "overfitting"),
    ("unstable-loss", None, "unstable"),
    ("near-perfect-training", None, "watch"),
    ("validation-loss-turning", None, "watch"),
    ("holdout-drop", "info", "watch"),
    ("underfitting", None, "perhaps underfit"),
)
"""What the failure of a rule (of this severity) is called, worst first."""


def _verdict(outcomes: Sequence[RuleOutcome]) -> VerdictWord:
    failed = {outcome.rule: outcome.severity for outcome in outcomes if outcome.status == "failed"}
    for rule, severity, word in BY_RULE:
        if rule in failed and severity in (None, failed[rule]):
            return word
    told = any(outcome.status == "passed" for outcome in outcomes if outcome.rule in DECIDING)
    return "healthy" if told else "cannot tell"


def _summary(history: History, verdict: VerdictWord, outcomes: Sequence[RuleOutcome]) -> str:
    """The outcome that decided; of a healthy run first what asks for an answer, a validation loss below training."""
    of = {outcome.rule: outcome for outcome in outcomes}
    if verdict == "cannot tell":
        return "; ".join(of[rule].message for rule in DECIDING)
    for rule, severity, word in BY_RULE:
        if word == verdict and of[rule].status == "failed" and severity in (None, of[rule].severity):
            return of[rule].message
    passed = [of[rule].message for rule in DECIDING if of[rule].status == "passed"]
    few = f" ({len(history)} {unit(history, len(history))} only)" if len(history) < FEW_ROWS else ""
    low = of["low-validation-loss"]
    if low.metrics.get("unexplained") or low.metrics.get("measured"):
        return f"{low.message.split('. ')[0]}. {capital('; '.join(passed))}{few}"
    return "; ".join(passed) + few


FEW_ROWS = 4
"""A verdict from fewer rows says so."""


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
