"""Canonical cells: what a column holds over all files together, and SQL that makes equal values equal.

The canonical encoding, version `ENCODING_VERSION`:

- *number*, where every value of the column in every file is one (missing-value spellings aside): by value. ``5``,
  ``5.0``, ``05`` and ``5e0`` are equal; integers are exact at any length, other numbers are rounded to
  `SIGNIFICANT_DIGITS`.
- *boolean*, where every value is true or false in any case (or 0 or 1 beside them).
- *time*, where some file has native dates or times and the others' texts can be read as such.
- *text* otherwise: Unicode NFKC, runs of white space to one space, ends trimmed. Case is kept: it may be the content.
  Only categories that two splits spell differently are in small letters (`leakaudit.fingerprints.rows.spelling`).

Missing are: null, and text without a character; in columns of the first three kinds also `MISSING`. In a text column
"NA" is a value (Namibia), and an equal spelling is equal anyway.
"""

# ruff: noqa: S608  SQL is made of names that are made here, and of literals quoted by `quote_text`

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from leakaudit.engines.duck import Duck, quote_text
from leakaudit.sources.readers.duck_tables import narrowed

if TYPE_CHECKING:
    from leakaudit.sources.readers.duck_tables import Loaded, Storage

Kind: TypeAlias = Literal["number", "boolean", "time", "text"]

ENCODING_VERSION = 1
"""Part of every digest; raise it whenever equal rows could get other digests."""

SIGNIFICANT_DIGITS = 9
"""To which numbers with a fraction are rounded: what ``%.9g`` writes, enough to tell any two float32 apart
(FLT_DECIMAL_DIG of C11), so that a table written with a usual ``float_format`` is still equal to itself."""

MISSING = ("", "na", "n/a", "#n/a", "nan", "-nan", "<na>", "nat", "null", "none", "?")
"""Spellings of a missing value, in lower case: what pandas writes or reads as such, and the UCI archive's ``?``."""

HEAD_ROWS = 200
"""First rows that are enough to see that most text columns hold no numbers; a disproof takes one value."""

BLOCK = 64

_TIMES = ("date", "time", "time_ns", "time_tz")
_EXACT = 2**53  # integers up to here are exact in a double
_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")
_ODD = "'^ | $|  |[^ -~]'"  # anything but printable ASCII with single spaces inside
_MISSING = "'\x1e'"
_ESCAPED = ((27, "["), (30, "^"), (31, "_"))  # escape, record separator (missing), unit separator (between cells)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the pool of all files.

    Parameters
    ----------
    name : str
    kind : {"number", "boolean", "time", "text"}
    sql : tuple of str
        ``c7``: what it is called in the table of each file.
    storage : tuple of Storage
        How each file holds it.
    numbers : tuple of bool, default empty
        Of text, whether all values that a file has of it are numbers; a file without any counts as such.
    folded : bool, default False
        Of text, whether it is compared in small letters.
    """

    name: str
    kind: Kind
    sql: tuple[str, ...]
    storage: tuple[Storage, ...]
    numbers: tuple[bool, ...] = ()
    folded: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the cells of one column of one file are like; text cells that are `MISSING` are passed over."""

    number: bool
    boolean: bool
    true_false: bool
    time: bool = False


def pool_columns(duck: Duck, tables: Sequence[Loaded], names: Sequence[str]) -> list[Column]:
    """Decide what each column holds, from all values in all files.

    Parameters
    ----------
    names : sequence of str
        Columns that every file has, by the name in `TableFile.columns`.
    """
    place = [{name: i for i, name in enumerate(table.file.columns)} for table in tables]
    at = [[where[name] for name in names] for where in place]
    storage = [[table.storage[i] for i in where] for table, where in zip(tables, at, strict=True)]
    timed = [any(kinds[k] in _TIMES for kinds in storage) for k in range(len(names))]
    truths = [any(kinds[k] in ("boolean", "text") for kinds in storage) for k in range(len(names))]
    seen: list[list[_Seen]] = []
    for table, where, kinds in zip(tables, at, storage, strict=True):
        seen.append([])
        for block in blocks(len(names)):
            cells = [f"c{i}" for i in where[block]]
            with narrowed(duck, table, cells) as relation:
                seen[-1] += _look(duck, relation, cells, kinds[block], timed[block], truths[block])
    columns = []
    for k, name in enumerate(names):
        facts = [file[k] for file in seen]
        if any(fact.true_false for fact in facts) and all(fact.boolean for fact in facts):
            kind: Kind = "boolean"
        elif all(fact.number for fact in facts):
            kind = "number"
        elif timed[k] and all(fact.time for fact in facts):
            kind = "time"
        else:
            kind = "text"
        sql, held = tuple(f"c{where[k]}" for where in at), tuple(kinds[k] for kinds in storage)
        numbers = tuple(fact.number for fact in facts) if kind == "text" else ()
        columns.append(Column(name, kind, sql, held, numbers))
    return columns


def of_two_kinds(duck: Duck, tables: Sequence[Loaded], columns: Iterable[Column]) -> list[str]:
    """Columns whose values are numbers in one file and text in another; those are compared as text."""
    names = []
    for column in columns:
        if all(column.numbers) or not any(column.numbers):
            continue
        for cell, table, is_number in zip(column.sql, tables, column.numbers, strict=True):
            missing = f"regexp_full_match({cell}::VARCHAR, {_pattern(MISSING)})"
            if is_number and duck.count(
                f"SELECT count(*) FROM (SELECT 1 FROM {table.table} WHERE NOT {missing} LIMIT 1)"
            ):
                names.append(column.name)
                break
    return names


def blocks(n_columns: int) -> list[slice]:
    """Runs of columns that one statement handles: planning takes time by the square of their number."""
    return [slice(at, min(at + BLOCK, n_columns)) for at in range(0, n_columns, BLOCK)]


def install(duck: Duck) -> None:
    """Add the one function that SQL lacks."""
    import pyarrow.compute as pc

    nfkc = lambda cells: pc.utf8_normalize(cells, "NFKC")  # noqa: E731  DuckDB evaluates the annotations of a function
    duck.connection.create_function("nfkc", nfkc, ["VARCHAR"], "VARCHAR", type="arrow")  # type: ignore[call-overload]


# --- what a column holds --------------------------------------------------------------------------------------


def _look(
    duck: Duck,
    table: str,
    columns: Sequence[str],
    storage: Sequence[Storage],
    timed: Sequence[bool],
    truths: Sequence[bool],
) -> list[_Seen]:
    """A few rows rule out most questions, all rows answer those that are left; typed columns seldom leave one.

    `timed` and `truths`: whether any file holds native times, or what may be true and false, in the column.
    """
    cells = duck.rows(f"SELECT {', '.join(f'{column}::VARCHAR' for column in columns)} FROM {table} LIMIT {HEAD_ROWS}")
    heads = zip(*cells, strict=True) if cells else ((),) * len(columns)
    asked = [
        _questions(column, held, time, truth, [str(cell) for cell in head if cell is not None])
        for column, held, time, truth, head in zip(columns, storage, timed, truths, heads, strict=True)
    ]
    return [_seen(held, found) for held, found in zip(storage, _answers(duck, table, asked), strict=True)]


def _questions(column: str, held: Storage, timed: bool, truths: bool, head: Sequence[str]) -> dict[str, str]:
    """SQL that is true of every value if the column is of a kind, for the kinds that the head leaves possible."""
    asked = {}
    if held == "text":
        missing = f"regexp_full_match({column}, {_pattern(MISSING)})"
        if all(map(_may_be_number, head)):
            number = f"TRY_CAST({column} AS DOUBLE) IS NOT NULL AND NOT contains({column}, '_')"
            asked["number"] = f"CASE WHEN {number} THEN true ELSE {missing} END"
        if all(cell.strip().lower() in (*_TRUE, *_FALSE, *MISSING) for cell in head):
            asked["boolean"] = f"regexp_full_match({column}, {_pattern((*_TRUE, *_FALSE, *MISSING))})"
            asked["not true or false"] = f"NOT regexp_full_match({column}, {_pattern(('true', 'false'))})"
        if timed:
            asked["time"] = f"CASE WHEN TRY_CAST({column} AS TIMESTAMP) IS NOT NULL THEN true ELSE {missing} END"
    elif held in ("integer", "float", "float32") and truths and all(cell in (*_TRUE, *_FALSE) for cell in head):
        asked["boolean"] = f"{column} IN (0, 1)"
    return asked


def _may_be_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip().lower() in MISSING
    return True


def _answers(duck: Duck, relation: str, asked: Sequence[dict[str, str]]) -> list[dict[str, bool]]:
    """Whether each question is answered with yes by all values that are there."""
    tests = [f"coalesce(bool_and({sql}), true)" for questions in asked for sql in questions.values()]
    if not tests:
        return [{} for _ in asked]
    answers = iter(duck.rows(f"SELECT {', '.join(tests)} FROM {relation}")[0])
    return [{what: bool(next(answers)) for what in questions} for questions in asked]


def _seen(held: Storage, found: dict[str, bool]) -> _Seen:
    if held == "text":
        boolean = found.get("boolean", False)
        true_false = boolean and not found["not true or false"]
        return _Seen(found.get("number", False), boolean, true_false, found.get("time", False))
    if held == "boolean":
        return _Seen(number=True, boolean=True, true_false=True)
    if held in _TIMES:
        return _Seen(number=False, boolean=False, true_false=False, time=True)
    return _Seen(number=True, boolean=found.get("boolean", False), true_false=False)


# --- SQL of one cell ------------------------------------------------------------------------------------------


def canonical_cells(columns: Sequence[Column], file: int, table: str, known: Collection[int] = ()) -> str:
    """A subquery: the table, its ``rowid`` as ``row``, and the canonical values of these columns as ``n0``, ``n1``, …

    Values of equal cells are equal; those of different ones only for integers beyond 2^53 (see `canonical_text`).
    Each step has a name, so that long expressions are not repeated within longer ones. The table has the values of the
    columns whose numbers are `known` already.
    """
    asked = [(i, column) for i, column in enumerate(columns) if i not in known]
    values = [f"{_value(column, file)} AS v{i}" for i, column in asked]
    rounded = [column.kind == "number" and column.storage[file] not in ("integer", "boolean") for _, column in asked]
    names = [
        f"{_rounded(f'v{i}') if has_fraction else f'v{i}'} AS n{i}"
        for (i, _), has_fraction in zip(asked, rounded, strict=True)
    ]
    return f"(SELECT {', '.join(('*', *names))} FROM (SELECT {', '.join(('rowid AS row', '*', *values))} FROM {table}))"


def canonical_text(column: Column, file: int, value: str) -> str:
    """The canonical text of a cell from its canonical value, null where it is missing; equal for equal cells only."""
    text = f"{value}::VARCHAR"
    if column.kind != "number":
        return text
    cell, held = column.sql[file], column.storage[file]
    digits = f"printf('%.0f', {value})"
    if held == "integer":
        digits = f"{cell}::VARCHAR"
    elif held == "text":
        exact = f"regexp_replace(trim({cell}), '^[+]?(-?)0*([0-9]+)([.]0*)?$', '\\1\\2')"
        is_exact = f"regexp_full_match(trim({cell}), '[+-]?[0-9]+([.]0*)?')"
        digits = f"CASE WHEN {is_exact} THEN {exact} WHEN isinf({value}) THEN {text} ELSE {digits} END"
    elif held in ("float", "float32"):
        digits = f"CASE WHEN isinf({value}) THEN {text} ELSE {digits} END"
    return f"CASE WHEN abs({value}) >= {_EXACT} THEN {digits} ELSE {text} END"


def label_text(column: Column, file: int, value: str) -> str:
    """The canonical text of a label, as people read it: ``5`` for 5.0."""
    text = canonical_text(column, file, value)
    if column.kind != "number":
        return text
    is_whole = f"abs({value}) < {_EXACT} AND {value} = trunc({value})"
    return f"CASE WHEN {is_whole} THEN {value}::BIGINT::VARCHAR ELSE {text} END"


def raw(column: Column, file: int) -> str:
    """A cell as it stands in the file, as text; null is not the empty text."""
    return f"{column.sql[file]}::VARCHAR"


def encoded(cells: Sequence[tuple[str, bool]]) -> str:
    """The cells as one text; two lists of cells give the same text only if they are equal.

    Parameters
    ----------
    cells : sequence of (str, bool)
        SQL of a text, and whether it is free text, which may hold control characters.
    """
    escaped = []
    for text, is_free in cells:
        safe = text
        for code, letter in _ESCAPED if is_free else ():
            safe = f"replace({safe}, chr({code}), chr(27) || '{letter}')"
        escaped.append(f"coalesce({safe}, {_MISSING})")
    return f"concat_ws(chr(31), {', '.join((quote_text(f'row/{ENCODING_VERSION}'), *escaped))})"


def _tidy(cell: str) -> str:
    tidy = f"trim(regexp_replace(nfkc({cell}), '[\\s\\p{{Z}}\\x0b\\x85]+', ' ', 'g'))"
    return f"nullif(CASE WHEN regexp_matches({cell}, {_ODD}) THEN {tidy} ELSE {cell} END, '')"


def _boolean(cell: str) -> str:
    true, false = (f"regexp_full_match({cell}, {_pattern(words)})" for words in (_TRUE, _FALSE))
    return f"CASE WHEN {true} THEN true WHEN {false} THEN false END"


def _value(column: Column, file: int) -> str:
    cell, held = column.sql[file], column.storage[file]
    if column.kind == "number":
        # Through text, 0.1 as float32 is 0.1, not 0.100000001.
        casts = {"boolean": "::INTEGER::DOUBLE", "integer": "::DOUBLE", "float": "", "float32": "::VARCHAR::DOUBLE"}
        return f"{cell}{casts[held]}" if held in casts else f"TRY_CAST({cell} AS DOUBLE)"
    if column.kind == "boolean":
        return _boolean(cell) if held == "text" else f"{cell}::BOOLEAN"
    if column.kind == "time":
        return f"TRY_CAST({cell} AS TIMESTAMP)::VARCHAR" if len(set(column.storage)) > 1 else cell
    text = f"{cell}::VARCHAR" if held != "text" else _tidy(cell)
    return f"lower({text})" if column.folded else text


def _rounded(value: str) -> str:
    digits = f"{SIGNIFICANT_DIGITS - 1} - floor(log10(abs({value})))::INTEGER"
    # Halves go to the even digit, as ``%.9g`` writes them. Below 1e-280 the power of ten that rounds would overflow:
    # such values are rounded 200 powers of ten higher.
    return f"""CASE WHEN isnan({value}) THEN NULL WHEN {value} = 0 THEN 0
        WHEN abs({value}) < 1e-280 THEN round_even({value} * 1e200, {digits} - 200) / 1e200
        WHEN {value} <> trunc({value}) THEN round_even({value}, {digits}) ELSE {value} END"""


def _pattern(words: Sequence[str]) -> str:
    """A regular expression for one of these words in any case, with blanks around it."""
    return quote_text(rf"(?i) *(?:{'|'.join(map(re.escape, words))}) *")
