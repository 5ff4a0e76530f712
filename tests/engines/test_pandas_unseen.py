"""`hide_pandas`: pandas is hidden from PyArrow and leakaudit in our own processes, and from nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(code: str, tmp_path: Path) -> str:
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("module", "sees"), [("leakaudit.some", False), ("pyarrow.some", False), ("other", True)])
def test_who_finds_it(tmp_path, module, sees):
    code = f"""
import sys
from leakaudit.engines.pandas_unseen import hide_pandas
hide_pandas()
hide_pandas()
lists = "import pyarrow as pa; print(pa.array([1, None, 3]).to_pylist(), pa.array([1.5]).to_numpy())"
exec(lists, {{"__name__": {module!r}}})
print("pandas" in sys.modules)
"""
    assert run(code, tmp_path).split() == ["[1,", "None,", "3]", "[1.5]", str(sees)]


def test_others_still_find_it(tmp_path):
    (tmp_path / "theirs.py").write_text("import pandas as pd\nframe = pd.DataFrame({'a': [1.5, float('nan')]})\n")
    code = """
import sys
sys.path.insert(0, "")
from leakaudit.engines.pandas_unseen import hide_pandas
hide_pandas()
import pyarrow as pa
pa.array(["x"])
import theirs
print(pa.Table.from_pandas(theirs.frame)["a"].to_pylist(), sys.meta_path[0].__name__)
"""
    assert run(code, tmp_path).split() == ["[1.5,", "None]", "_Finder"]


def test_a_scan_on_the_command_line_does_without(tmp_path):
    for split in ("train", "val"):
        rows = "\n".join(f"{i},{i % 7},{'abc'[i % 3]}" for i in range(40))
        (tmp_path / f"{split}.csv").write_text(f"x,y,z\n{rows}\n")
    code = """
import sys
from leakaudit.cli import main
sys.argv = ["leakaudit", "scan", "--no-cache", "--select", "LA1", "."]
try:
    main()
except SystemExit as end:
    print(end.code, "pandas" in sys.modules)
"""
    assert run(code, tmp_path).splitlines()[-1] == "1 False"
