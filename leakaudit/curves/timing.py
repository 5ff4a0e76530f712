"""The half-epoch shift: a training loss that is a mean over an epoch lags behind the validation loss at its end.

While a model improves, the mean over epoch t is about the loss in the middle of the epoch, half an epoch before the
validation loss is measured. Shifting it by interpolation gives what training would have reported at the end of the
epoch, still in training mode. From a history this is a lower bound of the timing term: inside an epoch, losses fall
faster at its beginning than a straight line between epochs says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leakaudit.history import Floats, History


def corrected_train_loss(history: History) -> Floats:
    """The training loss at the end of each row: as reported, less half a row of its slope there.

    The slope is the central difference of the neighbouring rows (one-sided at the ends), so with rows of equal length
    the shift is ``(r[t-1] − r[t+1]) / 4``. Central, because the difference to one neighbour carries more noise.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where training loss is unknown, and everywhere for ``eval_end``, which needs no correction. For ``ema`` it
        is the most that the shift can be: the average forgets within an epoch or less.
    """
    import numpy as np

    reported, at = history.train_loss, history.epoch
    shifted = np.full(len(at), np.nan)
    known = np.flatnonzero(np.isfinite(reported))
    if history.train_loss_kind == "eval_end" or len(known) < 2:
        return shifted
    edges = np.r_[2 * at[0] - at[1], at]
    half = np.diff(edges)[known] / 2
    middles = at[known] - half
    values = reported[known]
    shifted[known] = values + half * np.gradient(values, middles)
    if values.min() >= 0:
        shifted[known] = np.maximum(shifted[known], 0.0)
    return shifted


def explained_share(history: History, corrected: Floats) -> float:
    """Share of "validation below training" that the shift explains, over the rows where it is below.

    ``sum(reported − corrected) / sum(reported − validation)``, without the first and the last row where there are
    others: in the first the loss falls too fast for a straight line, the last has no successor.

    Returns
    -------
    float
        NaN where validation is never below. More than 1 where the corrected training loss is below the validation loss;
        negative where the training loss rises.
    """
    import numpy as np

    below = np.isfinite(corrected) & np.isfinite(history.val_loss) & (history.val_loss < history.train_loss)
    inner = below.copy()
    inner[[0, -1]] = False
    rows = inner if inner.any() else below
    gap = float((history.train_loss[rows] - history.val_loss[rows]).sum())
    if not rows.any() or gap <= 0 or not np.isfinite(gap):
        return float("nan")
    return float((history.train_loss[rows] - corrected[rows]).sum()) / gap
