"""A new split of a data set, in which nothing of one side is on the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leakaudit.config import Config
from leakaudit.engines.progress import Progress, silent
from leakaudit.engines.workers import workers_kept
from leakaudit.errors import ConfigError, InputError
from leakaudit.repair.assign import Distance, assign, distance
from leakaudit.repair.by_time import by_time
from leakaudit.repair.kept import Kept
from leakaudit.repair.strata import Strata, strata_of
from leakaudit.repair.together import links_across, links_within
from leakaudit.repair.units import Units, ranks, units_of
from leakaudit.repair.whole import LEFT_OUT, Whole, whole

if TYPE_CHECKING:
    import pandas as pd

    from leakaudit.analysis.context import Context
    from leakaudit.model import IntArray, Outcome
    from leakaudit.repair.write import How

SHARES: Mapping[str, float] = {"train": 0.8, "val": 0.1, "test": 0.1}
"""What is wished where nothing is said."""

ROUNDS, ANEW = 12, 6
"""Times that the checks are asked and what they find is brought together, and those of them after which all units are
assigned anew, to keep to the wish. One or two rounds suffice where copies are known before. Each joins units, so that
it comes to an end; in the later ones only torn units move, so that nothing new meets."""


@dataclass(frozen=True, eq=False)
class NewSplit:
    """Result of `split`.

    Parameters
    ----------
    whole : Whole
        The samples.
    names : tuple of str
        Of the splits, in the order of the wish.
    shares : tuple of float
        What was wished.
    of : ndarray of int64, shape (n,)
        Index into `names` of every sample; -1 for those that are left out.
    left_out : mapping of str to int
        Reason to the samples that are left out for it.
    units : Units
    strata : Strata
    distance : Distance
        How far the splits are from the wish.
    outcomes : tuple of Outcome
        What the checks say of the result.
    rounds : int
        Times that the checks were asked.
    remaining : int
        Links between two splits that the last round still found: 0, or the split is not free of leaks.
    seed : int
    kept : int
        Samples that stayed where an earlier split had them.
    notes : tuple of str
        What could not be honoured.
    """

    whole: Whole
    names: tuple[str, ...]
    shares: tuple[float, ...]
    of: IntArray
    left_out: Mapping[str, int]
    units: Units
    strata: Strata
    distance: Distance
    outcomes: tuple[Outcome, ...]
    rounds: int
    remaining: int
    seed: int
    kept: int
    notes: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """Samples of each split."""
        return {name: int((self.of == at).sum()) for at, name in enumerate(self.names)}

    @property
    def is_proven(self) -> bool:
        """Whether every check that was asked finds nothing."""
        return self.remaining == 0

    def class_shares(self) -> dict[str, dict[str, float]]:
        """Stratum to split to its share of that split's samples."""
        found: dict[str, dict[str, float]] = {name: {} for name in self.strata.names}
        for at, split in enumerate(self.names):
            inside = self.of[self.strata.sample] == at
            counts = np.bincount(self.strata.stratum[inside], minlength=len(self.strata.names))
            for name, n in zip(self.strata.names, counts.tolist(), strict=True):
                found[name][split] = n / max(int((self.of == at).sum()), 1)
        return found

    def write(self, to: str | os.PathLike[str], *, how: How = "manifest", force: bool = False) -> list[Path]:
        """Write it into a folder, see `leakaudit.repair.write.write_split`."""
        from leakaudit.repair.write import write_split

        return write_split(self, Path(to), how=how, force=force)

    def to_frame(self) -> pd.DataFrame:
        """One row a sample: its name, label, split (None where it is left out) and unit."""
        import pandas as pd

        split = [self.names[at] if at != LEFT_OUT else None for at in self.of.tolist()]
        columns = {"name": self.whole.names, "label": self.whole.labels, "split": split, "unit": self.units.of}
        return pd.DataFrame(columns)


@workers_kept()
def split(
    *paths: str | os.PathLike[str],
    shares: Mapping[str, float] | None = None,
    folds: int | None = None,
    seed: int = 0,
    gap: float = 0.0,
    keep: Kept | None = None,
    config: Config | None = None,
    progress: Progress = silent,
    **frames: Any,
) -> NewSplit:
    """Split a data set anew, so that copies and groups stay on one side.

    Parameters
    ----------
    *paths : str or path-like
        As for `leakaudit.audit`. The splits that the data have are forgotten.
    shares : mapping of str to float, optional
        Split name to share of the samples; they add up to 1. Default: `SHARES`.
    folds : int, optional
        So many folds of equal size, ``fold1`` …, in place of `shares`.
    seed : int, default 0
        The same seed and the same data give the same split, in whatever order the files come.
    gap : float, default 0
        Where ``config.time`` names a column: the split is by time, and samples within this span (of seconds, or of the
        numbers in the column) after the last one of a split are left out.
    keep : Kept, optional
        An earlier split, whose samples stay where they are.
    config : Config, optional
        Which column is the label, the group, the time, and so on.
    progress : Progress, default silent
    **frames
        ``data=frame``, or several that are put together.

    Returns
    -------
    NewSplit

    Raises
    ------
    ConfigError
        Shares that do not add up, more folds than units, or a setting that means nothing here.
    InputError
        The data cannot be used, or an earlier split tears a unit apart.
    """
    wish = _wish(shares, folds)
    config = config or Config()
    data = _load(paths, frames, config)
    context, links = links_within(data, config, progress)
    names, wished = tuple(wish), tuple(wish.values())
    readable = context.images.ok if context.has_pictures else np.ones(len(data), dtype=bool)
    plan = _Plan(data, names, wished, strata_of(data.labels), ranks(data.names, seed), readable, seed)
    units = units_of(len(data), links)
    before = keep.places(data.names, names) if keep is not None else None
    when = _when(context, data, config)
    of = plan.by_time(units, when, gap) if when is not None else plan.assigned(units, before)
    for rounds in range(1, ROUNDS + 1):
        outcomes, found = links_across(data, context, of, names, config, progress)
        if not found or rounds == ROUNDS:
            break
        links += found
        units = units_of(len(data), links)
        if when is not None:
            of = plan.by_time(units, when, gap)
        elif rounds <= ANEW:
            of = plan.assigned(units, before)
        else:
            of = plan.brought_together(units, of, before)
    return NewSplit(
        whole=data,
        names=names,
        shares=wished,
        of=of,
        left_out=plan.reasons(of),
        units=units,
        strata=plan.strata,
        distance=plan.distance(of),
        outcomes=outcomes,
        rounds=rounds,
        remaining=sum(len(link.a) for link in found),
        seed=seed,
        kept=0 if before is None else int((before >= 0).sum()),
        notes=plan.notes(units, of),
    )


def _load(paths: Sequence[str | os.PathLike[str]], frames: Mapping[str, Any], config: Config) -> Whole:
    from leakaudit.fingerprints.cache.store import refuse_inside
    from leakaudit.sources.layouts import load
    from leakaudit.sources.objects.frames import from_frames

    reading = replace(config, within=True)
    dataset = load(paths, reading) if paths else from_frames(frames, reading)
    if dataset.samples is not None:
        refuse_inside(paths, config)
    if dataset.kind == "file":
        raise InputError("a split of sounds or arrays is not made yet: only of pictures, tables and texts")
    return whole(dataset, config)


def _wish(shares: Mapping[str, float] | None, folds: int | None) -> dict[str, float]:
    if folds is not None:
        if shares is not None:
            raise ConfigError("give either shares or a number of folds")
        if folds < 2:
            raise ConfigError(f"{folds} folds: at least 2 are needed")
        return {f"fold{number + 1}": 1 / folds for number in range(folds)}
    wish = dict(shares or SHARES)
    if len(wish) < 2:
        raise ConfigError("name at least two splits: train=0.8 test=0.2")
    if bad := [name for name, share in wish.items() if not 0 < share < 1]:
        raise ConfigError(f"the share of {bad[0]} must be between 0 and 1, not {wish[bad[0]]:g}")
    total = sum(wish.values())
    if abs(total - 1) > 1e-6:
        raise ConfigError(f"the shares add up to {total:g}, not to 1")
    return wish


def _when(context: Context, data: Whole, config: Config) -> np.ndarray | None:
    """The time of every sample, where the user named it."""
    if config.time is None:
        return None
    if context.has_rows:
        from leakaudit.analysis.series.axes import declared_axis

        name = data.dataset.columns.time
        if name is not None:
            return declared_axis(context.rows, name).values
    raise ConfigError("--time: a split by time is made of rows only")


@dataclass(frozen=True, eq=False)
class _Plan:
    """What stays the same from round to round."""

    data: Whole
    names: tuple[str, ...]
    shares: tuple[float, ...]
    strata: Strata
    rank: IntArray
    readable: np.ndarray
    seed: int

    def _weighed(self, units: Units) -> tuple[IntArray, np.ndarray, IntArray]:
        """Samples, samples by stratum, and rank of every unit; unreadable samples weigh nothing."""
        size = np.bincount(units.of[self.readable], minlength=units.n).astype(np.int64)
        counts = np.zeros((units.n, len(self.strata.names)))
        seen = self.readable[self.strata.sample]
        np.add.at(counts, (units.of[self.strata.sample[seen]], self.strata.stratum[seen]), 1)
        rank = np.full(units.n, np.iinfo(np.int64).max)
        np.minimum.at(rank, units.of, self.rank)
        return size, counts, rank

    def assigned(self, units: Units, before: IntArray | None) -> IntArray:
        """A split of every sample, from nothing or from an earlier split."""
        size, counts, rank = self._weighed(units)
        n_units = int((size > 0).sum())
        if n_units < len(self.names):
            raise ConfigError(
                f"{len(self.names)} splits of {n_units} units that must stay together: there are too few of them"
            )
        fixed = None if before is None else self._fixed(units, before)
        of = assign(size, counts, self.shares, rank, fixed=fixed, seed=self.seed)[units.of]
        return np.where(self.readable, of, LEFT_OUT)

    def brought_together(self, units: Units, of: IntArray, before: IntArray | None) -> IntArray:
        """The split of before, in which units that have grown go where most of their samples are."""
        votes = np.zeros((units.n, len(self.names)), np.int64)
        np.add.at(votes, (units.of[self.readable], of[self.readable]), 1)
        torn = (votes > 0).sum(axis=1) > 1
        chosen = votes.argmax(axis=1)
        if before is not None:
            fixed = self._fixed(units, before)
            chosen = np.where(fixed >= 0, fixed, chosen)
        result = np.where(torn[units.of], chosen[units.of], of)
        return np.where(self.readable, result, LEFT_OUT)

    def _fixed(self, units: Units, before: IntArray) -> IntArray:
        """Where an earlier split had each unit."""
        known = np.flatnonzero(before >= 0)
        fixed = np.full(units.n, -1, np.int64)
        fixed[units.of[known]] = before[known]
        torn = known[fixed[units.of[known]] != before[known]]
        if len(torn):
            at = int(torn[0])
            other = int(known[(units.of[known] == units.of[at]) & (before[known] != before[at])][0])
            raise InputError(
                f"the split to keep tears {len(np.unique(units.of[torn])):,} units apart that must stay together: "
                f"{self.data.names[at]} is in {self.names[before[at]]}, {self.data.names[other]} in "
                f"{self.names[before[other]]}. Make a new split, without --keep"
            )
        return fixed

    def by_time(self, units: Units, when: np.ndarray, gap: float) -> IntArray:
        return np.where(self.readable, by_time(units, when, self.shares, gap), LEFT_OUT)

    def distance(self, of: IntArray) -> Distance:
        """From the wish, over the samples that are in a split."""
        one = np.zeros((len(of), len(self.strata.names)))
        one[self.strata.sample, self.strata.stratum] = 1
        inside = of != LEFT_OUT
        return distance(of[inside], np.ones(int(inside.sum()), np.int64), one[inside], self.shares)

    def reasons(self, of: IntArray) -> dict[str, int]:
        """Why samples are left out."""
        unread = int((~self.readable).sum())
        out = int((of == LEFT_OUT).sum()) - unread
        said = {"cannot be read": unread, "their unit lies on both sides of a limit in time, or in the gap": out}
        return {why: n for why, n in said.items() if n}

    def notes(self, units: Units, of: IntArray) -> tuple[str, ...]:
        """What could not be honoured."""
        said = []
        size, counts, _ = self._weighed(units)
        largest = int(size.argmax())
        n = int(size.sum())
        smallest = min(self.shares)
        if size[largest] > smallest * n:
            first = self.data.names[int(np.flatnonzero(units.of == largest)[0])]
            said.append(
                f"One unit of {size[largest]:,} samples (with {first}) is larger than the smallest split was to be "
                f"({smallest * n:,.0f}): it cannot be divided."
            )
        n_units = (counts > 0).sum(axis=0)
        few = [name for name, k in zip(self.strata.names, n_units.tolist(), strict=True) if k < len(self.names)]
        if few:
            named = ", ".join(few[:5])
            said.append(
                f"{len(few):,} of {len(self.strata.names):,} classes lie in fewer units than there are splits, so that "
                f"some split has none of them: {named}{' …' if len(few) > 5 else ''}."
            )
        empty = [name for at, name in enumerate(self.names) if not (of == at).any()]
        if empty:
            said.append(f"Nothing is in {', '.join(empty)}.")
        return tuple(said)
