"""Work in order on all cores: threads, processes, crashes, errors, early ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leakaudit.engines import local, workers
from leakaudit.engines.local import map_chunks, raise_if_stopped, usable_cores
from leakaudit.engines.workers import KEPT, workers_kept
from processes import alive

CHUNKS = [list(range(at, at + 7)) for at in range(0, 700, 7)]


@pytest.mark.parametrize(("jobs", "processes"), [(1, False), (3, False), (2, True), (None, False)])
def test_results_come_in_order(jobs, processes):
    assert list(map_chunks(sum, CHUNKS, jobs=jobs, processes=processes)) == [sum(chunk) for chunk in CHUNKS]
    assert list(map_chunks(sum, [], jobs=jobs, processes=processes)) == []


def test_memory_is_bounded():
    started = []
    results = map_chunks(lambda chunk: started.append(chunk) or chunk, CHUNKS, jobs=2)
    for _ in range(3):
        next(results)
    time.sleep(0.05)
    assert len(started) <= 3 + 2 * (1 + local._AHEAD)
    results.close()


@pytest.mark.parametrize("processes", [False, True])
def test_the_first_error_is_raised(processes):
    with pytest.raises(TypeError):
        list(map_chunks(sum, [[1], ["a"], [2]], jobs=2, processes=processes))


def test_an_error_that_cannot_be_sent_is_told():
    assert isinstance(workers._sendable(OSError(2, "no")), OSError)

    class OddError(Exception):
        def __init__(self, one, two):
            super().__init__(one)

    assert "OddError" in str(workers._sendable(OddError(1, 2)))


@pytest.fixture
def helpers(tmp_path, monkeypatch):
    """A module that worker processes can import."""
    (tmp_path / "pool_helpers.py").write_text(
        "import os, time\n"
        "def pid(chunk):\n    return os.getpid()\n"
        "def crash_at_13(chunk):\n    if 13 in chunk:\n        os._exit(9)\n    return list(chunk)\n"
        "def shout(chunk):\n    print('noise' * 5000, flush=True)\n    os.write(1, b'noise')\n    return len(chunk)\n"
        "def score(chunk):\n    return int(open('/proc/self/oom_score_adj').read())\n"
        "def slow_pid(chunk):\n    time.sleep(1)\n    return os.getpid()\n"
        "def slow(chunk):\n    time.sleep(4)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import pool_helpers

    yield pool_helpers
    sys.modules.pop("pool_helpers", None)


def test_processes_really_run_elsewhere(helpers):
    pids = set(map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True))
    assert os.getpid() not in pids
    assert len(pids) <= 2


def test_what_a_worker_prints_does_not_mix_with_the_results(helpers):
    assert list(map_chunks(helpers.shout, CHUNKS[:4], jobs=2, processes=True)) == [7] * 4


def test_an_item_that_kills_its_worker_is_found_and_the_rest_survives(helpers):
    results = map_chunks(
        helpers.crash_at_13, CHUNKS[:5], jobs=2, processes=True, on_crash=lambda chunk: [f"lost {chunk[0]}"]
    )
    flat = [item for result in results for item in result]
    assert flat == [*range(13), "lost 13", *range(14, 35)]


def test_without_an_answer_for_crashes_they_are_errors(helpers):
    with pytest.raises(RuntimeError, match="died"):
        list(map_chunks(helpers.crash_at_13, CHUNKS[:5], jobs=2, processes=True))


def test_threads_serve_where_no_process_can_be_started(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert list(map_chunks(sum, CHUNKS, jobs=2, processes=True)) == [sum(chunk) for chunk in CHUNKS]
    monkeypatch.setattr(sys, "executable", "/does/not/exist")
    assert list(map_chunks(sum, CHUNKS, jobs=2, processes=True)) == [sum(chunk) for chunk in CHUNKS]


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="a score of Linux")
def test_where_memory_runs_out_a_worker_goes_before_its_parent(helpers):
    (score,) = map_chunks(helpers.score, CHUNKS[:1], jobs=1, processes=True)
    assert score >= 500


def test_an_early_end_stops_the_workers(helpers):
    results = map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True)
    pids = {next(results) for _ in range(4)}
    results.close()
    assert not any(alive(pid) for pid in pids)


def test_kept_workers_work_on_and_end_with_the_block(helpers):
    with workers_kept():
        first = set(map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True))
        again = set(map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True))
        assert again <= first
        assert all(alive(pid) for pid in first)
    assert not any(alive(pid) for pid in first)
    apart = set(map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True))
    assert not apart & first
    assert not any(alive(pid) for pid in apart)


def test_a_kept_worker_that_died_is_replaced(helpers):
    with workers_kept():
        (pid,) = map_chunks(helpers.pid, CHUNKS[:1], jobs=1, processes=True)
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        (other,) = map_chunks(helpers.pid, CHUNKS[:1], jobs=1, processes=True)
        assert other != pid


def test_only_few_workers_are_kept(helpers):
    with workers_kept():
        pids = set(map_chunks(helpers.pid, CHUNKS[: KEPT + 2], jobs=KEPT + 2, processes=True))
        assert sum(alive(pid) for pid in pids) <= KEPT


def test_more_are_kept_for_the_time_that_needs_more(helpers):
    with workers_kept(1):
        with workers_kept(3):
            pids = set(map_chunks(helpers.slow_pid, CHUNKS[:3], jobs=3, processes=True))
            with workers_kept(2):
                pass
            assert len(pids) == sum(alive(pid) for pid in pids) == 3
        assert sum(alive(pid) for pid in pids) == 1
    assert not any(alive(pid) for pid in pids)


@pytest.mark.parametrize("how", ["closed", "failed"])
def test_workers_of_unfinished_work_are_not_kept(helpers, how):
    with workers_kept():
        if how == "closed":
            results = map_chunks(helpers.pid, CHUNKS, jobs=2, processes=True)
            pids = {next(results) for _ in range(4)}
            results.close()
        else:
            (pid,) = map_chunks(helpers.pid, CHUNKS[:1], jobs=1, processes=True)
            pids = {pid}
            with pytest.raises(TypeError):
                list(map_chunks(sum, [["a"]], jobs=1, processes=True))
        assert not any(alive(pid) for pid in pids)


SCRIPT = """
from leakaudit.engines.local import map_chunks

print("started", flush=True)
for result in map_chunks(sum, [[1, 2], [3, 4]], jobs=2, processes=True):
    print(result, flush=True)
"""


def test_a_script_without_a_main_guard_works(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["started", "3", "7"]
    assert done.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("signal_name", ["SIGINT", "SIGKILL"])
def test_ctrl_c_and_kill_leave_no_worker_behind(tmp_path, helpers, signal_name):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from leakaudit.engines import local, workers\n"
        "import pool_helpers, threading, time\n"
        "start = workers.Worker.start.__func__\n"
        "def told(cls):\n"
        "    worker = start(cls); sys.stdout.write(f'{worker.pid}\\n'); sys.stdout.flush(); return worker\n"
        "workers.Worker.start = classmethod(told)\n"
        "list(local.map_chunks(pool_helpers.slow, [[1], [2]], jobs=2, processes=True))\n"
    )
    process = subprocess.Popen(
        [sys.executable, script, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        time.sleep(0.2)
        process.send_signal(getattr(signal, signal_name))
        process.wait(20)
    deadline = time.monotonic() + (2 if signal_name == "SIGINT" else 40)
    while any(alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(worker) for worker in workers)


def test_cores():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


def test_threads_give_up_their_chunk_when_the_work_is_stopped():
    done = []

    def work(chunk):
        for item in chunk:
            raise_if_stopped()
            done.append(item)
            time.sleep(0.01)
        return chunk

    results = map_chunks(work, [[0], list(range(2_000))], jobs=2)
    assert next(results) == [0]
    results.close()
    assert len(done) < 1_000


def test_nothing_is_stopped_outside_the_engine():
    raise_if_stopped()
