"""Rows of a table as statistics look at them: a sample, its columns one after another, its classes and its groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.columns.group_columns import group_columns
from leakaudit.analysis.columns.labels import not_classes
from leakaudit.analysis.columns.profiles import SAMPLED, UNIQUE, columns_of, rows_sampled
from leakaudit.analysis.columns.shared_texts import text_units
from leakaudit.fingerprints.rows.cells import BLOCK
from leakaudit.fingerprints.rows.columns import read_columns, read_labels
from leakaudit.fingerprints.rows.table_column import TableColumn

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.columns.profiles import ColumnProfile, Role
    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

    Float64 = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

LEAST_SAMPLED = 2_000
"""Rows of each split that are looked at however many columns there are: they know a difference of means to ± 0.06
standard deviations."""

LEAST_NUMBERED = 20
"""Rows of a split from which whole numbers that never repeat count the rows."""


@dataclass(frozen=True, eq=False, slots=True)
class TableSample:
    """Some rows of each split, or all of them.

    Parameters
    ----------
    indices : ndarray of int64, shape (n,)
        Ascending sample indices.
    splits : ndarray of int64, shape (n,)
        Index into ``context.dataset.splits``.
    sampled : tuple of str
        What to say where not all rows are among them.
    """

    indices: IntArray
    splits: IntArray
    sampled: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.indices)

    def inside(self, context: Context, split: str) -> Bools:
        """Rows of a split, shape (n,)."""
        return np.asarray(self.splits == context.dataset.splits.index(split))


@dataclass(frozen=True, eq=False, slots=True)
class Feature:
    """One column of the sample, and what it is for."""

    name: str
    role: Role
    column: TableColumn

    @property
    def missing(self) -> Bools:
        """Which values are not there, shape (n,)."""
        return self.column.missing


@dataclass(frozen=True, eq=False, slots=True)
class Target:
    """What a model is to tell.

    Parameters
    ----------
    name : str
    codes : ndarray of int64, shape (n,), or None
        Class of each row, an index into `classes`; -1 where unknown. None where the label is a quantity.
    classes : tuple of str
    values : ndarray of float64, shape (n,), or None
        The quantity; NaN where unknown.
    """

    name: str
    codes: IntArray | None
    classes: tuple[str, ...]
    values: Float64 | None


def draw_sample(context: Context, *, cells: int = 5_000_000, at_most: int = SAMPLED) -> TableSample:
    """All rows of small splits, a fixed random sample of large ones.

    Parameters
    ----------
    cells : int, default 5,000,000
        Cells of a split to look at; with many columns, fewer rows (at least `LEAST_SAMPLED`): it bounds the time.
    at_most : int, default 100,000
        Rows of each split.
    """
    limit = max(min(cells // max(len(columns_of(context)), 1), at_most), min(LEAST_SAMPLED, at_most))
    indices, splits = rows_sampled(context, limit)
    said = [
        f"{limit:,} of the {info.n:,} rows of {name} were looked at"
        for name, info in context.splits.items()
        if info.n > limit
    ]
    return TableSample(indices, splits, tuple(said))


def features(context: Context, sample: TableSample, roles: Sequence[Role]) -> Iterator[Feature]:
    """The columns of these roles in the order of the table, read a few at a time.

    Whole numbers that count the rows of every split anew (a saved data-frame index) are identifiers.
    """
    wanted = [
        p for p in columns_of(context) if p.role in roles or ("identifier" in roles and _may_number_rows(context, p))
    ]
    for start in range(0, len(wanted), BLOCK):
        block = wanted[start : start + BLOCK]
        columns = read_columns(context.rows, [profile.name for profile in block], sample.indices)
        for profile, column in zip(block, columns, strict=True):
            role: Role = "identifier" if _numbers_rows(context, sample, profile, column) else profile.role
            if role in roles:
                yield Feature(profile.name, role, column)


def target(context: Context, sample: TableSample) -> Target | str:
    """The label of the sampled rows, or why there is none that could be told."""
    counts = {name: info.labels for name, info in context.splits.items()}
    column = read_labels(context.rows, sample.indices)
    if column is None or column.codes is None or column.levels is None or not any(counts.values()):
        return "no labels are known: name their column with --label"
    words = column.levels.to_pylist()
    if (reason := not_classes(counts)) is None:
        return Target(column.name, column.codes, tuple(words), None)
    numbers = [_number(word) for word in words]
    if any(number is None for number in numbers):
        return reason
    values = np.array([*numbers, np.nan], dtype=np.float64)[column.codes]  # -1, the last, is no label
    return Target(column.name, None, (), values)


def class_strata(context: Context, sample: TableSample) -> IntArray | None:
    """Class of each sampled row, -1 where unknown; None where labels are unknown or no classes."""
    found = target(context, sample)
    return None if isinstance(found, str) else found.codes


def groups_of(context: Context, sample: TableSample, least: int = 10) -> tuple[str, IntArray] | None:
    """The column of groups and the group of each sampled row (negative: none), or None.

    The declared column; else one that is named like groups, or holds texts that many rows share, and that the splits
    keep together: no group in two splits, where rows assigned at random would have cut at least `least`. Groups that
    the splits cut say nothing on how the rows were drawn. Where a category holds such groups together, and the splits
    keep it, too (the titles of the articles that passages are from), it is what was drawn.
    """
    declared = [profile.name for profile in columns_of(context) if profile.role == "group"]
    named = [name for name in group_columns(context) if name not in declared]
    for name in dict.fromkeys((*declared, *named, *text_units(context))):
        (column,) = read_columns(context.rows, [name], sample.indices)
        codes = codes_of(column)
        if name in declared:
            return name, codes
        if _kept_whole(codes, sample.splits, least):
            wider = _wider_groups(context, sample, codes, least)
            return min(wider, key=lambda each: int(each[1].max()), default=(name, codes))
    return None


def kept_together(context: Context, sample: TableSample, least: int = 10) -> frozenset[str]:
    """All columns of groups that the splits keep together, as `groups_of` tells: patients, and their visits as well."""
    kept: set[str] = set()
    for name in dict.fromkeys((*group_columns(context), *text_units(context))):
        (column,) = read_columns(context.rows, [name], sample.indices)
        codes = codes_of(column)
        if _kept_whole(codes, sample.splits, least):
            kept |= {name, *(wider for wider, _ in _wider_groups(context, sample, codes, least))}
    return frozenset(kept)


def _wider_groups(context: Context, sample: TableSample, groups: IntArray, least: int) -> list[tuple[str, IntArray]]:
    """Categories that have one value in each group, and that the splits keep together as well."""
    names = [
        each.name
        for each in columns_of(context)
        if each.role == "category" and each.kind == "text" and not each.sentences and each.n_distinct >= least
    ]
    found = []
    for name in names:
        (column,) = read_columns(context.rows, [name], sample.indices)
        codes = codes_of(column)
        known = (groups >= 0) & (codes >= 0)
        n_pairs = np.unique(np.stack([groups[known], codes[known]]), axis=1).shape[1]
        if n_pairs == len(np.unique(groups[known])) and _kept_whole(codes, sample.splits, least):
            found.append((name, codes))
    return found


def codes_of(column: TableColumn) -> IntArray:
    """Equal values as equal numbers from 0, shape (n,); -1 where missing."""
    if column.codes is not None:
        return column.codes
    assert column.numbers is not None
    codes = np.unique(column.numbers, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return np.where(column.missing, -1, codes)


def grouped_folds(units: IntArray, sides: IntArray, n_folds: int) -> IntArray:
    """Parts of the samples, shape (n,), such that samples of one unit share theirs.

    Parameters
    ----------
    units : ndarray of int64, shape (n,)
        Group of each sample, from 0.
    sides : ndarray of int64, shape (n,)
        Units are dealt out class by class (the class of their first sample), so that each part gets its share.
    """
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    drawn = np.random.default_rng(0).permutation(len(first))
    order = drawn[np.argsort(sides[first][drawn], kind="stable")]
    fold = np.empty(len(first), dtype=np.int64)
    fold[order] = np.arange(len(first)) % n_folds
    return fold[unit.reshape(-1)]


def equal_units(columns: Sequence[np.ndarray], groups: IntArray | None) -> IntArray:
    """Rows that must not be parted by cross-validation share a number: equal in all columns, or of one group.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n,)
        Numbers or codes; not-a-number equals itself.
    groups : ndarray of int64, shape (n,), or None
        Negative: none.
    """
    same = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = np.unique(column, return_inverse=True)[1].reshape(-1)
        same = np.unique(same * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].reshape(-1)
    if groups is None or not (groups >= 0).any():
        return same.astype(np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    known = groups >= 0
    n_same, n_groups = int(same.max()) + 1, int(groups.max()) + 1
    edges = (np.ones(int(known.sum()), dtype=np.int8), (same[known], n_same + groups[known]))
    parts = connected_components(coo_array(edges, shape=(n_same + n_groups,) * 2), directed=False)[1]
    return np.asarray(parts[same], dtype=np.int64)


def _may_number_rows(context: Context, profile: ColumnProfile) -> bool:
    largest = max(info.n for info in context.splits.values())
    return profile.role == "number" and profile.whole and profile.n_distinct >= 0.9 * UNIQUE * largest


def _numbers_rows(context: Context, sample: TableSample, profile: ColumnProfile, column: TableColumn) -> bool:
    """Whole numbers that do not repeat within any split, and hardly leave any out."""
    if not _may_number_rows(context, profile) or column.numbers is None:
        return False
    for code, info in enumerate(context.splits.values()):
        numbers = column.numbers[sample.splits == code]
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) < LEAST_NUMBERED or len(np.unique(numbers)) < UNIQUE * len(numbers):
            return False
        if float(numbers.max() / 2 - numbers.min() / 2) > info.n:
            return False
    return True


def _kept_whole(codes: IntArray, splits: IntArray, least: int) -> bool:
    known = codes >= 0
    if not known.any():
        return False
    n_groups, n_splits = int(codes.max()) + 1, int(splits.max()) + 1
    table = np.bincount(codes[known] * n_splits + splits[known], minlength=n_groups * n_splits)
    table = table.reshape(n_groups, n_splits)
    if ((table > 0).sum(axis=1) > 1).any():
        return False
    sizes = table.sum(axis=1, keepdims=True).astype(np.float64)
    shares = table.sum(axis=0) / max(table.sum(), 1)
    cut = 1 - (shares[None, :] ** sizes).sum(axis=1)  # 1 − P(all rows of the group in one split)
    return float(cut[sizes[:, 0] > 0].sum()) >= least


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
