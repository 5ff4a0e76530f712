"""Cross-validation: every fold is held out once against all others, and all folds together get one verdict.

Each sample is held out exactly once, so counts of held-out samples add up over the folds without counting any twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from leakaudit.catalogue import code_of, is_of
from leakaudit.model import (
    PROBLEMS_LISTED,
    SEVERITIES,
    Coverage,
    Dataset,
    Finding,
    Outcome,
    SplitInfo,
    Status,
    finding_id,
)

HELD_OUT, TRAIN = "held out", "train"
"""The two splits of a report over folds: every sample once, and the training part that it was held out from."""

_WORST_FIRST: tuple[Status, ...] = ("errored", "failed", "inconclusive", "passed", "skipped")


def each_fold(dataset: Dataset) -> list[Dataset]:
    """The data set as each run sees it that holds one fold out: two splits, `HELD_OUT` and `TRAIN`.

    Where folds say their own training part, that is it; else it is all other folds.
    """
    if dataset.fold_sets:
        return [_two_splits(each, set(each.splits) - {TRAIN}) for each in dataset.fold_sets]
    return [_two_splits(dataset, {fold}) for fold in dataset.splits]


def _two_splits(dataset: Dataset, held_out: Set[str]) -> Dataset:
    names = {name: HELD_OUT if name in held_out else TRAIN for name in dataset.splits}
    columns = replace(
        dataset.columns, split_values={value: names[name] for value, name in dataset.columns.split_values.items()}
    )
    samples = dataset.samples
    if samples is not None:
        codes = [int(name in held_out) for name in dataset.splits]  # `TRAIN` stands first
        samples = replace(samples, split=np.array(codes, dtype=samples.split.dtype)[samples.split])
    tables = tuple(replace(t, split=None if t.split is None else names[t.split]) for t in dataset.tables)
    problems = tuple(
        replace(each, split=names.get(each.split, each.split) if each.split else None) for each in dataset.problems
    )
    return replace(
        dataset,
        splits=(TRAIN, HELD_OUT),
        samples=samples,
        tables=tuple(sorted(tables, key=lambda table: table.split == HELD_OUT)),
        columns=columns,
        problems=problems,
        folds=False,
        fold_sets=(),
    )


def is_asked(code: str) -> bool:
    """Whether a check has something to say of folds.

    What is too small for one split is not so for all folds together, and a copy inside a training part is a copy across
    two folds, where it counts.
    """
    return not is_of(code, "quality") and code != code_of("duplicates-within-split")


def together(outcomes: Sequence[Outcome], sizes: Sequence[int], names: Sequence[str]) -> Outcome:
    """What one check says of all folds.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of one check, a fold each.
    sizes : sequence of int
        Held-out samples of the folds, in the same order.
    names : sequence of str
        What people call the folds.
    """
    status = min((outcome.status for outcome in outcomes), key=_WORST_FIRST.index)
    of_that = [outcome for outcome in outcomes if outcome.status == status]
    n_folds = len(outcomes)
    reason = of_that[0].reason
    if len({outcome.reason for outcome in outcomes}) > 1:
        reason = f"{status} in {len(of_that)} of {n_folds} folds; the first says: {reason}"
    findings = [
        _finding(severity, outcomes, sizes, names)
        for severity in SEVERITIES
        if any(finding.severity == severity for outcome in outcomes for finding in outcome.findings)
    ]
    metrics = {
        f"{name}, {key}": value
        for name, outcome in zip(names, outcomes, strict=True)
        for key, value in outcome.metrics.items()
    }
    sampled = tuple(dict.fromkeys(sentence for outcome in outcomes for sentence in outcome.sampled))
    seconds = sum(o.seconds for o in outcomes if o.seconds is not None) if outcomes[0].seconds is not None else None
    first = outcomes[0]
    return Outcome(first.code, first.slug, status, reason, metrics, tuple(findings), sampled=sampled, seconds=seconds)


def _finding(severity: str, outcomes: Sequence[Outcome], sizes: Sequence[int], names: Sequence[str]) -> Finding:
    """One finding for all of a severity, told by the fold in which most held-out samples are concerned."""
    by_fold = [[finding for finding in outcome.findings if finding.severity == severity] for outcome in outcomes]
    concerned = [sum(finding.n_samples for finding in findings) for findings in by_fold]
    shares = [n / max(size, 1) for n, size in zip(concerned, sizes, strict=True)]
    hit = [number for number, findings in enumerate(by_fold) if findings]
    worst = max(hit, key=lambda number: (shares[number], -number))
    example = max(by_fold[worst], key=lambda finding: finding.n_samples)
    counts = is_of(example.code, "copies", "belonging")
    if counts and len(hit) == len(outcomes):
        low, high = f"{min(shares):.1%}", f"{max(shares):.1%}"
        start = f"in each of {len(outcomes)} folds {low if low == high else f'{low} to {high}'} of the held-out samples"
        message = f"{start} are concerned; in {names[worst]}: {example.message}"
    else:
        message = f"in {len(hit)} of {len(outcomes)} folds; in {names[worst]}: {example.message}"
    return replace(
        example,
        id=finding_id(example.code, "folds", *sorted(f.id for findings in by_fold for f in findings)),
        message=message,
        splits=(HELD_OUT, TRAIN) if len(example.splits) == 2 else (HELD_OUT,),
        n_samples=sum(concerned),
        effect={**example.effect, "n_folds": len(hit), "share_low": min(shares), "share_high": max(shares)},
    )


def splits_of(infos: Sequence[Mapping[str, SplitInfo]]) -> dict[str, SplitInfo]:
    """Sizes and labels of the two splits of the report; those of a training part are means over the folds."""
    training, held_out = ([info[name] for info in infos] for name in (TRAIN, HELD_OUT))
    n_folds = len(infos)
    mean = {label: round(count / n_folds) for label, count in _labels(training).items()}
    return {
        TRAIN: SplitInfo(round(sum(info.n for info in training) / n_folds), mean),
        HELD_OUT: SplitInfo(sum(info.n for info in held_out), _labels(held_out)),
    }


def _labels(infos: Sequence[SplitInfo]) -> dict[str, int]:
    labels: dict[str, int] = {}
    for info in infos:
        for label, count in info.labels.items():
            labels[label] = labels.get(label, 0) + count
    return dict(sorted(labels.items()))


def coverage_of(each: Sequence[Coverage]) -> Coverage:
    """What was looked at in all folds: the most of any fold, and every problem once."""
    problems = {(problem.uri, problem.kind): problem for coverage in each for problem in coverage.problems}
    listed = sorted(problems.values(), key=lambda problem: (problem.uri, problem.kind))
    blind = sum(problem.kind in ("unreadable", "missing") for problem in listed)
    pointers = sum(problem.kind == "pointer" for problem in listed)
    names = sorted({name for coverage in each for name in coverage.blind_in})
    return replace(
        each[0],
        n_read=max(coverage.n_read for coverage in each),
        n_unreadable=max(blind, *(coverage.n_unreadable for coverage in each)),
        n_pointers=max(pointers, *(coverage.n_pointers for coverage in each)),
        n_unsupported=max(coverage.n_unsupported for coverage in each),
        n_other_files=max(coverage.n_other_files for coverage in each),
        blind_in={name: max(coverage.blind_in.get(name, 0) for coverage in each) for name in names},
        problems=tuple(listed[:PROBLEMS_LISTED]),
        sampled=tuple(dict.fromkeys(sentence for coverage in each for sentence in coverage.sampled)),
    )
