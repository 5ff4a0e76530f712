"""Whether labels are classes, quantities or names of samples, told from how often each of them occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

CONTINUOUS_DISTINCT = 20
"""A numeric label with more distinct values than this, and with fractions, is a quantity to regress on, not a class."""

IDENTIFIER_SHARE = 0.5
"""Labels of which more than this share are distinct name samples, not classes."""

ROWS_A_CLASS = 10
"""Numbers of which more than `CONTINUOUS_DISTINCT` are distinct, with fewer rows than this for each, are a quantity
though they are whole (a price, a count, a score): classes of so few rows can be neither learnt nor compared."""


def not_classes(counts: Mapping[str, Mapping[str, int]]) -> str | None:
    """Why these labels are not classes, or None when they are.

    Parameters
    ----------
    counts : mapping of split to mapping of label to count

    Returns
    -------
    str or None
        "the label is a quantity: 1,080 distinct numbers".
    """
    labels = {label for split in counts.values() for label in split}
    n_samples = sum(sum(split.values()) for split in counts.values())
    if len(labels) > CONTINUOUS_DISTINCT and all(map(is_number, labels)):
        total: Counter[float] = Counter()
        for split in counts.values():
            for label, n in split.items():
                total[float(label)] += n
        if _are_quantities(total):
            return f"the label is a quantity: {len(labels):,} distinct numbers"
    if len(labels) > CONTINUOUS_DISTINCT and len(labels) > IDENTIFIER_SHARE * n_samples:
        return f"the label names samples, not classes: {len(labels):,} distinct values in {n_samples:,} samples"
    return None


def _are_quantities(counts: Mapping[float, int]) -> bool:
    """Whether numbers are measured or counted, not the numbers of classes.

    Classes are numbered one after the other, and how frequent one is says nothing of the next one (or they are numbered
    by frequency). Quantities have gaps, or rise and fall smoothly in frequency: ages, counts of rentals, prices.
    """
    values = sorted(counts)
    n_samples, n = sum(counts.values()), len(values)
    if any(value % 1 for value in values) or n_samples < ROWS_A_CLASS * n:
        return True
    if values[0] < 0 or values[-1] - values[0] + 1 > SPARSE * n:
        return n_samples < ROWS_A_CODE * n
    frequency = [counts[value] for value in values]
    steps = [after - before for before, after in pairwise(frequency)]
    mean = n_samples / n
    spread = sum((each - mean) ** 2 for each in frequency)
    falling = sum(step <= 0 for step in steps), sum(step >= 0 for step in steps)
    return max(falling) < SORTED * len(steps) and sum(step**2 for step in steps) < SMOOTH * 2 * spread


SPARSE = 2.0
"""A range this many times as wide as the count of distinct whole numbers is not one of running numbers."""

ROWS_A_CODE = 100
"""Rows of each of such numbers from which on they are codes of classes all the same (product categories)."""

SORTED = 0.9
"""Least share of steps in one direction of classes that are numbered by frequency, or in blocks of equal size."""

SMOOTH = 0.3
"""Von Neumann's ratio (mean squared difference of successive counts over twice their variance), which is 1 on average
where counts come in no order, with a standard deviation of 1/√n: below 0.3 by chance in less than 1 of 1,000 cases for
20 classes (von Neumann, Annals of Mathematical Statistics 12 (1941) 367)."""


def is_number(text: str) -> bool:
    """Whether a label reads as a finite number."""
    try:
        value = float(text)
    except ValueError:
        return False
    return value - value == 0  # neither infinite nor NaN
