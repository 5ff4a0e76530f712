"""MinHash signatures of documents, cut into bands: similar documents agree in a whole band.

The value of function k for a document is the least of ``a_k * x`` modulo 2^32 over its character 5-grams, x being 32
bits of the gram's hash and a_k an odd constant: the chance that two documents agree in it is their Jaccard similarity J
(Broder 1997). They agree in at least one of b bands of r functions with probability ``1 - (1 - J^r)^b``: with 16 bands
of 5, 0.998 at J = 0.8, 0.94 at 0.7, 0.40 at 0.5, 0.04 at 0.3 and 0.0002 at 0.1.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.engines.arrays import pack, unpack
from leakaudit.engines.base import Kernel
from leakaudit.engines.progress import Progress, silent
from leakaudit.fingerprints.texts.shingles import Chunk, chunks, grams, mixed

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.engines.base import Engine
    from leakaudit.fingerprints.texts.shingles import Hashes
    from leakaudit.model import IntArray

MINHASH_VERSION = 1
"""Of the functions and of the bands; raise it whenever a document could get another signature."""

BANDS, ROWS = 16, 5
"""Two documents at the threshold of J = 0.8 are missed with a chance of 0.0018, and the search looks at few others."""

_PART_BYTES = 1 << 23
"""Of texts that one task of a cluster signs."""

MOST_GRAMS = 4096
"""Of longer documents the grams with the least hashes make the signature: the least k hashes of a set are a uniform
sample of it (Broder 1997), and at 4,096 the similarity of two samples is within 0.006 (one standard error) of the true
one."""


@dataclass(frozen=True, eq=False, slots=True)
class Signatures:
    """Signatures of m documents.

    Parameters
    ----------
    bands : ndarray of uint32, shape (BANDS, m)
        Equal where a whole band of two documents is the same, and by chance with a probability of 2^-32.
    low : ndarray of uint8, shape (m, BANDS * ROWS)
        The lowest byte of each value: enough to estimate a similarity.
    """

    bands: npt.NDArray[np.uint32]
    low: npt.NDArray[np.uint8]


def match_probability(similarity: float) -> float:
    """Chance that two documents of this Jaccard similarity agree in at least one band.

    >>> round(match_probability(0.8), 4), round(match_probability(0.5), 2)
    (0.9983, 0.4)
    """
    return float(1 - (1 - similarity**ROWS) ** BANDS)


def signatures(documents: pa.LargeStringArray, jobs: int = 1, progress: Progress = silent) -> Signatures:
    """MinHash signatures of normalised texts; the same for equal texts, whatever the machine or the number of jobs.

    Parameters
    ----------
    documents : pyarrow.LargeStringArray, shape (m,)
        None of them empty.
    jobs : int, default 1
        Threads.
    """
    bands = np.empty((BANDS, len(documents)), dtype=np.uint32)
    low = np.empty((len(documents), BANDS * ROWS), dtype=np.uint8)

    def sign(chunk: Chunk) -> int:
        place = slice(chunk.first, chunk.first + len(chunk))
        values = _values(chunk)
        low[place] = values.T.astype(np.uint8)
        key = np.zeros((BANDS, len(chunk)), dtype=np.uint64)
        for row in values.reshape(BANDS, ROWS, -1).transpose(1, 0, 2):
            key = mixed(key + np.uint64(0x9E3779B97F4A7C15) + row)
        bands[:, place] = key >> np.uint64(32)
        return len(chunk)

    with progress("Signing texts", len(documents), "texts") as advance, ThreadPoolExecutor(jobs) as pool:
        waiting = []
        for chunk in chunks(documents):
            waiting.append(pool.submit(sign, chunk))
            if len(waiting) > jobs:  # a few chunks at a time, so that memory does not grow with the documents
                advance(waiting.pop(0).result())
        for done in waiting:
            advance(done.result())
    return Signatures(bands, low)


def signatures_on(engine: Engine, documents: pa.LargeStringArray, progress: Progress = silent) -> Signatures:
    """As `signatures`, over the workers of a cluster."""
    bands = np.empty((BANDS, len(documents)), dtype=np.uint32)
    low = np.empty((len(documents), BANDS * ROWS), dtype=np.uint8)
    stops = np.cumsum(pc.binary_length(documents).to_numpy(zero_copy_only=False).astype(np.int64))
    edges = np.unique(np.searchsorted(stops, np.arange(0, int(stops[-1:].sum()), _PART_BYTES)))
    edges = np.append(edges, len(documents)) if len(documents) else edges
    parts = [documents[start:stop] for start, stop in pairwise(edges.tolist())]
    with progress("Signing texts", len(documents), "texts") as advance:
        found = engine.map(Kernel.of(sign_part), (pa.table({"document": part}) for part in parts))
        for start, part, signed in zip(edges[:-1].tolist(), parts, found, strict=True):
            arrays = unpack(signed)
            bands[:, start : start + len(part)], low[start : start + len(part)] = arrays["bands"], arrays["low"]
            advance(len(part))
    return Signatures(bands, low)


def sign_part(documents: pa.Table) -> pa.Table:
    """Kernel of `signatures_on`."""
    signed = signatures(documents.column("document").combine_chunks())
    return pack(bands=signed.bands, low=signed.low)


def estimate(low: npt.NDArray[np.uint8], a: IntArray, b: IntArray) -> IntArray:
    """How many of the ``BANDS * ROWS`` values of each pair agree (in their lowest byte)."""
    return np.asarray(np.count_nonzero(low[a] == low[b], axis=1), dtype=np.int64)


def _values(chunk: Chunk) -> npt.NDArray[np.uint32]:
    """Values of all functions for all documents of a chunk, shape (BANDS * ROWS, d)."""
    hashes, counts = grams(chunk)
    if int(counts.max()) > MOST_GRAMS:
        hashes, counts = _least(hashes, counts)
    starts = np.cumsum(counts) - counts
    words = (hashes & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    product = np.empty_like(words)
    values = np.empty((BANDS * ROWS, len(chunk)), dtype=np.uint32)
    for k, factor in enumerate(_factors()):
        np.multiply(words, factor, out=product)
        np.minimum.reduceat(product, starts, out=values[k])
    return values


def _least(hashes: Hashes, counts: IntArray) -> tuple[Hashes, IntArray]:
    """Of documents with more than `MOST_GRAMS` grams, those distinct ones with the least upper halves."""
    parts = []
    for part in np.split(hashes, np.cumsum(counts)[:-1]):
        distinct = np.unique(part) if len(part) > MOST_GRAMS else part  # sorted by the upper half, used by no function
        parts.append(distinct[:MOST_GRAMS] if len(part) > MOST_GRAMS else part)
    return np.concatenate(parts), np.array([len(part) for part in parts], dtype=np.int64)


def _factors() -> npt.NDArray[np.uint32]:
    """Odd constants, one for each function."""
    numbers = mixed(np.arange(1, BANDS * ROWS + 1, dtype=np.uint64))
    return (numbers >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
