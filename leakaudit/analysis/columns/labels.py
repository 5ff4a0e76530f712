"""Whether labels are classes, quantities or names of samples, and the class of every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leakaudit.analysis.columns.label_kind import CONTINUOUS_DISTINCT, IDENTIFIER_SHARE, is_number, not_classes
from leakaudit.analysis.context import Context, once

if TYPE_CHECKING:
    from leakaudit.model import IntArray

__all__ = ["CONTINUOUS_DISTINCT", "IDENTIFIER_SHARE", "class_codes", "is_number", "label_codes", "not_classes"]


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
