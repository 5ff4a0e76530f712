"""Three tests on what the probe measured: is validation easier, is some of it known to the model, do duplicates pay?

Losses are compared in differences between models, never between training and validation: where a fifth of validation
was leaked, validation loss was still above training loss.

- *easy*: out-of-fold losses of T against V. A permutation test that moves whole groups, studentised so that it also
  holds where one side is more varied than the other (Janssen, Statistics & Probability Letters 36, 1997; Chung and
  Romano, Annals of Statistics 41, 2013). Two-sided.
- *leak*: full models do better on V than fold models that saw none of it, by more than fold models differ among
  themselves on samples that none of them saw. One-sided. In ``exp(−loss)``, too: on small tables the smallest leak that
  shows is then a third smaller than in the loss.
- *known*: the gain on validation samples that are known to be in training against that on all others of validation;
  Welch's t over groups (Biometrika 34, 1947). One-sided. The gain is taken in ``exp(−loss)``, the probability of the
  true class: a loss has no upper end, so that a few wrong labels make nearly all of its variance. On digits with 3 to
  10 % wrong labels and 15 of 300 samples leaked, this found 38 to 88 % of 16 runs, the gain in loss 6 to 62 %. Without
  an effect both have mean 0 for every sample, because full and fold models are then alike to it.

The three are taken together by Holm's method (Scandinavian Journal of Statistics 6, 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import IntArray
    from leakaudit.probe.measured import BoolArray, Float64
    from leakaudit.probe.null import Null

ALPHA = 0.05
"""Family-wise, over the tests that could be done."""

POWER = 0.8
"""At which `Test.detectable` is given (Cohen 1988)."""

LEAST_GROUPS = 2
"""On each side of a comparison; fewer have no spread."""

MOST_SHORT = 0.05
"""Share of rows that fold models may have been trained on less than full models; beyond it `leak` is inconclusive, for
h is then higher than the loss of unseen samples for want of rows. With an error that falls as n^-0.3 (Hestness
et al., Deep Learning Scaling is Predictable, 2017: exponents from -0.07 to -0.35) this is 1.5 % of the loss."""

_CELLS = 1 << 22
"""Random numbers held at once."""


@dataclass(frozen=True, slots=True)
class Test:
    """One test, done or not.

    Parameters
    ----------
    name : {"easy", "leak", "known"}
    effect : float or None
        h̄_T − h̄_V in the unit of the loss; for "leak", m̄_V in ``exp(−loss)``, and for "known" the contrast of V_l and
        V_c in it.
    error : float or None
        Standard error of `effect` under the null hypothesis.
    df : float or None
        Degrees of freedom; None for the permutation test.
    p : float or None
        None where the test could not be done; `reason` says why.
    p_holm : float or None
        Adjusted over the tests that could be done.
    detectable : float or None
        Smallest effect found in four of five cases, at the strictest step of Holm's method.
    most : float or None
        For "leak": what training samples gain, and so the effect where all of V was copied from T.
    """

    __test__: ClassVar[bool] = False

    name: Literal["easy", "leak", "known"]
    effect: float | None = None
    error: float | None = None
    df: float | None = None
    p: float | None = None
    p_holm: float | None = None
    detectable: float | None = None
    reason: str = ""
    most: float | None = None

    @property
    def statistic(self) -> float | None:
        """Effect over its standard error."""
        return self.effect / self.error if self.effect is not None and self.error else None

    @property
    def smallest_share(self) -> float | None:
        """For "leak": the smallest share of V copied from T that is found in four of five cases; None where unknown."""
        return self.detectable / self.most if self.detectable is not None and self.most and self.most > 0 else None

    @property
    def significant(self) -> bool:
        """Whether Holm's method rejects at `ALPHA`."""
        return self.p_holm is not None and self.p_holm <= ALPHA


def holm(p: Sequence[float]) -> list[float]:
    """P values adjusted by Holm's method: reject where the result is at most alpha.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p)
    highest = 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = highest
    return adjusted


def together(tests: Sequence[Test]) -> tuple[Test, ...]:
    """The tests with `Test.p_holm` and `Test.detectable`."""
    from scipy.special import ndtri, stdtrit

    done = [test for test in tests if test.p is not None]
    adjusted = iter(holm([test.p for test in done if test.p is not None]))
    found = []
    for test in tests:
        if test.p is None or test.error is None:
            found.append(test)
            continue
        tail = ALPHA / len(done) / (2 if test.name == "easy" else 1)
        critical = float(stdtrit(test.df, 1 - tail) if test.df else ndtri(1 - tail))
        detectable = (critical + float(ndtri(POWER))) * test.error
        found.append(replace(test, p_holm=next(adjusted), detectable=detectable))
    return tuple(found)


def easy_test(h: Float64, held_out: BoolArray, groups: IntArray, *, n_permutations: int = 999, seed: int = 0) -> Test:
    """Is the mean of h over V another than over T? Groups are moved between T and V, mixed ones stay where they are.

    Parameters
    ----------
    h : ndarray of float64, shape (N,)
        Out-of-fold losses.
    held_out : ndarray of bool, shape (N,)
    groups : ndarray of int64, shape (N,)
    n_permutations : int, default 999
    seed : int, default 0
    """
    n_groups, inverse = _codes(groups)
    in_v = np.bincount(inverse[held_out], minlength=n_groups) > 0
    in_t = np.bincount(inverse[~held_out], minlength=n_groups) > 0
    pure_v, pure = in_v & ~in_t, in_v ^ in_t
    if pure_v.sum() < LEAST_GROUPS or (pure & ~pure_v).sum() < LEAST_GROUPS:
        return Test("easy", reason="fewer than two independent groups on one side")
    centred = h - h.mean()
    mixed = ~pure[inverse]
    fixed_t, fixed_v = (
        _sums(centred[mixed & side], inverse[mixed & side], n_groups).sum(axis=0) for side in (~held_out, held_out)
    )
    movable = _sums(centred, inverse, n_groups)[pure]
    total = movable.sum(axis=0)
    chosen_v = movable[pure_v[pure]].sum(axis=0)
    effect, error = _studentised((total - chosen_v + fixed_t)[None], (chosen_v + fixed_v)[None])
    if not error[0] > 0:
        return Test("easy", float(effect[0]), reason="the out-of-fold losses do not vary")
    observed = abs(effect[0] / error[0])
    rng = np.random.default_rng(seed)
    k, extreme, left = int(pure_v.sum()), 0, n_permutations
    while left:
        rows = min(left, max(1, _CELLS // len(movable)))
        keys = rng.random((rows, len(movable)), dtype=np.float32)
        moved = (keys <= np.partition(keys, k - 1, axis=1)[:, k - 1 : k]) @ movable
        effects, errors = _studentised(total - moved + fixed_t, moved + fixed_v)
        extreme += int((np.abs(effects) >= observed * errors * (1 - 1e-12)).sum())
        left -= rows
    return Test("easy", float(effect[0]), float(error[0]), p=(extreme + 1) / (n_permutations + 1))


def leak_test(effect: float, null: Null | None, reason: str = "") -> Test:
    """Is the gain m̄_V more than fold models gain on each other?

    Parameters
    ----------
    effect : float
        m̄_V in ``exp(−loss)``.
    null : Null or None
        From `leakaudit.probe.null`; None: the test cannot be done, for `reason`.
    """
    from scipy.special import stdtr

    if null is None:
        return Test("leak", effect, reason=reason)
    if not null.error > 0:
        return Test("leak", effect, null.error, reason="all fold models lose the same on every sample")
    return Test("leak", effect, null.error, null.df, float(stdtr(null.df, -effect / null.error)))


def gain_in_probability(loss: Float64, h: Float64) -> Float64:
    """Gain in ``exp(−loss)`` of every sample: shapes (S, N) and (R, N) give (N,)."""
    gain: Float64 = np.exp(-np.maximum(loss, 0)).mean(axis=0) - np.exp(-np.maximum(h, 0)).mean(axis=0)
    return gain


def known_test(gain: Float64, leaked: BoolArray, groups: IntArray) -> Test:
    """Is the gain larger on the known leaked samples than on the others of V? Welch's t on groups.

    Parameters
    ----------
    gain : ndarray of float64, shape (|V|,)
        Of every sample of V, from `gain_in_probability`.
    leaked : ndarray of bool, shape (|V|,)
    groups : ndarray of int64, shape (|V|,)
    """
    from scipy.special import stdtr

    if not leaked.any():
        return Test("known", reason="no validation sample is known to be in training")
    if leaked.all():
        return Test("known", reason="every validation sample is known to be in training: none is left to compare with")
    sides = [_mean_of_groups(gain[side], groups[side]) for side in (leaked, ~leaked)]
    effect = sides[0][0] - sides[1][0]
    if min(side[2] for side in sides) < LEAST_GROUPS:
        return Test("known", effect, reason="fewer than two independent groups on one side")
    variances = [side[1] for side in sides]
    if not sum(variances) > 0:
        return Test("known", effect, 0.0, reason="the gain does not vary")
    df = sum(variances) ** 2 / sum(v * v / (side[2] - 1) for v, side in zip(variances, sides, strict=True))
    error = math.sqrt(sum(variances))
    return Test("known", effect, error, df, float(stdtr(df, -effect / error)))


def _codes(values: IntArray) -> tuple[int, IntArray]:
    unique, inverse = np.unique(values, return_inverse=True)
    return len(unique), inverse


def _sums(values: Float64, inverse: IntArray, n_groups: int) -> Float64:
    """The columns n, s, s², sn, n² by group, shape (n_groups, 5)."""
    n = np.bincount(inverse, minlength=n_groups).astype(np.float64)
    s = np.bincount(inverse, values, n_groups)
    columns: Float64 = np.stack([n, s, s * s, s * n, n * n], axis=1)
    return columns


def _studentised(of_t: Float64, of_v: Float64) -> tuple[Float64, Float64]:
    """Difference of the means of T and V and its standard error over groups, from sums of `_sums`, shape (B, 5)."""
    variance = np.zeros(len(of_t))
    means = []
    for sums in (of_t, of_v):
        mean = sums[:, 1] / sums[:, 0]
        squares = sums[:, 2] - 2 * mean * sums[:, 3] + mean * mean * sums[:, 4]
        variance += np.maximum(squares, 0.0) / sums[:, 0] ** 2
        means.append(mean)
    return means[0] - means[1], np.sqrt(variance)


def _mean_of_groups(values: Float64, groups: IntArray) -> tuple[float, float, int]:
    """Mean over samples, its variance with groups as units (ratio estimator), and the number of groups."""
    n_groups, inverse = _codes(groups)
    mean = float(values.mean())
    residuals = np.bincount(inverse, values - mean, n_groups)
    if n_groups < 2:
        return mean, 0.0, n_groups
    return mean, float(residuals @ residuals) / len(values) ** 2 * n_groups / (n_groups - 1), n_groups
