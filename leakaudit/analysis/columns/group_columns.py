"""Columns of a table that say which rows belong together: by their names, or by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.group_names import columns_named_like_groups, may_count, may_name_groups
from leakaudit.analysis.columns.identifiers import many_and_small, pattern_of
from leakaudit.analysis.columns.profiles import columns_of
from leakaudit.analysis.context import Context, once
from leakaudit.fingerprints.rows.columns import read_columns

if TYPE_CHECKING:
    from leakaudit.analysis.columns.identifiers import Pattern
    from leakaudit.analysis.columns.profiles import ColumnProfile

TRIED = 200
"""First rows whose texts are looked at before a whole column is read."""


@once
def group_columns(context: Context) -> tuple[str, ...]:
    """The columns that say which rows belong together, in the order of the table.

    Numbers with fractions, booleans, dates and running text name nothing, whatever they are called (``subject`` of an
    e-mail); nor do whole numbers in the plural (``members``, ``orders``), which count. ``device`` and the like need
    values that name things: they have the looks of identifiers, or are many with few rows each. Molecules and
    sequences are told by their letters, whatever the column is called.
    """
    return tuple(profile.name for profile in columns_of(context) if _says_group(context, profile))


def _says_group(context: Context, profile: ColumnProfile) -> bool:
    if profile.role in ("label", "ignored", "constant", "prose", "time") or profile.kind in ("boolean", "time"):
        return False
    if profile.kind == "number" and (not profile.whole or may_count(profile.name)):
        return False
    if columns_named_like_groups([profile.name]):
        return True
    if may_name_groups(profile.name) and many_and_small(profile.n_distinct, profile.n - profile.n_missing):
        return True
    if profile.kind != "text":
        return False
    named: tuple[Pattern, ...] = ("e-mail", "file name", "number") if may_name_groups(profile.name) else ()
    return _pattern(context, profile.name) in (*named, "molecule", "sequence")


def _pattern(context: Context, name: str) -> Pattern | None:
    """What the texts of a column are: a few of them rule it out, all confirm it."""
    rows = context.rows
    found: Pattern | None = None
    for indices in (np.arange(min(TRIED, len(rows)), dtype=np.int64), None):
        (column,) = read_columns(rows, [name], indices)
        found = None if column.levels is None else pattern_of(name, column.levels)
        if found is None:
            break
    return found
