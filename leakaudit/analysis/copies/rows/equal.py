"""Rows that are the same in an identity layer: joins in DuckDB over the rows that are not alone, groups in NumPy."""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.conflicts import Labelled
from leakaudit.analysis.copies.groups import GROUPS_LISTED, Group, Overlap, equal_copies
from leakaudit.fingerprints.rows.fingerprint import Layer, RowFingerprints
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.model import IntArray

ROW_PAIRS_SHOWN = 3
"""Pairs of a group that are kept as evidence: equal rows look alike."""

_CHUNK = 1 << 16


def row_overlap(
    rows: RowFingerprints,
    layer: Layer,
    held_out: str,
    reference: str,
    stricter: Layer | None = None,
    without: IntArray | None = None,
) -> Overlap:
    """Groups of rows that occur in both splits; the largest first, then by the first held-out row.

    Parameters
    ----------
    stricter : Layer, optional
        Held-out rows that occur in the reference split in this layer, too, are left out.
    without : ndarray of int64, optional
        Held-out rows that are left out besides.
    """
    a, b = _shared(rows, layer, held_out, reference)
    if stricter is not None or (without is not None and len(without)):
        a = _but_for(rows, a, stricter, without, held_out, reference)
        left = np.unique(a.code)
        b = b.where(np.isin(b.code, left))
        a, b = (Labelled(m.index, np.searchsorted(left, m.code), m.label) for m in (a, b))
    a_counts, b_counts = np.bincount(a.code), np.bincount(b.code)
    a_starts, b_starts = _starts(a_counts), _starts(b_counts)
    n_groups = len(a_counts)
    first = a.index[a_starts[:-1]]
    groups = []
    for code in np.lexsort((first, -(a_counts + b_counts)))[:GROUPS_LISTED].tolist():
        inside_a, inside_b = a.index[a_starts[code] : a_starts[code + 1]], b.index[b_starts[code] : b_starts[code + 1]]
        n_pairs = len(inside_a) * len(inside_b)
        at = np.arange(min(ROW_PAIRS_SHOWN, n_pairs))
        shown = _pairs(inside_a[at % len(inside_a)], inside_b[(at // len(inside_a)) % len(inside_b)])
        groups.append(Group(inside_a, inside_b, n_pairs, shown))
    return Overlap(held_out, reference, tuple(groups), n_groups, len(a.index), int((a_counts * b_counts).sum()))


def row_overlap_within(rows: RowFingerprints, layer: Layer, split: str) -> Overlap:
    """Groups of rows that occur more than once in a split: `b` is the first of them, `a` the extra copies."""
    members = _repeated(rows, layer, split)
    counts = np.bincount(members.code)
    starts = _starts(counts)
    groups = []
    for code in np.lexsort((members.index[starts[:-1]], -counts))[:GROUPS_LISTED].tolist():
        inside = members.index[starts[code] : starts[code + 1]]
        extra = inside[1 : ROW_PAIRS_SHOWN + 1]
        shown = _pairs(extra, np.repeat(inside[:1], len(extra)))
        groups.append(Group(inside[1:], inside[:1], len(inside) * (len(inside) - 1) // 2, shown))
    n_pairs = int((counts * (counts - 1) // 2).sum())
    return Overlap(split, split, tuple(groups), len(counts), int((counts - 1).sum()), n_pairs)


def n_shared(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> int:
    """Held-out rows that occur in the reference split."""
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    return rows.duck.count(
        f"SELECT count(*) FROM twins WHERE split = {a} AND {layer} IN (SELECT {layer} FROM twins WHERE split = {b})"
    )


def group_counts(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> tuple[IntArray, IntArray]:
    """Rows of either split in each group of equal rows; groups of one row are left out."""
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    n_a, n_b = rows.duck.arrays(
        f"""SELECT count(*) FILTER (split = {a}) AS a, count(*) FILTER (split = {b}) AS b FROM twins
            WHERE split IN ({a}, {b}) GROUP BY {layer} HAVING count(*) > 1 ORDER BY a, b"""
    )
    return n_a.astype(np.int64), n_b.astype(np.int64)


def n_equal_pairs(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> int:
    """Pairs of equal rows between two splits, or inside of one."""
    a, b = group_counts(rows, layer, held_out, reference)
    return int((a * b).sum()) if held_out != reference else int((a * (a - 1) // 2).sum())


def shared_rows(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> IntArray:
    """Indices of the held-out rows that occur in the reference split, ascending."""
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    (index,) = rows.duck.arrays(
        f"""SELECT idx FROM twins WHERE split = {a} AND {layer} IN (SELECT {layer} FROM twins WHERE split = {b})
            ORDER BY idx"""
    )
    return index.astype(np.int64)


def row_pairs(
    rows: RowFingerprints,
    layer: Layer,
    held_out: str,
    reference: str,
    stricter: Layer | None = None,
    without: IntArray | None = None,
) -> Iterator[Pairs]:
    """Every pair of equal rows between two splits, sorted by (a, b), at most 65,536 at a time.

    Parameters
    ----------
    stricter, without
        As in `row_overlap`.
    """
    a, b = _shared(rows, layer, held_out, reference)
    a = _but_for(rows, a, stricter, without, held_out, reference)
    order = np.argsort(a.index, kind="stable")
    starts = _starts(np.bincount(b.code))
    code = a.code[order]
    yield from _expand(a.index[order], b.index, starts[code], np.diff(starts)[code])


def row_pairs_within(rows: RowFingerprints, layer: Layer, split: str) -> Iterator[Pairs]:
    """Every pair of equal rows inside a split, a < b, sorted, at most 65,536 at a time."""
    members = _repeated(rows, layer, split)
    stop = _starts(np.bincount(members.code))[members.code + 1]
    after = np.arange(1, len(members.index) + 1)
    order = np.argsort(members.index, kind="stable")
    yield from _expand(members.index[order], members.index, after[order], (stop - after)[order])


def row_copies_within(rows: RowFingerprints, layer: Layer, split: str) -> Iterator[Pairs]:
    """The first row of each group of equal ones with every other of it, at most 65,536 at a time."""
    members = _repeated(rows, layer, split)
    for at in equal_copies(members.code, np.ones(len(members.code), dtype=np.bool_)):
        yield Pairs(members.index[at.a], members.index[at.b], at.score)


def labelled_rows(rows: RowFingerprints, split: str, layer: Layer = "without_label") -> Labelled:
    """Rows of a split that are not alone when the label is left aside, with equal codes for equal features."""
    code = rows.splits.index(split)
    index, group, label = rows.duck.arrays(
        f"""WITH labels AS (SELECT label, row_number() OVER (ORDER BY label) - 1 AS number
                            FROM (SELECT DISTINCT label FROM twins WHERE label IS NOT NULL))
            SELECT idx, dense_rank() OVER (ORDER BY {layer}) - 1 AS code, coalesce(number, -1) AS label
            FROM twins LEFT JOIN labels USING (label) QUALIFY split = {code} ORDER BY idx"""
    )
    return Labelled(index.astype(np.int64), group.astype(np.int64), label.astype(np.int64))


def row_labels(rows: RowFingerprints) -> list[str]:
    """What the label numbers of `labelled_rows` stand for."""
    return [
        str(row[0]) for row in rows.duck.rows("SELECT DISTINCT label FROM twins WHERE label IS NOT NULL ORDER BY label")
    ]


def _shared(rows: RowFingerprints, layer: Layer, held_out: str, reference: str) -> tuple[Labelled, Labelled]:
    """Members of both sides of the keys that they share, with codes 0, 1, … of equal keys; sorted by (code, index)."""
    a, b = rows.splits.index(held_out), rows.splits.index(reference)
    index, split, code = rows.duck.arrays(
        f"""WITH shared AS (SELECT {layer} AS key FROM twins WHERE split = {a}
                            INTERSECT SELECT {layer} FROM twins WHERE split = {b})
            SELECT idx, split, dense_rank() OVER (ORDER BY {layer}) - 1 AS code FROM twins
            WHERE split IN ({a}, {b}) AND {layer} IN (SELECT key FROM shared) ORDER BY code, idx"""
    )
    in_a = split == a
    return _members(index[in_a], code[in_a]), _members(index[~in_a], code[~in_a])


def _but_for(
    rows: RowFingerprints,
    a: Labelled,
    stricter: Layer | None,
    without: IntArray | None,
    held_out: str,
    reference: str,
) -> Labelled:
    """Held-out rows without those that a stricter layer has, and without those that are named."""
    if stricter is not None:
        a = a.where(~np.isin(a.index, shared_rows(rows, stricter, held_out, reference)))
    return a if without is None else a.where(~np.isin(a.index, without))


def _repeated(rows: RowFingerprints, layer: Layer, split: str) -> Labelled:
    """Rows of a split that occur in it more than once, likewise."""
    at = rows.splits.index(split)
    index, code = rows.duck.arrays(
        f"""WITH inside AS (SELECT idx, {layer} AS key FROM twins WHERE split = {at}),
                 repeated AS (SELECT key FROM inside GROUP BY key HAVING count(*) > 1)
            SELECT idx, dense_rank() OVER (ORDER BY key) - 1 AS code FROM inside
            WHERE key IN (SELECT key FROM repeated) ORDER BY code, idx"""
    )
    return _members(index, code)


def _members(index: np.ndarray, code: np.ndarray) -> Labelled:
    return Labelled(index.astype(np.int64), code.astype(np.int64), np.zeros(len(index), dtype=np.int64))


def _starts(counts: np.ndarray) -> IntArray:
    return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)))


def _expand(a: IntArray, b: IntArray, start: IntArray, n: IntArray) -> Iterator[Pairs]:
    """Pair ``a[i]`` with ``b[start[i] : start[i] + n[i]]``, for every i."""
    stops = np.cumsum(n)
    total = int(stops[-1]) if len(stops) else 0
    for at in range(0, total, _CHUNK):
        number = np.arange(at, min(at + _CHUNK, total))
        i = np.searchsorted(stops, number, side="right")
        yield _pairs(a[i], b[start[i] + number - (stops[i] - n[i])])


def _pairs(a: IntArray, b: IntArray) -> Pairs:
    return Pairs(a, b, np.ones(len(a), dtype=np.float32))
