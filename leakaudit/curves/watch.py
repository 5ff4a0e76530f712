"""Signs between healthy and overfitting: no findings yet, but worth watching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leakaudit.curves.holdout import EPSILON
from leakaudit.curves.measures import falls, jitter, rises_at_end
from leakaudit.curves.settings import Settings
from leakaudit.curves.speech import row_name, speaker, unit
from leakaudit.history import History, RuleOutcome

if TYPE_CHECKING:
    from leakaudit.model import Scalar


def near_perfect_training(history: History, settings: Settings) -> RuleOutcome:
    """Training nearly without errors, validation with many times as many.

    A small gap hides it: 0.9998 and 0.9756 lie 0.024 apart, and yet 122 times as many validation samples are wrong.
    """
    say = speaker("near-perfect-training", "LA404")
    import numpy as np

    limits = settings.thresholds
    rows = np.flatnonzero(np.isfinite(history.train_accuracy) & np.isfinite(history.val_accuracy))
    if not len(rows):
        return say("skipped", "info", f"needs {history.metric} on both splits", {})
    train, val = float(history.train_accuracy[rows[-1]]), float(history.val_accuracy[rows[-1]])
    wrong, wrong_val = 1 - train, 1 - val
    ratio = wrong_val / wrong if wrong > EPSILON else None
    metrics: dict[str, Scalar] = {"train_error": wrong, "val_error": wrong_val, "error_ratio": ratio}
    many = wrong_val > EPSILON if ratio is None else ratio >= limits.error_ratio - EPSILON
    if train < limits.overfit_accuracy - EPSILON or not many:
        return say("passed", "info", "training is not nearly perfect, or validation is about as good", metrics)
    if ratio is None:
        message = f"training is perfect, validation error {_percent(wrong_val)}"
    else:
        message = (
            f"training is near perfect: validation error {_percent(wrong_val)} is {ratio:.0f} times "
            f"the training error {_percent(wrong)}"
        )
    gap = train - val >= limits.near_perfect_gap - EPSILON
    return say("failed" if gap else "noted", "info", message, metrics)


def validation_loss_turning(history: History, settings: Settings) -> RuleOutcome:
    """Validation loss that has begun to rise while training loss falls, by too little to be a finding."""
    say = speaker("validation-loss-turning", "LA404")
    import numpy as np

    limits = settings.thresholds
    rows = np.flatnonzero(np.isfinite(history.val_loss))
    if len(rows) < limits.rises + 1:
        return say("skipped", "info", "too few rows with a validation loss", {})
    loss, train = history.val_loss[rows], history.train_loss[rows]
    best, noise = int(loss.argmin()), jitter(loss)
    around = float(np.median(loss[max(0, best - 1) : best + 2]))
    scale = abs(around) if loss.min() > 0 else float(np.ptp(loss)) or 1.0
    run = rises_at_end(loss)
    metrics: dict[str, Scalar] = {"rises": run, "jitter": noise}
    start = len(loss) - 1 - run
    rise = float(loss[-1] - loss[start])
    counts = _counts(rise, limits.watch_share * scale, settings, noise)
    if run >= limits.rises and best >= start and counts and falls(train, start):
        listed = ", ".join(f"{value:.4g}" for value in loss[start:][-6:])
        since = f"since {row_name(history, rows[start])}"
        message = f"validation loss has risen {run} {unit(history, run)} in a row {since} ({listed})"
        return say("failed", "info", message + _while(train), metrics)
    drift = float(np.median(loss[-3:])) - around
    counts = _counts(drift, limits.watch_drift * scale, settings, noise)
    if len(loss) - 1 - best >= limits.rises and counts and falls(train, best):
        from_best = f"{loss[best]:.4g} at {row_name(history, rows[best])}"
        message = f"validation loss ends {drift / scale:.0%} above its lowest level, {from_best}"
        return say("failed", "info", message + _while(train), metrics)
    return say("passed", "info", "validation loss does not turn", metrics)


def _counts(rise: float, least: float, settings: Settings, noise: float) -> bool:
    """Whether a rise is large enough, and larger than the noise from row to row."""
    return rise >= least - EPSILON and rise > settings.thresholds.jitter_multiple * noise


def _while(train: object) -> str:
    import numpy as np

    return "" if np.isnan(np.asarray(train, dtype=np.float64)).all() else ", while training loss falls"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.1f} %"
