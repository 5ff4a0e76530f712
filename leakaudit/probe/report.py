"""What the probe measured, as plain data for reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.model import LossHistogram, ProbeCurve, ProbeReport, ProbeTerm, ProbeTest, Sample
from leakaudit.probe.outcome import NotProbed
from leakaudit.probe.run import Probed, probed
from leakaudit.probe.wording import explain

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray
    from leakaudit.probe.attribution import Term
    from leakaudit.probe.learner import Curve, Float64

BINS = 40
"""Of the histogram of losses; a page shows no more."""

CONFUSED = 40
"""Classes up to which the confusion matrix is kept."""

POINTS = 200
"""Of a curve."""

DIGITS = 9
"""Of a figure of the report, after the point: the last bits of a sum hang on how many threads took part in it, and
reports of the same data are the same byte for byte."""

SHOWN = 12
"""Hardest and most memorised samples."""


def probe_report(context: Context) -> ProbeReport | None:
    """The report of the probe, None where it is off; a probe that could not measure says why."""
    if context.config.probe == "off":
        return None
    found = probed(context)
    if isinstance(found, NotProbed):
        return ProbeReport(reason=found.reason, interrupted=found.interrupted)
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
        tests=tuple(
            ProbeTest(
                test.name,
                _figure(test.effect),
                _figure(test.p),
                _figure(test.p_holm),
                _figure(test.detectable),
                test.reason,
            )
            for test in attribution.tests
        ),
        summary=explain(attribution, found.by_check, n_recognised=found.n_recognised).headline,
        curves=tuple(_curve(seed, curve) for seed, curve in enumerate(found.curves)),
        losses=_histogram(h, held_out),
        classes=found.measured.classes if confusion else (),
        confusion=confusion,
        hardest=_samples(context, found, h, np.flatnonzero(held_out), "out-of-fold loss"),
        memorised=_samples(context, found, h - loss, np.flatnonzero(held_out), "known better by"),
        sampled=found.sampled,
        notes=(*found.notes, *attribution.limits),
    )


def _term(term: Term) -> ProbeTerm:
    value = round(float(term.value), DIGITS) + 0.0
    return ProbeTerm(term.letter, term.name, value, _figure(term.low), _figure(term.high), term.meaning)


def _figure(value: float | None) -> float | None:
    """A figure of the report; without a minus before a zero."""
    return None if value is None else round(float(value), DIGITS) + 0.0


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
