"""Digests of files that are no pictures: of their bytes, and of sounds, where soundfile is there, of their samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from leakaudit.fingerprints.cache.record import PROBLEM_KINDS, blank_records
from leakaudit.fingerprints.pictures.contents import Listed, contents
from leakaudit.fingerprints.pictures.files import Unreadable
from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
from leakaudit.fingerprints.sounds import NO_DIGEST, can_decode, sound_digest
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
        Of whose records only ``content``, ``pixels`` (of decoded samples), ``size`` and ``problem`` say something.
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
    at = n_not_decoded = 0
    with progress("Reading", total=len(files), unit="files") as advance:
        for found in map_chunks(_digests, chunks, jobs=config.jobs):
            for digest, decoded, size, kind, reason in found:
                if kind is None:
                    records["content"][at], records["size"][at] = np.void(digest), size
                    records["pixels"][at] = np.void(decoded or NO_DIGEST)
                    n_not_decoded += decoded is None
                else:
                    records["problem"][at] = PROBLEM_KINDS.index(kind)
                    split = splits[int(samples.split[at])] if splits else None
                    problems.append(Problem(samples.uri[at].as_py(), kind, reason, split))
                at += 1
            advance(len(found))
    which = "1 sound" if n_not_decoded == 1 else f"{n_not_decoded:,} sounds"
    notes = (f"{which} could not be decoded and equal only copies of their bytes.",) if n_not_decoded else ()
    return ImageFingerprints(records, tuple(problems), samples.path, notes)


def _digests(files: Sequence[Listed]) -> list[tuple[bytes, bytes | None, int, ProblemKind | None, str]]:
    """Digests of the bytes and of the samples (None: it could not be decoded), the size, and what is the matter."""
    found: list[tuple[bytes, bytes | None, int, ProblemKind | None, str]] = []
    decodes = can_decode()
    for file, content in zip(files, contents(files), strict=True):
        if isinstance(content, Unreadable):
            reason = content.reason.replace("no picture in it", "nothing in it")
            found.append((NO_DIGEST, NO_DIGEST, 0, content.kind, reason))
        else:
            decoded = sound_digest(content, file.path) if decodes else NO_DIGEST
            found.append((content.digest, decoded, content.size, None, ""))
    return found
