"""Near-duplicates of a few changed pictures among all others, for a check that must answer while somebody waits.

It decides as `leakaudit.analysis.copies.pictures.near` does, with three things taken from earlier scans of the same
data set: the descriptors of unchanged pictures, which of them are blank, and how alike unrelated pictures of each split
are. The last is measured again once a fiftieth of the split has changed.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.blank import blank
from leakaudit.analysis.copies.pictures.near import Derived, NearImages, NearPairs, match_splits
from leakaudit.analysis.copies.pictures.null import Null, null_of, numbers_of, reference_nulls
from leakaudit.analysis.copies.pictures.parameters import NearParams
from leakaudit.analysis.copies.pictures.scene import look_at
from leakaudit.analysis.copies.pictures.turned import describe_turned, undone
from leakaudit.fingerprints.cache.store import data_base_name, keep, recall, remember_rows
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.pictures.scene import Look
    from leakaudit.model import IntArray

CHANGED = 0.02
"""Share of a split's contents that may be new, or gone, before its null is measured again: the median and the spread of
1,000 pictures are known to 4 %, so one in fifty moves them by less than that."""

VERSION = 3
"""Part of the keys; raise it whenever descriptors or nulls could come out otherwise."""


def near_changed(context: Context, changed: npt.NDArray[np.bool_], params: NearParams | None = None) -> NearImages:
    """Near-duplicates between splits of which one side, or both, has changed.

    Parameters
    ----------
    context : Context
        Of the whole data set.
    changed : ndarray of bool, shape (n,)
    params : NearParams, optional
    """
    from leakaudit.engines.local import usable_cores

    params = params or NearParams()
    jobs = context.config.jobs or usable_cores()
    records = context.images.records
    derived = _derived(context, params)
    judged = ~derived.blank
    look = look_at(context)
    found = {}
    for held_out, reference in context.pairs_of_splits:
        in_a, in_b = context.in_split(held_out), context.in_split(reference)
        nulls = _nulls(context, reference, in_b, judged, params, look, jobs)
        match = partial(
            match_splits, records, params=params, judged=judged, nulls=nulls, derived=derived, look=look, jobs=jobs
        )
        forth, back = match(in_a & changed, in_b), match(in_b & changed, in_a & ~changed)
        found[held_out, reference] = _both(forth, back, n_a=int(in_a.sum()), n_b=int(in_b.sum()))
    return NearImages(found)


def _key(context: Context, params: NearParams, what: str) -> bytes:
    settings = sorted(asdict(params).items())
    names = f"{context.dataset.root}/{context.dataset.splits}/{data_base_name()}/{settings}"
    return f"near/{VERSION}/{what}/{names}".encode("utf-8", "surrogatepass")


def _ids(records: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(records["content"]).view("S16").reshape(-1)


def _derived(context: Context, params: NearParams) -> Derived:
    from leakaudit.analysis.copies.pictures.descriptors import describe

    records = context.images.records

    def compute(at: IntArray) -> Mapping[str, np.ndarray]:
        kept, turned = describe_turned(records, at)
        return {
            "plain": describe(records, at),
            "kept": kept,
            "turned": turned,
            "blank": blank(records[at], params.blank),
        }

    rows = remember_rows(_key(context, params, "derived"), _ids(records), compute, context.config)
    return Derived(rows["plain"], (rows["kept"], rows["turned"]), rows["blank"])


def _nulls(
    context: Context,
    split: str,
    inside: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_],
    params: NearParams,
    look: Look,
    jobs: int,
) -> tuple[Null, Null]:
    """As `reference_nulls`, as long as nearly all pictures of the split are those on which it was measured."""
    records = context.images.records
    ids = np.unique(_ids(records[inside]))
    key = _key(context, params, f"null/{split}")
    kept = recall(key, context.config)
    if kept is None or not _mostly_the_same(kept["ids"], ids):
        measured = reference_nulls(records, inside, params, judged=judged, look=look, jobs=jobs)
        values = np.array([numbers_of(null) for null in measured])
        keep(key, {"ids": ids, "nulls": values}, context.config)
        return measured
    first, second = (null_of(numbers) for numbers in kept["nulls"].tolist())
    return first, second


def _mostly_the_same(before: np.ndarray, now: np.ndarray) -> bool:
    shared = len(np.intersect1d(before, now, assume_unique=True))
    return min(shared / max(len(before), 1), shared / max(len(now), 1)) >= 1 - CHANGED


def _both(forth: NearPairs, back: NearPairs, *, n_a: int, n_b: int) -> NearPairs:
    """Changed held-out pictures against all references, and all held-out pictures against changed references."""
    a = np.concatenate([forth.pairs.a, back.pairs.b])
    b = np.concatenate([forth.pairs.b, back.pairs.a])
    order = np.lexsort((b, a))
    return replace(
        forth,
        pairs=Pairs(a[order], b[order], np.concatenate([forth.pairs.score, back.pairs.score])[order]),
        orientation=np.concatenate([forth.orientation, undone(back.orientation)])[order],
        evidence=np.concatenate([forth.evidence, back.evidence])[order],
        common=np.concatenate([forth.common, back.common])[order],
        is_verified=np.concatenate([forth.is_verified, back.is_verified])[order],
        n_a=n_a,
        n_b=n_b,
        n_crowded=forth.n_crowded + back.n_crowded,
        change=np.concatenate([forth.change, back.change])[order],
        scene=_scene(forth, back, a),
    )


def _scene(forth: NearPairs, back: NearPairs, copied: IntArray) -> Pairs:
    """Held-out pictures of a shared scene, each once, without those that have a near-duplicate."""
    a = np.concatenate([forth.scene.a, back.scene.b])
    b = np.concatenate([forth.scene.b, back.scene.a])
    score = np.concatenate([forth.scene.score, back.scene.score])
    _, first = np.unique(a, return_index=True)
    first = first[~np.isin(a[first], copied)]
    return Pairs(a[first], b[first], score[first])
