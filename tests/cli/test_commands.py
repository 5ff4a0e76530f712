"""The command line as a user meets it: real processes, real exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def leakaudit(*args, cwd=None, env=None, **kwargs) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "leakaudit", *map(str, args)]
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", **(env or {})}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=settings, check=False, **kwargs
    )


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LEAKAUDIT_CACHE", str(tmp_path_factory.mktemp("cache")))


def assert_one_clear_line(done, code=2):
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert done.stderr.strip()


def test_version():
    done = leakaudit("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("leakaudit, version ")


@pytest.mark.parametrize("command", [[], ["scan"], ["explain"], ["checks"]])
def test_help_fits_80_columns_and_has_an_example(command):
    done = leakaudit(*command, "--help")
    assert done.returncode == 0
    assert "Example: leakaudit" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_clean_data_exits_0():
    done = leakaudit("scan", FIXTURES / "LA104" / "clean", "--ignore", "LA2")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_leak_exits_1_and_json_says_so():
    done = leakaudit("scan", FIXTURES / "LA104" / "leaky", "--format", "json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["verdict"] == {**report["verdict"], "status": "findings", "exit_code": 1}
    assert sum(f["n_samples"] for f in report["findings"] if f["code"] == "LA104") == 10


def test_fail_on_never_exits_0():
    assert leakaudit("scan", FIXTURES / "LA104" / "leaky", "--fail-on", "never").returncode == 0


def test_unreadable_samples_exit_4():
    done = leakaudit("scan", FIXTURES / "LA001" / "leaky", "--select", "LA001")
    assert done.returncode == 4
    assert leakaudit("scan", FIXTURES / "LA001" / "leaky", "--blind-tolerance", "0.5").returncode == 0


@pytest.mark.parametrize(
    "args",
    [
        ["scan"],
        ["scan", "no-such-folder"],
        ["scan", ".", "--format", "yaml"],
        ["scan", ".", "--select", "XX9"],
        ["scan", ".", "--jobs", "0"],
        ["scan", ".", "--split-name", "train"],
        ["scan", ".", "--html", "no-such-folder/report.html"],
        ["explain", "LA999"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_exits_2_with_one_clear_message(args, tmp_path):
    assert_one_clear_line(leakaudit(*args, cwd=tmp_path))


def test_one_split_alone_exits_2_and_names_the_option(tmp_path):
    (tmp_path / "train.csv").write_text("a,b\n1,2\n3,4\n")
    done = leakaudit("scan", tmp_path)
    assert_one_clear_line(done)
    assert "--within" in done.stderr


def test_explain_prints_every_section():
    done = leakaudit("explain", "la101")
    assert done.returncode == 0
    for section in ("What it does", "How it decides", "What it cannot see", "Fix"):
        assert f"\n{section}\n" in done.stdout


def test_checks_lists_the_catalogue():
    rows = json.loads(leakaudit("checks", "--format", "json").stdout)
    assert {"LA001", "LA101", "LA202"} <= {row["code"] for row in rows}
    assert "LA101  identical-files" in leakaudit("checks").stdout


def test_several_reports_in_one_run_are_byte_identical_the_second_time(tmp_path):
    texts = []
    for _ in range(2):
        done = leakaudit(
            "scan", FIXTURES / "demo", "--format", "json", "--html", "a.html", "--json", "a.json",
            "--pairs", "a.csv", cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        assert done.stdout == (tmp_path / "a.json").read_text(encoding="utf-8")
        texts.append([(tmp_path / name).read_bytes() for name in ("a.html", "a.json", "a.csv")])
    assert texts[0] == texts[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "a.html", "a.json"]


@pytest.mark.parametrize(
    ("form", "text"),
    [("html", "my own page"), ("markdown", "## Notes\n\nwhat leakaudit: said\n"), ("gitlab", '["mine"]')],
)
def test_nothing_of_the_user_is_overwritten(tmp_path, form, text):
    mine = tmp_path / "mine"
    mine.write_text(text)
    done = leakaudit("scan", FIXTURES / "demo", f"--{form}", mine)
    assert_one_clear_line(done)
    assert mine.read_text() == text


@pytest.mark.parametrize("form", ["json", "html", "pairs", "sarif", "junit", "gitlab", "markdown"])
def test_an_earlier_report_is_replaced(tmp_path, form):
    path = tmp_path / f"report{'.csv' if form == 'pairs' else ''}"
    for _ in range(2):
        assert leakaudit("scan", FIXTURES / "demo", f"--{form}", path).returncode == 1


def test_nothing_is_written_into_the_data(tmp_path):
    import shutil

    shutil.copytree(FIXTURES / "demo", tmp_path / "data")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*")}
    leakaudit("scan", "data", cwd=tmp_path)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "data").rglob("*")} == before


def test_a_pipe_gets_no_escape_codes_and_head_may_close_it():
    done = leakaudit("scan", FIXTURES / "demo")
    assert "\x1b" not in done.stdout
    assert not done.stderr
    head = f"{sys.executable} -m leakaudit scan {FIXTURES / 'demo'} | head -n 1"
    piped = subprocess.run(["bash", "-c", head], capture_output=True, text=True, check=False)
    assert len(piped.stdout.splitlines()) == 1
    assert not piped.stderr


@pytest.mark.parametrize(("code", "exit_code"), [("clean", 0), ("leaky", 1)])
def test_a_closed_pipe_leaves_the_exit_code(code, exit_code):
    scan = [sys.executable, "-m", "leakaudit", "scan", FIXTURES / "LA104" / code, "--ignore", "LA2"]
    with subprocess.Popen(scan, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert not process.stderr.read()
    assert process.returncode == exit_code


def test_ascii_terminals_get_ascii():
    done = leakaudit(
        "scan", FIXTURES / "demo", env={"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.isascii()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_interrupting_exits_130_without_a_traceback(tmp_path):
    from PIL import Image

    for split in ("train", "val"):
        (tmp_path / split).mkdir()
        for i in range(40):  # small files that take long to decode
            picture = Image.new("L", (6000, 6000))
            picture.putpixel((i, 0), 255)
            picture.save(tmp_path / split / f"{i}.png", compress_level=1)
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # background jobs ignore it
    run = f"{heed}; import runpy; runpy.run_module('leakaudit', run_name='__main__')"
    scan = [sys.executable, "-c", run, "scan", tmp_path, "--no-cache"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(scan, **pipes, start_new_session=True) as process:
        try:
            time.sleep(4)
            os.killpg(process.pid, signal.SIGINT)
            _, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
