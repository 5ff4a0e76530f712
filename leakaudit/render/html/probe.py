"""What the probe measured, ready to be drawn: learning curves, the parts of the gap, losses, confusion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from leakaudit.model import ProbeCurve, ProbeReport, ProbeTerm
from leakaudit.render.html.chart import Chart, Curve, chart, overlay
from leakaudit.render.html.numbers import Box, interval_bars

NUMBERED = 12
"""Classes up to which the confusion matrix has room for its counts."""

SHADES = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One term of the gap: its numbers as text, and its bar in the waterfall."""

    term: ProbeTerm
    value: str
    interval: str
    bar: tuple[Box, ...]


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
    gap: str
    charts: tuple[Chart, ...]
    steps: tuple[Step, ...]
    regularisers: tuple[Step, ...]
    confusion: Confusion | None


def shown(probe: ProbeReport) -> Shown:
    """The probe as a page draws it."""
    held_out, reference = (*probe.splits, "validation", "training")[:2] if probe.splits else ("validation", "training")
    drawn = (_curves(probe.curves, "loss"), _curves(probe.curves, "accuracy"), _losses(probe, held_out, reference))
    return Shown(
        probe=probe,
        held_out=held_out,
        reference=reference,
        gap=_number(probe.gap) + _interval(probe.gap_low, probe.gap_high),
        charts=tuple(each for each in drawn if each is not None),
        steps=_steps(probe.terms),
        regularisers=_steps(probe.regularisers),
        confusion=_confusion(probe),
    )


def _curves(curves: Sequence[ProbeCurve], what: str) -> Chart | None:
    """Each full model in training, one line a model and side; those of the first are labelled."""
    runs = []
    for at, curve in enumerate(curves):
        for side, style, label in (("train", "train", "train"), ("val", "val", "validation")):
            values = getattr(curve, f"{side}_{what}")
            runs.append((curve.epoch, Curve("" if at else label, style, values)))
    runs = [(x, curve) for x, curve in runs if x]
    seeds = f", {len(curves)} models" if len(curves) > 1 else ""
    return overlay(f"{what.capitalize()} of the quick model{seeds}", "epoch", runs) if runs else None


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
