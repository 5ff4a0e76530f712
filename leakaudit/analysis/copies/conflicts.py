"""The same thing with two labels: groups of equal samples whose labels disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.groups import GROUPS_LISTED, PAIRS_SHOWN, Group, Overlap
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """Samples of one split with two codes each; all arrays have the same shape (m,).

    Parameters
    ----------
    index : ndarray of int64
        Sample indices.
    code : ndarray of int64
        Equal for samples that are the same thing, over all splits; never negative.
    label : ndarray of int64
        Equal for equal labels, over all splits; negative where unknown.
    """

    index: IntArray
    code: IntArray
    label: IntArray

    def where(self, mask: np.ndarray) -> Labelled:
        """Those samples for which the mask is true."""
        return Labelled(self.index[mask], self.code[mask], self.label[mask])


def conflicting_overlap(a: Labelled, b: Labelled, held_out: str, reference: str) -> Overlap:
    """Groups of equal samples in two splits that have another label in the one than in the other.

    A sample counts when at least one equal sample on the other side has another label, both known. `Group.n_pairs`
    counts the pairs that disagree. The largest groups come first, then by the first held-out sample.
    """
    partners_a, partners_b = _disagreeing(a, b), _disagreeing(b, a)
    a, n_pairs = a.where(partners_a > 0), partners_a[partners_a > 0]
    b = b.where(partners_b > 0)
    codes, a_code = np.unique(a.code, return_inverse=True)  # the same codes are left in b
    b_code = np.searchsorted(codes, b.code)
    a_order, b_order = np.lexsort((a.index, a_code)), np.lexsort((b.index, b_code))
    a_stops, b_stops = np.cumsum(np.bincount(a_code)), np.cumsum(np.bincount(b_code))
    pairs_of = np.bincount(a_code, weights=n_pairs).astype(np.int64)
    sizes = np.bincount(a_code) + np.bincount(b_code, minlength=len(codes)) if len(codes) else np.zeros(0, np.int64)
    first = a.index[a_order][a_stops - np.bincount(a_code)] if len(codes) else np.zeros(0, np.int64)
    groups = []
    for code in np.lexsort((first, -sizes))[:GROUPS_LISTED].tolist():
        in_a = a.where(a_order[a_stops[code - 1] if code else 0 : a_stops[code]])
        in_b = b.where(b_order[b_stops[code - 1] if code else 0 : b_stops[code]])
        groups.append(Group(in_a.index, in_b.index, int(pairs_of[code]), _shown(in_a, in_b)))
    return Overlap(held_out, reference, tuple(groups), len(codes), len(a.index), int(n_pairs.sum()))


def conflicting_within(members: Labelled, split: str) -> Overlap:
    """Groups of equal samples inside a split with more than one label.

    `Group.a` holds the samples without the most frequent label of the group (of equally frequent ones, the label met
    first counts), `Group.b` the first sample with it.
    """
    members = members.where(members.label >= 0)
    members = members.where(np.lexsort((members.index, members.code)))
    counts = np.unique(members.code, return_counts=True)[1]
    starts = np.cumsum(counts) - counts
    mixed = np.flatnonzero(_mixed(members, starts, counts))
    usual, n_agreeing = _label_counts(members)
    n_pairs = (counts**2 - n_agreeing) // 2
    groups = []
    for at in mixed[np.lexsort((members.index[starts[mixed]], -counts[mixed]))][:GROUPS_LISTED].tolist():
        inside = members.where(np.arange(starts[at], starts[at] + counts[at]))
        labels, first, each = np.unique(inside.label, return_index=True, return_counts=True)
        is_usual = inside.label == labels[np.lexsort((first, -each))[0]]
        others, kept = inside.where(~is_usual), inside.where(is_usual).where(np.arange(1))
        groups.append(Group(others.index, kept.index, int(n_pairs[at]), _shown(others, kept)))
    n_samples = int((counts - usual)[mixed].sum())
    return Overlap(split, split, tuple(groups), len(mixed), n_samples, int(n_pairs[mixed].sum()))


def conflicts_within(members: Labelled) -> Iterator[Pairs]:
    """Inside a split, each sample of another label beside the first sample with the most frequent one of its group.

    As many pairs as samples that disagree, where all that disagree are k² of them; 65,536 at a time, sorted by group.
    """
    members = members.where(members.label >= 0)
    members = members.where(np.lexsort((members.index, members.code)))
    keys, first, of, each = np.unique(
        np.stack((members.code, members.label)), axis=1, return_index=True, return_inverse=True, return_counts=True
    )
    of = of.reshape(-1)
    # The first of each code when sorted by count and then by place is its usual label, as in `conflicting_within`.
    order = np.lexsort((first, -each, keys[0]))
    usual = order[np.concatenate(([True], keys[0][order][1:] != keys[0][order][:-1]))] if len(order) else order
    codes = keys[0][usual]
    at = usual[np.searchsorted(codes, members.code)] if len(codes) else of
    kept, others = members.index[first[at]], np.flatnonzero(of != at)
    for start in range(0, len(others), _CHUNK):
        these = others[start : start + _CHUNK]
        a, b = members.index[these], kept[these]
        yield Pairs(np.minimum(a, b), np.maximum(a, b), np.ones(len(these), dtype=np.float32))


_CHUNK = 1 << 16


def disagreeing(pairs: Iterator[Pairs], label: IntArray) -> Iterator[Pairs]:
    """Those pairs whose labels are known and differ; `label` by sample index, negative where unknown."""
    for chunk in pairs:
        a, b = label[chunk.a], label[chunk.b]
        keep = (a >= 0) & (b >= 0) & (a != b)
        if keep.any():
            yield Pairs(chunk.a[keep], chunk.b[keep], chunk.score[keep])


def label_counts(members: Labelled) -> Callable[[int], dict[int, int]]:
    """A function from a code to the labels of its members, and how often each occurs."""
    ordered = members.where(np.argsort(members.code, kind="stable"))

    def count(code: int) -> dict[int, int]:
        start, stop = np.searchsorted(ordered.code, [code, code + 1])
        labels, counts = np.unique(ordered.label[start:stop], return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    return count


def _disagreeing(a: Labelled, b: Labelled) -> IntArray:
    """For each sample of a, how many equal samples of b have another label."""
    known = b.where(b.label >= 0)
    codes, per_code = np.unique(known.code, return_counts=True)
    both, per_label = np.unique(np.stack((known.code, known.label)), axis=1, return_counts=True)
    n_equal = _count_at(codes, per_code, a.code)
    width = max(int(known.label.max(initial=0)), int(a.label.max(initial=0))) + 1
    n_agreeing = _count_at(both[0] * width + both[1], per_label, a.code * width + a.label)
    return np.asarray(np.where(a.label >= 0, n_equal - n_agreeing, 0), dtype=np.int64)


def _count_at(keys: np.ndarray, counts: np.ndarray, wanted: np.ndarray) -> IntArray:
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray(np.where(keys[at] == wanted, counts[at], 0), dtype=np.int64)


def _mixed(members: Labelled, starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Which groups have more than one label."""
    if not len(starts):
        return np.zeros(0, dtype=bool)
    least, most = np.minimum.reduceat(members.label, starts), np.maximum.reduceat(members.label, starts)
    return np.asarray((least != most) & (counts > 1))


def _label_counts(members: Labelled) -> tuple[IntArray, IntArray]:
    """For each group, in order: the count of its most frequent label, and the sum of squares of its labels' counts."""
    keys, each = np.unique(np.stack((members.code, members.label)), axis=1, return_counts=True)
    if not len(each):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    at = np.flatnonzero(np.concatenate(([True], keys[0][1:] != keys[0][:-1])))
    return np.maximum.reduceat(each, at), np.add.reduceat(each**2, at)


def _shown(a: Labelled, b: Labelled) -> Pairs:
    """A few pairs that disagree: each of a's samples with the first of b's that has another label."""
    shown = []
    for index, label in zip(a.index[:PAIRS_SHOWN].tolist(), a.label[:PAIRS_SHOWN].tolist(), strict=True):
        other = b.index[b.label != label]
        if len(other):
            shown.append((index, int(other[0])))
    pairs = np.array(shown, dtype=np.int64).reshape(-1, 2)
    return Pairs(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), dtype=np.float32))
