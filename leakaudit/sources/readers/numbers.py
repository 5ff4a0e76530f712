"""Numbers as people write them: decimal commas (``1.234,56``) and thousands separators (``1,234.56``) in csv cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from leakaudit.sources.readers.csv_dialect import MISSING

Mark = Literal[",", "."]
"""The decimal mark of a column; the other one, an apostrophe or a space may stand between thousands."""

_GROUP = r"[ '\x{a0}\x{202f}]"
COMMA = rf"[+-]?(?:[1-9]\d{{0,2}}(?:\.\d{{3}})+|[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+|\d+)(?:,\d+)?(?:[eE][+-]?\d+)?"
POINT = rf"[+-]?(?:[1-9]\d{{0,2}}(?:,\d{{3}})+|[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?"
"""Whole cells, in the syntax of RE2 (DuckDB)."""


def _here(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: chr(int(found[1], 16)), pattern))


_COMMA, _POINT = _here(COMMA), _here(POINT)


def decimal_marks(columns: Sequence[str], rows: Sequence[Sequence[str | None]], delimiter: str) -> dict[str, Mark]:
    """The columns that are numbers only if a comma is read as what it is, by their first cells.

    Only columns with a comma in a cell are looked at (or with a point, in a file with decimal commas): everything else
    is left to the engine. ``1,234`` alone could be either; another column of the file decides, then the delimiter: a
    file divided by ``;`` is written where the comma is the decimal mark.

    >>> decimal_marks(["a", "b"], [["1,5", "Rome, IT"], ["12,25", "Bonn, DE"]], ";")
    {'a': ','}
    """
    if not any("," in "\n".join(filter(None, row)) for row in rows):  # joined: quick for thousands of columns
        return {}
    sure: dict[str, Mark] = {}
    unsure: list[str] = []
    pointed: list[str] = []
    for at, column in enumerate(columns):
        cells = [cell.strip() for row in rows if len(row) == len(columns) and (cell := row[at])]
        cells = [cell for cell in cells if cell.lower() not in MISSING]
        has_comma = any("," in cell for cell in cells)
        if not has_comma:
            if any("." in cell for cell in cells) and all(map(_COMMA.fullmatch, cells)):
                pointed.append(column)
            continue
        comma = all(map(_COMMA.fullmatch, cells)) and _is_regular(cells)
        point = all(map(_POINT.fullmatch, cells))
        if comma and point:
            unsure.append(column)
        elif comma or point:
            sure[column] = "," if comma else "."
    marks = set(sure.values())
    usual: Mark = marks.pop() if len(marks) == 1 else "," if delimiter == ";" else "."
    found = sure | dict.fromkeys(unsure, usual)
    if "," in found.values() and "." not in found.values():
        found |= dict.fromkeys(pointed, ",")  # 1.234 among 5,25: a thousand and more
    return {column: found[column] for column in columns if column in found}


def _is_regular(cells: Sequence[str]) -> bool:
    """Whether digits behind commas are as a program writes decimals.

    Either all cells have as many, or none ends in a needless 0. Pairs of whole numbers (``3,1`` and ``3,10``) do.
    """
    behind = [cell.rpartition(",")[2] for cell in cells if "," in cell]
    return len({len(digits) for digits in behind}) == 1 or not any(
        len(digits) > 1 and digits.endswith("0") for digits in behind
    )


def number_sql(column: str, mark: Mark) -> tuple[str, str]:
    """For DuckDB: whether a cell is missing or such a number, and the cell as a number is written elsewhere."""
    missing = ", ".join(f"'{each}'" for each in sorted(MISSING))
    number = f"regexp_full_match(trim({column}), '{(COMMA if mark == ',' else POINT).replace(chr(39), chr(39) * 2)}')"
    fits = f"{column} IS NULL OR lower(trim({column})) IN ({missing}) OR {number}"
    thousands = "." if mark == "," else ","
    bare = f"regexp_replace(trim({column}), '[{thousands} ''\\x{{a0}}\\x{{202f}}]', '', 'g')"
    plain = f"replace({bare}, ',', '.')" if mark == "," else bare
    return fits, f"CASE WHEN {number} THEN {plain} ELSE {column} END"
