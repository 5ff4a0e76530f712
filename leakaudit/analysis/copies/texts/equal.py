"""Texts that are the same once normalised, between two splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.texts.corpus import Telling, equal_rows, rows_of, words_of
from leakaudit.analysis.copies.texts.rows import Members, document_overlap, equal_documents

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.groups import Overlap
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray, Pairs


@dataclass(frozen=True, eq=False, slots=True)
class ColumnMatches:
    """What two splits share in one column: pairs of documents, the rows of both sides, and the groups of these."""

    column: str
    pairs: Pairs
    a: Members
    b: Members
    overlap: Overlap


@dataclass(frozen=True, eq=False, slots=True)
class EqualTexts:
    """Held-out rows whose text is in the reference split.

    Parameters
    ----------
    columns : tuple of ColumnMatches
        One a column; a row is counted in the first column in which it matches.
    n_exact : int
        Held-out rows whose text is there character by character in some column, whatever the rest of the row.
    equal : ndarray of int64
        Sample indices of all held-out rows whose normalised text is there, those counted by LA104 included.
    n_equal_rows : int
        Of them, rows that are there with all their cells.
    n_untelling : int
        Of the others, rows whose text is too short or too common to tell.
    """

    columns: tuple[ColumnMatches, ...]
    n_exact: int
    equal: IntArray
    n_equal_rows: int
    n_untelling: int


@once
def equal_texts(context: Context, texts: Texts, telling: Telling, held_out: str, reference: str) -> EqualTexts:
    """Compare two splits; made once for each pair."""
    words = words_of(context, texts)
    counted = identical = equal_rows(context, held_out, reference)
    everything, exact, columns = [], [], []
    for column, name in enumerate(texts.columns):
        whole, b = rows_of(context, texts, held_out, column), rows_of(context, texts, reference, column)
        hits = whole.having(b.documents).rows
        everything.append(hits)
        exact.append(hits[np.isin(texts.raw[hits, column], texts.raw[b.having(whole.documents).rows, column])])
        a = rows_of(context, texts, held_out, column, without=counted)
        a = a.having(a.documents[telling.among(words, a.documents, b, context.splits[reference].n)])
        pairs = equal_documents(a, b)
        columns.append(ColumnMatches(name, pairs, a, b, document_overlap(pairs, a, b, held_out, reference)))
        counted = np.union1d(counted, a.having(pairs.a).rows)
    equal = np.unique(np.concatenate(everything))
    return EqualTexts(
        columns=tuple(columns),
        n_exact=len(np.unique(np.concatenate(exact))),
        equal=equal,
        n_equal_rows=int(np.isin(equal, identical).sum()),
        n_untelling=int((~np.isin(equal, counted)).sum()),
    )
