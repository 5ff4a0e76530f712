"""The probe from beginning to end: choose a model and samples, fit full models and fold models, split the gap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.engines.local import map_chunks, usable_cores
from leakaudit.probe.attribution import Attribution, attribute_gap
from leakaudit.probe.budget import Plan, plan
from leakaudit.probe.codes import Recognised, recognise
from leakaudit.probe.duplicates import components, relations
from leakaudit.probe.fixed import fixed_features
from leakaudit.probe.folds import assign_folds, rows_to_train_on, strata_of
from leakaudit.probe.kinds import Kind, choose_kind, standardised
from leakaudit.probe.learner import Curve, Fit, Job, Learner
from leakaudit.probe.measured import Measured
from leakaudit.probe.outcome import NotProbed
from leakaudit.probe.pool import Pool, draw_pool
from leakaudit.probe.speed import ROWS, WORTH_IT, slowness
from leakaudit.probe.target import Target, read_target

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64

LEAST_VAL, LEAST_TRAIN = 20, 40
"""Labelled samples of either side below which nothing is measured: the standard error of a mean is then a quarter of
the standard deviation, more than any effect that is looked for."""

IN_PROCESSES_FROM = 10.0
"""Estimated seconds from which worker processes repay their start."""

OFF = "the probe is off: `--probe auto` trains quick models and cross-checks the loss (about 3 minutes at most)"


@dataclass(frozen=True, eq=False, slots=True)
class Probed:
    """What the probe measured on one pair of splits.

    Parameters
    ----------
    held_out, reference : str
        The splits.
    pool : Pool
        Which samples, by index of the data set.
    measured : Measured
    attribution : Attribution
    values : ndarray of float64, shape (N,)
        The quantity in standard deviations; zeros for classes.
    recognised : Recognised
        What of validation models take for training samples.
    curves : tuple of Curve
        One a full model.
    model, unit, train_loss_kind : str
        See `leakaudit.probe.learner.Learner`.
    by_check : mapping of str to int
        Known leaked samples of the whole held-out split, by the check that lists them.
    sampled, notes : tuple of str
        What was left out; what should be said.
    """

    held_out: str
    reference: str
    pool: Pool
    measured: Measured
    attribution: Attribution
    values: Float64
    recognised: Recognised
    curves: tuple[Curve, ...]
    model: str
    unit: str
    train_loss_kind: str
    by_check: Mapping[str, int]
    sampled: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def n_recognised(self) -> int:
        """Held-out samples that models take for training samples, and no check lists (LA403)."""
        return int((self.recognised.sure & ~self.pool.leaked[self.pool.held_out]).sum())


MOST_PAIRS = 3
"""Pairs of splits that are probed: all of training, validation and test; of more splits the first."""


def probed(context: Context) -> Probed | NotProbed:
    """What the probe found on the first pair of splits that it could measure: as a rule validation against training."""
    found = probed_pairs(context)
    return found if isinstance(found, NotProbed) else found[0]


@once
def probed_pairs(context: Context) -> tuple[Probed, ...] | NotProbed:
    """What the probe found on every pair of splits, at least one; measured once a context.

    A pair that cannot be measured is said with the first one that could be: a test split without labels is usual.

    Raises
    ------
    ConfigError
        A GPU was asked for, and there is none.
    """
    mode = context.config.probe
    if mode == "off" or not context.pairs_of_splits:
        return NotProbed("skipped", OFF if mode == "off" else "needs two splits; --within looks inside each one alone")
    target = read_target(context)
    if isinstance(target, NotProbed):
        return target
    kind = choose_kind(context, target, mode)
    if isinstance(kind, NotProbed):
        return kind
    pairs = context.pairs_of_splits
    left_out = [f"the probe did not compare {a} with {b}" for a, b in pairs[MOST_PAIRS:]]
    found: list[Probed] = []
    failed: list[NotProbed] = []
    for pair in pairs[:MOST_PAIRS]:
        one = _probed_pair(context, target, kind, pair, context.config.probe_budget / len(pairs[:MOST_PAIRS]))
        if isinstance(one, Probed):
            found.append(one)
            continue
        if one.interrupted:
            return one
        failed.append(one)
        left_out.append(f"the probe could not compare {pair[0]} with {pair[1]}: {one.reason}")
    if not found:
        return failed[0]
    return (replace(found[0], sampled=(*found[0].sampled, *left_out)), *found[1:])


def _probed_pair(
    context: Context, target: Target, kind: Kind, pair: tuple[str, str], budget: float
) -> Probed | NotProbed:
    """Measure one pair of (held-out, reference) splits within so many seconds."""
    held_out, reference = pair
    val, train = (_labelled(context, target, name) for name in pair)
    if (reason := _too_little(target, train, val, held_out, reference)) is not None:
        return NotProbed("inconclusive", reason)
    try:
        design, notes = _planned(kind, target, train, val, budget)
        kind = replace(kind, notes=(*kind.notes, *notes))
        related = relations(context, held_out, reference)
        pool = draw_pool(train, val, related, design)
        return _measure(context, kind, design, pool, target, related.by_check, pair)
    except (KeyboardInterrupt, MemoryError) as error:
        return _ended_by(error)


def _ended_by(error: BaseException) -> NotProbed:
    if isinstance(error, KeyboardInterrupt):
        return NotProbed("inconclusive", "the probe was interrupted before its models were trained", interrupted=True)
    return NotProbed("inconclusive", str(error) or "there is too little memory to train models")


def _planned(kind: Kind, target: Target, train: IntArray, val: IntArray, budget: float) -> tuple[Plan, tuple[str, ...]]:
    """The plan, and what must be said of it: made for less time where this machine is slow and the plan is long."""
    make = partial(plan, len(train), len(val), kind.cost, workers=kind.workers)
    design = make(budget=budget)
    if design.seconds < WORTH_IT:
        return design, ()
    some = np.sort(np.random.default_rng(0).choice(train, min(len(train), ROWS), replace=False))
    own = _compact(target.take(some))
    if own.classes and len(np.unique(own.codes)) < 2:
        return design, ()
    slow = slowness(kind.load(some, own), len(some), kind.cost, kind.workers)
    slower = make(budget=budget / slow)
    if slower == design:
        return design, ()
    said = (
        f"Models are fitted {slow} times more slowly here than expected: what is done was cut to fit {budget:,.0f} s."
    )
    return slower, (said,)


def _labelled(context: Context, target: Target, split: str) -> IntArray:
    if context.has_pictures:
        return np.flatnonzero(context.in_split(split) & target.known)

    rows = context.rows
    codes = context.row_splits
    return np.flatnonzero((codes == rows.splits.index(split)) & target.known)


def _too_little(target: Target, train: IntArray, val: IntArray, held_out: str, reference: str) -> str | None:
    if len(val) < LEAST_VAL or len(train) < LEAST_TRAIN:
        sizes = f"{len(train):,} labelled samples of {reference} and {len(val):,} of {held_out}"
        return f"{sizes}: a probe needs {LEAST_TRAIN} and {LEAST_VAL}"
    if target.classes and len(np.unique(target.codes[train])) < 2:
        return f"all labelled samples of {reference} are of one class"
    if not target.classes and not standardised(target.values[train]).any():
        return f"the label is the same number throughout {reference}"
    return None


def _measure(
    context: Context,
    kind: Kind,
    design: Plan,
    pool: Pool,
    target: Target,
    by_check: Mapping[str, int],
    pair: tuple[str, str],
) -> Probed | NotProbed:
    own = _compact(target.take(pool.indices))
    if (reason := _too_alike(pool, pair[1])) is not None:
        return NotProbed("inconclusive", reason)
    workers = context.config.jobs or usable_cores()
    features = fixed_features(context, pool.indices, workers)
    recognised = recognise(features, pool.held_out, pool.groups, workers=workers)
    pool = _joined(pool, recognised)
    if (reason := _too_alike(pool, pair[1])) is not None:
        return NotProbed("inconclusive", reason)
    learner = kind.load(pool.indices, own)
    strata = strata_of(own.codes, own.values)
    folds = [assign_folds(pool.groups, strata, design.folds, seed=r) for r in range(design.repeats)]
    jobs = _jobs(pool, folds, design)
    if own.classes and any(len(np.unique(own.codes[job.train])) < 2 for job in jobs):
        return NotProbed("inconclusive", "a fold leaves one class to train on: there are too few samples of the others")
    fits = _fit_all(context, learner, jobs, kind, design)
    if isinstance(fits, NotProbed):
        return fits
    measured = _measured(pool, own, folds, jobs, fits, design)
    attribution = attribute_gap(measured)
    if attribution.reason:
        return NotProbed("inconclusive", attribution.reason)
    full = fits[: design.seeds]
    return Probed(
        *pair,
        pool=pool,
        measured=measured,
        attribution=attribution,
        values=standardised(own.values),
        recognised=recognised,
        curves=tuple(fit.curve for fit in full if fit.curve is not None and len(fit.curve.epoch)),
        model=learner.name,
        unit=learner.unit,
        train_loss_kind=learner.train_loss_kind,
        by_check=by_check,
        sampled=_sampled(context, pool, target, pair),
        notes=kind.notes,
    )


def _too_alike(pool: Pool, reference: str) -> str | None:
    """Two groups of training samples are the least of which one can be held out."""
    n = int((~pool.held_out).sum())
    if len(np.unique(pool.groups[~pool.held_out])) > 1:
        return None
    return f"all {n:,} samples of {reference} are copies of one another, or of one group: none can be held out alone"


def _joined(pool: Pool, recognised: Recognised) -> Pool:
    """The pool with samples that models take for one another in one group, whether or not a check lists them.

    An unlisted copy in another fold would teach the fold models their own test sample: leakage would look like an easy
    validation split. They are not counted among the known, so that what they gain is told as unexplained.
    """
    val, sure = np.flatnonzero(pool.held_out), recognised.sure
    groups = components(len(pool), [pool.groups], [(val[sure], recognised.twin[sure])])
    return replace(pool, groups=groups)


def _compact(target: Target) -> Target:
    """Without the classes that no sample of the pool has."""
    if not target.classes:
        return target
    present, codes = np.unique(target.codes, return_inverse=True)
    return Target(tuple(target.classes[at] for at in present.tolist()), codes.reshape(-1), target.values)


def _jobs(pool: Pool, folds: Sequence[IntArray], design: Plan) -> list[Job]:
    """Full models first, then the fold models of each repeat; every model has a seed of its own."""
    train, val = np.flatnonzero(~pool.held_out), np.flatnonzero(pool.held_out)
    every = np.arange(len(pool))
    jobs = [Job(train, every, seed, watched=val) for seed in range(design.seeds)]
    for repeat, fold in enumerate(folds):
        for held in np.unique(fold).tolist():
            seed = 1_000 * (repeat + 1) + held
            jobs.append(Job(rows_to_train_on(fold, held, len(train), seed), np.flatnonzero(fold == held), seed))
    return jobs


def _fit_all(
    context: Context, learner: Learner, jobs: Sequence[Job], kind: Kind, design: Plan
) -> list[Fit] | NotProbed:
    """Fit every model, several side by side; Ctrl-C ends it with what is then known."""
    fits: list[Fit] = []
    processes = learner.in_processes and design.seconds > IN_PROCESSES_FROM
    with context.progress("Probing", len(jobs) * learner.ticks, "epochs" if learner.ticks > 1 else "models") as advance:
        tick = (lambda: None) if processes else (lambda: advance(1))
        work = partial(_fit_one, learner) if processes else partial(_fit_one, learner, tick=tick)
        found: Iterator[Fit] = map_chunks(work, [[job] for job in jobs], jobs=kind.workers, processes=processes)
        try:
            for fit in found:
                fits.append(fit)
                if processes:
                    advance(learner.ticks)
        except KeyboardInterrupt:
            reason = f"the probe was interrupted after {len(fits):,} of {len(jobs):,} models"
            return NotProbed("inconclusive", reason, interrupted=True)
    return fits


def _fit_one(learner: Learner, chunk: Sequence[Job], tick: object = None) -> Fit:
    (job,) = chunk
    return learner.fit(job, tick) if callable(tick) else learner.fit(job)


def _measured(
    pool: Pool, target: Target, folds: Sequence[IntArray], jobs: Sequence[Job], fits: Sequence[Fit], design: Plan
) -> Measured:
    full, n = fits[: design.seeds], len(pool)
    loss, score = np.stack([fit.loss for fit in full]), np.stack([fit.score for fit in full])
    out_of_fold, out_score = np.full((design.repeats, n), np.nan), np.full((design.repeats, n), np.nan)
    out_predicted = np.full((design.repeats, n), -1, dtype=np.int64)
    at = design.seeds
    for repeat, fold in enumerate(folds):
        for _ in np.unique(fold):
            out_of_fold[repeat, jobs[at].judged] = fits[at].loss
            out_score[repeat, jobs[at].judged] = fits[at].score
            predicted = fits[at].predicted
            if predicted is not None:
                out_predicted[repeat, jobs[at].judged] = predicted
            at += 1
    names = full[0].regularisers
    return Measured(
        held_out=pool.held_out,
        groups=pool.groups,
        leaked=pool.leaked,
        reported_train=np.array([fit.reported_train for fit in full]),
        train_mode=np.array([fit.train_mode for fit in full]),
        reported_val=loss[:, pool.held_out].mean(axis=1),
        loss=loss,
        out_of_fold=out_of_fold,
        fold=np.stack(folds),
        regularisers={name: np.array([fit.regularisers[name] for fit in full]) for name in names},
        score=score,
        out_of_fold_score=out_score,
        predicted=np.stack([fit.predicted for fit in full if fit.predicted is not None]) if target.classes else None,
        out_of_fold_predicted=out_predicted if target.classes else None,
        truth=target.codes if target.classes else None,
        classes=target.classes,
        full_rows=int((~pool.held_out).sum()),
        fold_rows=round(float(np.mean([len(job.train) for job in jobs[design.seeds :]]))),
    )


def _sampled(context: Context, pool: Pool, target: Target, pair: tuple[str, str]) -> tuple[str, ...]:
    said = []
    held_out, reference = pair
    for name, inside in ((reference, ~pool.held_out), (held_out, pool.held_out)):
        n, total = int(inside.sum()), len(_labelled(context, target, name))
        if n < total:
            said.append(f"the probe looked at {n:,} of {total:,} labelled samples of {name}, drawn at random")
    return tuple(said)
