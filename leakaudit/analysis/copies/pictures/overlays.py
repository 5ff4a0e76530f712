"""Near-duplicates with two labels of which one has something drawn on it: the overlay is the label, not a mistake.

A face with and without a mask, a tile with and without a defect: the pictures are the same but for one place, and what
is there is what the classes are about. Such a pair has no wrong label; its two pictures have the same *base*, and a
split that tears them apart shows the base in training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.pictures.equal import image_labels
from leakaudit.analysis.copies.pictures.parameters import NearParams
from leakaudit.analysis.copies.pictures.scene import local_change, look_at
from leakaudit.analysis.copies.pictures.store import near_images
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

LEAST = 5
"""Pairs of the same two labels that must differ in one place: fewer may be wrong labels of retouched copies."""

MOST_LOOKED_AT = 1_000
"""Pairs of either kind, of the same label and of two, that are looked at, evenly spread."""


@once
def overlays(context: Context, held_out: str, reference: str) -> Pairs:
    """Verified near-duplicates of two splits that differ in one place, which goes with their labels.

    Those of two labels A and B of which at least `LEAST`, and most that were looked at, differ in one place by more
    than copies do (`NearParams.other_content`), where fewer than half as many, as a share, of the near-duplicates with
    equal labels do.
    """
    labels, names = image_labels(context)
    pairs = near_images(context).pairs_of(held_out, reference)
    of_a, of_b = labels[pairs.a], labels[pairs.b]
    known = (of_a >= 0) & (of_b >= 0)
    other = np.flatnonzero(known & (of_a != of_b))
    if len(other) < LEAST:
        return pairs.first(0)
    same = _spread(np.flatnonzero(known & (of_a == of_b)))
    is_local = _is_local(context, held_out, reference, np.concatenate([same, other]))
    share_of_same = float(is_local[: len(same)].mean()) if len(same) else 0.0
    kept = np.zeros(len(other), dtype=bool)
    both = np.minimum(of_a, of_b)[other] * len(names) + np.maximum(of_a, of_b)[other]
    for labels_of_pair in np.unique(both):
        at = np.flatnonzero(both == labels_of_pair)
        local = is_local[len(same) + at]
        if local.sum() >= LEAST and local.mean() > max(0.5, 2 * share_of_same):
            kept[at] = local
    at = other[kept]
    return Pairs(pairs.a[at], pairs.b[at], pairs.score[at])


def _spread(places: IntArray) -> IntArray:
    return places[np.unique(np.linspace(0, len(places) - 1, min(len(places), MOST_LOOKED_AT)).astype(np.int64))]


def _is_local(context: Context, held_out: str, reference: str, at: IntArray) -> npt.NDArray[np.bool_]:
    """Which of the verified pairs at these places differ in one place."""
    near = near_images(context).found[held_out, reference]
    at = np.flatnonzero(near.is_verified)[at]
    change = local_change(
        context.images.records, near.pairs.a[at], near.pairs.b[at], near.orientation[at], look_at(context)
    )
    return np.isfinite(change) & (change > NearParams().other_content)
