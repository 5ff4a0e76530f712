"""The search for near-duplicate pictures over workers of their own, by the same functions as in one process.

Workers are those of a cluster, or processes of this machine where it has many cores: threads do the small steps of the
search, some 30 µs each, in turn. The held-out side is broadcast, and the reference side goes past it in parts; the best
of every part are merged here. Candidates are then verified some held-out pictures at a time, with the thumbnails of
their candidates. Parts begin where blocks of the search do, so that every product has the shape that it has in one
process, and the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.neighbours import REFERENCE_BLOCK, Largest, in_threads, merged, nearest_by
from leakaudit.analysis.copies.pictures.neighbours_torch import gpu_for
from leakaudit.engines.arrays import pack, unpack
from leakaudit.engines.base import Kernel
from leakaudit.engines.choose import cluster_of
from leakaudit.engines.local import Local, usable_cores
from leakaudit.fingerprints.cache.record import THUMBNAIL

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.config import Config
    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray

PART_ROWS = 1 << 13, 1 << 17
"""Fewest and most references of a part: each part answers with k rows for every query."""

FEW_CORES, WORTH = 2, 1 << 28
"""Beyond so many cores, and from so many pairs on (some 10 s of one core), processes are worth their start. Measured:
4,096 × 1,000,000 descriptors took 38 s in threads on 16 cores, and 29 s on one; 4,000 × 100,000 pictures on two cores
took 15.5 s either way."""

BLOCKS = 8
"""Blocks of pictures that one task verifies."""

PICTURES = 1 << 10
"""Pictures that are described at a time: 16 µs each, and 30 µs in blocks of four times as many, whose spectra leave the
processor's cache."""

PICTURE = np.dtype([("luma", "u1", (THUMBNAIL, THUMBNAIL)), ("width", "<u4"), ("height", "<u4")])
"""What of `leakaudit.fingerprints.cache.record.RECORD` is needed to verify a pair."""


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
    """As `leakaudit.analysis.copies.pictures.neighbours.nearest_by`.

    Parameters
    ----------
    likeness : callable
        A kernel that gives `best_of_part` a similarity of its own.
    queries, references : tuple of ndarray of float32
        Descriptors, in as many arrays as that similarity takes.
    advance : callable
        Told how many queries are done: as many as references have been compared, in proportion.
    """
    m, n = len(queries[0]), len(references[0])
    even = -(-n // (2 * engine.parallelism * REFERENCE_BLOCK)) * REFERENCE_BLOCK
    rows = min(max(even, PART_ROWS[0]), PART_ROWS[1])

    def parts() -> Iterator[pa.Table]:
        for first in range(0, n, rows):
            some = {f"reference{i}": each[first : first + rows] for i, each in enumerate(references)}
            yield pack(first=np.array(first), **some)

    index = pack(itself=itself, **{f"query{i}": each for i, each in enumerate(queries)})
    answers = engine.broadcast_map(Kernel.of(likeness, processes=True, k=k), index, parts())

    def told() -> Iterator[tuple[IntArray, FloatArray]]:
        done = 0
        for number, part in enumerate(map(unpack, answers), 1):
            yield part["index"], part["similarity"]
            now = m * min(number * rows, n) // n
            advance(now - done)
            done = now

    return merged(m, k, told())


def workers_for(config: Config, n_pairs: int) -> Engine | None:
    """The cluster, or processes of this machine where they are faster than threads; None: threads of this process.

    Parameters
    ----------
    n_pairs : int
        Pairs of pictures that are compared.
    """
    jobs = config.jobs or usable_cores()
    if config.engine == "local" and jobs > FEW_CORES and n_pairs >= WORTH:
        return Local(jobs)
    return cluster_of(config)


def gpu_rather_than(engine: Engine | None, n_pairs: int) -> str | None:
    """The GPU of this machine, as from `gpu_for`, where it is faster than the workers and they are not a cluster's.

    Whatever searches, findings are the same; on a cluster they are promised to be so byte for byte.
    """
    return gpu_for(n_pairs) if engine is None or isinstance(engine, Local) else None


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


def over_pictures(
    function: Callable[[np.ndarray], dict[str, np.ndarray]],
    kernel: Callable[[pa.Table], pa.Table],
    records: np.ndarray,
    at: IntArray,
    *,
    jobs: int,
    engine: Engine | None,
) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
    """What a function says of each picture, some at a time.

    Parameters
    ----------
    function : callable
        From pictures with the fields of `PICTURE` to arrays of as many rows.
    kernel : callable
        The same from and to a table: ``pack(**function(unpack(table)["pictures"]))``.
    at : ndarray of int64, shape (m,)
        Indices of the records.
    engine : Engine, optional
        The workers that do it; None: `jobs` threads of this process.

    Yields
    ------
    rows : slice
        Of `at`.
    arrays : dict of str to ndarray
    """
    every = [slice(start, min(start + PICTURES, len(at))) for start in range(0, len(at), PICTURES)]
    if engine is None:
        found = in_threads(lambda number: function(records[at[every[number]]]), range(len(every)), jobs)
    else:
        tables = (pack(pictures=_pictures(records, at[rows])) for rows in every)
        found = map(unpack, engine.map(Kernel.of(kernel, processes=True), tables))
    yield from zip(every, found, strict=True)


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
    return ids, _pictures(records, ids), [np.where(each >= 0, np.searchsorted(ids, each), -1) for each in indices]


def _pictures(records: np.ndarray, at: IntArray) -> np.ndarray:
    pictures = np.empty(len(at), dtype=PICTURE)
    for name in PICTURE.names or ():
        pictures[name] = records[name][at]
    return pictures
