"""What the probe measured, ready to be drawn: learning curves, the parts of the gap, losses, confusion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from leakaudit.model import DifficultyPart, ProbePair, ProbeReport, ProbeTerm, SplitDifficulty
from leakaudit.render.html.chart import Chart, Curve, chart, overlay
from leakaudit.render.html.numbers import HEIGHT, WIDTH, Box, interval_bars

NUMBERED = 12
"""Classes up to which the confusion matrix has room for its counts."""

SHADES = 6

NOTHING = 5e-4
"""Below it a part of the gap reads ±0.000, and is folded away with the others that do."""

LISTED = 12
"""Classes, and groups, whose difficulty the page lists; the JSON has all."""


@dataclass(frozen=True, slots=True)
class Step:
    """One term of the gap: its numbers as text, and its bar in the waterfall."""

    term: ProbeTerm
    value: str
    interval: str
    bar: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The parts of a gap: `steps` as bars, and the names of those that are nothing to three digits."""

    splits: str
    summary: str
    gap: str
    steps: tuple[Step, ...]
    folded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hardness:
    """How hard the samples of one split are: as text, and its spread as a bar from 0.1 to 0.9 of them."""

    split: str
    n: str
    mean: str
    bar: tuple[Box, ...]
    easiest: str
    hardest: str


@dataclass(frozen=True, slots=True)
class HardPart:
    """A class or a group: for each split its samples, mean loss, and shares among the easiest and the hardest."""

    name: str
    cells: tuple[str, ...]
    over: str


@dataclass(frozen=True, slots=True)
class Hard:
    """Difficulty as the page shows it; parts without figures are empty."""

    splits: tuple[Hardness, ...]
    classes: tuple[HardPart, ...]
    groups: tuple[HardPart, ...]
    more: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Held-out samples by true and predicted class; `shades` from 0 (none) to `SHADES` (the whole class)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shades: tuple[tuple[int, ...], ...]
    recalls: tuple[str, ...]
    numbered: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the page draws of the probe; parts without figures are empty."""

    probe: ProbeReport
    held_out: str
    reference: str
    charts: tuple[Chart, ...]
    waterfalls: tuple[Waterfall, ...]
    regularisers: tuple[Step, ...]
    difficulty: Hard | None
    confusion: Confusion | None


def shown(probe: ProbeReport) -> Shown:
    """The probe as a page draws it."""
    held_out, reference = (*probe.splits, "validation", "training")[:2] if probe.splits else ("validation", "training")
    drawn = (_curves(probe, "loss"), _curves(probe, "accuracy"), _losses(probe, held_out, reference))
    return Shown(
        probe=probe,
        held_out=held_out,
        reference=reference,
        charts=tuple(each for each in drawn if each is not None),
        waterfalls=(_waterfall(probe), *map(_waterfall, probe.others)) if probe.terms else (),
        regularisers=_steps(probe.regularisers),
        difficulty=_difficulty(probe) if probe.difficulty else None,
        confusion=_confusion(probe),
    )


def _curves(probe: ProbeReport, what: str) -> Chart | None:
    """Each full model in training, one line a model and side; those of the first are labelled."""
    runs, curves = [], probe.curves
    unit = "boosting round" if probe.train_loss_kind == "eval_end" else "epoch"
    for at, curve in enumerate(curves):
        for side, style, label in (("train", "train", "train"), ("val", "val", "validation")):
            values = getattr(curve, f"{side}_{what}")
            runs.append((curve.epoch, Curve("" if at else label, style, values)))
    runs = [(x, curve) for x, curve in runs if x]
    seeds = f", {len(curves)} models" if len(curves) > 1 else ""
    return overlay(f"{what.capitalize()} of the quick model{seeds}", unit, runs) if runs else None


def _losses(probe: ProbeReport, held_out: str, reference: str) -> Chart | None:
    """Out-of-fold losses of both sides as shares, so that sides of any size compare."""
    losses = probe.losses
    if losses is None or len(losses.edges) < 2:
        return None
    middles = [(low + high) / 2 for low, high in pairwise(losses.edges)]
    sides = ((reference, "train", losses.train), (held_out, "val", losses.val))
    curves = [
        Curve(name, style, [count / sum(counts) for count in counts]) for name, style, counts in sides if sum(counts)
    ]
    note = "share of the samples with such a loss under models that never saw them; the last bin holds all above"
    title, unit = "Difficulty", probe.unit or "loss"
    return chart(title, f"out-of-fold loss ({unit})", middles, curves, note=note) if curves else None


def _waterfall(of: ProbeReport | ProbePair) -> Waterfall:
    held_out, reference = of.splits
    kept = [term for term in of.terms if not _is_nothing(term)]
    folded = tuple(term.name for term in of.terms if _is_nothing(term))
    gap = _number(of.gap) + _interval(of.gap_low, of.gap_high)
    return Waterfall(f"{held_out} against {reference}", of.summary, gap, _steps(kept), folded)


def _is_nothing(term: ProbeTerm) -> bool:
    ends = (term.value, term.low or 0.0, term.high or 0.0)
    return all(math.isfinite(end) and abs(end) < NOTHING for end in ends)


def _difficulty(probe: ProbeReport) -> Hard:
    splits = probe.difficulty
    ends = [[split.quantiles[at] for split in splits] for at in (0, -1)]
    low, high = min(ends[0]), max(ends[1])
    shown = tuple(
        Hardness(
            split.split,
            f"{split.n:,}",
            f"{split.mean:.3f}",
            _box(split.quantiles, low, high, "val" if at else "train"),
            f"{split.easiest / split.n:.0%}",
            f"{split.hardest / split.n:.0%}",
        )
        for at, split in enumerate(splits)
    )
    classes, groups = (_hard_parts(splits, what) for what in ("classes", "groups"))
    more = max(len(classes) - LISTED, 0), max(len(groups) - LISTED, 0)
    return Hard(shown, tuple(classes[:LISTED]), tuple(groups[:LISTED]), more)


def _box(quantiles: Sequence[float], low: float, high: float, style: str) -> tuple[Box, ...]:
    """A thin line from 0.1 to 0.9, a bar from 0.25 to 0.75, and the middle."""
    if not high > low:
        return ()
    at = [round((value - low) / (high - low) * WIDTH, 1) for value in quantiles]
    return (
        Box(style, at[0], HEIGHT / 2 - 1, max(round(at[4] - at[0], 1), 1), 2),
        Box(style, at[1], 4, max(round(at[3] - at[1], 1), 1), HEIGHT - 8),
        Box("middle", min(at[2], WIDTH - 2), 2, 2, HEIGHT - 4),
    )


def _hard_parts(splits: Sequence[SplitDifficulty], what: str) -> list[HardPart]:
    """Rows of what is over-represented first, then the hardest."""
    by_name: dict[str, list[DifficultyPart | None]] = {}
    for at, split in enumerate(splits):
        for part in getattr(split, what):
            by_name.setdefault(part.name, [None] * len(splits))[at] = part
    rows = []
    for name, parts in by_name.items():
        cells = []
        for part in parts:
            shares = (part.easiest / part.n, part.hardest / part.n) if part else ()
            cells += [f"{part.n:,}", f"{part.mean:.3f}", *(f"{s:.0%}" for s in shares)] if part else ["–"] * 4
        said = [
            f"{'easiest and hardest' if part.over == 'both' else part.over} of {split.split}"
            for part, split in zip(parts, splits, strict=True)
            if part is not None and part.over
        ]
        hardest = max(part.mean for part in parts if part is not None)
        rows.append((not said, -hardest, HardPart(name, tuple(cells), ", ".join(said))))
    return [row for _, _, row in sorted(rows, key=lambda row: (*row[:2], row[2].name))]


def _steps(terms: Sequence[ProbeTerm]) -> tuple[Step, ...]:
    """The terms as a waterfall: each bar begins where the one before ends."""
    finite = [term.value if math.isfinite(term.value) else 0.0 for term in terms]
    starts = [0.0, *accumulate(finite)][: len(finite)]
    ends = [(value, _finite(term.low), _finite(term.high)) for value, term in zip(finite, terms, strict=True)]
    bars = interval_bars(ends, starts) if terms else []
    return tuple(
        Step(term, _number(term.value), _interval(term.low, term.high), bar)
        for term, bar in zip(terms, bars, strict=True)
    )


def _confusion(probe: ProbeReport) -> Confusion | None:
    if not probe.confusion or len(probe.classes) != len(probe.confusion):
        return None
    shades, recalls = [], []
    for at, row in enumerate(probe.confusion):
        n = sum(row)
        shades.append(tuple(math.ceil(SHADES * count / n) if n else 0 for count in row))
        recalls.append(f"{row[at] / n:.0%}" if n else "–")
    numbered = len(probe.classes) <= NUMBERED
    return Confusion(probe.classes, probe.confusion, tuple(shades), tuple(recalls), numbered)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:+.3f}"


def _interval(low: float | None, high: float | None) -> str:
    if _finite(low) is None or _finite(high) is None:
        return ""
    return f" [{low:+.3f}, {high:+.3f}]"
