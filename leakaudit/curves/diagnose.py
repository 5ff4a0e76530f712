"""From a history to a verdict: all rules, one word, one sentence, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from leakaudit.curves.advice import steps
from leakaudit.curves.rules import RULES
from leakaudit.curves.settings import Settings
from leakaudit.curves.timing import corrected_train_loss
from leakaudit.history import Diagnosis, History, RuleOutcome, VerdictWord

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
    outcomes = tuple(rule(history, settings) for rule in RULES)
    verdict = _verdict(outcomes)
    return Diagnosis(
        history=history,
        verdict=verdict,
        summary=_summary(history, verdict, outcomes),
        outcomes=outcomes,
        steps=steps(history, verdict, outcomes),
        corrected_train_loss=corrected_train_loss(history),
    )


def _verdict(outcomes: Sequence[RuleOutcome]) -> VerdictWord:
    failed = {outcome.rule for outcome in outcomes if outcome.status == "failed"}
    by_rule: tuple[tuple[str, VerdictWord], ...] = (
        ("non-finite-loss", "diverged"),
        ("overfitting", "overfitting"),
        ("rising-validation-loss", "overfitting"),
        ("unstable-loss", "unstable"),
        ("underfitting", "perhaps underfit"),
    )
    for rule, word in by_rule:
        if rule in failed:
            return word
    told = any(outcome.status == "passed" for outcome in outcomes if outcome.rule in DECIDING)
    return "healthy" if told else "cannot tell"


def _summary(history: History, verdict: VerdictWord, outcomes: Sequence[RuleOutcome]) -> str:
    of = {outcome.rule: outcome for outcome in outcomes}
    if verdict == "cannot tell":
        reasons = [of[rule].message for rule in DECIDING]
        return "; ".join(reasons)
    failed = [outcome.message for outcome in outcomes if outcome.status == "failed" and outcome.severity != "info"]
    if verdict == "perhaps underfit":
        return of["underfitting"].message
    if failed:
        return failed[0]
    passed = [of[rule].message for rule in DECIDING if of[rule].status == "passed"]
    short = f" ({len(history)} {history.unit}s only)" if 1 < len(history) < 4 else ""
    return "; ".join(passed) + (f" (one {history.unit} only)" if len(history) == 1 else short)
