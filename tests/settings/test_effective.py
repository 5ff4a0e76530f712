from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

import leakaudit
from leakaudit.config import Config
from leakaudit.errors import ConfigError, InputError
from leakaudit.settings.declared import settings
from leakaudit.settings.effective import effective, from_option, load_config, unknown_variables
from leakaudit.settings.finding import find
from leakaudit.settings.plan import plan, settings_in_force

FILE = """\
fail-on = "warning"
jobs = 2
cache-dir = "kept"
[checks.LA103]
candidates = 4
least_detail = 9
[datasets.a]
paths = ["data/a"]
jobs = 3
[datasets.a.checks.LA103]
candidates = 5
[datasets.b]
paths = ["train=data/t.csv", "val=data/v.csv"]
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from leakaudit.checks.la103_near_duplicate_images import CHECK

    second = next(
        field.name for field in fields(CHECK.params) if field.name != "candidates" and field.type in ("int", "float")
    )
    (tmp_path / "leakaudit.toml").write_text(FILE.replace("least_detail", second))
    (tmp_path / "data/a").mkdir(parents=True)
    return find(["data/a"])


def test_without_anything_it_is_the_defaults():
    found = effective()
    assert found.config == Config()
    assert {source.origin for source in found.sources.values()} == {"default"}


def test_options_over_environment_over_data_set_over_file_over_defaults(file):
    environ = {"LEAKAUDIT_FAIL_ON": "info", "LEAKAUDIT_JOBS": "7", "LEAKAUDIT_CHECKS": "LA201.alpha=0.01"}
    found = effective(file, "a", environ, {"jobs": ("--jobs", 8)})
    assert (found.config.fail_on, found.config.jobs, found.config.memory_limit) == ("info", 8, "auto")
    assert found.config.checks["LA103"]["candidates"] == 5
    assert len(found.config.checks["LA103"]) == 2
    assert found.config.checks["LA201"] == {"alpha": 0.01}
    assert found.config.cache_dir == Path("kept")
    where = {at: (source.origin, source.where) for at, source in found.sources.items()}
    assert where["fail_on",] == ("environment", "LEAKAUDIT_FAIL_ON")
    assert where["jobs",] == ("option", "--jobs")
    assert where["cache_dir",] == ("file", "leakaudit.toml:3")
    assert where["checks", "LA103", "candidates"] == ("file", "leakaudit.toml:11")
    assert where["checks", "LA201", "alpha"] == ("environment", "LEAKAUDIT_CHECKS")
    assert where["memory_limit",] == ("default", "")
    assert found.value(("checks", "LA201", "alpha")) == 0.01


def test_paths_in_a_file_are_relative_to_it(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "data/a")
    assert load_config(".").cache_dir == tmp_path / "kept"


def test_every_field_has_a_key_and_a_documented_meaning():
    assert [setting.name for setting in settings()] == [field.name for field in fields(Config)]
    for setting in settings():
        assert setting.doc, f"{setting.name} is missing in the docstring of Config"
        assert setting.env or setting.name == "overrides"


def test_a_field_is_written_in_the_environment_by_its_name():
    texts = {"LEAKAUDIT_HEADER": "no", "LEAKAUDIT_SPLITS": "a=train,b=val", "LEAKAUDIT_IGNORE": "la2,LA303",
             "LEAKAUDIT_CACHE_DIR": "x", "LEAKAUDIT_CACHE": "y", "LEAKAUDIT_LABEL": ""}  # fmt: skip
    config = effective(environ=texts).config
    assert (config.header, config.splits, config.ignore) == (False, {"a": "train", "b": "val"}, ("LA2", "LA303"))
    assert (config.cache_dir, config.label) == (Path("x"), None)
    assert effective(environ={"LEAKAUDIT_CACHE": "y"}).config.cache_dir == Path("y")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LEAKAUDIT_JOBS", "many", "LEAKAUDIT_JOBS: must be a whole number"),
        ("LEAKAUDIT_FAIL_ON", "errors", "did you mean 'error'"),
        ("LEAKAUDIT_SELECT", "LA9", "no check begins with"),
        ("LEAKAUDIT_CHECKS", "LA103.candidats=3", "did you mean 'candidates'"),
        ("LEAKAUDIT_CHECKS", "LA103=3", "is not NAME=VALUE"),
    ],
)
def test_wrong_variables_name_themselves(name, value, said):
    with pytest.raises(ConfigError, match=said) as raised:
        effective(environ={name: value})
    assert str(raised.value).startswith(name)


def test_misspelt_variables_are_said_and_strange_ones_are_not():
    said = list(unknown_variables({"LEAKAUDIT_FAILON": "x", "LEAKAUDIT_ZZZ_QQQ": "1", "LEAKAUDIT_DEBUG": "1"}))
    assert len(said) == 1
    assert "did you mean 'FAIL_ON'" in said[0]


def test_parameters_from_options():
    assert from_option("checks", "--set", "LA103.candidates=8") == {"LA103": {"candidates": 8}}
    with pytest.raises(ConfigError, match=r"^--set: "):
        from_option("checks", "--set", "LA103.candidates")


# --- load_config ---------------------------------------------------------------------------------------------


def test_load_config_reads_a_file_and_no_environment(file, monkeypatch):
    monkeypatch.setenv("LEAKAUDIT_JOBS", "9")
    assert leakaudit.load_config("leakaudit.toml").jobs == 2
    assert leakaudit.load_config("data/a", "a").jobs == 3
    assert leakaudit.load_config("leakaudit.toml", jobs=4) == replace(load_config("leakaudit.toml"), jobs=4)


def test_load_config_says_what_is_missing(tmp_path, file):
    with pytest.raises(ConfigError, match="no data set 'c'"):
        load_config("leakaudit.toml", "c")
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        load_config("gone.toml")
    (tmp_path / "leakaudit.toml").unlink()
    with pytest.raises(ConfigError, match=r"no leakaudit\.toml found"):
        load_config("data")


def test_audit_reads_no_file_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leakaudit.toml").write_text('fail-on = "never"\nignore = ["LA003"]\n')
    for name in ("train", "val"):
        (tmp_path / f"{name}.csv").write_text("x,y\n1,a\n2,b\n3,c\n")
    by_itself = leakaudit.audit("train.csv", "val.csv")
    assert by_itself.verdict.exit_code == 1
    assert "LA003" not in by_itself.coverage.skipped_checks
    asked = leakaudit.audit("train.csv", "val.csv", config=load_config("leakaudit.toml"))
    assert asked.verdict.exit_code == 0
    assert "LA003" in asked.coverage.skipped_checks


# --- plan ----------------------------------------------------------------------------------------------------


def test_without_paths_all_data_sets_of_the_file(file):
    jobs = plan()
    assert [(job.name, job.paths, job.effective.config.jobs) for job in jobs] == [
        ("a", (str(Path("data/a")),), 3),
        ("b", (f"train={Path('data/t.csv')}", f"val={Path('data/v.csv')}"), 2),
    ]
    assert [job.name for job in plan(datasets=["b", "b"])] == ["b"]


def test_paths_of_a_data_set_get_its_settings(file):
    (job,) = plan(["data/a/"])
    assert (job.name, job.effective.config.jobs) == ("a", 3)
    (job,) = plan(["data"])
    assert (job.name, job.effective.config.jobs) == (None, 2)
    (job,) = plan(["data/a"], use_file=False)
    assert (job.name, job.effective.config) == (None, Config())


def test_what_cannot_be_planned(tmp_path, file):
    with pytest.raises(ConfigError, match="not both"):
        plan(["data/a"], ["a"])
    with pytest.raises(ConfigError, match="no data set 'aa'; did you mean 'a'"):
        plan(datasets=["aa"])
    with pytest.raises(InputError, match="no PATH given"):
        plan(use_file=False)
    (tmp_path / "leakaudit.toml").write_text("jobs = 2")
    with pytest.raises(InputError, match="names no data sets"):
        plan()


def test_settings_in_force_without_a_path_are_those_at_the_top(file):
    (found,) = settings_in_force()
    assert (found.config.jobs, found.dataset) == (2, None)
    assert len(settings_in_force(datasets=["a", "b"])) == 2


def test_an_accepted_findings_file_of_the_usual_name_counts(file, tmp_path):
    (tmp_path / "leakaudit-accepted.toml").write_text("")
    (job,) = plan(["data"])
    assert job.effective.config.accepted == Path("leakaudit-accepted.toml")
    assert load_config("leakaudit.toml").accepted is None
