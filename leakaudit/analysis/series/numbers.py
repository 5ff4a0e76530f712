"""The numbers at the end of file names: frames of a film, and places of tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from leakaudit.model import IntArray

EXPORTED = r"(?:[._-](?:jpe?g|png|bmp|tiff?|webp))?\.rf\.[0-9a-z]+$"
"""What labelling services put behind a name: ``frame_0012_jpg.rf.4e1f….jpg``."""

ONE = r"^(?P<series>.*?)(?P<x>[0-9]{1,15})(?P<after>[^0-9]*)$"
TWO = r"^(?P<series>.*?)(?P<y>[0-9]{1,9})(?P<between>[^0-9/]+)(?P<x>[0-9]{1,9})(?P<after>[^0-9]*)$"


@dataclass(frozen=True, eq=False, slots=True)
class Numbered:
    """Names taken apart; all arrays have shape (n,).

    Parameters
    ----------
    series : ndarray of int64
        Equal for names that are the same but for their last numbers, in folders that are the same but for the names of
        the splits; -1 where the name has too few numbers.
    x, y : ndarray of int64
        The last number, and the one before it (zero where only one is asked for).
    """

    series: IntArray
    x: IntArray
    y: IntArray


def numbered(uris: pa.Array, splits: Sequence[str], *, two: bool = False) -> Numbered:
    """Take file names apart at their last number, or at their last two.

    Parameters
    ----------
    uris : pyarrow.StringArray, shape (n,)
        As in `leakaudit.model.Samples`.
    splits : sequence of str
        Names of splits, which are no part of a series when they name a folder.
    two : bool
        Whether two numbers are asked for.
    """
    stems = pc.replace_substring_regex(uris, r"\.[^./]*$", "")
    stems = pc.replace_substring_regex(pc.utf8_lower(stems), EXPORTED, "")
    for split in splits:
        told = pc.replace_substring_regex(stems, rf"^(?:.*/)?{_quoted(split.lower())}/", "")
        stems = pc.if_else(pc.match_substring_regex(stems, rf"(?:^|/){_quoted(split.lower())}/"), told, stems)
    fields = pc.extract_regex(stems, TWO if two else ONE)
    known = fields.is_valid().to_numpy(zero_copy_only=False)
    words = [pc.struct_field(fields, name) for name in ("series", "between", "after") if name != "between" or two]
    series = pc.binary_join_element_wise(*words, "\0").dictionary_encode().indices
    codes = series.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    x = _numbers(pc.struct_field(fields, "x"))
    y = _numbers(pc.struct_field(fields, "y")) if two else np.zeros(len(x), dtype=np.int64)
    return Numbered(np.where(known, codes, -1), x, y)


def _quoted(name: str) -> str:
    return "".join(letter if letter.isalnum() else f"\\x{{{ord(letter):x}}}" for letter in name)


def _numbers(texts: pa.Array) -> IntArray:
    numbers = pc.cast(texts, pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(numbers, dtype=np.int64)


def unit_of(numbers: IntArray) -> int:
    """The usual step from one number to the next, at least 1: frames 0010, 0020, 0030 are ten apart."""
    steps = np.diff(np.unique(numbers))
    return max(int(np.median(steps)), 1) if len(steps) else 1


def at_random(n_neighbours: IntArray, share: float) -> float:
    """How many of the samples would have a neighbour on the other side, were sides drawn sample by sample.

    Parameters
    ----------
    n_neighbours : ndarray of int64, shape (n,)
        Direct neighbours of each sample, on whichever side.
    share : float
        Of all samples, those of the other side.
    """
    return float((1 - (1 - share) ** n_neighbours).sum())


def sign_test(n_more: int, n_less: int) -> float:
    """Probability of so many more or beyond, were either as likely (exact, one-sided)."""
    from scipy.special import bdtrc

    n = n_more + n_less
    return float(bdtrc(n_more - 1, n, 0.5)) if n_more else 1.0
