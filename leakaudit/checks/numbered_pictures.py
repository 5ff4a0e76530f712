"""Pictures whose neighbours by the numbers in their names are on the other side of a split: frames, and tiles.

What of LA108 is told of films and of tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.analysis.context import Context, once
from leakaudit.analysis.copies.pictures.blank import blank
from leakaudit.analysis.series.frames import FAR, Frames, frames
from leakaudit.analysis.series.numbers import Numbered, numbered
from leakaudit.analysis.series.tiles import Tiles, tiles
from leakaudit.model import Evidence, Finding, Pairs, SamplePair, Scalar, finding_id

if TYPE_CHECKING:
    import numpy.typing as npt

TILES_FIT, OTHERS_FIT = 0.5, 0.1
"""Least share of neighbouring tiles, and largest share of other pairs, that have the same window in common."""

SHOWN = 12
"""Pairs that are kept as evidence, evenly spread."""


@dataclass(frozen=True, slots=True)
class NumberParams:
    """See *Neighbours by number* in LA108.

    Parameters
    ----------
    least : int
        Pictures compared for a verdict. Of 600 draws of 15 from controls none came out as a film.
    more_alike : float
        Share clearly more alike to the neighbour less the share clearly less. Films and fixed cameras have 0.5 to 0.99,
        fourteen other sets, some numbered by class, at most 0.13.
    alpha : float
        Level of the exact sign test.
    torn : float
        Least number of neighbours on the other side, as a share of what assigning single pictures at random would give.
    """

    least: int = 12
    more_alike: float = 0.3
    alpha: float = 0.001
    torn: float = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class TornApart:
    """What two splits share by numbers; no finding, no neighbours and nothing said where that is nothing."""

    finding: Finding | None
    neighbours: Pairs
    said: str
    metrics: Mapping[str, Mapping[str, Scalar]]


def neighbours_by_number(
    context: Context, pair: tuple[str, str], params: NumberParams, *, code: str, slug: str
) -> TornApart:
    """Neighbours by number of two splits: tiles where names and pictures say so, else frames."""
    names, places, judged = _taken_apart(context)
    records = context.images.records
    side = np.select([context.in_split(name) for name in pair], [1, 0], default=-1)
    torn = frames(records, names, side, judged)
    metrics: dict[str, Mapping[str, Scalar]] = {}
    if torn.n_numbered:
        metrics[f"{pair[0]} against {pair[1]}: numbers in names"] = {
            "n_numbered": torn.n_numbered,
            "n_neighbours": torn.n_direct,
            "n_neighbours_at_random": round(torn.n_direct_at_random, 1),
            "n_compared": torn.n_tested,
            "n_more_alike": torn.n_more,
            "n_less_alike": torn.n_less,
        }
    cut = tiles(records, places, side, judged)
    if is_cut(cut, params):
        said = f"{len(cut.neighbours):,} tiles have a neighbour on the other side"
        message, effect, note = _of_tiles(cut, *pair)
        neighbours = cut.neighbours
    elif is_torn(torn, params):
        said = f"{len(torn.neighbours):,} numbered pictures have an alike neighbour on the other side"
        message, effect, note = _of_frames(torn, *pair)
        neighbours = torn.neighbours
    else:
        return TornApart(None, cut.neighbours.first(0), "", metrics)
    some = np.unique(np.linspace(0, len(neighbours) - 1, min(SHOWN, len(neighbours))).astype(np.int64))
    both = zip(context.describe(neighbours.a[some]), context.describe(neighbours.b[some]), strict=True)
    finding = Finding(
        id=finding_id(code, *pair, "neighbours", *sorted(context.digests(np.unique(neighbours.a)))),
        code=code,
        slug=slug,
        severity="warning",
        message=message,
        splits=pair,
        n_samples=len(neighbours),
        effect=effect,
        evidence=Evidence(
            pairs=tuple(SamplePair(a, b, note=note) for a, b in both),
            n_pairs=len(neighbours),
            n_samples=len(neighbours),
        ),
    )
    return TornApart(finding, neighbours, said, metrics)


@once
def _taken_apart(context: Context) -> tuple[Numbered, Numbered, npt.NDArray[np.bool_]]:
    """The last number of each name, the last two, and which pictures have detail to compare."""
    uris, splits = context.samples.uri, context.dataset.splits
    judged = context.images.ok & ~blank(context.images.records)
    return numbered(uris, splits), numbered(uris, splits, two=True), judged


def is_torn(torn: Frames, params: NumberParams) -> bool:
    """Whether a split tears frames of films apart."""
    return (
        torn.n_tested >= params.least
        and torn.effect >= params.more_alike
        and torn.p_value <= params.alpha
        and torn.n_direct >= params.torn * torn.n_direct_at_random
    )


def is_cut(cut: Tiles, params: NumberParams) -> bool:
    """Whether a split tears tiles of one picture apart."""
    overlap = cut.fits >= TILES_FIT and cut.far_fits <= OTHERS_FIT
    abut = cut.fits - cut.far_fits >= params.more_alike
    return (
        (overlap if cut.overlap else abut)
        and cut.n_tested >= params.least
        and cut.p_value <= params.alpha
        and len(cut.neighbours) >= params.torn * cut.n_at_random
    )


def _of_frames(torn: Frames, held_out: str, reference: str) -> tuple[str, dict[str, Scalar], str]:
    more, less = (each / torn.n_tested for each in (torn.n_more, torn.n_less))
    message = (
        f"{len(torn.neighbours):,} of {torn.n_numbered:,} {held_out} pictures have a {reference} picture numbered"
        f" within ±{torn.within:,} of theirs, as frames of a film have: {more:.0%} of {torn.n_tested:,} compared are"
        f" clearly more alike to it than to pictures {FAR[0]} to {FAR[1]} numbers away ({less:.0%} less)"
    )
    effect: dict[str, Scalar] = {
        "key": "numbers in names",
        "within": torn.within,
        "n_compared": torn.n_tested,
        "more_alike": round(more, 4),
        "less_alike": round(less, 4),
    }
    return message, effect, f"numbered within ±{torn.within:,}"


def _of_tiles(cut: Tiles, held_out: str, reference: str) -> tuple[str, dict[str, Scalar], str]:
    how = f"overlap by {cut.overlap:.0%} of a side" if cut.overlap else "go on in each other at their borders"
    message = (
        f"{len(cut.neighbours):,} of {cut.n_held_out:,} {held_out} tiles lie next to a tile of {reference} by the last"
        f" two numbers of their names; such neighbours {how} ({cut.fits:.0%} of {cut.n_tested:,} compared)"
    )
    effect: dict[str, Scalar] = {
        "key": "two numbers in names",
        "overlap": round(cut.overlap, 4),
        "n_compared": cut.n_tested,
        "fits": round(cut.fits, 4),
        "far_fits": round(cut.far_fits, 4),
    }
    return message, effect, "neighbouring tiles"
