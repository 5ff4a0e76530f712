"""Digests of files that are compared by their bytes alone, such as sounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.cache.record import PROBLEM_KINDS, blank_records
from leakaudit.fingerprints.pictures.contents import Listed, contents
from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
from leakaudit.model import Problem, ProblemKind

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.engines.progress import Progress
    from leakaudit.model import Samples

CHUNK = 256


def fingerprint_plain_files(
    samples: Samples, config: Config, progress: Progress, *, splits: Sequence[str] = ()
) -> ImageFingerprints:
    """Digest every file, in threads: reading takes most of the time.

    Parameters
    ----------
    samples : Samples
    config : Config
        `jobs` matters.
    progress : Progress
    splits : sequence of str
        Names for ``samples.split``, put into the problems.

    Returns
    -------
    ImageFingerprints
        Of whose records only ``content``, ``size`` and ``problem`` say something.
    """
    from leakaudit.engines.local import map_chunks

    paths: list[bytes] = samples.path.to_pylist()
    unknown = np.full(len(paths), -1, dtype=np.int64)
    sizes = (unknown if samples.size is None else samples.size).tolist()
    times = (unknown if samples.mtime_ns is None else samples.mtime_ns).tolist()
    files = [Listed(*each) for each in zip(paths, sizes, times, strict=True)]
    chunks = [files[at : at + CHUNK] for at in range(0, len(files), CHUNK)]
    records = blank_records(len(files))
    problems = []
    at = 0
    with progress("Reading", total=len(files), unit="files") as advance:
        for found in map_chunks(_digests, chunks, jobs=config.jobs):
            for digest, size, kind, reason in found:
                if kind is None:
                    records["content"][at], records["size"][at] = np.void(digest), size
                else:
                    records["problem"][at] = PROBLEM_KINDS.index(kind)
                    split = splits[int(samples.split[at])] if splits else None
                    problems.append(Problem(samples.uri[at].as_py(), kind, reason, split))
                at += 1
            advance(len(found))
    return ImageFingerprints(records, tuple(problems), samples.path)


def _digests(files: Sequence[Listed]) -> list[tuple[bytes, int, ProblemKind | None, str]]:
    found: list[tuple[bytes, int, ProblemKind | None, str]] = []
    for content in contents(files):
        if isinstance(content, Unreadable):
            found.append((bytes(16), 0, content.kind, content.reason.replace("no picture in it", "nothing in it")))
        else:
            found.append((content.digest, content.size, None, ""))
    return found
