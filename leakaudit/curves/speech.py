"""How the rules speak: rows, shares and callbacks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from leakaudit.curves.replay import Plateau
from leakaudit.history import History, RuleOutcome, RuleStatus, Unit
from leakaudit.model import Scalar, Severity

if TYPE_CHECKING:
    import numpy as np


def speaker(rule: str, code: str | None) -> Callable[[RuleStatus, Severity, str, Mapping[str, Scalar]], RuleOutcome]:
    """A function that makes the outcomes of one rule."""

    def say(status: RuleStatus, severity: Severity, message: str, metrics: Mapping[str, Scalar]) -> RuleOutcome:
        return RuleOutcome(rule, code, status, severity, message, metrics)

    return say


def at(history: History, row: int | np.intp) -> float:
    """The epoch of a row."""
    return float(history.epoch[row])


UNITS: dict[Unit, str] = {"epoch": "epoch", "iteration": "boosting round", "step": "step"}


def unit(history: History, n: int = 1) -> str:
    """What a row is called, in the plural where there are several: ``boosting rounds``.

    Evaluations that are known by their step are called so where they are counted.
    """
    word = UNITS[history.unit]
    return word if n == 1 else f"{'evaluation' if history.unit == 'step' else word}s"


def row_name(history: History, row: int | np.intp, *, bare: bool = False) -> str:
    """``epoch 10``, or only its number."""
    number = float(history.epoch[row])
    shown = f"{int(number)}" if number == int(number) else f"{number:.2f}"
    return shown if bare else f"{unit(history)} {shown}"


def percent(share: float) -> str:
    """A share that is worth reading: all of it at most, nothing at least."""
    if share >= 1:
        return "all of it"
    return "nothing" if share <= 0 else f"{100 * share:.0f} %"


def gap_text(gap: float) -> str:
    """``gap 0.240``; where validation is the better one, that is said instead of a minus sign."""
    return f"gap {gap:.3f}" if gap >= 0 else f"{-gap:.3f} above training"


def plateau_name(rule: Plateau) -> str:
    """The callback as Keras, PyTorch and Lightning call it."""
    return f"ReduceLROnPlateau(factor={rule.factor:g}, patience={rule.patience})"
