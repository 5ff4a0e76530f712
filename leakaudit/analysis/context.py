"""All that a check may look at: the data set, its fingerprints, and what was found in them, each thing once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

import numpy as np

from leakaudit.engines.progress import Progress, silent
from leakaudit.model import Problem, Sample, Samples, SplitInfo, split_pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.config import Config
    from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
    from leakaudit.fingerprints.rows.fingerprint import RowFingerprints
    from leakaudit.model import Dataset, IntArray

BLIND = ("unreadable", "missing", "pointer")
"""Kinds of problems that are samples which nobody looked at."""

Made = TypeVar("Made")
P = ParamSpec("P")


def once(make: Callable[Concatenate[Context, P], Made]) -> Callable[Concatenate[Context, P], Made]:
    """A function of a context that is called once for each context and arguments, which must be hashable.

    For what several checks share: whichever asks first pays for it.
    """

    @wraps(make)
    def shared(context: Context, *args: P.args, **kwargs: P.kwargs) -> Made:
        key = (shared, *args, *sorted(kwargs.items()))
        if key not in context._made:
            context._made[key] = make(context, *args, **kwargs)
        return cast("Made", context._made[key])

    return cast("Callable[Concatenate[Context, P], Made]", shared)


class Context:
    """What a check is given.

    Samples have pictures, rows, or both; a check asks for the part that its *modality* names (`Check.needs`), and is
    never run where that part is not there. So `images`, `samples` and `rows` are simply there for it.

    Parameters
    ----------
    dataset : Dataset
    config : Config
    images : ImageFingerprints or None
        Aligned with ``dataset.samples``; None where samples have no pictures.
    rows : RowFingerprints or None
        None where samples are pictures without columns.
    progress : Progress, default silent
        Told how far a long search is.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: Config,
        *,
        images: ImageFingerprints | None = None,
        rows: RowFingerprints | None = None,
        progress: Progress = silent,
    ) -> None:
        self.dataset = dataset
        self.config = config
        self.progress = progress
        self._images = images
        self._rows = rows
        self._made: dict[tuple[object, ...], object] = {}

    # --- the parts --------------------------------------------------------------------------------------------

    @property
    def has_pictures(self) -> bool:
        """Whether samples have pictures."""
        return self._images is not None

    @property
    def has_rows(self) -> bool:
        """Whether samples have columns."""
        return self._rows is not None

    @property
    def images(self) -> ImageFingerprints:
        """Fingerprints of the pictures.

        Raises
        ------
        LookupError
            Samples have none: a check ran that should not have.
        """
        if self._images is None:
            raise LookupError("these samples have no pictures")
        return self._images

    @property
    def samples(self) -> Samples:
        """The pictures themselves, aligned with `images`.

        Raises
        ------
        LookupError
            As `images`.
        """
        if self.dataset.samples is None:
            raise LookupError("these samples have no pictures")
        return self.dataset.samples

    @property
    def rows(self) -> RowFingerprints:
        """Fingerprints of the rows.

        Raises
        ------
        LookupError
            Samples have no columns: a check ran that should not have.
        """
        if self._rows is None:
            raise LookupError("these samples have no columns")
        return self._rows

    def give(self, make: Callable[[Context], Made], made: Made) -> None:
        """What a function of `once` is to answer for this context, where it is known already."""
        self._made[(make,)] = made

    @property
    def unit(self) -> str:
        """What the samples are called: pictures, files or rows."""
        return {"image": "pictures", "file": "files", "table": "rows"}[self.dataset.kind]

    # --- splits and coverage ----------------------------------------------------------------------------------

    @property
    def pairs_of_splits(self) -> list[tuple[str, str]]:
        """(held-out, reference) pairs to compare; none under ``within``, where every split stands alone."""
        return [] if self.config.within else split_pairs(self.dataset.splits)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that could not be looked at, as listed and as met while reading; sorted by uri."""
        both = (*self.dataset.problems, *self.met_problems)
        return tuple(sorted(both, key=lambda problem: (problem.uri, problem.kind)))

    @property
    def met_problems(self) -> tuple[Problem, ...]:
        """What could not be read although it was listed."""
        return self.images.problems if self.has_pictures else self.rows.problems

    @cached_property
    def n_unreadable(self) -> int:
        """Samples that are missing or could not be read; exact where `problems` lists only the first rejected rows."""
        listed = sum(problem.kind in ("unreadable", "missing") for problem in self.problems)
        if self.has_pictures:
            return listed
        return listed - len(self.rows.problems) + self.rows.n_rejected

    @cached_property
    def n_pointers(self) -> int:
        """Git-LFS and DVC pointers in place of samples."""
        return sum(problem.kind == "pointer" for problem in self.problems)

    @cached_property
    def blind_in(self) -> dict[str, int]:
        """Of both, those of each split that lost any; exact as `n_unreadable`. Of some the split is unknown."""
        listed = self.problems if self.has_pictures else self.dataset.problems
        lost = Counter(problem.split for problem in listed if problem.kind in BLIND)
        if not self.has_pictures:
            for table in self.rows.pool.tables:
                lost[table.file.split] += table.n_rejected
        return {name: lost[name] for name in self.dataset.splits if lost[name]}

    @property
    def n_read(self) -> int:
        """Samples that were read, over all splits."""
        return sum(info.n for info in self.splits.values())

    @cached_property
    def splits(self) -> dict[str, SplitInfo]:
        """Size and label counts of every split, over what was read."""
        if not self.has_pictures:
            rows = self.rows
            return {name: SplitInfo(rows.n_rows[name], rows.label_counts[name]) for name in self.dataset.splits}
        return {name: self._image_split(name) for name in self.dataset.splits}

    @property
    def has_labels(self) -> bool:
        """Whether any sample has a label."""
        return any(info.labels for info in self.splits.values())

    def _image_split(self, name: str) -> SplitInfo:
        import pyarrow.compute as pc

        inside = self.in_split(name)
        counts: dict[str, int] = {}
        if self.samples.label is not None:
            labels = self.samples.label.take(np.flatnonzero(inside)).drop_null()
            counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(labels).to_pylist()}
        return SplitInfo(int(inside.sum()), dict(sorted(counts.items())))

    def in_split(self, name: str) -> npt.NDArray[np.bool_]:
        """Readable samples of a split, as a boolean mask over all pictures."""
        inside: npt.NDArray[np.bool_] = self.samples.split == self.dataset.splits.index(name)
        return inside & self.images.ok

    @cached_property
    def row_splits(self) -> IntArray:
        """Split of every row as an index into ``dataset.splits``, shape (n,); -1 for rows that belong to none."""
        from leakaudit.fingerprints.rows.columns import split_codes

        return split_codes(self.rows)

    # --- samples for people -----------------------------------------------------------------------------------

    def describe(self, indices: IntArray) -> list[Sample]:
        """The samples at these indices as a report shows them, in the same order."""
        if not self.has_pictures:
            return self.rows.describe(indices)
        samples = self.samples
        uris = samples.uri.take(indices).to_pylist()
        labels = samples.label.take(indices).to_pylist() if samples.label is not None else [None] * len(indices)
        splits = [self.dataset.splits[code] for code in samples.split[indices]]
        return [Sample(uri, split, label) for uri, split, label in zip(uris, splits, labels, strict=True)]

    def digests(self, indices: IntArray) -> list[bytes]:
        """Content digests of the samples at these indices, for stable finding ids."""
        if not self.has_pictures:
            return self.rows.digests(indices)
        return [digest.tobytes() for digest in self.images.records["content"][indices]]
