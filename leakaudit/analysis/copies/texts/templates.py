"""Held-out texts that are texts of the reference split but for numbers and names, or but for the order of the words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow.compute as pc

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.rows.excess import random_assignment
from leakaudit.analysis.copies.texts.corpus import rows_of
from leakaudit.analysis.copies.texts.masks import templates
from leakaudit.analysis.copies.texts.rows import document_overlap, members_of
from leakaudit.fingerprints.texts.documents import read_texts
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.groups import Overlap
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray

How: TypeAlias = Literal["template", "order"]

LEAST_WORDS: dict[How, int] = {"template": 5, "order": 6}
"""Words that must be left without the masks, and distinct words of a text whose order is left aside: the entropy of
five words is some 40 bits, as that of six in any order is."""

MOST_CHARACTERS = 2_000
"""Longer texts are no templates of a sentence or a paragraph; what they share, runs of words show."""

ALPHA, TIMES_USUAL, LEAST = 0.001, 4.0, 3
"""Chance of as many at random assignment below which, how many times the rate inside the reference split from which on,
and how many texts from which on they are more than this set's own templates give."""


@dataclass(frozen=True, eq=False, slots=True)
class Masked:
    """Codes of the texts of one column by row, shape (n,): equal for equal templates, or sets of words; -1: not judged.

    Parameters
    ----------
    template, order : ndarray of int64
    """

    template: IntArray
    order: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class LikeTexts:
    """Held-out rows of a column that are like reference rows in one way.

    Parameters
    ----------
    column : str
    how : {"template", "order"}
    overlap : Overlap
    n_texts : int
        Distinct held-out texts among them.
    usual, expected : float
        Distinct held-out texts that would be at the rate inside the reference split, and by random assignment.
    p_value : float
        Of as many by random assignment.
    """

    column: str
    how: How
    overlap: Overlap
    n_texts: int
    usual: float
    expected: float
    p_value: float

    @property
    def beyond(self) -> bool:
        """More than the templates of this set give."""
        return self.p_value <= ALPHA and self.n_texts >= max(TIMES_USUAL * self.usual, LEAST)


@once
def masked_texts(context: Context, texts: Texts, column: int) -> Masked:
    """Templates and sets of words of one column; made once."""
    cells = read_texts(context.rows, texts.columns[column]).combine_chunks().dictionary_encode()
    known = pc.less_equal(pc.utf8_length(cells.dictionary), MOST_CHARACTERS)
    found = templates(pc.if_else(known, cells.dictionary, ""))
    at = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    of_rows = []
    for values, n, how in ((found.template, found.words, "template"), (found.word_set, found.n_set, "order")):
        codes = values.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = np.where(n >= LEAST_WORDS[how], codes, -1)  # type: ignore[index]
        of_rows.append(np.append(codes, -1)[at])
    there = texts.document[:, column] >= 0
    return Masked(*(np.where(there, codes, -1) for codes in of_rows))


@once
def template_of_documents(context: Context, texts: Texts, column: int) -> IntArray:
    """The code of the template of each document of a column, shape (documents,); -1: none, or not judged."""
    codes = np.full(len(texts.documents), -1, dtype=np.int64)
    document = texts.document[:, column]
    at = np.flatnonzero(document >= 0)[::-1]  # of several spellings of one document the first row decides
    codes[document[at]] = masked_texts(context, texts, column).template[at]
    return codes


def like_texts(context: Context, texts: Texts, held_out: str, reference: str, counted: IntArray) -> list[LikeTexts]:
    """Compare the columns that stand for a row, each with itself.

    Parameters
    ----------
    counted : ndarray of int64
        Held-out rows that stricter comparisons found.
    """
    found = []
    for column in texts.own:
        masked = masked_texts(context, texts, column)
        for how, codes in (("order", masked.order), ("template", masked.template)):
            like = _compare(context, texts, column, how, codes, held_out, reference, counted)  # type: ignore[arg-type]
            counted = np.union1d(counted, np.concatenate([group.a for group in like.overlap.groups] or [counted[:0]]))
            found.append(like)
    return found


def _compare(
    context: Context,
    texts: Texts,
    column: int,
    how: How,
    codes: IntArray,
    held_out: str,
    reference: str,
    counted: IntArray,
) -> LikeTexts:
    sides = []
    for split, without in ((held_out, counted), (reference, None)):
        rows = rows_of(context, texts, split, column, without).rows
        sides.append(members_of(codes, np.sort(rows)))
    a, b = sides
    both = np.intersect1d(a.documents, b.documents, assume_unique=True)
    pairs = Pairs(both, both, np.ones(len(both), dtype=np.float32))
    overlap = document_overlap(pairs, a, b, held_out, reference)
    # Texts are counted, not rows: a text that occurs ten times is no ten witnesses.
    n = int(codes.max(initial=-1)) + 1
    of_a, of_b = (_n_texts(codes, texts.document[:, column], side.rows, n) for side in sides)
    met, again = int(of_a[of_b > 0].sum()), int(of_b[of_b > 1].sum())
    n_a, n_b = int(of_a.sum()), int(of_b.sum())
    if not met:
        return LikeTexts(texts.columns[column], how, overlap, 0, 0.0, 0.0, 1.0)
    assigned = random_assignment(of_a, of_b, n_a / (n_a + n_b))
    usual = again * n_a / max(n_b, 1)
    return LikeTexts(texts.columns[column], how, overlap, met, usual, assigned.expected, assigned.p_value)


def _n_texts(codes: IntArray, document: IntArray, rows: IntArray, n: int) -> IntArray:
    """Distinct texts of each code among some rows, shape (n,)."""
    if not len(rows):
        return np.zeros(n, dtype=np.int64)
    distinct = np.unique(np.stack([codes[rows], document[rows]]), axis=1)[0]
    return np.bincount(distinct, minlength=n).astype(np.int64)
