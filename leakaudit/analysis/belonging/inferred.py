"""Which of many keys hold groups that two splits share: every key counted, the plausible ones tested for likeness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from leakaudit.analysis.belonging.keys import Key, determines, within_labels
from leakaudit.analysis.belonging.likeness import Likeness, likeness
from leakaudit.analysis.belonging.overlap import GroupCounts, count_groups

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import FloatArray, IntArray

    Bools: TypeAlias = npt.NDArray[np.bool_]
    Place: TypeAlias = Callable[[IntArray], FloatArray]

Tested: TypeAlias = tuple[Key, GroupCounts, Likeness]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Keys that may hold groups, and what tells whether they do.

    Parameters
    ----------
    keys : tuple of Key
    labels : ndarray of int64, shape (n,)
        Class of every sample; -1 where unknown.
    make_place : callable
        Gives what `leakaudit.analysis.belonging.likeness.likeness` places samples by; called when a key first asks.
    """

    keys: tuple[Key, ...]
    labels: IntArray
    make_place: Callable[[], Place]

    @cached_property
    def place(self) -> Place:
        """From sample indices to points."""
        return self.make_place()


@dataclass(frozen=True, eq=False, slots=True)
class Shared:
    """Result of `shared_groups`.

    Parameters
    ----------
    whole : tuple of Key
        Keys whose groups the split keeps together where chance would have cut some; of nested ones the coarsest.
    tested : tuple of (Key, GroupCounts, Likeness)
    real : tuple of (Key, GroupCounts, Likeness)
        Those shown to be groups, the one that matters most first.
    """

    whole: tuple[Key, ...]
    tested: tuple[Tested, ...]
    real: tuple[Tested, ...]


def not_the_label(keys: Sequence[Key], labels: IntArray, label_names: Sequence[str]) -> tuple[Key, ...]:
    """The keys that are not the class, or a coarser one, in other words."""
    if not (labels >= 0).any():
        return tuple(keys)
    classes = Key("label", labels, pa.array(label_names, pa.string()))
    return tuple(key for key in keys if not determines(classes, key))


def shared_groups(
    candidates: Candidates,
    held_out: Bools,
    reference: Bools,
    *,
    confidence: float,
    least_groups: int,
    largest_share: float,
    smallest: float,
) -> Shared:
    """Find the keys whose groups are on both sides and hold samples that are alike.

    Parameters
    ----------
    candidates : Candidates
    held_out, reference : ndarray of bool, shape (n,)
    confidence : float
        Of the lower bound of likeness.
    least_groups : int
        Groups on both sides that a key needs to be tested.
    largest_share : float
        Share of the samples that its largest group may hold.
    smallest : float
        Lower bound of likeness of a real group.
    """
    counted = [(key, count_groups(key, held_out, reference)) for key in candidates.keys]
    whole = _coarsest([key for key, counts in counted if counts.kept_whole(least_groups)])
    tested: list[Tested] = []
    for key, counts in counted:
        if whole and not any(determines(kept, key) for kept in whole):
            continue
        for candidate in [key, within_labels(key, candidates.labels)] if (candidates.labels >= 0).any() else [key]:
            its = counts if candidate is key else count_groups(candidate, held_out, reference)
            if its.n_cut < least_groups or its.largest_share > largest_share:
                continue
            like = likeness(
                candidates.place, candidate.codes, candidates.labels, held_out, reference, confidence=confidence
            )
            tested.append((candidate, its, like))
            if like.low >= smallest:
                break
    real = [each for each in tested if each[2].low >= smallest]
    if real:
        most = max(its.n_samples for _, its, _ in real)
        real.sort(key=lambda each: (each[1].n_samples < most / 2, -each[2].low))
    return Shared(whole, tuple(tested), tuple(real))


def _coarsest(keys: Sequence[Key]) -> tuple[Key, ...]:
    """The keys that are not finer than another one of them: a split by patients keeps sessions whole, too."""
    kept: list[Key] = []
    for key in keys:
        if not any(determines(key, other) for other in kept):
            kept = [other for other in kept if not determines(other, key)] + [key]
    return tuple(kept)
