"""The texts of a table as the checks look at them: read once, without boilerplate, with what was counted already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.columns.shared_texts import shared_text_keys
from leakaudit.analysis.context import once
from leakaudit.analysis.copies.texts.boilerplate import Stripped, without_boilerplate
from leakaudit.analysis.copies.texts.rows import Members, members_of
from leakaudit.engines.choose import cluster_of
from leakaudit.engines.local import usable_cores
from leakaudit.fingerprints.texts.documents import Texts, fingerprint_texts, n_words
from leakaudit.fingerprints.texts.minhash import Signatures, signatures, signatures_on

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray


@dataclass(frozen=True)
class Telling:
    """Which texts would not be in two splits by chance.

    Parameters
    ----------
    least_words : int
        Texts of fewer words are not judged: two people say "yes", "thank you" or "what?" without copying each other.
    phrase_words, phrase_rows, phrase_share
        A text of fewer words that more reference rows have than both of these is a set phrase ("how are you today"),
        which the next speaker will say, too. A longer one is not said twice alike by chance.
    """

    least_words: int = 3
    phrase_words: int = 8
    phrase_rows: int = 10
    phrase_share: float = 0.001

    def among(self, words: IntArray, documents: IntArray, reference: Members, n_reference: int) -> np.ndarray:
        """Which of these documents tell something; `words` is by document, `n_reference` the rows of the split."""
        counts = np.zeros(len(documents), dtype=np.int64)
        if len(reference.documents):
            at = np.minimum(np.searchsorted(reference.documents, documents), len(reference.documents) - 1)
            counts = np.where(reference.documents[at] == documents, reference.counts[at], 0)
        is_phrase = (words[documents] < self.phrase_words) & (
            counts > max(self.phrase_rows, self.phrase_share * n_reference)
        )
        return np.asarray((words[documents] >= self.least_words) & ~is_phrase)


@once
def texts_of(context: Context) -> Texts | None:
    """The running text of the table; None where no column holds any."""
    prose = [column.name for column in columns_of(context) if column.role == "prose"]
    return fingerprint_texts(context.rows, prose, shared_text_keys(context)) if prose else None


def only_texts(context: Context) -> Texts | None:
    """The texts of a table that has no other features; None where it has, or has no text.

    Elsewhere two rows with the same text may be two samples, told apart by their numbers and categories.
    """
    if any(column.role in ("number", "category") for column in columns_of(context)):
        return None
    return texts_of(context)


@once
def words_of(context: Context, texts: Texts) -> IntArray:
    """Words of each document."""
    return n_words(texts.documents)


@once
def stripped_texts(context: Context, texts: Texts, share: float, least: int) -> Stripped:
    """The documents without phrases that more than this share (and more than `least`) of a column's documents have."""
    parts = []
    for start, stop in zip(texts.starts[:-1].tolist(), texts.starts[1:].tolist(), strict=True):
        limit = max(least, int(share * (stop - start)))
        parts.append(without_boilerplate(texts.documents[start:stop], limit))
    changed, words = (np.concatenate([getattr(part, name) for part in parts]) for name in ("changed", "words"))
    return Stripped(pa.concat_arrays([part.documents for part in parts]), changed, words)


@once
def signed_texts(context: Context, stripped: Stripped) -> Signatures:
    """MinHash signatures of the documents without boilerplate."""
    if cluster := cluster_of(context.config):
        return signatures_on(cluster, stripped.documents, context.progress)
    return signatures(stripped.documents, context.config.jobs or usable_cores(), context.progress)


def rows_of(
    context: Context, texts: Texts, split: str, columns: int | Sequence[int], without: IntArray | None = None
) -> Members:
    """Rows of a split by their document in a column, or in any of several; `without`: sample indices to leave out."""
    rows = np.flatnonzero(texts.split == context.dataset.splits.index(split))
    if without is not None:
        rows = np.setdiff1d(rows, without, assume_unique=True)
    return members_of(texts.document[:, columns], rows)
