"""What an identifier, or the order of the rows, tells of the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.belonging.name_patterns import name_patterns
from leakaudit.analysis.shortcuts.column_scores import Rows, Score, category_codes, number_codes, score_codes

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from leakaudit.analysis.columns.sample import Feature
    from leakaudit.model import IntArray

    Float64 = npt.NDArray[np.float64]

BEFORE, NUMBER = r"^(?P<key>[^0-9]*)[0-9].*$", r"^(?:.*[^0-9])?(?P<key>[0-9]{1,15})[^0-9]*$"
"""What stands before the first number of a text, and its last number (RE2)."""


def identifier_aspects(feature: Feature) -> Iterator[tuple[str, IntArray]]:
    """What can be read from an identifier without knowing its rows: its aspect in words, and a code for each row.

    Numbers by their order, in coarse and in fine bins; texts by the pattern that is left without their numbers, by what
    stands before the first number, by the order of their last number, and by their order in the alphabet.
    """
    column = feature.column
    if column.numbers is not None:
        for codes in number_codes(column.numbers):
            yield "order", codes
        return
    import pyarrow.compute as pc

    assert column.codes is not None
    assert column.levels is not None
    words = np.append(name_patterns(column.levels, ()), "")
    yield "pattern", np.unique(words[column.codes], return_inverse=True)[1].reshape(-1).astype(np.int64)
    before = pc.struct_field(pc.extract_regex(column.levels, BEFORE), "key").dictionary_encode()
    before_codes = np.append(_codes(before), -1)[column.codes]
    yield "prefix", category_codes(before_codes, 2)
    number = pc.struct_field(pc.extract_regex(column.levels, NUMBER), "key")
    numbers = np.append(np.asarray(number.cast("float64").to_numpy(zero_copy_only=False), dtype=np.float64), np.nan)
    for codes in number_codes(numbers[column.codes]):
        yield "number", codes
    order = np.where(column.codes >= 0, column.codes.astype(np.float64), np.nan)
    for codes in number_codes(order):
        yield "order", codes


def best_aspect(feature: Feature, rows: Rows) -> tuple[str, Score] | None:
    """The aspect of an identifier that tells the target best, by the lower bound."""
    scores = [(aspect, score_codes(codes, rows)) for aspect, codes in identifier_aspects(feature)]
    known = [(aspect, score) for aspect, score in scores if score is not None]
    return max(known, key=lambda each: max(each[1].low, each[1].one_low / 2), default=None)


def order_score(rows: Rows) -> Score | None:
    """How well the place of a row among these tells its target: 1 for a file sorted by class."""
    n = len(rows.classes if rows.classes is not None else rows.values)  # type: ignore[arg-type]
    scores = [score_codes(codes, rows) for codes in number_codes(np.arange(n, dtype=np.float64))]
    return max((score for score in scores if score is not None), key=lambda score: score.gain, default=None)


def _codes(encoded: pa.DictionaryArray) -> IntArray:
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)
