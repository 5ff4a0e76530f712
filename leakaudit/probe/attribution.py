"""The gap between reported training and validation loss, split into seven terms that add up to it.

With S0 the reported training loss, S1 the same objective and mode with the weights at the end, S2 and S5 the bare loss
of T and of V in evaluation mode, h the out-of-fold loss, m = h − loss, and V_l and V_c the validation samples that are
and are not known to be in training, λ = |V_l| / |V|:

- a timing = S0 − S1
- b regularisation = S1 − S2
- c difficulty = h̄_T − h̄_V
- d leakage = λ (m̄_l − m̄_c)
- e memorisation = S2 − h̄_T
- r rest = m̄_c
- o objective = S5 − reported validation loss

``a + b + e + c`` leads from the reported training loss to h̄_V, ``d + r = m̄_V`` from there to S5, and ``o`` to the
reported validation loss: the sum is the gap, whatever the models are. What the terms mean is what needs tests and
intervals (`leakaudit.probe.significance`, `leakaudit.probe.intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.finite import finite_part
from leakaudit.probe.intervals import draw_means, over_seeds, term_bounds
from leakaudit.probe.null import measured_null
from leakaudit.probe.significance import (
    MOST_SHORT,
    Test,
    easy_test,
    gain_in_probability,
    known_test,
    leak_test,
    together,
)

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64, Measured

NAMES = {
    "a": "timing",
    "b": "regularisation",
    "c": "difficulty",
    "d": "leakage",
    "e": "memorisation",
    "r": "rest",
    "o": "objective mismatch",
}

MEANINGS = {
    "a": "the training loss is an average over an epoch in which the model was still improving",
    "b": "dropout, augmentation, label smoothing, penalties and the like are on in training only",
    "c": "validation is easier (or, below 0, harder) for models that saw none of it",
    "d": "what the validation samples known to be in training gain by it",
    "e": "what training samples gain by having been trained on (usually below 0)",
    "r": "shift between the splits (below 0), or leakage that no duplicate check lists (above 0; a part of it)",
    "o": "reported validation loss is not the bare loss: penalties inside it, averaged weights, a second softmax",
}

SUM_TOLERANCE = 1e-6
"""The terms add up to the gap within this share of the largest loss (or of 1, if that is more)."""


@dataclass(frozen=True, slots=True)
class Term:
    """One part of the gap.

    Parameters
    ----------
    letter : str
        As in `NAMES`; "b" for its parts, too.
    name, meaning : str
    value : float
        In the unit of the loss.
    low, high : float or None
        95 % interval; None where there is no spread to take it from (one seed, one group).
    """

    letter: str
    name: str
    value: float
    low: float | None
    high: float | None
    meaning: str

    @property
    def clear(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True, slots=True)
class Attribution:
    """The gap and its terms.

    Parameters
    ----------
    gap : float
        Reported training loss minus reported validation loss, mean over seeds. NaN where `reason` is given.
    gap_low, gap_high : float or None
        Over seeds.
    terms : tuple of Term
        a, b, c, d, e, r, o; empty where `reason` is given.
    regularisers : tuple of Term
        The parts of b, in the order in which they were switched off.
    tests : tuple of Test
        easy, leak, known; empty where `reason` is given.
    n_seeds, n_repeats : int
        S and R, less those that diverged.
    n_train, n_val, n_leaked : int
        |T|, |V| and |V_l|.
    val_loss : float
        h̄_V: what validation samples cost models that never saw them; effects are large or small beside it.
    train_loss : float
        h̄_T, the same of training samples: how much of them can be learnt by heart.
    spread : float
        Standard deviation of h over all samples; a difference in difficulty is large or small beside it.
    limits : tuple of str
        Sentences that must be read with the figures.
    reason : str
        Why there is no attribution; "" where there is one.
    """

    gap: float
    gap_low: float | None
    gap_high: float | None
    terms: tuple[Term, ...]
    regularisers: tuple[Term, ...]
    tests: tuple[Test, ...]
    n_seeds: int
    n_repeats: int
    n_train: int = 0
    n_val: int = 0
    n_leaked: int = 0
    val_loss: float = math.nan
    train_loss: float = math.nan
    spread: float = math.nan
    limits: tuple[str, ...] = ()
    reason: str = ""
    _by_letter: Mapping[str, Term] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_letter", {term.letter: term for term in self.terms})

    def term(self, letter: str) -> Term:
        """The term of this letter."""
        return self._by_letter[letter]

    def test(self, name: str) -> Test:
        """The test of this name."""
        return next(test for test in self.tests if test.name == name)


def attribute_gap(measured: Measured, *, n_boot: int = 1000, seed: int = 0) -> Attribution:
    """Split the gap into its terms, with intervals and tests.

    Parameters
    ----------
    measured : Measured
        Losses of full models and of fold models.
    n_boot : int, default 1000
        Draws of the bootstrap, and permutations (less one).
    seed : int, default 0

    Returns
    -------
    Attribution
        With a `reason` and without terms where nothing can be said: no training or no validation samples, or no seed
        or no repeat with finite losses.
    """
    m, limits, reason = finite_part(measured)
    n_seeds, n_repeats = len(m.loss), len(m.out_of_fold)
    if reason:
        return Attribution(math.nan, None, None, (), (), (), n_seeds, n_repeats, limits=tuple(limits), reason=reason)
    held_out, leaked = m.held_out, m.leaked
    h, loss = m.out_of_fold.mean(axis=0), m.loss.mean(axis=0)
    in_probability = gain_in_probability(m.loss, m.out_of_fold)
    tests = together(
        (
            easy_test(h, held_out, m.groups, n_permutations=n_boot - 1, seed=seed),
            _leak(m, in_probability),
            known_test(in_probability[held_out], leaked[held_out], m.groups[held_out]),
        )
    )
    values = _values(m, h, loss)
    draws = draw_means(h, loss, held_out, leaked, m.groups, n_boot, seed)
    bounds = term_bounds(m, draws, values, seed)
    terms = tuple(_term(k, NAMES[k], values[k], bounds[k], MEANINGS[k]) for k in NAMES)
    gaps = m.reported_train - m.reported_val
    gap, (low, high) = float(gaps.mean()), over_seeds(gaps) or (None, None)
    scale = max(1.0, *(float(np.abs(x).max()) for x in (m.reported_train, m.reported_val, m.train_mode, h, loss)))
    assert abs(math.fsum(values.values()) - gap) <= SUM_TOLERANCE * scale, "the terms add up to the gap"
    return Attribution(
        gap=gap,
        gap_low=low,
        gap_high=high,
        terms=terms,
        regularisers=tuple(_regulariser(name, parts) for name, parts in m.regularisers.items()),
        tests=tests,
        n_seeds=n_seeds,
        n_repeats=n_repeats,
        n_train=int((~held_out).sum()),
        n_val=int(held_out.sum()),
        n_leaked=int(leaked.sum()),
        val_loss=float(h[held_out].mean()),
        train_loss=float(h[~held_out].mean()),
        spread=float(h.std()),
        limits=(*limits, *_limits(m)),
    )


def _values(m: Measured, h: Float64, loss: Float64) -> dict[str, float]:
    """The terms. Where all of V is known to be leaked, nothing can be told apart: d is all of it, r is 0."""
    held_out, clean = m.held_out, m.held_out & ~m.leaked
    train, val = float(loss[~held_out].mean()), float(loss[held_out].mean())
    h_train, h_val = float(h[~held_out].mean()), float(h[held_out].mean())
    train_mode = float(m.train_mode.mean())
    rest = h_val - val
    if m.leaked.any():
        rest = float((h - loss)[clean].mean()) if clean.any() else 0.0
    return {
        "a": float(m.reported_train.mean()) - train_mode,
        "b": train_mode - train,
        "c": h_train - h_val,
        "d": (h_val - val) - rest if m.leaked.any() else 0.0,
        "e": train - h_train,
        "r": rest,
        "o": val - float(m.reported_val.mean()),
    }


def _short(m: Measured) -> float:
    """By what share fold models were trained on fewer rows than full models."""
    n_folds = float(np.mean([len(np.unique(row)) for row in m.fold]))
    return 1 - (m.fold_rows or len(m.held_out) * (1 - 1 / n_folds)) / (m.full_rows or int((~m.held_out).sum()))


def _leak(m: Measured, gain: Float64) -> Test:
    """Is the gain in ``exp(−loss)`` chance? It has an end: one sample that is all wrong weighs no more than one."""
    effect, most = float(gain[m.held_out].mean()), float(gain[~m.held_out].mean())
    if (short := _short(m)) > MOST_SHORT:
        reason = f"fold models were trained on {short:.0%} fewer rows than full models, which looks like leakage"
        return Test("leak", effect, reason=reason, most=most)
    if len(m.out_of_fold) < 2:
        reason = "the folds were trained once; their chance spread takes two repeats"
        return Test("leak", effect, reason=reason, most=most)
    null = measured_null(replace(m, loss=_bounded(m.loss), out_of_fold=_bounded(m.out_of_fold)), m.held_out)
    return replace(leak_test(effect, null, "there are too few fold models to see their chance spread"), most=most)


def _bounded(loss: Float64) -> Float64:
    improbability: Float64 = 1 - np.exp(-np.maximum(loss, 0))
    return improbability


def _term(letter: str, name: str, value: float, bounds: tuple[float, float] | None, meaning: str) -> Term:
    if bounds is None:
        return Term(letter, name, value, None, None, meaning)
    return Term(letter, name, value, min(bounds[0], value), max(bounds[1], value), meaning)


def _regulariser(name: str, parts: Float64) -> Term:
    return _term("b", name, float(parts.mean()), over_seeds(parts), f"what {name} adds to the training loss")


def _limits(m: Measured) -> list[str]:
    said = ["c, d, e and r describe the probe's models, not yours."]
    if abs(short := _short(m)) > MOST_SHORT:
        how, so = ("fewer", "high") if short > 0 else ("more", "low")
        said.append(f"Fold models were trained on {abs(short):.0%} {how} rows than full models: r and d are too {so}.")
    if len(m.loss) < 2:
        said.append("One full model was trained: the gap and a, b, e and o have no interval.")
    if len(m.loss) < 2 and len(m.out_of_fold) < 2:
        said.append("The interval of d is that of chance in samples, without that in training; r has none.")
    if m.leaked.any() and (m.leaked | ~m.held_out).all():
        said.append("Every validation sample is known to be in training: d and r cannot be told apart.")
    else:
        said.append("A shift between the splits lowers r and can hide leakage; models that memorise nothing show none.")
        said.append("Copies that no check lists are in the training of most fold models, too: r shows little of them.")
    return said
