"""The hooks under the real pre-commit, in git repositories made here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}

pytestmark = pytest.mark.slow


class Repository:
    """A git repository with a data set under ``data/`` and both hooks, run by this interpreter's leakaudit."""

    def __init__(self, folder: Path, hook: str, *args: str, require_serial: bool = True) -> None:
        self.folder = folder
        bin_ = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "PRE_COMMIT_HOME": str(folder / "pre-commit-home"),
            "LEAKAUDIT_CACHE_DIR": str(folder / "cache"),
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.work = folder / "work"
        self.work.mkdir()
        self.git("init", "-q")
        self.git("config", "user.name", "a")
        self.git("config", "user.email", "a@example.org")
        # The same hook, but this installation of it: building an environment takes a minute, and the network.
        told = {**HOOKS[hook], "language": "system", "args": list(args), "require_serial": require_serial}
        del told["description"]
        config = {"repos": [{"repo": "local", "hooks": [told]}]}
        (self.work / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))

    def git(self, *args: str) -> str:
        return self.run("git", *args, check=True).stdout

    def run(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.work, env=self.environment, capture_output=True, text=True, check=check)

    def hook(self, *args: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "pre_commit", "run", "--color=never", *args)

    def picture(self, name: str, seed: int) -> Path:
        path = self.work / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(values).resize((64, 64), Image.Resampling.BICUBIC).save(path)
        return path

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", "x")


@pytest.fixture
def pictures(tmp_path) -> Repository:
    made = Repository(tmp_path, "leakaudit", "--data", "data")
    for seed in range(30):
        made.picture(f"train/{seed}.png", seed)
    for seed in range(30, 40):
        made.picture(f"val/{seed}.png", seed)
    made.commit()
    return made


def test_a_clean_addition_passes(pictures):
    pictures.picture("val/new.png", 100)
    pictures.git("add", "-A")
    done = pictures.hook()
    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout


@pytest.mark.parametrize("split", ["val", "train"])
def test_a_copy_on_either_side_fails_and_is_named(pictures, split):
    pictures.picture(f"{split}/copy.png", 35 if split == "train" else 5)
    pictures.git("add", "-A")
    done = pictures.hook()
    assert done.returncode == 1
    assert "LA101" in done.stdout
    assert f"{split}/copy.png" in done.stdout


def test_a_changed_size_is_a_near_duplicate(pictures):
    path = pictures.picture("val/larger.png", 5)
    with Image.open(path) as image:
        image.resize((97, 97), Image.Resampling.LANCZOS).save(path)
    pictures.git("add", "-A")
    done = pictures.hook()
    assert done.returncode == 1
    assert "LA103" in done.stdout


def test_what_was_there_before_is_not_told_again(pictures):
    pictures.picture("val/old-copy.png", 5)
    pictures.commit()
    pictures.picture("val/new.png", 100)
    pictures.git("add", "-A")
    assert pictures.hook().returncode == 0


def test_only_what_is_staged_counts(pictures):
    pictures.picture("val/new.png", 100)
    pictures.git("add", "-A")
    pictures.picture("val/30.png", 5)  # changed, not staged: pre-commit sets it aside
    assert pictures.hook().returncode == 0
    pictures.git("add", "-A")
    assert pictures.hook().returncode == 1


def test_deletions_and_renames(pictures):
    pictures.git("rm", "-q", "data/val/30.png")
    pictures.git("mv", "data/val/31.png", "data/val/renamed.png")
    done = pictures.hook()
    assert done.returncode == 0, done.stdout
    pictures.git("mv", "data/train/0.png", "data/val/moved.png")
    assert pictures.hook().returncode == 0  # moved, not copied: it is in one split only


def test_batches_side_by_side_find_what_each_other_brings(tmp_path):
    made = Repository(tmp_path, "leakaudit", "--data", "data", require_serial=False)
    for seed in range(120):
        made.picture(f"train/{seed:03d}-{'long' * 30}.png", seed)
    for seed in range(115, 125):
        made.picture(f"val/{seed}.png", seed)
    made.git("add", "-A")
    done = made.hook()
    assert done.returncode == 1
    assert "LA101" in done.stdout


def test_pointers_are_named(pictures):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    (pictures.work / "data/val/pointer.png").write_text(pointer)
    pictures.git("add", "-A")
    done = pictures.hook()
    assert done.returncode == 1
    assert "pointer" in done.stdout.lower()


def test_tables_are_compared_as_a_whole(tmp_path):
    made = Repository(tmp_path, "leakaudit", "--data", "data")
    (made.work / "data").mkdir()
    rows = [f"{i},{i * i % 97}" for i in range(200)]
    (made.work / "data/train.csv").write_text("\n".join(["x,y", *rows[:150]]) + "\n")
    (made.work / "data/val.csv").write_text("\n".join(["x,y", *rows[150:]]) + "\n")
    made.commit()
    with (made.work / "data/val.csv").open("a") as file:
        file.write(rows[3] + "\n")
    made.git("add", "-A")
    done = made.hook()
    assert done.returncode == 1
    assert "LA104" in done.stdout


def test_data_sets_of_the_configuration_and_files_of_none(tmp_path):
    made = Repository(tmp_path, "leakaudit")
    (made.work / "leakaudit.toml").write_text('[datasets.shapes]\npaths = ["data"]\n')
    made.picture("train/a.png", 1)
    made.picture("val/b.png", 2)
    made.commit()
    shutil.copy(made.work / "data/train/a.png", made.work / "elsewhere.png")
    made.git("add", "-A")
    assert made.hook().returncode == 0
    made.picture("val/copy.png", 1)
    made.git("add", "-A")
    assert made.hook().returncode == 1


def test_the_full_hook_scans_everything(tmp_path):
    made = Repository(tmp_path, "leakaudit-full", "data", "--select", "LA1")
    made.picture("train/a.png", 1)
    made.picture("val/a.png", 1)
    made.git("add", "-A")
    done = made.hook()
    assert done.returncode == 1
    assert "LA101" in done.stdout


def test_the_manifest_is_valid_and_its_commands_exist():
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], check=False
    )
    assert done.returncode == 0
    for hook in HOOKS.values():
        name, *arguments = hook["entry"].split()
        command = shutil.which(name, path=sysconfig.get_path("scripts"))  # where pre-commit installs it, too
        assert command
        helped = subprocess.run([command, *arguments, "--help"], capture_output=True, text=True, check=False)
        assert helped.returncode == 0
