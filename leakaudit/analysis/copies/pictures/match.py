"""Candidates between two sides, verified: who resembles whom, and how strong the evidence is. No threshold is set
here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.copies.pictures.align import BLOCK, coarse_alignment, fine_agreement
from leakaudit.analysis.copies.pictures.cluster import BLOCKS, best_of_part, gpu_rather_than, nearest_on, pictures_of
from leakaudit.analysis.copies.pictures.descriptors import describe, orient
from leakaudit.analysis.copies.pictures.neighbours import in_threads, nearest, orientations, oriented
from leakaudit.engines.arrays import pack, unpack
from leakaudit.engines.base import Kernel

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.engines.base import Engine
    from leakaudit.model import FloatArray, IntArray


EIGHT_TRIES = 2.0 * np.log(8.0)
"""Taken off the squared evidence of turned or mirrored pairs: by the Gaussian tail exp(-z²/2), eight orientations to
choose from make a given z eight times as likely by chance."""


@dataclass(frozen=True, eq=False, slots=True)
class Matches:
    """Verified candidates; all arrays have shape (m,), sorted by (a, b).

    Parameters
    ----------
    a, b : ndarray of int64
        Indices of the records.
    orientation : ndarray of int16
        What must be done to a to lay it on b: an index into
        `leakaudit.analysis.copies.pictures.descriptors.ORIENTATIONS`, or a code of
        `leakaudit.analysis.copies.pictures.turned.orientation_code`.
    score, evidence, common : ndarray of float32
        As in `leakaudit.analysis.copies.pictures.align.Agreement`; the evidence less `EIGHT_TRIES`.
    """

    a: IntArray
    b: IntArray
    orientation: np.ndarray
    score: FloatArray
    evidence: FloatArray
    common: FloatArray

    def __len__(self) -> int:
        return len(self.a)

    def where(self, keep: np.ndarray) -> Matches:
        """Those at which `keep` is true, or those at these places."""
        return Matches(
            self.a[keep],
            self.b[keep],
            self.orientation[keep],
            self.score[keep],
            self.evidence[keep],
            self.common[keep],
        )


def candidates(
    records: np.ndarray,
    a: IntArray,
    b: IntArray,
    k: int,
    *,
    jobs: int,
    advance: Callable[[int], None] = lambda _done: None,
    described: FloatArray | None = None,
    engine: Engine | None = None,
) -> tuple[IntArray, np.ndarray]:
    """The k nearest of b for each of a, a picture itself left out.

    Parameters
    ----------
    engine : Engine, optional
        The workers that search; None: threads of this process.
    described : ndarray of float32, shape (n, d), optional
        Descriptors of all records, where they are known already.

    Returns
    -------
    index : ndarray of int64, shape (len(a), k)
        Indices of the records; -1 where there are fewer.
    orientation : ndarray of int8, shape (len(a), k)
    """
    both = (described[a], described[b]) if described is not None else (describe(records, a), describe(records, b))
    itself = itself_among(a, b)
    if engine is None or gpu_rather_than(engine, len(a) * len(b)):
        found = nearest(*both, k, itself=itself, jobs=jobs, advance=advance)
        index, orientation = found.index, found.orientation
    else:
        queries, references = both
        index, _ = nearest_on(engine, oriented_part, (queries,), (references,), k, itself=itself, advance=advance)
        orientation = orientations(queries, references, index)
    return np.where(index >= 0, b[index], -1), orientation


def oriented_part(index: pa.Table, part: pa.Table, *, k: int) -> pa.Table:
    """Kernel of `candidates`."""
    return best_of_part(index, part, k, oriented)


def itself_among(a: IntArray, b: IntArray) -> IntArray:
    """Where each of a is in b, -1 where it is not."""
    order = np.argsort(b, kind="stable")
    place = order[np.minimum(np.searchsorted(b, a, sorter=order), len(b) - 1)]
    return np.where(b[place] == a, place, -1)


def verify(
    records: np.ndarray,
    a: IntArray,
    index: IntArray,
    orientation: np.ndarray,
    *,
    finest: int,
    jobs: int,
    advance: Callable[[int], None] = lambda _done: None,
    engine: Engine | None = None,
) -> Matches:
    """Align every candidate coarsely, and the best few of each picture finely.

    Parameters
    ----------
    records : ndarray, shape (n,)
        Of them ``luma`` is looked at.
    a : ndarray of int64, shape (m,)
    index, orientation : ndarray, shape (m, k)
        As from `candidates`.
    finest : int
        Candidates of each picture that are measured at full resolution: those that agree best at half resolution.
    engine : Engine, optional
        The workers that verify; None: threads of this process.
    """
    k = index.shape[1]
    step = max(1, BLOCK // max(k, 1)) * 4
    if engine is not None:
        return _verify_on(engine, records, a, index, orientation, finest, step * BLOCKS, advance)

    def work(start: int) -> Matches:
        rows = slice(start, start + step)
        at, which = np.nonzero(index[rows] >= 0)
        of_a, of_b, turned = a[rows][at], index[rows][at, which], orientation[rows][at, which]
        coarse = np.full(index[rows].shape, -np.inf, dtype=np.float32)
        warp = np.zeros((len(at), 4), dtype=np.float32)
        for part in blocks(len(at)):
            warp[part], coarse[at[part], which[part]] = coarse_alignment(
                *_thumbnails(records, of_a[part], of_b[part], turned[part])
            )
        rank = np.argsort(np.argsort(-coarse, axis=1, kind="stable"), axis=1, kind="stable")
        keep = np.flatnonzero(rank[at, which] < finest)
        of_a, of_b, turned, warp = of_a[keep], of_b[keep], turned[keep], warp[keep]
        agreements = [
            fine_agreement(*_thumbnails(records, of_a[part], of_b[part], turned[part]), warp[part])
            for part in blocks(len(keep))
        ]
        evidence = _joined([one.evidence for one in agreements])
        return Matches(
            of_a,
            of_b,
            turned,
            _joined([one.score for one in agreements]),
            np.where(turned == 0, evidence, np.sqrt(np.maximum(evidence**2 - np.float32(EIGHT_TRIES), 0))),
            _joined([one.common for one in agreements]),
        )

    parts = []
    for part in in_threads(work, range(0, len(a), step), jobs):
        parts.append(part)
        advance(min(step, len(a) - step * (len(parts) - 1)))
    return joined(parts)


def _verify_on(
    engine: Engine,
    records: np.ndarray,
    a: IntArray,
    index: IntArray,
    orientation: np.ndarray,
    finest: int,
    step: int,
    advance: Callable[[int], None],
) -> Matches:
    starts = range(0, len(a), step)

    def tables() -> Iterator[pa.Table]:
        for start in starts:
            rows = slice(start, start + step)
            _, pictures, (of_a, of_b) = pictures_of(records, a[rows], index[rows])
            yield pack(pictures=pictures, a=of_a, index=of_b, orientation=orientation[rows])

    parts = []
    for start, found in zip(
        starts, engine.map(Kernel.of(verify_part, processes=True, finest=finest), tables()), strict=True
    ):
        rows = slice(start, start + step)
        parts.append(unpacked(found, pictures_of(records, a[rows], index[rows])[0]))
        advance(len(a[rows]))
    return joined(parts)


def verify_part(part: pa.Table, *, finest: int) -> pa.Table:
    """Kernel of `verify`."""
    given = unpack(part)
    return packed(verify(given["pictures"], given["a"], given["index"], given["orientation"], finest=finest, jobs=1))


def packed(matches: Matches) -> pa.Table:
    """Matches as they travel."""
    return pack(**{field.name: getattr(matches, field.name) for field in fields(Matches)})


def unpacked(table: pa.Table, ids: IntArray) -> Matches:
    """Matches among the records with these indices."""
    found = unpack(table)
    return Matches(**{**found, "a": ids[found["a"]], "b": ids[found["b"]]})


def difference(records: np.ndarray, matches: Matches) -> FloatArray:
    """Root-mean-square difference in grey levels as the pictures are, but for the orientation; shape (m,).

    The largest over the luminance and the two colour-difference thumbnails.
    """
    a, b, turned = records[matches.a], records[matches.b], matches.orientation
    largest = np.zeros(len(a), dtype=np.float32)
    for of_a, of_b in (
        (a["luma"], b["luma"]),
        (a["chroma"][:, 0], b["chroma"][:, 0]),
        (a["chroma"][:, 1], b["chroma"][:, 1]),
    ):
        apart = orient(of_a, turned).astype(np.float32) - of_b
        largest = np.maximum(largest, np.sqrt(np.square(apart).mean(axis=(1, 2))))
    return largest


def joined(parts: list[Matches]) -> Matches:
    """All matches of the parts in one, sorted by (a, b)."""
    both = Matches(
        np.concatenate([np.zeros(0, np.int64), *(part.a for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.b for part in parts)]),
        np.concatenate([np.zeros(0, np.int16), *(part.orientation for part in parts)]),
        _joined([part.score for part in parts]),
        _joined([part.evidence for part in parts]),
        _joined([part.common for part in parts]),
    )
    return both.where(np.lexsort((both.b, both.a)))


def _joined(parts: list[FloatArray]) -> FloatArray:
    return np.concatenate([np.zeros(0, np.float32), *parts])


def blocks(n: int) -> list[slice]:
    """Slices of `BLOCK`."""
    return [slice(start, start + BLOCK) for start in range(0, n, BLOCK)]


def _thumbnails(
    records: np.ndarray, a: IntArray, b: IntArray, orientation: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    luma = records["luma"]
    return orient(luma[a], orientation).astype(np.float32), luma[b].astype(np.float32)
