"""Texts that many rows share say what rows belong to: premise, question, passage, source sentence, prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leakaudit.analysis.columns.profiles import columns_of

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context

ROWS_A_TEXT = 1.5
"""Rows of a split for each of its distinct texts from which on many rows share them. In sets of pairs that were
collected as pairs it is 1.0 to 1.4; with two rows or more a premise it is 2 and more."""


def shared_text_keys(context: Context) -> tuple[str, ...]:
    """Columns of running text that many rows share, where another one tells these rows apart: groups, not copies."""
    prose = [column for column in columns_of(context) if column.role == "prose"]
    return tuple(c.name for c in prose if c.rows_a_text >= ROWS_A_TEXT) if len(prose) > 1 else ()


def text_units(context: Context) -> tuple[str, ...]:
    """Columns of sentences by which a split may have been drawn.

    Whether another text tells the rows apart makes no difference here: three judgements of one text are no three
    independent rows, and a split by texts keeps them together.
    """
    return tuple(
        column.name
        for column in columns_of(context)
        if column.role in ("prose", "category") and column.sentences and column.rows_a_text >= ROWS_A_TEXT
    )
