"""Which rows a step of preprocessing was fitted on: the sets of splits it may have seen, and how a verdict is reached.

A statistic that was fitted on a set of rows is met *exactly* by that set, to the rounding of the file, and only roughly
by any other. So each set that may have been the one is tried, and the verdict follows from those that fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from leakaudit.analysis.columns.profiles import columns_of, rows_sampled
from leakaudit.analysis.context import once
from leakaudit.fingerprints.rows.columns import raw_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Float64: TypeAlias = npt.NDArray[np.float64]

Verdict: TypeAlias = Literal[
    "fitted on both", "fitted on train only", "fitted on each split by itself", "cannot tell", "no sign of it"
]

MOST_HELD_OUT = 3
"""With more held-out splits than this, only each of them with the reference, and all together, are tried."""

BLOCK_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class FitSet:
    """Rows that a step may have been fitted on.

    Parameters
    ----------
    name : str
        "train", "train + val".
    splits : tuple of str
        In order; the reference split first where it is among them.
    codes : tuple of int
        Of the splits; -1 for rows that belong to no split.
    has_reference : bool
    """

    name: str
    splits: tuple[str, ...]
    codes: tuple[int, ...]
    has_reference: bool

    def mask(self, codes: IntArray) -> Bools:
        """Which rows are among them."""
        inside: Bools = np.zeros(len(codes), dtype=np.bool_)
        for code in self.codes:  # few: faster than np.isin
            inside |= codes == code
        return inside


def fit_sets(splits: Sequence[str], unassigned: bool = False) -> tuple[FitSet, ...]:
    """The reference split alone, then with held-out ones, smallest set first; then each held-out split alone.

    Parameters
    ----------
    splits : sequence of str
        As in `Dataset.splits`: the first is the reference.
    unassigned : bool, default False
        Whether there are rows that belong to no split; they may have been seen, too.

    >>> [each.name for each in fit_sets(("train", "val"))]
    ['train', 'train + val', 'val']
    """
    held_out = range(1, len(splits))
    sizes = range(len(splits)) if len(splits) - 1 <= MOST_HELD_OUT else (0, 1, len(splits) - 1)
    chosen = [(0, *others) for size in sizes for others in combinations(held_out, size)]
    sets = [_set(splits, codes) for codes in chosen]
    if unassigned:
        everything = tuple(range(len(splits)))
        sets.append(FitSet("all rows of the file", tuple(splits), (*everything, -1), True))
    return (*sets, *(_set(splits, (code,)) for code in held_out))


def _set(splits: Sequence[str], codes: tuple[int, ...]) -> FitSet:
    names = tuple(splits[code] for code in codes)
    return FitSet(" + ".join(names), names, codes, 0 in codes)


def decide(sets: Sequence[FitSet], fits: Sequence[bool]) -> tuple[Verdict, FitSet | None]:
    """What follows from the sets that a statistic is exact on.

    Returns
    -------
    verdict : Verdict
        ``fitted on both`` only where the reference alone does not fit, and a union of it with held-out splits does
        (which may have both extremes of it in one held-out split, so that this fits, too).
    fit : FitSet or None
        The smallest set that it was fitted on, where that is known.
    """
    fitting = [each for each, fit in zip(sets, fits, strict=True) if fit]
    alone = [each for each in fitting if not each.has_reference]
    reference = [each for each in fitting if each.has_reference and len(each.codes) == 1]
    pooled = [each for each in fitting if each.has_reference and len(each.codes) > 1]
    if reference and alone:
        return "fitted on each split by itself", None
    if reference and pooled:
        return "cannot tell", None
    if reference:
        return "fitted on train only", reference[0]
    if pooled:
        return "fitted on both", pooled[0]
    return ("cannot tell", None) if fitting else ("no sign of it", None)


def columns_to_judge(
    context: Context, names: Sequence[str], nominate: Callable[[Float64, IntArray], bool]
) -> Iterator[tuple[str, Float64, IntArray]]:
    """Columns that a sample of their rows nominates, with all their values.

    Parameters
    ----------
    names : sequence of str
        Columns of numbers.
    nominate : callable
        ``nominate(values, codes) -> bool`` on the sampled rows; must be true of every column that is worth reading.

    Yields
    ------
    name : str
    values : ndarray of float64, shape (n,)
        As in the file; NaN where missing.
    codes : ndarray of int64, shape (n,)
        Split of every row, -1 where it belongs to none.
    """
    rows, codes = context.rows, context.row_splits
    indices, sampled_codes = rows_sampled(context)
    whole = len(indices) == len(codes)
    for block in _blocks(names, len(indices)):
        # Several checks read the same columns; what fits into one block is kept for them.
        keep = len(block) == len(names)
        read = _sampled_numbers(context, tuple(names)) if keep else raw_numbers(rows, block, None if whole else indices)
        for name, sample in zip(block, read, strict=True):
            if nominate(sample, sampled_codes):
                yield name, sample if whole else raw_numbers(rows, [name])[0], codes


@once
def _sampled_numbers(context: Context, names: tuple[str, ...]) -> list[Float64]:
    indices, _ = rows_sampled(context)
    whole = len(indices) == len(context.row_splits)
    return raw_numbers(context.rows, names, None if whole else indices)


def numbers(context: Context) -> list[str]:
    """Names of the columns that are features and numbers."""
    return [profile.name for profile in columns_of(context) if profile.role == "number"]


def _blocks(names: Sequence[str], n_rows: int) -> Iterator[Sequence[str]]:
    size = max(1, BLOCK_BYTES // (8 * max(1, n_rows)))
    for at in range(0, len(names), size):
        yield names[at : at + size]
