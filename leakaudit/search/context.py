"""All that a check may look at: the data set, its fingerprints, and searches over them, done once and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from leakaudit.config import Config
from leakaudit.engines.progress import Progress, silent
from leakaudit.model import Dataset, Problem, Sample, SplitInfo, split_pairs

if TYPE_CHECKING:
    import numpy.typing as npt

    from leakaudit.fingerprints.images import ImageFingerprints
    from leakaudit.fingerprints.rows import RowFingerprints
    from leakaudit.model import IntArray
    from leakaudit.search.columns import ColumnProfile
    from leakaudit.search.group_keys import Key
    from leakaudit.search.identical_pixels import PixelCodes
    from leakaudit.search.near_images import NearImages

Made = TypeVar("Made")


@dataclass(frozen=True)
class Context:
    """What a check is given.

    Parameters
    ----------
    dataset : Dataset
    config : Config
    images : ImageFingerprints or None
        Aligned with ``dataset.samples``; None for tables.
    rows : RowFingerprints or None
        None for pictures.
    progress : Progress, default silent
        Told how far a long search is.
    """

    dataset: Dataset
    config: Config
    images: ImageFingerprints | None = None
    rows: RowFingerprints | None = None
    progress: Progress = silent
    _made: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: str, make: Callable[[], Made]) -> Made:
        """What `make` gives, made at the first call with this key: for searches that several checks share."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

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
        read = self.rows if self.images is None else self.images
        assert read is not None
        return read.problems

    @cached_property
    def n_unreadable(self) -> int:
        """Samples that are missing or could not be read; exact where `problems` lists only the first rejected rows."""
        listed = sum(problem.kind in ("unreadable", "missing") for problem in self.problems)
        if self.rows is None:
            return listed
        return listed - len(self.rows.problems) + self.rows.n_rejected

    @cached_property
    def n_pointers(self) -> int:
        """Git-LFS and DVC pointers in place of samples."""
        return sum(problem.kind == "pointer" for problem in self.problems)

    @property
    def n_read(self) -> int:
        """Samples that were read, over all splits."""
        return sum(info.n for info in self.splits.values())

    @cached_property
    def splits(self) -> dict[str, SplitInfo]:
        """Size and label counts of every split, over what was read."""
        if self.rows is not None:
            return {
                name: SplitInfo(self.rows.n_rows[name], self.rows.label_counts[name]) for name in self.dataset.splits
            }
        return {name: self._image_split(name) for name in self.dataset.splits}

    @property
    def has_labels(self) -> bool:
        """Whether any sample has a label."""
        return any(info.labels for info in self.splits.values())

    def _image_split(self, name: str) -> SplitInfo:
        import pyarrow.compute as pc

        samples = self.dataset.samples
        assert samples is not None
        inside = self.in_split(name)
        counts: dict[str, int] = {}
        if samples.label is not None:
            labels = samples.label.take(np.flatnonzero(inside)).drop_null()
            counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(labels).to_pylist()}
        return SplitInfo(int(inside.sum()), dict(sorted(counts.items())))

    def in_split(self, name: str) -> npt.NDArray[np.bool_]:
        """Readable samples of a split, as a boolean mask over all pictures."""
        assert self.images is not None
        assert self.dataset.samples is not None
        inside: npt.NDArray[np.bool_] = self.dataset.samples.split == self.dataset.splits.index(name)
        return inside & self.images.ok

    def describe(self, indices: IntArray) -> list[Sample]:
        """The samples at these indices as a report shows them, in the same order."""
        if self.rows is not None:
            return self.rows.describe(indices)
        samples = self.dataset.samples
        assert samples is not None
        uris = samples.uri.take(indices).to_pylist()
        labels = samples.label.take(indices).to_pylist() if samples.label is not None else [None] * len(indices)
        splits = [self.dataset.splits[code] for code in samples.split[indices]]
        return [Sample(uri, split, label) for uri, split, label in zip(uris, splits, labels, strict=True)]

    def digests(self, indices: IntArray) -> list[bytes]:
        """Content digests of the samples at these indices, for stable finding ids."""
        if self.rows is not None:
            return self.rows.digests(indices)
        assert self.images is not None
        return [digest.tobytes() for digest in self.images.records["content"][indices]]

    @cached_property
    def file_codes(self) -> IntArray:
        """Equal numbers for byte-identical pictures, shape (n,); -1 for unreadable ones."""
        from leakaudit.search.groups import equal_codes

        assert self.images is not None
        return equal_codes(self.images.records["content"], self.images.ok)

    @cached_property
    def pixels(self) -> PixelCodes:
        """Which pictures have the same pixels."""
        from leakaudit.search.identical_pixels import pixel_codes

        assert self.images is not None
        return pixel_codes(self.images, self.file_codes, self.config)

    @property
    def pixel_codes(self) -> IntArray:
        """Equal numbers for pixel-identical (and byte-identical) pictures, shape (n,); -1 for unreadable ones."""
        return self.pixels.codes

    @cached_property
    def near_images(self) -> NearImages:
        """Verified near-duplicate pictures across every pair of splits."""
        from leakaudit.search.near_store import near_images

        return near_images(self)

    @cached_property
    def columns(self) -> tuple[ColumnProfile, ...]:
        """What each column of the table holds and what it is for; empty for pictures."""
        from leakaudit.search.columns import profile_columns

        return profile_columns(self.rows, self.dataset.columns) if self.rows is not None else ()

    @cached_property
    def label_codes(self) -> tuple[IntArray, list[str]]:
        """Class of every picture as an index into the class names; -1 where it is unknown."""
        from leakaudit.search.group_keys import key_of

        samples = self.dataset.samples
        assert samples is not None
        if samples.label is None:
            return np.full(len(samples), -1, dtype=np.int64), []
        key = key_of("label", samples.label)
        return key.codes, key.values.to_pylist()

    @cached_property
    def name_keys(self) -> list[Key]:
        """Keys that the file names and folders of the pictures hold, whatever they may mean."""
        from leakaudit.search.group_keys import keys_in_names

        samples = self.dataset.samples
        assert samples is not None
        return keys_in_names(samples.uri, *self.label_codes)
