"""What the rules may use beside a history."""

from __future__ import annotations

from dataclasses import dataclass, field

from leakaudit.curves.replay import EarlyStopping, Plateau
from leakaudit.curves.thresholds import Thresholds
from leakaudit.history import Modality


@dataclass(frozen=True, slots=True)
class Holdout:
    """What the model scores on a set that nothing was chosen by.

    Parameters
    ----------
    name : str
    accuracy, loss : float or None
        At least one is known.
    n : int or None
        Samples, for an interval.
    """

    name: str
    accuracy: float | None = None
    loss: float | None = None
    n: int | None = None


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
    holdouts : tuple of Holdout
        Scores on sets that nothing was chosen by.
    n_val : int or None
        Samples in the validation set, for intervals.
    modality : Modality or None
        What the samples are, where the user says so; else it is told from the format where that says it.
    """

    val_is_test: bool = False
    early_stopping: EarlyStopping = field(default_factory=EarlyStopping)
    plateau: Plateau = field(default_factory=Plateau)
    thresholds: Thresholds = field(default_factory=Thresholds)
    holdouts: tuple[Holdout, ...] = ()
    n_val: int | None = None
    modality: Modality | None = None
