"""Validation samples that a model knows by heart: found by random labels, without any hash.

A model that fits random labels of its training samples can only do so by knowing the samples. So every training sample
gets a random number of its own as its label, models learn all of them, and are asked for the labels of validation
samples: where nearly all answer with the label of one and the same training sample, more of them than ever do for
samples that are certainly new, the two are one thing for the models. The label names the training sample.

Here the models are extremely randomised trees grown until every leaf has one training sample (Geurts, Ernst and
Wehenkel, Machine Learning 63, 2006), which learn any labels completely, on fixed features. New are the samples of the
fold that a forest did not see; cross-conformal p-values (Vovk, Annals of Mathematics and AI 74, 2015) compare with
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.analysis.shift.homogeneity import benjamini_hochberg
from leakaudit.engines.local import map_chunks, raise_if_stopped
from leakaudit.probe.folds import assign_folds

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.model import IntArray
    from leakaudit.probe.learner import Float64

TREES = 100
"""Of each forest; the share of trees that agree is known to 5 points."""

FOLDS = 5
"""Of the training samples: each forest learns four and is new to the fifth."""

ALPHA, LEAST_VOTES = 0.05, 0.5
"""False discovery rate, and the share of trees that must name one training sample: half of them."""

_CHUNK = 4_096


@dataclass(frozen=True, eq=False, slots=True)
class Recognised:
    """What the forests recognised.

    Parameters
    ----------
    p : ndarray of float64, shape (|V|,)
        P-value of each validation sample: how often as many trees agree on a new sample.
    votes : ndarray of float64, shape (|V|,)
        Share of the trees that agree, in the forest where it is largest.
    twin : ndarray of int64, shape (|V|,)
        The training sample on which they agree, as a position among all N samples.
    learnt : float
        Share of the training samples that the trees know: whose label nearly all of them answer with.
    sure : ndarray of bool, shape (|V|,)
        Recognised: adjusted p-value (Benjamini-Hochberg) at `ALPHA` or less, and `LEAST_VOTES` of the trees.
    """

    p: Float64
    votes: Float64
    twin: IntArray
    learnt: float
    sure: npt.NDArray[np.bool_]


def recognise(
    features: npt.NDArray[np.float32],
    held_out: npt.NDArray[np.bool_],
    groups: IntArray,
    seed: int = 0,
    workers: int = 1,
) -> Recognised:
    """Learn random labels of training samples, and ask for those of validation samples.

    Parameters
    ----------
    features : ndarray of float32, shape (N, f)
        Finite.
    held_out : ndarray of bool, shape (N,)
    groups : ndarray of int64, shape (N,)
        Groups are kept in one fold, so that a new sample has no known copy among those learnt.
    seed : int, default 0
    workers : int, default 1
        Threads that forests are grown in; the result is the same with any number.

    Notes
    -----
    The twin of a leaked sample lies in one of the folds, and the forest that did not learn it does not know the sample.
    So the p-value is taken over all forests but the one that knows it least, and enlarged by as much:
    ``5/4 · (1 + Σ new samples at least as sure) / (1 + Σ new samples)``.
    """
    train, val = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    fold = assign_folds(groups[train], np.zeros(len(train), dtype=np.int64), FOLDS, seed)
    numbers = np.unique(fold)
    beyond, sizes = np.empty((len(numbers), len(val))), np.empty(len(numbers))
    votes, twin = np.zeros(len(val)), np.zeros(len(val), dtype=np.int64)
    known = []
    threads = max(1, workers // len(numbers))

    def ask(folds: Sequence[int]) -> _Answers:
        (held,) = folds
        return _Answers.of(features, train[fold != held], train[fold == held], val, seed + held, threads)

    for at, found in enumerate(map_chunks(ask, [[held] for held in numbers.tolist()], jobs=workers)):
        known.append(found.own)
        beyond[at] = len(found.of_new) - np.searchsorted(np.sort(found.of_new), found.share, side="left")
        sizes[at] = len(found.of_new)
        better = found.share > votes
        votes[better], twin[better] = found.share[better], found.twin[better]
    worst = (beyond / sizes[:, None]).argmax(axis=0)
    counted = beyond.sum(axis=0) - beyond[worst, np.arange(len(val))]
    of = sizes.sum() - sizes[worst]
    p = np.minimum(1.0, FOLDS / (FOLDS - 1) * (1 + counted) / (1 + of))
    sure = (np.array(benjamini_hochberg(p.tolist())) <= ALPHA) & (votes >= LEAST_VOTES)
    return Recognised(p, votes, twin, float(np.mean(known)), sure)


@dataclass(frozen=True, eq=False, slots=True)
class _Answers:
    """What one forest says.

    Parameters
    ----------
    own : float
        Share of the samples it learnt that it knows.
    of_new : ndarray of float64, shape (m,)
        Share of the trees that agree on each sample of the fold it did not see.
    share : ndarray of float64, shape (|V|,)
        The same for validation samples.
    twin : ndarray of int64, shape (|V|,)
        On which training sample.
    """

    own: float
    of_new: Float64
    share: Float64
    twin: IntArray

    @classmethod
    def of(
        cls, features: npt.NDArray[np.float32], learnt: IntArray, new: IntArray, val: IntArray, seed: int, threads: int
    ) -> _Answers:
        """Grow a forest on the samples `learnt` and ask it for the others."""
        forest = _Forest(features[learnt], seed, threads)
        of_new, _ = forest.answers(features[new])
        share, answer = forest.answers(features[val])
        return cls(forest.own(), of_new, share, learnt[answer])


class _Forest:
    """Trees that learnt a random label of every sample; each leaf stands for the first training sample in it."""

    def __init__(self, features: npt.NDArray[np.float32], seed: int, threads: int) -> None:
        from sklearn.tree import ExtraTreeRegressor

        random = np.random.default_rng(seed)
        label = random.permutation(len(features)).astype(np.float64)
        features = np.ascontiguousarray(features, dtype=np.float32)

        # not as a forest of scikit-learn: several at a time upset each other's warning filters, and warn of it
        def grow(state: int) -> Any:  # noqa: ANN401  a tree of scikit-learn
            raise_if_stopped()
            return ExtraTreeRegressor(max_features=1, random_state=state).fit(features, label, check_input=False).tree_

        states = random.integers(2**31, size=TREES).tolist()
        if threads > 1:
            with ThreadPoolExecutor(threads) as pool:
                self._trees = list(pool.map(grow, states))
        else:
            self._trees = [grow(state) for state in states]
        leaves = self._leaves(features)
        self._sample = np.full((TREES, int(leaves.max()) + 1), -1, dtype=np.int64)
        order = np.arange(len(features))[::-1]
        for tree in range(TREES):
            self._sample[tree, leaves[order, tree]] = order
        self._own = float((self._sample[np.arange(TREES), leaves] == np.arange(len(features))[:, None]).mean())

    def _leaves(self, features: npt.NDArray[np.float32]) -> IntArray:
        return np.stack([tree.apply(np.ascontiguousarray(features, dtype=np.float32)) for tree in self._trees], axis=1)

    def own(self) -> float:
        """Share of trees and training samples for which the answer is the sample itself."""
        return self._own

    def answers(self, features: npt.NDArray[np.float32]) -> tuple[Float64, IntArray]:
        """Share of the trees that agree on one training sample, and which."""
        share, which = np.zeros(len(features)), np.zeros(len(features), dtype=np.int64)
        for start in range(0, len(features), _CHUNK):
            raise_if_stopped()
            leaves = self._leaves(features[start : start + _CHUNK])
            named = np.sort(self._sample[np.arange(TREES), leaves], axis=1)
            # the longest run of equal names: position of its end minus that of its start
            column = np.arange(TREES)
            first = np.concatenate([np.ones((len(named), 1), dtype=bool), named[:, 1:] != named[:, :-1]], axis=1)
            length = column - np.maximum.accumulate(np.where(first, column, 0), axis=1) + 1
            end = length.argmax(axis=1)
            row = np.arange(len(named))
            share[start : start + _CHUNK] = length[row, end] / TREES
            which[start : start + _CHUNK] = named[row, end]
        return share, which
