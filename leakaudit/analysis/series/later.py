"""Splits that lie one after the other in time: what differs between them is drift, and no fault of the draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.analysis.series.order import Interleaving
from leakaudit.analysis.series.splits import rows_in_time

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context

LEAST_LATER = 20
"""Held-out rows with a time, from which on their order says how the splits were drawn (as `LA109` asks for)."""

IN_ORDER = 0.95
"""Share of the steps from row to row that must not go back in time where a file is in the order of time."""

KEEP = (
    "Keep the split by time. Look whether a column was made in another way later on; else report how the score changes "
    "with the distance in time"
)
"""What to do about splits that differ because one is later."""


@once
def later_by(context: Context, held_out: str, reference: str) -> str | None:
    """What says that all held-out rows come after all reference rows: ``column 'date'``; None where nothing does."""
    for axis, found in _measured(context, held_out, reference, over_groups=True):
        if _after(found):
            return axis
    return None


@once
def later_within(context: Context, column: str, held_out: str, reference: str) -> str | None:
    """What says that the held-out rows of each group of a column come after the reference rows of the same group."""
    if not context.has_rows or rows_in_time(context).grouped_by != f"column {column!r}":
        return None
    for axis, found in _measured(context, held_out, reference, over_groups=False):
        if _after(found):
            return axis
    return None


@once
def lies_in_time(context: Context, split: str) -> str | None:
    """What says that the rows of a split lie in its file in the order of time; None where they do not."""
    if not context.has_rows:
        return None
    in_time = rows_in_time(context)
    inside = in_time.splits == context.dataset.splits.index(split)
    for axis in in_time.axes:
        times = axis.values[inside]
        steps = np.diff(times[np.isfinite(times)])
        usable = (axis.calendar or axis.declared) and not axis.unclear
        if usable and len(steps) >= LEAST_LATER and steps.any() and (steps >= 0).mean() >= IN_ORDER:
            return axis.said
    return None


def drift(held_out: str, reference: str, axis: str) -> str:
    """The end of a sentence that tells a difference between two such splits."""
    return f"; {held_out} comes after {reference} by {axis}: drift, which a split by time is there to show"


def _after(found: Interleaving) -> bool:
    return found.n_compared >= LEAST_LATER and not found.n_not_after


def _measured(context: Context, held_out: str, reference: str, *, over_groups: bool) -> list[tuple[str, Interleaving]]:
    if not context.has_rows:
        return []
    in_time = rows_in_time(context)
    sides = context.dataset.splits.index(held_out), context.dataset.splits.index(reference)
    measure = in_time.measure_over_groups if over_groups else in_time.measure
    axes = [axis for axis in in_time.axes if (axis.calendar or axis.declared) and not axis.unclear]
    return [(axis.said, measure(axis, *sides)) for axis in axes]
