"""The recipes of docs/ci.md and the action: valid for the systems they are written for."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from leakaudit.cli import cli

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r'```yaml title="([^"]+)"\n(.*?)```', TEXT, re.DOTALL))
SCHEMAS = {
    ".github/workflows/data.yml": "vendor.github-workflows",
    ".github/workflows/data-scanning.yml": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
}


def check(schema: str, path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_workflows_are_valid(name, tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text(BLOCKS[name], encoding="utf-8")
    check(SCHEMAS[name], path)


def test_the_action_is_valid():
    check("vendor.github-actions", ROOT / "action.yml")


def test_the_action_s_inputs_are_those_that_the_recipes_give():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    for name in (".github/workflows/data.yml", ".github/workflows/data-scanning.yml"):
        for step in yaml.safe_load(BLOCKS[name])["jobs"]["leakaudit"]["steps"]:
            if step["uses"].startswith("OWNER/leakaudit"):
                assert step["with"].keys() <= inputs.keys()


def test_the_pre_commit_recipe_is_valid(tmp_path):
    path = tmp_path / ".pre-commit-config.yaml"
    path.write_text(BLOCKS[".pre-commit-config.yaml"], encoding="utf-8")
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(path)]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize("command", sorted(set(re.findall(r"leakaudit (?:scan|accept|diff|hook) [^\n#\"&`]+", TEXT))))
def test_every_command_shown_has_options_that_exist(command):
    name, *args = command.split()[1:]
    helped = CliRunner().invoke(cli, [name, "--help-all" if name == "scan" else "--help"]).output
    for option in (arg for arg in args if arg.startswith("--")):
        assert option in helped, f"{option} of {command}"


def test_the_script_of_the_action_is_valid_shell_and_passes_paths_with_blanks(tmp_path):
    step = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]
    fake = tmp_path / "leakaudit"
    fake.write_text('#!/bin/sh\nfor arg in "$@"; do echo "[$arg]"; done\nexit 4\n')
    fake.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PATHS": "data one\ndata two\n",
        "FAIL_ON": "warning",
        "ARGS": "--label\ny",
        "SARIF": "",
        "LEAKAUDIT_BIN": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], env=environment, capture_output=True, text=True, check=False
    )
    words = ["scan", "--format", "github", "--fail-on", "warning", "--label", "y", "data one", "data two"]
    assert done.stdout.split("\n")[:-1] == [f"[{word}]" for word in words]
    assert done.returncode == 4
    assert (tmp_path / "output").read_text() == "exit-code=4\n"
