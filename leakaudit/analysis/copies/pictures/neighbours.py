"""The nearest pictures in any of eight orientations: exact, by blocked matrix products, in bounded memory.

Large searches run on a GPU where torch sees one (`leakaudit.analysis.copies.pictures.neighbours_torch`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from leakaudit.analysis.copies.pictures.descriptors import parity_slices, transposed
from leakaudit.analysis.copies.pictures.neighbours_torch import eight_orientations, gpu_for, nearest_on_device

if TYPE_CHECKING:
    from leakaudit.model import FloatArray, IntArray

_T = TypeVar("_T")

Largest: TypeAlias = "Callable[[slice, list[FloatArray]], FloatArray]"
"""From a slice of references and six buffers to similarities (queries, references), which may be written to."""

QUERY_BLOCK, REFERENCE_BLOCK = 512, 320
"""Rows of a block of similarities. Each thread holds six such blocks, 3.8 MiB, whatever the sizes of the sets. Measured
against two bare products, 250,000 references: 1.46; 256 × 256 1.60, 512 × 256 1.48, 128 × 128 2.06."""

FEW_QUERIES = 8_192
"""Fewer than these are taken in half such blocks, so that there is work for all threads."""

PENDING = 1 << 17
"""Candidates of one block of queries that may wait before they are sorted into its lists."""


@dataclass(frozen=True, eq=False, slots=True)
class Neighbours:
    """The k most similar references of every query, best first.

    Parameters
    ----------
    index : ndarray of int64, shape (m, k)
        Row of the reference; -1 where there are fewer than k.
    similarity : ndarray of float32, shape (m, k)
        Largest cosine over the eight orientations; -inf where there are fewer than k.
    orientation : ndarray of int8, shape (m, k)
        Which orientation of the query that was (`leakaudit.analysis.copies.pictures.descriptors.ORIENTATIONS`).
    """

    index: IntArray
    similarity: FloatArray
    orientation: np.ndarray


def nearest(
    queries: FloatArray,
    references: FloatArray,
    k: int,
    *,
    itself: IntArray | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _done: None,
) -> Neighbours:
    """Every query against every reference, in all eight orientations.

    With the descriptor's columns grouped by parity, the similarities of the four mirrored versions are sums and
    differences of four partial products, which together cost one product; the transposed query gives the other four.

    Parameters
    ----------
    queries, references : ndarray of float32, shapes (m, d) and (n, d)
        As from `leakaudit.analysis.copies.pictures.descriptors.describe`.
    k : int
        Neighbours to keep.
    itself : ndarray of int64, shape (m,), optional
        Row of the reference that is the query itself and does not count; -1 for none.
    jobs : int, default 1
        Threads; the result does not depend on it.
    advance : callable
        Told how many queries are done.

    Returns
    -------
    Neighbours
        Ties go to the smaller row.
    """
    sizes = len(queries), len(references)
    if (device := gpu_for(sizes[0] * sizes[1])) is not None:
        on_device = eight_orientations(queries, references, device)
        index, similarity = nearest_on_device(device, on_device, *sizes, k, itself=itself, advance=advance)
    else:
        prepare = oriented(queries, references)
        index, similarity = nearest_by(prepare, *sizes, k, itself=itself, jobs=jobs, advance=advance)
    return Neighbours(index, similarity, orientations(queries, references, index))


def oriented(queries: FloatArray, references: FloatArray) -> Callable[[slice], Largest]:
    """The similarity of `nearest`, for `nearest_by`."""
    parts = [references[:, columns] for columns in parity_slices()]

    def prepare(rows: slice) -> Largest:
        both = [_parts(queries[rows]), _parts(transposed(queries[rows]))]
        return lambda columns, work: _largest(both, parts, columns, work)

    return prepare


def orientations(queries: FloatArray, references: FloatArray, index: IntArray) -> np.ndarray:
    """The orientation of each query in which it is most like each of its neighbours, as in `Neighbours`."""
    found = np.zeros(index.shape, dtype=np.int8)
    for start in range(0, len(queries), QUERY_BLOCK):
        rows = slice(start, start + QUERY_BLOCK)
        found[rows] = _orientation(queries[rows], references, index[rows])
    return found


def merged(m: int, k: int, parts: Iterable[tuple[IntArray, FloatArray]]) -> tuple[IntArray, FloatArray]:
    """The k best for each of m queries, of those that were found in parts of the references."""
    index = np.full((m, k), -1, dtype=np.int64)
    similarity = np.full((m, k), -np.inf, dtype=np.float32)
    for found, how_similar in parts:
        q, place = np.nonzero(found >= 0)
        _merge(index, similarity, [(q, found[q, place], how_similar[q, place])])
    return index, similarity


def nearest_by(
    prepare: Callable[[slice], Largest],
    m: int,
    n: int,
    k: int,
    *,
    itself: IntArray | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _done: None,
) -> tuple[IntArray, FloatArray]:
    """The k best of n references for each of m queries, by any similarity that comes in blocks.

    Parameters
    ----------
    prepare : callable
        From a slice of queries to the function that gives their similarities with a slice of references; that function
        may use six buffers of `QUERY_BLOCK` × `REFERENCE_BLOCK`.
    k, itself, jobs, advance
        As in `nearest`.

    Returns
    -------
    index, similarity : ndarray, shape (m, k)
        As in `Neighbours`.
    """
    index = np.full((m, k), -1, dtype=np.int64)
    similarity = np.full((m, k), -np.inf, dtype=np.float32)

    size = QUERY_BLOCK if m >= FEW_QUERIES else -(-QUERY_BLOCK // 2)

    def search(start: int) -> int:
        rows = slice(start, min(start + size, m))
        _search(prepare(rows), n, None if itself is None else itself[rows], index[rows], similarity[rows])
        return rows.stop - rows.start

    for done in in_threads(search, range(0, m, size), jobs):
        advance(done)
    return index, similarity


def in_threads(work: Callable[[int], _T], items: Iterable[int], jobs: int) -> Iterator[_T]:
    """Results of `work` in the order of the items, over threads, each with a single-threaded BLAS.

    NumPy lets go of the interpreter lock inside products and element-wise work; a BLAS that starts threads of its own
    for small products spends more on waiting than on multiplying.
    """
    from concurrent.futures import ThreadPoolExecutor

    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        if jobs == 1:
            yield from map(work, items)
        else:
            with ThreadPoolExecutor(jobs) as pool:
                yield from pool.map(work, items)


def _search(largest: Largest, n: int, own: IntArray | None, index: IntArray, similarity: FloatArray) -> None:
    """Fill the lists of one block of queries, in place."""
    rows, k = index.shape
    work = [np.empty(QUERY_BLOCK * REFERENCE_BLOCK, dtype=np.float32) for _ in range(6)]
    limit = np.full((rows, 1), -np.inf, dtype=np.float32)
    waiting: list[tuple[IntArray, IntArray, FloatArray]] = []
    next_merge = REFERENCE_BLOCK
    for first in range(0, n, REFERENCE_BLOCK):
        last = min(first + REFERENCE_BLOCK, n)
        best = largest(slice(first, last), work)
        if own is not None:
            inside = np.flatnonzero((own >= first) & (own < last))
            best[inside, own[inside] - first] = -np.inf
        if first == 0 and last > k:  # so that few of the first block need sorting
            limit = np.partition(best, last - k, axis=1)[:, last - k, None]
        q, r = np.divmod(np.flatnonzero(best >= limit), last - first)
        waiting.append((q, r + first, best[q, r]))
        # as the lists settle, twice as many references bring about k new candidates a query
        if last >= next_merge or last == n or sum(len(part[0]) for part in waiting) > PENDING:
            _merge(index, similarity, waiting)
            waiting = []
            next_merge = 2 * last
            limit = similarity[:, -1:].copy()


def _parts(descriptors: FloatArray) -> list[FloatArray]:
    return [np.ascontiguousarray(descriptors[:, columns]) for columns in parity_slices()]


def _largest(
    both: list[list[FloatArray]], parts: list[FloatArray], columns: slice, work: list[FloatArray]
) -> FloatArray:
    """Largest similarity over the eight orientations, shape (rows, columns).

    Of ee + eo + oe + oo with the signs that mirroring gives, the largest is ee and the larger of
    abs(oe + oo) + eo and abs(oe - oo) - eo.
    """
    rows, width = len(both[0][0]), columns.stop - columns.start
    ee, eo, oe, oo, other, best = (buffer[: rows * width].reshape(rows, width) for buffer in work)
    for at, query in enumerate(both):
        for part, query_part, out in zip(parts, query, (ee, eo, oe, oo), strict=True):
            np.matmul(query_part, part[columns].T, out=out)  # BLAS reads the transposed view as it lies
        target = other if at else best
        np.add(oe, oo, out=target)
        np.abs(target, out=target)
        target += eo
        np.subtract(oe, oo, out=oe)
        np.abs(oe, out=oe)
        oe -= eo
        np.maximum(target, oe, out=target)
        target += ee
    return np.maximum(best, other, out=best)


def _merge(index: IntArray, similarity: FloatArray, waiting: list[tuple[IntArray, IntArray, FloatArray]]) -> None:
    """Sort the waiting candidates into the lists, in place."""
    m, k = index.shape
    held = np.flatnonzero(index.ravel() >= 0)
    q = np.concatenate([held // k, *(part[0] for part in waiting)])
    r = np.concatenate([index.ravel()[held], *(part[1] for part in waiting)])
    s = np.concatenate([similarity.ravel()[held], *(part[2] for part in waiting)])
    order = np.lexsort((r, -s, q))
    q, r, s = q[order], r[order], s[order]
    place = np.arange(len(q)) - np.searchsorted(q, np.arange(m))[q]
    keep = (place < k) & (s > -np.inf)
    index[q[keep], place[keep]] = r[keep]
    similarity[q[keep], place[keep]] = s[keep]


def _orientation(queries: FloatArray, references: FloatArray, index: IntArray) -> np.ndarray:
    """The orientation of each query in which it is most like each of its neighbours; ties to the smaller number."""
    others = references[np.maximum(index, 0)]
    choices = []
    for query in (queries, transposed(queries)):
        ee, eo, oe, oo = (np.einsum("mc,mkc->mk", query[:, part], others[:, :, part]) for part in parity_slices())
        choices += [ee + eo + oe + oo, ee - eo + oe - oo, ee + eo - oe - oo, ee - eo - oe + oo]
    return np.asarray(np.argmax(np.stack(choices), axis=0), dtype=np.int8)
