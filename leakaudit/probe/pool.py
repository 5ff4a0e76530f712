"""Which samples the probe looks at: all labelled ones of two splits, or a part that keeps every copy it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.probe.duplicates import components

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray
    from leakaudit.probe.budget import Plan
    from leakaudit.probe.duplicates import Relations


@dataclass(frozen=True, eq=False, slots=True)
class Pool:
    """T and V together; arrays of shape (N,).

    Parameters
    ----------
    indices : ndarray of int64
        Sample indices of the data set, ascending.
    held_out : ndarray of bool
        Samples of V.
    leaked : ndarray of bool
        Samples of V that are known to be in the reference split.
    groups : ndarray of int64
        Copies of each other, and members of a declared group, have one number.
    """

    indices: IntArray
    held_out: npt.NDArray[np.bool_]
    leaked: npt.NDArray[np.bool_]
    groups: IntArray

    def __len__(self) -> int:
        return len(self.indices)


def draw_pool(train: IntArray, val: IntArray, relations: Relations, plan: Plan, seed: int = 0) -> Pool:
    """Take as many samples of each side as the plan says.

    Of validation samples are drawn at random. With each of them come its copies in training (one of them, where there
    are many), so that what is leaked stays leaked; the rest of the training samples is drawn at random.

    Parameters
    ----------
    train, val : ndarray of int64
        Labelled samples of the two splits, as indices of the data set.
    """
    rng = np.random.default_rng(seed)
    chosen_val = val if len(val) <= plan.n_val else rng.choice(val, plan.n_val, replace=False)
    chosen_train = train
    if len(train) > plan.n_train:
        shuffled = rng.permutation(train)
        partners = shuffled[np.isin(relations.copies[shuffled], relations.copies[chosen_val])]
        _, first = np.unique(relations.copies[partners], return_index=True)
        needed = partners[first][: plan.n_train]
        others = shuffled[~np.isin(shuffled, needed)]
        chosen_train = np.concatenate([needed, others[: plan.n_train - len(needed)]])
    indices = np.sort(np.concatenate([chosen_train, chosen_val])).astype(np.int64)
    held_out = np.isin(indices, chosen_val)
    keys = [relations.copies[indices]]
    if relations.declared is not None:
        keys.append(relations.declared[indices])
    groups = components(len(indices), keys)
    leaked = relations.leaked[indices] & held_out & np.isin(groups, groups[~held_out])
    return Pool(indices, held_out, leaked, groups)
