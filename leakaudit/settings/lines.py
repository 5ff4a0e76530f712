"""Where in a TOML file a key stands.

`tomllib` gives values without places, and so do the libraries that keep comments (tomlkit, tomlrt); a second parser
with places could disagree with it on what a file says. So the text, once `tomllib` has accepted it, is cut into
statements (one header or one ``key = value`` each), and `tomllib` says what each of them defines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from leakaudit.typed import Place

_TOKEN = re.compile(
    r'''
      """(?:\\.|[^\\])*?"{3,5}   # the closing quotes may follow one or two of the text
    | \'\'\'.*?'{3,5}
    | "(?:\\.|[^"\\\n])*"
    | '[^'\n]*'
    | \#[^\n]*
    | [\[\]{}\n]
    ''',
    flags=re.DOTALL | re.VERBOSE,
)


def lines_of(text: str) -> dict[Place, int]:
    """Line, counted from 1, of every table, key and element that a valid TOML text defines.

    Parameters
    ----------
    text : str
        Accepted by ``tomllib.loads``.

    Returns
    -------
    dict of tuple to int
        Keys and positions in lists to the line where the statement begins; of an element of a list over several lines,
        the line that holds it.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}  # tables of each array of tables so far
    table: Place = ()
    for line, statement in _statements(text.replace("\r\n", "\n")):
        parsed = tomllib.loads(statement)
        if statement.startswith("["):
            table = _opened(parsed, counts, is_array=statement.startswith("[["))
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], line)
            continue
        for at, value in _leaves(parsed):
            for depth in range(1, len(at) + 1):
                found.setdefault((*table, *at[:depth]), line)
            if isinstance(value, list):
                found |= {(*table, *inner): line + down for inner, down in _elements(statement, value, at)}
    return found


def line_of(lines: Mapping[Place, int], at: Place) -> int:
    """The line of the place, or of the nearest place around it; 1 for the file itself."""
    return next((lines[at[:depth]] for depth in range(len(at), 0, -1) if at[:depth] in lines), 1)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(first line, text) of every header and every ``key = value``; comments and blank lines are left out."""
    line, start, depth, first = 1, 0, 0, 1
    for token in _TOKEN.finditer(f"{text}\n"):
        sign = token[0]
        depth += (sign in ("[", "{")) - (sign in ("]", "}"))
        line += sign.count("\n")
        if sign == "\n" and depth == 0:
            statement = text[start : token.start()].strip()
            if statement and not statement.startswith("#"):
                yield first, statement
            start, first = token.end(), line


def _opened(parsed: dict[str, Any], counts: dict[Place, int], *, is_array: bool) -> Place:
    """The table that a header opens: in arrays of tables, the newest one."""
    at: Place = ()
    inner: Any = parsed
    while isinstance(inner, dict) and inner:
        ((key, inner),) = inner.items()
        at = (*at, key)
        if isinstance(inner, list):  # the header's own array
            inner = None
        elif at in counts:
            at = (*at, counts[at] - 1)
    if is_array:
        counts[at] = counts.get(at, 0) + 1
        at = (*at, counts[at] - 1)
    return at


def _leaves(parsed: dict[str, Any]) -> Iterator[tuple[Place, Any]]:
    for key, value in parsed.items():
        if isinstance(value, dict) and value:
            for at, leaf in _leaves(value):
                yield (key, *at), leaf
        else:
            yield (key,), value


def _elements(statement: str, values: list[Any], at: Place) -> Iterator[tuple[Place, int]]:
    """Lines below the first of the statement at which its texts stand, where they are written plainly."""
    rows, row = statement.split("\n"), 0
    for place, value in enumerate(values):
        if not isinstance(value, str):
            continue
        quoted = (f'"{value}"', f"'{value}'")
        holding = next((n for n in range(row, len(rows)) if any(each in rows[n] for each in quoted)), None)
        if holding is not None:
            row = holding
            yield (*at, place), row
