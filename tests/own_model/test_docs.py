"""The examples of docs/attribution.md run as they stand, each in an interpreter of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r'```python title="([^"]+)"\n(.*?)```', TEXT, re.DOTALL))
LINT = EXAMPLES.pop("own_network_lint.py")


def test_there_is_one_for_each_library():
    assert {name.split("_")[1] for name in EXAMPLES} == {"network.py", "keras", "lightning"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_says_what_regularisation_does(name, tmp_path):
    needed = ["torch", *({"keras", "lightning"} & {*re.findall(r"^import (\w+)", EXAMPLES[name], re.MULTILINE)})]
    if missing := [library for library in needed if find_spec(library) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    (tmp_path / name).write_text(EXAMPLES[name], encoding="utf-8")
    environment = os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "training loss minus validation loss" in done.stdout
    assert "b regularisation" in done.stdout


def test_the_example_of_a_network_with_faults(capsys):
    pytest.importorskip("torch")
    exec(compile(LINT, "own_network_lint.py", "exec"), {})
    said = capsys.readouterr().out
    missing = [
        part for part in ("after the output layer", "right before BatchNorm1d", "model.eval()") if part not in said
    ]
    assert missing == []
