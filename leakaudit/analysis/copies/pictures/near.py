"""Near-duplicate pictures between splits: nominate, verify, gate by information, compare with the set's own null.

The steps are `match.candidates` (every held-out picture against every reference picture by a low-frequency descriptor,
in eight orientations), `match.verify` (alignment, and agreement of the fine detail), `null.reference_nulls` (how well
unrelated pictures of this very set agree, and whether they share a fixed scene), in such a scene `scene.local_change`
(how much of the content changed), and the decision below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.blank import blank
from leakaudit.analysis.copies.pictures.cluster import workers_for
from leakaudit.analysis.copies.pictures.match import Matches, candidates, difference, joined, verify
from leakaudit.analysis.copies.pictures.null import Null, reference_nulls
from leakaudit.analysis.copies.pictures.parameters import NearParams
from leakaudit.analysis.copies.pictures.scene import Look, local_change, look_at, thumbnails_of
from leakaudit.analysis.copies.pictures.turned import priced, turned_matches, undone
from leakaudit.model import Pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class Derived:
    """What the search computes of single pictures, for all n records.

    Parameters
    ----------
    plain : ndarray of float32, shape (n, d)
        As from `leakaudit.analysis.copies.pictures.descriptors.describe`.
    turned : (ndarray, ndarray) of float32
        As from `leakaudit.analysis.copies.pictures.turned.describe_turned`.
    blank : ndarray of bool, shape (n,)
        As from `leakaudit.analysis.copies.pictures.blank.blank`.
    """

    plain: FloatArray
    turned: tuple[FloatArray, FloatArray]
    blank: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class NearPairs:
    """Near-duplicates between two splits.

    Parameters
    ----------
    pairs : Pairs
        All of them, verified and suspected; the score is that of `leakaudit.analysis.copies.pictures.align.Agreement`.
    orientation : ndarray of int16, shape (m,)
        What must be done to a to lay it on b (`leakaudit.analysis.copies.pictures.turned.orientation_words`).
    evidence, common : ndarray of float32, shape (m,)
        As in `Agreement`.
    is_verified : ndarray of bool, shape (m,)
        The others are suspected.
    n_a, n_b : int
        Readable pictures on either side.
    n_blank_a, n_blank_b : int
        Those among them with too little detail to be judged.
    n_crowded : int
        Held-out pictures with so many near-duplicates that only `NearParams.most_candidates` of them were looked at.
    null : Null
    limit : float
        The evidence that was asked for: the larger of `NearParams.suspected` and the null's limit, at most
        `NearParams.alone` where the null is too small. In a fixed scene it is `NearParams.suspected`.
    change : ndarray of float32, shape (m,)
        In a fixed scene, as from `leakaudit.analysis.copies.pictures.scene.local_change`; NaN elsewhere.
    scene : Pairs
        Held-out pictures without a near-duplicate that share a fixed scene with reference pictures, each with the
        one that it agrees with most. No near-duplicates.
    """

    pairs: Pairs
    orientation: npt.NDArray[np.int16]
    evidence: FloatArray
    common: FloatArray
    is_verified: npt.NDArray[np.bool_]
    n_a: int
    n_b: int
    n_blank_a: int
    n_blank_b: int
    n_crowded: int
    null: Null
    limit: float
    change: FloatArray
    scene: Pairs


@dataclass(frozen=True, eq=False, slots=True)
class NearImages:
    """Near-duplicates by (held-out, reference) split, in the order of `Context.pairs_of_splits`."""

    found: dict[tuple[str, str], NearPairs]

    def pairs_of(self, held_out: str, reference: str) -> Pairs:
        """The verified pairs between two splits."""
        near = self.found[held_out, reference]
        keep = near.is_verified
        return Pairs(near.pairs.a[keep], near.pairs.b[keep], near.pairs.score[keep])


def find_near_images(
    context: Context, params: NearParams | None = None, advance: Callable[[int], None] = lambda _done: None
) -> NearImages:
    """Near-duplicates of every pair of splits.

    Parameters
    ----------
    params : NearParams, optional
    advance : callable
        Told how many pictures are done, each twice: nominated, and verified.
    """
    from leakaudit.engines.local import usable_cores
    from leakaudit.engines.workers import workers_kept

    params = params or NearParams()
    jobs = context.config.jobs or usable_cores()
    sizes = [(context.in_split(a).sum(), context.in_split(b).sum()) for a, b in context.pairs_of_splits]
    engine = workers_for(context.config, max((int(n_a) * int(n_b) for n_a, n_b in sizes), default=0))
    records = context.images.records
    look = look_at(context)
    found = {}
    with workers_kept(jobs):
        judged = ~blank(records, params.blank, jobs=jobs, engine=engine)
        nulls: dict[str, tuple[Null, Null]] = {}
        for held_out, reference in context.pairs_of_splits:
            in_a, in_b = context.in_split(held_out), context.in_split(reference)
            if reference not in nulls:
                nulls[reference] = reference_nulls(
                    records, in_b, params, judged=judged, look=look, jobs=jobs, engine=engine
                )
            found[held_out, reference] = match_splits(
                records,
                in_a,
                in_b,
                params,
                judged=judged,
                nulls=nulls[reference],
                look=look,
                jobs=jobs,
                advance=advance,
                engine=engine,
            )
    return NearImages(found)


def match_splits(
    records: np.ndarray,
    in_a: npt.NDArray[np.bool_],
    in_b: npt.NDArray[np.bool_],
    params: NearParams | None = None,
    *,
    judged: npt.NDArray[np.bool_] | None = None,
    nulls: tuple[Null, Null] | None = None,
    derived: Derived | None = None,
    look: Look | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _done: None,
    engine: Engine | None = None,
) -> NearPairs:
    """Near-duplicates of the held-out side a on the reference side b. Complete: every picture is compared with every
    other.

    Parameters
    ----------
    records : ndarray of `leakaudit.fingerprints.cache.record.RECORD`, shape (n,)
    in_a, in_b : ndarray of bool, shape (n,)
        Readable pictures of either side; disjoint.
    params : NearParams, optional
    judged : ndarray of bool, shape (n,), optional
        Pictures that are not `leakaudit.analysis.copies.pictures.blank.blank`, where that is known already.
    nulls : (Null, Null), optional
        As from `reference_nulls`, where they are known already.
    derived : Derived, optional
        Descriptors of all records, where they are known already.
    look : Look, optional
        Larger views of pictures, for fixed scenes; None: the thumbnails, which show only large changes.
    jobs : int, default 1
        Threads; the result does not depend on it.
    engine : Engine, optional
        The workers that search; None: threads of this process.
    """
    params = params or NearParams()
    closer, look = look, look or thumbnails_of(records)
    judged = ~blank(records, params.blank, jobs=jobs, engine=engine) if judged is None else judged
    nulls = nulls or reference_nulls(records, in_b, params, judged=judged, look=look, jobs=jobs, engine=engine)
    limit = _limit(nulls[0], nulls[0].limit(params.z), params)
    a = np.flatnonzero(in_a & judged)
    b = np.flatnonzero(in_b & judged)
    plain = derived.plain if derived else None
    fewer = replace(params, most_candidates=4 * params.scene_candidates) if nulls[0].change is not None else params
    # Where strangers are alike to the last detail (rings of all sizes), being so says nothing.
    closer = closer if nulls[0].share < params.scene_share else None
    matches, n_crowded = _all_matches(records, a, b, limit, fewer, closer, jobs, advance, plain, engine)
    turned = turned_matches(records, a, b, jobs=jobs, described=derived.turned if derived else None, engine=engine)
    turned = turned.where(turned.evidence >= _limit(nulls[1], float(priced(nulls[1].limit(params.z))), params))
    known = np.isin(turned.a * len(records) + turned.b, matches.a * len(records) + matches.b)
    turned = turned.where(~known)
    matches, change, scene = _by_content(records, matches, turned, nulls, params, look)
    pairs = Pairs(matches.a, matches.b, np.clip(matches.score, 0, 1))
    strong = matches.evidence >= params.verified  # and above the null, or the same thumbnail: else it were not here
    n_a, n_b = int(in_a.sum()), int(in_b.sum())
    return NearPairs(
        pairs=pairs,
        orientation=matches.orientation,
        evidence=matches.evidence,
        common=matches.common,
        is_verified=strong & (matches.common >= params.framing) & ~(change > _most_change(nulls)),
        n_a=n_a,
        n_b=n_b,
        n_blank_a=n_a - len(a),
        n_blank_b=n_b - len(b),
        n_crowded=n_crowded,
        null=nulls[0],
        limit=limit,
        change=change,
        scene=scene,
    )


def _most_change(nulls: tuple[Null, Null]) -> float:
    """Change up to which pictures of a fixed scene have the same content; infinite where there is no such scene."""
    return min(null.change if null.change is not None else inf for null in nulls)


def _by_content(
    records: np.ndarray,
    plain: Matches,
    turned: Matches,
    nulls: tuple[Null, Null],
    params: NearParams,
    look: Look,
) -> tuple[Matches, FloatArray, Pairs]:
    """In a fixed scene, only those of the matches that show the same content, too; how much changed; and of pictures
    without any such match, the one of the same scene that is most alike.

    Where the pictures share a scene as they stand, a turned match may be of the scene, too; where they do so only when
    turned (coins, dishes), upright matches stay what they are.
    """
    upright = nulls[0].change is not None
    judged = [upright, upright or nulls[1].change is not None]
    parts = [
        _strongest(one, params.scene_candidates) if by else one for one, by in zip((plain, turned), judged, strict=True)
    ]
    matches = joined(parts)
    in_scene = np.full(len(matches), judged[0])
    in_scene[matches.orientation >= 1000] = judged[1]
    change = np.full(len(matches), np.nan, dtype=np.float32)
    at = np.flatnonzero(in_scene)
    change[at] = local_change(records, matches.a[at], matches.b[at], matches.orientation[at], look)
    most = _most_change(nulls) * params.other_content / params.same_content
    keep = ~(change > most)
    rest = matches.where(~keep & ~np.isin(matches.a, matches.a[keep]))
    best = _strongest(rest, 1)
    return matches.where(keep), change[keep], Pairs(best.a, best.b, np.clip(best.score, 0, 1))


def _strongest(matches: Matches, most: int) -> Matches:
    """At most so many of each picture, those with the strongest evidence."""
    order = np.lexsort((matches.b, -matches.evidence, matches.a))
    _, start, row = np.unique(matches.a[order], return_index=True, return_inverse=True)
    rank = np.arange(len(order)) - start[row] if len(order) else order
    return joined([matches.where(order[rank < most])])


def match_within(
    records: np.ndarray,
    inside: npt.NDArray[np.bool_],
    params: NearParams | None = None,
    *,
    look: Look | None = None,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda _done: None,
    engine: Engine | None = None,
) -> NearPairs:
    """Near-duplicates inside one split; each pair once, with a < b. Parameters as in `match_splits`."""
    both = match_splits(records, inside, inside, params, look=look, jobs=jobs, advance=advance, engine=engine)
    low, high = np.minimum(both.pairs.a, both.pairs.b), np.maximum(both.pairs.a, both.pairs.b)
    order = np.lexsort((-both.evidence, high, low))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    keep = order[first]
    swapped = both.pairs.a[keep] > both.pairs.b[keep]
    return NearPairs(
        pairs=Pairs(low[keep], high[keep], both.pairs.score[keep]),
        orientation=np.where(swapped, undone(both.orientation[keep]), both.orientation[keep]),
        evidence=both.evidence[keep],
        common=both.common[keep],
        is_verified=both.is_verified[keep],
        n_a=both.n_a,
        n_b=both.n_b,
        n_blank_a=both.n_blank_a,
        n_blank_b=both.n_blank_b,
        n_crowded=both.n_crowded,
        null=both.null,
        limit=both.limit,
        change=both.change[keep],
        scene=both.scene,
    )


def _same_detail(records: np.ndarray, matches: Matches, params: NearParams, closer: Look) -> npt.NDArray[np.bool_]:
    """Which are the same pictures to the last detail, looked at more closely: rescaled copies among look-alikes."""
    change = local_change(records, matches.a, matches.b, matches.orientation, closer)
    contrast = np.minimum(records["spread"][matches.a], records["spread"][matches.b])
    return np.asarray(change <= np.minimum(params.same_detail, params.same_detail_share * contrast))


def _limit(null: Null, of_null: float, params: NearParams) -> float:
    """Evidence to ask for."""
    if null.change is not None:  # evidence says that it is the scene, and the change in it says the rest
        return params.suspected
    limit = max(params.suspected, of_null)
    return min(limit, params.alone) if null.n < params.null_least else limit


def _all_matches(
    records: np.ndarray,
    a: IntArray,
    b: IntArray,
    limit: float,
    params: NearParams,
    closer: Look | None,
    jobs: int,
    advance: Callable[[int], None],
    described: FloatArray | None,
    engine: Engine | None,
) -> tuple[Matches, int]:
    """Pairs with enough evidence, for a picture that has any all of them; and how many pictures may have further
    ones."""

    def passing(matches: Matches) -> Matches:
        enough = matches.evidence >= limit
        rest = np.flatnonzero(~enough & (matches.score >= params.same) & (matches.evidence >= params.suspected))
        enough[rest] = difference(records, matches.where(rest)) <= params.same_difference
        if closer is not None:
            rest = np.flatnonzero(~enough & (matches.score >= params.detailed) & (matches.evidence >= params.suspected))
            enough[rest] = _same_detail(records, matches.where(rest), params, closer)
        return matches.where(enough)

    if not len(a) or not len(b):
        return joined([]), 0
    k = min(params.candidates, len(b))
    index, orientation = candidates(records, a, b, k, jobs=jobs, advance=advance, described=described, engine=engine)
    some = passing(
        verify(records, a, index, orientation, finest=params.finest, jobs=jobs, advance=advance, engine=engine)
    )
    keep = np.isin(a, some.a)
    a, index, orientation = a[keep], index[keep], orientation[keep]
    parts = []
    while len(a):
        every = passing(verify(records, a, index, orientation, finest=k, jobs=jobs, engine=engine))
        crowded = np.bincount(np.searchsorted(a, every.a), minlength=len(a)) == k
        if k >= min(params.most_candidates, len(b)):
            parts.append(every)
            return joined(parts), int(crowded.sum()) if k < len(b) else 0
        parts.append(every.where(~np.isin(every.a, a[crowded])))
        a, k = a[crowded], min(4 * k, params.most_candidates, len(b))
        if len(a):
            index, orientation = candidates(records, a, b, k, jobs=jobs, described=described, engine=engine)
    return joined(parts), 0
