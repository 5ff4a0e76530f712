"""What two common callbacks would have done with a validation loss that is known: stop early, lower the learning rate.

Both follow Keras 3 (``EarlyStopping``, ``ReduceLROnPlateau``, mode ``min``) row by row. A row without a validation loss
is no step; a loss that is NaN or infinite is no improvement.

References
----------
https://keras.io/api/callbacks/early_stopping/ · https://keras.io/api/callbacks/reduce_lr_on_plateau/
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leakaudit.history import Floats


@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """Stop after `patience` rows without an improvement of more than `min_delta`.

    The defaults are a common setting for small image classifiers, and the one of the published runs that the tests
    replay; give your own.
    """

    patience: int = 8
    min_delta: float = 0.0


@dataclass(frozen=True, slots=True)
class Plateau:
    """Multiply the learning rate by `factor` after `patience` rows without an improvement of more than `min_delta`."""

    factor: float = 0.5
    patience: int = 3
    min_lr: float = 1e-6
    min_delta: float = 1e-4
    cooldown: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """Rows (indices): the best one, and the one after which training stops; `stop` is None where it never does."""

    best: int
    stop: int | None


def stop_early(val_loss: Floats, rule: EarlyStopping) -> Stop | None:
    """Replay early stopping.

    Returns
    -------
    Stop or None
        None where there is no finite validation loss. The first row always counts as an improvement.
    """
    best, best_row, waited = inf, None, 0
    for row, value in enumerate(val_loss.tolist()):
        if isnan(value):
            continue
        if best_row is None or value < best - rule.min_delta:
            best, best_row, waited = value, row, 0
            continue
        waited += 1
        if waited >= rule.patience:
            return Stop(best_row, row) if isfinite(best) else None
    return Stop(best_row, None) if best_row is not None and isfinite(best) else None


def replay_plateau(val_loss: Floats, first_lr: float, rule: Plateau) -> Floats:
    """Learning rates in use during each row, had the callback been there.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    import numpy as np

    rates = np.empty(len(val_loss))
    lr, best, waited, cooling = first_lr, None, 0, 0
    for row, value in enumerate(val_loss.tolist()):
        rates[row] = lr
        if isnan(value):
            continue
        if cooling:
            cooling -= 1
            waited = 0
        if best is None or value < best - rule.min_delta:
            best, waited = value, 0
        elif not cooling:
            waited += 1
            if waited >= rule.patience and lr > rule.min_lr:
                lr, waited, cooling = max(lr * rule.factor, rule.min_lr), 0, rule.cooldown
    return rates


def fits(logged: Floats, replayed: Floats) -> bool:
    """Whether logged learning rates are the replayed ones, to the precision of 32-bit floats; gaps do not count."""
    import numpy as np

    known = np.isfinite(logged)
    return bool(known.any() and np.allclose(logged[known], replayed[known], rtol=1e-4, atol=0.0))


MOST_PATIENCE = 20


def find_plateau(val_loss: Floats, logged: Floats) -> Plateau | None:
    """The plateau rule that reproduces logged learning rates exactly, where there is one; the default is tried first.

    Factor and least rate are read off the log, patience is searched up to `MOST_PATIENCE`, `min_delta` is Keras'
    default or 0. At least two reductions must fit: one may be chance.
    """
    import numpy as np

    known = logged[np.isfinite(logged)]
    if len(known) != len(logged) or len(known) < 3 or known[0] <= 0:
        return None
    drops = np.flatnonzero(known[1:] < known[:-1] * (1 - 1e-6))
    if len(drops) < 2 or (known[1:] > known[:-1] * (1 + 1e-6)).any():
        return None
    factor = float(f"{known[drops[0] + 1] / known[drops[0]]:.3g}")
    default = Plateau()
    tried = [default] if np.isclose(factor, default.factor, rtol=1e-3) else []
    tried += [
        Plateau(factor, patience, least, min_delta)
        for least in (0.0, float(f"{known.min():.3g}"))
        for min_delta in (default.min_delta, 0.0)
        for patience in range(1, MOST_PATIENCE + 1)
    ]
    for rule in tried:
        if fits(logged, replay_plateau(val_loss, float(known[0]), rule)):
            return rule
    return None
