"""From losses of one network in several modes to the terms that need no other network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.errors import InputError
from leakaudit.own_model.rules import Remark
from leakaudit.probe.attribution import MEANINGS, NAMES, Term
from leakaudit.probe.intervals import CONFIDENCE
from leakaudit.probe.wording import SMALLEST_SHARE, listed, measured

if TYPE_CHECKING:
    from leakaudit.probe.measured import Float64

ORDER = (
    "dropout",
    "batch-norm mode",
    "noise",
    "augmentation in the network",
    "other training-mode layers",
    "augmentation",
    "label smoothing",
    "penalties",
    "class weights",
)
"""In which regularisers are switched off, one after the other; each is measured with the later ones still on. Layers of
noise and of augmentation are switched off one by one, and named."""

NEARER = 4
"""How many times nearer to one of two losses a third must be to be taken for it; a convention of this tool."""

REMAINDER = "difficulty, leakage or memorisation: needs folds"


@dataclass(frozen=True, eq=False, slots=True)
class Level:
    """Losses with the regularisers up to one of `ORDER` switched off.

    Parameters
    ----------
    off : str
        What was switched off last; "" for the first level, in which all are on.
    losses : ndarray of float64, shape (n,)
        One a sample.
    paired : bool
        Whether the samples are those of the level before, in the same order.
    """

    off: str
    losses: Float64
    paired: bool = True


@dataclass(frozen=True, slots=True)
class OwnAttribution:
    """What can be said of the gap from one trained network.

    Parameters
    ----------
    gap : float
        Reported training loss minus reported validation loss (where one was not given: what was measured for it).
    terms : tuple of Term
        a where the reported training loss is known, b, o where the reported validation loss is known. With `remainder`
        they add up to the gap.
    regularisers : tuple of Term
        The parts of b in the order of `ORDER`.
    remainder : Term
        S2 − S5: bare loss on training samples less that on validation samples.
    n_train, n_val : int
        Samples measured.
    advice : tuple of str
        What it means and what to do next.
    limits : tuple of str
        Sentences that must be read with the figures.
    val_in_training : Term or None
        Validation loss in training mode less that in evaluation mode, by the same weights: what a forgotten
        ``model.eval()`` would add.
    remarks : tuple of Remark
        Of `leakaudit.lint_model`.
    """

    gap: float
    terms: tuple[Term, ...]
    regularisers: tuple[Term, ...]
    remainder: Term
    n_train: int
    n_val: int
    advice: tuple[str, ...]
    limits: tuple[str, ...] = field(default=())
    val_in_training: Term | None = None
    remarks: tuple[Remark, ...] = ()

    def term(self, letter: str) -> Term:
        """The term of this letter.

        Raises
        ------
        KeyError
            It was not measured.
        """
        for term in self.terms:
            if term.letter == letter:
                return term
        raise KeyError(letter)

    def __str__(self) -> str:
        lines = [f"training loss minus validation loss: {self.gap:.4f}"]
        for row in (*self.terms, self.remainder):
            parts = self.regularisers if row.letter == "b" else ()
            names = [f"{row.letter or ' '} {row.name}", *(f"  of it {part.name}" for part in parts)]
            for name, part in zip(names, (row, *parts), strict=True):
                lines.append(f"  {name:<52} {measured(part.value, part.low, part.high)}")
        if (beside := self.val_in_training) is not None:
            figures = measured(beside.value, beside.low, beside.high)
            lines.append(f"  {'beside it: validation in training mode would add':<52} {figures}")
        said = (*self.advice, *map(str, self.remarks), *(f"Note: {limit}" for limit in self.limits))
        return "\n".join([*lines, *said])


def from_levels(
    levels: Sequence[Level],
    val: Float64,
    *,
    reported_train: float | None,
    reported_val: float | None,
    limits: Sequence[str] = (),
    val_in_training: Float64 | None = None,
    remarks: Sequence[Remark] = (),
) -> OwnAttribution:
    """Make the terms.

    Parameters
    ----------
    levels : sequence of Level
        The first with all regularisers on (S1), the last with none (S2).
    val : ndarray of float64, shape (n_val,)
        Bare loss of validation samples.
    reported_train, reported_val : float or None
        What the training log says.
    val_in_training : ndarray of float64, shape (n_val,), optional
        Bare loss of the same validation samples in training mode.
    remarks : sequence of Remark
        On the network.

    Raises
    ------
    InputError
        A loss that is not finite, or no sample.
    """
    for what, losses in (
        *((f"training ({level.off or 'all on'})", level.losses) for level in levels),
        ("validation", val),
    ):
        if not len(losses):
            raise InputError(f"own model: there are no {what} samples")
        if not np.isfinite(losses).all():
            n = int((~np.isfinite(losses)).sum())
            raise InputError(f"own model: the {what} loss of {n:,} of {len(losses):,} samples is not finite")
    said = list(limits)
    first, last = levels[0].losses, levels[-1]
    # between the first and the last level samples are paired only if they are at every step between
    paired = all(level.paired for level in levels[1:])
    terms = []
    gap = float(first.mean()) if reported_train is None else reported_train
    if reported_train is not None:
        terms.append(_term("a", NAMES["a"], reported_train - float(first.mean()), _error(first), MEANINGS["a"]))
    else:
        said.append("The reported training loss is not known: a is not measured.")
    b = float(first.mean()) - float(last.losses.mean())
    terms.append(_term("b", NAMES["b"], b, _difference_error(first, last.losses, paired), MEANINGS["b"]))
    gap -= float(val.mean()) if reported_val is None else reported_val
    if reported_val is not None:
        terms.append(_term("o", NAMES["o"], float(val.mean()) - reported_val, _error(val), MEANINGS["o"]))
    else:
        said.append("The reported validation loss is not known: o is not measured.")
    remainder = _term(
        "",
        REMAINDER,
        float(last.losses.mean()) - float(val.mean()),
        _difference_error(last.losses, val, paired=False),
        "bare loss on training samples less that on validation samples, by the same weights in the same mode",
    )
    said.append("Intervals are over the samples measured, for this one network.")
    beside = _beside(val, val_in_training)
    if reported_val is not None and beside is not None and (forgotten := _forgotten(val, beside, reported_val)):
        remarks = (forgotten, *remarks)
    return OwnAttribution(
        gap=gap,
        terms=tuple(terms),
        regularisers=_parts(levels),
        remainder=remainder,
        n_train=len(last.losses),
        n_val=len(val),
        advice=advice(gap, terms, remainder),
        limits=tuple(said),
        val_in_training=beside,
        remarks=tuple(remarks),
    )


def _beside(val: Float64, in_training: Float64 | None) -> Term | None:
    """What training mode adds to the loss of validation; None where it changes nothing, or cannot be run."""
    if in_training is None or not np.isfinite(in_training).all() or np.allclose(in_training, val, rtol=1e-5, atol=1e-7):
        return None
    error = _difference_error(in_training, val, paired=True)
    meaning = "validation loss in training mode less that in evaluation mode, by the same weights"
    return _term("", "validation in training mode", float(in_training.mean() - val.mean()), error, meaning)


def _forgotten(val: Float64, beside: Term, reported: float) -> Remark | None:
    """A reported validation loss that is far nearer to that of training mode than to that of evaluation mode."""
    bare = float(val.mean())
    noisy = bare + beside.value
    if not beside.clear or abs(reported - noisy) > abs(reported - bare) / NEARER:
        return None
    return Remark(
        "validation-in-training-mode",
        "error",
        "",
        f"the reported validation loss {reported:.4f} is that of training mode ({noisy:.4f}), not of evaluation mode "
        f"({bare:.4f}): call model.eval() (Keras: training=False) before validation",
    )


def _parts(levels: Sequence[Level]) -> tuple[Term, ...]:
    parts = []
    for before, level in pairwise(levels):
        error = _difference_error(before.losses, level.losses, level.paired)
        value = float(before.losses.mean() - level.losses.mean())
        parts.append(_term("b", level.off, value, error, f"what {level.off} adds to the training loss"))
    return tuple(parts)


def advice(gap: float, terms: Sequence[Term], remainder: Term) -> tuple[str, ...]:
    """What the terms mean, and what to do next.

    Parameters
    ----------
    gap : float
    terms : sequence of Term
        Those of a, b and o that were measured.
    remainder : Term
    """
    lowering = sorted((t for t in terms if t.low is not None and t.low > 0), key=lambda t: -t.value)
    names, lowered = listed([term.name for term in lowering] or ["nothing"]), sum(term.value for term in lowering)
    said = []
    if gap > 0 and lowering:
        share = lowered / gap
        how = "explained" if share >= 1 else f"to {share:.0%} explained"
        said.append(f"Validation loss is {gap:.4f} below training loss: {how} by {names}.")
    elif gap > 0:
        said.append(f"Validation loss is {gap:.4f} below training loss; timing and regularisation do not explain it.")
    elif lowered > SMALLEST_SHARE * -gap:
        said.append(
            f"Validation loss is {-gap:.4f} above training loss, as is usual; without {names} it would be "
            f"{lowered - gap:.4f} above."
        )
    else:
        said.append(f"Validation loss is {-gap:.4f} above training loss, as is usual.")
    if remainder.low is not None and remainder.low > 0:
        said.append(
            "The network does better on validation than on the samples it was trained on, in the same mode: an easier "
            "validation split or leakage. `leakaudit scan --probe auto` on the data tells which."
        )
    else:
        said.append(
            "Memorisation hides difficulty and leakage in what is left: `leakaudit scan --probe auto` on the data "
            "measures them with models that saw neither."
        )
    return tuple(said)


def _term(letter: str, name: str, value: float, error: float | None, meaning: str) -> Term:
    if error is None:
        return Term(letter, name, value, None, None, meaning)
    from scipy.special import ndtri

    half = float(ndtri((1 + CONFIDENCE) / 2)) * error
    return Term(letter, name, value, value - half, value + half, meaning)


def _error(losses: Float64) -> float | None:
    return float(losses.std(ddof=1)) / math.sqrt(len(losses)) if len(losses) > 1 else None


def _difference_error(first: Float64, second: Float64, paired: bool) -> float | None:
    if paired and len(first) == len(second):
        return _error(first - second)
    errors = (_error(first), _error(second))
    return None if errors[0] is None or errors[1] is None else math.hypot(errors[0], errors[1])
