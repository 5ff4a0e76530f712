"""Groups that have samples in two splits, beside what a split without regard to groups would have cut.

Pictures are counted from arrays of codes, rows of tables in DuckDB; both give the same `GroupCounts`.
"""

# ruff: noqa: S608  SQL is made of names that are made here

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leakaudit.analysis.belonging.keys import Key
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import IntArray

PAIRS_AT_ONCE = 1 << 14

FEWEST_COUNTED, COUNTED = 5, 0.98
"""Rows of a split from which its numbers may count them, and the share of the numbers up to the last that are there."""


@dataclass(frozen=True, eq=False, slots=True)
class GroupCounts:
    """How many samples of each group two splits hold; arrays of shape (groups,).

    Parameters
    ----------
    values : pyarrow.StringArray
        The keys.
    held_out, reference : ndarray of int64
        Samples of each group in the two splits.
    example_held_out, example_reference : ndarray of int64
        The first sample of each group in the two splits; -1 where there is none.
    """

    values: pa.Array
    held_out: IntArray
    reference: IntArray
    example_held_out: IntArray
    example_reference: IntArray

    @property
    def cut(self) -> npt.NDArray[np.bool_]:
        """Groups with samples in both."""
        return np.asarray((self.held_out > 0) & (self.reference > 0))

    @property
    def n_cut(self) -> int:
        """Number of groups with samples in both."""
        return int(self.cut.sum())

    @property
    def n_samples(self) -> int:
        """Held-out samples whose group is in the reference split, too."""
        return int(self.held_out[self.cut].sum())

    @property
    def largest_share(self) -> float:
        """Share of the samples with a key that the largest group holds."""
        sizes = self.held_out + self.reference
        return float(sizes.max() / sizes.sum()) if len(sizes) and sizes.sum() else 0.0

    def expected(self) -> tuple[float, float]:
        """Groups cut, and held-out samples of cut groups, when single samples are assigned at random.

        Each sample is held out with probability f, the held-out share: a group of s samples is cut with probability
        ``1 − f^s − (1 − f)^s``, and has ``s f (1 − f^(s−1))`` held-out samples with a partner on the other side. A
        split by groups cuts none.
        """
        sizes = (self.held_out + self.reference).astype(np.float64)
        f = self.held_out.sum() / max(sizes.sum(), 1.0)
        cut = 1 - f**sizes - (1 - f) ** sizes
        samples = sizes * f * (1 - f ** (sizes - 1))
        return float(cut.sum()), float(samples.sum())

    @property
    def counted_anew(self) -> bool:
        """Whether the keys count the rows of each split anew: 1, 2, 3, … on either side, each once, none left out.

        Such numbers are places in a file. That both splits have a row 17 says nothing of who is who.
        """
        if max(self.held_out.max(initial=0), self.reference.max(initial=0)) > 1:
            return False
        parts = pc.extract_regex(self.values, r"^(?P<before>[^0-9]*)(?P<number>[0-9]{1,15})(?P<after>[^0-9]*)$")
        around = pc.binary_join_element_wise(*(pc.struct_field(parts, each) for each in ("before", "after")), "0")
        if not len(parts) or parts.null_count or pc.count_distinct(around).as_py() != 1:
            return False
        number = pc.cast(pc.struct_field(parts, "number"), pa.int64()).to_numpy(zero_copy_only=False)
        sides = [number[side > 0] for side in (self.held_out, self.reference)]
        if min(map(len, sides)) < FEWEST_COUNTED or abs(int(sides[0].min()) - int(sides[1].min())) > 1:
            return False
        return all(int(np.ptp(side)) + 1 <= len(side) / COUNTED for side in sides)

    def kept_whole(self, least: int) -> bool:
        """Whether the split keeps every group together where chance would have cut at least so many.

        False where the keys of the two sides differ in more than their numbers: ``train_7`` and ``val_3`` are kept
        together by their spelling.
        """
        if self.n_cut or self.expected()[0] < least:
            return False
        words = pc.replace_substring_regex(self.values, "[0-9]+", "#")
        sides = [set(words.filter(pa.array(side > 0)).to_pylist()) for side in (self.held_out, self.reference)]
        return bool(sides[0] & sides[1])


def count_groups(key: Key, held_out: npt.NDArray[np.bool_], reference: npt.NDArray[np.bool_]) -> GroupCounts:
    """Count the samples of each group in two splits; groups in neither are left out.

    Parameters
    ----------
    key : Key
    held_out, reference : ndarray of bool, shape (n,)
    """
    n = len(key.values)
    columns = []
    for inside in (held_out, reference):
        members = np.flatnonzero(inside & (key.codes >= 0))
        codes = key.codes[members]
        example = np.full(n, -1, dtype=np.int64)
        example[codes[::-1]] = members[::-1]
        columns += [np.bincount(codes, minlength=n).astype(np.int64), example]
    there = (columns[0] + columns[2]) > 0
    values = key.values.filter(pa.array(there))
    a, example_a, b, example_b = (column[there] for column in columns)
    return GroupCounts(values, a, b, example_a, example_b)


def partners(codes: IntArray, held_out: npt.NDArray[np.bool_], reference: npt.NDArray[np.bool_]) -> Iterator[Pairs]:
    """Every held-out sample whose group is in the reference split, with the first sample of the group there.

    All pairs within groups would be as many as the product of their sizes.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        Group of each sample; negative for none.
    held_out, reference : ndarray of bool, shape (n,)
    """
    first = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    there = np.flatnonzero(reference & (codes >= 0))
    first[codes[there[::-1]]] = there[::-1]
    members = np.flatnonzero(held_out & (codes >= 0))
    members = members[first[codes[members]] >= 0]
    for at in range(0, len(members), PAIRS_AT_ONCE):
        some = members[at : at + PAIRS_AT_ONCE]
        yield Pairs(some, first[codes[some]], np.ones(len(some), dtype=np.float32))


def count_row_groups(rows: RowFingerprints, column: str) -> dict[tuple[str, str], GroupCounts]:
    """Count the rows of each group in every pair of splits, held-out first.

    Parameters
    ----------
    rows : RowFingerprints
    column : str
        A column that every file has; its canonical values are the keys, missing values are none.
    """
    from leakaudit.fingerprints.rows.cells import canonical_text, pool_columns
    from leakaudit.model import split_pairs

    pool = rows.pool
    (held,) = pool_columns(rows.duck, list(pool.tables), [column])
    with pool.all_cells(rows.duck, [held]) as cells:
        parts = [
            f"SELECT {start} + row AS idx, {pool.split[file]} AS split, {canonical_text(held, file, 'n0')} AS key "
            f"FROM {relation}"
            for file, (relation, start) in enumerate(zip(cells, pool.starts[:-1], strict=True))
        ]
        found = rows.duck.connection.sql(
            f"""SELECT key, split, count(*) AS n, min(idx) AS example FROM ({" UNION ALL ".join(parts)})
                WHERE key IS NOT NULL AND split IS NOT NULL GROUP BY key, split ORDER BY key, split"""
        ).to_arrow_table()
    text = found["key"].combine_chunks()
    if held.kind == "number":
        text = pc.replace_substring_regex(text, r"\.0+$", "")
    key = text.dictionary_encode()
    code = key.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    split, n, example = (found[name].to_numpy() for name in ("split", "n", "example"))
    counts, examples = [], []
    for at in range(len(rows.splits)):
        inside = split == at
        counts.append(np.zeros(len(key.dictionary), dtype=np.int64))
        examples.append(np.full(len(key.dictionary), -1, dtype=np.int64))
        counts[at][code[inside]], examples[at][code[inside]] = n[inside], example[inside]
    result = {}
    for held_out, reference in split_pairs(rows.splits):
        a, b = rows.splits.index(held_out), rows.splits.index(reference)
        there = counts[a] + counts[b] > 0
        arrays = (each[there] for each in (counts[a], counts[b], examples[a], examples[b]))
        result[held_out, reference] = GroupCounts(key.dictionary.filter(pa.array(there)), *arrays)
    return result
