"""Texts that are the same once normalised, between two splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.rows.chance import chance_of_pairs
from leakaudit.analysis.copies.rows.equal import row_overlap, shared_rows
from leakaudit.analysis.copies.texts.corpus import Telling, rows_of, words_of
from leakaudit.analysis.copies.texts.phrases import Phrases, phrases, rows_of_phrases
from leakaudit.analysis.copies.texts.rows import Members, document_overlap, equal_documents, members_of

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.groups import Overlap
    from leakaudit.fingerprints.rows.fingerprint import Layer
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray, Pairs


@dataclass(frozen=True, eq=False, slots=True)
class ColumnMatches:
    """What two splits share: pairs of documents, the rows of both sides, and the groups of these.

    Parameters
    ----------
    column, other : str
        The column of the held-out row, and that of the reference row.
    pairs : Pairs
        Of documents.
    a, b : Members
        Rows of the held-out and of the reference split by their document.
    overlap : Overlap
    """

    column: str
    other: str
    pairs: Pairs
    a: Members
    b: Members
    overlap: Overlap


@dataclass(frozen=True, eq=False, slots=True)
class EqualTexts:
    """Held-out rows that have a text of the reference split.

    Parameters
    ----------
    columns : tuple of ColumnMatches
        One for each pair of columns that stand for a row, those of a column with itself first; a row is counted in the
        first in which it matches.
    n_exact : int
        Held-out rows whose text is there character by character in the same column, whatever the rest of the row.
    equal : ndarray of int64
        Sample indices of all held-out rows whose normalised text is there, those counted by LA104 included.
    n_equal_rows : int
        Of them, rows that are there with all their cells.
    n_untelling : int
        Of the others, rows whose text is too short or too common to tell.
    n_reordered : int
        Held-out rows with several texts that are all those of one reference row, in other columns.
    phrases : Phrases, optional
        What is known of short texts.
    said_twice : tuple of ColumnMatches
        Rows with a short text that is no proof, as in `columns`, which do not count them.
    """

    columns: tuple[ColumnMatches, ...]
    n_exact: int
    equal: IntArray
    n_equal_rows: int
    n_untelling: int
    n_reordered: int
    phrases: Phrases | None = None
    said_twice: tuple[ColumnMatches, ...] = ()


@once
def equal_rows(context: Context, held_out: str, reference: str) -> IntArray:
    """Held-out rows that are in the reference split as whole rows, by more than chance: the business of LA104."""
    rows = context.rows
    if context.dataset.columns.texts:  # a sample is its texts: LA104 does not look at it
        return np.zeros(0, dtype=np.int64)
    counted, stricter = np.zeros(0, dtype=np.int64), None
    layers: tuple[Layer, ...] = ("canonical", "reduced") if rows.beside else ("canonical",)
    no_proof = rows_of_phrases(context, held_out, reference)
    for layer in layers:
        overlap = row_overlap(rows, layer, held_out, reference, stricter, no_proof)
        if not chance_of_pairs(rows, layer, held_out, reference, overlap.n_pairs).explains:
            shared = shared_rows(rows, layer, held_out, reference)
            if stricter is not None:
                shared = np.setdiff1d(shared, shared_rows(rows, stricter, held_out, reference))
            counted = np.union1d(counted, shared)
        stricter = layer
    return np.setdiff1d(counted, no_proof)


@once
def equal_texts(context: Context, texts: Texts, telling: Telling, held_out: str, reference: str) -> EqualTexts:
    """Compare two splits; made once for each pair."""
    if not texts.own:
        return _equal_in_all(context, texts, held_out, reference)
    words = words_of(context, texts)
    counted = identical = equal_rows(context, held_out, reference)
    short = phrases(context, texts, telling, held_out, reference)
    everything, exact, columns, said_twice = [], [], [], []
    said = identical
    both = [(column, column) for column in texts.own] + [(a, b) for a in texts.own for b in texts.own if a != b]
    for column, other in both:
        whole, b = rows_of(context, texts, held_out, column), rows_of(context, texts, reference, other)
        hits = whole.having(b.documents).rows
        everything.append(hits)
        if column == other:
            theirs = texts.raw[b.having(whole.documents).rows, column]
            exact.append(hits[np.isin(texts.raw[hits, column], theirs)])
        a = rows_of(context, texts, held_out, column, without=counted)
        a = a.having(a.documents[telling.among(words, a.documents, b, context.splits[reference].n)])
        proof = a.having(np.setdiff1d(a.documents, short.documents))
        matches = _matches(texts, column, other, proof, b, held_out, reference)
        columns.append(matches)
        counted = np.union1d(counted, proof.having(matches.pairs.a).rows)
        no_proof = a.having(short.documents).without(np.union1d(counted, said))
        said_twice.append(_matches(texts, column, other, no_proof, b, held_out, reference))
        said = np.union1d(said, no_proof.having(said_twice[-1].pairs.a).rows)
    equal = np.unique(np.concatenate(everything))
    return EqualTexts(
        columns=tuple(columns),
        n_exact=len(np.unique(np.concatenate(exact))),
        equal=equal,
        n_equal_rows=int(np.isin(equal, identical).sum()),
        n_untelling=int((~np.isin(equal, np.union1d(counted, said))).sum()),
        n_reordered=_n_reordered(texts, *(context.dataset.splits.index(split) for split in (held_out, reference))),
        phrases=short,
        said_twice=tuple(said_twice),
    )


def _equal_in_all(context: Context, texts: Texts, held_out: str, reference: str) -> EqualTexts:
    """Where every column is shared by many rows, a row is its texts together: all of them have to be the same."""
    inside = [texts.split == context.dataset.splits.index(split) for split in (held_out, reference)]
    ours, theirs = (texts.whole[each & (texts.whole >= 0)] for each in inside)
    both = np.isin(texts.whole, np.intersect1d(ours, theirs)) & (texts.whole >= 0)
    identical = equal_rows(context, held_out, reference)
    equal = np.flatnonzero(both & inside[0])
    a = members_of(texts.document[:, 0], np.setdiff1d(equal, identical))
    b = members_of(texts.document[:, 0], np.flatnonzero(both & inside[1]))
    n_equal_rows = int(np.isin(equal, identical).sum())
    return EqualTexts((_matches(texts, 0, 0, a, b, held_out, reference),), n_equal_rows, equal, n_equal_rows, 0, 0)


def _matches(
    texts: Texts, column: int, other: int, a: Members, b: Members, held_out: str, reference: str
) -> ColumnMatches:
    pairs = equal_documents(a, b)
    overlap = document_overlap(pairs, a, b, held_out, reference)
    return ColumnMatches(texts.columns[column], texts.columns[other], pairs, a, b, overlap)


def _n_reordered(texts: Texts, held_out: int, reference: int) -> int:
    if len(texts.own) < 2:
        return 0
    documents = texts.document[:, texts.own]
    inside = [(texts.split == split) & (documents >= 0).all(axis=1) for split in (held_out, reference)]
    ours, theirs = (documents[each] for each in inside)
    if not len(ours) or not len(theirs):
        return 0
    n = len(ours)
    in_order = np.unique(np.concatenate((ours, theirs)), axis=0, return_inverse=True)[1].reshape(-1)
    in_any = np.unique(np.sort(np.concatenate((ours, theirs)), axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    return int((np.isin(in_any[:n], in_any[n:]) & ~np.isin(in_order[:n], in_order[n:])).sum())
