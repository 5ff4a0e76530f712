"""What the rules may use beside a history."""

from __future__ import annotations

from dataclasses import dataclass, field

from leakaudit.curves.replay import EarlyStopping, Plateau
from leakaudit.curves.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Settings:
    """How to judge.

    Parameters
    ----------
    val_is_test : bool, default False
        The validation set is the test set: whatever was chosen by it makes the test score optimistic.
    early_stopping, plateau
        What is replayed.
    thresholds : Thresholds
    """

    val_is_test: bool = False
    early_stopping: EarlyStopping = field(default_factory=EarlyStopping)
    plateau: Plateau = field(default_factory=Plateau)
    thresholds: Thresholds = field(default_factory=Thresholds)
