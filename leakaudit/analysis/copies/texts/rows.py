"""From documents to rows: which rows of a split have which text, and what two splits share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.groups import GROUPS_LISTED, Group, Overlap
from leakaudit.fingerprints.texts.shingles import inside
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.model import IntArray

TEXT_PAIRS_SHOWN = 3
"""Pairs of a group that are kept as evidence: two texts side by side take room."""

_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False, slots=True)
class Members:
    """Rows by their document.

    Parameters
    ----------
    documents : ndarray of int64, shape (d,)
        Documents that some row has, ascending.
    starts : ndarray of int64, shape (d + 1,)
        ``rows[starts[i] : starts[i + 1]]`` have ``documents[i]``.
    rows : ndarray of int64
        Sample indices, ascending within a document.
    """

    documents: IntArray
    starts: IntArray
    rows: IntArray

    @property
    def counts(self) -> IntArray:
        """Rows of each document."""
        return np.diff(self.starts)

    def having(self, documents: IntArray) -> Members:
        """Only those rows whose document is one of these."""
        keep = np.isin(self.documents, documents)
        counts = self.counts[keep]
        rows = self.rows[inside(self.starts[:-1][keep], counts)]
        return Members(self.documents[keep], np.concatenate(([0], np.cumsum(counts))), rows)

    def without(self, rows: IntArray) -> Members:
        """All but these rows."""
        keep = ~np.isin(self.rows, rows)
        return _members(np.repeat(self.documents, self.counts)[keep], self.rows[keep])


def members_of(document: IntArray, rows: IntArray) -> Members:
    """The rows by their document.

    Parameters
    ----------
    document : ndarray of int64, shape (n,) or (n, columns)
        By sample index, -1 where there is none; a row with several columns is among the rows of each of its documents.
    rows : ndarray of int64
        Sample indices.
    """
    columns = document[rows] if document.ndim == 2 else document[rows, None]
    return _members(columns.T.reshape(-1), np.tile(rows, columns.shape[1]))


def _members(documents: IntArray, rows: IntArray) -> Members:
    there = documents >= 0
    documents, rows = documents[there], rows[there]
    order = np.lexsort((rows, documents))
    distinct, counts = np.unique(documents, return_counts=True)
    return Members(distinct, np.concatenate(([0], np.cumsum(counts))), rows[order])


def equal_documents(a: Members, b: Members) -> Pairs:
    """Documents that both sides have, as pairs of a document with itself."""
    both = np.intersect1d(a.documents, b.documents, assume_unique=True)
    return Pairs(both, both, np.ones(len(both), dtype=np.float32))


def document_overlap(pairs: Pairs, a: Members, b: Members, held_out: str, reference: str) -> Overlap:
    """Connected groups of documents as groups of rows, the largest first.

    Parameters
    ----------
    pairs : Pairs
        Of documents; those that a side does not have are passed over.
    a, b : Members
        Rows of the held-out and of the reference split.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = _known(pairs, a, b)
    if not len(pairs):
        return Overlap(held_out, reference, (), 0, 0, 0)
    a, b = a.having(pairs.a), b.having(pairs.b)
    at, bt = np.searchsorted(a.documents, pairs.a), np.searchsorted(b.documents, pairs.b)
    size = len(a.documents) + len(b.documents)
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (at, len(a.documents) + bt)), shape=(size, size))
    n_groups, component = connected_components(links, directed=False)
    of_a, of_b, of_pair = component[: len(a.documents)], component[len(a.documents) :], component[at]
    n_a = np.bincount(of_a, weights=a.counts, minlength=n_groups).astype(np.int64)
    n_b = np.bincount(of_b, weights=b.counts, minlength=n_groups).astype(np.int64)
    n_pairs = np.bincount(of_pair, weights=a.counts[at] * b.counts[bt], minlength=n_groups).astype(np.int64)
    first = np.full(n_groups, np.iinfo(np.int64).max)
    np.minimum.at(first, of_a, a.rows[a.starts[:-1]])
    best = np.lexsort((pairs.b, pairs.a, -pairs.score, of_pair))
    sides = (_by_group(of_a, n_groups), _by_group(of_b, n_groups), _by_group(of_pair[best], n_groups))
    groups = []
    for group in np.lexsort((first, -(n_a + n_b)))[:GROUPS_LISTED].tolist():
        in_a, in_b, shown = (order[starts[group] : starts[group + 1]] for order, starts in sides)
        best_pairs = best[shown[:TEXT_PAIRS_SHOWN]]
        rows_a = np.sort(a.rows[inside(a.starts[in_a], a.counts[in_a])])
        rows_b = np.sort(b.rows[inside(b.starts[in_b], b.counts[in_b])])
        evidence = _shown(pairs.score[best_pairs], at[best_pairs], bt[best_pairs], a, b)
        groups.append(Group(rows_a, rows_b, int(n_pairs[group]), evidence))
    return Overlap(held_out, reference, tuple(groups), n_groups, int(n_a.sum()), int(n_pairs.sum()))


def row_pairs_of(pairs: Pairs, a: Members, b: Members) -> Iterator[Pairs]:
    """Every pair of rows behind pairs of documents, at most about 65,536 at a time."""
    pairs = _known(pairs, a, b)
    at, bt = np.searchsorted(a.documents, pairs.a), np.searchsorted(b.documents, pairs.b)
    left = inside(a.starts[at], a.counts[at])  # one entry for each held-out row of each pair of documents
    of = np.repeat(np.arange(len(pairs)), a.counts[at])
    n = b.counts[bt][of]
    stops = np.cumsum(n)
    total = int(stops[-1]) if len(stops) else 0
    for begin in range(0, total, _CHUNK):
        number = np.arange(begin, min(begin + _CHUNK, total))
        i = np.searchsorted(stops, number, side="right")
        right = b.rows[b.starts[bt[of[i]]] + number - (stops[i] - n[i])]
        yield Pairs(a.rows[left[i]], right, pairs.score[of[i]])


def _known(pairs: Pairs, a: Members, b: Members) -> Pairs:
    keep = np.isin(pairs.a, a.documents) & np.isin(pairs.b, b.documents)
    return Pairs(pairs.a[keep], pairs.b[keep], pairs.score[keep])


def _by_group(group: IntArray, n_groups: int) -> tuple[IntArray, IntArray]:
    """An order that puts members of a group together, and where each group begins in it."""
    counts = np.bincount(group, minlength=n_groups)
    return np.argsort(group, kind="stable"), np.concatenate(([0], np.cumsum(counts)))


def _shown(score: np.ndarray, at: IntArray, bt: IntArray, a: Members, b: Members) -> Pairs:
    """The first rows of the best pairs of documents; of a single pair, a few of its rows."""
    if len(at) > 1:
        return Pairs(a.rows[a.starts[at]], b.rows[b.starts[bt]], score)
    rows_a = a.rows[a.starts[at[0]] : a.starts[at[0] + 1]]
    rows_b = b.rows[b.starts[bt[0]] : b.starts[bt[0] + 1]]
    i = np.arange(min(TEXT_PAIRS_SHOWN, len(rows_a) * len(rows_b)))
    score = np.repeat(score, len(i))
    return Pairs(rows_a[i % len(rows_a)], rows_b[(i // len(rows_a)) % len(rows_b)], score)
