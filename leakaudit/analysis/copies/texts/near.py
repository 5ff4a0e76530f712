"""Pairs of documents that are nearly the same: bands of MinHash nominate, the true Jaccard similarity decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.engines.progress import Progress, silent
from leakaudit.fingerprints.texts.minhash import BANDS, ROWS, estimate
from leakaudit.fingerprints.texts.shingles import GRAM, chunks, grams, inside
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.texts.minhash import Signatures
    from leakaudit.fingerprints.texts.shingles import Hashes
    from leakaudit.model import IntArray

MOST_PARTNERS = 1_000
"""Verified partners of a document after which no further ones are looked for: it is a finding anyway, and families of
near-copies have as many pairs as the product of their sizes. Documents with more are counted."""

ESTIMATE_MARGIN = 0.2
"""A nominated pair whose estimated similarity is this far below the threshold is not verified. The standard error of
the estimate at J = 0.8 is 0.045, so that one pair in 100,000 is lost."""

LONG, LONG_GRAM, LONG_SHARE = 10_000, 16, 0.4
"""Two texts of more characters than the first have most 5-grams of their language in common, whatever they say: they
must share so much of their 16-grams, too. Single letters changed here and there, as many as J = 0.8 over 5-grams bears
(one in 45), leave 0.54; changed words and sentences leave more."""

_PAIRS_AT_ONCE = 1 << 16
_GRAMS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False, slots=True)
class NearDocuments:
    """Verified pairs of documents.

    Parameters
    ----------
    pairs : Pairs
        Document numbers, a held out and b of the reference, and their Jaccard similarity.
    n_candidates : int
        Pairs that were nominated.
    n_crowded : int
        Held-out documents that may have further partners than the `MOST_PARTNERS` that were looked for.
    """

    pairs: Pairs
    n_candidates: int
    n_crowded: int


def near_documents(
    documents: pa.LargeStringArray,
    signed: Signatures,
    a: IntArray,
    b: IntArray,
    threshold: float,
    progress: Progress = silent,
) -> NearDocuments:
    """Pairs between two sets of documents whose sets of character 5-grams have at least this Jaccard similarity.

    Parameters
    ----------
    documents : pyarrow.LargeStringArray, shape (m,)
    signed : Signatures
        Of these documents.
    a, b : ndarray of int64
        Numbers of the held-out and of the reference documents, ascending; disjoint, or the same: then each pair comes
        once, the smaller number first.
    threshold : float
    progress : Progress, default silent
    """
    n_partners = np.zeros(len(documents), dtype=np.int64)
    found: list[Pairs] = []
    n_candidates = 0
    least = int((threshold - ESTIMATE_MARGIN) * BANDS * ROWS)
    inside_one = np.array_equal(a, b)
    with progress("Comparing texts", BANDS, "bands") as advance:
        for number, band in enumerate(signed.bands):
            for left, right in _sharing(band, a, b, n_partners):
                keep = (estimate(signed.low, left, right) >= least) & (left < right if inside_one else left != right)
                for earlier in signed.bands[:number]:  # seen in that band already
                    keep[keep] = earlier[left[keep]] != earlier[right[keep]]
                n_candidates += int(keep.sum())
                for pairs in verified(documents, left[keep], right[keep], threshold):
                    found.append(pairs)
                    np.add.at(n_partners, pairs.a, 1)
            advance(1)
    return NearDocuments(_joined(found), n_candidates, int((n_partners >= MOST_PARTNERS).sum()))


def verified(documents: pa.LargeStringArray, a: IntArray, b: IntArray, threshold: float) -> Iterator[Pairs]:
    """Those of the pairs that reach the threshold, with their Jaccard similarity, some thousands at a time.

    Long texts must be alike in longer grams, too, see `LONG`.
    """
    numbers, back = np.unique(np.concatenate((a, b)), return_inverse=True)
    sizes = pc.utf8_length(documents.take(pa.array(numbers))).to_numpy(zero_copy_only=False).astype(np.int64)[back]
    work = np.cumsum(sizes[: len(a)] + sizes[len(a) :])
    at = 0
    while at < len(a):
        before = int(work[at - 1]) if at else 0
        stop = max(int(np.searchsorted(work, before + _GRAMS_AT_ONCE, side="right")), at + 1)
        left, right = a[at:stop], b[at:stop]
        score = jaccard(documents, left, right)
        keep = score >= threshold
        long = np.flatnonzero(keep & (np.minimum(sizes[at:stop], sizes[len(a) + at : len(a) + stop]) > LONG))
        if len(long):
            keep[long] = jaccard(documents, left[long], right[long], LONG_GRAM) >= LONG_SHARE
        if keep.any():
            yield Pairs(left[keep], right[keep], score[keep].astype(np.float32))
        at = stop


def jaccard(documents: pa.LargeStringArray, a: IntArray, b: IntArray, width: int = GRAM) -> np.ndarray:
    """Jaccard similarity of the sets of character grams of each pair, shape (len(a),), float64."""
    from scipy.sparse import csr_array

    numbers, back = np.unique(np.concatenate((a, b)), return_inverse=True)
    hashes, starts, counts = _gram_sets(documents.take(pa.array(numbers)), width)
    known, gram = np.unique(hashes, return_inverse=True)
    has = csr_array(
        (np.ones(len(gram), dtype=np.int32), gram, np.append(starts, len(gram))), (len(numbers), len(known))
    )
    left, right = back[: len(a)], back[len(a) :]
    shared = np.asarray(has[left].multiply(has[right]).sum(axis=1)).reshape(-1).astype(np.int64)
    return np.asarray(shared / (counts[left] + counts[right] - shared))


def _sharing(
    band: npt.NDArray[np.uint32], a: IntArray, b: IntArray, n_partners: IntArray
) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs that are equal in a band, at most about 65,536 at a time; none of documents that have partners enough."""
    key_a, a = _by_key(band, a[n_partners[a] < MOST_PARTNERS])
    key_b, b = _by_key(band, b)
    first, last = np.searchsorted(key_b, key_a, "left"), np.searchsorted(key_b, key_a, "right")
    while len(a):
        open_ = (last > first) & (n_partners[a] < MOST_PARTNERS)
        a, first, last = a[open_], first[open_], last[open_]
        n = np.minimum(last - first, MOST_PARTNERS)  # the further ones in the next round, if they are needed still
        work = np.cumsum(n)
        at = 0
        while at < len(a):
            before = int(work[at - 1]) if at else 0
            stop = max(int(np.searchsorted(work, before + _PAIRS_AT_ONCE, side="right")), at + 1)
            yield np.repeat(a[at:stop], n[at:stop]), b[inside(first[at:stop], n[at:stop])]
            at = stop
        first = first + n


def _by_key(band: npt.NDArray[np.uint32], numbers: IntArray) -> tuple[npt.NDArray[np.uint32], IntArray]:
    """Keys of these documents in order, and the documents in that order; equal keys in the order of the documents."""
    packed = np.sort((band[numbers].astype(np.uint64) << np.uint64(32)) | numbers.astype(np.uint64))
    return (packed >> np.uint64(32)).astype(np.uint32), (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _gram_sets(documents: pa.LargeStringArray, width: int) -> tuple[Hashes, IntArray, IntArray]:
    """Distinct grams of each document, one document after the other; where each begins, and how many each has."""
    parts, counts = [], []
    for chunk in chunks(documents):
        hashes, each = grams(chunk, width)
        document = np.repeat(np.arange(len(chunk)), each)
        order = np.lexsort((hashes, document))
        hashes = hashes[order]
        new = np.ones(len(hashes), dtype=bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (document[1:] != document[:-1])  # lexsort keeps documents in order
        parts.append(hashes[new])
        counts.append(np.bincount(document[new], minlength=len(chunk)))
    sizes = np.concatenate(counts)
    return np.concatenate(parts), np.cumsum(sizes) - sizes, sizes


def _joined(found: list[Pairs]) -> Pairs:
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Pairs(none, none, np.zeros(0, dtype=np.float32))
    a, b = np.concatenate([pairs.a for pairs in found]), np.concatenate([pairs.b for pairs in found])
    order = np.lexsort((b, a))
    return Pairs(a[order], b[order], np.concatenate([pairs.score for pairs in found])[order])
