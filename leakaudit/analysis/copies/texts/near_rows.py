"""Near-duplicate and contained texts between two splits, as rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.texts.contained import Contained, contained_documents
from leakaudit.analysis.copies.texts.corpus import Telling, rows_of, signed_texts, stripped_texts
from leakaudit.analysis.copies.texts.equal import ColumnMatches, equal_texts
from leakaudit.analysis.copies.texts.near import near_documents, verified
from leakaudit.analysis.copies.texts.rows import document_overlap
from leakaudit.analysis.copies.texts.templates import template_of_documents
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray


@dataclass(frozen=True)
class NearTextParams:
    """Thresholds.

    Parameters
    ----------
    jaccard : float
        Least Jaccard similarity of the sets of character 5-grams.
    containment : float
        Least share of a text's word n-grams that one other text must have.
    words, characters : int
        Length of these n-grams, and letters and digits that a text must have to be judged by them.
    common_share, common_rows
        A phrase that more documents have than both of these is boilerplate.
    telling : Telling
        Texts that are too short to be judged.
    """

    jaccard: float = 0.8
    containment: float = 0.8
    words: int = 13
    characters: int = 40
    common_share: float = 0.01
    common_rows: int = 20
    telling: Telling = field(default_factory=Telling)


@dataclass(frozen=True, eq=False, slots=True)
class NearTexts:
    """Held-out rows whose text is nearly one of the reference split, or within one.

    Parameters
    ----------
    near, within : tuple of ColumnMatches
        One for each pair of columns: rows that LA104 and LA106 do not count, and that no earlier one counts; the score
        is the Jaccard similarity in both.
    shares : mapping of (int, int) to float
        Of the pairs of documents of `within`: the share of the held-out one's n-grams that the other has.
    n_near : int
        Held-out rows with a text as similar, those with an equal text included.
    n_judged : int
        Held-out documents that are long enough for containment and not near-duplicates.
    n_boilerplate : int
        Held-out rows of whose text too little is left without boilerplate.
    n_crowded : int
        Held-out documents that may have more partners than were looked for.
    counted : ndarray of int64
        Held-out rows of `near` and `within`, and those with an equal text.
    """

    near: tuple[ColumnMatches, ...]
    within: tuple[ColumnMatches, ...]
    shares: dict[tuple[int, int], float]
    n_near: int
    n_judged: int
    n_boilerplate: int
    n_crowded: int
    counted: IntArray


@once
def near_texts(context: Context, texts: Texts, params: NearTextParams, held_out: str, reference: str) -> NearTexts:
    """Compare two splits; made once for each pair."""
    stripped = stripped_texts(context, texts, params.common_share, params.common_rows)
    signed = signed_texts(context, stripped)
    enough = stripped.words >= np.where(stripped.changed, params.telling.least_words, 1)
    counted = near_rows = equal_texts(context, texts, params.telling, held_out, reference).equal
    near: list[ColumnMatches] = []
    within: list[ColumnMatches] = []
    shares: dict[tuple[int, int], float] = {}
    n_judged = n_boilerplate = n_crowded = 0
    for column, others in _compared(texts):
        a, b = (
            rows_of(context, texts, held_out, column, without=counted),
            rows_of(context, texts, reference, others),
        )
        if others == [column]:
            n_boilerplate += int(a.having(np.flatnonzero(~enough)).counts.sum())
        ours, theirs = a.documents[enough[a.documents]], b.documents[enough[b.documents]]
        ours = np.setdiff1d(ours, theirs)
        found = near_documents(stripped.documents, signed, ours, theirs, params.jaccard, context.progress)
        near_rows = np.union1d(near_rows, a.having(found.pairs.a).rows)
        near_pairs = found.pairs
        if others == [column] and len(near_pairs):
            template = template_of_documents(context, texts, column)
            near_pairs = _without_one_template(near_pairs, template)
        contained = contained_documents(
            stripped.documents,
            np.setdiff1d(ours, found.pairs.a),
            theirs,
            words=params.words,
            characters=params.characters,
            threshold=params.containment,
        )
        telling = a.having(np.flatnonzero(stripped.words >= params.telling.least_words))
        for pairs, into in ((near_pairs, near), (_scored(stripped.documents, contained), within)):
            for other in others:
                its, b = telling.without(counted), rows_of(context, texts, reference, other)
                overlap = document_overlap(pairs, its, b, held_out, reference)
                into.append(ColumnMatches(texts.columns[column], texts.columns[other], pairs, its, b, overlap))
                counted = np.union1d(counted, its.having(pairs.a[np.isin(pairs.b, b.documents)]).rows)
        keys = zip(contained.a.tolist(), contained.b.tolist(), strict=True)
        shares |= dict(zip(keys, contained.share.tolist(), strict=True))
        n_judged, n_crowded = n_judged + contained.n_judged, n_crowded + found.n_crowded
    return NearTexts(tuple(near), tuple(within), shares, len(near_rows), n_judged, n_boilerplate, n_crowded, counted)


def _compared(texts: Texts) -> list[tuple[int, list[int]]]:
    """Columns, and those that each is compared with: itself; then the others, of those that stand for a row."""
    others = [(column, [other for other in texts.own if other != column]) for column in texts.own]
    return [(column, [column]) for column in range(len(texts.columns))] + [each for each in others if each[1]]


def _without_one_template(pairs: Pairs, template: IntArray) -> Pairs:
    """Pairs that differ in more than numbers and names: others are variations of one template, see `like_texts`."""
    a, b = template[pairs.a], template[pairs.b]
    other = (a < 0) | (a != b)
    return Pairs(pairs.a[other], pairs.b[other], pairs.score[other])


def _scored(documents: pa.LargeStringArray, contained: Contained) -> Pairs:
    """The pairs with their Jaccard similarity."""
    parts = [np.zeros(0, dtype=np.float32)]
    parts += [pairs.score for pairs in verified(documents, contained.a, contained.b, threshold=0.0)]
    return Pairs(contained.a, contained.b, np.concatenate(parts))
