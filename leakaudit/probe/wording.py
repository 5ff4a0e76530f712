"""Which causes explain the gap, in sentences. They say what was measured and where to look, and accuse nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leakaudit.probe.attribution import Attribution, Term

SMALLEST_SHARE = 0.02
"""A cause is named from this share of the out-of-fold validation loss; a convention of this tool."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A term that is clear of chance and large enough to be named.

    Parameters
    ----------
    letter : str
        As in `leakaudit.probe.attribution.NAMES`.
    phrase : str
        Completes "explained by …".
    value : float
        How far it lowers validation loss beside training loss, in the unit of the loss.
    low, high : float or None
        95 % interval.
    """

    letter: str
    phrase: str
    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.phrase} ({measured(self.value, self.low, self.high)})"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains the gap.

    Parameters
    ----------
    headline : str
        One sentence.
    causes : tuple of Cause
        Largest first; those that lower validation loss beside training loss.
    unexplained : bool
        Whether models do clearly better on validation than its difficulty and the known duplicates account for.
    """

    headline: str
    causes: tuple[Cause, ...]
    unexplained: bool


def explain(attribution: Attribution, duplicates: Mapping[str, int] | None = None) -> Explanation:
    """Say which causes explain the gap.

    Parameters
    ----------
    attribution : Attribution
    duplicates : mapping of str to int, optional
        Code of each check that lists leaked samples, to how many: ``{"LA101": 120}``.
    """
    if attribution.reason:
        return Explanation(
            f"The gap between training and validation loss is not split: {attribution.reason}.", (), False
        )
    smallest = SMALLEST_SHARE * abs(attribution.val_loss)
    causes = [
        Cause(term.letter, _phrase(term, attribution, duplicates or {}), term.value, term.low, term.high)
        for term in attribution.terms
        if term.value > smallest and _beyond_chance(term, attribution)
    ]
    causes.sort(key=lambda cause: -cause.value)
    unexplained = any(cause.letter == "r" for cause in causes)
    return Explanation(_headline(attribution, causes, smallest, unexplained), tuple(causes), unexplained)


def measured(value: float, low: float | None, high: float | None) -> str:
    """A value with its interval.

    >>> measured(0.1032, 0.07, 0.13), measured(0.25, None, None)
    ('0.103 [0.070, 0.130]', '0.250')
    """
    told = [f"{round(x, 3) + 0.0:.3f}" for x in (value, low, high) if x is not None]
    return f"{told[0]} [{told[1]}, {told[2]}]" if len(told) == 3 else told[0]


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _beyond_chance(term: Term, attribution: Attribution) -> bool:
    """Whether a term is more than chance: c, d and r by their tests, the others by their intervals, if they have one.

    Those of one full model have no interval, and describe that model as it is.
    """
    match term.letter:
        case "c":
            return attribution.test("easy").significant
        case "d":
            return attribution.test("known").significant
        case "r":
            return attribution.test("leak").significant and term.clear
        case _:
            return term.low is None or term.clear


_PHRASES = {
    "a": "the training loss being an average over the epoch",
    "c": "an easier validation split",
    "e": "training samples being harder for models that saw them",
    "r": "something that no check lists",
    "o": "a reported validation loss that is not the bare loss",
}


def _phrase(term: Term, attribution: Attribution, duplicates: Mapping[str, int]) -> str:
    if term.letter == "b":
        main = [part.name for part in attribution.regularisers if part.value >= term.value / 4]
        return listed(main) if main else "regularisation that is on in training only"
    return _duplicates(attribution.n_leaked, duplicates) if term.letter == "d" else _PHRASES[term.letter]


def _duplicates(n_leaked: int, duplicates: Mapping[str, int]) -> str:
    found = [(code, n) for code, n in sorted(duplicates.items()) if n]
    if len(found) == 1:
        code, n = found[0]
        return f"the {n:,} duplicates listed under {code}" if n > 1 else f"the duplicate listed under {code}"
    samples = f"the {n_leaked:,} validation samples that are in training as well"
    return f"{samples} ({listed([f'{n:,} under {code}' for code, n in found])})" if found else samples


def _headline(attribution: Attribution, causes: Sequence[Cause], smallest: float, unexplained: bool) -> str:
    known = [str(cause) for cause in causes if cause.letter != "r"]
    look = ""
    if unexplained:
        rest = attribution.term("r")
        figures = measured(rest.value, rest.low, rest.high)
        look = f" Unexplained: look here: validation samples cost the models {figures} less than unseen samples do."
    if attribution.gap <= smallest:
        where = "level with" if abs(attribution.gap) <= smallest else f"{-attribution.gap:.3f} above"
        said = f"Validation loss is {where} training loss"
        inside = [str(cause) for cause in causes if cause.letter in "cd"]
        return f"{said}, and would be higher without {listed(inside)}.{look}" if inside else f"{said}.{look}"
    said = f"Validation loss is {attribution.gap:.3f} below training loss"
    if known:
        return f"{said}: explained by {listed(known)}.{look}"
    if unexplained:
        return f"{said}.{look}"
    return f"{said}; no single cause stands out from chance."
