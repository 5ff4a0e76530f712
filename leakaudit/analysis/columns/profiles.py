"""What each column of a table is for, by what it holds: a feature, an identifier, running text, the label, …"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.columns.date_texts import times_among
from leakaudit.analysis.columns.group_names import columns_named_like_groups, may_count, may_name_groups
from leakaudit.analysis.columns.identifiers import many_and_small, name_things
from leakaudit.analysis.columns.running_text import CHARACTERS_LOOKED_AT, LEAST_WORDS, LOOKED_AT, Looks, looks_of
from leakaudit.analysis.context import once
from leakaudit.fingerprints.rows.cells import Column, blocks, pool_columns
from leakaudit.fingerprints.rows.columns import available
from leakaudit.fingerprints.texts.wrapped import unwrapped

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

MOSTLY_DISTINCT = 0.5
"""Share of distinct values among its texts from which on a column of sentences is running text."""

MOST_REPEATS, EVENLY, LEAST_TEXTS = 100.0, 0.2, 30
"""Sentences that repeat more are running text where there are at least so many, each in at most so many rows on
average, and evenly: the inverse Simpson index (the number of equally frequent texts that would meet by chance as often)
is at least so much of their number. Annotators and paraphrases repeat texts evenly; answers of a form do not."""

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
    sentences : bool
        Texts that look like running text, however often they repeat; ``prose`` columns and some categories do.
    rows_a_text : float
        Of texts with several words: rows of a split for each of its distinct texts. What two splits share is no repeat.
    """

    name: str
    kind: Kind
    role: Role
    why: str
    n: int
    n_missing: int
    n_distinct: int
    whole: bool
    sentences: bool = False
    rows_a_text: float = 1.0


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
            looks = _looks(column, facts, rows) if column.kind == "text" and column.name != roles.label else None
            role, why = _role(column, facts, looks, rows, roles)
            n, present, distinct, whole = int(facts[0]), int(facts[1]), int(facts[2]), bool(facts[3])
            profile = ColumnProfile(column.name, column.kind, role, why, n, n - present, distinct, whole)
            if looks is not None:
                profile = replace(profile, sentences=looks.text.running_text, rows_a_text=looks.rows_a_text)
            profiles.append(profile)
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
    """Rows, values, distinct values, whether all are integers, and whether any has three words; a tuple a column."""
    asked = []
    for i, column in enumerate(columns):
        # Scripts without spaces take three bytes a character; which words these are is seen in a sample, see `_looks`.
        wordy = f"bool_or({_text(i)} LIKE '% % %' OR strlen({_text(i)}) >= 2.5 * length({_text(i)}))"
        is_text, is_number = column.kind == "text", column.kind == "number"
        asked += [
            "count(*)",
            f"count(n{i})",
            f"approx_count_distinct(n{i})",
            f"coalesce(bool_and(n{i} = trunc(n{i})), false)" if is_number else "false",
            f"coalesce({wordy}, false)" if is_text else "false",
        ]
    cells = ", ".join(f"n{i}" for i in range(len(columns)))
    with rows.pool.all_cells(rows.duck, columns) as relations:
        parts = [
            f"SELECT {cells} FROM {relation} WHERE ({split}) IS NOT NULL"
            for relation, split in zip(relations, rows.pool.split, strict=True)
        ]
        values = rows.duck.rows(f"SELECT {', '.join(asked)} FROM ({' UNION ALL '.join(parts)})")[0]
    numbers = [float(str(int(value) if isinstance(value, bool) else value)) for value in values]
    return [tuple(numbers[at : at + 5]) for at in range(0, len(numbers), 5)]


def _text(i: int) -> str:
    return f"n{i}::VARCHAR"


@dataclass(frozen=True, slots=True)
class _TextLooks:
    """How the distinct values of a text column look, and how often those of three words or more repeat."""

    text: Looks
    rows: float
    distinct: float
    even: float
    rows_a_text: float

    @property
    def seldom_repeats(self) -> bool:
        """Whether the texts are many, or repeat evenly and seldom."""
        if self.distinct >= MOSTLY_DISTINCT * self.rows:
            return True
        few = self.distinct < LEAST_TEXTS or self.rows > MOST_REPEATS * self.distinct
        return not few and self.even >= EVENLY * self.distinct


def _looks(column: Column, facts: Sequence[float], rows: RowFingerprints) -> _TextLooks | None:
    """What the distinct texts of a column look like; None where none has words."""
    if facts[2] <= 1 or not facts[4]:
        return None
    with rows.pool.all_cells(rows.duck, [column]) as relations:
        parts = [
            f"SELECT {_text(0)} AS x, {split} AS split FROM {relation} WHERE ({split}) IS NOT NULL AND n0 IS NOT NULL"
            for relation, split in zip(relations, rows.pool.split, strict=True)
        ]
        # By hash, so that no text is held; those with the smallest hashes are a random sample of the distinct ones.
        rows.duck.connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE distinct_texts AS
                SELECT h, sum(n) AS n, count(*) AS n_splits, any_value(x) AS x
                FROM (SELECT hash(x) AS h, split, count(*) AS n, any_value(left(x, {CHARACTERS_LOOKED_AT})) AS x
                      FROM ({" UNION ALL ".join(parts)}) GROUP BY h, split)
                GROUP BY h"""
        )
    wordy = "x LIKE '% % %' OR strlen(x) >= 2.5 * length(x)"
    counted = rows.duck.rows(
        f"SELECT sum(n), count(*), sum(n::DOUBLE * n), sum(n_splits) FROM distinct_texts WHERE {wordy}"
    )[0]
    n, distinct, squares, in_splits = (float(str(value or 0)) for value in counted)
    some = rows.duck.rows(f"SELECT x FROM distinct_texts ORDER BY h LIMIT {LOOKED_AT}")
    rows.duck.connection.execute("DROP TABLE distinct_texts")
    values = unwrapped(pa.array([str(value) for (value,) in some], pa.large_string())).to_pylist()
    return _TextLooks(looks_of(values), n, distinct, n * n / max(squares, 1.0), n / max(in_splits, 1.0))


def _role(
    column: Column, facts: Sequence[float], looks: _TextLooks | None, rows: RowFingerprints, roles: Columns
) -> tuple[Role, str]:
    declared = _declared_role(column.name, rows, roles)
    if declared is not None:
        return declared
    if column.kind == "text" and facts[2] > 1 and _texts_are(times_among, column, rows):
        return "time", "texts that are dates or times"
    if (why := _names_things(column, facts, looks, rows)) is not None:
        return "identifier", why
    return _statistical_role(column, facts, looks)


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


def _names_things(
    column: Column, facts: Sequence[float], looks: _TextLooks | None, rows: RowFingerprints
) -> str | None:
    """Why a column is an identifier although its values repeat: each of them names one thing, and no kind of things."""
    names = partial(name_things, column.name, n_distinct=facts[2], n=facts[1])
    if column.kind == "text" and facts[2] > 1 and _texts_are(names, column, rows):
        return "names of files, addresses or numbers of a register"
    prose = looks is not None and looks.text.running_text  # the subject of an e-mail
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


def _statistical_role(column: Column, facts: Sequence[float], looks: _TextLooks | None) -> tuple[Role, str]:
    n, present, distinct, whole, _ = facts
    share = distinct / max(present, 1)
    role: tuple[Role, str] = "number", "numbers"
    if distinct <= 1 and present in (0, n):
        role = "constant", "one value throughout"
    elif column.kind == "text":
        if looks is not None and looks.text.running_text and looks.seldom_repeats:
            role = "prose", looks.text.said
        elif share >= UNIQUE and present >= 20:
            role = "identifier", "no value occurs twice"
        else:
            role = "category", f"{distinct:.0f} values"
        if role[0] != "prose" and looks is not None and looks.text.words >= LEAST_WORDS:
            repeated = "sentences that repeat as categories do"
            role = role[0], f"{role[1]}; {repeated if looks.text.running_text else looks.text.said}"
    elif column.kind == "boolean":
        role = "category", "true or false"
    elif column.kind == "time":
        role = "time", "dates or times"
    elif whole and share >= UNIQUE and present >= 100:
        role = "identifier", "whole numbers, no value occurs twice"
    return role
