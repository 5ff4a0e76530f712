"""All fingerprints of all pictures of a data set: what `leakaudit.fingerprints.cache.record` describes, computed.

What the cache knows is not looked at again: an unchanged listing needs no file to be opened, an unchanged file none
to be read, a renamed one none to be decoded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from blake3 import blake3

from leakaudit.engines.base import Kernel
from leakaudit.engines.choose import engine_of
from leakaudit.fingerprints.cache.record import PROBLEM_KINDS
from leakaudit.fingerprints.cache.store import PictureCache
from leakaudit.fingerprints.pictures.chunk import Failure, Scanned
from leakaudit.fingerprints.pictures.contents import Listed
from leakaudit.fingerprints.pictures.decode import quiet_decoders
from leakaudit.fingerprints.pictures.fingerprint import ImageFingerprints
from leakaudit.fingerprints.pictures.isolated import told
from leakaudit.fingerprints.pictures.kernel import crashed_files, files_table, fingerprint_files, scanned_of
from leakaudit.model import Problem
from leakaudit.sources.storage import is_remote
from leakaudit.sources.storage.inside import group_of

if TYPE_CHECKING:
    from leakaudit.config import Config
    from leakaudit.engines.progress import Progress
    from leakaudit.model import IntArray, Samples

CHUNK, CHUNK_BYTES = 512, 1 << 23
"""Pictures, or bytes of them, that one worker takes at a time: decoding 8 MiB takes as long as starting a worker (0.15
s), so that few icons start one and few photographs as many as there are cores."""

CHUNK_CELLS = 64
"""Cells that one worker takes at least; then to the end of their group (the Hub writes groups of 100 pictures)."""

LEAST_PIECE, MOST_PIECES = 1_024, 4
"""A group of so many cells (pandas writes one of all rows) is shared by up to four workers: who begins in its middle
reads through what is before, at 1 GB/s, so that four read it two and a half times, a twentieth of the work."""

SAVED_TOGETHER = 4_096
SAVED_SECONDS = 10.0
"""Records are saved in such lots, so that a scan that is killed has not worked in vain."""


def fingerprint_images(
    samples: Samples, config: Config, progress: Progress, *, splits: Sequence[str] = ()
) -> ImageFingerprints:
    """Fingerprint every picture; each file is read at most once and decoded at most once.

    Parameters
    ----------
    samples : Samples
    config : Config
        `jobs`, `use_cache` and `cache_dir` matter.
    progress : Progress
    splits : sequence of str
        Names for ``samples.split``, put into the problems.

    Returns
    -------
    ImageFingerprints
        Aligned with the samples. What could not be read is among its problems.
    """
    paths: list[bytes] = samples.path.to_pylist()
    sizes, mtimes_ns = _stats(samples, paths)
    with PictureCache.of(config) as cache, progress("Fingerprinting", total=len(paths), unit="pictures") as advance:
        key = _listing_key(paths, sizes, mtimes_ns)
        listed = cache.places_of_listing(key)
        places = cache.places_of_files(_absolute(paths), sizes, mtimes_ns) if listed is None else listed.copy()
        records, found = cache.load(places)
        found &= (records["size"].astype(np.int64) == sizes) | (sizes < 0)
        places[~found] = -1
        advance(int(found.sum()))

        failures: dict[int, Failure] = {}
        todo = np.flatnonzero(~found)
        use_contents = cache.has_contents()
        while len(todo):
            absolute = _absolute([paths[at] for at in todo.tolist()])
            stats = zip(absolute, sizes[todo].tolist(), mtimes_ns[todo].tolist(), strict=True)
            files = [Listed(path, size, mtime_ns) for path, size, mtime_ns in stats]
            held = np.full(len(paths), -1, dtype=np.int64)
            done = 0
            known_contents = cache.folder if use_contents else None
            for scanned in _together(_scan(files, config, known_contents, advance)):
                at = todo[done : done + len(scanned)]
                places[at] = _save(cache, files[done : done + len(at)], scanned)
                records[at] = scanned.records
                held[at] = scanned.places
                failures |= {int(at[i]): failure for i, failure in scanned.failures.items()}
                done += len(at)
            known = np.flatnonzero(held >= 0)
            records[known], found = cache.load(held[known])
            todo = known[~found]  # once more, where a damaged cache could not give back
            use_contents &= not len(todo)
        if listed is None or not np.array_equal(places, listed):
            cache.add_listing(key, places)
        note = cache.note

    problems = []
    for row, failure in sorted(failures.items()):
        records["problem"][row] = PROBLEM_KINDS.index(failure.kind)
        split = splits[int(samples.split[row])] if splits else None
        problems.append(Problem(samples.uri[row].as_py(), failure.kind, failure.reason, split))
    return ImageFingerprints(records, tuple(problems), samples.path, (note,) if note else ())


# --- the files -------------------------------------------------------------------------------------------------


def _stats(samples: Samples, paths: Sequence[bytes]) -> tuple[IntArray, IntArray]:
    """Size and modification time of every file as listed, -1 where there is none."""
    n = len(paths)
    sizes = np.full(n, -1, dtype=np.int64) if samples.size is None else samples.size.astype(np.int64)
    mtimes_ns = np.full(n, -1, dtype=np.int64) if samples.mtime_ns is None else samples.mtime_ns.astype(np.int64)
    for at in np.flatnonzero((sizes < 0) | (mtimes_ns < 0)).tolist():
        if b"\0" in paths[at]:  # inside a file: its size is known once it is read
            continue
        with suppress(OSError, ValueError):
            status = os.stat(paths[at])  # noqa: PTH116  a bytes path
            sizes[at], mtimes_ns[at] = status.st_size, status.st_mtime_ns
    return sizes, mtimes_ns


def _absolute(paths: Sequence[bytes]) -> list[bytes]:
    here = os.path.join(os.getcwdb(), b"")  # noqa: PTH109, PTH118  bytes paths
    return [path if os.path.isabs(path) or is_remote(path) else here + path for path in paths]  # noqa: PTH117  bytes paths


def _listing_key(paths: Sequence[bytes], sizes: IntArray, mtimes_ns: IntArray) -> bytes:
    """Digest of everything that a rescan of the same files would have to find unchanged."""
    digest = blake3(os.getcwdb())  # noqa: PTH109  relative paths mean another file elsewhere
    for part in (b"\0".join(paths), sizes.tobytes(), mtimes_ns.tobytes()):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.digest(16)


def _scan(
    files: Sequence[Listed], config: Config, known_contents: Path | None, advance: Callable[[int], None]
) -> Iterator[Scanned]:
    """Read and fingerprint files on all cores of the engine, in their order.

    On this machine in worker processes, so that a file that crashes its decoder loses itself; a cluster's executors are
    processes already, and replaced when they die.
    """
    is_here = config.engine == "local"
    telling = told(file.path for file in files) if is_here else None
    kernel = Kernel.of(
        fingerprint_files,
        crashed=crashed_files,
        processes=telling is not None,
        told=telling,
        # The cache lies on this machine.
        known_contents=str(known_contents) if known_contents and is_here else None,
    )
    tables = (files_table(chunk) for chunk in _chunks(files))
    with quiet_decoders(), _one_thread_a_product():
        for table in engine_of(config).map(kernel, tables):
            scanned = scanned_of(table)
            advance(len(scanned))
            yield scanned


def _chunks(files: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """Files by number and bytes, cells by the groups in which they lie."""
    waiting: list[Listed] = []
    for group, run in groupby(files, key=lambda file: group_of(file.path)):
        members = list(run)
        n_pieces = 1 if group is None else min(MOST_PIECES, len(members) // LEAST_PIECE)
        if group is not None and n_pieces < 2:
            waiting += members
            if len(waiting) < CHUNK_CELLS:
                continue
            members = []
        if waiting:
            yield waiting
            waiting = []
        if group is None:
            yield from _files_together(members)
        elif members:
            size = -(-len(members) // n_pieces)
            yield from (members[at : at + size] for at in range(0, len(members), size))
    if waiting:
        yield waiting


def _files_together(files: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    start = n_bytes = 0
    for stop, file in enumerate(files):
        n_bytes += max(file.size, 0)
        if stop > start and (stop - start == CHUNK or n_bytes > CHUNK_BYTES):
            yield files[start:stop]
            start, n_bytes = stop, max(file.size, 0)
    yield files[start:]


@contextmanager
def _one_thread_a_product() -> Iterator[None]:
    """Keep the threads of the matrix products out of the way of the workers, which use all cores already."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _together(scans: Iterator[Scanned]) -> Iterator[Scanned]:
    """Join chunks until they are worth a transaction, or have been waiting for long."""
    waiting: list[Scanned] = []
    since = time.monotonic()
    for scanned in scans:
        waiting.append(scanned)
        if sum(map(len, waiting)) >= SAVED_TOGETHER or time.monotonic() - since > SAVED_SECONDS:
            yield _join(waiting)
            waiting, since = [], time.monotonic()
    if waiting:
        yield _join(waiting)


def _join(parts: Sequence[Scanned]) -> Scanned:
    failures: dict[int, Failure] = {}
    at = 0
    for part in parts:
        failures |= {at + i: failure for i, failure in part.failures.items()}
        at += len(part)
    return Scanned(
        np.concatenate([part.records for part in parts]),
        np.concatenate([part.places for part in parts]),
        np.concatenate([part.settled for part in parts]),
        failures,
    )


def _save(cache: PictureCache, files: Sequence[Listed], scanned: Scanned) -> IntArray:
    """Store what is new, and give the places by which the listing may find its records again."""
    places = scanned.places.copy()
    is_new = places < 0
    is_new[list(scanned.failures)] = False
    places[is_new] = cache.add(scanned.records[is_new])
    cache.add_failures(
        [(failure.content, failure.kind, failure.reason) for failure in scanned.failures.values() if failure.content]
    )
    places[~scanned.settled] = -1
    cache.add_files([(*files[at], int(places[at])) for at in np.flatnonzero(places >= 0).tolist()])
    return places
