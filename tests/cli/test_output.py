"""Reports are written one by one: what fails takes nothing else with it, and a scan never ends without its verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leakaudit.cli import output
from leakaudit.cli.hook import hook
from leakaudit.render import FORMATS, Format
from reports import SHAPES, many_findings

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, a disk that is full")


def scan(*args, cwd, **streams):
    settings = {**os.environ, "PYTHONUTF8": "1", "LEAKAUDIT_CACHE": str(cwd / "cache")}
    command = [sys.executable, "-m", "leakaudit", "scan", "--select=LA104,LA111", *map(str, args)]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run(command, text=True, cwd=cwd, env=settings, check=False, **piped)


@pytest.mark.parametrize(("name", "exit_code"), [("leaky", 1), ("clean", 2)])
@pytest.mark.parametrize("full", ["json", "html", "pairs"])
def test_a_full_disk_loses_one_report(full, name, exit_code, tmp_path):
    (tmp_path / "full.csv").symlink_to(FULL)
    names = {form: f"report.{form}" for form in ("json", "html", "sarif", "junit", "gitlab", "markdown")}
    names["pairs"] = "pairs.csv"
    names[full] = "full.csv"
    done = scan(FIXTURES / "LA104" / name, *(f"--{form}={file}" for form, file in names.items()), cwd=tmp_path)
    assert done.returncode == exit_code, done.stderr
    assert done.stdout.startswith("✗ " if name == "leaky" else "✓ ")
    (said,) = done.stderr.splitlines()
    assert "cannot write full.csv: No space left on device" in said
    written = {form for form, file in names.items() if (tmp_path / file).is_file() and (tmp_path / file).stat().st_size}
    assert written == set(names) - {full}


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_verdict_that_cannot_be_printed_is_said_elsewhere(form, tmp_path):
    with FULL.open("w") as full:
        done = scan(FIXTURES / "LA104" / "leaky", "--format", form, "--json", "report.json", cwd=tmp_path, stdout=full)
    assert done.returncode == 1
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert "cannot print the report: No space left on device" in done.stderr
    assert report["verdict"]["headline"] in done.stderr
    assert "exit code 1" in done.stderr


@pytest.fixture
def broken(tmp_path, monkeypatch):
    (tmp_path / "broken_renderer.py").write_text("def write(report, stream):\n    raise ValueError('no\\nluck')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(FORMATS, "html", Format("broken_renderer", ".html"))


@pytest.mark.usefixtures("broken")
def test_a_renderer_that_crashes_loses_no_other_report(tmp_path, capsys):
    targets = {form: tmp_path / form for form in ("json", "html", "sarif")}
    assert output.write_all(many_findings(2), targets) == 3
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file() and path.suffix == "") == ["json", "sarif"]
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("please report it: the html report was not written: ValueError: no luck")
    assert output.write_all(many_findings(2), {"json": tmp_path / "again"}) == 0


@pytest.mark.usefixtures("broken")
def test_a_report_that_crashes_while_printed_leaves_the_verdict(capsys):
    assert output.show(SHAPES["all accepted"](), "html") == 3
    said = capsys.readouterr().err
    assert "5 of 33 test rows (15.2 %) are already in train, all accepted (exit code 0: clean)" in said


def test_the_name_of_the_pairs_is_looked_at_before_the_work(tmp_path):
    done = scan(FIXTURES / "LA104" / "leaky", "--pairs", "pairs.txt", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "end it in .csv or .parquet" in done.stderr


def test_pairs_inside_a_split_are_bounded_and_that_is_said(tmp_path):
    rows = [f"{i},{i * i},{i % 7}" for i in range(200)] + ["5,5,5"] * 50
    (tmp_path / "train.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    (tmp_path / "val.csv").write_text("a,b,c\n" + "\n".join(f"{-i},{i},1" for i in range(1, 60)) + "\n")
    counted = {}
    for option in ([], ["--all-pairs"]):
        done = scan("train.csv", "val.csv", "--pairs", "pairs.csv", *option, cwd=tmp_path)
        counted[bool(option)] = len((tmp_path / "pairs.csv").read_text(encoding="utf-8").splitlines()) - 1
        said = "pairs.csv: 1,176 pairs of LA111 inside one split are left out (--all-pairs writes them, too)"
        assert (said in done.stderr) == (not option)
    assert counted == {False: 49, True: 49 * 50 // 2}


def test_a_hook_whose_report_cannot_be_printed_does_not_pass(monkeypatch, capsys, tmp_path):
    def full(report, stream):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "FORMATS", {"json": full})
    monkeypatch.setattr(output, "_drop_stdout", lambda: None)
    monkeypatch.setenv("LEAKAUDIT_CACHE", str(tmp_path))
    data = FIXTURES / "LA104" / "clean"
    told = {"files": (str(data / "train.csv"),), "data": (str(data),), "config_file": None, "fail_on": None}
    assert hook.callback(**told, format_="json") == 2
    assert "cannot print the report: No space left on device" in capsys.readouterr().err
