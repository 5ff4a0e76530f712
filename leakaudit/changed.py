"""A scan of what has changed: the given files against all others, which an earlier scan has fingerprinted.

Only checks that compare samples with samples take part: what is the same in two splits, or twice in one, or labelled in
two ways, and what could not be read. Whatever describes a split as a whole (classes, statistics, shortcuts) is left to
a full scan.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Set
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.catalogue import codes_of
from leakaudit.model import Dataset, Samples

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.analysis.context import Context
    from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints

CODES = codes_of("coverage", "copies")
"""Checks that take part."""


def around(context: Context, files: Iterable[str | os.PathLike[str]]) -> tuple[Context, int]:
    """The changed pictures and those that any check will set beside them, as a data set of their own.

    Parameters
    ----------
    context : Context
        Of the whole data set.
    files : iterable of path
        What has changed; files that are no pictures of the data set are passed over.

    Returns
    -------
    Context
        Of these pictures alone.
    n_changed : int
        Pictures of the data set that are among the files.
    """
    from leakaudit.analysis.context import Context
    from leakaudit.analysis.copies.pictures.changed import near_changed
    from leakaudit.analysis.copies.pictures.equal import file_codes, pixel_codes
    from leakaudit.analysis.copies.pictures.near import NearImages
    from leakaudit.analysis.copies.pictures.store import near_images
    from leakaudit.model import Pairs

    wanted = {os.path.realpath(os.fsencode(os.fspath(file))) for file in files}
    changed = _is_among(context.dataset, wanted)
    near = near_changed(context, changed)
    keep = changed.copy()
    for codes in (file_codes(context), pixel_codes(context)):
        keep |= np.isin(codes, codes[changed & (codes >= 0)])
    for found in near.found.values():
        keep[found.pairs.a] = keep[found.pairs.b] = True
    place = np.cumsum(keep) - 1
    dataset = replace(
        context.dataset,
        samples=_some(context.samples, keep),
        problems=tuple(p for p in context.dataset.problems if _real(context.dataset.root, p.uri) in wanted),
    )
    images = _some_images(context.images, keep, dataset)
    smaller = Context(dataset, context.config, images=images, progress=context.progress)
    nothing = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    moved = {
        splits: replace(
            found, pairs=Pairs(place[found.pairs.a], place[found.pairs.b], found.pairs.score), scene=nothing
        )
        for splits, found in near.found.items()
    }
    smaller.give(near_images, NearImages(moved))
    return smaller, int(changed.sum())


def _is_among(dataset: Dataset, wanted: Set[bytes]) -> npt.NDArray[np.bool_]:
    """Which pictures are among the files, shape (n,)."""
    assert dataset.samples is not None
    names = {os.path.basename(path) for path in wanted}
    # Of what lies inside a file, the file has changed.
    paths: list[bytes] = [path.partition(b"\0")[0] for path in dataset.samples.path.to_pylist()]
    # The last part of the name first: resolving 70,000 paths would take longer than everything else.
    among = (os.path.basename(path) in names and os.path.realpath(path) in wanted for path in paths)
    return np.fromiter(among, bool, len(paths))


def _real(root: str, uri: str) -> bytes:
    return os.path.realpath(os.fsencode(os.path.join(root, uri)))


def _some(samples: Samples | None, keep: npt.NDArray[np.bool_]) -> Samples:
    assert samples is not None
    at = np.flatnonzero(keep)
    taken: dict[str, Any] = {field.name: getattr(samples, field.name) for field in fields(samples)}
    taken = {name: column.take(at) if hasattr(column, "take") else column for name, column in taken.items()}
    return Samples(**taken)


def _some_images(images: ImageFingerprints, keep: npt.NDArray[np.bool_], dataset: Dataset) -> ImageFingerprints:
    assert dataset.samples is not None
    kept = set(dataset.samples.uri.to_pylist())
    return replace(
        images,
        records=images.records[keep],
        problems=tuple(problem for problem in images.problems if problem.uri in kept),
        paths=dataset.samples.path,
    )
