"""This machine: work over all cores, results in input order, in bounded memory.

Threads where that is enough; processes (`leakaudit.engines.workers`) where Python itself is the bottleneck, and where
the work may end its process: one that a hostile file kills is replaced while the rest of the work goes on.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from leakaudit.engines.workers import Worker, WorkerDiedError, waiting_workers

if TYPE_CHECKING:
    import pyarrow as pa

    from leakaudit.engines.base import Kernel

C = TypeVar("C", bound=Sequence[Any])
R = TypeVar("R")

_here = threading.local()

_AHEAD = 2
"""Chunks a worker may be ahead of the one that is awaited."""


def usable_cores() -> int:
    """Cores this process may use: its affinity, where the system knows one."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Local:
    """This machine as a `leakaudit.engines.base.Engine`.

    Parameters
    ----------
    jobs : int
        Workers.
    """

    jobs: int

    @property
    def parallelism(self) -> int:
        """The workers."""
        return self.jobs

    def map(self, kernel: Kernel, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Over threads, or processes where the kernel asks for them; else with one worker in the calling thread."""
        crashed = kernel.answer_for_crash if kernel.crashed else None
        return map_chunks(kernel, tables, jobs=self.jobs, processes=kernel.processes, on_crash=crashed)

    def broadcast_map(self, kernel: Kernel, index: pa.Table, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """As `map`: threads share the index, and processes the pages of a file that holds it."""
        if not kernel.processes:
            yield from map_chunks(partial(kernel, index), tables, jobs=self.jobs)
            return
        # Windows removes no file that a worker maps.
        with TemporaryDirectory(prefix="leakaudit-", ignore_cleanup_errors=True) as folder:
            path = str(Path(folder) / "index.arrow")
            _write(index, path)
            yield from map_chunks(partial(_with_index, kernel, path), tables, jobs=self.jobs, processes=True)

    def shuffle(
        self, make: Kernel, kernel: Kernel, tables: Iterable[pa.Table], *, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.Table]:
        """All rows are one lot: they are in one memory already."""
        import pyarrow as pa

        del columns, n_rows
        rows = list(self.map(make, tables))
        if rows:
            yield kernel(pa.concat_tables(rows))


def _write(table: pa.Table, path: str) -> None:
    import pyarrow as pa

    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


@lru_cache(maxsize=1)
def _mapped(path: str) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _with_index(kernel: Kernel, path: str, table: pa.Table) -> pa.Table:
    return kernel(_mapped(path), table)


def raise_if_stopped() -> None:
    """Give up a chunk that nobody waits for any more: on Ctrl-C a thread ends after one file, not after its chunk.

    Raises
    ------
    concurrent.futures.CancelledError
        The work that this thread belongs to was stopped.
    """
    stopped: threading.Event | None = getattr(_here, "stopped", None)
    if stopped is not None and stopped.is_set():
        raise CancelledError


def map_chunks(
    work: Callable[[C], R],
    chunks: Iterable[C],
    *,
    jobs: int | None = None,
    processes: bool = False,
    on_crash: Callable[[C], R] | None = None,
) -> Iterator[R]:
    """Apply a function to chunks on all cores.

    Parameters
    ----------
    work : callable
        With `processes`, it, the chunks and the results must be picklable, and it must be importable.
    chunks : iterable of sequences
        Worked on in this order, and taken as they are needed: at most a few per worker are in memory at a time.
    jobs : int or None
        Workers; None: `usable_cores`. With one, everything runs in the calling thread (unless `processes`).
    processes : bool, default False
        Use worker processes; where none can be started, threads serve.
    on_crash : callable or None
        With `processes`: what to answer for a chunk of one item that killed its worker (a crash inside a decoder).
        The chunk around it is halved until that item is alone, so one chunk may then yield several results, still in
        order.

    Yields
    ------
    object
        Results in the order of the chunks.

    Raises
    ------
    RuntimeError
        Two worker processes died of the same chunk and there is no `on_crash`.
    Exception
        Whatever `work` raised first, in the order of the chunks. Workers are stopped first, also on Ctrl-C.
    """
    rest = iter(chunks)
    first = list(islice(rest, jobs or usable_cores()))
    workers, chunks = max(1, len(first)), chain(first, rest)
    del first
    if processes:
        yield from _in_processes(work, chunks, workers, on_crash)
    elif workers == 1:
        for chunk in chunks:
            yield work(chunk)
    else:
        yield from _in_order(lambda chunk: [work(chunk)], chunks, workers)


def _in_order(
    work: Callable[[C], list[R]],
    chunks: Iterable[C],
    workers: int,
    stop: Callable[[bool], None] = lambda _finished: None,
) -> Generator[R, None, None]:
    """Results in order; `stop` is told whether all of them were taken."""
    finished = False
    waiting: deque[Future[list[R]]] = deque()
    stopped = threading.Event()
    pool = ThreadPoolExecutor(workers, "leakaudit", initializer=lambda: setattr(_here, "stopped", stopped))
    try:
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) >= workers * (1 + _AHEAD):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
        finished = True
    finally:
        for future in waiting:
            future.cancel()
        stopped.set()
        stop(finished)  # before the threads are waited for: on Ctrl-C they are still at work
        pool.shutdown(wait=True, cancel_futures=True)


# --- worker processes ------------------------------------------------------------------------------------------


def _in_processes(
    work: Callable[[C], R], chunks: Iterable[C], workers: int, on_crash: Callable[[C], R] | None
) -> Iterator[R]:
    mine = threading.local()
    started: set[Worker] = set()
    waiting = waiting_workers()
    stopping = False
    lock = threading.Lock()

    def worker() -> Worker | None:
        if not hasattr(mine, "worker"):
            new = waiting.take()
            with lock:
                if new is not None and stopping:
                    new.stop()
                    raise WorkerDiedError
                if new is not None:
                    started.add(new)
            mine.worker = new
        current: Worker | None = mine.worker
        return current

    def run(chunk: C, *, again: bool = False) -> list[R]:
        current = None
        try:
            current = worker()
            return [work(chunk) if current is None else current.call(work, chunk)]
        except WorkerDiedError:
            if stopping:
                return []
            assert current is not None
            current.stop()
            with lock:
                started.discard(current)
            del mine.worker
        if on_crash is None and again:
            raise RuntimeError("a worker process died, and another one of the same work")
        if on_crash is None:
            return run(chunk, again=True)
        if len(chunk) == 1:
            return [on_crash(chunk)]
        middle = len(chunk) // 2
        return [*run(_part(chunk, 0, middle)), *run(_part(chunk, middle, len(chunk)))]

    def stop(finished: bool) -> None:
        nonlocal stopping
        with lock:
            stopping = True
            for each in started:
                if finished:
                    waiting.give(each)
                else:
                    each.stop()

    yield from _in_order(run, chunks, workers, stop)


def _part(chunk: C, start: int, stop: int) -> C:
    part: C = chunk[start:stop]  # type: ignore[assignment]
    return part
