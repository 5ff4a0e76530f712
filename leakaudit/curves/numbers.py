"""Cells and JSON values as floats: what training libraries write for a number, for nothing, and for too much."""

from __future__ import annotations

import math

MISSING = frozenset(["", "na", "n/a", "none", "null", "-"])
"""How loggers write that there is no value (Keras' CSVLogger writes ``NA``)."""


def number(value: object, *, decimal_comma: bool = False) -> float:
    """A float: infinite where the value says NaN or infinity (a loss that overflowed), NaN where it says nothing.

    Accepts numbers in quotes, ``12.5%`` and PyTorch's ``tensor(0.5)``.

    >>> number(" 0.5 "), number("0,5", decimal_comma=True), number("nan"), number("NA")
    (0.5, 0.5, inf, nan)
    """
    if isinstance(value, bool) or value is None:
        return math.nan
    if isinstance(value, int | float):
        try:
            finite = math.isfinite(value)
        except OverflowError:  # an integer beyond the range of floats
            return math.inf
        return float(value) if finite else math.inf
    return _parsed(value, decimal_comma) if isinstance(value, str) else math.nan


def is_word(cell: str, *, decimal_comma: bool = False) -> bool:
    """Whether a cell holds something that is neither a number nor a usual sign for nothing."""
    text = cell.strip().lower()
    return text not in MISSING and math.isnan(_parsed(cell, decimal_comma))


def _parsed(cell: str, decimal_comma: bool) -> float:
    text = cell.strip().strip("'\"")
    if text.startswith("tensor(") and text.endswith(")"):
        text = text[7:-1].split(",")[0]
    scale = 1.0
    if text.endswith("%"):
        text, scale = text[:-1], 0.01
    if decimal_comma and "," in text and "." not in text:
        text = text.replace(",", ".")
    try:
        value = float(text) * scale
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.inf
