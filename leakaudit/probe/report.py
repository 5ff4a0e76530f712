"""What the probe measured, as plain data for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.model import (
    LossHistogram,
    ProbeCurve,
    ProbePair,
    ProbeReport,
    ProbeTerm,
    ProbeTest,
    Sample,
    SplitDifficulty,
)
from leakaudit.probe.difficulty import DIGITS, bounds_of, difficulty, rounded
from leakaudit.probe.outcome import NotProbed
from leakaudit.probe.run import Probed, probed_pairs
from leakaudit.probe.wording import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray
    from leakaudit.probe.attribution import Term
    from leakaudit.probe.learner import Curve, Float64
    from leakaudit.probe.significance import Test

BINS = 40
"""Of the histogram of losses; a page shows no more."""

CONFUSED = 40
"""Classes up to which the confusion matrix is kept."""

POINTS = 200
"""Of a curve."""

SHOWN = 12
"""Hardest and most memorised samples."""


def probe_report(context: Context) -> ProbeReport | None:
    """The report of the probe, None where it is off; a probe that could not measure says why."""
    if context.config.probe == "off":
        return None
    pairs = probed_pairs(context)
    if isinstance(pairs, NotProbed):
        return ProbeReport(reason=pairs.reason, interrupted=pairs.interrupted)
    found = pairs[0]
    measured, attribution = found.measured, found.attribution
    held_out = measured.held_out
    h, loss = measured.out_of_fold.mean(axis=0), measured.loss.mean(axis=0)
    confusion = _confusion(found)
    return ProbeReport(
        splits=(found.held_out, found.reference),
        model=found.model,
        unit=found.unit,
        train_loss_kind=found.train_loss_kind,
        n_train=int((~held_out).sum()),
        n_val=int(held_out.sum()),
        n_leaked=int(measured.leaked.sum()),
        n_seeds=len(measured.loss),
        n_repeats=len(measured.out_of_fold),
        n_folds=len(np.unique(measured.fold[0])),
        gap=_figure(attribution.gap),
        gap_low=_figure(attribution.gap_low),
        gap_high=_figure(attribution.gap_high),
        terms=tuple(map(_term, attribution.terms)),
        regularisers=tuple(map(_term, attribution.regularisers)),
        tests=tuple(map(_test, attribution.tests)),
        summary=_summary(found),
        curves=tuple(_curve(seed, curve) for seed, curve in enumerate(found.curves)),
        losses=_histogram(h, held_out),
        classes=found.measured.classes if confusion else (),
        confusion=confusion,
        hardest=_samples(context, found, h, np.flatnonzero(held_out), "out-of-fold loss"),
        memorised=_samples(context, found, h - loss, np.flatnonzero(held_out), "known better by"),
        difficulty=_difficulty(context, pairs),
        others=tuple(map(_pair, pairs[1:])),
        sampled=found.sampled,
        notes=(*found.notes, *attribution.limits),
    )


def _summary(found: Probed) -> str:
    sides = found.held_out, found.reference
    return explain(found.attribution, found.by_check, n_recognised=found.n_recognised, sides=sides).headline


def _pair(found: Probed) -> ProbePair:
    attribution = found.attribution
    return ProbePair(
        (found.held_out, found.reference),
        n_train=attribution.n_train,
        n_val=attribution.n_val,
        n_leaked=attribution.n_leaked,
        gap=_figure(attribution.gap),
        gap_low=_figure(attribution.gap_low),
        gap_high=_figure(attribution.gap_high),
        terms=tuple(map(_term, attribution.terms)),
        tests=tuple(map(_test, attribution.tests)),
        summary=_summary(found),
        sampled=found.sampled,
        notes=(*found.notes, *attribution.limits),
    )


def _difficulty(context: Context, pairs: Sequence[Probed]) -> tuple[SplitDifficulty, ...]:
    """The reference split of the first pair, and every split that was compared with it."""
    groups, reference = _declared_groups(context), pairs[0].reference
    found: list[SplitDifficulty] = []
    for pair in pairs:
        if pair.reference != reference:
            continue
        measured = pair.measured
        h, held_out = measured.out_of_fold.mean(axis=0), measured.held_out
        classes = None if measured.truth is None else (measured.truth, measured.classes)
        own = None if groups is None else (groups[0][pair.pool.indices], groups[1])
        bounds = bounds_of(h[~held_out])
        sides = [(pair.held_out, held_out)] if found else [(reference, ~held_out), (pair.held_out, held_out)]
        found += [difficulty(name, h, inside, bounds, classes, own) for name, inside in sides]
    return tuple(found)


def _declared_groups(context: Context) -> tuple[IntArray, Sequence[str]] | None:
    """Codes of the declared groups of all samples, and their names; None where none are declared."""
    if context.has_pictures:
        if context.samples.group is None:
            return None
        from leakaudit.analysis.belonging.keys import key_of

        key = key_of("group column", context.samples.group)
        return key.codes, key.values.to_pylist()
    name = context.dataset.columns.group
    if name is None:
        return None
    from leakaudit.fingerprints.rows.columns import read_columns

    (column,) = read_columns(context.rows, [name])
    if column.codes is not None and column.levels is not None:
        return column.codes, column.levels.to_pylist()
    assert column.numbers is not None
    values, codes = np.unique(column.numbers, return_inverse=True)
    return np.where(column.missing, -1, codes.reshape(-1)).astype(np.int64), [f"{value:g}" for value in values]


def _test(test: Test) -> ProbeTest:
    effect, p, p_holm, detectable = map(_figure, (test.effect, test.p, test.p_holm, test.detectable))
    return ProbeTest(test.name, effect, p, p_holm, detectable, test.reason)


def _term(term: Term) -> ProbeTerm:
    return ProbeTerm(term.letter, term.name, rounded(term.value), _figure(term.low), _figure(term.high), term.meaning)


def _figure(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _curve(seed: int, curve: Curve) -> ProbeCurve:
    at = np.unique(np.linspace(0, len(curve.epoch) - 1, min(POINTS, len(curve.epoch))).astype(np.int64))
    columns = (curve.epoch, curve.train_loss, curve.val_loss, curve.train_accuracy, curve.val_accuracy)
    return ProbeCurve(seed, *(tuple((np.round(column[at], DIGITS) + 0.0).tolist()) for column in columns))


def _histogram(h: Float64, held_out: np.ndarray) -> LossHistogram | None:
    finite = np.isfinite(h)
    if not finite.any():
        return None
    top = float(
        np.quantile(h[finite], 0.995)
    )  # a few losses would squeeze all others into one bin; the last takes them
    low = float(h[finite].min())
    edges = np.linspace(low, top if top > low else low + 1, BINS + 1)
    clipped = np.clip(h, edges[0], edges[-1])
    counts = [np.histogram(clipped[side & finite], edges)[0].tolist() for side in (~held_out, held_out)]
    return LossHistogram(tuple(np.round(edges, DIGITS).tolist()), tuple(counts[0]), tuple(counts[1]))


def _confusion(found: Probed) -> tuple[tuple[int, ...], ...]:
    measured = found.measured
    n = len(measured.classes)
    if measured.predicted is None or measured.truth is None or n > CONFUSED:
        return ()
    inside = measured.held_out
    counts = np.zeros((n, n), dtype=np.int64)
    np.add.at(counts, (measured.truth[inside], measured.predicted[0, inside]), 1)
    return tuple(tuple(row) for row in counts.tolist())


def _samples(context: Context, found: Probed, value: Float64, among: IntArray, what: str) -> tuple[Sample, ...]:
    """The samples with the largest value that is above 0, with the value as the reason why they are shown."""
    usable = among[np.isfinite(value[among]) & (value[among] > 0)]
    at = usable[np.argsort(-value[usable], kind="stable")[:SHOWN]]
    described = context.describe(found.pool.indices[at])
    return tuple(
        Sample(sample.uri, sample.split, sample.label, sample.row, f"{what} {value[i]:.3g} {found.unit}")
        for sample, i in zip(described, at.tolist(), strict=True)
    )
