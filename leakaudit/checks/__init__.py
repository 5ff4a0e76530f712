"""One file a check; `CHECKS` is the catalogue, in the order of the codes."""

from __future__ import annotations

from leakaudit.checks import (
    la001_unreadable_samples,
    la002_unsupported_or_pointer_files,
    la003_split_too_small,
    la004_low_information_images,
    la101_identical_files,
    la102_identical_pixels,
    la103_near_duplicate_images,
    la104_duplicate_rows,
    la108_group_overlap,
    la110_conflicting_labels,
    la111_duplicates_within_split,
    la201_class_shift,
    la202_missing_or_unseen_class,
    la207_image_statistics_shift,
    la303_metadata_reveals_target,
)
from leakaudit.checks.base import Check

CHECKS: tuple[Check, ...] = (
    la001_unreadable_samples.CHECK,
    la002_unsupported_or_pointer_files.CHECK,
    la003_split_too_small.CHECK,
    la004_low_information_images.CHECK,
    la101_identical_files.CHECK,
    la102_identical_pixels.CHECK,
    la103_near_duplicate_images.CHECK,
    la104_duplicate_rows.CHECK,
    la108_group_overlap.CHECK,
    la110_conflicting_labels.CHECK,
    la111_duplicates_within_split.CHECK,
    la201_class_shift.CHECK,
    la202_missing_or_unseen_class.CHECK,
    la207_image_statistics_shift.CHECK,
    la303_metadata_reveals_target.CHECK,
)

__all__ = ["CHECKS", "Check"]
