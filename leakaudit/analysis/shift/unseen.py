"""Values of a column that one split has and another lacks, beside what a random assignment would leave unseen."""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.rows.cells import canonical_text, pool_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

LISTED = 50
"""Unseen values that are named, those of most rows first."""


@dataclass(frozen=True, slots=True)
class UnseenValue:
    """A value that only the held-out side has: its rows there, one of them, and how probable that is by chance."""

    value: str
    n: int
    example: int
    chance: float


@dataclass(frozen=True, slots=True)
class Unseen:
    """Result of `unseen_values`.

    Parameters
    ----------
    n_held_out, n_reference : int
        Rows that have a value.
    n_values : int
        Distinct values of both sides.
    n_unseen, n_rows : int
        Values that only the held-out side has, and their rows.
    expected, expected_rows : float
        The same, on average, had the same rows (or groups) been assigned at random.
    p_value : float
        That a random assignment leaves so many values unseen, or one that is as frequent; Bonferroni over the two
        and over all values.
    values : tuple of UnseenValue
        At most `LISTED`.
    """

    n_held_out: int
    n_reference: int
    n_values: int
    n_unseen: int
    n_rows: int
    expected: float
    expected_rows: float
    p_value: float
    values: tuple[UnseenValue, ...]


def count_values(rows: RowFingerprints, column: str, group: str | None) -> dict[int, int]:
    """Count the values of a column in each split, over all rows, into the table ``value_counts``.

    Parameters
    ----------
    rows : RowFingerprints
    column : str
        A column that every file has. Missing values are no value.
    group : str or None
        Column of groups that were assigned as a whole: a value counts once a group.

    Returns
    -------
    dict of int to int
        Rows that have a value (or groups that have some), by the index of the split.
    """
    pool = rows.pool
    names = [column] if group is None else [column, group]
    known = {each.name: each for each in pool.columns}
    unknown = [name for name in names if name not in known]
    known |= {each.name: each for each in pool_columns(rows.duck, pool.tables, unknown)} if unknown else {}
    columns = [known[name] for name in names]
    parts = []
    with pool.all_cells(rows.duck, columns) as cells:
        for file, (relation, start) in enumerate(zip(cells, pool.starts[:-1], strict=True)):
            unit = "" if group is None else f", {canonical_text(columns[1], file, 'n1')}::VARCHAR AS unit"
            parts.append(
                f"SELECT {start} + row AS idx, {pool.split[file]} AS split, "
                f"{canonical_text(columns[0], file, 'n0')} AS value{unit} FROM {relation}"
            )
        known_values = f"({' UNION ALL '.join(parts)}) WHERE value IS NOT NULL AND split IS NOT NULL"
        units = "count(*)" if group is None else "count(DISTINCT unit) + count(*) FILTER (unit IS NULL)"
        rows.duck.connection.execute(
            f"""CREATE OR REPLACE TABLE value_counts AS
                SELECT value, split, count(*) AS n, min(idx) AS example, ({units})::BIGINT AS units
                FROM {known_values} GROUP BY value, split"""
        )
        totals = "SELECT split, sum(units) FROM value_counts GROUP BY split"
        if group is not None:
            totals = f"SELECT split, {units} FROM {known_values} GROUP BY split"
        return {int(str(split)): int(str(n)) for split, n in rows.duck.rows(totals)}


def unseen_values(rows: RowFingerprints, totals: Mapping[int, int], held_out: str, reference: str) -> Unseen | None:
    """What the counts of `count_values` say of a pair of splits; None where one side has no value at all.

    Parameters
    ----------
    rows : RowFingerprints
    totals : mapping of int to int
        As `count_values` gave it.
    held_out, reference : str

    Notes
    -----
    Of N rows (or groups), n held out at random, a value with c of them is held out altogether with the hypergeometric
    probability ``C(N − c, n − c) / C(N, n)``. The number of such values is a sum of trials that depend on each other
    negatively, so that its upper tail is at most about that of a Poisson variable of the same mean (Hoeffding 1956).
    """
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    if not totals.get(a) or not totals.get(b):
        return None
    rows.duck.connection.execute(
        f"""CREATE OR REPLACE TABLE value_pairs AS
            SELECT value, coalesce(sum(units) FILTER (split = {a}), 0)::BIGINT AS ua,
                coalesce(sum(units) FILTER (split = {b}), 0)::BIGINT AS ub,
                coalesce(sum(n) FILTER (split = {a}), 0)::BIGINT AS na,
                coalesce(sum(n) FILTER (split = {b}), 0)::BIGINT AS nb, min(example) FILTER (split = {a}) AS example
            FROM value_counts WHERE split IN ({a}, {b}) GROUP BY value"""
    )
    units, n_values, held, kept, alone, alone_rows = (
        np.asarray(each, dtype=np.float64)
        for each in rows.duck.arrays(
            """SELECT ua + ub AS u, count(*), sum(na), sum(nb), count(*) FILTER (ub = 0),
                   coalesce(sum(na) FILTER (ub = 0), 0)
               FROM value_pairs GROUP BY u ORDER BY u"""
        )
    )
    n, total = totals[a], totals[a] + totals[b]
    chance = held_out_chance(units, n, total)
    n_unseen, expected = int(alone.sum()), float((chance * n_values).sum())
    most = float(units[alone > 0].max(initial=0))
    listed = []
    if n_unseen:
        order = "ORDER BY na DESC, value"
        listed = rows.duck.rows(f"SELECT value, na, example, ua FROM value_pairs WHERE ub = 0 {order} LIMIT {LISTED}")
    return Unseen(
        n_held_out=int(held.sum()),
        n_reference=int(kept.sum()),
        n_values=int(n_values.sum()),
        n_unseen=n_unseen,
        n_rows=int(alone_rows.sum()),
        expected=expected,
        expected_rows=float((chance * (held + kept)).sum()),
        p_value=_p_value(n_unseen, expected, most, int(n_values.sum()), n, total),
        values=_named(listed, n, total),
    )


def held_out_chance(count: npt.NDArray[np.float64], n: int, total: int) -> npt.NDArray[np.float64]:
    """Probability that all `count` of `total` samples are among the `n` that are drawn without return.

    >>> held_out_chance(np.array([1.0, 2.0, 4.0]), 3, 6).round(3).tolist()
    [0.5, 0.2, 0.0]
    """
    from scipy.special import gammaln

    possible = count <= n
    c = np.where(possible, count, 0)
    log = gammaln(n + 1) - gammaln(n - c + 1) - gammaln(total + 1) + gammaln(total - c + 1)
    return np.where(possible, np.exp(log), 0.0)


def _p_value(n_unseen: int, expected: float, most: float, n_values: int, n: int, total: int) -> float:
    if not n_unseen:
        return 1.0
    from scipy.special import pdtrc

    many = float(pdtrc(n_unseen - 1, expected)) if expected > 0 else 0.0
    frequent = float(held_out_chance(np.array([most]), n, total)[0]) * n_values
    return min(1.0, 2 * min(many, frequent))


def _named(listed: Sequence[tuple[object, ...]], n: int, total: int) -> tuple[UnseenValue, ...]:
    chances = held_out_chance(np.array([float(str(row[3])) for row in listed], dtype=np.float64), n, total)
    return tuple(
        UnseenValue(str(value), int(str(rows)), int(str(example)), float(chance))
        for (value, rows, example, _), chance in zip(listed, chances, strict=True)
    )


def examples(found: Unseen, at_most: int) -> IntArray:
    """A row of each of the first values."""
    return np.array([value.example for value in found.values[:at_most]], dtype=np.int64)
