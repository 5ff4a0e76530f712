"""Configuration as a user meets it: scan, config and init in real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from leakaudit.cli import COMMANDS, cli
from leakaudit.config import Config

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
FILE_ONLY = {"overrides", "previews"}
"""Settings without an option: lists of tables, and what the format decides."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEAKAUDIT_CACHE", str(tmp_path / "kept"))


def run(*args, exit_code=0, **env) -> str:
    """Standard output of a command in this process; errors as the entry point turns them into exit codes."""
    from leakaudit.errors import LeakauditError

    done = CliRunner(env=env).invoke(cli, list(map(str, args)), standalone_mode=False)
    code = done.return_value or 0
    if isinstance(done.exception, LeakauditError):
        code = done.exception.exit_code
    elif isinstance(done.exception, click.ClickException):
        code = 2
    elif done.exception is not None:
        raise done.exception
    assert code == exit_code, done.output + str(done.exception)
    return done.output if done.exception is None else str(done.exception)


def write(text: str, name: str = "leakaudit.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


@pytest.fixture
def data(tmp_path):
    shutil.copytree(FIXTURES / "LA104" / "leaky", tmp_path / "data" / "rows")
    shutil.copytree(FIXTURES / "LA103" / "leaky", tmp_path / "data" / "pics")
    return tmp_path / "data"


# --- help ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_screen_and_has_an_example(name):
    lines = run(*([name] if name else []), "--help").splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert any(line.strip().startswith("Example: leakaudit") for line in lines)


def test_help_all_shows_every_option_once():
    whole = run("scan", "--help-all")
    command = cli.get_command(click.Context(cli), "scan")
    for param in command.params:
        if isinstance(param, click.Option):
            assert sum(line.startswith(f"  {param.opts[0]} ") for line in whole.splitlines()) == 1, param.opts
    assert max(map(len, whole.splitlines())) <= 80
    assert "Other options" in whole
    other = whole[whole.index("Other options") :]
    assert [line.split()[0] for line in other.splitlines() if line.startswith("  -")] == ["--help-all", "-h,"]


def test_every_setting_has_an_option():
    command = cli.get_command(click.Context(cli), "scan")
    names = {param.name for param in command.params}
    assert {field.name for field in fields(Config)} - names == FILE_ONLY


# --- scan ----------------------------------------------------------------------------------------------------


def test_the_file_is_found_and_named_and_options_go_over_it(data):
    write('fail-on = "never"\nselect = ["LA104"]\n')
    report = json.loads(run("scan", "data/rows", "--format", "json"))
    assert "Settings from leakaudit.toml." in report["notes"]
    assert [outcome["code"] for outcome in report["outcomes"]] == ["LA104"]
    run("scan", "data/rows", "--fail-on", "error", exit_code=1)
    run("scan", "data/rows", LEAKAUDIT_FAIL_ON="error", exit_code=1)
    run("scan", "data/rows", "--no-config", exit_code=1)
    write('select = ["LA003"]\n', "other.toml")
    run("scan", "data/rows", "--config", "other.toml")
    run("scan", "data/rows", LEAKAUDIT_CONFIG="other.toml")


def test_all_data_sets_of_the_file_are_scanned_and_the_worst_counts(data):
    write(
        '[datasets.rows]\npaths = ["data/rows"]\nselect = ["LA104"]\n'
        '[datasets.pics]\npaths = ["data/pics"]\nselect = ["LA101"]\nrequire = ["LA103"]\n'
    )
    text = run("scan", "--json", "r.json", exit_code=1)
    assert text.index("== rows") < text.index("== pics") < text.index("== all data sets")
    assert "pics: incomplete: required, and not decided: LA103 (not run)" in text
    assert json.loads(Path("r-rows.json").read_text(encoding="utf-8"))["verdict"]["exit_code"] == 1
    assert json.loads(Path("r-pics.json").read_text(encoding="utf-8"))["verdict"]["exit_code"] == 4
    run("scan", "--dataset", "pics", exit_code=4)
    run("scan", "data/pics", exit_code=4)
    assert "hold" in run("scan", "--format", "json", exit_code=2)
    json.loads(run("scan", "--dataset", "pics", "--format", "json", exit_code=4))


def test_overrides_hold_in_a_scan(data):
    for glob, exit_code in (("val/**", 0), ("**/circle/*", 0), ("val/square/**", 1), ("train/**", 1)):
        write(f'select = ["LA103"]\n[[overrides]]\npaths = ["{glob}"]\nignore = ["LA103"]\n')
        text = run("scan", "data/pics", exit_code=exit_code)
        assert "LA103 near-duplicate-images" in text


def test_an_error_about_a_setting_says_where_it_is_set(data):
    write('[datasets.rows]\npaths = ["data/rows"]\nlabel = "nope"\n')
    assert "(--label is set in leakaudit.toml:3)" in run("scan", exit_code=2)
    assert "is set in" not in run("scan", "data/rows", "--label", "nope", exit_code=2)
    assert "LEAKAUDIT_LABEL" in run("scan", "data/rows", "--no-config", LEAKAUDIT_LABEL="nope", exit_code=2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["scan"], "no PATH given"),
        (["scan", "--dataset", "x"], "no leakaudit.toml was found"),
        (["scan", "--config", "gone.toml"], "cannot be read"),
        (["scan", ".", "--set", "LA103.candidats=3"], "did you mean 'candidates'"),
        (["scan", ".", "--require", "LA1"], "there is no check"),
        (["scan", ".", "--blind-tolerance", "2"], "range"),
        (["config", "--fail-on", "x"], "is not one of"),
        (["init", "nothing-here"], "no such file"),
    ],
)
def test_wrong_usage_is_exit_2(args, said):
    assert said in run(*args, exit_code=2)


def test_a_broken_file_is_one_line_on_stderr_and_exit_2(data):
    write('fail_on = "x"\n')
    done = subprocess.run(
        [sys.executable, "-m", "leakaudit", "scan", "data/rows"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "leakaudit: leakaudit.toml:1: fail_on: unknown key; did you mean 'fail-on'?\n"
    assert not done.stdout


# --- config --------------------------------------------------------------------------------------------------


def test_config_prints_valid_toml_with_sources(data):
    write('fail-on = "warning"\n[checks.LA103]\ncandidates = 8\n[datasets.a]\npaths = ["data/pics"]\n')
    text = run("config", "--jobs", "3", LEAKAUDIT_LABEL='say "y"')
    table = tomllib.loads(text)
    assert (table["fail-on"], table["jobs"], table["label"]) == ("warning", 3, 'say "y"')
    assert table["checks"] == {"LA103": {"candidates": 8}}
    rows = {line.split(" = ")[0]: line.rpartition("# ")[2] for line in text.splitlines() if " = " in line}
    assert rows["fail-on"] == "leakaudit.toml:1"
    assert rows["checks.LA103.candidates"] == "leakaudit.toml:3"
    assert (rows["jobs"], rows["label"], rows["memory-limit"]) == ("--jobs", "LEAKAUDIT_LABEL", "default")
    assert "data sets, shown by --dataset NAME: a" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("cache-dir")) <= 80


def test_config_as_json(data):
    write('[[overrides]]\npaths = ["x"]\nfail-on = "info"\n[datasets.a]\npaths = ["data/pics"]\njobs = 2\n')
    shown = json.loads(run("config", "--dataset", "a", "--format", "json", "--no-cache"))
    assert (shown["file"], shown["dataset"], shown["datasets"]) == ("leakaudit.toml", "a", ["a"])
    assert shown["settings"]["jobs"] == {"value": 2, "origin": "file", "where": "leakaudit.toml:6"}
    assert shown["settings"]["use-cache"] == {"value": False, "origin": "option", "where": "--no-cache"}
    assert shown["settings"]["overrides"]["value"][0]["fail-on"] == "info"
    assert json.loads(run("config", "--format", "json", "--no-config"))["file"] is None


def test_config_prints_the_schema():
    assert json.loads(run("config", "--schema"))["$id"] == "urn:leakaudit:config:1"


def test_a_misspelt_variable_is_said():
    assert "LEAKAUDIT_FAILON is no setting" in run("config", LEAKAUDIT_FAILON="x")


# --- init ----------------------------------------------------------------------------------------------------


def test_what_init_writes_is_valid_and_scans_the_data(data):
    assert "wrote" in run("init", "data/rows", "--label", "note")
    path = data / "leakaudit.toml"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ")
    table = tomllib.loads(text)
    assert table["datasets"]["rows"] == {"paths": ["rows"], "label": "note"}
    assert "data set rows" in run("scan", "data/rows", "--fail-on", "never")
    assert sorted(each.name for each in data.iterdir()) == ["leakaudit.toml", "pics", "rows"]


@pytest.mark.parametrize("folder", ["rows", "pics"])
def test_what_stands_in_comments_is_valid_too(data, folder):
    import jsonschema

    from leakaudit.settings.schema import config_schema

    text = run("init", f"data/{folder}", "--stdout")
    lines = [line for line in text.splitlines() if not line.startswith("#") or " = " in line or line.startswith("# [")]
    bare = "\n".join(line.removeprefix("# ") for line in lines if "Recognised" not in line)
    jsonschema.Draft202012Validator(config_schema()).validate(tomllib.loads(bare))
    assert not list(data.glob("*.toml"))


def test_init_never_replaces_a_file_unless_told(data, monkeypatch):
    write("# mine\n", "data/leakaudit.toml")
    assert "--force replaces it" in run("init", "data/rows", exit_code=2)
    assert Path("data/leakaudit.toml").read_text() == "# mine\n"
    run("init", "data/rows", "--force")
    assert "[datasets.rows]" in Path("data/leakaudit.toml").read_text(encoding="utf-8")


def test_init_beside_the_data_or_in_the_current_folder(data, monkeypatch):
    write("jobs = 1\n")
    said = run("init", "data/rows/train.csv", "data/rows/val.csv", "--name", "split files!")
    assert tomllib.loads(Path("data/rows/leakaudit.toml").read_text(encoding="utf-8"))["datasets"] == {
        "split-files": {"paths": ["train.csv", "val.csv"]}
    }
    assert "leakaudit.toml no longer applies" in said
    monkeypatch.chdir(data / "pics")
    run("init")
    assert tomllib.loads(Path("leakaudit.toml").read_text(encoding="utf-8"))["datasets"]["pics"]["paths"] == ["."]


def test_names_of_others_stay_inside_their_comments(tmp_path):
    for name in ("train", "val"):
        (tmp_path / f"{name}.csv").write_text('"label\n[datasets.evil]",x\n1,2\n2,3\n')
    table = tomllib.loads(run("init", "train.csv", "val.csv", "--stdout"))
    assert list(table["datasets"]) == [tmp_path.name[:64].strip("-_")]
