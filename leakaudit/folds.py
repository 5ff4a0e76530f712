"""Cross-validation: every fold is held out once against all others, and all folds together get one verdict.

Each sample is held out exactly once, so counts of held-out samples add up over the folds without counting any twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leakaudit.catalogue import code_of, is_of
from leakaudit.model import SEVERITIES, Dataset, Finding, Outcome, SplitInfo, Status, finding_id

HELD_OUT, TRAIN = "held out", "train"
"""The two splits of a report over folds: every sample once, and the training part that it was held out from."""

_WORST_FIRST: tuple[Status, ...] = ("errored", "failed", "inconclusive", "passed", "skipped")


def one_fold(dataset: Dataset, fold: str) -> Dataset:
    """The data set as the run that holds this fold out sees it: two splits, `HELD_OUT` and `TRAIN`."""
    names = {name: HELD_OUT if name == fold else TRAIN for name in dataset.splits}
    columns = replace(
        dataset.columns, split_values={value: names[name] for value, name in dataset.columns.split_values.items()}
    )
    samples = dataset.samples
    if samples is not None:
        held_out = samples.split == dataset.splits.index(fold)
        samples = replace(samples, split=held_out.astype(samples.split.dtype))  # `TRAIN` stands first
    return replace(
        dataset,
        splits=(TRAIN, HELD_OUT),
        samples=samples,
        tables=tuple(replace(t, split=None if t.split is None else names[t.split]) for t in dataset.tables),
        columns=columns,
        folds=False,
    )


def is_asked(code: str) -> bool:
    """Whether a check has something to say of folds.

    What is too small for one split is not so for all folds together, and a copy inside a training part is a copy across
    two folds, where it counts.
    """
    return not is_of(code, "quality") and code != code_of("duplicates-within-split")


def together(outcomes: Sequence[Outcome], sizes: Sequence[int]) -> Outcome:
    """What one check says of all folds.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of one check, a fold each.
    sizes : sequence of int
        Samples of the folds, in the same order.
    """
    status = min((outcome.status for outcome in outcomes), key=_WORST_FIRST.index)
    of_that = [outcome for outcome in outcomes if outcome.status == status]
    n_folds = len(outcomes)
    reason = of_that[0].reason
    if len({outcome.reason for outcome in outcomes}) > 1:
        reason = f"{status} in {len(of_that)} of {n_folds} folds; the first says: {reason}"
    findings = [
        _finding(severity, outcomes, sizes)
        for severity in SEVERITIES
        if any(finding.severity == severity for outcome in outcomes for finding in outcome.findings)
    ]
    metrics = {
        f"fold {number + 1}, {key}": value for number, o in enumerate(outcomes) for key, value in o.metrics.items()
    }
    sampled = tuple(dict.fromkeys(sentence for outcome in outcomes for sentence in outcome.sampled))
    seconds = sum(o.seconds for o in outcomes if o.seconds is not None) if outcomes[0].seconds is not None else None
    first = outcomes[0]
    return Outcome(first.code, first.slug, status, reason, metrics, tuple(findings), sampled=sampled, seconds=seconds)


def _finding(severity: str, outcomes: Sequence[Outcome], sizes: Sequence[int]) -> Finding:
    """One finding for all of a severity, told by the fold in which most held-out samples are concerned."""
    by_fold = [[finding for finding in outcome.findings if finding.severity == severity] for outcome in outcomes]
    concerned = [sum(finding.n_samples for finding in findings) for findings in by_fold]
    shares = [n / max(size, 1) for n, size in zip(concerned, sizes, strict=True)]
    hit = [number for number, findings in enumerate(by_fold) if findings]
    worst = max(hit, key=lambda number: (shares[number], -number))
    example = max(by_fold[worst], key=lambda finding: finding.n_samples)
    counts = is_of(example.code, "copies", "belonging")
    if counts and len(hit) == len(outcomes):
        start = f"in each of {len(outcomes)} folds {min(shares):.1%} to {max(shares):.1%} of the held-out samples"
        message = f"{start} are concerned; in fold {worst + 1}: {example.message}"
    else:
        message = f"in {len(hit)} of {len(outcomes)} folds; in fold {worst + 1}: {example.message}"
    return replace(
        example,
        id=finding_id(example.code, "folds", *sorted(f.id for findings in by_fold for f in findings)),
        message=message,
        splits=(HELD_OUT, TRAIN) if len(example.splits) == 2 else (HELD_OUT,),
        n_samples=sum(concerned),
        effect={**example.effect, "n_folds": len(hit), "share_low": min(shares), "share_high": max(shares)},
    )


def splits_of(infos: Sequence[SplitInfo]) -> dict[str, SplitInfo]:
    """Sizes and labels of the two splits of the report; those of a training part are means over the folds."""
    n, n_folds = sum(info.n for info in infos), len(infos)
    labels: dict[str, int] = {}
    for info in infos:
        for label, count in info.labels.items():
            labels[label] = labels.get(label, 0) + count
    share = (n_folds - 1) / max(n_folds, 1)
    training = {label: round(count * share) for label, count in labels.items()}
    return {TRAIN: SplitInfo(round(n * share), training), HELD_OUT: SplitInfo(n, dict(sorted(labels.items())))}
