"""Folds that keep groups together, keep class shares where they can, and are about equally large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import IntArray


def assign_folds(groups: IntArray, strata: IntArray, n_folds: int, seed: int) -> IntArray:
    """Deal groups out to folds.

    Parameters
    ----------
    groups : ndarray of int64, shape (n,)
        Samples of one group get one fold.
    strata : ndarray of int64, shape (n,)
        Classes (for a quantity: bins of it), from 0.
    n_folds : int
        At least 2.
    seed : int

    Returns
    -------
    ndarray of int64, shape (n,)
        0 to n_folds − 1. Fewer folds are used where there are fewer groups.

    Notes
    -----
    Groups of several samples come first, the largest first, each to the fold that then has the fewest samples. The
    others are shuffled, sorted by stratum and dealt out one after the other, to folds in the order of the room they
    have left: within a stratum the folds differ by one sample where single samples are all there is.
    """
    rng = np.random.default_rng(seed)
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    fold_of_group = np.full(len(sizes), -1, dtype=np.int64)
    filled = np.zeros(n_folds, dtype=np.int64)
    drawn = rng.permutation(len(sizes))
    for large in drawn[np.argsort(-sizes[drawn], kind="stable")].tolist():
        if sizes[large] == 1:
            break
        fold = int(filled.argmin())
        fold_of_group[large] = fold
        filled[fold] += sizes[large]
    alone = drawn[sizes[drawn] == 1]
    if len(alone):
        stratum = np.zeros(len(sizes), dtype=np.int64)
        stratum[group] = strata
        alone = alone[np.argsort(stratum[alone], kind="stable")]
        fold_of_group[alone] = _dealt(len(alone), filled)
    return fold_of_group[group]


def _dealt(n: int, filled: IntArray) -> IntArray:
    """Folds for n single samples in a row, spread evenly along the row, so that all folds end equally full."""
    level = filled.copy()
    left = n
    for count in np.unique(filled)[1:]:  # fill the emptier folds up as far as the samples go
        room = np.maximum(count - level, 0)
        if room.sum() > left:
            break
        left -= int(room.sum())
        level += room
    lowest = np.flatnonzero(level == level.min())
    each, rest = divmod(left, len(lowest))
    level[lowest] += each
    level[lowest[:rest]] += 1
    wanted = level - filled
    fold = np.repeat(np.arange(len(filled)), wanted)
    position = np.concatenate([(np.arange(count) + 0.5) / count for count in wanted if count])
    return fold[np.argsort(position, kind="stable")].astype(np.int64)


def strata_of(codes: IntArray, values: np.ndarray) -> IntArray:
    """Classes as they are; a quantity in ten bins of equal counts."""
    if (codes >= 0).all():
        return codes
    edges = np.quantile(values, np.arange(1, 10) / 10)
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def rows_to_train_on(fold: IntArray, held: int, most: int, seed: int) -> IntArray:
    """Samples of the other folds, at most `most` of them: as many as full models have, drawn at random.

    A fold model with more rows would do better than a full model for that reason alone.
    """
    rows = np.flatnonzero(fold != held)
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
