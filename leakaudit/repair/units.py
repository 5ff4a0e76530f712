"""Samples that must stay in one split: the connected components of everything that links two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from leakaudit.model import IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Links:
    """Pairs of samples that must stay together, for one reason.

    Parameters
    ----------
    why : str
        For people: "LA103 near-duplicate-images", "group column 'patient'".
    a, b : ndarray of int64, shape (m,)
        Sample indices.
    """

    why: str
    a: IntArray
    b: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Units:
    """Result of `units_of`.

    Parameters
    ----------
    of : ndarray of int64, shape (n,)
        Unit of every sample, 0, 1, … by first appearance.
    n : int
        Units.
    links : mapping of str to int
        Reason to the links it gave.
    """

    of: IntArray
    n: int
    links: Mapping[str, int] = field(default_factory=dict)

    @property
    def sizes(self) -> IntArray:
        """Samples of each unit, shape (n,)."""
        return np.bincount(self.of, minlength=self.n).astype(np.int64)


def units_of(n_samples: int, links: Iterable[Links]) -> Units:
    """Connected components of the samples.

    Parameters
    ----------
    n_samples : int
    links : iterable of Links

    Examples
    --------
    >>> units_of(4, [Links("copies", np.array([0]), np.array([2]))]).of.tolist()
    [0, 1, 0, 2]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = list(links)
    counted: dict[str, int] = {}
    for link in links:
        counted[link.why] = counted.get(link.why, 0) + len(link.a)
    a = np.concatenate([link.a for link in links]) if links else np.zeros(0, np.int64)
    b = np.concatenate([link.b for link in links]) if links else np.zeros(0, np.int64)
    graph = coo_array((np.ones(len(a), np.int8), (a, b)), shape=(n_samples, n_samples))
    n, of = connected_components(graph, directed=False)
    _, first, of = np.unique(of, return_index=True, return_inverse=True)
    rank = np.empty(n, np.int64)
    rank[np.argsort(first)] = np.arange(n)
    return Units(rank[of], int(n), counted)


def same_value(why: str, codes: IntArray) -> Links:
    """Links between samples of equal code; none for negative ones.

    Examples
    --------
    >>> links = same_value("patients", np.array([3, -1, 3, 3]))
    >>> links.a.tolist(), links.b.tolist()
    ([0, 2], [2, 3])
    """
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    same = codes[order][1:] == codes[order][:-1]
    return Links(why, order[:-1][same].astype(np.int64), order[1:][same].astype(np.int64))


def ranks(names: Sequence[str], seed: int) -> IntArray:
    """An order of the samples that hangs on their names and the seed alone, not on the order in which they were read.

    Parameters
    ----------
    names : sequence of str
        Distinct.
    seed : int

    Returns
    -------
    ndarray of int64, shape (n,)
        Each sample's hash: the first 63 bits of BLAKE2b of seed and name.
    """
    salt = seed.to_bytes(8, "little", signed=True)
    return np.fromiter(
        (
            int.from_bytes(
                hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, salt=salt).digest(), "little"
            )
            >> 1
            for name in names
        ),
        np.int64,
        len(names),
    )
