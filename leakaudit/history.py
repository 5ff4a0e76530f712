"""The nouns of training histories: what a run logged, what the rules say about it, how runs compare.

Frozen dataclasses over plain values and NumPy, as in `leakaudit.model`. Data flows one way::

    curves.READERS -> History -> curves.RULES -> RuleOutcome -> Diagnosis -> CurvesReport -> render
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from leakaudit.model import SEVERITIES, Scalar, Severity

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

TrainLossKind = Literal["epoch_mean", "window_mean", "ema", "eval_end"]
"""What a logged training loss is: the mean over the epoch while the weights moved (Keras, timm, skorch), the mean over
the steps since the last evaluation (Hugging Face, Lightning), an exponential moving average (fastai), or the loss of
the weights at the end (boosting libraries). Only the last is comparable with the validation loss as it stands."""

ValWeights = Literal["raw", "ema"]
"""Whether the weights that were validated are those being trained, or their moving average (Ultralytics)."""

Unit = Literal["epoch", "iteration", "step"]
"""What one row of a history is: an epoch, a boosting iteration, or an evaluation that is known by its step only."""

Modality = Literal["picture", "table", "text", "sound", "series"]
"""What the samples of a run are."""

RuleStatus = Literal["passed", "noted", "failed", "inconclusive", "skipped"]
"""``failed``: a finding. ``noted``: a measured fact worth reading that is no finding. ``inconclusive``: too short to
tell. ``skipped``: the file lacks what the rule needs."""

VerdictWord = Literal["healthy", "watch", "overfitting", "unstable", "diverged", "perhaps underfit", "cannot tell"]
"""``watch`` lies between healthy and overfitting: a sign that is no finding yet."""


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """What one training run logged about one validation set; all arrays have shape (n,), NaN where unknown.

    Parameters
    ----------
    source : str
        The file or folder, as the user gave it.
    run, val_set : str
        Tell several runs of one source apart, and several validation sets of one run; "" where there is only one.
    format : str
        Name of the reader, as in `leakaudit.curves.READERS`.
    epoch : ndarray of float64, shape (n,)
        As logged (0- or 1-based), strictly increasing; fractions where a run was evaluated within epochs.
    train_loss, val_loss : ndarray of float64, shape (n,)
        In the units of the loss. Infinite where the file says NaN or infinity, NaN where it says nothing.
    train_accuracy, val_accuracy : ndarray of float64, shape (n,)
        Shares in [0, 1].
    lr : ndarray of float64, shape (n,)
        Learning rate in use during the row.
    train_loss_kind : TrainLossKind
    val_weights : ValWeights
    unit : Unit
    group : str
        Runs of the same group are pooled in a comparison; "" unless the user named one.
    notes : tuple of str
        What was assumed, merged or left out while reading.
    test_loss, test_accuracy : ndarray of float64, shape (n,), or None
        Of a third set beside training and validation, where one was logged.
    metric : str, default "accuracy"
        What the accuracies are: ``accuracy``, or the score that stands in for it (mAP, F1, AUC).
    """

    source: str
    run: str
    val_set: str
    format: str
    epoch: Floats
    train_loss: Floats
    val_loss: Floats
    train_accuracy: Floats
    val_accuracy: Floats
    lr: Floats
    train_loss_kind: TrainLossKind = "epoch_mean"
    val_weights: ValWeights = "raw"
    unit: Unit = "epoch"
    group: str = ""
    notes: tuple[str, ...] = ()
    test_loss: Floats | None = None
    test_accuracy: Floats | None = None
    metric: str = "accuracy"

    def __len__(self) -> int:
        return len(self.epoch)

    @property
    def name(self) -> str:
        """Run and validation set, as far as the source holds several."""
        return " ".join(filter(None, (self.run, self.val_set)))


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule says about one history.

    Parameters
    ----------
    code : str or None
        Code of the check of the same meaning in a scan (LA401, LA404, LA405); None where there is none.
    rule : str
        Slug.
    severity : {"error", "warning", "info"}
        Of the finding, when `status` is ``failed``.
    message : str
        One sentence with its numbers, whatever the status.
    metrics : mapping
        What was measured.
    """

    rule: str
    code: str | None
    status: RuleStatus
    severity: Severity
    message: str
    metrics: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeasuredTerm:
    """One measured part of the difference between training and validation loss; no interval where it has none."""

    name: str
    value: float
    low: float | None
    high: float | None
    meaning: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What a callback measured during the run, at its last epoch: the same as ``attribute(history=…)`` gives.

    Parameters
    ----------
    gap : float
        Reported training loss minus reported validation loss; the terms add up to it.
    advice, limits : tuple of str
        What it means, and what must be read with the figures.
    """

    gap: float
    terms: tuple[MeasuredTerm, ...]
    advice: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One history with everything said about it.

    Parameters
    ----------
    verdict : VerdictWord
    summary : str
        One sentence for the verdict.
    outcomes : tuple of RuleOutcome
        One a rule, in the order of `leakaudit.curves.rules.RULES`.
    steps : tuple of str
        What to do next, most useful first.
    corrected_train_loss : ndarray of float64, shape (n,)
        The training loss shifted to the end of the rows (`leakaudit.curves.timing`); NaN where it needs no correction.
    measured : Measured or None
        Only of a file that a callback of `leakaudit.callbacks` wrote.
    """

    history: History
    verdict: VerdictWord
    summary: str
    outcomes: tuple[RuleOutcome, ...]
    steps: tuple[str, ...]
    corrected_train_loss: Floats
    measured: Measured | None = None

    @property
    def findings(self) -> tuple[RuleOutcome, ...]:
        """Outcomes that failed, worst first."""
        failed = (outcome for outcome in self.outcomes if outcome.status == "failed")
        return tuple(sorted(failed, key=lambda outcome: SEVERITIES.index(outcome.severity)))

    def outcome(self, rule: str) -> RuleOutcome:
        """The outcome of the rule of this slug."""
        return next(outcome for outcome in self.outcomes if outcome.rule == rule)


@dataclass(frozen=True, slots=True)
class Interval:
    """Mean over n runs with a two-sided t interval; `low` and `high` are None where n is 1."""

    mean: float
    low: float | None
    high: float | None
    n: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One quantity over several runs.

    Parameters
    ----------
    quantity : str
        Slug, such as ``best_val_loss``.
    label : str
        The same for people.
    groups : mapping of str to Interval
        By group of runs; "" where the user named none.
    contrasts : tuple of Contrast
        Every later group against the first.
    zero_test : Tests or None
        For paired differences (gaps): whether they are 0 in the first group.
    """

    quantity: str
    label: str
    groups: Mapping[str, Interval]
    contrasts: tuple[Contrast, ...] = ()
    zero_test: Tests | None = None


@dataclass(frozen=True, slots=True)
class Tests:
    """Two p values, two-sided, of the same question: Student's or Welch's t, and Wilcoxon's."""

    t_p: float | None
    wilcoxon_p: float | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """Difference of the means of two groups of runs, with Welch's interval."""

    a: str
    b: str
    difference: float
    low: float
    high: float
    tests: Tests


@dataclass(frozen=True, slots=True)
class CurvesReport:
    """Everything that a renderer of histories needs.

    Parameters
    ----------
    version : str
        Of leakaudit.
    diagnoses : tuple of Diagnosis
        In the order in which the files were given.
    comparisons : tuple of Comparison
        Empty for fewer than two runs.
    comparison_notes : tuple of str
        What makes the runs hard to compare.
    confidence : float
        Of all intervals.
    """

    version: str
    diagnoses: tuple[Diagnosis, ...]
    comparisons: tuple[Comparison, ...] = ()
    comparison_notes: tuple[str, ...] = ()
    confidence: float = 0.95

    @property
    def worst(self) -> Severity | None:
        """Severity of the worst finding."""
        found = [outcome.severity for diagnosis in self.diagnoses for outcome in diagnosis.findings]
        return min(found, key=SEVERITIES.index) if found else None
