from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leakaudit.config import Override
from leakaudit.errors import ConfigError
from leakaudit.settings.config_file import MOST_BYTES, read_file
from leakaudit.settings.finding import find, paths_of, same_paths


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(path, text, **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="", **kwargs)
    return path


# --- which file ----------------------------------------------------------------------------------------------


def test_the_nearest_file_upward_from_the_data_counts(tmp_path):
    written(tmp_path / "leakaudit.toml", "jobs = 1")
    written(tmp_path / "a/b/leakaudit.toml", "jobs = 2")
    (tmp_path / "a/b/data").mkdir()
    assert find(["a/b/data"]).settings["jobs",].value == 2
    assert str(find(["a/b/data"]).path) == str(Path("a/b/leakaudit.toml"))
    assert find(["a"]).settings["jobs",].value == 1
    assert find(["train=a/b/data", "val=a"]).settings["jobs",].value == 1
    assert find(["a/b/data/*.csv"]).settings["jobs",].value == 2
    assert find(["a/b/data/not-there.csv"]).settings["jobs",].value == 2
    assert find([]).settings["jobs",].value == 1


def test_a_pyproject_without_the_table_is_passed_over(tmp_path):
    written(tmp_path / "pyproject.toml", "[tool.leakaudit]\njobs = 3\n")
    written(tmp_path / "data/pyproject.toml", '[project]\nname = "about-leakaudit"\n')
    written(tmp_path / "data/x/pyproject.toml", "not toml at all, and not ours")
    file = find(["data/x"])
    assert (file.path.name, file.settings["jobs",].value, file.settings["jobs",].line) == ("pyproject.toml", 3, 2)


def test_leakaudit_toml_goes_over_pyproject_in_the_same_folder(tmp_path):
    written(tmp_path / "pyproject.toml", "[tool.leakaudit]\njobs = 3\n")
    written(tmp_path / "leakaudit.toml", "jobs = 4\n")
    assert find(["."]).settings["jobs",].value == 4


def test_none_is_none(tmp_path):
    assert find([tmp_path]) is None


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need rights there")
def test_links_are_followed_to_files_and_not_resolved_for_folders(tmp_path):
    (tmp_path / "elsewhere/data").mkdir(parents=True)
    project = tmp_path / "project"
    project.mkdir()
    written(tmp_path / "shared.toml", "jobs = 5")
    (project / "leakaudit.toml").symlink_to(tmp_path / "shared.toml")
    (project / "data").symlink_to(tmp_path / "elsewhere/data")
    assert find([project / "data"]).settings["jobs",].value == 5
    (project / "leakaudit.toml").unlink()
    (project / "leakaudit.toml").symlink_to("gone.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        find([project / "data"])


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path):
    (tmp_path / "leakaudit.toml").mkdir()
    with pytest.raises(ConfigError, match=r"leakaudit\.toml: a folder, not a file"):
        find(["."])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "leakaudit.toml")
    with pytest.raises(ConfigError, match="pipe"):
        find(["."])


@pytest.mark.skipif(sys.platform == "win32" or not os.geteuid(), reason="needs a user without all rights")
def test_an_unreadable_file_is_an_error(tmp_path):
    written(tmp_path / "leakaudit.toml", "").chmod(0)
    with pytest.raises(ConfigError, match="cannot be read: permission denied"):
        find(["."])


def test_a_file_that_may_not_be_opened_is_an_error(tmp_path, monkeypatch):
    written(tmp_path / "leakaudit.toml", "")

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"leakaudit\.toml: cannot be read: permission denied"):
        find(["."])


def test_paths_of_data_sets_are_relative_to_the_file(tmp_path, monkeypatch):
    written(tmp_path / "p/leakaudit.toml", '[datasets.a]\npaths = ["train=x/t.csv", "val=../v.csv"]\n')
    (tmp_path / "p/x").mkdir()
    file = find(["p/x"])
    assert paths_of(file, "a") == (f"train={Path('p/x/t.csv')}", "val=v.csv")
    assert same_paths(paths_of(file, "a"), [f"val={tmp_path / 'v.csv'}", "train=p/x/t.csv"])
    assert not same_paths(paths_of(file, "a"), ["p/x/t.csv", "v.csv"])


def refusal(path):
    """The message with which a file is refused; its path where it is read."""
    try:
        read_file(path)
    except ConfigError as error:
        return str(error)
    return str(path)


# --- what stands in it ---------------------------------------------------------------------------------------


def test_a_whole_file(tmp_path):
    path = written(
        tmp_path / "leakaudit.toml",
        """\
\ufefffail-on = "warning"
select = ["la1"]
splits = { part1 = "train" }
[checks.LA004.blank]
nothing = 5
[[overrides]]
paths = ["scans/**"]
ignore = ["la103"]
fail-on = "never"
[datasets.a]
paths = ["x"]
label = "y"
""".replace("\n", "\r\n"),
    )
    file = read_file(path)
    assert {at: (each.value, each.line) for at, each in file.settings.items()} == {
        ("fail_on",): ("warning", 1),
        ("select",): (("LA1",), 2),
        ("splits",): ({"part1": "train"}, 3),
        ("checks", "LA004", "blank", "nothing"): (5.0, 5),
        ("overrides",): ((Override(("scans/**",), ignore=("LA103",), fail_on="never"),), 6),
    }
    assert file.datasets["a"].paths == ("x",)
    assert file.datasets["a"].settings["label",].line == 12


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("\nfail_on = 'x'", 2, "fail_on: unknown key; did you mean 'fail-on'"),
        ("nothing-like-it = 1", 1, "nothing-like-it: unknown key"),
        ("fail-on = 'errors'", 1, "must be one of error, warning, info, never"),
        ("jobs = '4'", 1, "jobs: must be a whole number of at least 1, not the text '4'"),
        ("ignore = [\n'LA1',\n'LA9',\n]", 3, "no check begins with 'LA9'"),
        ("select = ['']", 1, "no check begins with ''"),
        ("require = ['LA1']", 1, "there is no check 'LA1'"),
        ("[checks.LA103]\n\ncandidats = 3", 3, "there is no parameter 'candidats'; did you mean 'candidates'"),
        ("[checks.LA103]\ncandidates = -1", 2, "at least 1"),
        ("[checks.la103]", 1, "did you mean 'LA103'"),
        ("[checks.LA004]\nblank = 3", 2, "must be a table of parameters"),
        ("[checks]\nLA103 = 3", 2, "must be a table"),
        ("[[overrides]]\npaths = ['a']\n[[overrides]]\nignore = []", 3, r"overrides\[2\]: the key 'paths' is missing"),
        ("[[overrides]]\npaths = []", 2, "must name at least one glob"),
        ("[[overrides]]\npaths = ['a']\njobs = 3", 3, "unknown key"),
        ("[overrides]\npaths = ['a']", 1, "must be a list"),
        ("datasets = 3", 1, "one for each data set"),
        ("[datasets.a]\nlabel = 'y'", 1, "must name at least one path"),
        ("[datasets.a]\npaths = 'x'", 2, "must be a list of texts"),
        ("[datasets.a]\npaths = ['x']\nlable = 'y'", 3, "did you mean 'label'"),
        ("[datasets.'../a']\npaths = ['x']", 1, "no name for a data set"),
        ("[datasets.a]\npaths = ['x']\n[datasets.a.datasets.b]", 3, "unknown key"),
        ("a = [\n", 1, "no valid TOML"),
        ("a = 1\nb = \n", 2, "no valid TOML"),
        ("a = 1\na = 2", 2, "no valid TOML"),
        (f"jobs = {'9' * 5000}", 1, "no valid TOML"),
        (f"jobs = 0x{'f' * 5000}", 1, "must be a whole number"),
        ("memory-limit = \"a\\u0000b\"", 1, "NUL"),
    ],
)  # fmt: skip
def test_wrong_files_name_the_line_and_the_nearest_key(tmp_path, text, line, said):
    path = written(tmp_path / "leakaudit.toml", text)
    with pytest.raises(ConfigError, match=said) as raised:
        read_file(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")


def test_lines_in_pyproject(tmp_path):
    path = written(
        tmp_path / "pyproject.toml", "[project]\n\n[tool.leakaudit.datasets.a]\npaths = ['x']\nlable = 'y'\n"
    )
    with pytest.raises(ConfigError, match=r"pyproject\.toml:5: datasets\.a\.lable: unknown key; did you mean 'label'"):
        read_file(path)
    with pytest.raises(ConfigError, match="no table"):
        read_file(written(tmp_path / "x/pyproject.toml", "[project]\n"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"a = 1\nb = '\xff'", r":2: not UTF-8"),
        (b"\xff\xfea\0", "not UTF-8"),
        (b"x = " + b"[" * 10_000, "nested too deeply|no valid TOML"),
        (b"#" * (MOST_BYTES + 1), "more than a megabyte"),
        (b"a = '\0'", "no valid TOML"),
    ],
)
def test_hostile_bytes(tmp_path, raw, said):
    path = tmp_path / "leakaudit.toml"
    path.write_bytes(raw)
    with pytest.raises(ConfigError, match=said):
        read_file(path)


_KEYS = ["fail-on", "select", "checks", "LA103", "datasets", "paths", "overrides", "jobs", "error", "LA1", "x"]
_SIGNS = ["=", "[", "]", "[[", "]]", ".", "{", "}", '"', "'", '"""', "\n", "1", "-0.5", "true", "inf", ",", "#"]
_OTHERS = ["\\", " ", "é", "\r"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.lists(st.sampled_from([*_KEYS, *_SIGNS, *_OTHERS]), max_size=30).map("".join))
def test_any_text_is_read_or_refused_in_one_line(tmp_path, text):
    path = tmp_path / "leakaudit.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert refusal(path).startswith(str(path))


leaves = st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.sampled_from(["error", "LA1", "LA103", "train", ""])
tables = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["LA103", "candidates", "paths", "ignore", "a", "label"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["fail-on", "checks", "overrides", "datasets", "jobs", "splits"]), tables))
def test_any_table_is_read_or_refused_with_a_line(tmp_path, table):
    from leakaudit.settings.toml_text import toml, toml_key

    path = tmp_path / "leakaudit.toml"
    path.write_text("".join(f"{toml_key(key)} = {toml(value)}\n" for key, value in table.items()), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8")) == table
    assert refusal(path).startswith(str(path))
