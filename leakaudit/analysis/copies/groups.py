"""Groups of samples that are the same thing, between two splits or inside one.

An `Overlap` lists at most `GROUPS_LISTED` groups, the largest first; its totals are always exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.model import IntArray

GROUPS_LISTED = 10_000
"""More groups than this are summed up in one finding: a person reads ten, a machine needs the totals."""

PAIRS_SHOWN = 12
"""Pairs of a group that are kept as evidence."""

_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Samples that are the same thing.

    Parameters
    ----------
    a : ndarray of int64
        Sample indices on the held-out side; within one split: the extra copies.
    b : ndarray of int64
        Sample indices on the reference side; within one split: the one that is kept.
    n_pairs : int
        All verified pairs between a and b.
    shown : Pairs
        At most `PAIRS_SHOWN` of them.
    """

    a: IntArray
    b: IntArray
    n_pairs: int
    shown: Pairs


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """What two splits share; `held_out == reference` for the inside of one split.

    `n_samples` counts distinct samples on the held-out side (within one split: the extra copies).
    """

    held_out: str
    reference: str
    groups: tuple[Group, ...]
    n_groups: int
    n_samples: int
    n_pairs: int


def equal_codes(digests: np.ndarray, valid: np.ndarray) -> IntArray:
    """Give equal digests equal codes.

    Parameters
    ----------
    digests : ndarray of V16, shape (n,)
        128-bit digests.
    valid : ndarray of bool, shape (n,)
        False for samples without a digest.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, … in the order of the digests' words; -1 where not valid.
    """
    codes = np.full(len(digests), -1, dtype=np.int64)
    words = np.ascontiguousarray(digests[valid]).view(np.uint64).reshape(-1, 2)
    if len(words):
        order = np.lexsort((words[:, 1], words[:, 0]))
        in_order = words[order]
        is_new = np.ones(len(order), dtype=np.int64)
        is_new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
        ranked = np.empty(len(order), dtype=np.int64)
        ranked[order] = np.cumsum(is_new) - 1
        codes[valid] = ranked
    return codes


def equal_overlap(codes: IntArray, in_a: np.ndarray, in_b: np.ndarray, held_out: str, reference: str) -> Overlap:
    """Groups of equal code with members on both sides.

    Parameters
    ----------
    codes : ndarray of int64, shape (n,)
        As from `equal_codes`; negative codes match nothing.
    in_a, in_b : ndarray of bool, shape (n,)
        Held-out and reference samples; disjoint.
    held_out, reference : str
        Names of the two splits.
    """
    a, b = _members(codes, in_a), _members(codes, in_b)
    shared = np.intersect1d(codes[a], codes[b])
    a, b = a[np.isin(codes[a], shared)], b[np.isin(codes[b], shared)]
    a_counts, b_counts = _runs(codes[a]), _runs(codes[b])
    a_parts, b_parts = np.split(a, np.cumsum(a_counts)[:-1]), np.split(b, np.cumsum(b_counts)[:-1])
    largest = np.argsort(-(a_counts + b_counts), kind="stable")[:GROUPS_LISTED]
    groups = tuple(_equal_group(a_parts[i], b_parts[i]) for i in largest)
    return Overlap(held_out, reference, groups, len(shared), len(a), int((a_counts * b_counts).sum()))


def equal_within(codes: IntArray, inside: np.ndarray, split: str) -> Overlap:
    """Groups of equal code inside one split: `b` is the first sample, `a` its extra copies."""
    members = _members(codes, inside)
    counts = _runs(codes[members])
    parts = [part for part in np.split(members, np.cumsum(counts)[:-1]) if len(part) > 1]
    parts.sort(key=len, reverse=True)
    groups = []
    for part in parts[:GROUPS_LISTED]:
        extra = part[1:]
        shown = Pairs(extra, np.repeat(part[:1], len(extra)), _ones(extra)).first(PAIRS_SHOWN)
        groups.append(Group(extra, part[:1], len(part) * (len(part) - 1) // 2, shown))
    n_samples = sum(len(part) - 1 for part in parts)
    return Overlap(split, split, tuple(groups), len(parts), n_samples, sum(len(p) * (len(p) - 1) // 2 for p in parts))


def equal_pairs(codes: IntArray, in_a: np.ndarray, in_b: np.ndarray) -> Iterator[Pairs]:
    """Every pair of equal code between the two sides, in chunks of at most 65,536: a flood of copies fits in memory."""
    a, b = _members(codes, in_a), _members(codes, in_b)
    first, last = np.searchsorted(codes[b], codes[a], "left"), np.searchsorted(codes[b], codes[a], "right")
    for sample, start, stop in zip(a, first, last, strict=True):
        for at in range(start, stop, _CHUNK):
            matches = np.sort(b[at : min(at + _CHUNK, stop)])
            yield Pairs(np.repeat(sample, len(matches)), matches, _ones(matches))


def equal_copies(codes: IntArray, inside: np.ndarray) -> Iterator[Pairs]:
    """The first sample of each code with every other one of it, in chunks of at most 65,536: k - 1 pairs for k copies,
    where all pairs are k(k - 1)/2."""
    members = _members(codes, inside)
    counts = _runs(codes[members])
    kept = np.repeat(members[np.cumsum(counts) - counts], counts)
    extra = np.flatnonzero(members != kept)
    for at in range(0, len(extra), _CHUNK):
        these = extra[at : at + _CHUNK]
        yield Pairs(kept[these], members[these], _ones(these))


def linked_overlap(pairs: Pairs, held_out: str, reference: str) -> Overlap:
    """Connected groups of verified pairs between two splits; every member has a verified partner on the other side."""
    if not len(pairs):
        return Overlap(held_out, reference, (), 0, 0, 0)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a_ids, a_at = np.unique(pairs.a, return_inverse=True)
    b_ids, b_at = np.unique(pairs.b, return_inverse=True)
    size = len(a_ids) + len(b_ids)
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (a_at, len(a_ids) + b_at)), shape=(size, size))
    component = connected_components(links, directed=False)[1][a_at]
    order = np.lexsort((-pairs.score, component))
    counts = _runs(component[order])
    parts = np.split(order, np.cumsum(counts)[:-1])
    parts.sort(key=lambda part: (-len(part), -float(pairs.score[part[0]]), int(pairs.a[part[0]])))
    groups = tuple(
        Group(
            np.unique(pairs.a[part]),
            np.unique(pairs.b[part]),
            len(part),
            Pairs(pairs.a[part], pairs.b[part], pairs.score[part]).first(PAIRS_SHOWN),
        )
        for part in parts[:GROUPS_LISTED]
    )
    return Overlap(held_out, reference, groups, len(parts), len(a_ids), len(pairs))


def linked_within(pairs: Pairs, split: str) -> Overlap:
    """Connected groups of verified pairs inside one split: `b` is the first sample of a group, `a` all others."""
    if not len(pairs):
        return Overlap(split, split, (), 0, 0, 0)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, at = np.unique(np.concatenate((pairs.a, pairs.b)), return_inverse=True)
    one, other = at[: len(pairs)], at[len(pairs) :]
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (one, other)), shape=(len(ids), len(ids)))
    component = connected_components(links, directed=False)[1]
    members = np.split(np.argsort(component, kind="stable"), np.cumsum(np.bincount(component))[:-1])
    of_pairs = np.argsort(component[one], kind="stable")
    parts = np.split(of_pairs, np.cumsum(np.bincount(component[one]))[:-1])
    largest = sorted(range(len(members)), key=lambda i: (-len(members[i]), int(members[i][0])))
    groups = []
    for i in largest[:GROUPS_LISTED]:
        strongest = parts[i][np.argsort(-pairs.score[parts[i]], kind="stable")]
        # as everywhere inside a split, the extra copy stands first
        shown = Pairs(pairs.b[strongest], pairs.a[strongest], pairs.score[strongest]).first(PAIRS_SHOWN)
        groups.append(Group(ids[members[i][1:]], ids[members[i][:1]], len(parts[i]), shown))
    return Overlap(split, split, tuple(groups), len(members), len(ids) - len(members), len(pairs))


def _members(codes: IntArray, inside: np.ndarray) -> IntArray:
    members = np.flatnonzero(inside & (codes >= 0))
    return members[np.argsort(codes[members], kind="stable")]


def _runs(ordered: np.ndarray) -> IntArray:
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return np.diff(np.append(starts, len(ordered)))


def _equal_group(a: IntArray, b: IntArray) -> Group:
    n = min(PAIRS_SHOWN, len(a) * len(b))
    at = np.arange(n)
    return Group(a, b, len(a) * len(b), Pairs(a[at % len(a)], b[(at // len(a)) % len(b)], _ones(at)))


def _ones(like: np.ndarray) -> np.ndarray:
    return np.ones(len(like), dtype=np.float32)
