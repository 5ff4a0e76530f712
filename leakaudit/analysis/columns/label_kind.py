"""Whether labels are classes, quantities or names of samples, told from how often each of them occurs."""

from __future__ import annotations

from collections.abc import Mapping

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
        fractional = any(float(label) % 1 for label in labels)
        if fractional or n_samples < ROWS_A_CLASS * len(labels):
            return f"the label is a quantity: {len(labels):,} distinct numbers"
    if len(labels) > CONTINUOUS_DISTINCT and len(labels) > IDENTIFIER_SHARE * n_samples:
        return f"the label names samples, not classes: {len(labels):,} distinct values in {n_samples:,} samples"
    return None


def is_number(text: str) -> bool:
    """Whether a label reads as a finite number."""
    try:
        value = float(text)
    except ValueError:
        return False
    return value - value == 0  # neither infinite nor NaN
