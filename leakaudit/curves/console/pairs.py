"""Names and values in one printed line: ``loss: 0.5``, ``train loss 2.1``, ``Acc@1 60.1 (59.8)``, ``Accuracy: 98/100``.

A value takes as its name what stands between it and the value or the sign before it. A split that stands as a word of
its own (``Val. Loss: 0.6 Acc: 0.7``) holds for what follows in the line; one inside a name (``val_loss``) does not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from leakaudit.curves.names import SPLIT_WORDS, Split, role
from leakaudit.curves.numbers import number

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_VALUE = re.compile(
    rf"(?<![\w.@])(?P<a>{_NUMBER})(?:\s*/\s*(?P<b>{_NUMBER}))?(?P<percent>\s?%)?(?![\w]|-\d|:\d|\.\w)"
    r"|(?<=[:=\s\[(])(?P<word>[-+]?(?:nan|inf|infinity))\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<!\w)\d+:$")
_SEPARATED = re.compile(r"(?P<separator>[:=]\s*)?(?:tensor\(|[\s'\"\[(])*$")
_DELIMITERS = re.compile(r"[,;|\t{}\])\[>*#]|\s[-–—]+\s|[:=]|\(")
_NAME = re.compile(r"[A-Za-z_][\w.@/'\- ]*$")
_ALONE = re.compile(r"(?<![\w/'-])([A-Za-z]+)(?![\w/'])")
_BEST = re.compile(r"\b(?:best|lowest|highest|previous|improved|restor\w+)\b", re.IGNORECASE)
_TIMED = re.compile(r"[A-Za-z]+[\s:=]*\d+(?:\.\d+)?\s?(?:s|ms|m|min|sec)\b")
MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One name and its value.

    Parameters
    ----------
    split : Split or None
        What words before it in the line say; the name itself may say another.
    separated : bool
        A colon or an equals sign stands between name and value.
    running : bool
        The value is the mean so far, in brackets behind that of the last batch.
    """

    name: str
    value: float
    split: Split | None
    separated: bool
    running: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one line holds.

    Parameters
    ----------
    label : Split or None
        The split that stands before the first value.
    progress : tuple of float or None
        How far within its epoch: ``10/391``.
    """

    pairs: tuple[Pair, ...]
    label: Split | None
    progress: tuple[float, float] | None


def parse(line: str, split: Split | None = None) -> Parsed:
    """Take a line apart.

    Parameters
    ----------
    split : Split, optional
        What lines before it say about names without a split.

    Examples
    --------
    >>> [(pair.name, pair.value) for pair in parse("step 250: train loss 2.1, val loss 2.3").pairs]
    [('train loss', 2.1), ('val loss', 2.3)]
    """
    pairs: list[Pair] = []
    label: Split | None = None
    progress: tuple[float, float] | None = None
    end, spoiled, fresh = 0, False, False
    for match in _VALUE.finditer(line):
        if line.endswith(":", 0, match.start()) and _CLOCK.search(line, 0, match.start()):
            end = match.end()
            continue
        gap = line[end : match.start()]
        alone = _standing_alone(gap)
        if alone is not None:
            split = alone
            label = label or (alone if not pairs else None)
        spoiled = (spoiled and not re.search(r"[|;]", gap)) or _BEST.search(gap) is not None
        value = _value(match)
        if gap.strip() == "(" and match["b"] is None and match["a"] and match["a"][0] not in "+-":
            if fresh and not match["percent"]:
                pairs[-1] = Pair(pairs[-1].name, value, pairs[-1].split, pairs[-1].separated, running=True)
            fresh = False
        elif not spoiled:
            n = len(pairs)
            progress = _named(pairs, gap, match, value, split) or progress
            fresh = len(pairs) > n
        end = match.end()
    if not pairs:
        label = label or _standing_alone(line[end:])
    return Parsed(tuple(pairs), label, progress)


def _named(
    pairs: list[Pair], gap: str, match: re.Match[str], value: float, split: Split | None
) -> tuple[float, float] | None:
    """Add the pair of a value, or say that it is a progress."""
    tail = _SEPARATED.search(gap)
    separated = tail is not None and tail["separator"] is not None
    before = gap[: tail.start()] if tail is not None else gap
    name = _DELIMITERS.split(before)[-1].strip(" .'\"")
    fraction = match["b"] is not None
    two = name.split("/")
    if fraction and separated and len(two) == 2 and all(role(part) for part in two):  # accuracy/loss: 0.97/0.08
        for part, text in zip(two, (match["a"], match["b"]), strict=True):
            pairs.append(Pair(part, number(text), split, separated))
        return None
    found = _NAME.search(name)
    named = " ".join(found[0].split()[-MOST_WORDS:]) if found else ""
    said = role(named) if named else None
    if fraction and (said is None or said.quantity != "accuracy"):
        return (number(match["a"]), number(match["b"])) if not separated or said is None else None
    if not separated:
        named = _known_end(named)
    if named:
        pairs.append(Pair(named, value, split, separated))
    return None


def _known_end(name: str) -> str:
    """The longest end of some words that is wholly understood: ``train_acc`` of ``AM train_acc``; "" where none is."""
    parts = name.split()
    for start in range(len(parts)):
        end = " ".join(parts[start:])
        said = role(end)
        if said is not None and not said.rest and (said.quantity != "lr" or end.lower() in ("lr", "learning rate")):
            return end
    return ""


def _standing_alone(text: str) -> Split | None:
    """The last word of a text that says a split and is no part of a longer name."""
    text = _TIMED.sub(" ", text)  # ``train 2.1s`` says how long, not what follows
    found = [SPLIT_WORDS[word.lower()] for word in _ALONE.findall(text) if word.lower() in SPLIT_WORDS]
    return found[-1] if found else None


def _value(match: re.Match[str]) -> float:
    if match["word"] is not None:
        return math.inf
    value = number(match["a"])
    if match["b"] is not None:
        whole = number(match["b"])
        return value / whole if whole else math.nan
    return value / 100 if match["percent"] else value
