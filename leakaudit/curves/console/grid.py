"""Printed tables: a line of names, then lines of as many values.

fastai, skorch, notebooks, Ultralytics and scikit-learn print such.
"""

from __future__ import annotations

import math
import re

from leakaudit.curves.names import is_epoch, is_step, role
from leakaudit.curves.numbers import number

_WIDE = re.compile(r"\t+|\s{2,}")
_RULE = re.compile(r"[-=+|\s:─━┼]*")
_TAIL = re.compile(r":\s+\d+%.*$")
_DECIMAL = re.compile(r"(?<!\w)\d+\.\d")
FEWEST = 2


def header(line: str) -> tuple[str, ...] | None:
    """The names of a table's header, or None.

    >>> header("epoch     train_loss  valid_loss  accuracy  time")
    ('epoch', 'train_loss', 'valid_loss', 'accuracy', 'time')
    """
    line = _TAIL.sub("", line)
    if ":" in line or "=" in line or "%" in line or _DECIMAL.search(line):
        return None
    for cells in _ways(line):
        if len(cells) >= FEWEST and not any(_is_number(cell) for cell in cells):
            roles = [role(cell) for cell in cells]
            if any(found is not None and found.quantity != "lr" for found in roles):
                counted = any(is_epoch(cell) or is_step(cell) for cell in cells)
                if counted or (all(len(cell.split()) <= 3 for cell in cells) and len(cells) > FEWEST):
                    return tuple(cells)
    return None


def row(line: str, names: tuple[str, ...]) -> dict[str, float] | None:
    """The values of a line under a header, or None where it is no row of it."""
    for found in _ways(_TAIL.sub("", line)):
        cells = _with_checkpoint(found, names)
        if len(cells) != len(names):
            continue
        values = {name: _cell(cell, name) for name, cell in zip(names, cells, strict=True)}
        known = sum(not math.isnan(value) for value in values.values())
        if known >= FEWEST and known >= len(names) / 3:
            return values
    return None


def _with_checkpoint(cells: list[str], names: tuple[str, ...]) -> list[str]:
    """The cells, with an empty one in skorch's column ``cp``, which marks some rows and leaves out the others."""
    if "cp" not in names or len(cells) != len(names) - 1:
        return cells
    at = names.index("cp")
    return [*cells[:at], "", *cells[at:]]


def is_rule(line: str) -> bool:
    """Whether a line only draws a rule."""
    return _RULE.fullmatch(line) is not None


def _ways(line: str) -> list[list[str]]:
    """The cells of a line: between bars, between wide spaces, between any spaces."""
    text = line.strip()
    if text.count("|") >= FEWEST - 1:
        return [[cell.strip() for cell in text.strip("|").split("|")]]
    wide = [cell for cell in _WIDE.split(text) if cell]
    narrow = text.split()
    return [wide] if wide == narrow else [wide, narrow]


def _is_number(cell: str) -> bool:
    return not math.isnan(number(cell)) or re.fullmatch(r"[\d.,:/%+-]+", cell) is not None


def _cell(cell: str, name: str) -> float:
    if is_epoch(name) and re.fullmatch(r"\d+/\d+", cell):
        cell = cell.split("/", maxsplit=1)[0]
    return number(cell)
