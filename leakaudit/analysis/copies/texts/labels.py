"""Texts and their labels: rows of a table whose features are texts alone, the same where their texts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.conflicts import Labelled
from leakaudit.analysis.copies.texts.near_rows import NearTextParams, near_texts
from leakaudit.analysis.copies.texts.rows import row_pairs_of
from leakaudit.fingerprints.rows.columns import read_labels
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.texts.documents import Texts
    from leakaudit.model import IntArray


def text_labels(context: Context) -> tuple[IntArray, list[str]]:
    """Label of every row as an index into the names, -1 where it is unknown."""
    rows = context.rows
    column = read_labels(rows)
    if column is None or column.codes is None or column.levels is None:
        return np.full(len(rows), -1, dtype=np.int64), []
    return column.codes, column.levels.to_pylist()


def labelled_texts(context: Context, texts: Texts, labels: IntArray, split: str) -> Labelled:
    """Rows of a split that have a text, with equal codes for equal texts."""
    index = np.flatnonzero((texts.split == context.dataset.splits.index(split)) & (texts.whole >= 0))
    return Labelled(index, texts.whole[index], labels[index])


def near_text_rows(context: Context, texts: Texts, held_out: str, reference: str) -> Pairs:
    """Pairs of rows with near-duplicate texts; none where a row has several texts, of which the others may differ."""
    parts: list[Pairs] = []
    if len(texts.columns) + len(texts.left_out) == 1:
        found = near_texts(context, texts, NearTextParams(), held_out, reference).near
        parts = [pairs for column in found for pairs in row_pairs_of(column.pairs, column.a, column.b)]
    none = np.zeros(0, dtype=np.int64)
    parts.append(Pairs(none, none, np.zeros(0, dtype=np.float32)))
    a, b, score = (np.concatenate([getattr(part, name) for part in parts]) for name in ("a", "b", "score"))
    return Pairs(a, b, score)
