"""Whether labels are classes, quantities or names of samples, and the class of every picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from leakaudit.analysis.context import Context, once

if TYPE_CHECKING:
    from leakaudit.model import IntArray

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


@once
def label_codes(context: Context) -> tuple[IntArray, list[str]]:
    """Class of every picture as an index into the class names, by first appearance; -1 where it is unknown."""
    import numpy as np
    import pyarrow.compute as pc

    label = context.samples.label
    if label is None:
        return np.full(len(context.samples), -1, dtype=np.int64), []
    label = pc.if_else(pc.equal(pc.utf8_trim_whitespace(label), ""), None, label)
    encoded = pc.dictionary_encode(label)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist()


def class_codes(context: Context) -> IntArray | None:
    """Class of every picture, -1 where unknown; None where labels are unknown or are no classes."""
    counts = {name: info.labels for name, info in context.splits.items()}
    if not context.has_labels or not_classes(counts) is not None:
        return None
    return label_codes(context)[0]


def is_number(text: str) -> bool:
    """Whether a label reads as a finite number."""
    try:
        value = float(text)
    except ValueError:
        return False
    return value - value == 0  # neither infinite nor NaN
