"""What the checks of the probe have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import Context
from leakaudit.checks.base import Check
from leakaudit.model import Outcome, Scalar, Status
from leakaudit.probe.outcome import NotProbed
from leakaudit.probe.run import Probed, probed, probed_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from leakaudit.model import IntArray

WORST_FIRST: tuple[Status, ...] = ("failed", "errored", "inconclusive", "passed", "skipped")
"""One pair that could not be judged leaves the whole open."""


def measured(context: Context, check: Check) -> Probed | Outcome:
    """What the probe measured, or the outcome of a check that therefore has nothing to say."""
    found = probed(context)
    if isinstance(found, NotProbed):
        return Outcome(check.code, check.slug, found.status, found.reason)
    return found


def over_pairs(context: Context, check: Check, judge: Callable[[Probed], Outcome]) -> Outcome:
    """What a check says of every pair of splits, as one outcome: the worst of them, with all findings.

    Parameters
    ----------
    judge : callable
        The outcome of one pair.
    """
    found = probed_pairs(context)
    if isinstance(found, NotProbed):
        return Outcome(check.code, check.slug, found.status, found.reason)
    each = [judge(pair) for pair in found]
    if len(each) == 1:
        return each[0]
    reasons = [f"{pair.held_out} against {pair.reference}: {one.reason}" for pair, one in zip(found, each, strict=True)]
    metrics = {
        f"{pair.held_out} against {pair.reference}": next(iter(one.metrics.values()))
        for pair, one in zip(found, each, strict=True)
        if one.metrics
    }
    return Outcome(
        check.code,
        check.slug,
        min((one.status for one in each), key=WORST_FIRST.index),
        "; ".join(dict.fromkeys(reasons)),
        metrics,
        tuple(finding for one in each for finding in one.findings),
        sampled=tuple(dict.fromkeys(sentence for one in each for sentence in one.sampled)),
    )


def sizes(found: Probed) -> dict[str, Scalar]:
    """The denominators of every figure."""
    held_out = found.measured.held_out
    return {
        "model": found.model,
        "n_reference": int((~held_out).sum()),
        "n_held_out": int(held_out.sum()),
        "n_known": int(found.measured.leaked.sum()),
        "n_seeds": len(found.measured.loss),
        "n_repeats": len(found.measured.out_of_fold),
        "n_folds": len(np.unique(found.measured.fold[0])),
    }


def identity(context: Context, found: Probed, at: IntArray) -> list[bytes]:
    """Content digests of samples of the pool, sorted: what a finding's id is made of."""
    return sorted(context.digests(found.pool.indices[at]))


def with_model(found: Probed) -> str:
    """``3 models (gradient-boosted trees, 100 rounds)``."""
    n = len(found.measured.loss)
    return f"{n:,} full model{'s' if n != 1 else ''} ({found.model})"


def p_text(p: float) -> str:
    """A p-value as people write it."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A figure of a report; None stays None."""
    return None if value is None else round(float(value), digits) + 0.0  # no minus before a zero
