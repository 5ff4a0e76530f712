"""A third set: how far the score drops from validation to data that nothing was chosen by, and what choosing is worth.

The best of K epochs looks better on validation than it is, by the noise among the candidates alone. Where the scores of
K candidates scatter with standard deviation s around one level, the best of them lies about s · e(K) above it, with
e(K) = Φ⁻¹((K − 0.375) / (K + 0.25)) the expected maximum of K standard normal values. Epochs of one run are correlated
and partly differ in truth, so that is the most that choosing among them explains.

References
----------
Blom, G. (1958), Statistical estimates and transformed beta-variables (expected maximum) · Cawley, G. C., and Talbot,
N. L. C. (2010), "On over-fitting in model selection and subsequent selection bias in performance evaluation", JMLR 11 ·
Agresti, A., and Caffo, B. (2000), "Simple and effective confidence intervals for proportions and differences of
proportions", The American Statistician 54 (the interval).
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leakaudit.curves import records
from leakaudit.curves.measures import jitter, lowest_row
from leakaudit.curves.names import choose, role, words
from leakaudit.curves.numbers import number
from leakaudit.curves.settings import Holdout, Settings
from leakaudit.curves.speech import row_name, speaker, unit
from leakaudit.errors import InputError
from leakaudit.history import History, RuleOutcome

if TYPE_CHECKING:
    from leakaudit.model import Scalar

EPSILON = 1e-9
"""Added where a threshold is compared with a difference of decimal fractions: 0.95 − 0.85 must reach 0.10."""

NEAR_BEST = 3.0
"""Rows within this many standard deviations of the noise below the best one count as candidates."""

Z = 1.959964
MOST_BYTES = 64 * 2**20
COUNTS = ("n", "n_samples", "num_samples", "num_examples", "size", "support", "count", "samples", "eval_samples")
TRUTH = ("y_true", "true", "label", "target", "y", "truth", "actual", "ground_truth")
PREDICTED = ("y_pred", "pred", "predicted", "prediction", "predictions", "y_hat")


def expected_best(k: int) -> float:
    """Expected maximum of k independent standard normal values.

    >>> [round(expected_best(k), 2) for k in (1, 5, 30)]
    [0.0, 1.18, 2.04]
    """
    from statistics import NormalDist

    return 0.0 if k < 2 else NormalDist().inv_cdf((k - 0.375) / (k + 0.25))


def read_holdout(name: str, told: str) -> Holdout:
    """A hold-out from ``SCORE``, ``SCORE:N``, or a file that holds its score or its predictions.

    Raises
    ------
    InputError
        It is neither a share (or a percentage) nor a file with a score in it.
    """
    score, colon, n = told.partition(":")
    value = number(score)
    if math.isfinite(value) and (not colon or n.isdigit()):
        accuracy = value / 100 if 1 < value <= 100 else value
        if not 0 <= accuracy <= 1:
            raise InputError(f"--holdout {name}={told}: a score is a share between 0 and 1, or a percentage")
        return Holdout(name, accuracy, None, int(n) if n else None)
    path = Path(told)
    if not path.is_file():
        raise InputError(f"--holdout {name}={told}: is neither NAME=SCORE, NAME=SCORE:SAMPLES, nor a file")
    return _of_file(name, told, _text(path, told))


def _text(path: Path, told: str | os.PathLike[str]) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{told}: is larger than {MOST_BYTES // 2**20} MiB: no file of scores")
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{told}: cannot be read: {error.strerror or error}") from error


def _of_file(name: str, told: str, text: str) -> Holdout:
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{told}: is no valid JSON: {error}") from error
        value = value[-1] if isinstance(value, list) and value else value
        found = _of_values(name, dict(records.of_object(value).values)) if isinstance(value, dict) else None
    else:
        rows = list(csv.DictReader(io.StringIO(text)))
        found = _of_predictions(name, rows) or (
            _of_values(name, {str(key): number(cell) for key, cell in rows[-1].items()}) if rows else None
        )
    if found is None:
        raise InputError(
            f"{told}: holds no score (accuracy, loss) and no predictions (columns such as label and prediction)"
        )
    return found


def _of_values(name: str, values: Mapping[str, float]) -> Holdout | None:
    """The last value of each, told by name; whatever split the names say, it is the hold-out's."""
    known = {key: value for key, value in values.items() if math.isfinite(value)}
    accuracy = next(
        (v for k, v in known.items() if (r := role(k)) and r.quantity == "accuracy" and not r.is_error), None
    )
    loss = next((v for k, v in known.items() if (r := role(k)) and r.quantity == "loss"), None)
    if (accuracy is None and loss is None) or choose(known, {}) is None:
        return None
    n = next((int(v) for k, v in known.items() if "_".join(words(k)) in COUNTS and v >= 1), None)
    if accuracy is not None and 1 < accuracy <= 100:
        accuracy /= 100
    return Holdout(name, accuracy, loss, n)


def _of_predictions(name: str, rows: Sequence[Mapping[str, str | None]]) -> Holdout | None:
    names = list(rows[0]) if rows else []
    truth = next((key for key in names if key and key.strip().lower() in TRUTH), None)
    predicted = next((key for key in names if key and key.strip().lower() in PREDICTED), None)
    if truth is None or predicted is None:
        return None
    right = sum((row[truth] or "").strip() == (row[predicted] or "").strip() for row in rows)
    return Holdout(name, right / len(rows), None, len(rows))


def holdout_drop(history: History, settings: Settings) -> RuleOutcome:
    """How far the score drops from validation to a third set, with its interval and the optimism of choosing.

    A drop far beyond both is overfitting to what the run was chosen by: the validation set.
    """
    say = speaker("holdout-drop", "LA404")
    held_out = [*settings.holdouts, *_logged(history)]
    if not held_out:
        return say("skipped", "info", "needs a third set: --holdout NAME=SCORE, or test columns", {})
    row = lowest_row(history)
    limits = settings.thresholds
    metrics: dict[str, Scalar] = {}
    messages = []
    worst, certain = 0.0, True
    for holdout in held_out:
        val = _val_at(history, row, holdout)
        if holdout.accuracy is None or val is None:
            messages.append(_loss_only(history, row, holdout))
            continue
        drop = val - holdout.accuracy
        low, high = _interval(val, settings.n_val, holdout.accuracy, holdout.n)
        where = f" ({row_name(history, row)}, lowest loss)" if row is not None and holdout.name != LOGGED else ""
        shown = f"{history.metric} {val:.3f} on validation{where}, {holdout.accuracy:.3f} on {holdout.name}"
        messages.append(f"{shown}: {_drop_text(drop, low, high, settings.n_val, holdout)}")
        metrics |= {f"drop_{holdout.name}": drop, f"drop_{holdout.name}_low": low, f"drop_{holdout.name}_high": high}
        if drop > worst:
            worst, certain = drop, low is None or low > 0
    optimism, k = selection_optimism(history)
    metrics |= {"optimism": optimism, "candidates": k}
    if optimism is not None and k > 1 and worst > 0:
        among = (
            f"choosing the best of {k} near-equal {unit(history, k)} is worth at most {optimism:.3f} of that by itself"
        )
        messages.append(among)
    beyond = certain and worst > (optimism or 0.0) and worst >= limits.sustained_gap - EPSILON
    if beyond:
        messages.append("the run was fitted to validation by what was chosen by it, or the two sets differ")
    message = "; ".join(messages)
    if beyond and worst >= limits.overfit_gap - EPSILON:
        return say("failed", "warning", message, metrics)
    if beyond:
        return say("failed", "info", message, metrics)
    return say("noted", "info", message, metrics)


LOGGED = "the test set"


def _logged(history: History) -> list[Holdout]:
    """The third set that the history holds, at the row of the lowest validation loss, else where it is known last."""
    import numpy as np

    at = _logged_row(history)
    if at is None:
        return []
    accuracy = None if history.test_accuracy is None else float(history.test_accuracy[at])
    loss = None if history.test_loss is None else float(history.test_loss[at])
    accuracy = accuracy if accuracy is not None and np.isfinite(accuracy) else None
    loss = loss if loss is not None and np.isfinite(loss) else None
    return [Holdout(LOGGED, accuracy, loss)] if accuracy is not None or loss is not None else []


def _logged_row(history: History) -> int | None:
    import numpy as np

    for values in (history.test_accuracy, history.test_loss):
        if values is not None and np.isfinite(values).any():
            best = lowest_row(history)
            known = np.flatnonzero(np.isfinite(values))
            return best if best is not None and np.isfinite(values[best]) else int(known[-1])
    return None


def _val_at(history: History, row: int | None, holdout: Holdout) -> float | None:
    """Validation accuracy to compare with: of the same row where the history holds both, else of the best row."""
    import numpy as np

    at = _logged_row(history) if holdout.name == LOGGED else row
    known = np.flatnonzero(np.isfinite(history.val_accuracy))
    if not len(known):
        return None
    if at is None:
        return float(history.val_accuracy[known].max())
    return (
        float(history.val_accuracy[at])
        if np.isfinite(history.val_accuracy[at])
        else float(history.val_accuracy[known[-1]])
    )


def _loss_only(history: History, row: int | None, holdout: Holdout) -> str:
    at = _logged_row(history) if holdout.name == LOGGED else row
    if holdout.loss is None or at is None:
        return f"nothing on validation to compare {holdout.name} with"
    val = float(history.val_loss[at])
    return f"loss {val:.4g} on validation ({row_name(history, at)}), {holdout.loss:.4g} on {holdout.name}"


def _interval(val: float, n_val: int | None, test: float, n_test: int | None) -> tuple[float | None, float | None]:
    """95 % interval of the difference of two shares; a validation set of unknown size counts as very large."""
    if n_test is None:
        return None, None
    p, variance = _adjusted(test, n_test)
    q, more = _adjusted(val, n_val) if n_val is not None else (val, 0.0)
    half = Z * math.sqrt(variance + more)
    return q - p - half, q - p + half


def _adjusted(share: float, n: int) -> tuple[float, float]:
    adjusted = (share * n + 1) / (n + 2)
    return adjusted, adjusted * (1 - adjusted) / (n + 2)


def _drop_text(drop: float, low: float | None, high: float | None, n_val: int | None, holdout: Holdout) -> str:
    word = f"a drop of {drop:.3f}" if drop >= 0 else f"{-drop:.3f} higher"
    if low is None or high is None:
        if holdout.name == LOGGED:
            return word
        return f"{word} (for an interval say how many samples: --holdout {holdout.name}={holdout.accuracy:g}:SAMPLES)"
    only = "" if n_val is not None else ", validation's own error not counted (--val-size)"
    return f"{word}, 95 % interval [{low:.3f}, {high:.3f}]{only}"


def selection_optimism(history: History) -> tuple[float | None, int]:
    """What choosing the best row is worth at most, and among how many near-equal rows; None without accuracies."""
    import numpy as np

    values = history.val_accuracy[np.isfinite(history.val_accuracy)]
    if len(values) < 3:
        return None, len(values)
    noise = jitter(values)
    k = int((values >= values.max() - NEAR_BEST * noise).sum())
    return noise * expected_best(k), k
