"""Documents that are contained in longer ones: most of their n-grams of words stand in one other document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.fingerprints.texts.shingles import chunks, inside, word_grams

if TYPE_CHECKING:
    from leakaudit.fingerprints.texts.shingles import Hashes
    from leakaudit.model import IntArray

_HITS_AT_ONCE = 1 << 18


@dataclass(frozen=True, eq=False, slots=True)
class Contained:
    """Pairs of documents of which the first is contained in the second; all arrays of shape (k,), sorted by (a, b).

    `share` is the share of a's distinct n-grams that b has; `n_judged` counts the documents long enough to be judged.
    """

    a: IntArray
    b: IntArray
    share: np.ndarray
    n_judged: int


def contained_documents(
    documents: pa.LargeStringArray,
    a: IntArray,
    b: IntArray,
    *,
    words: int,
    characters: int,
    threshold: float,
) -> Contained:
    """Held-out documents that are contained in a reference document.

    Parameters
    ----------
    documents : pyarrow.LargeStringArray, shape (m,)
        Normalised texts, without what is common to many.
    a, b : ndarray of int64
        Numbers of the held-out and of the reference documents.
    words : int
        Length of the n-grams.
    characters : int
        Letters and digits that a document must have to be judged: in scripts without spaces a word is one character.
    threshold : float
        Least share of a document's n-grams that the other must have.
    """
    a, b = a[_letters(documents, a) >= characters], b[_letters(documents, b) >= characters]
    hashes, owner = _grams(documents, a, words)
    judged = np.unique(owner)
    if not len(judged):
        return Contained(a[judged], a[judged], np.zeros(0), 0)
    n_grams = np.bincount(owner, minlength=len(a))
    order = np.argsort(hashes, kind="stable")
    hashes, owner = hashes[order], owner[order]
    keys, counts = _count_shared(documents, hashes, owner, b, words)
    left, right = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    share = counts / n_grams[left]
    keep = share >= threshold
    return Contained(a[left[keep]], b[right[keep]], share[keep], len(judged))


def _count_shared(
    documents: pa.LargeStringArray, hashes: Hashes, owner: IntArray, b: IntArray, words: int
) -> tuple[np.ndarray, IntArray]:
    """Pairs (position in a, position in b) as one number each, ascending, and how many n-grams they share."""
    keys, counts = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    for start in range(0, len(b), _HITS_AT_ONCE):
        theirs, of = _grams(documents, b[start : start + _HITS_AT_ONCE], words)
        first, last = np.searchsorted(hashes, theirs, "left"), np.searchsorted(hashes, theirs, "right")
        hit = np.flatnonzero(last > first)
        for at in np.array_split(hit, len(hit) // _HITS_AT_ONCE + 1):
            n = (last - first)[at]
            left = owner[inside(first[at], n)].astype(np.uint64)
            more = (left << np.uint64(32)) | np.repeat(of[at] + start, n).astype(np.uint64)
            every = np.concatenate((keys, more))
            weights = np.concatenate((counts, np.ones(len(more), dtype=np.int64)))
            keys, back = np.unique(every, return_inverse=True)
            counts = np.bincount(back, weights=weights, minlength=len(keys)).astype(np.int64)
    return keys, counts


def _grams(documents: pa.LargeStringArray, numbers: IntArray, words: int) -> tuple[Hashes, IntArray]:
    """Distinct n-grams of these documents, and the position of their document among them."""
    hashes, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for chunk in chunks(documents.take(pa.array(numbers))):
        found, counts = word_grams(chunk, words)
        document = np.repeat(np.arange(len(chunk)), counts)
        order = np.lexsort((found, document))
        found = found[order]
        new = np.ones(len(found), dtype=bool)
        new[1:] = (found[1:] != found[:-1]) | (document[1:] != document[:-1])
        hashes.append(found[new])
        owners.append(document[new] + chunk.first)
    return np.concatenate(hashes), np.concatenate(owners)


def _letters(documents: pa.LargeStringArray, numbers: IntArray) -> IntArray:
    some = documents.take(pa.array(numbers))
    letters = pc.subtract(pc.utf8_length(some), pc.cast(pc.count_substring(some, " "), pa.int64()))
    return np.asarray(letters.to_numpy(zero_copy_only=False), dtype=np.int64)
