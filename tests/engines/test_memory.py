"""Memory that a process may hold, read from files as Linux writes them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from leakaudit.config import Config
from leakaudit.engines import memory
from leakaudit.engines.duck import open_duck

V1 = "9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n"
V2 = "0::/user.slice/scan.scope\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A root of a system with 64 GB and these files."""
    monkeypatch.setattr(memory, "_physical", lambda: iter([64 * 10**9]))
    monkeypatch.setattr(memory, "_of_process", lambda: iter([]))

    def make(groups, files):
        for name, text in {"proc/self/cgroup": groups, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("", {}, 64 * 10**9),
        (V1, {"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "1000000000\n"}, 10**9),
        (V1, {"sys/fs/cgroup/memory/memory.limit_in_bytes": "3000000000\n"}, 3 * 10**9),  # seen from inside
        (V1, {"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n"}, 64 * 10**9),
        (V2, {"sys/fs/cgroup/user.slice/scan.scope/memory.max": "max\n"}, 64 * 10**9),
        (
            V2,
            {
                "sys/fs/cgroup/user.slice/scan.scope/memory.max": "max\n",
                "sys/fs/cgroup/user.slice/memory.max": "500000000\n",
            },
            5 * 10**8,
        ),
        ("nonsense\n::\n\n", {"sys/fs/cgroup/memory.max": "nonsense"}, 64 * 10**9),
    ],
)
def test_the_least_of_all_limits_counts(system, groups, files, limit):
    root = system(groups, files)
    assert memory.usable_memory(root) == limit
    assert memory.default_limit(root) == f"{min(limit // 2, memory.MOST) // 10**6}MB"


def test_without_such_files(tmp_path):
    assert memory.usable_memory(tmp_path) is None or memory.usable_memory(tmp_path) > 0
    assert memory.default_limit(tmp_path).endswith("MB")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no ulimit")
def test_ulimit_counts():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_DATA, (10**9, 10**9))\n"
        "from leakaudit.engines.memory import default_limit; print(default_limit())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.strip().removesuffix("MB")) <= 500


@pytest.mark.parametrize(("told", "expected"), [("auto", "333MB"), ("1GB", "1GB")])
def test_table_work_keeps_to_it(monkeypatch, told, expected):
    monkeypatch.setattr("leakaudit.engines.duck.default_limit", lambda: "333MB")
    duck = open_duck(Config(memory_limit=told), [])
    ((limit,),) = duck.rows("SELECT current_setting('memory_limit')")
    ((same,),) = duck.rows(f"SELECT format_bytes({int(expected[:-2]) * (10**6 if 'MB' in expected else 10**9)})")
    duck.close()
    assert limit.split()[1] == same.split()[1]
    assert float(limit.split()[0]) == pytest.approx(float(same.split()[0]), abs=0.1)
