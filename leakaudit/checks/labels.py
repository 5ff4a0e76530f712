"""Label counts by split, and whether labels are classes at all."""

from __future__ import annotations

from collections.abc import Mapping

from leakaudit.analysis.columns.labels import CONTINUOUS_DISTINCT, IDENTIFIER_SHARE, class_codes, not_classes

__all__ = ["CONTINUOUS_DISTINCT", "IDENTIFIER_SHARE", "class_codes", "in_one_split", "not_classes"]


def in_one_split(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Why nothing can be compared: no two splits have labels."""
    return f"labels are known in {' and '.join(name for name, labels in counts.items() if labels) or 'no split'} only"
