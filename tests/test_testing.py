"""`assert_no_leakage`, and the pytest plugin under the real pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leakaudit.errors import InputError
from leakaudit.testing import SHOWN, assert_no_leakage


def frames(n_shared: int) -> dict[str, pd.DataFrame]:
    values = np.random.default_rng(0).normal(size=(400, 4))
    frame = pd.DataFrame(values, columns=list("abcd"))
    return {"train": frame[:300], "val": frame[300 - n_shared : 400]}


def test_clean_frames_give_the_report():
    report = assert_no_leakage(**frames(0), select=("LA104",))
    assert report.verdict.status == "clean"


def test_a_failure_names_what_leaked_and_how_much():
    with pytest.raises(AssertionError) as caught:
        assert_no_leakage(**frames(12), select=("LA104",))
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("12 of 112 val rows")
    assert len(lines) == SHOWN + 3
    assert lines[1].startswith("  LA104 error: val#")


def test_unusable_data_is_no_failed_assertion():
    with pytest.raises(InputError):
        assert_no_leakage("/nowhere")


TESTS = """
def test_report(leakaudit_report):
    assert leakaudit_report.verdict.exit_code == {code}

def test_assertion(assert_no_leakage):
    assert_no_leakage("{root}/{folder}", select=("LA104",))
"""


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("n_shared", "code"), [(0, 0), (12, 1)])
def test_the_plugin_gives_fixtures_to_a_project(tmp_path, n_shared, code):
    data = tmp_path / "data"
    data.mkdir()
    for name, frame in frames(n_shared).items():
        frame.to_csv(data / f"{name}.csv", index=False)
    (tmp_path / "pytest.ini").write_text("[pytest]\nleakaudit_paths = data\n")
    (tmp_path / "leakaudit.toml").write_text('select = ["LA104"]\n')
    (tmp_path / "test_data.py").write_text(TESTS.format(code=code, root=tmp_path.as_posix(), folder="data"))
    done = run(tmp_path)
    assert ("2 passed" if code == 0 else "1 failed, 1 passed") in done.stdout, done.stdout
    if code:
        assert "12 of 112 val rows" in done.stdout


def test_a_project_that_names_no_data_is_told_how(tmp_path):
    (tmp_path / "test_data.py").write_text("def test_report(leakaudit_report):\n    pass\n")
    done = run(tmp_path)
    assert "leakaudit_paths = data/" in done.stdout


def test_the_plugin_costs_other_projects_next_to_nothing(tmp_path):
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    heavy = {'numpy', 'pyarrow', 'duckdb', 'pandas', 'sklearn', 'PIL', 'rich'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    done = run(tmp_path, "-p", "no:hypothesispytest")
    assert "1 passed" in done.stdout, done.stdout
