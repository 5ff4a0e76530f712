"""What importing costs, and that layers hold: measured in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["numpy", "pandas", "pyarrow", "duckdb", "sklearn", "scipy", "PIL", "imagehash", "rich", "jinja2", "torch"]


def loaded_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted(m for m in sys.modules if '.' not in m), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import leakaudit",
        "from leakaudit.cli import cli; cli.main(['--version'], standalone_mode=False)",
        "from leakaudit.cli import cli; cli.main(['--help'], standalone_mode=False)",
        "from leakaudit.cli import cli; cli.main(['scan', '--help'], standalone_mode=False)",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code):
    assert not loaded_after(code) & set(HEAVY)


def test_a_picture_scan_needs_neither_tables_nor_learning_libraries(tmp_path):
    from PIL import Image

    for split in ("train", "val"):
        for label in ("a", "b"):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            Image.linear_gradient("L").resize((40, 40)).rotate(len(split)).save(folder / "0.png")
    modules = loaded_after(
        f"import leakaudit; leakaudit.audit({str(tmp_path)!r}, use_cache=False, jobs=1, select=('LA101',))"
    )
    assert not modules & {"duckdb", "sklearn", "torch", "imagehash", "rich", "jinja2"}  # pyarrow imports pandas


def test_a_commit_waits_for_no_check_and_no_library_that_it_does_not_need(tmp_path):
    from PIL import Image

    for split in ("train", "val"):
        for label in ("a", "b"):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            Image.linear_gradient("L").resize((40, 40)).rotate(len(split)).save(folder / "0.png")
    told = ["leakaudit", "hook", "--data", str(tmp_path), str(tmp_path / "val/a/0.png")]
    modules = loaded_after(
        f"from leakaudit.cli import main\nsys.argv = {told!r}\n"
        "try:\n    main()\nexcept SystemExit as done:\n    assert done.code in (0, 1), done.code\n"
        "assert 'leakaudit.checks.la101_identical_files' in sys.modules\n"
        "assert 'leakaudit.checks.la301_feature_reveals_target' not in sys.modules"
    )
    assert not modules & {"pandas", "duckdb", "sklearn", "torch", "imagehash", "jinja2"}


def test_public_names_exist():
    import leakaudit

    for name in leakaudit.__all__:
        assert getattr(leakaudit, name) is not None
    assert set(leakaudit.__all__) <= set(dir(leakaudit))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = leakaudit.nonsense
