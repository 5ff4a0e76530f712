"""Which causes explain the gap, in sentences. They say what was measured and where to look, and accuse nobody.

A cause is named where its term is large enough, its interval lies above 0, its test says that it is no chance, and the
check that asks for it has not passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leakaudit.probe.attribution import Attribution, Term

SMALLEST_SHARE = 0.02
"""A cause is named from this share of the out-of-fold validation loss; a convention of this tool."""

EASIER, EASIER_AT_LEAST = 0.2, 0.1
"""Standard deviations from which validation is called easier (Cohen's "small"), and which the interval must leave: the
defaults of LA206, so that the headline names no easier split where that check passes."""

BY_HEART, AS_WELL = 0.25, 0.5
"""Share of the loss of training samples that models learn by heart, and share of that which validation makes up for, by
being known or easier, from which it is said that memorising models show no gap; conventions of this tool."""

MOSTLY = 0.5
"""Share of validation that is in training, from which the headline begins with it."""


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


def explain(
    attribution: Attribution,
    duplicates: Mapping[str, int] | None = None,
    *,
    n_recognised: int = 0,
    sides: tuple[str, str] = ("validation", "training"),
) -> Explanation:
    """Say which causes explain the gap.

    Parameters
    ----------
    attribution : Attribution
    duplicates : mapping of str to int, optional
        Code of each check that lists leaked samples, to how many: ``{"LA101": 120}``.
    n_recognised : int, default 0
        Validation samples that models take for training samples (LA403) and no check lists.
    sides : (str, str)
        What the held-out and the reference split are called.
    """
    if attribution.reason:
        return Explanation(
            f"The gap between training and validation loss is not split: {attribution.reason}.", (), False
        )
    smallest = SMALLEST_SHARE * abs(attribution.val_loss)
    causes = [
        Cause(term.letter, _phrase(term, attribution, duplicates or {}), term.value, term.low, term.high)
        for term in attribution.terms
        if term.value > smallest and stands_out(term, attribution)
    ]
    causes.sort(key=lambda cause: -cause.value)
    unexplained = any(cause.letter == "r" for cause in causes)
    said = [
        _contained(attribution, duplicates or {}, n_recognised, sides),
        _headline(attribution, causes, smallest, unexplained),
        NO_GAP if shows_no_gap(attribution) else "",
    ]
    return Explanation(" ".join(filter(None, said)), tuple(causes), unexplained)


NO_GAP = (
    "The models know training samples by heart and do nearly as well on validation: a model that memorises and shows "
    "no gap is a warning by itself, for validation is known to it, or far easier."
)


def shows_no_gap(attribution: Attribution) -> bool:
    """Whether models learn training samples by heart, and lose little more on validation than on them, by no chance."""
    memorised = attribution.term("e")
    by_heart = memorised.clear and -memorised.value >= BY_HEART * abs(attribution.train_loss)
    made_up = sum(attribution.term(letter).value for letter in "cdr")
    no_chance = attribution.test("leak").significant or easier(attribution, EASIER)
    return by_heart and no_chance and made_up >= AS_WELL * -memorised.value


def _contained(
    attribution: Attribution, duplicates: Mapping[str, int], n_recognised: int, sides: tuple[str, str]
) -> str:
    """Where half of validation or more is in training, that comes first: every other figure hangs on it."""
    n, known = attribution.n_val, attribution.n_leaked
    if not n or known + n_recognised < MOSTLY * n:
        return ""
    by = listed([code for code, count in sorted(duplicates.items()) if count] or ["the duplicate checks"])
    parts = []
    held_out, reference = sides
    if known:
        parts.append(f"{known:,} of {n:,} {held_out} samples are in {reference} as well (listed under {by})")
    if n_recognised:
        of = "more" if known else f"of {n:,} {held_out} samples"
        parts.append(f"{n_recognised:,} {of} are taken for {reference} samples by models (LA403)")
    what = "says nothing" if known + n_recognised == n else "says little"
    return f"{' and '.join(parts)}: {held_out} loss {what} of new samples."


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


def stands_out(term: Term, attribution: Attribution) -> bool:
    """Whether a term is more than chance: its interval leaves 0, and for c, d and r their tests say so.

    Where all of validation is known to be in training, there is nothing to compare the known with, and d is judged by
    the test of r.
    """
    if not term.clear:
        return False
    match term.letter:
        case "c":
            return easier(attribution, EASIER)
        case "d":
            test = "leak" if attribution.n_leaked == attribution.n_val else "known"
            return attribution.test(test).significant
        case "r":
            return attribution.test("leak").significant
        case _:
            return True


def easier(attribution: Attribution, smallest: float) -> bool:
    """Whether validation is easier, or harder, by `smallest` standard deviations, and surely by half of that."""
    term = attribution.term("c")
    if not term.clear or term.low is None or term.high is None or not attribution.test("easy").significant:
        return False
    nearest = min(abs(term.low), abs(term.high))
    large = abs(term.value) >= smallest * attribution.spread
    return large and nearest >= smallest * (EASIER_AT_LEAST / EASIER) * attribution.spread


_PHRASES = {
    "a": "the training loss being an average over the epoch",
    "c": "an easier validation split",
    "e": "training samples being harder for models that saw them",
    "r": "something that no check lists",
    "o": "a reported validation loss that is not the bare loss",
}


def _phrase(term: Term, attribution: Attribution, duplicates: Mapping[str, int]) -> str:
    if term.letter == "b":
        main = [part.name for part in attribution.regularisers if part.clear and part.value >= term.value / 4]
        return listed(main) if main else "regularisation that is on in training only"
    if term.letter == "d":
        return _duplicates(attribution.n_leaked, duplicates)
    # fold models know copies that no check lists, so that these look easy; where something is known, they may be there
    unlisted = " or copies that no check lists" if term.letter == "c" and attribution.test("leak").significant else ""
    return _PHRASES[term.letter] + unlisted


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
