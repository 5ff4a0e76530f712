"""What can be said from a history alone: one function a rule, each with its measurement apart from its verdict.

No rule ever claims leakage: a validation loss below the training loss has many harmless causes that leave the same
trace (`low_validation_loss`). What a history cannot settle, ``leakaudit scan`` on the data can.

References
----------
Prechelt, L. (1998), "Early stopping, but when?", Neural Networks: Tricks of the Trade (rising validation loss) ·
Smith, L. N. (2018), "A disciplined approach to neural network hyper-parameters", arXiv:1803.09820 (curves and learning
rate) · Keras FAQ, "Why is my training loss much higher than my testing loss?" (timing, regularisation).
"""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING

from leakaudit.curves.holdout import EPSILON, holdout_drop
from leakaudit.curves.measures import (
    accuracy_kept,
    best_level,
    falls,
    first_of_tail,
    jitter,
    last_quarter_share,
    lowest_row,
    rises_at_end,
    since_when,
    swings_of,
    third_rise,
)
from leakaudit.curves.replay import find_plateau, replay_plateau, stop_early
from leakaudit.curves.settings import Settings
from leakaudit.curves.speech import at, gap_text, percent, plateau_name, row_name, speaker, unit
from leakaudit.curves.timing import corrected_train_loss, explained_share
from leakaudit.curves.watch import near_perfect_training, validation_loss_turning
from leakaudit.history import History, RuleOutcome, RuleStatus

if TYPE_CHECKING:
    from leakaudit.model import Scalar

Rule = Callable[[History, Settings], RuleOutcome]


def non_finite(history: History, settings: Settings) -> RuleOutcome:
    """A loss that is NaN or infinite: an error when training ends so, a remark when it recovers."""
    del settings
    say = speaker("non-finite-loss", "LA405")
    import numpy as np

    metrics: dict[str, Scalar] = {}
    ends: list[str] = []
    for name, word in (("train_loss", "training loss"), ("val_loss", "validation loss")):
        values = getattr(history, name)
        known = np.flatnonzero(~np.isnan(values))
        bad = known[np.isinf(values[known])]
        metrics[f"{name}_rows"] = len(bad)
        if len(known) and np.isinf(values[known[-1]]):
            good = known[np.isfinite(values[known])]
            first = int(known[known > good[-1]][0]) if len(good) else int(known[0])
            metrics[f"{name}_from"] = at(history, first)
            ends.append(f"{word} is NaN or infinite from {row_name(history, first)} to the end")
    n = int(metrics["train_loss_rows"] or 0) + int(metrics["val_loss_rows"] or 0)
    if ends:
        return say("failed", "error", "; ".join(ends), metrics)
    if n:
        return say("noted", "info", f"{n:,} losses are NaN or infinite and left out; the run recovered", metrics)
    return say("passed", "error", "every loss is finite", metrics)


def overfitting(history: History, settings: Settings) -> RuleOutcome:
    """Training accuracy far above validation accuracy at the end of the run."""
    say = speaker("overfitting", "LA404")
    import numpy as np

    limits = settings.thresholds
    rows = np.flatnonzero(np.isfinite(history.train_accuracy) & np.isfinite(history.val_accuracy))
    if not len(rows):
        lacking = "training" if not np.isfinite(history.train_accuracy).any() else "validation"
        return say("skipped", "warning", f"needs {history.metric} on both splits; there is none on {lacking}", {})
    train, val = history.train_accuracy[rows], history.val_accuracy[rows]
    gap = train - val
    large = gap >= limits.overfit_gap - EPSILON
    sustained = gap >= limits.sustained_gap - EPSILON
    fitted = train >= limits.overfit_accuracy - EPSILON
    metrics: dict[str, Scalar] = {
        "train_accuracy": float(train[-1]),
        "val_accuracy": float(val[-1]),
        "gap": float(gap[-1]),
        "gap_sustained_from": since_when(history, rows, sustained),
        "gap_large_from": since_when(history, rows, large),
        "train_accuracy_high_from": since_when(history, rows, fitted),
    }
    state = f"training {history.metric} {train[-1]:.3f}, validation {val[-1]:.3f}: {gap_text(gap[-1])}"
    n = limits.sustained_rows
    if fitted[-1] and large[-1]:
        since = max(first_of_tail(large), first_of_tail(fitted))
        return say(
            "failed", "warning", f"{state}; both past the limits since {row_name(history, rows[since])}", metrics
        )
    if len(rows) >= n and sustained[-n:].all():
        message = (
            f"{state}; at least {limits.sustained_gap:g} since {row_name(history, rows[first_of_tail(sustained)])}"
        )
        return say("failed", "warning", message, metrics)
    if gap[-1] >= limits.large_gap - EPSILON:
        return say("failed", "warning", f"{state}; a drop of {limits.large_gap:g} or more", metrics)
    return say("passed", "warning", state, metrics)


def rising_validation_loss(history: History, settings: Settings) -> RuleOutcome:
    """Validation loss that rises for good while training loss falls.

    Three consecutive rises happen by chance in any flat, noisy curve. So the level of the last three rows is compared
    with the level around the best row: the difference must be a share of the loss and a multiple of the row-to-row
    noise (robust standard deviation of second differences). A run that ends within its first rises is judged by the
    size of these rises.
    """
    say = speaker("rising-validation-loss", "LA404")
    import numpy as np

    limits = settings.thresholds
    rows = np.flatnonzero(np.isfinite(history.val_loss))
    if len(rows) < limits.rises + 1:
        if not len(rows):
            return say("skipped", "warning", "needs a validation loss; there is none", {})
        many = f"{len(rows)} row{'s' if len(rows) != 1 else ''} with a validation loss"
        return say("inconclusive", "warning", f"{many}: too few for a trend", {})
    loss = history.val_loss[rows]
    best = int(loss.argmin())
    around = float(np.median(loss[max(0, best - 1) : best + 2]))
    level = float(np.median(loss[-3:]))
    noise = jitter(loss)
    scale = abs(around) if loss.min() > 0 else float(loss.max() - loss.min()) or 1.0
    train = history.train_loss[rows]
    third = third_rise(loss, train, limits.rises)
    metrics: dict[str, Scalar] = {
        "best_val_loss": float(loss[best]),
        "best_at": at(history, rows[best]),
        "last_val_loss": float(loss[-1]),
        "rise_share": (level - around) / scale,
        "jitter": noise,
        "third_rise_at": None if third is None else at(history, rows[third]),
    }
    at_best = f"{loss[best]:.4g} at {row_name(history, rows[best])}"
    rows_after = len(loss) - 1 - best
    lasting = (
        rows_after >= limits.rises
        and level - around >= limits.rise_share * scale
        and level - around > limits.jitter_multiple * noise
    )
    run = rises_at_end(loss)
    ongoing = (
        run >= limits.rises
        and loss[-1] - loss[-1 - run] >= limits.rise_share_short * scale
        and best >= len(loss) - 1 - run
    )
    if (lasting or ongoing) and falls(train, best):
        fell = "" if np.isnan(train).all() else " while training loss fell"
        message = f"validation loss rose from {at_best} to {level if lasting else loss[-1]:.4g}{fell}"
        return say("failed", "warning", message + accuracy_kept(history, rows, best), metrics)
    return say("passed", "warning", f"lowest validation loss {at_best}; no lasting rise after it", metrics)


def unstable_loss(history: History, settings: Settings) -> RuleOutcome:
    """Losses that swing up and down by large shares of themselves, or a training loss that climbs back."""
    say = speaker("unstable-loss", "LA405")
    import numpy as np

    limits = settings.thresholds
    metrics: dict[str, Scalar] = {}
    messages = []
    longest = 0
    for name, word in (("train_loss", "training loss"), ("val_loss", "validation loss")):
        values = getattr(history, name)
        values = values[np.isfinite(values)]
        longest = max(longest, len(values))
        if len(values) < 5:
            continue
        swings, largest = swings_of(values, limits.swing_share)
        metrics[f"{name}_swings"] = swings
        metrics[f"{name}_largest_swing"] = largest
        if swings >= max(limits.least_swings, limits.swings_per_row * len(values)):
            messages.append(
                f"{word} turns {swings} times by more than {limits.swing_share:.0%}, by up to {largest:.0%}"
            )
        level, low = float(np.median(values[-3:])), best_level(values)
        if name == "train_loss" and low > 0 and level >= limits.blow_up * low:
            metrics["train_loss_blow_up"] = level / low
            messages.append(f"training loss climbed back from {low:.4g} to {level:.4g}")
    if longest < 5:
        return say("inconclusive" if longest else "skipped", "warning", "fewer than 5 rows: too few to see swings", {})
    if messages:
        return say("failed", "warning", "; ".join(messages), metrics)
    return say("passed", "warning", "no large swings", metrics)


def low_validation_loss(history: History, settings: Settings) -> RuleOutcome:
    """Validation loss below training loss, and how much of it the half-epoch shift explains. Never a finding."""
    say = speaker("low-validation-loss", "LA401")
    import numpy as np

    limits = settings.thresholds
    both = np.isfinite(history.train_loss) & np.isfinite(history.val_loss)
    n = int(both.sum())
    if not n:
        return say("skipped", "info", "needs both losses", {})
    below = int((history.val_loss[both] < history.train_loss[both]).sum())
    share = explained_share(history, corrected_train_loss(history))
    metrics: dict[str, Scalar] = {
        "rows_below": below,
        "rows": n,
        "explained_by_shift": None if isnan(share) else share,
    }
    counted = f"validation loss is below training loss in {below} of {n} {unit(history, n)}"
    mostly = below >= limits.mostly_below * n
    metrics["unexplained"] = 0
    if below == 0:
        return say("passed", "info", counted, metrics)
    if history.train_loss_kind == "eval_end":
        if not mostly:
            return say("noted", "info", f"{counted}; both are losses of the same model", metrics)
        metrics["unexplained"] = 1
        reason = f"both are losses of the same model, so neither timing nor regularisation is why; {MEASURE_DATA}"
        return say("noted", "info", f"{counted}; {reason}", metrics)
    if isnan(share):
        return say("noted", "info", f"{counted}; too few rows to estimate the half-epoch shift", metrics)
    most = "at most " if history.train_loss_kind == "ema" else ""
    reason = f"the half-epoch shift explains {most}{percent(share)}"
    if share < limits.explained and mostly:
        metrics["unexplained"] = 1
        averaged = "; the validated weights are a moving average, too" if history.val_weights == "ema" else ""
        reason += f"; {MEASURE}. {USUAL}{averaged}"
    elif share < limits.explained:
        reason += "; in early rows that is usual"
    explained = share >= limits.explained
    status: RuleStatus = "passed" if explained and not mostly else "noted"
    return say(status, "info", f"{counted}; {reason}", metrics)


MEASURE = "measure the rest with `leakaudit.attribute` on the model and `leakaudit scan` on the data"
MEASURE_DATA = "measure it with `leakaudit scan` on the data"
USUAL = "Dropout, augmentation and penalties, which are on in training only, usually are most of it"


def underfitting(history: History, settings: Settings) -> RuleOutcome:
    """Low accuracy on both splits, no gap, and nothing improving any more: perhaps too small a model. A hint only."""
    say = speaker("underfitting", None)
    import numpy as np

    limits = settings.thresholds
    train = history.train_accuracy[np.isfinite(history.train_accuracy)]
    val = history.val_accuracy[np.isfinite(history.val_accuracy)]
    if not len(train) or not len(val):
        return say("skipped", "info", "needs both accuracies", {})
    best = max(float(train[-1]), float(val.max()))
    improving = last_quarter_share(
        history.train_loss if np.isfinite(history.train_loss).any() else -history.train_accuracy
    )
    metrics: dict[str, Scalar] = {"best_accuracy": best, "last_quarter_share": improving}
    state = f"training {history.metric} {train[-1]:.3f}, best validation {history.metric} {val.max():.3f}"
    if best >= limits.underfit_accuracy - EPSILON or train[-1] - val[-1] >= limits.sustained_gap - EPSILON:
        return say("passed", "info", state, metrics)
    if improving is not None and improving > limits.still_improving:
        return say("passed", "info", f"{state}; training loss still falls: not finished rather than underfit", metrics)
    return say("failed", "info", f"{state}: low on both, perhaps underfit (depends on the task)", metrics)


def early_stopping(history: History, settings: Settings) -> RuleOutcome:
    """Where early stopping would have stopped, and which row it would have kept. A fact, never a finding."""
    say = speaker("early-stopping", None)
    rule = settings.early_stopping
    stop = stop_early(history.val_loss, rule)
    if stop is None:
        return say("skipped", "info", "needs a validation loss", {})
    best = f"best {row_name(history, stop.best, bare=True)} (validation loss {history.val_loss[stop.best]:.4g})"
    metrics: dict[str, Scalar] = {
        "patience": rule.patience,
        "min_delta": rule.min_delta,
        "best_at": at(history, stop.best),
        "stop_at": None if stop.stop is None else at(history, stop.stop),
        "lowest_at": None,
        "rows_saved": 0 if stop.stop is None else len(history) - 1 - stop.stop,
    }
    lowest = lowest_row(history)
    if lowest is None:
        return say("skipped", "info", "needs a validation loss", {})
    metrics["lowest_at"] = at(history, lowest)
    name = f"early stopping with patience {rule.patience}"
    if stop.stop is None:
        return say("noted", "info", f"{name} would not have stopped; {best}", metrics)
    saved = int(metrics["rows_saved"] or 0)
    spared = f"; {saved} of {len(history)} {unit(history, 2)} spared" if saved else ", which is where the run ends"
    message = f"{name} would have stopped at {row_name(history, stop.stop)}, {best}{spared}"
    if history.val_loss[lowest] < history.val_loss[stop.best]:
        later = f"{row_name(history, lowest)} ({history.val_loss[lowest]:.4g})"
        message += f"; the lowest of all came later, at {later}: that patience is too short here"
    return say("noted", "info", message, metrics)


def learning_rate(history: History, settings: Settings) -> RuleOutcome:
    """How the learning rate went, and whether validation loss steered it. A fact, never a finding."""
    say = speaker("learning-rate", None)
    import numpy as np

    known = np.flatnonzero(np.isfinite(history.lr))
    if history.unit == "iteration":
        return say("skipped", "info", "boosting has one learning rate", {})
    if not len(known):
        replayed = replay_plateau(history.val_loss, 1.0, settings.plateau)
        drops = np.flatnonzero(np.diff(replayed) < 0) + 1
        if not np.isfinite(history.val_loss).any() or not len(drops):
            return say("skipped", "info", "no learning rate was recorded", {})
        rows = ", ".join(row_name(history, int(row), bare=True) for row in drops[:6])
        message = f"not recorded; {plateau_name(settings.plateau)} would have lowered it from {unit(history)} {rows}"
        return say("noted", "info", message + (" …" if len(drops) > 6 else ""), {"reductions": len(drops)})
    rates = history.lr[known]
    metrics: dict[str, Scalar] = {"first": float(rates[0]), "last": float(rates[-1])}
    rule = find_plateau(history.val_loss, history.lr)
    if rule is not None:
        metrics |= {"plateau_factor": rule.factor, "plateau_patience": rule.patience}
        changes = ", ".join(
            row_name(history, int(i), bare=True) for i in np.flatnonzero(np.diff(history.lr) < 0)[:6] + 1
        )
        message = f"{rates[0]:.3g}, lowered from {unit(history)} {changes}: just as {plateau_name(rule)} does it"
        return say("noted", "info", f"{message}, which suggests that validation loss steered it", metrics)
    if np.ptp(rates) <= 1e-6 * np.abs(rates).max():
        return say("noted", "info", f"constant at {rates[0]:.3g}", metrics)
    return say("noted", "info", f"from {rates[0]:.3g} to {rates[-1]:.3g}", metrics)


def selection_on_test(history: History, settings: Settings) -> RuleOutcome:
    """Choices made by the test set: stopping, learning rate, best checkpoint. Only when told that it is one."""
    say = speaker("selection-on-test", None)
    if not settings.val_is_test:
        return say("skipped", "info", "only with --val-is-test", {})
    import numpy as np

    stop = stop_early(history.val_loss, settings.early_stopping)
    choices = []
    if find_plateau(history.val_loss, history.lr) is not None:
        choices.append("the learning rate followed it")
    if stop is not None and stop.stop == len(history) - 1:
        choices.append(
            f"training ends where early stopping with patience {settings.early_stopping.patience} stops on it"
        )
    metrics: dict[str, Scalar] = {"choices": len(choices)}
    val = history.val_accuracy
    if np.isfinite(val).any():
        metrics["best_minus_last_accuracy"] = float(np.nanmax(val) - val[np.isfinite(val)][-1])
    seen = f" ({'; '.join(choices)})" if choices else ""
    told = "the test set was used for validation"
    advice = "its score is optimistic as far as anything was chosen by it: keep a hold-out that nothing is chosen by"
    return say("failed", "info", f"{told}{seen}: {advice}", metrics)


RULES: tuple[Rule, ...] = (
    non_finite,
    overfitting,
    rising_validation_loss,
    near_perfect_training,
    validation_loss_turning,
    holdout_drop,
    unstable_loss,
    low_validation_loss,
    underfitting,
    early_stopping,
    learning_rate,
    selection_on_test,
)
"""In the order in which their outcomes are listed."""
