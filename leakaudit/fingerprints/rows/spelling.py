"""Categories that one split spells in capitals and another in small letters: ``A`` in train is ``a`` in test.

Case may be the content (genotypes, units, chemical symbols), so it is passed over only in columns of which the largest
split has no value in two spellings, while at least `LEAST_SPELT` values have another spelling elsewhere.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from leakaudit.fingerprints.rows.cells import Column, blocks

if TYPE_CHECKING:
    from leakaudit.engines.duck import Duck
    from leakaudit.fingerprints.rows.pool import Pool

MOST_VALUES, LONGEST = 200, 40
"""Distinct values of a category, and characters of one: of others, case is left to the checks of text."""

LEAST_SPELT = 2
"""Values that are spelt in two ways: one alone may be two values."""

HEAD = 2_000
"""First rows of each file that rule most columns out."""


def folded(duck: Duck, pool: Pool) -> tuple[Column, ...]:
    """The columns of the pool; of those spelt in two ways, the canonical values are to be in small letters."""
    names = _spelt_in_two_ways(duck, pool, _short(duck, pool, [c for c in pool.columns if c.kind == "text"]))
    return tuple(replace(column, folded=column.name in names) for column in pool.columns)


def _short(duck: Duck, pool: Pool, columns: Sequence[Column]) -> list[Column]:
    """Columns that look like categories, and of which some values differ only in case."""
    for head in (True, False):
        kept = []
        for block in blocks(len(columns)):
            some = columns[block]
            asked = ", ".join(
                f"approx_count_distinct(n{i}), approx_count_distinct(lower(n{i})), max(length(n{i}))"
                for i in range(len(some))
            )
            facts = _ask(duck, pool, some, asked, head)
            for at, column in enumerate(some):
                n, n_folded, longest = (int(str(each or 0)) for each in facts[3 * at : 3 * at + 3])
                if n <= MOST_VALUES and longest <= LONGEST and (head or n != n_folded):
                    kept.append(column)
        columns = kept
    return list(columns)


def _ask(duck: Duck, pool: Pool, columns: Sequence[Column], asked: str, head: bool) -> tuple[object, ...]:
    cells = ", ".join(f"n{i}" for i in range(len(columns)))
    with pool.all_cells(duck, columns) as relations:
        limit = f" LIMIT {HEAD}" if head else ""
        parts = [f"(SELECT {cells} FROM {relation}{limit})" for relation in relations]
        return duck.rows(f"SELECT {asked} FROM ({' UNION ALL '.join(parts)})")[0]


def _spelt_in_two_ways(duck: Duck, pool: Pool, columns: Iterable[Column]) -> set[str]:
    found = set()
    for column in columns:
        with ExitStack() as stack:
            parts = []
            for file in range(len(pool.tables)):
                relation = stack.enter_context(pool.cells(duck, file, [column]))
                parts.append(f"SELECT n0 AS value, {pool.split[file]} AS split FROM {relation}")
            rows = duck.rows(
                f"""SELECT lower(value) AS plain, value, split, count(*) FROM ({" UNION ALL ".join(parts)})
                    WHERE value IS NOT NULL AND split IS NOT NULL GROUP BY ALL"""
            )
        if _is_spelling([(str(plain), str(value), int(str(split)), int(str(n))) for plain, value, split, n in rows]):
            found.add(column.name)
    return found


def _is_spelling(rows: Sequence[tuple[str, str, int, int]]) -> bool:
    """Whether case tells no values apart, from (value in small letters, value, split, rows)."""
    sizes: Counter[int] = Counter()
    spellings: dict[str, set[str]] = {}
    for plain, value, split, n in rows:
        sizes[split] += n
        spellings.setdefault(plain, set()).add(value)
    if not sizes:
        return False
    largest = max(sizes, key=lambda split: sizes[split])
    inside = [plain for plain, _, split, _ in rows if split == largest]
    n_spelt = sum(len(spellings[plain]) > 1 for plain in set(inside))
    return len(set(inside)) == len(inside) and n_spelt >= LEAST_SPELT
