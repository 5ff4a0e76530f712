"""Features that are not learnt, for models that need some: pictures by their patches, rows by their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.features import choose_columns, dense_features, sparse_features
from leakaudit.probe.kinds import thumbnails
from leakaudit.probe.patches import patch_features

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

PROJECTED = 256
"""Random directions on which n-grams of text are projected; they keep distances to about 10 % (Achlioptas, JCSS 66,
2003)."""


def fixed_features(context: Context, indices: IntArray, workers: int = 1) -> npt.NDArray[np.float32]:
    """One row a sample, finite; shape (n, features)."""
    if context.has_pictures:
        return patch_features(thumbnails(context.images, indices), workers=workers)
    chosen = choose_columns(context)
    if not chosen.is_text:
        return dense_features(context, chosen, indices)
    sparse = sparse_features(context, chosen, indices)
    directions = 2.0 * np.random.default_rng(0).integers(2, size=(sparse.shape[1], PROJECTED)) - 1.0
    return np.asarray(sparse @ directions.astype(np.float32), dtype=np.float32)
