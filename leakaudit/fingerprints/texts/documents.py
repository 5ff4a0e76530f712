"""Running text as documents: every prose column normalised, equal texts collapsed into one document.

Normalised means: Unicode NFKC, full case folding, runs of anything but letters (with their combining marks) and digits
to one space, trimmed. A text of which nothing is left (emoji, punctuation) is no document. Of JSON objects and arrays,
what their values say is the text.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.fingerprints.rows.cells import canonical_cells, pool_columns, raw
from leakaudit.fingerprints.rows.columns import split_codes
from leakaudit.fingerprints.rows.digests import wanted
from leakaudit.fingerprints.texts.wrapped import unwrapped
from leakaudit.sources.readers.duck_tables import narrowed

if TYPE_CHECKING:
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

TEXT_VERSION = 2
"""Of the normalisation; raise it whenever a text could get another normal form."""

NO_SPACES = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
"""Characters of scripts that put no space between words; two of them are counted as a word."""

_GAPS = r"[^\p{L}\p{M}\p{N}]+"
_ENTROPY_TEXTS = 20_000


LEAST_SHARE = 2 / 3
"""A prose column is left out whose words have less than this share of the entropy of the richest one (sequences of
tags, templates), or that says less than this share of what the most telling one says per row (titles)."""


@dataclass(frozen=True, eq=False, slots=True)
class Texts:
    """The running text of a table.

    Parameters
    ----------
    columns : tuple of str
        The prose columns that are compared: those that stand for a row, the one that says most first (words times bits
        a word), then `keys`. Two rows have a text in common when one of the one has it in any of these columns, and
        the other in any.
    keys : tuple of str
        Those of them whose texts many rows share: they say what rows belong to, not what they are.
    left_out : tuple of str
        Prose columns that say much less than those.
    documents : pyarrow.LargeStringArray, shape (m,)
        Distinct normalised texts over all these columns, those of the first column first, none empty.
    starts : ndarray of int64, shape (len(columns) + 1,)
        Number of the first document that no earlier column has, of each column, and m.
    document : ndarray of int64, shape (n, len(columns))
        Document of every row in every column; -1 where the text is missing, has no word, or the row has no split.
    raw : ndarray of int64, shape (n, len(columns))
        Equal for texts of one column that are the same character by character; negative where missing.
    whole : ndarray of int64, shape (n,)
        Equal for rows whose texts are the same in all prose columns, those left out included: once normalised, or,
        where no word is in them, character by character. -1 for rows that belong to no split, or have no text at all.
    split : ndarray of int64, shape (n,)
        Index into the splits; -1 for rows that belong to none.
    """

    columns: tuple[str, ...]
    keys: tuple[str, ...]
    left_out: tuple[str, ...]
    documents: pa.LargeStringArray
    starts: IntArray
    document: IntArray
    raw: IntArray
    whole: IntArray
    split: IntArray

    @property
    def own(self) -> range:
        """Numbers of the columns that stand for a row; none where every column is one of `keys`."""
        return range(len(self.columns) - len(self.keys))


@dataclass(frozen=True, eq=False, slots=True)
class _TextColumn:
    """One column: distinct normalised texts, the number of each row's, equal numbers for equal cells, and richness."""

    name: str
    documents: pa.LargeStringArray
    code: IntArray
    raw: IntArray
    entropy: float
    bits: float


def fingerprint_texts(rows: RowFingerprints, columns: Sequence[str], shared: Collection[str] = ()) -> Texts:
    """Read and normalise the texts of some columns.

    Parameters
    ----------
    rows : RowFingerprints
    columns : sequence of str
        Text columns that every file has; at least one.
    shared : collection of str, default empty
        Those of them whose texts many rows share.
    """
    split = split_codes(rows)
    read = [_read(rows, name, split) for name in columns]
    rich = LEAST_SHARE * max(column.entropy for column in read)
    keys = [column for column in read if column.name in shared and column.entropy >= rich]
    own = [column for column in read if column.name not in shared and column.entropy >= rich]
    telling = LEAST_SHARE * max((column.bits for column in own), default=0.0)
    kept = [*sorted((c for c in own if c.bits >= telling), key=lambda column: -column.bits), *keys]
    documents, starts, numbered = _together(kept)
    return Texts(
        columns=tuple(column.name for column in kept),
        keys=tuple(column.name for column in keys),
        left_out=tuple(column.name for column in read if column not in kept),
        documents=documents,
        starts=starts,
        document=numbered,
        raw=np.stack([column.raw for column in kept], axis=1),
        whole=_whole(read, split),
        split=split,
    )


def _together(columns: Sequence[_TextColumn]) -> tuple[pa.LargeStringArray, IntArray, IntArray]:
    """The documents of all columns, each once, where those of each begin, and the document of every row."""
    joined = pa.concat_arrays([column.documents for column in columns]).dictionary_encode()
    number = np.append(_codes(joined.indices), -1)  # numbered by first appearance, so column by column
    stops = np.cumsum([0, *(len(column.documents) for column in columns)], dtype=np.int64)
    starts = [int(number[:stop].max(initial=-1)) + 1 for stop in stops.tolist()]
    numbered = [
        number[np.where(column.code >= 0, column.code + stop, -1)] for column, stop in zip(columns, stops, strict=False)
    ]
    return joined.dictionary, np.array(starts, dtype=np.int64), np.stack(numbered, axis=1)


def _whole(columns: Sequence[_TextColumn], split: IntArray) -> IntArray:
    whole = np.zeros(len(split), dtype=np.int64)
    has_text = np.zeros(len(split), dtype=bool)
    for column in columns:
        code = np.where(column.code >= 0, column.code, -2 - column.raw)
        has_text |= code != -1
        code -= int(code.min(initial=0))
        whole = np.unique(whole * (int(code.max(initial=0)) + 1) + code, return_inverse=True)[1].reshape(-1)
    return np.where((split >= 0) & has_text, whole, -1)


def _read(rows: RowFingerprints, name: str, split: IntArray) -> _TextColumn:
    cells = read_texts(rows, name).combine_chunks().dictionary_encode()
    distinct = normalised(unwrapped(cells.dictionary))
    encoded = pc.if_else(pc.equal(distinct, ""), None, distinct).dictionary_encode()
    raws, documents = _codes(cells.indices), encoded.dictionary
    code = np.where(split >= 0, np.append(_codes(encoded.indices), -1)[raws], -1)
    entropy = word_entropy(documents)
    bits = entropy * float(n_words(documents).mean()) if len(documents) else 0.0
    return _TextColumn(name, documents, code, raws, entropy, bits)


def read_texts(rows: RowFingerprints, name: str, indices: IntArray | None = None) -> pa.ChunkedArray:
    """The cells of one column as they stand in the files, as large strings, in the order of the sample indices.

    Parameters
    ----------
    indices : ndarray of int64, shape (m,), optional
        Sample indices, ascending and distinct; None: all rows.
    """
    (column,) = [c for c in rows.pool.columns if c.name == name] or pool_columns(rows.duck, rows.pool.tables, [name])
    chunks: list[pa.Array] = []
    connection = rows.duck.connection
    for file, table in enumerate(rows.pool.tables):
        with narrowed(rows.duck, table, [column.sql[file]]) as source:
            sql = f"SELECT {raw(column, file)} AS cell FROM {canonical_cells([], file, source)}"
            if indices is None:
                found = connection.sql(f"{sql} ORDER BY row").to_arrow_table()
            else:
                start, stop = rows.pool.starts[file], rows.pool.starts[file + 1]
                with wanted(rows.duck, indices[(indices >= start) & (indices < stop)] - start):
                    found = connection.sql(f"{sql} WHERE row IN (SELECT row FROM wanted) ORDER BY row").to_arrow_table()
        chunks += found.column(0).cast(pa.large_string()).chunks
    return pa.chunked_array(chunks, pa.large_string())


def normalised(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """The normal form of each text; empty where no letter or digit is in it.

    >>> normalised(pa.array(["  What’s UP?", "Straße", "¡!"], pa.large_string())).to_pylist()
    ['what s up', 'strasse', '']
    """
    texts = pc.utf8_normalize(texts, "NFKC")
    plain = pc.string_is_ascii(texts)
    folded = pc.ascii_lower(texts)
    if not pc.all(plain, min_count=0).as_py():
        rest = [text.casefold() for text in texts.filter(pc.invert(plain)).to_pylist()]
        again = pc.utf8_normalize(pa.array(rest, pa.large_string()), "NFKC")
        folded = pc.replace_with_mask(folded, pc.invert(plain), again)
    return pc.utf8_trim(pc.replace_substring_regex(folded, _GAPS, " "), " ")


def n_words(documents: pa.LargeStringArray) -> IntArray:
    """Words of normalised texts; in scripts that put no spaces, two characters count as one.

    >>> n_words(pa.array(["how do you do", "谢谢你们的帮助"], pa.large_string())).tolist()
    [4, 4]
    """
    words = pc.count_substring(documents, " ").to_numpy(zero_copy_only=False).astype(np.int64) + 1
    unspaced = pc.count_substring_regex(documents, NO_SPACES).to_numpy(zero_copy_only=False).astype(np.int64)
    words[pc.equal(documents, "").to_numpy(zero_copy_only=False)] = 0
    return np.asarray(words + unspaced // 2, dtype=np.int64)


def word_entropy(documents: pa.LargeStringArray) -> float:
    """Bits per word of the distribution of words over the first 20,000 documents; 0 where all words are one."""
    words = pc.list_flatten(pc.split_pattern(documents[:_ENTROPY_TEXTS], " "))
    if not len(words):
        return 0.0
    counts = np.sort(pc.value_counts(words).field("counts").to_numpy())
    shares = counts / counts.sum()
    return float(-(shares * np.log2(shares)).sum())


def _codes(indices: pa.Array) -> IntArray:
    return np.asarray(indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
