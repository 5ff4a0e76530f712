"""Which column is the label, where nobody said: by its name and place, and by what its cells look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from leakaudit.sources.names import LABEL_NAMES, called_labels, label_candidates, plain

Cells = Callable[[str], Sequence[str | None]]
"""From a column's name to the cells of its first rows."""

PROSE_WORDS, PROSE_CHARACTERS, PROSE_DISTINCT = 3.0, 15.0, 0.5
"""Least mean number of words and of characters, and least share of distinct values, of running text: no name of a class
is so long and so seldom repeated. The same numbers tell prose from categories among the columns of a table."""

LEAST_CELLS = 10
"""Fewer cells than this say nothing about a column."""

GRADES = (3, 100)
"""Distinct whole numbers of a column of grades or difficulties: two are a yes and a no, and may be the label."""

NUMBERS_BEFORE = 3
"""Columns of numbers before a single column of words at the end, from which on the words are what the numbers tell."""

SERIES = 20
"""Columns from which on measurements behind a column of classes are a series (UCR's files); of fewer, the last may be
what is to be told from the others."""


@dataclass(frozen=True, slots=True)
class LabelGuess:
    """The label and `why` it was taken; or None, and why not."""

    label: str | None
    why: str


def guess_label_column(columns: Sequence[str], cells: Cells, *, headerless: bool = False) -> LabelGuess:
    """The column that is likeliest to be the label.

    A usual name decides; a column of that name that holds running text (a response, a target sentence) is refused, and
    the next likely name decides. Without a header line it is the last column, unless that is running text, or a grade
    behind the only column of words at the end of a table of numbers: then the better column beside it.

    Parameters
    ----------
    columns : sequence of str
        Of all splits, in the order of the file, without the one that says the split.
    cells : callable
        For the first rows of a column.
    headerless : bool, default False
        Names say nothing.
    """
    refused: list[str] = []
    for likely in (*(label_candidates(columns, (names,)) for names in LABEL_NAMES), called_labels(columns)):
        candidates = [column for column in likely if not is_running_text(cells(column))]
        refused += [column for column in likely if column not in candidates]
        if len(candidates) > 1:
            said = " or ".join(map(repr, candidates))
            return LabelGuess(None, f"the label could be {said} and was not guessed (say --label)")
        if candidates:
            beside = f"; {_listed(refused)} running text" if refused else ""
            return LabelGuess(candidates[0], f"by its name{beside}")
    if refused:
        return LabelGuess(None, f"{_listed(refused)} running text, no label (say --label if it is one)")
    if headerless and len(columns) > 1:
        return _by_place(columns, cells)
    return LabelGuess(None, "no label column known (say --label)")


def is_running_text(cells: Sequence[str | None]) -> bool:
    """Whether cells hold sentences rather than names.

    >>> is_running_text(["spam", "ham"] * 20), is_running_text([f"here is sentence number {i}" for i in range(20)])
    (False, True)
    """
    texts = [cell for cell in cells if cell is not None and cell.strip()]
    if len(texts) < LEAST_CELLS:
        return False
    words = sum(len(text.split()) for text in texts) / len(texts)
    characters = sum(map(len, texts)) / len(texts)
    distinct = len(set(texts)) / len(texts)
    return words >= PROSE_WORDS and characters >= PROSE_CHARACTERS and distinct >= PROSE_DISTINCT


def _by_place(columns: Sequence[str], cells: Cells) -> LabelGuess:
    last, why = columns[-1], "the last one of a table without header line"
    if is_running_text(cells(last)):
        short = [column for column in (columns[0], *reversed(columns)) if _are_names(cells(column))]
        if not short:
            return LabelGuess(None, "no column of a table without header line looks like a label (say --label)")
        return LabelGuess(short[0], f"no running text, as {last!r} is, in a table without header line")
    if _are_measured(cells(last)) and _are_classes(cells(columns[0])):
        if len(columns) > SERIES and all(_are_measured(cells(column)) for column in columns[1:]):
            return LabelGuess(columns[0], "classes before a series of numbers in a table without header line")
        if all(_are_measured(cells(column)) for column in columns[1:]):
            said = f"{columns[0]!r} or {last!r}"
            return LabelGuess(None, f"the label could be {said} and was not guessed (say --label)")
    before = columns[-2 - NUMBERS_BEFORE : -2]
    is_grade = len(before) == NUMBERS_BEFORE and _are_grades(cells(last)) and _are_names(cells(columns[-2]))
    if is_grade and all(_are_numbers(cells(column)) for column in before):
        return LabelGuess(columns[-2], f"words behind numbers, with a grade, {last!r}, behind it: say --label if not")
    return LabelGuess(last, why)


def _are_measured(cells: Sequence[str | None]) -> bool:
    """Numbers with decimals that hardly repeat."""
    known = [cell.strip() for cell in cells if cell is not None and cell.strip()]
    decimals = sum("." in cell or "e" in cell.lower() for cell in known)
    return bool(known) and _are_numbers(known) and 2 * decimals > len(known) and len(set(known)) > len(known) / 2


def _are_classes(cells: Sequence[str | None]) -> bool:
    """Few values, each often, and no decimals but ``1.0``."""
    known = [cell.strip() for cell in cells if cell is not None and cell.strip()]
    return len(known) >= LEAST_CELLS and 1 < len(set(known)) <= len(known) / 5 and not _are_measured(known)


def _are_names(cells: Sequence[str | None]) -> bool:
    """Words that repeat."""
    known = [cell for cell in cells if cell is not None and cell.strip()]
    repeats = 1 < len(set(known)) <= PROSE_DISTINCT * len(known)
    return repeats and not any(map(_is_number, known))


def _are_grades(cells: Sequence[str | None]) -> bool:
    known = {cell for cell in cells if cell is not None and cell.strip()}
    return GRADES[0] <= len(known) <= GRADES[1] and all(map(str.isdecimal, map(str.strip, known)))


def _are_numbers(cells: Sequence[str | None]) -> bool:
    known = [cell for cell in cells if cell is not None and cell.strip()]
    return bool(known) and all(map(_is_number, known))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return plain(cell) not in ("nan", "inf", "infinity")


def _listed(columns: Sequence[str]) -> str:
    return f"{' and '.join(map(repr, columns))} {'is' if len(columns) == 1 else 'are'}"
