"""Intervals of the terms: a bootstrap over groups of samples, with the noise of training added.

Samples: groups are drawn with replacement, apart for groups of T, of V, and of both, so that the shares of leaked
samples stay what they are. The spread of each mean is enlarged for its number of groups g by
``√(g/(g−1)) · t(g−1) / z``, without which percentile intervals of few groups are too short (Hesterberg, The American
Statistician 69, 2015). Training: each draw gets a t-distributed deviation of the standard error that seeds or fold
models show. Adding both counts the part that is peculiar to a sample and a model twice, which errs on the long side, as
drawing rows and columns of a two-way table does (Owen, Annals of Applied Statistics 1, 2007).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.null import measured_null

if TYPE_CHECKING:
    from leakaudit.model import IntArray
    from leakaudit.probe.measured import BoolArray, Float64, Measured

CONFIDENCE = 0.95
_CELLS = 1 << 22
"""Random numbers held at once."""


@dataclass(frozen=True, eq=False, slots=True)
class Noise:
    """Standard error that training gives to a term, and its degrees of freedom."""

    error: float
    df: float


@dataclass(frozen=True, eq=False, slots=True)
class Draws:
    """Bootstrapped means, each shape (B,); those over an empty set, or over one group, are NaN.

    Parameters
    ----------
    h_train, h_val : ndarray of float64
        Mean of h over T and over V.
    loss_train : ndarray of float64
        Mean of the full models' loss over T.
    gain_leaked, gain_clean : ndarray of float64
        Mean of m over V_l and over V_c.
    """

    h_train: Float64
    h_val: Float64
    loss_train: Float64
    gain_leaked: Float64
    gain_clean: Float64


def draw_means(
    h: Float64, loss: Float64, held_out: BoolArray, leaked: BoolArray, groups: IntArray, n_boot: int, seed: int
) -> Draws:
    """Bootstrap the means from which the terms are made.

    Parameters
    ----------
    h, loss : ndarray of float64, shape (N,)
        Means over repeats, and over seeds.
    held_out, leaked : ndarray of bool, shape (N,)
    groups : ndarray of int64, shape (N,)
    n_boot : int
        Number of draws.
    seed : int
    """
    gain, clean = h - loss, held_out & ~leaked
    sets = {
        "h_train": (h, ~held_out),
        "h_val": (h, held_out),
        "loss_train": (loss, ~held_out),
        "gain_leaked": (gain, leaked),
        "gain_clean": (gain, clean),
    }
    _, inverse = np.unique(groups, return_inverse=True)
    n_groups = int(inverse.max()) + 1
    centres = {name: float(values[of].mean()) if of.any() else 0.0 for name, (values, of) in sets.items()}
    columns = []
    for name, (values, of) in sets.items():
        columns.append(np.bincount(inverse[of], minlength=n_groups).astype(np.float64))
        columns.append(np.bincount(inverse[of], values[of] - centres[name], n_groups).astype(np.float64))
    sums = np.stack(columns, axis=1)
    kind = (sums[:, 0] > 0) * 2 + (np.bincount(inverse[held_out], minlength=n_groups) > 0)
    totals = np.zeros((n_boot, sums.shape[1]))
    rng = np.random.default_rng(seed)
    for which in (1, 2, 3):  # groups of V, of T, of both
        if (kind == which).any():
            totals += _resampled(sums[kind == which], n_boot, rng)
    means = {}
    for i, name in enumerate(sets):
        g = int((sums[:, 2 * i] > 0).sum())
        n, s = totals[:, 2 * i], totals[:, 2 * i + 1]
        if g < 2:
            means[name] = np.full(n_boot, np.nan)
            continue
        deviation = np.divide(s, n, out=np.zeros(n_boot), where=n > 0)
        means[name] = centres[name] + deviation * _enlarged(g)
    return Draws(**means)


def term_bounds(
    m: Measured, draws: Draws, values: Mapping[str, float], seed: int
) -> dict[str, tuple[float, float] | None]:
    """Intervals: a, b, o over seeds; c, d, e, r over groups, with the noise of training where it does not cancel."""
    held_out, clean = m.held_out, m.held_out & ~m.leaked
    of_train, of_val = m.loss[:, ~held_out].mean(axis=1), m.loss[:, held_out].mean(axis=1)
    found: dict[str, tuple[float, float] | None] = {
        "a": over_seeds(m.reported_train - m.train_mode),
        "b": over_seeds(m.train_mode - of_train),
        # a fold model judges both T and V, so that its own level cancels
        "c": interval(draws.h_train - draws.h_val, values["c"], None, seed + 1),
        "d": (0.0, 0.0),
        "e": None,
        "r": (0.0, 0.0),
        "o": over_seeds(of_val - m.reported_val),
    }
    if (of_seeds := seed_noise(of_train)) is not None:
        null = measured_null(m, held_out)
        noise = Noise(math.hypot(of_seeds.error, null.common if null else 0.0), of_seeds.df)
        found["e"] = interval(draws.loss_train - draws.h_train, values["e"], noise, seed + 2)
    if not clean.any():
        every = _training_noise(m, held_out)
        found["d"] = interval(draws.gain_leaked, values["d"], every, seed + 3) if every else None
        return found
    of_clean = _training_noise(m, clean)
    if m.leaked.any():
        share = float(m.leaked.sum() / held_out.sum())
        part = Noise(share * of_clean.error, of_clean.df) if of_clean else None
        found["d"] = interval(share * (draws.gain_leaked - draws.gain_clean), values["d"], part, seed + 3)
    found["r"] = None
    if of_clean is not None:
        # the noise of training includes the part peculiar to a sample and a model, which the draws include as well
        beyond = Noise(math.sqrt(max(0.0, of_clean.error**2 - float(draws.gain_clean.var()))), of_clean.df)
        found["r"] = interval(draws.gain_clean, values["r"], beyond, seed + 4)
    return found


def _training_noise(m: Measured, asked: BoolArray) -> Noise | None:
    """Standard error of a mean gain by training: from pseudo-validation folds, else from seeds."""
    null = measured_null(m, asked)
    if null is not None:
        return Noise(null.error, null.df)
    between = seed_noise(m.loss[:, asked].mean(axis=1))
    return Noise(between.error * math.sqrt(1 + len(m.loss) / len(m.out_of_fold)), between.df) if between else None


def interval(draws: Float64, value: float, noise: Noise | None, seed: int) -> tuple[float, float] | None:
    """Percentile interval of the draws with the noise of training; None where they are not finite.

    Parameters
    ----------
    draws : ndarray of float64, shape (B,)
    value : float
        The estimate; the interval is made to hold it.
    noise : Noise or None
        None: training adds nothing.
    seed : int
        Of the noise; another one for each term.
    """
    if not np.isfinite(draws).all():
        return None
    if noise is not None and noise.error > 0:
        draws = draws + noise.error * np.random.default_rng(seed).standard_t(noise.df, len(draws))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return min(float(low), value), max(float(high), value)


def over_seeds(values: Float64) -> tuple[float, float] | None:
    """Student's interval of the mean over seeds; None for a single one.

    >>> over_seeds(np.array([1.0, 2.0, 3.0]))
    (-0.48413771..., 4.48413771...)
    """
    noise = seed_noise(values)
    if noise is None:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(noise.df, (1 + CONFIDENCE) / 2)) * noise.error
    mean = float(values.mean())
    return mean - half, mean + half


def seed_noise(values: Float64) -> Noise | None:
    """Standard error of a mean over seeds; None for a single one."""
    if len(values) < 2:
        return None
    return Noise(float(values.std(ddof=1)) / math.sqrt(len(values)), len(values) - 1)


def _resampled(rows: Float64, n_boot: int, rng: np.random.Generator) -> Float64:
    """Sums over as many rows as there are, drawn with replacement; shape (n_boot, columns)."""
    n = len(rows)
    used = rows.any(axis=0)
    totals = np.zeros((n_boot, rows.shape[1]))
    step = max(1, _CELLS // n)
    for start in range(0, n_boot, step):
        chunk = min(step, n_boot - start)
        drawn = rng.integers(0, n, (chunk, n), dtype=np.int32) + n * np.arange(chunk)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n * chunk).reshape(chunk, n)
        totals[start : start + chunk, used] = counts @ rows[:, used]
    return totals


def _enlarged(n_groups: int) -> float:
    from scipy.special import ndtri, stdtrit

    upper = (1 + CONFIDENCE) / 2
    return math.sqrt(n_groups / (n_groups - 1)) * float(stdtrit(n_groups - 1, upper) / ndtri(upper))
