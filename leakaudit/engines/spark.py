"""Apache Spark as an engine: ``mapInArrow``, ``repartition(key).mapInArrow``, broadcast variables.

A table travels as one row, its number and its Arrow IPC bytes, in a partition of its own. So results can be put in
order again, a lost task costs one table, and no Arrow type has to survive Spark's own types.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar
from uuid import uuid4

import pyarrow as pa

from leakaudit.engines.base import Kernel, n_lots, said
from leakaudit.engines.executor import Call, answer, call_of, from_bytes, to_bytes
from leakaudit.errors import ConfigError, UserError

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.core.broadcast import Broadcast
    from pyspark.sql import DataFrame, SparkSession

R = TypeVar("R")
_Serve: TypeAlias = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class _Submit(Protocol):
    def __call__(self, work: Callable[[], R]) -> Future[R]:
        """Run it on a thread that talks to Spark."""


WAVE = 64
"""Tables of one Spark job, or twice as many as there are cores: enough to make up for the 0.1 s that a job takes."""

_ATTEMPTS = 4
_ANSWER = "number bigint, error string, payload binary"


@dataclass(frozen=True, slots=True)
class Spark:
    """A Spark session as a `leakaudit.engines.base.Engine`."""

    session: SparkSession

    @classmethod
    def of(cls, address: str | None, jobs: int) -> Spark:
        """The session that this process already has, else a new one that ends with the process.

        Parameters
        ----------
        address : str or None
            Spark's master: ``local[4]``, ``spark://host:7077``, ``yarn``; None: ``local[jobs]``.

        Raises
        ------
        ConfigError
            No session can be started.
        """
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        try:
            return cls(SparkSession.active())
        except PySparkException:  # there is none
            # On a thread, as all talk with Java; only on the main one would PySpark handle Ctrl-C its own way.
            with ThreadPoolExecutor(1, "leakaudit-spark") as pool:
                return cls(pool.submit(_start, address or f"local[{jobs}]").result())

    @property
    def parallelism(self) -> int:
        """Cores that the session has now."""
        return int(self.session.sparkContext.defaultParallelism)

    def map(self, kernel: Kernel, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """One task for each table."""
        with _threads(self.session.sparkContext) as submit:
            yield from self._run(submit, partial(_serve, call=call_of(kernel)), tables)

    def broadcast_map(self, kernel: Kernel, index: pa.Table, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """One task for each table; the index is a broadcast variable."""
        context = self.session.sparkContext
        with _threads(context) as submit:
            shared = submit(lambda: context.broadcast(to_bytes(index))).result()
            try:
                yield from self._run(submit, partial(_serve, call=call_of(kernel), index=shared), tables)
            finally:
                shared.destroy()

    def shuffle(
        self, make: Kernel, kernel: Kernel, tables: Iterable[pa.Table], *, columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.Table]:
        """Rows are made on the workers and go straight to those that work on their lots."""
        types = ", ".join((*(f"{name} bigint" for name in columns), "error string"))
        packed = _packed(enumerate(tables))

        def run() -> list[pa.Table]:
            with _building():
                made = self.session.createDataFrame(packed).mapInArrow(
                    partial(_make, call=call_of(make), columns=columns), types
                )
                lots = made.repartition(n_lots(n_rows, self.parallelism), columns[0])
                answers = lots.mapInArrow(partial(_work, call=call_of(kernel), columns=columns), _ANSWER)
            return _collected(answers)

        with _threads(self.session.sparkContext) as submit:
            yield from submit(run).result()

    def _run(self, submit: _Submit, serve: _Serve, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Waves of tables as jobs, the next one submitted while one is at work: no core waits for the last task."""
        numbered = enumerate(tables)
        size = max(WAVE, 2 * self.parallelism)
        waiting: deque[Future[list[pa.Table]]] = deque()

        def run(wave: pa.Table) -> list[pa.Table]:
            with _building():
                frame = self.session.createDataFrame(wave).mapInArrow(serve, _ANSWER)
            return _collected(frame)

        while len(wave := _packed(islice(numbered, size))):
            waiting.append(submit(partial(run, wave)))
            if len(waiting) == 2:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _packed(numbered: Iterable[tuple[int, pa.Table]]) -> pa.Table:
    """One row a table, each in a record batch of its own, of which Spark makes a partition."""
    schema = pa.schema([("number", pa.int64()), ("payload", pa.binary())])
    batches = [
        pa.record_batch([pa.array([number]), pa.array([to_bytes(table)], pa.binary())], schema=schema)
        for number, table in numbered
    ]
    return pa.Table.from_batches(batches, schema)


@contextmanager
def _threads(context: SparkContext) -> Iterator[_Submit]:
    """Threads that talk to Spark, with all jobs that they started cancelled if the caller gives up.

    The caller's own thread only waits: on Ctrl-C an exception breaks into whatever it does, and a conversation with
    Java that breaks off in the middle spoils its connection.
    """
    group = f"leakaudit-{uuid4()}"
    futures: list[Future[Any]] = []
    stopped = threading.Event()
    pool = ThreadPoolExecutor(2, "leakaudit-spark")

    def in_group(work: Callable[[], R]) -> R:
        if stopped.is_set():
            raise CancelledError
        context.setJobGroup(group, "leakaudit", interruptOnCancel=True)
        return work()

    def submit(work: Callable[[], R]) -> Future[R]:
        futures[:] = [future for future in futures if not future.done()]
        futures.append(future := pool.submit(in_group, work))
        return future

    try:
        yield submit
    except BaseException:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        while futures:  # again, for a thread that was about to start a job
            context.cancelJobGroup(group)
            futures = [*wait(futures, timeout=0.2).not_done]
        raise
    finally:
        pool.shutdown()


_one_at_a_time = threading.Lock()


@contextmanager
def _building() -> Iterator[None]:
    """One thread at a time, without PySpark's warning of pandas 3, through which no table of leakaudit goes."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        yield


def _start(master: str) -> SparkSession:
    """A quiet session; one on this machine listens on loopback alone, and tries a lost task again."""
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("leakaudit")
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
    if here := re.fullmatch(r"local(?:\[(\d+|\*)\])?", master):
        master = f"local[{here[1] or 1},{_ATTEMPTS}]"
    if master.startswith("local"):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        logging = Path(__file__).with_name("log4j2.properties").absolute().as_uri()
        settings["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={logging}"
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    else:
        settings["spark.log.level"] = "ERROR"
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        with _building():
            session = builder.master(master).getOrCreate()
    except PySparkException as error:
        needs = "Spark needs Java 17 or later (JAVA_HOME, or java on the PATH)"
        raise ConfigError(f"engine spark: no session at {master}: {said(error)}; {needs}") from error
    except Exception as error:  # py4j passes on whatever Java raised
        raise ConfigError(f"engine spark: no session at {master}: {said(error)}") from error
    atexit.register(session.stop)
    return session


def _collected(frame: DataFrame) -> list[pa.Table]:
    """Answers in the order of their numbers.

    Raises
    ------
    UserError
        What a kernel said, or Spark.
    """
    from pyspark.errors import PySparkException

    try:
        found = frame.toArrow().sort_by("number")
    except PySparkException as error:
        raise UserError(f"engine spark: {said(error)}") from error
    for told in found.column("error").drop_null().to_pylist():
        raise UserError(told)
    return [from_bytes(payload.as_buffer()) for payload in found.column("payload")]


# --- on the workers -------------------------------------------------------------------------------------------


def _serve(
    batches: Iterator[pa.RecordBatch], call: Call, index: Broadcast[bytes] | None = None
) -> Iterator[pa.RecordBatch]:
    """Answer every table of a partition; after a worker died of one, carefully."""
    from pyspark import TaskContext

    task = TaskContext.get()
    again = task is not None and task.attemptNumber() > 0
    shared = index.value if index is not None else None
    for batch in batches:
        for number, payload in zip(batch.column(0), batch.column(1), strict=True):
            yield _answer_batch(number.as_py(), *answer(call, payload.as_buffer(), shared, again=again))


def _make(batches: Iterator[pa.RecordBatch], call: Call, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for payload in batch.column(1):
            error, made = answer(call, payload.as_buffer())
            if error is not None:
                yield pa.record_batch([*([pa.array([0])] * len(columns)), pa.array([error])], [*columns, "error"])
                continue
            rows = from_bytes(made).select(columns)
            yield from rows.append_column("error", pa.nulls(len(rows), pa.string())).to_batches()


def _work(batches: Iterator[pa.RecordBatch], call: Call, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    held = list(batches)
    rows = pa.Table.from_batches(held) if held else None
    if rows is None or not len(rows):
        return
    errors = rows.column("error").drop_null()
    if len(errors):
        yield _answer_batch(0, errors[0].as_py(), b"")
    else:
        yield _answer_batch(0, *answer(call, to_bytes(rows.select(columns))))


def _answer_batch(number: int, error: str | None, payload: bytes) -> pa.RecordBatch:
    schema = pa.schema([("number", pa.int64()), ("error", pa.string()), ("payload", pa.binary())])
    return pa.record_batch(
        [pa.array([number]), pa.array([error], pa.string()), pa.array([payload], pa.binary())], schema=schema
    )
