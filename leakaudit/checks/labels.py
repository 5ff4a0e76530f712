"""Label counts by split, and whether labels are classes at all."""

from leakaudit.analysis.columns.labels import CONTINUOUS_DISTINCT, IDENTIFIER_SHARE, class_codes, not_classes

__all__ = ["CONTINUOUS_DISTINCT", "IDENTIFIER_SHARE", "class_codes", "not_classes"]
