"""Near-duplicates of a data set, found once: a second scan of unchanged pictures reads them from the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3

from leakaudit.analysis.context import once
from leakaudit.analysis.copies.pictures.cluster import workers_for
from leakaudit.analysis.copies.pictures.equal import image_codes
from leakaudit.analysis.copies.pictures.near import NearImages, NearPairs, find_near_images, match_within
from leakaudit.analysis.copies.pictures.null import null_of, numbers_of
from leakaudit.analysis.copies.pictures.parameters import NearParams
from leakaudit.analysis.copies.pictures.scene import look_at
from leakaudit.fingerprints.cache.store import data_base_name, remember
from leakaudit.model import Pairs

if TYPE_CHECKING:
    from leakaudit.analysis.context import Context

VERSION = 4
"""Part of the key; raise it whenever the search could find anything else."""

_ARRAYS = ("a", "b", "score", "orientation", "evidence", "common", "is_verified", "change")
_PLACES = ("0.a", "0.b", "0.scene.a", "0.scene.b")
_COUNTS = ("n_a", "n_b", "n_blank_a", "n_blank_b", "n_crowded")


@once
def near_images(context: Context, params: NearParams | None = None) -> NearImages:
    """As `find_near_images`, remembered under the pictures' contents, their splits and the parameters."""
    params = params or NearParams()
    records = context.images.records
    key = blake3(f"near/{VERSION}/{data_base_name()}/{sorted(asdict(params).items())}".encode())
    key.update(f"{context.dataset.splits}/{context.pairs_of_splits}".encode())
    key.update(np.ascontiguousarray(records["content"]).tobytes())
    key.update(np.ascontiguousarray(context.images.ok).tobytes())
    key.update(np.ascontiguousarray(context.samples.split).tobytes())

    def search() -> dict[str, np.ndarray]:
        total = 2 * sum(int(context.in_split(held_out).sum()) for held_out, _ in context.pairs_of_splits)
        with context.progress("Comparing", total, "pictures") as advance:
            return _to_arrays(find_near_images(context, params, advance))

    stored = remember(key.digest(), search, context.config)
    return NearImages(
        {pair: _from_arrays(stored, number) for number, pair in enumerate(context.pairs_of_splits)},
    )


@once
def near_inside(context: Context, split: str) -> NearPairs:
    """Near-duplicates inside one split, remembered as `near_images` are. Of equal pictures the first stands for all."""
    from leakaudit.engines.local import usable_cores

    params = NearParams()
    records, inside = context.images.records, context.in_split(split)
    codes = image_codes(context)
    known = np.flatnonzero(inside & (codes >= 0))
    inside = inside & (codes < 0)
    inside[known[np.unique(codes[known], return_index=True)[1]]] = True
    key = blake3(f"near-inside/{VERSION}/{data_base_name()}/{sorted(asdict(params).items())}".encode())
    key.update(np.ascontiguousarray(records["content"][inside]).tobytes())

    def search() -> dict[str, np.ndarray]:
        jobs = context.config.jobs or usable_cores()
        n = int(inside.sum())
        with context.progress("Comparing", 2 * n, "pictures") as advance:
            engine = workers_for(context.config, n * n)
            found = match_within(
                records, inside, params, look=look_at(context), jobs=jobs, advance=advance, engine=engine
            )
        return _to_arrays(NearImages({(split, split): found}))

    at = np.flatnonzero(inside)

    def by_place() -> dict[str, np.ndarray]:
        # Stored by place among these pictures: the same ones may stand elsewhere in another data set.
        found = search()
        return {name: np.searchsorted(at, each) if name in _PLACES else each for name, each in found.items()}

    stored = remember(key.digest(), by_place, context.config)
    return _from_arrays({name: at[each] if name in _PLACES else each for name, each in stored.items()}, 0)


def _to_arrays(near: NearImages) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for number, found in enumerate(near.found.values()):
        columns: tuple[np.ndarray, ...] = (
            found.pairs.a,
            found.pairs.b,
            found.pairs.score,
            found.orientation,
            found.evidence,
            found.common,
            found.is_verified,
            found.change,
        )
        arrays |= {f"{number}.{name}": column for name, column in zip(_ARRAYS, columns, strict=True)}
        arrays[f"{number}.counts"] = np.array([getattr(found, name) for name in _COUNTS], dtype=np.int64)
        arrays |= {f"{number}.scene.{name}": getattr(found.scene, name) for name in ("a", "b", "score")}
        arrays[f"{number}.null"] = np.array([*numbers_of(found.null), found.limit])
    return arrays


def _from_arrays(stored: Mapping[str, np.ndarray], number: int) -> NearPairs:
    a, b, score, orientation, evidence, common, is_verified, change = (stored[f"{number}.{name}"] for name in _ARRAYS)
    *of_null, limit = stored[f"{number}.null"].tolist()
    return NearPairs(
        pairs=Pairs(a, b, score),
        orientation=orientation,
        evidence=evidence,
        common=common,
        is_verified=is_verified,
        **dict(zip(_COUNTS, stored[f"{number}.counts"].tolist(), strict=True)),
        null=null_of(of_null),
        limit=limit,
        change=change,
        scene=Pairs(*(stored[f"{number}.scene.{name}"] for name in ("a", "b", "score"))),
    )
