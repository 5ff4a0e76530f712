"""Decoding in worker processes, where a file that crashes its decoder, or does not fit in memory, ends nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from PIL import Image

from leakaudit.engines.local import map_chunks
from leakaudit.fingerprints.pictures.decode import quiet_decoders
from leakaudit.sources.storage import is_remote

C = TypeVar("C")
R = TypeVar("R")


def told(paths: Iterable[bytes]) -> dict[str, Any] | None:
    """What a worker has to `adopt` to decode these as this process would; None: only this process can read one of them.

    The environment is there anyway. What else was set in Python is the size up to which Pillow decodes, and fsspec's
    configuration.
    """
    storage: dict[str, Any] | None = {}
    if addresses := [path for path in paths if is_remote(path)]:
        from leakaudit.sources.storage.remote import reach

        storage = reach(addresses)
    return None if storage is None else {"most_pixels": Image.MAX_IMAGE_PIXELS, "storage": storage}


def adopt(told: Mapping[str, Any]) -> None:
    """Take over what the parent process told."""
    Image.MAX_IMAGE_PIXELS = told["most_pixels"]
    if told["storage"]:
        from leakaudit.sources.storage import remote

        remote.adopt(told["storage"])


def map_apart(
    work: Callable[[Sequence[C]], R],
    items: Sequence[C],
    *,
    paths: Iterable[bytes],
    together: int,
    jobs: int | None,
    on_crash: Callable[[Sequence[C]], R],
) -> Iterator[R]:
    """Apply a function that decodes to items, a few at a time, in workers that can read the paths; else in threads.

    Parameters
    ----------
    work : callable
        Importable and picklable, as are the items and the results.
    items : sequence
    paths : iterable of bytes
        Every file or object that `work` reads.
    together : int
        Items that one worker takes at a time.
    jobs : int or None
        As in `leakaudit.engines.local.map_chunks`.
    on_crash : callable
        What to answer for a sequence of one item that ended its worker.

    Yields
    ------
    object
        Results in the order of the items.
    """
    telling = told(paths)
    chunks = [items[at : at + together] for at in range(0, len(items), together)]
    with quiet_decoders():
        if telling is None:
            yield from map_chunks(work, chunks, jobs=jobs)
        else:
            told_work = partial(_work_as_told, telling, work)
            yield from map_chunks(told_work, chunks, jobs=jobs, processes=True, on_crash=on_crash)


def _work_as_told(telling: Mapping[str, Any], work: Callable[[Sequence[C]], R], chunk: Sequence[C]) -> R:
    adopt(telling)
    return work(chunk)
