"""The search for near-duplicate pictures over the workers of a cluster, by the same functions as on one machine.

The held-out side is broadcast, and the reference side goes past it in parts; the best of every part are merged here.
Candidates are then verified some held-out pictures at a time, with the thumbnails of their candidates. Parts begin
where blocks of the search do, so that every product has the shape that it has on one machine, and the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.engines.arrays import pack, unpack
from leakaudit.engines.base import Kernel
from leakaudit.fingerprints.images import THUMBNAIL
from leakaudit.search.neighbours import REFERENCE_BLOCK, Largest, merged, nearest_by

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray

PART_ROWS = 1 << 13, 1 << 17
"""Fewest and most references of a part: each part answers with k rows for every query."""

BLOCKS = 8
"""Blocks of pictures that one task verifies."""

PICTURE = np.dtype([("luma", "u1", (THUMBNAIL, THUMBNAIL)), ("width", "<u4"), ("height", "<u4")])
"""What of `leakaudit.fingerprints.images.RECORD` is needed to verify a pair."""


def nearest_on(
    engine: Engine,
    likeness: Callable[..., pa.Table],
    queries: tuple[FloatArray, ...],
    references: tuple[FloatArray, ...],
    k: int,
    *,
    itself: IntArray,
    advance: Callable[[int], None] = lambda _done: None,
) -> tuple[IntArray, FloatArray]:
    """As `leakaudit.search.neighbours.nearest_by`.

    Parameters
    ----------
    likeness : callable
        A kernel that gives `best_of_part` a similarity of its own.
    queries, references : tuple of ndarray of float32
        Descriptors, in as many arrays as that similarity takes.
    advance : callable
        Told how many queries are done, all at the end.
    """
    m, n = len(queries[0]), len(references[0])
    even = -(-n // (2 * engine.parallelism * REFERENCE_BLOCK)) * REFERENCE_BLOCK
    rows = min(max(even, PART_ROWS[0]), PART_ROWS[1])

    def parts() -> Iterator[pa.Table]:
        for first in range(0, n, rows):
            some = {f"reference{i}": each[first : first + rows] for i, each in enumerate(references)}
            yield pack(first=np.array(first), **some)

    index = pack(itself=itself, **{f"query{i}": each for i, each in enumerate(queries)})
    found = map(unpack, engine.broadcast_map(Kernel.of(likeness, k=k), index, parts()))
    best = merged(m, k, ((part["index"], part["similarity"]) for part in found))
    advance(m)
    return best


def best_of_part(
    index: pa.Table, part: pa.Table, k: int, prepare: Callable[..., Callable[[slice], Largest]]
) -> pa.Table:
    """The k best of some references for every query.

    Parameters
    ----------
    prepare : callable
        From the arrays of the queries, and those of the references, to what `nearest_by` takes.
    """
    one, other = unpack(index), unpack(part)
    queries = [one[f"query{i}"] for i in range(len(one) - 1)]
    references = [other[f"reference{i}"] for i in range(len(other) - 1)]
    first, n = int(other["first"]), len(references[0])
    own = one["itself"] - first
    own = np.where((own >= 0) & (own < n), own, -1)
    found, similarity = nearest_by(prepare(*queries, *references), len(own), n, k, itself=own)
    return pack(index=np.where(found >= 0, found + first, -1), similarity=similarity)


def pictures_of(records: np.ndarray, *indices: IntArray) -> tuple[IntArray, np.ndarray, list[IntArray]]:
    """The pictures that some indices name, once each, and where each index is among them.

    Returns
    -------
    ids : ndarray of int64, shape (u,)
        Ascending indices of the records.
    pictures : ndarray of `PICTURE`, shape (u,)
    places : list of ndarray of int64
        As the indices; -1 stays.
    """
    ids = np.unique(np.concatenate([each[each >= 0] for each in indices]))
    pictures = np.empty(len(ids), dtype=PICTURE)
    for name in PICTURE.names or ():
        pictures[name] = records[name][ids]
    return ids, pictures, [np.where(each >= 0, np.searchsorted(ids, each), -1) for each in indices]
