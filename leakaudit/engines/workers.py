"""Worker processes of this machine: plain ``python -c`` children that are called over pipes.

They do not import the caller's ``__main__`` (a script without a main guard, a notebook, an embedded interpreter all
work), and they end when the parent ends, however it ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, TypeVar

from leakaudit.engines.pandas_unseen import hide_pandas

R = TypeVar("R")

KEPT = 4
"""Workers that wait for more work at a time. One takes 0.15 s to start and 60 MB."""

_START_SECONDS = 60.0

_SERVE = "import sys; sys.path[:] = {path!r}; from leakaudit.engines.workers import _serve; _serve()"


class WorkerDiedError(Exception):
    """The process ended before it answered."""


class Worker:
    """A child interpreter, called by one thread at a time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    @classmethod
    def start(cls) -> Worker | None:
        """Start a child and wait for its first sign of life; None where that fails."""
        if not sys.executable:
            return None
        one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        try:
            process = subprocess.Popen(  # noqa: S603  this interpreter, our own code
                [sys.executable, "-c", _SERVE.format(path=[str(Path(entry).absolute()) for entry in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **one_thread},
            )
        except OSError:
            return None
        worker = cls(process)
        watch = threading.Timer(_START_SECONDS, process.kill)
        watch.daemon = True
        watch.start()
        try:
            worker.call(len, ())
        except WorkerDiedError:
            worker.stop()
            return None
        finally:
            watch.cancel()
        return worker

    def call(self, work: Callable[..., R], chunk: Sequence[Any]) -> R:
        """What a picklable, importable function makes of a chunk there.

        Raises
        ------
        WorkerDiedError
        Exception
            What the function raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            _send(self._process.stdin, (work, chunk))
            succeeded, result = _receive(self._process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            raise WorkerDiedError from None
        if not succeeded:
            raise result
        value: R = result
        return value

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # a half-written message
                    continue
        self._process.wait()


class Waiting:
    """Workers that have done their work and may do more.

    Parameters
    ----------
    room : int
        How many may wait at a time; others are stopped.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._workers: list[Worker] = []
        self._lock = threading.Lock()

    def take(self) -> Worker | None:
        """One that waits, else a new one; None where no process can be started."""
        while True:
            with self._lock:
                if not self._workers:
                    break
                worker = self._workers.pop()
            if worker.is_alive:
                return worker
            worker.stop()
        return Worker.start()

    def give(self, worker: Worker) -> None:
        """Let one wait that has answered every call."""
        with self._lock:
            if len(self._workers) < self.room:
                self._workers.append(worker)
                return
        worker.stop()

    def make_room(self, room: int) -> int:
        """Let so many wait from now on, and end those that are more; how many it was."""
        with self._lock:
            before, self.room = self.room, room
            for worker in self._workers[room:]:
                worker.stop()
            del self._workers[room:]
        return before


_waiting: ContextVar[Waiting | None] = ContextVar("_waiting", default=None)


@contextmanager
def workers_kept(room: int = KEPT) -> Iterator[None]:
    """Inside, and in this thread, workers that have done their work wait for more of it.

    An audit decodes at three moments; in a small one, starting workers takes longer than what they do.

    Parameters
    ----------
    room : int, default `KEPT`
        How many may wait at a time. Inside of another ``with``, the greater number, until this one ends.
    """
    waiting = waiting_workers()
    before = waiting.make_room(max(room, waiting.room))
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
        waiting.make_room(before)


def waiting_workers() -> Waiting:
    """Those that `workers_kept` keeps; outside of it, none, and none is kept."""
    return _waiting.get() or Waiting(0)


def _send(pipe: IO[bytes], message: object) -> None:
    data = pickle.dumps(message, protocol=5)
    pipe.write(len(data).to_bytes(8, "little"))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:  # noqa: ANN401  whatever was sent
    size = pipe.read(8)
    if len(size) < 8:
        raise EOFError
    return pickle.loads(_exactly(pipe, int.from_bytes(size, "little")))  # noqa: S301  our own child's pipe


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _serve() -> None:
    """Body of a worker process: answer calls until the parent closes the pipe."""
    import signal

    hide_pandas()
    _be_the_first_to_go()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, sys.stdout.fileno())  # what a C library prints must not end up between the answers
    while True:
        try:
            work, chunk = _receive(requests)
        except EOFError:
            return
        try:
            answer = (True, work(chunk))
        except Exception as error:  # noqa: BLE001  raised again in the parent
            answer = (False, _sendable(error))
        _send(answers, answer)


def _be_the_first_to_go() -> None:
    """Where memory runs out, Linux ends the process of highest score: a worker can be replaced, its parent cannot."""
    with suppress(OSError):
        adjustment = Path("/proc/self/oom_score_adj")
        adjustment.write_text(str(max(500, int(adjustment.read_text()))))


def _sendable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own error
    except Exception:  # noqa: BLE001  errors with odd constructors
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
