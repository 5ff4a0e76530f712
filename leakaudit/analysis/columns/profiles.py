"""What each column of a table is for, by what it holds: a feature, an identifier, running text, the label, …"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.columns.date_texts import times_among
from leakaudit.analysis.columns.group_names import columns_named_like_groups, may_count, may_name_groups
from leakaudit.analysis.columns.identifiers import many_and_small, name_things
from leakaudit.analysis.context import once
from leakaudit.fingerprints.rows.cells import Column, blocks, pool_columns
from leakaudit.fingerprints.rows.columns import available

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.rows.cells import Kind
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import Columns, IntArray

Role: TypeAlias = Literal["label", "group", "time", "identifier", "ignored", "constant", "prose", "number", "category"]
"""What a column is for. The first five are not features; ``prose`` is running text, ``number`` and ``category`` are
features proper (booleans are categories)."""

SAMPLED = 100_000
"""Rows of each split that statistics look at, drawn at random: the standard error of a share is then below 0.0016, a
tenth of the smallest effects that any check speaks of."""

PROSE_WORDS, PROSE_CHARACTERS = 3.0, 15.0
"""Least mean number of words and characters of a text for running text: shorter ones are names and categories."""

PROSE_DISTINCT = 0.5
"""Least share of distinct values among the texts of a prose column: sentences seldom repeat, categories do."""

TIMES_TRIED, TIMES_READ = 200, 100_000
"""First rows of each file that are tried for dates, and those that have to confirm it."""

UNIQUE = 0.98
"""Least share of distinct values of an identifier; the count of distinct values is approximate (HyperLogLog)."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column over all splits.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "time", "text"}
    role : Role
    why : str
        What the role was decided by, for people.
    n, n_missing : int
        Rows that belong to a split, and those without a value.
    n_distinct : int
        Distinct values, approximate within a few per cent beyond a few hundred.
    whole : bool
        Every number is an integer.
    """

    name: str
    kind: Kind
    role: Role
    why: str
    n: int
    n_missing: int
    n_distinct: int
    whole: bool


@once
def columns_of(context: Context) -> tuple[ColumnProfile, ...]:
    """What each column of the samples holds and what it is for; empty where they have none."""
    return profile_columns(context.rows, context.dataset.columns) if context.has_rows else ()


def profile_columns(rows: RowFingerprints, roles: Columns) -> tuple[ColumnProfile, ...]:
    """Profile every column that all files have, the one that says the split excepted; one pass over the data.

    Parameters
    ----------
    rows : RowFingerprints
    roles : Columns
        What the user or the column names said.
    """
    names = [name for name in available(rows) if name != roles.split]
    known = {column.name: column for column in rows.pool.columns}
    unknown = [name for name in names if name not in known]
    known |= {c.name: c for c in pool_columns(rows.duck, rows.pool.tables, unknown)} if unknown else {}
    profiles: list[ColumnProfile] = []
    for block in blocks(len(names)):
        columns = [known[name] for name in names[block]]
        for column, facts in zip(columns, _facts(rows, columns), strict=True):
            role, why = _role(column, facts, rows, roles)
            n, present, distinct, whole = int(facts[0]), int(facts[1]), int(facts[2]), bool(facts[3])
            profiles.append(ColumnProfile(column.name, column.kind, role, why, n, n - present, distinct, whole))
    return tuple(profiles)


@once
def rows_sampled(context: Context, limit: int = SAMPLED) -> tuple[IntArray, IntArray]:
    """At most `limit` rows of each split, drawn with a fixed seed.

    Returns
    -------
    indices : ndarray of int64, shape (m,)
        Ascending sample indices.
    splits : ndarray of int64, shape (m,)
        Split of each, as an index into ``context.dataset.splits``.
    """
    codes = context.row_splits
    random = np.random.default_rng(0)
    chosen = []
    for code in range(len(context.dataset.splits)):
        inside = np.flatnonzero(codes == code)
        chosen.append(inside if len(inside) <= limit else random.choice(inside, limit, replace=False))
    indices = np.sort(np.concatenate(chosen)).astype(np.int64)
    return indices, codes[indices]


def _facts(rows: RowFingerprints, columns: Sequence[Column]) -> list[tuple[float, ...]]:
    """Rows, values, distinct values, whether all are integers, mean characters, mean words; a tuple a column."""
    asked = []
    for i, column in enumerate(columns):
        words = f"avg(length({_text(i)}) - length(replace({_text(i)}, ' ', '')) + 1)"
        is_text, is_number = column.kind == "text", column.kind == "number"
        asked += [
            "count(*)",
            f"count(n{i})",
            f"approx_count_distinct(n{i})",
            f"coalesce(bool_and(n{i} = trunc(n{i})), false)" if is_number else "false",
            f"coalesce(avg(length({_text(i)})), 0)" if is_text else "0",
            f"coalesce({words}, 0)" if is_text else "0",
        ]
    cells = ", ".join(f"n{i}" for i in range(len(columns)))
    with rows.pool.all_cells(rows.duck, columns) as relations:
        parts = [
            f"SELECT {cells} FROM {relation} WHERE ({split}) IS NOT NULL"
            for relation, split in zip(relations, rows.pool.split, strict=True)
        ]
        values = rows.duck.rows(f"SELECT {', '.join(asked)} FROM ({' UNION ALL '.join(parts)})")[0]
    numbers = [float(str(int(value) if isinstance(value, bool) else value)) for value in values]
    return [tuple(numbers[at : at + 6]) for at in range(0, len(numbers), 6)]


def _text(i: int) -> str:
    return f"n{i}::VARCHAR"


def _role(column: Column, facts: Sequence[float], rows: RowFingerprints, roles: Columns) -> tuple[Role, str]:
    declared = _declared_role(column.name, rows, roles)
    if declared is not None:
        return declared
    if column.kind == "text" and facts[2] > 1 and _texts_are(times_among, column, rows):
        return "time", "texts that are dates or times"
    if (why := _names_things(column, facts, rows)) is not None:
        return "identifier", why
    return _statistical_role(column, facts)


def _declared_role(name: str, rows: RowFingerprints, roles: Columns) -> tuple[Role, str] | None:
    """The role that the user, the name of the column or the format of the file says."""
    told: dict[str | None, Role] = {roles.time: "time", roles.group: "group", roles.id: "identifier"}
    if name == roles.label:
        return "label", "the label"
    if rows.left_out.get(name) == "ignored":
        return "ignored", "told to be ignored"
    if name in roles.texts:
        return "prose", "a text by the format of the file"
    return (told[name], f"told or named like one ({told[name]})") if name in told else None


def _names_things(column: Column, facts: Sequence[float], rows: RowFingerprints) -> str | None:
    """Why a column is an identifier although its values repeat: each of them names one thing, and no kind of things."""
    names = partial(name_things, column.name, n_distinct=facts[2], n=facts[1])
    if column.kind == "text" and facts[2] > 1 and _texts_are(names, column, rows):
        return "names of files, addresses or numbers of a register"
    prose = facts[5] >= PROSE_WORDS and facts[4] >= PROSE_CHARACTERS  # the subject of an e-mail
    whole = column.kind == "number" and bool(facts[3]) and not may_count(column.name)
    called = bool(columns_named_like_groups([column.name])) or may_name_groups(column.name)
    if called and (whole or (column.kind == "text" and not prose)) and many_and_small(facts[2], facts[1]):
        return "its name says that rows belong together, few of each"
    return None


def _texts_are(told: Callable[[Sequence[str]], bool], column: Column, rows: RowFingerprints) -> bool:
    """Whether the texts of a column are what a rule says: a few values rule it out, many confirm it."""
    for most in (TIMES_TRIED, TIMES_READ):
        found: set[str] = set()
        for file in range(len(rows.pool.tables)):
            with rows.pool.cells(rows.duck, file, [column]) as relation:
                cells = f"SELECT {_text(0)} AS x FROM {relation} LIMIT {most}"
                texts = rows.duck.rows(f"SELECT DISTINCT x FROM ({cells}) WHERE x IS NOT NULL")
            found |= {str(text) for (text,) in texts}
        if not told(sorted(found)):
            return False
    return True


def _statistical_role(column: Column, facts: Sequence[float]) -> tuple[Role, str]:
    n, present, distinct, whole, characters, words = facts
    share = distinct / max(present, 1)
    role: tuple[Role, str] = "number", "numbers"
    if distinct <= 1 and present in (0, n):
        role = "constant", "one value throughout"
    elif column.kind == "text":
        if words >= PROSE_WORDS and characters >= PROSE_CHARACTERS and share >= PROSE_DISTINCT:
            role = "prose", f"{words:.1f} words and {characters:.0f} characters on average"
        elif share >= UNIQUE and present >= 20:
            role = "identifier", "no value occurs twice"
        else:
            role = "category", f"{distinct:.0f} values"
    elif column.kind == "boolean":
        role = "category", "true or false"
    elif column.kind == "time":
        role = "time", "dates or times"
    elif whole and share >= UNIQUE and present >= 100:
        role = "identifier", "whole numbers, no value occurs twice"
    return role
