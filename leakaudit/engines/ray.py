"""Ray as an engine: one task for each table."""

from __future__ import annotations

import atexit
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from leakaudit.engines.base import Kernel, n_lots, said
from leakaudit.engines.executor import Call, answer, call_of, from_bytes, to_bytes
from leakaudit.errors import ConfigError, UserError

if TYPE_CHECKING:
    from ray import ObjectRef

_ATTEMPTS = 4
_AHEAD = 3
_OBJECT_STORE = 1 << 30
_FIXED = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: spreads equal steps over all bits


@dataclass(frozen=True, slots=True)
class Ray:
    """A connection to Ray as a `leakaudit.engines.base.Engine`."""

    parallelism: int

    @classmethod
    def of(cls, address: str | None, jobs: int) -> Ray:
        """The connection that this process already has, else a new one that ends with the process.

        Parameters
        ----------
        address : str or None
            Of a cluster: ``auto``, ``host:6379``, ``ray://host:10001``; None: Ray is started on this machine with so
            many jobs, on loopback, without its dashboard.

        Raises
        ------
        ConfigError
            No connection can be made.
        """
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address is None:  # Ray's name for listening on loopback alone; read at its import, also by its processes
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        import ray

        if not ray.is_initialized():
            quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
            if address is None:
                quiet |= {"num_cpus": jobs, "include_dashboard": False, "object_store_memory": _OBJECT_STORE}
            try:
                ray.init(address=address or "local", **quiet)
            except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                raise ConfigError(f"engine ray: no connection to {address or 'this machine'}: {said(error)}") from error
            atexit.register(ray.shutdown)
        return cls(max(1, int(ray.cluster_resources().get("CPU", 1))))

    def map(self, kernel: Kernel, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """One task for each table."""
        yield from self._run(call_of(kernel), tables, None)

    def broadcast_map(self, kernel: Kernel, index: pa.Table, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """One task for each table; the index lies in the object store."""
        import ray

        yield from self._run(call_of(kernel), tables, ray.put(to_bytes(index)))

    def shuffle(
        self, make: Kernel, kernel: Kernel, tables: Iterable[pa.Table], *, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.Table]:
        """Rows lie in the object store, a part for each lot, until the workers that work on their lots fetch them."""
        n = n_lots(n_rows, self.parallelism)
        made = _remote(_make, num_returns=n, max_retries=_ATTEMPTS)
        work = _remote(_work, max_retries=_ATTEMPTS)
        parts = [made(call_of(make), to_bytes(table), list(columns), n) for table in tables]
        if n == 1:
            parts = [[part] for part in parts]
        for found in [work(call_of(kernel), *(part[lot] for part in parts)) for lot in range(n)]:
            error, payload = _get(found)
            yield from _tables(error, payload)

    def _run(self, call: Call, tables: Iterable[pa.Table], index: ObjectRef[bytes] | None) -> Iterator[pa.Table]:
        """A few tasks for each core are under way; one whose worker died is tried again, with care."""
        start = _remote(answer, max_retries=0)
        waiting: deque[_Task] = deque()
        try:
            for table in tables:
                waiting.append(_Task(partial(start, call, to_bytes(table), index)))
                if len(waiting) >= _AHEAD * self.parallelism:
                    yield from waiting.popleft().tables()
            while waiting:
                yield from waiting.popleft().tables()
        finally:
            for task in waiting:
                task.cancel()


class _Task:
    """A table that is worked on."""

    def __init__(self, start: Callable[..., ObjectRef[Any]]) -> None:
        self._start = start
        self._found = start()

    def tables(self) -> Iterator[pa.Table]:
        from ray.exceptions import NodeDiedError, ObjectLostError, OutOfMemoryError, WorkerCrashedError

        for _ in range(_ATTEMPTS - 1):
            try:
                error, payload = _get(self._found)
                break
            except (WorkerCrashedError, NodeDiedError, ObjectLostError, OutOfMemoryError):
                self._found = self._start(again=True)
        else:
            error, payload = _get(self._found)
        yield from _tables(error, payload)

    def cancel(self) -> None:
        import ray

        ray.cancel(self._found)


def _remote(function: Callable[..., Any], **options: int) -> Callable[..., Any]:
    import ray

    started: Callable[..., Any] = ray.remote(function).options(num_cpus=1, **options).remote
    return started


def _get(found: ObjectRef[Any]) -> tuple[str | None, bytes]:
    """What a task answered; errors of the system pass, those of the code are the user's to see."""
    import ray
    from ray.exceptions import RayTaskError

    try:
        answered: tuple[str | None, bytes] = ray.get(found)
    except RayTaskError as error:
        raise UserError(f"engine ray: {said(error)}") from error
    return answered


def _tables(error: str | None, payload: bytes) -> Iterator[pa.Table]:
    if error is not None:
        raise UserError(error)
    if payload:
        yield from_bytes(payload)


# --- on the workers -------------------------------------------------------------------------------------------


def _make(call: Call, payload: bytes, columns: list[str], n: int) -> Any:  # noqa: ANN401  n parts, or the only one
    """The rows of a table in n parts, by their key."""
    error, made = answer(call, payload)
    if error is not None:
        parts: list[tuple[str | None, bytes]] = [(error, b"")] * n
    else:
        rows = from_bytes(made).select(columns)
        keys = rows.column(0).to_numpy().view(np.uint64)
        lot = ((keys * _FIXED) >> np.uint64(32)) % np.uint64(n)
        parts = [(None, to_bytes(rows.filter(pa.array(lot == number)))) for number in range(n)]
    return parts if n > 1 else parts[0]


def _work(call: Call, *parts: tuple[str | None, bytes]) -> tuple[str | None, bytes]:
    for error, _ in parts:
        if error is not None:
            return error, b""
    rows = pa.concat_tables([from_bytes(payload) for _, payload in parts]) if parts else None
    if rows is None or not len(rows):
        return None, b""
    error, found = answer(call, to_bytes(rows))
    return error, found
