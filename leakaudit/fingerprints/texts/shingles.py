"""Substrings of many documents at once, as 64-bit hashes: character n-grams, windows, word n-grams.

Documents are cut into chunks of code points. A window is hashed as a polynomial in the code points modulo 2^64, then
mixed (the finaliser of SplitMix64); equal windows have equal hashes on every machine, and two different windows the
same one with a chance of 2^-64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray

    Hashes: TypeAlias = npt.NDArray[np.uint64]

GRAM = 5
"""Characters of a gram: what published audits of near-duplicate text use (Lee et al. 2022 take 5-grams of words for
web documents; characters suit sentences of ten words, and scripts without spaces)."""

CHUNK = 1 << 19
"""Characters that are worked on at a time, a longer document excepted; a few of such arrays fit a cache."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True, eq=False, slots=True)
class Chunk:
    """Some documents as one array of code points.

    Parameters
    ----------
    first : int
        Position of the first document among those that were asked for.
    characters : ndarray of uint32
        All documents, one after the other, and `GRAM` zeros.
    starts, lengths : ndarray of int64, shape (d,)
        Where each document begins, and its characters; at least `GRAM`: shorter ones are filled up with zeros.
    """

    first: int
    characters: npt.NDArray[np.uint32]
    starts: IntArray
    lengths: IntArray

    def __len__(self) -> int:
        return len(self.starts)


def chunks(documents: pa.LargeStringArray, size: int = CHUNK) -> Iterator[Chunk]:
    """The documents in chunks of about `size` characters, none torn apart."""
    lengths = np.maximum(pc.utf8_length(documents).to_numpy(zero_copy_only=False).astype(np.int64), GRAM)
    stops = np.cumsum(lengths)
    first = 0
    while first < len(documents):
        before = int(stops[first] - lengths[first])
        stop = max(int(np.searchsorted(stops, before + size, side="right")), first + 1)
        texts = pc.utf8_rpad(documents[first:stop], width=GRAM, padding="\0").to_pylist()
        texts.append("\0" * GRAM)
        characters = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
        yield Chunk(first, characters, stops[first:stop] - lengths[first:stop] - before, lengths[first:stop])
        first = stop


def grams(chunk: Chunk, width: int = GRAM) -> tuple[Hashes, IntArray]:
    """Hashes of all character n-grams, document by document, and how many each document has.

    Parameters
    ----------
    width : int, default 5
        As for `windows`; documents that are shorter have none.
    """
    per_document = np.maximum(chunk.lengths - (width - 1), 0)
    return windows(chunk, width)[inside(chunk.starts, per_document)], per_document


def windows(chunk: Chunk, width: int) -> Hashes:
    """Hash of the window of `width` characters from each position on; those that leave their document mean nothing.

    Parameters
    ----------
    width : int
        `GRAM`, or a power of two.

    Returns
    -------
    ndarray of uint64, one for each character of the documents
    """
    n = len(chunk.characters) - GRAM
    padded = np.zeros(n + width, dtype=np.uint64)
    padded[:n] = chunk.characters[:n]
    reach, power = 1, _BASE
    while reach * 2 <= width:  # the hash of twice the width, from the hashes of its two halves
        padded[:-reach] = padded[:-reach] * power + padded[reach:]
        reach, power = reach * 2, np.uint64(int(power) ** 2 % 2**64)
    if reach < width:
        assert width == reach + 1
        last = np.zeros(n, dtype=np.uint64)
        tail = chunk.characters[reach : reach + n]
        last[: len(tail)] = tail
        padded[:n] = padded[:n] * _BASE + last
    return mixed(padded[:n])


def word_grams(chunk: Chunk, n: int) -> tuple[Hashes, IntArray]:
    """Hashes of all n-grams of words, document by document, and how many each document has.

    In scripts without spaces between words every character is a word of its own.
    """
    characters = chunk.characters[:-GRAM]
    begins = _word_begins(chunk)
    document = np.searchsorted(chunk.starts, begins, side="right") - 1
    ends = np.append(begins[1:], 0)
    is_last = np.append(document[1:] != document[:-1], True)
    stops = chunk.starts + chunk.lengths
    ends[is_last] = stops[document[is_last]]
    ends -= (characters[ends - 1] == ord(" ")).astype(np.int64)
    at = np.arange(max(len(begins) - n + 1, 0))
    at = at[document[at] == document[at + n - 1]]
    counts = np.bincount(document[at], minlength=len(chunk)).astype(np.int64)
    return _substrings(characters, begins[at], ends[at + n - 1]), counts


def mixed(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a permutation of all 64-bit numbers."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


def inside(starts: IntArray, counts: IntArray) -> IntArray:
    """``starts[0], starts[0] + 1, …``: the first `counts` positions from each start on, in one array."""
    stops = np.cumsum(counts)
    within = np.arange(int(stops[-1]) if len(stops) else 0)
    return np.asarray(within + np.repeat(starts - (stops - counts), counts), dtype=np.int64)


def _word_begins(chunk: Chunk) -> IntArray:
    """Positions of the first characters of words."""
    characters = chunk.characters[:-GRAM]
    is_gap = (characters == ord(" ")) | (characters == 0)
    alone = _unspaced(characters)
    after = np.ones(len(characters), dtype=bool)
    after[1:] = is_gap[:-1] | alone[:-1]
    after[chunk.starts] = True
    return np.flatnonzero((after | alone) & ~is_gap)


def _unspaced(characters: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Characters of scripts without spaces between words (Unicode blocks of Thai to Myanmar, Khmer, kana, Han)."""
    found = np.zeros(len(characters), dtype=bool)
    if len(characters) and int(characters.max()) >= 0x0E00:
        ranges = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x30FF), (0x3400, 0x9FFF))
        for low, high in (*ranges, (0xF900, 0xFAFF), (0x20000, 0x3FFFF)):
            found |= (characters >= low) & (characters <= high)
    return found


def _substrings(characters: npt.NDArray[np.uint32], begins: IntArray, ends: IntArray) -> Hashes:
    """Hashes of ``characters[begin:end]``, from sums of prefixes: the base is odd, so it has an inverse modulo 2^64."""
    n = len(characters)
    sums = np.zeros(n + 1, dtype=np.uint64)
    np.cumsum((characters.astype(np.uint64) + np.uint64(1)) * _powers(_BASE, n), out=sums[1:])
    moved = (sums[ends] - sums[begins]) * _powers(_INVERSE, n)[begins]  # the same for a text wherever it stands
    return mixed(moved + (ends - begins).astype(np.uint64) * _MIX[0])


def _powers(base: np.uint64, n: int) -> Hashes:
    """``base ** 0, base ** 1, …``, n of them, modulo 2^64."""
    powers = np.full(n, base, dtype=np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)
