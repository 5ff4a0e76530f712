"""Every check says the same, byte for byte, wherever the work runs."""

from __future__ import annotations

import io
import os
import signal
import threading
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from leakaudit import Config, audit
from leakaudit.checks import CHECKS
from leakaudit.render.data import report_json as as_json
from near_pictures import photographs

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = [
    *((f"{check.code}/leaky", (check.code,)) for check in CHECKS),
    *((folder, ()) for folder in ("demo", "LA104/leaky", "LA107/leaky")),  # pictures, rows, texts, by all checks
]


@cache
def report(folder, select, engine):
    """The JSON report of a fixture; with the probe where a check was selected that needs it."""
    probe = "fast" if any(check.code in select and "probe" in check.load().needs for check in CHECKS) else "off"
    config = Config(engine=engine, use_cache=False, jobs=2, select=select, probe=probe)
    stream = io.StringIO()
    as_json.write(audit(FIXTURES / folder, config=config), stream)
    return stream.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_reports_are_byte_identical(engines, engine):
    engines(engine)
    assert [case for case in CASES if report(*case, engine) != report(*case, "local")] == []
    assert '"code": "LA104"' in report("LA104/leaky", ("LA104",), engine)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for workers in Linux's /proc")
@pytest.mark.parametrize("engine", ["spark", "ray"])
def test_a_scan_survives_the_death_of_a_worker(engines, engine, tmp_path):
    rng = np.random.default_rng(0)
    pictures = photographs(rng, 600, 128, 128)
    for split, chosen in (("train", pictures[:500]), ("val", pictures[400:])):
        (tmp_path / split).mkdir()
        for i, image in enumerate(chosen):
            image.save(tmp_path / split / f"{i:04}.png")
    expected = report(tmp_path, ("LA101", "LA103"), "local")
    engines(engine)
    killed, ended = [], threading.Event()

    def kill() -> None:
        while not killed and not ended.wait(0.005):
            for pid in workers(engine)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    found = report(tmp_path, ("LA101", "LA103"), engine)
    ended.set()
    killer.join()
    assert killed
    assert found == expected
    assert found.count('"code": "LA101"') > 100


def workers(engine):
    """Processes that work for an engine now."""
    commands, parents = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            commands[int(folder.name)] = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
    if engine == "ray":
        return [pid for pid, command in commands.items() if command.startswith(b"ray::answer")]
    daemons = {pid for pid, command in commands.items() if b"pyspark.daemon" in command}
    return [pid for pid in daemons if parents[pid] in daemons]
