"""Short texts that two splits share: said twice, or copied?

Two people may write the same three words, and hardly the same eight. How often short texts repeat inside the reference
split says how often two splits share them without anybody's fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.context import once
from leakaudit.analysis.copies.rows.few_columns import A_HANDFUL, LEAST_AGAIN, may_be_usual
from leakaudit.analysis.copies.texts.corpus import Telling, rows_of, texts_of, words_of
from leakaudit.analysis.copies.texts.rows import members_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray

Said: TypeAlias = Literal["none", "usual", "unsure", "copies"]

ALPHA = 0.05
"""Chance of as many shared short texts at the rate inside the reference split, below which that rate does not give
them."""


@dataclass(frozen=True, eq=False, slots=True)
class Phrases:
    """Short texts of a held-out split that the reference split has, too.

    Parameters
    ----------
    said : {"none", "usual", "unsure", "copies"}
        There are none; as many as repeat inside the reference split; more, and few enough that it cannot be told; more
        than that.
    documents : ndarray of int64
        The short texts that are no proof, ascending; empty where they are copies.
    untelling : ndarray of int64
        Shared texts of hardly a word, and set phrases, ascending.
    n_shared, expected : int, float
        Distinct short texts that both have, and that would be at the rate inside the reference split.
    """

    said: Said
    documents: IntArray
    untelling: IntArray
    n_shared: int
    expected: float


@once
def phrases(context: Context, texts: Texts, telling: Telling, held_out: str, reference: str) -> Phrases:
    """Judge the short texts of two splits, those of rows that are equal throughout included."""
    from scipy.special import pdtrc

    words = words_of(context, texts)
    own = list(texts.own)
    none = np.zeros(0, dtype=np.int64)
    if not own:
        return Phrases("none", none, none, 0, 0.0)
    a, b = (rows_of(context, texts, split, own) for split in (held_out, reference))
    shared = np.intersect1d(a.documents, b.documents, assume_unique=True)
    tells = telling.among(words, shared, b, context.splits[reference].n)
    short = shared[tells & (words[shared] < telling.phrase_words)]
    again = b.documents[b.counts > 1]
    again = again[telling.among(words, again, b, context.splits[reference].n) & (words[again] < telling.phrase_words)]
    n_a, n_b = len(a.rows), len(b.rows)
    expected = 2 * n_a / max(n_b, 1) * len(again)
    said: Said = "copies"
    if not len(short):
        said = "none"
    elif len(again) >= LEAST_AGAIN and float(pdtrc(len(short) - 1, expected)) >= ALPHA:
        said = "usual"
    elif may_be_usual(len(short), len(again), n_a, n_b):
        said = "unsure"
    documents = short if said in ("usual", "unsure") else none
    return Phrases(said, documents, shared[~tells], len(short), expected)


@once
def telling_rows(context: Context, texts: Texts) -> npt.NDArray[np.bool_]:
    """Rows with a text of three words that is no set phrase among all rows, shape (n,); all, where every text is a key.

    What people say all the time ("Good", "Thank you") contradicts nobody who says it under another label.
    """
    telling = Telling()
    if not len(texts.own):
        return np.ones(len(texts.document), dtype=bool)
    words = words_of(context, texts)
    everything = members_of(texts.document[:, list(texts.own)], np.flatnonzero(texts.split >= 0))
    numbers = np.arange(len(texts.documents))
    tells = telling.among(words, numbers, everything, int((texts.split >= 0).sum()))
    return np.asarray(np.append(tells, False)[texts.document[:, list(texts.own)]].any(axis=1))


@once
def rows_of_phrases(context: Context, held_out: str, reference: str) -> IntArray:
    """Held-out rows that say nothing but what is no proof; none where a table has other features that tell rows apart.

    There numbers and categories that agree, too, are a matter for `leakaudit.analysis.copies.rows.chance`. A label that
    nobody named, or a column of a handful of values, hardly makes two rows with the same two words one sample.
    """
    beside = [each.n_distinct for each in columns_of(context) if each.role in ("number", "category")]
    texts = texts_of(context) if prod(beside) <= A_HANDFUL else None
    if texts is None or not len(texts.own):
        return np.zeros(0, dtype=np.int64)
    found = phrases(context, texts, Telling(), held_out, reference)
    no_proof = np.union1d(found.documents, found.untelling)
    documents = texts.document[:, list(texts.own)]
    inside = texts.split == context.dataset.splits.index(held_out)
    only = (np.isin(documents, no_proof) | (documents < 0)).all(axis=1) & (documents >= 0).any(axis=1)
    return np.flatnonzero(inside & only)
