"""Columns of a table as numbers for a model: for trees, for a linear model, and text as hashed n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.fingerprints.rows.columns import read_columns
from leakaudit.fingerprints.rows.table_column import TableColumn

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.sparse import csr_array

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

LEVELS = 254
"""Categories that are told apart, the most frequent ones; scikit-learn's histogram trees take 255."""

COLUMNS = 200
"""Columns that are read; a quick model gains little from more, and memory is bounded."""

CHARACTERS = 2_000
"""Of each text; the beginning tells what it is about."""

BENT = 512
"""Bent features that a linear model gets beside the columns of a table."""

HASHED = 1 << 14
"""Features of each kind of n-gram; a few collide, as in any hashed model (Weinberger et al., ICML 2009)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Columns that the model may use, by what they hold.

    Parameters
    ----------
    numbers, categories, prose : tuple of str
    n_left_out : int
        Numbers and categories beyond `COLUMNS`.
    """

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    prose: tuple[str, ...]
    n_left_out: int

    @property
    def is_text(self) -> bool:
        """Whether running text is the main thing: there is some, and few columns beside it."""
        return bool(self.prose) and len(self.numbers) + len(self.categories) <= 5

    @property
    def n(self) -> int:
        """Columns that are not text."""
        return len(self.numbers) + len(self.categories)


def choose_columns(context: Context) -> Chosen:
    """Every number, category and running text; not the label, groups, times, identifiers and what is to be ignored."""
    by_role: dict[str, list[str]] = {}
    for profile in columns_of(context):
        by_role.setdefault(profile.role, []).append(profile.name)
    plain = [(name, role) for role in ("number", "category") for name in by_role.get(role, [])]
    kept = plain[:COLUMNS]
    numbers, categories = (tuple(name for name, role in kept if role == wanted) for wanted in ("number", "category"))
    return Chosen(numbers, categories, tuple(by_role.get("prose", [])), len(plain) - len(kept))


def tree_features(
    context: Context, chosen: Chosen, indices: IntArray
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Numbers as they are and categories as codes, most frequent first; and which columns are categories."""
    columns = _read(context, (*chosen.numbers, *chosen.categories), indices)
    features = np.empty((len(indices), len(columns)), dtype=np.float32)
    categorical = np.zeros(len(columns), dtype=bool)
    for at, column in enumerate(columns):
        if column.numbers is not None:
            features[:, at] = _finite(column.numbers)
        else:
            codes = _frequent(column)
            features[:, at] = np.where(codes < 0, np.nan, codes)
            categorical[at] = True
    return features, categorical


def number_features(context: Context, chosen: Chosen, indices: IntArray) -> npt.NDArray[np.float32]:
    """The numbers as they are, NaN where missing."""
    columns = _read(context, chosen.numbers, indices)
    return np.stack([_finite(column.numbers) for column in columns if column.numbers is not None], axis=1).astype(
        np.float32
    )


def sparse_features(context: Context, chosen: Chosen, indices: IntArray) -> csr_array:
    """Standardised numbers, categories one by one, and n-grams of the texts, each part of about unit length."""
    from scipy.sparse import csr_array, hstack

    parts: list[csr_array] = []
    if chosen.n:
        dense = dense_features(context, chosen, indices)
        parts.append(csr_array(dense / np.float32(np.sqrt(chosen.n))))
        if not chosen.prose:
            parts.append(csr_array(bent(dense, BENT)))
    if chosen.prose:
        parts += _hashed(_texts(context, chosen.prose, indices), HASHED)
    return csr_array(hstack(parts, format="csr", dtype=np.float32))


def dense_features(context: Context, chosen: Chosen, indices: IntArray) -> npt.NDArray[np.float32]:
    """Numbers by normal scores of their ranks, with a column for what is missing; the 50 most frequent categories."""
    parts: list[npt.NDArray[np.float32]] = []
    for column in _read(context, (*chosen.numbers, *chosen.categories), indices):
        if column.numbers is not None:
            parts.append(_scored(_finite(column.numbers))[:, None])
            if column.missing.any():
                parts.append(column.missing.astype(np.float32)[:, None])
        else:
            codes = np.minimum(_frequent(column), 50)
            parts.append((codes[:, None] == np.arange(max(int(codes.max(initial=0)), 0) + 1)).astype(np.float32))
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(indices), 0), dtype=np.float32)


def bent(dense: npt.NDArray[np.float32], n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Random directions, each bent at a random point (extreme learning machine; Huang, Zhu, Siew, 2006).

    A linear model of a few columns can learn little by heart; of some hundred bent ones it can. Rows of about length 1.
    """
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(dense.shape[1], n)).astype(np.float32) / np.float32(np.sqrt(max(dense.shape[1], 1)))
    points = rng.uniform(-1, 1, size=n).astype(np.float32)
    return np.asarray(np.maximum(dense @ directions + points, 0) / np.float32(np.sqrt(n)))


def hashed_densely(context: Context, chosen: Chosen, indices: IntArray, n_features: int) -> npt.NDArray[np.float32]:
    """All columns as at most so many dense features."""
    dense = dense_features(context, chosen, indices)[:, :n_features]
    parts = [dense]
    if chosen.n and dense.shape[1] < n_features // 4:
        parts.append(np.float32(np.sqrt(dense.shape[1])) * bent(dense, n_features // 2))
    if chosen.prose:
        texts = _texts(context, chosen.prose, indices)
        parts += [np.asarray(part.toarray(), dtype=np.float32) for part in _hashed(texts, n_features // 2)]
    return np.concatenate(parts, axis=1)


def _read(context: Context, names: Sequence[str], indices: IntArray) -> list[TableColumn]:
    return read_columns(context.rows, names, indices) if names else []


def _finite(numbers: np.ndarray) -> np.ndarray:
    """Infinities and what float32 cannot hold at its ends: trees look at the order only."""
    return np.asarray(np.clip(numbers, -3e38, 3e38))


def _frequent(column: TableColumn) -> IntArray:
    """Category codes by falling frequency, the rarest under one code; -1 where missing."""
    assert column.codes is not None
    present = column.codes[column.codes >= 0]
    counts = np.bincount(present, minlength=1)
    rank = np.empty(len(counts) + 1, dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    rank[-1] = -1
    return np.minimum(rank[column.codes], LEVELS - 1)


def _scored(numbers: np.ndarray) -> npt.NDArray[np.float32]:
    """Normal scores of the ranks (van der Waerden), 0 where missing: no outlier, no unit."""
    from scipy.special import ndtri

    known = ~np.isnan(numbers)
    scores = np.zeros(len(numbers), dtype=np.float32)
    values, at, counts = np.unique(numbers[known], return_inverse=True, return_counts=True)
    if len(values) > 1:
        middle = np.cumsum(counts) - (counts - 1) / 2
        scores[known] = ndtri(middle / (known.sum() + 1))[at.reshape(-1)]
    return scores


def _texts(context: Context, names: Sequence[str], indices: IntArray) -> list[str]:
    """The texts of a row, one after the other."""
    columns = []
    for column in _read(context, names, indices):
        if column.codes is None or column.levels is None:
            continue
        levels = [text[:CHARACTERS] for text in column.levels.to_pylist()]
        columns.append([levels[code] if code >= 0 else "" for code in column.codes.tolist()])
    return ["\n".join(texts) for texts in zip(*columns, strict=True)]


def _hashed(texts: Sequence[str], n_features: int) -> list[csr_array]:
    """One and two words, and three to five characters within words: the latter serve every script."""
    from scipy.sparse import csr_array
    from sklearn.feature_extraction.text import HashingVectorizer

    settings = ({"analyzer": "word", "ngram_range": (1, 2)}, {"analyzer": "char_wb", "ngram_range": (3, 5)})
    found = []
    for setting in settings:
        vectorizer = HashingVectorizer(n_features=n_features, norm="l2", dtype=np.float32, **setting)
        hashed = csr_array(vectorizer.transform(texts))
        hashed.sort_indices()
        found.append(hashed)
    return found
