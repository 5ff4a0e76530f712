"""Phrases that many documents share (headers, disclaimers, templates): they say nothing about whether two are copies.

A phrase is a run of `WINDOW` or more characters of normalised text, every window of which is in more documents than the
limit. Documents are compared by what is left when such phrases are taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.fingerprints.texts.documents import n_words
from leakaudit.fingerprints.texts.shingles import GRAM, chunks, inside, windows

if TYPE_CHECKING:
    from leakaudit.fingerprints.texts.shingles import Chunk, Hashes
    from leakaudit.model import IntArray

WINDOW = 32
"""Characters, five or six English words: shorter phrases are how people speak ("what is the", "how do I change my"),
longer ones that occur again and again were pasted."""

_SLOTS = 1 << 20
_MERGED = 1 << 22


@dataclass(frozen=True, eq=False, slots=True)
class Stripped:
    """Documents without boilerplate.

    Parameters
    ----------
    documents : pyarrow.LargeStringArray, shape (m,)
        May be empty texts.
    changed : ndarray of bool, shape (m,)
        From which something was taken.
    words : ndarray of int64, shape (m,)
        Words that are left.
    """

    documents: pa.LargeStringArray
    changed: np.ndarray
    words: IntArray


def without_boilerplate(documents: pa.LargeStringArray, limit: int) -> Stripped:
    """Take every phrase out that is in more than `limit` of the documents.

    Parameters
    ----------
    documents : pyarrow.LargeStringArray, shape (m,)
        Distinct normalised texts.
    limit : int
        Documents that may share a phrase.
    """
    changed = np.zeros(len(documents), dtype=bool)
    common = _common_windows(documents, limit)
    if not len(common):
        return Stripped(documents, changed, n_words(documents))
    places, texts = [], []
    for chunk in chunks(documents):
        hashes, at, document = _windows(chunk)
        is_common = _among(hashes, common)
        if is_common.any():
            affected = np.unique(document[is_common])
            places.append(affected + chunk.first)
            texts += _cut(chunk, at[is_common], affected)
    changed[np.concatenate(places)] = True
    tidy = pc.utf8_trim(pc.replace_substring_regex(pa.array(texts, pa.large_string()), " +", " "), " ")
    left = pc.replace_with_mask(documents, pa.array(changed), tidy)
    return Stripped(left, changed, n_words(left))


def _windows(chunk: Chunk) -> tuple[Hashes, IntArray, IntArray]:
    """Hashes of the windows of a chunk, where each begins, and in which of its documents."""
    counts = np.maximum(chunk.lengths - (WINDOW - 1), 0)
    at = inside(chunk.starts, counts)
    return windows(chunk, WINDOW)[at], at, np.repeat(np.arange(len(chunk)), counts)


def _common_windows(documents: pa.LargeStringArray, limit: int) -> Hashes:
    """Hashes of the windows that are in more than `limit` documents, sorted.

    A count by the last bits of the hash rules nearly all of them out; those that it leaves are counted exactly.
    """
    counts = np.zeros(_SLOTS, dtype=np.int64)
    for chunk in chunks(documents):
        counts += np.bincount(_slots(_windows(chunk)[0]), minlength=_SLOTS)
    if int(counts.max()) <= limit:
        return np.zeros(0, dtype=np.uint64)
    found, seen = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    waiting: list[Hashes] = []
    n_waiting = 0
    for chunk in chunks(documents):
        hashes, _, document = _windows(chunk)
        maybe = counts[_slots(hashes)] > limit
        if maybe.any():
            waiting.append(_once_each(hashes[maybe], document[maybe]))
            n_waiting += len(waiting[-1])
        if n_waiting > _MERGED:
            found, seen = _merged(found, seen, waiting)
            waiting, n_waiting = [], 0
    found, seen = _merged(found, seen, waiting)
    return found[seen > limit]


def _slots(hashes: Hashes) -> IntArray:
    return (hashes & np.uint64(_SLOTS - 1)).astype(np.int64)


def _once_each(hashes: Hashes, document: IntArray) -> Hashes:
    """The hashes, one that a document has several times only once for it."""
    order = np.lexsort((document, hashes))
    hashes, document = hashes[order], document[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (document[1:] != document[:-1])
    return hashes[new]


def _merged(found: Hashes, seen: IntArray, more: list[Hashes]) -> tuple[Hashes, IntArray]:
    every = np.concatenate([found, *more])
    weights = np.concatenate([seen, np.ones(len(every) - len(found), dtype=np.int64)])
    distinct, back = np.unique(every, return_inverse=True)
    return distinct, np.bincount(back, weights=weights, minlength=len(distinct)).astype(np.int64)


def _among(hashes: Hashes, ordered: Hashes) -> np.ndarray:
    at = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return np.asarray(ordered[at] == hashes)


def _cut(chunk: Chunk, at: IntArray, affected: IntArray) -> list[str]:
    """The affected documents with a space in place of every window that begins at one of these places."""
    edges = np.zeros(len(chunk.characters) + 1, dtype=np.int64)
    np.add.at(edges, at, 1)
    np.add.at(edges, at + WINDOW, -1)
    characters = np.where(np.cumsum(edges)[:-1] > 0, ord(" "), chunk.characters).astype("<u4")
    characters = characters[: len(characters) - GRAM]
    return [
        characters[start : start + length].tobytes().decode("utf-32-le").rstrip("\0")
        for start, length in zip(chunk.starts[affected].tolist(), chunk.lengths[affected].tolist(), strict=True)
    ]
