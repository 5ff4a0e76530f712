"""Texts as templates: addresses, numbers and names masked; and as sets of words, in no order.

"Ann has 3 apples, see https://t.co/x1" and "Bob has 12 apples" are one template: a problem set with other numbers in
it, a message that was passed on under another link. Two texts with the same words in another order are one set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.analysis.columns.function_words import FUNCTION_WORDS
from leakaudit.fingerprints.texts.documents import normalised
from leakaudit.fingerprints.texts.wrapped import unwrapped

MASK = "#"

LEAST_CAPITAL = 0.95
"""Share of the places of a word at which it has a capital, from which on it is a name."""

MOST_NAMES = 0.25
"""Share of the words that may be names: where more are written with a capital (nouns of German, headlines), capitals
say nothing, and no name is masked."""

_ADDRESSES = r"(?i)\b(?:https?://|www\.)\S+|\S+@\S+\.\w+|@\w+"
_PASSED_ON = r"^\s*(?:RT|FW|FWD|RE|AW|WG)\b[\s:]*"
_GAPS = r"[^\p{L}\p{M}\p{N}]+"
_DIGITS = r"\p{N}"
_CAPITAL = r"^\p{Lu}[\p{Ll}\p{M}]+$"
_RUNS = rf"{MASK}(?: {MASK})+"


@dataclass(frozen=True, eq=False, slots=True)
class Templates:
    """What is left of some texts; all arrays of shape (m,).

    Parameters
    ----------
    template : pyarrow.LargeStringArray
        Normalised, with one mask for each run of what is masked.
    words : ndarray of int64
        Words of it that are no mask.
    word_set : pyarrow.LargeStringArray
        The distinct words of the normalised text, in the order of the alphabet.
    n_set : ndarray of int64
        How many these are.
    """

    template: pa.LargeStringArray
    words: np.ndarray
    word_set: pa.LargeStringArray
    n_set: np.ndarray


def templates(texts: pa.LargeStringArray) -> Templates:
    """Mask the texts of a column.

    Parameters
    ----------
    texts : pyarrow.LargeStringArray, shape (m,)
        Distinct texts as they stand in the files; what is a name is told by all of them.

    Examples
    --------
    >>> masked = templates(pa.array(["so Ann has 3 red apples", "so Bob has 12 red apples"], pa.large_string()))
    >>> masked.template.to_pylist()
    ['so # has # red apples', 'so # has # red apples']
    >>> masked.word_set[0].as_py(), masked.words.tolist()
    ('3 ann apples has red so', [4, 4])
    """
    plain = unwrapped(texts)
    without = pc.replace_substring_regex(pc.replace_substring_regex(plain, _ADDRESSES, " "), _PASSED_ON, " ")
    cased = pc.utf8_trim(pc.replace_substring_regex(pc.utf8_normalize(without, "NFKC"), _GAPS, " "), " ")
    lists = pc.split_pattern(cased, " ")
    words, offsets = lists.flatten(), lists.offsets
    folded = normalised(words)
    masked = pc.or_(pc.match_substring_regex(words, _DIGITS), _are_names(words, folded, offsets))
    said = pc.if_else(masked, MASK, folded)
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, said), pa.scalar(" ", pa.large_string()))
    n_masked = np.add.reduceat(np.append(masked.to_numpy(zero_copy_only=False).astype(np.int64), 0), _starts(offsets))
    n_words = np.where(pc.equal(cased, "").to_numpy(zero_copy_only=False), 0, np.diff(offsets.to_numpy()))
    sets = [sorted(set(text.split())) for text in normalised(plain).to_pylist()]
    return Templates(
        template=pc.replace_substring_regex(joined, _RUNS, MASK),
        words=np.where(n_words > 0, n_words - n_masked, 0),
        word_set=pa.array([" ".join(words) for words in sets], pa.large_string()),
        n_set=np.array([len(words) for words in sets], dtype=np.int64),
    )


def _starts(offsets: pa.Array) -> np.ndarray:
    """Where each list begins; of an empty one the count is not used."""
    return np.asarray(offsets.to_numpy()[:-1])


def _are_names(words: pa.LargeStringArray, folded: pa.LargeStringArray, offsets: pa.Array) -> pa.BooleanArray:
    """Words that begin with a capital wherever they stand, and somewhere within a text, shape (words,)."""
    capital = pc.match_substring_regex(words, _CAPITAL).to_numpy(zero_copy_only=False)
    first = np.zeros(len(words) + 1, dtype=bool)
    first[offsets.to_numpy()] = True
    within = ~first[:-1]
    codes = folded.dictionary_encode()
    code = codes.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    n = np.bincount(code, minlength=len(codes.dictionary))
    share = np.bincount(code, weights=capital, minlength=len(n)) / np.maximum(n, 1)
    inside = np.bincount(code, weights=capital & within, minlength=len(n))
    common = pc.is_in(codes.dictionary, pa.array(sorted(FUNCTION_WORDS), pa.large_string()))
    name = (share >= LEAST_CAPITAL) & (inside > 0) & ~common.to_numpy(zero_copy_only=False)
    found = name[code]
    if not len(found) or found.mean() > MOST_NAMES:
        found = np.zeros(len(words), dtype=bool)
    return pa.array(found)
