"""The four verbs on every engine, and what happens when something there goes wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from engine_kernels import kernel
from leakaudit import audit
from leakaudit.engines import executor
from leakaudit.engines.base import Kernel, reduce
from leakaudit.engines.local import Local
from leakaudit.errors import ConfigError, UserError
from processes import alive

NAMES = ["local", "spark", "ray"]
CLUSTERS = ["spark", "ray"]
pytestmark = pytest.mark.slow


def numbers(n=20):
    """Tables of two rows: 0 and 1, 2 and 3, …"""
    return [pa.table({"x": np.arange(2 * i, 2 * i + 2)}) for i in range(n)]


def values(tables):
    return [x for table in tables for x in table["x"].to_pylist()]


@pytest.mark.parametrize("name", NAMES)
def test_map_answers_in_the_order_of_the_tables(engines, name):
    assert values(engines(name).map(kernel("doubled"), iter(numbers(200)))) == list(range(0, 800, 2))
    assert list(engines(name).map(kernel("doubled"), [])) == []


@pytest.mark.parametrize("name", NAMES)
def test_broadcast_map_gives_every_worker_the_index(engines, name):
    index = pa.table({"by": [100]})
    assert values(engines(name).broadcast_map(kernel("plus_index"), index, numbers())) == list(range(100, 140))


@pytest.mark.usefixtures("engines")
def test_processes_of_this_machine_share_the_index():
    index = pa.table({"by": [100]})
    in_processes = kernel("plus_index", processes=True)
    found = list(Local(3).broadcast_map(in_processes, index, numbers(200)))
    assert values(found) == list(range(100, 500))
    pids = values(Local(2).broadcast_map(kernel("process", processes=True), index, numbers()))
    assert os.getpid() not in pids
    assert 1 <= len(set(pids)) <= 2


@pytest.mark.parametrize("processes", [False, True])
def test_this_machine_takes_few_tables_ahead(engines, processes):
    taken = []
    tables = (taken.append(1) or table for table in numbers(100))
    answers = engines("local").map(kernel("doubled", processes=processes), tables)
    next(answers)
    assert len(taken) <= 2 * 4
    answers.close()


@pytest.mark.parametrize("name", NAMES)
def test_shuffle_brings_equal_keys_together_and_reduce_ends_it(engines, name):
    lots = list(
        engines(name).shuffle(
            kernel("keyed"), kernel("total_by_key"), numbers(), columns=("key", "value"), n_rows=20_000_000
        )
    )
    found = {row["key"]: row["total"] for lot in lots for row in lot.to_pylist()}
    assert sum(map(len, lots)) == 7  # no key in two lots
    assert found == {key: sum(range(key, 40, 7)) for key in range(7)}
    assert reduce(kernel("summed"), lots).to_pylist() == [{"total": sum(range(40))}]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(sys.platform == "win32", reason="the kernel kills its process with a POSIX signal")
def test_a_worker_that_is_killed_is_survived(engines, name, tmp_path):
    marker = tmp_path / "killed"
    deadly = kernel("kill_once", parameters={"marker": str(marker)}, processes=True)
    tables = engines(name).map(deadly, numbers())
    assert values(tables) == list(range(0, 80, 2))
    assert marker.read_text().isdigit()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.skipif(sys.platform == "win32", reason="the kernel kills its process with a POSIX signal")
def test_a_row_that_always_kills_its_worker_is_answered_for(engines, name):
    hostile = kernel("kill_always", crashed="engine_kernels:minus_one", processes=True)
    assert values(engines(name).map(hostile, numbers())) == [-1 if x == 7 else 2 * x for x in range(40)]


@pytest.mark.parametrize("name", NAMES)
def test_what_the_user_can_mend_is_said_as_on_this_machine(engines, name):
    with pytest.raises(UserError, match=r"^cannot read 0$"):
        list(engines(name).map(kernel("refuse"), numbers()))
    with pytest.raises(UserError, match=r"^cannot read \d+$"):
        list(engines(name).shuffle(kernel("refuse"), kernel("summed"), numbers(), columns=("key",), n_rows=40))


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_bug_in_a_kernel_is_named(engines, name):
    with pytest.raises(UserError, match=f"engine {name}: .*ZeroDivisionError: in 2 rows"):
        list(engines(name).map(kernel("bug"), numbers()))


@pytest.mark.parametrize("name", CLUSTERS)
def test_workers_with_other_versions_are_refused(engines, name, monkeypatch):
    monkeypatch.setattr(executor, "_versions", lambda: (("pillow", "1.0"),))
    with pytest.raises(UserError, match=r"a worker has pillow .* where the driver has 1\.0"):
        list(engines(name).map(kernel("doubled"), numbers()))


INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background inherits that it is ignored
import sys
from leakaudit.config import Config
from leakaudit.engines.choose import engine_of
from engine_kernels import kernel
import pyarrow as pa

engine = engine_of(Config(engine=sys.argv[1], jobs=2))
try:
    list(engine.map(kernel("slow", parameters={"marker": sys.argv[2]}), [pa.table({"x": [i]}) for i in range(9)]))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal to a group of processes")
def test_ctrl_c_ends_the_work_at_once_and_quietly(name, tmp_path):
    pytest.importorskip({"spark": "pyspark", "ray": "ray"}[name], reason=f"needs the extra: leakaudit[{name}]")
    marker, here = tmp_path / "started", Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here.parent), str(here)])}
    command = [sys.executable, "-c", INTERRUPTED, name, str(marker)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True) as run:
        waited = time.monotonic() + 60
        while not marker.exists() and time.monotonic() < waited:
            time.sleep(0.1)
        assert marker.exists()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "leakaudit" not in said
    assert "py4j" not in said
    gone = time.monotonic() + 20
    while alive(int(marker.read_text())) and time.monotonic() < gone:
        time.sleep(0.1)
    assert not alive(int(marker.read_text()))


def test_a_session_of_the_users_is_used(engines):
    from leakaudit.engines.spark import Spark

    mine = engines("spark").session
    assert Spark.of("local[1]", 1).session is mine


@pytest.mark.parametrize("name", CLUSTERS)
def test_an_engine_that_is_not_installed_is_named_with_its_command(name, monkeypatch, tmp_path):
    monkeypatch.setattr("leakaudit.engines.choose.find_spec", lambda _name: None)
    with pytest.raises(
        ConfigError, match=rf"engine {name}: needs an optional dependency: pip install 'leakaudit\[{name}\]'"
    ):
        audit(tmp_path, engine=name)


def test_spark_without_java_is_said(monkeypatch, tmp_path):
    pytest.importorskip("pyspark", reason="needs the extra: pip install 'leakaudit[spark]'")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="Java 17"):
        audit(tmp_path, engine="spark")


def test_an_address_without_an_engine_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="engine_address"):
        audit(tmp_path, engine_address="local[2]")


def test_a_kernel_is_a_function_at_the_top_level():
    def inside(table):
        return table

    with pytest.raises(AssertionError):
        Kernel.of(inside)
